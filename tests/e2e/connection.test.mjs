import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { begin, ended, open, openFresh } from './calls.mjs';
import { failure, get, serve } from './pages.mjs';

/** Every failure is told, none is retried, and the breaker keeps out of it. */
const ONCE = { retries: 0, breaker: false };
const BACKGROUND = { priority: 'background' };

/** Notes each change of the connection, and the notices. @param {import('playwright-core').Page} page */
const watchConnection = (page) =>
  run(page, () => {
    window.states = [];
    window.app.connection.subscribe(() => window.states.push(window.app.connection.getSnapshot()));
  });

/** @param {import('playwright-core').Page} page */
const states = (page) => run(page, () => window.states);
/** @param {import('playwright-core').Page} page */
const status = (page) => run(page, () => window.app.connection.getSnapshot().status);

/** A client that notes its notices and when it sends what. */
const heard = () => {
  window.notices = [];
  window.sent = [];
  return {
    onNotice: ({ kind, level, message, error }) => window.notices.push({ kind, level, message, error }),
    api: {
      retries: 0,
      breaker: false,
      onRequest: ({ url }) => void window.sent.push([new URL(url).pathname, Date.now()]),
    },
    version: { current: 'v1' },
    connection: { probeMs: 40 },
  };
};

/**
 * Two failures in a row, and in that moment these calls, before a probe finds the server again. Gives the activity right afterwards.
 * @param {import('playwright-core').Page} page
 * @param {import('../server/fault-server.mjs').FaultServer} server
 * @param {Array<[url: string, options: object]>} [calls]
 */
async function degrade(page, server, calls = []) {
  const rule = server.on('/api/broken', 503);
  const { results, states } = await run(
    page,
    async (calls) => {
      const { api, connection } = window.app;
      /** @type {any[]} */
      const states = [];
      const end = connection.subscribe(async () => {
        end();
        await null;
        for (const [url, options] of calls)
          api.get(url, options).then((result) => window.ended.push([url, result]));
        states.push([connection.getSnapshot().status, api.activity.getSnapshot()]);
      });
      const results = [];
      for (const _ of [1, 2]) results.push(await api.get('/api/broken', { timeoutMs: 2_000 }));
      return { results, states };
    },
    calls,
  );
  rule.off();
  for (const result of results) failure(result);
  const [[status, activity]] = states;
  assert.equal(status, 'degraded');
  return activity;
}

test('the connection is online until something says otherwise', async (t) => {
  const { page } = await open(t);
  const { status, since } = await run(page, () => window.app.connection.getSnapshot());
  assert.equal(status, 'online');
  assert.ok(Math.abs(Date.now() - since) < 60_000);
  const same = await run(page, () => {
    const { connection } = window.app;
    const [first, second] = [connection.getSnapshot(), connection.getSnapshot()];
    return first === second && connection.getServerSnapshot().status;
  });
  assert.equal(same, 'online');
});

for (const [what, fault] of /** @type {Array<[string, any]>} */ ([
  ['network errors', 'cut'],
  ['502', 502],
  ['503', 503],
  ['504', 504],
])) {
  test(`two ${what} in a row are a degraded connection, and any other answer ends it`, async (t) => {
    const { server, page } = await open(t, { api: ONCE });
    await watchConnection(page);
    server.on('/api/x', [fault, 500, fault, fault, 404]);
    const before = Date.now();
    for (const _ of [1, 2, 3]) await get(page, '/api/x');
    assert.deepEqual(await states(page), [], 'one failure, an answer and one failure are bad luck');
    await get(page, '/api/x');
    await get(page, '/api/x');
    const seen = await states(page);
    assert.deepEqual(
      seen.map(({ status }) => status),
      ['degraded', 'online'],
    );
    assert.ok(before <= seen[0].since && seen[0].since <= seen[1].since && seen[1].since <= Date.now());
  });
}

test('timeouts make a degraded connection, and degradedAfterFailures says how many', async (t) => {
  const { server, page } = await open(t, {
    api: { ...ONCE, timeoutMs: 40 },
    connection: { degradedAfterFailures: 3 },
  });
  await watchConnection(page);
  server.on('/api/x', 'hang');
  for (const _ of [1, 2]) assert.equal(failure(await get(page, '/api/x')).kind, 'timeout');
  assert.deepEqual(await states(page), []);
  await get(page, '/api/x');
  assert.equal(await status(page), 'degraded');
});

test('what an origin that is not trusted does says nothing about the connection', async (t) => {
  const other = await serve(t, { cors: true });
  const { page } = await open(t, { api: ONCE });
  other.on('/api/x', 503);
  for (const _ of [1, 2, 3]) await get(page, `${other.origin}/api/x`);
  assert.equal(await status(page), 'online');
});

test("the browser's word makes it offline and online, and the person is told of the return once", async (t) => {
  const { page } = await openFresh(t, heard);
  await watchConnection(page);
  await page.context().setOffline(true);
  await until(async () => (await status(page)) === 'offline');
  await page.context().setOffline(false);
  await until(async () => (await status(page)) === 'online');
  assert.deepEqual(
    (await states(page)).map(({ status }) => status),
    ['offline', 'online'],
  );
  const notices = await until(() => run(page, () => window.notices.length > 0 && window.notices));
  assert.deepEqual(notices, [
    { kind: 'backOnline', level: 'info', message: 'You are back online', error: null },
  ]);
});

