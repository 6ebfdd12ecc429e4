import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, launchBrowser, run, show, until } from '../harness/browser.mjs';
import { gaps, median, serve } from './pages.mjs';
import { listen, quiet, stays, URL_PATH } from './streams.mjs';
import { bears, checks, loads, openVersions, pass, VERSION } from './versions.mjs';

/** A moment may be late by so much on a busy machine. */
const LATE_MS = 5_000;
/** Nothing is reloaded, so that what is known can be looked at. */
const ASKS = { onMismatch: 'prompt' };

test('a page of the version that the server runs is current, and asks nothing by itself', async (t) => {
  const { server, tab } = await openVersions(t);
  assert.deepEqual(await tab.state(), {
    current: 'v1',
    latest: null,
    status: 'current',
    reason: null,
    blockedBy: null,
    dismissed: false,
  });
  for (let n = 0; n < 3; n++) await tab.get('/api/version', { dedupe: false });
  server.clear();
  assert.ok(await quiet(() => checks(server), 400));
  assert.equal(checks(server), 0);
});

test('a response that bears another version makes the endpoint be asked, past every cache, and its answer decides', async (t) => {
  const { server, tab } = await openVersions(t, { version: ASKS });
  server.version = 'v2';
  await tab.get('/api/x');
  const { latest, reason } = await tab.is('updateAvailable');
  assert.deepEqual([latest, reason], ['v2', 'mismatch']);
  assert.equal(checks(server), 1);
  const [request] = server.requestsTo(VERSION);
  assert.deepEqual([request.method, request.headers['cache-control']], ['GET', 'no-cache']);
});

test('a stream that bears another version makes it be asked, too', async (t) => {
  const { server, tab } = await openVersions(t, { version: ASKS });
  server.version = 'v2';
  server.on(URL_PATH, stays(':\n\n'));
  await listen(tab.page);
  await tab.is('updateAvailable');
  assert.equal(checks(server), 1);
});

test('many responses at once are one check', async (t) => {
  const { server, tab } = await openVersions(t, { version: ASKS });
  server.version = 'v2';
  server.on(VERSION, { pass: true, delayMs: 200 });
  await run(tab.page, () =>
    Promise.all(Array.from({ length: 10 }, (_, n) => window.app.api.get(`/api/x/${n}`))),
  );
  await tab.is('updateAvailable');
  assert.equal(checks(server), 1);
});

for (const status of [200, 204, 404, 422]) {
  test(`the header counts on a ${status}`, async (t) => {
    const { server, tab } = await openVersions(t, { version: ASKS });
    server.version = 'v2';
    server.on('/api/x', { status });
    await tab.get('/api/x');
    await tab.is('updateAvailable');
  });
}

for (const [what, step] of /** @type {Array<[string, any]>} */ ([
  ['a 500', { status: 500, headers: { 'X-App-Version': 'v2' } }],
  ['a 503', { status: 503, headers: { 'X-App-Version': 'v2' } }],
  ['an answer without the header', { headers: { 'X-App-Version': null } }],
  ['an empty header', { headers: { 'X-App-Version': '' } }],
  ['a header of 10,000 characters', { headers: { 'X-App-Version': 'v'.repeat(10_000) } }],
])) {
  test(`${what} says nothing of the version`, async (t) => {
    const { server, tab } = await openVersions(t, { version: ASKS, config: { api: { retries: 0 } } });
    server.on('/api/x', step);
    await tab.get('/api/x');
    assert.ok(await quiet(() => checks(server), 300));
    assert.deepEqual([checks(server), (await tab.state()).status], [0, 'current']);
  });
}

test('a header from an origin that is not trusted is ignored, one from a trusted origin is not', async (t) => {
  const stranger = await serve(t, { cors: true });
  const friend = await serve(t, { cors: true });
  const { server, tab } = await openVersions(t, {
    version: { ...ASKS, trustedOrigins: [friend.origin] },
  });
  stranger.version = 'v3';
  await tab.get(`${stranger.origin}/api/x`);
  assert.ok(await quiet(() => checks(server), 300));
  friend.version = server.version = 'v2';
  await tab.get(`${friend.origin}/api/x`);
  await tab.is('updateAvailable');
  assert.equal(checks(server), 1);
});

