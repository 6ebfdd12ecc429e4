import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open } from './calls.mjs';
import { get, post } from './pages.mjs';

const diagnostics = (page) => run(page, () => window.app.diagnostics());

/** Of each event that was told, what is expected of it. @param {any[]} events @param {any[]} expected */
function assertTold(events, expected) {
  const seen = events.map((event, i) =>
    Object.fromEntries(Object.keys(expected[i] ?? event).map((name) => [name, event[name]])),
  );
  assert.deepEqual(seen, expected);
}

test('a call is told from its first request to its end', async (t) => {
  const { server, page } = await open(t, { api: { backoff: { baseMs: 20, jitter: 'none' } } });
  server.on('/api/x', [500, 'cut', { body: 1 }]);
  const before = Date.now();
  await run(page, () => {
    window.heard = [];
    window.app.on((event) => window.heard.push(event));
  });
  await get(page, '/api/x');
  const heard = await run(page, () => window.heard);
  const url = `${server.origin}/api/x`;
  assertTold(heard, [
    { type: 'request', method: 'GET', url, attempt: 1 },
    { type: 'response', status: 500, attempt: 1 },
    { type: 'retry', waitMs: 20 },
    { type: 'request', method: 'GET', url, attempt: 2 },
    { type: 'failure', attempt: 2, reason: 'network' },
    { type: 'retry', waitMs: 40 },
    { type: 'request', method: 'GET', url, attempt: 3 },
    { type: 'response', status: 200, attempt: 3 },
    { type: 'call', kind: null, status: 200, attempts: 3 },
  ]);
  assert.equal(new Set(heard.map(({ id }) => id)).size, 1, 'all of one call');
  assert.ok(heard.every(({ at }) => before <= at && at <= Date.now()));
  const { events, counters, version } = await diagnostics(page);
  assert.deepEqual(events.slice(-9), heard, 'the same events, for who asks later');
  assert.deepEqual([counters.requests, counters.retries, counters.ok], [3, 2, 1]);
  assert.match(version, /^\d+\.\d+\.\d+/);
});

test('changes of runtime, connection and breaker are told', async (t) => {
  const { server, page } = await open(t, {
    api: { retries: 0, breaker: { consecutive: 2, openMs: 60_000 } },
  });
  server.on('/api/x/y/z', 'cut');
  for (const _ of [1, 2]) await get(page, '/api/x/y/z');
  const { events } = await diagnostics(page);
  const of = (type) => events.filter((event) => event.type === type);
  assertTold(of('runtime'), [{ type: 'runtime', status: 'running', reason: null }]);
  assertTold(of('connection'), [{ type: 'connection', status: 'degraded' }]);
  assertTold(of('breaker'), [{ type: 'breaker', url: `${server.origin}/`, scope: 'origin', state: 'open' }]);
});

test('no body, header, token, query string or user is in it', async (t) => {
  const { server, page } = await open(t, () => ({
    session: {},
    api: {
      headers: () => ({ Authorization: 'Bearer SECRET-1' }),
      auditCacheControl: false,
      backoff: { baseMs: 1 },
    },
  }));
  server.session = { user: { id: 'SECRET-2', email: 'secret-3@example.com' } };
  server.on('/api/users/secret-4@example.com', { body: 'SECRET-5' });
  server.on('/api/x', [
    503,
    { status: 422, body: { message: 'SECRET-6' }, headers: { 'X-Secret': 'SECRET-7' } },
  ]);
  server.on('/api/me', [401, { body: {} }]);
  await get(page, '/api/x?token=SECRET-8#SECRET-9', { headers: { 'X-Key': 'SECRET-10' } });
  await post(page, '/api/x', { password: 'SECRET-11' }, { idempotencyKey: 'SECRET-12' });
  await get(page, '/api/users/secret-4@example.com');
  await get(page, '/api/me', { query: { code: 'SECRET-13' } });
  await get(page, '/api/reset/SECRET14SECRET14SECRET14');
  const { events, counters } = await diagnostics(page);
  assert.ok(events.length > 10);
  assert.doesNotMatch(JSON.stringify([events, counters]), /secret/i);
  assert.ok(events.some(({ url }) => url === `${server.origin}/api/reset/…`));
});

test('the newest 200 events are kept, and the counters count all', async (t) => {
  const { server, page } = await open(t, { api: { rateLimit: false } });
  server.on('/api/x', 204);
  await run(page, () =>
    Promise.all(Array.from({ length: 300 }, (_, i) => window.app.api.get(`/api/x?${i}`))),
  );
  const { events, counters } = await diagnostics(page);
  assert.equal(events.length, 200);
  assert.equal(events.at(-1).type, 'call');
  assert.deepEqual([counters.requests, counters.ok], [300, 300]);
  assert.ok(JSON.stringify(await diagnostics(page)).length < 50_000, 'small enough for a support ticket');
});

test('snapshots do not change afterwards, and events cannot be changed', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  await get(page, '/api/x');
  const same = await run(page, async () => {
    const before = window.app.diagnostics();
    const [length, requests] = [before.events.length, before.counters.requests];
    await window.app.api.get('/api/x');
    return [
      before.events.length === length,
      before.counters.requests === requests,
      before.events.every(Object.isFrozen),
    ];
  });
  assert.deepEqual(same, [true, true, true]);
});

test('a listener that throws is reported, and keeps nothing from the others or from the call', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1 });
  const seen = await run(page, async () => {
    const heard = [];
    const end = window.app.on(() => {
      throw new Error('of the listener');
    });
    window.app.on(({ type }) => heard.push(type));
    const { data } = await window.app.api.get('/api/x');
    end();
    end();
    return [data, heard];
  });
  assert.deepEqual(seen, [1, ['request', 'response', 'call']]);
  await until(() => page.problems.length === 3);
  const problems = page.problems.splice(0);
  assert.ok(problems.every(({ type, text }) => type === 'uncaught' && text.includes('of the listener')));
});

test('a listener that ended hears nothing more, also while others are told', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  const heard = await run(page, async () => {
    const heard = [];
    const ends = [];
    ends.push(
      window.app.on(({ type }) => {
        heard.push(`first ${type}`);
        for (const end of ends) end();
      }),
    );
    ends.push(window.app.on(({ type }) => heard.push(`second ${type}`)));
    await window.app.api.get('/api/x');
    return heard;
  });
  assert.deepEqual(heard, ['first request']);
});

test('redactUrl says what of a URL is kept', async (t) => {
  const { server, page } = await open(t, () => ({
    redactUrl: (url) => new URL(url).pathname.replace(/\d+/g, 'N'),
  }));
  server.on('/api/*', 204);
  await get(page, '/api/users/17?x=1');
  const { events } = await diagnostics(page);
  assert.equal(events.find(({ type }) => type === 'request').url, '/api/users/N');
});

for (const [what, config] of /** @type {Array<[string, any]>} */ ([
  [
    'throws',
    () => ({
      redactUrl() {
        throw new Error('no');
      },
    }),
  ],
  ['gives no string', () => ({ redactUrl: () => undefined })],
])) {
  test(`where redactUrl ${what}, the default is used`, async (t) => {
    const { server, page } = await open(t, config);
    server.on('/api/*', 204);
    await get(page, '/api/users?x=1');
    const { events } = await diagnostics(page);
    assert.equal(events.find(({ type }) => type === 'request').url, `${server.origin}/api/users`);
  });
}

test('a client that was not used says so', async (t) => {
  const { page } = await open(t);
  const { events, counters } = await run(page, () => window.evenkeel.createStability().diagnostics());
  assert.deepEqual([events, counters], [[], {}]);
});