test('an answer disproves what the browser says', async (t) => {
  const { server, page } = await openFresh(t);
  server.on('/api/x', { body: 1 });
  await run(page, () => {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => false });
    dispatchEvent(new Event('offline'));
  });
  assert.equal(await status(page), 'offline');
  assert.equal((await get(page, '/api/x')).data, 1);
  assert.equal(await status(page), 'online');
});

test('a page that starts offline says so', async (t) => {
  const { page } = await openFresh(t);
  const first = await run(page, async () => {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => false });
    const app = window.evenkeel.createStability();
    await app.ready;
    const { status } = app.connection.getSnapshot();
    app.dispose();
    return status;
  });
  assert.equal(first, 'offline');
});

test('the version endpoint is asked until the server is back, ever more seldom; then background work goes', async (t) => {
  const { server, page } = await open(t, heard);
  server.on('/api/version', [503, 'cut', 504, 502, 'pass']);
  server.on('/api/later', { body: 1 });
  assert.equal((await degrade(page, server, [['/api/later', BACKGROUND]])).queued, 1);
  const results = await ended(page, 1);
  assert.equal(results['/api/later'].data, 1);
  const probes = server.requestsTo('/api/version');
  assert.equal(probes.length, 5, 'it is asked no more once it has answered');
  assert.ok(probes.every(({ headers }) => headers['x-app-version'] === 'v1'));
  // Drawn from 20–40, 40–80, 80–160, 160–320 and 320–640 ms.
  const sent = await run(page, () => window.sent.filter(([path]) => path === '/api/version'));
  const took = sent[4][1] - sent[0][1];
  assert.ok(took >= 40 + 80 + 160 + 320 - 20, `five probes within ${took} ms`);
  assert.ok(server.requestsTo('/api/later')[0].at >= probes[4].at);
  assert.equal(await status(page), 'online');
  const kinds = await run(page, () => window.notices.map(({ kind }) => kind));
  assert.deepEqual(kinds, ['unavailable', 'backOnline']);
});

test("without a version endpoint the session's is asked", async (t) => {
  const { server, page } = await open(t, { api: ONCE, session: {}, connection: { probeMs: 300 } });
  server.session = { user: { id: 'u1' } };
  await degrade(page, server);
  await until(async () => (await status(page)) === 'online');
  assert.ok(server.requestsTo('/api/auth/session').length > 0);
  assert.equal(server.requestsTo('/api/version').length, 0);
});

test('with neither, one background call at a time goes as the probe', async (t) => {
  const { server, page } = await open(t, () => {
    window.sent = [];
    const onRequest = () => void window.sent.push(Date.now());
    return { api: { retries: 0, breaker: false, onRequest }, connection: { probeMs: 100 } };
  });
  server.on('/api/later/*', [503, 503, { body: 1 }]);
  const { queued } = await degrade(page, server, [
    ['/api/later/1', BACKGROUND],
    ['/api/later/2', BACKGROUND],
    ['/api/later/3', BACKGROUND],
    ['/api/later/4', BACKGROUND],
  ]);
  assert.equal(queued, 4);
  const results = await ended(page, 4);
  const sent = server.requestsTo('/api/later/*');
  assert.deepEqual(sent.map(({ path, status }) => [path, status]).slice(0, 3), [
    ['/api/later/1', 503],
    ['/api/later/2', 503],
    ['/api/later/3', 200],
  ]);
  assert.equal(sent.length, 4);
  const [, , first, , third] = await run(page, () => window.sent);
  assert.ok(third - first >= 100 + 200 - 20, `each is a probe, at a probe's pace: ${third - first}`);
  assert.ok(sent[3].at >= sent[2].at);
  assert.deepEqual(
    [1, 2, 3, 4].map((n) => results[`/api/later/${n}`].ok),
    [false, false, true, true],
  );
  assert.equal(await status(page), 'online');
});

test('a call that a person waits for goes out while the connection is degraded, and may end that', async (t) => {
  const { server, page } = await open(t, { api: ONCE, connection: { probeMs: 60_000 } });
  await degrade(page, server);
  server.on('/api/*', { body: 1 });
  await begin(page, [['/api/later', BACKGROUND]]);
  assert.ok((await get(page, '/api/now')).ok);
  await ended(page, 1);
  assert.deepEqual(
    server
      .requestsTo('/api/*')
      .slice(2)
      .map(({ path }) => path),
    ['/api/now', '/api/later'],
  );
});

test('a hidden page does not probe, and does when it is seen again', async (t) => {
  const { server, page: hidden } = await openFresh(t, {
    api: ONCE,
    version: { current: 'hidden' },
    connection: { probeMs: 20 },
  });
  const { page: visible } = await openFresh(
    t,
    { api: ONCE, version: { current: 'visible' }, connection: { probeMs: 20 } },
    { server },
  );
  server.on('/api/version', 503);
  await hide(hidden);
  await degrade(hidden, server);
  await degrade(visible, server);
  const probes = (who) =>
    server.requestsTo('/api/version').filter(({ headers }) => headers['x-app-version'] === who);
  await until(() => probes('visible').length >= 4);
  assert.equal(probes('hidden').length, 0);
  await show(hidden);
  await until(() => probes('hidden').length > 0);
});
