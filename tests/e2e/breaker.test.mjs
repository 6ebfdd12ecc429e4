import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { failure, get, open, serve } from './pages.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** So long that a test never sees it end. */
const LONG = { consecutive: 3, openMs: 60_000 };
const ONCE = { retries: 0, rateLimit: false };

/** @param {Page} page @param {string} path @param {number} times @param {object} [options] @returns {Promise<string[]>} */
const ask = (page, path, times, options) =>
  run(
    page,
    async ({ path, times, options }) => {
      const kinds = [];
      for (let n = 0; n < times; n++)
        kinds.push((await window.app.api.get(path, options)).error?.kind ?? 'ok');
      return kinds;
    },
    { path, times, options },
  );

/**
 * Asks in the moment in which a breaker opens, and notes for how long it does: at least and at most, since some time has passed by then.
 * @param {Page} page
 */
const noteOpens = (page) =>
  run(page, () => {
    /** @type {Array<[number, number]>} */
    const opens = [];
    Object.assign(window, { opens });
    window.app.on(async (/** @type {any} */ { type, state, at }) => {
      if (type !== 'breaker' || state !== 'open') return;
      await null;
      const from = Date.now();
      const { error } = await window.app.api.get('/api/x?open'); // shares no request
      opens.push([from + error.retryAfterMs - at, Date.now() + error.retryAfterMs - at]);
    });
  });

/** @param {[number, number]} open @param {number} base up to 1.5 times as long */
const isJittered = ([least, most], base) => most >= base - 2 && least <= base * 1.5 + 2;

/** Asks until a call gets through, and gives its result. @param {Page} page @param {string} path */
async function untilLetThrough(page, path) {
  return until(async () => {
    const result = await get(page, path);
    return result.error?.kind === 'circuitOpen' ? null : result;
  });
}

test('a route that fails again and again is asked no more for a while, and calls fail at once', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: LONG } });
  server.on('/api/items', 500);
  assert.deepEqual(await ask(page, '/api/items', 4), ['server', 'server', 'server', 'circuitOpen']);
  const result = await get(page, '/api/items');
  const { kind, status, attempts, retryable, retryAfterMs } = failure(result);
  assert.deepEqual([kind, status, attempts, retryable], ['circuitOpen', 0, 0, true]);
  assert.ok(retryAfterMs > 30_000 && retryAfterMs <= 90_000, `${retryAfterMs}`);
  assert.equal(result.headers, null);
  assert.equal(server.requestsTo('/api/items').length, 3);
});

test('a route is the origin and the first two segments of the path', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: LONG } });
  server.on('/api/*', 500);
  for (const path of ['/api/items/1', '/api/items/2?a=1', '/api/items']) await get(page, path);
  assert.deepEqual(await ask(page, '/api/items/9/parts', 1), ['circuitOpen']);
  server.on('/api/*', 204);
  assert.deepEqual(await ask(page, '/api/users', 1), ['ok'], 'one broken endpoint does not close the app');
  assert.deepEqual(await ask(page, '/api/items-too', 1), ['ok']);
});

test('timeouts count for the route', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, timeoutMs: 100, breaker: LONG } });
  server.on('/api/slow', 'hang');
  assert.deepEqual(await ask(page, '/api/slow', 4), ['timeout', 'timeout', 'timeout', 'circuitOpen']);
  server.on('/api/well', 204);
  assert.deepEqual(await ask(page, '/api/well', 1, { timeoutMs: 5_000 }), ['ok']);
});

test('network errors count for the origin', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: LONG } });
  server.on('/api/*', 'cut');
  assert.deepEqual(
    [...(await ask(page, '/api/a', 1)), ...(await ask(page, '/api/b', 1)), ...(await ask(page, '/api/c', 1))],
    ['network', 'network', 'network'],
  );
  server.on('/api/*', 204);
  assert.deepEqual(await ask(page, '/api/well', 1), ['circuitOpen']);
  assert.equal(server.requestsTo('/api/well').length, 0);
});

for (const fault of /** @type {const} */ ([502, 503, 504, 'hang'])) {
  test(`${fault} from two routes counts for the origin too`, async (t) => {
    const { server, page } = await open(t, {
      api: { ...ONCE, timeoutMs: 100, breaker: { ...LONG, consecutive: 4 } },
    });
    server.on('/api/*', fault);
    for (let n = 0; n < 3; n++) for (const path of ['/api/a', '/api/b']) await get(page, path);
    server.on('/api/*', 204);
    assert.deepEqual(await ask(page, '/api/well', 1), ['circuitOpen']);
  });
}