test('a canary that the endpoint contradicts reloads nobody and is asked about ever more seldom', async (t) => {
  const { server, tab } = await openVersions(t);
  server.on('/api/x', (request) => bears(request.queryValue('n')?.endsWith('0') ? 'v1' : 'v9'));
  const until4s = Date.now() + 4_000;
  for (let n = 0; Date.now() < until4s; n++) await tab.get(`/api/x?n=${n}`);
  // However long an answer took: after a second, after two more, and so on.
  const after = gaps(server.requestsTo(VERSION));
  assert.ok(checks(server) >= 1 && after.every((ms, i) => ms >= 2 ** i * 995), `checked after ${after} ms`);
  assert.deepEqual([(await tab.state()).status, loads(server), tab.offers], ['current', 0, 0]);
});

test('without an endpoint the header decides', async (t) => {
  const { server, tab } = await openVersions(t, { version: { ...ASKS, endpoint: false } });
  server.version = 'v2';
  await tab.get('/api/x');
  assert.equal((await tab.is('updateAvailable')).latest, 'v2');
  assert.equal((await tab.check()).latest, 'v2');
  server.version = 'v1';
  await tab.get('/api/x');
  assert.equal((await tab.is('current')).latest, 'v1', 'rolled back');
  assert.equal(checks(server), 0);
});

test('another header and another endpoint may be named', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: { ...ASKS, header: 'X-Build', endpoint: '/api/build' },
  });
  server.on('/api/build', { body: { version: 'v2' } });
  server.on('/api/x', { headers: { 'X-Build': 'v2' } });
  await tab.get('/api/x');
  assert.equal((await tab.is('updateAvailable')).latest, 'v2');
  assert.deepEqual([server.requestsTo('/api/build').length, checks(server)], [1, 0]);
});

test('a visible page asks each pollMs, a hidden one does not', async (t) => {
  const { server, tab } = await openVersions(t, { version: { ...ASKS, pollMs: 300 } });
  await until(() => checks(server) >= 4);
  // When the page asked: one that arrives late makes the next one look early.
  const asked = await run(tab.page, () =>
    performance
      .getEntriesByType('resource')
      .filter(({ name }) => name.endsWith('/api/version'))
      .map(({ startTime }) => ({ at: startTime }))
      .sort((a, b) => a.at - b.at),
  );
  const after = gaps(asked);
  assert.ok(after.length >= 2);
  assert.ok(Math.min(...after) >= 295 && median(after) <= 330 + LATE_MS, `asked after ${after} ms`);
  await hide(tab.page);
  await until(() => quiet(() => checks(server), 1_000)); // one may be on its way
  server.version = 'v2';
  await show(tab.page);
  await tab.is('updateAvailable');
});

test('a page asks on being seen again, on coming online, and on coming back from the back/forward cache', async (t) => {
  const from = await launchBrowser(t, { bfcache: true });
  const { server, context, tab } = await openVersions(t, { from });
  await hide(tab.page);
  assert.ok(await quiet(() => checks(server), 300));
  await show(tab.page);
  await until(() => checks(server) === 1);

  await context.setOffline(true);
  await pass(1_100); // a check a second
  server.clear();
  await context.setOffline(false);
  await until(() => checks(server) === 1);

  server.page('/elsewhere', '<!doctype html><title>elsewhere</title>');
  await run(tab.page, () => {
    addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
  });
  await tab.page.goto(`${server.origin}/elsewhere`);
  await pass(1_100);
  server.clear();
  await tab.page.goBack({ waitUntil: 'commit' });
  await until(() => run(tab.page, () => window.persisted).catch(() => false));
  await until(() => checks(server) === 1);
});

test('check() asks now, once for all who ask at once, and says how it stands', async (t) => {
  const { server, tab } = await openVersions(t, { version: ASKS });
  assert.equal((await tab.check()).status, 'current');
  server.version = 'v2';
  server.clear();
  server.on(VERSION, { pass: true, delayMs: 200 });
  const states = await run(tab.page, () => {
    const { version } = window.app;
    return Promise.all([version.check(), version.check(), version.check()]);
  });
  assert.deepEqual(
    states.map((/** @type {any} */ { status, latest }) => [status, latest]),
    Array(3).fill(['updateAvailable', 'v2']),
  );
  assert.equal(checks(server), 1);
});