test('500 from many routes does not count for the origin', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: LONG } });
  server.on('/api/*', 500);
  for (let n = 0; n < 12; n++) await get(page, `/api/route-${n}`);
  server.on('/api/*', 204);
  assert.deepEqual(await ask(page, '/api/well', 1), ['ok']);
});

test('a success in between starts the count anew, and a share of failures opens the breaker too', async (t) => {
  const breaker = { ...LONG, ratio: 0.5, minimum: 10 };
  const { server, page } = await open(t, { api: { ...ONCE, breaker } });
  server.on('/api/x', [500, 500, 204, 500, 500, 204, 500, 500, 204, 500, 204]);
  const kinds = await ask(page, '/api/x', 11);
  assert.deepEqual(
    kinds.slice(0, 9),
    [...Array(3)].flatMap(() => ['server', 'server', 'ok']),
  );
  assert.deepEqual(kinds.slice(9), ['server', 'circuitOpen'], '7 of 10 failed');
});

test('4xx, 429 and aborts count as neither success nor failure', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: LONG } });
  for (const status of [400, 401, 403, 404, 409, 422, 429]) {
    server.on('/api/x', status);
    assert.equal((await ask(page, '/api/x', 4)).includes('circuitOpen'), false, `${status}`);
  }
  server.on('/api/x', 'hang');
  const aborted = await run(page, async () => {
    const kinds = [];
    for (let n = 0; n < 5; n++) {
      const result = await window.app.api.get('/api/x', { signal: AbortSignal.timeout(20) });
      kinds.push(result.error.kind);
    }
    return kinds;
  });
  assert.deepEqual(aborted, Array(5).fill('aborted'));

  // Two failures, and what is neither, and a third: still a row of three.
  server.on('/api/x', [500, 500, 404, 429, 500]);
  await ask(page, '/api/x', 5);
  assert.deepEqual(await ask(page, '/api/x', 1), ['circuitOpen']);
});

test('a call that was retrying ends with its last real error', async (t) => {
  const { server, page } = await open(t, { api: { retries: 10, breaker: { ...LONG, consecutive: 3 } } });
  server.on('/api/x', [503, 503, { status: 504, body: { n: 3 } }]);
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.attempts, error.body], ['unavailable', 504, 3, { n: 3 }]);
  assert.equal(server.requestsTo('/api/x').length, 3);
});

test('a call in a backoff wait ends with its last real error when others open the breaker', async (t) => {
  const { server, page } = await open(t, {
    api: { retries: 1, breaker: LONG, backoff: { baseMs: 3_000, jitter: 'none' } },
  });
  server.on('/api/x', { status: 503, body: 'down' });
  server.on('/api/x/waiting', { status: 502, body: 'down' });
  const waiting = await run(page, async () => {
    const { app } = window;
    const isWaiting = new Promise((resolve) =>
      app.on((/** @type {any} */ { type }) => type === 'retry' && resolve(true)),
    );
    const call = app.api.get('/api/x/waiting');
    await isWaiting;
    for (const _ of [1, 2]) await app.api.get('/api/x', { retries: 0 });
    return call;
  });
  const error = failure(waiting);
  assert.deepEqual([error.kind, error.status, error.attempts], ['unavailable', 502, 1]);
  assert.equal(server.requestsTo('/api/x/waiting').length, 1);
});

const SHORT = { consecutive: 2, openMs: 300, maxOpenMs: 900 };

test('one probe is sent when the time is over, and others fail meanwhile; its success closes the breaker', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: SHORT } });
  const well = held({ body: 'well' });
  server.on('/api/x', [500, 500, well.step, { body: 'again' }]);
  await ask(page, '/api/x', 2);
  const probe = untilLetThrough(page, '/api/x?probe');
  const sent = await server.waitFor('/api/x', { count: 3 });
  const meanwhile = await get(page, '/api/x');
  assert.equal(failure(meanwhile).kind, 'circuitOpen');
  assert.ok(meanwhile.error.retryAfterMs > 0);
  well.release();
  assert.equal((await probe).data, 'well');
  assert.ok(sent.at - server.requestsTo('/api/x')[1].at >= 298, 'not before the time was over');
  const after = await run(page, () =>
    Promise.all(Array.from({ length: 4 }, (_, n) => window.app.api.get(`/api/x?n=${n}`))),
  );
  assert.deepEqual(
    after.map((/** @type {any} */ { ok }) => ok),
    Array(4).fill(true),
  );
  assert.equal(server.requestsTo('/api/x').length, 7);
});

test('any answer that is no failure closes a half-open breaker', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: SHORT } });
  server.on('/api/x', [500, 500, 404, 500, 404]);
  await ask(page, '/api/x', 2);
  assert.equal(failure(await untilLetThrough(page, '/api/x')).kind, 'notFound');
  assert.deepEqual(await ask(page, '/api/x', 2), ['server', 'notFound'], 'closed, with a fresh count');
});

test('the open time doubles up to its cap while probes fail, and is jittered', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: SHORT } });
  server.on('/api/x', 500);
  await noteOpens(page);
  const opens = await run(page, async () => {
    const { opens } = /** @type {any} */ (window);
    while (opens.length < 4) {
      await window.app.api.get('/api/x');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return opens;
  });
  for (const [n, base] of [300, 600, 900, 900].entries())
    assert.ok(isJittered(opens[n], base), JSON.stringify(opens));
  const times = server.requestsTo('/api/x').map(({ at }) => at);
  for (const [n, base] of [300, 600, 900].entries())
    assert.ok(times[n + 2] - times[n + 1] >= base - 2, `${times}`);
  assert.equal(times.length, 5, 'a probe each time, and nothing else');
});

test('a probe that is aborted frees its place', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: SHORT } });
  server.on('/api/x', [500, 500, 'hang', { body: 'well' }]);
  await ask(page, '/api/x', 2);
  const probe = run(page, async () => {
    for (;;) {
      const control = new AbortController();
      Object.assign(window, { control });
      const result = await window.app.api.get('/api/x', { signal: control.signal });
      if (result.error?.kind !== 'circuitOpen') return result;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  await server.waitFor('/api/x', { count: 3 });
  assert.deepEqual(await ask(page, '/api/x?other', 1), ['circuitOpen']);
  await run(page, () => /** @type {any} */ (window).control.abort());
  assert.equal(failure(await probe).kind, 'aborted');
  assert.equal((await get(page, '/api/x')).data, 'well');
});

test('a request that spans a sleep counts for nothing', async (t) => {
  const { server, page } = await open(
    t,
    { api: { ...ONCE, breaker: { ...LONG, consecutive: 1 } } },
    { fresh: true },
  );
  const answer = held({ status: 503 });
  server.on('/api/x', [answer.step, { body: 'well' }]);
  const call = get(page, '/api/x');
  await server.waitFor('/api/x');
  await run(page, () => {
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
  });
  answer.release();
  assert.equal(failure(await call).kind, 'unavailable');
  assert.equal((await get(page, '/api/x')).data, 'well', 'one failure would have opened it');
});

test('an origin that is not trusted has no breaker, a trusted one has', async (t) => {
  const stranger = await serve(t, { cors: true });
  const friend = await serve(t, { cors: true });
  const { page } = await open(t, {
    api: { ...ONCE, breaker: LONG, trustedOrigins: [friend.origin] },
  });
  for (const server of [stranger, friend]) server.on('/api/x', 500);
  assert.deepEqual(await ask(page, `${stranger.origin}/api/x`, 5), Array(5).fill('server'));
  assert.deepEqual(await ask(page, `${friend.origin}/api/x`, 4), [...Array(3).fill('server'), 'circuitOpen']);
  assert.deepEqual(await ask(page, '/api/version', 1), ['ok'], 'another origin is another breaker');
});

test('breaker: false lets every call through', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, breaker: false } });
  server.on('/api/x', 500);
  assert.deepEqual(await ask(page, '/api/x', 20), Array(20).fill('server'));
  assert.equal(server.requestsTo('/api/x').length, 20);
});

test('five failures in a row open a breaker for five seconds by default', async (t) => {
  const { server, page } = await open(t, { api: ONCE });
  server.on('/api/x', 503);
  await noteOpens(page);
  assert.deepEqual(await ask(page, '/api/x', 6), [...Array(5).fill('unavailable'), 'circuitOpen']);
  const [opened] = await until(() => run(page, () => /** @type {any} */ (window).opens));
  assert.ok(isJittered(opened, 5_000), JSON.stringify(opened));
  assert.equal(server.requestsTo('/api/x').length, 5);
});
