import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { activity, begin, ended, open, openFresh } from './calls.mjs';
import { held } from './held.mjs';
import { failure, get, serve } from './pages.mjs';

const paths = (server) => server.requestsTo('/api/*').map(({ path }) => path);

test('at most maxConcurrent requests to one origin are under way, and all get their turn', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 2 } });
  const answers = held({ body: 1 });
  server.on('/api/*', answers.step);
  const { pending, queued } = await begin(
    page,
    Array.from({ length: 7 }, (_, i) => [`/api/${i}`]),
  );
  assert.deepEqual([pending, queued], [7, 5]);
  await server.waitFor('/api/*', { count: 2 });
  for (let i = 0; i < 7; i++) {
    await server.waitFor('/api/*', { count: Math.min(i + 2, 7) });
    answers.releaseOne();
  }
  const results = await ended(page, 7);
  assert.ok(Object.values(results).every(({ ok }) => ok));
  assert.equal(answers.most, 2);
  assert.equal(server.requestsTo('/api/*').length, 7);
});

test('each origin has slots of its own', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  server.on('/api/slow', 'hang');
  other.on('/api/x', { body: 'there' });
  await begin(page, [['/api/slow'], ['/api/slow?2']]);
  const result = await get(page, `${other.origin}/api/x`);
  assert.equal(result.data, 'there');
  assert.equal(server.requestsTo('/api/slow').length, 1);
});

test('a body that is still being read holds its slot', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  const rest = held('rest');
  server.on('/api/long', {
    stream: async ({ write }) => {
      await write('start ');
      await write(await rest.step());
    },
  });
  server.on('/api/next', { body: 2 });
  await begin(page, [['/api/long'], ['/api/next']]);
  await until(() => rest.now === 1);
  assert.deepEqual(await activity(page), { pending: 2, queued: 1, offline: 0 });
  rest.release();
  await ended(page, 2);
  assert.deepEqual(paths(server), ['/api/long', '/api/next']);
});

test('a burst goes out at once, and what is over it at the pace of the token bucket', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      rateLimit: { perSecond: 4, burst: 3 }, // no token comes while the calls are made
      onRequest() {
        window.sent.push(Date.now());
      },
    },
  }));
  server.on('/api/*', 204);
  const before = await run(page, () => {
    window.sent = [];
    return Date.now();
  });
  const { queued } = await begin(
    page,
    Array.from({ length: 8 }, (_, i) => [`/api/${i}`]),
  );
  assert.equal(queued, 5);
  await ended(page, 8);
  const sent = await run(page, () => window.sent);
  for (let i = 3; i < 8; i++) {
    const earliest = (i - 2) * 250;
    const at = sent[i] - before;
    assert.ok(at >= earliest, `request ${i} was sent after ${at} ms, not before ${earliest}`);
  }
  assert.equal(server.requestsTo('/api/*').length, 8);
});

test('rateLimit: false sends as fast as there are slots', async (t) => {
  const { server, page } = await open(t, { api: { rateLimit: false, maxConcurrent: 200 } });
  server.on('/api/*', 204);
  const { queued } = await begin(
    page,
    Array.from({ length: 150 }, (_, i) => [`/api/${i}`]),
  );
  assert.equal(queued, 0);
  await ended(page, 150);
  assert.equal(server.requestsTo('/api/*').length, 150);
});

test('critical goes before normal, and normal before background; equals keep their order', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  const answers = held({ body: 1 });
  server.on('/api/first', answers.step);
  await begin(page, [
    ['/api/first'],
    ['/api/background-1', { priority: 'background' }],
    ['/api/normal-1'],
    ['/api/critical-1', { priority: 'critical' }],
    ['/api/background-2', { priority: 'background' }],
    ['/api/normal-2', { priority: 'normal' }],
    ['/api/critical-2', { priority: 'critical' }],
  ]);
  await server.waitFor('/api/first');
  answers.release();
  await ended(page, 7);
  assert.deepEqual(paths(server), [
    '/api/first',
    '/api/critical-1',
    '/api/critical-2',
    '/api/normal-1',
    '/api/normal-2',
    '/api/background-1',
    '/api/background-2',
  ]);
});

test('a full queue drops the newest of the lowest priority with queueFull', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1, maxQueued: 3 } });
  const answers = held({ body: 1 });
  server.on('/api/first', answers.step);
  server.on('/api/ok/*', { body: 1 });
  const { pending, queued } = await begin(page, [
    ['/api/first'],
    ['/api/ok/background-old', { priority: 'background' }],
    ['/api/ok/background-new', { priority: 'background' }],
    ['/api/ok/normal-1'],
    ['/api/ok/critical', { priority: 'critical' }], // background-new goes
    ['/api/ok/normal-2'], // background-old goes
    ['/api/ok/normal-3'], // is the newest of the lowest itself
  ]);
  assert.deepEqual([pending, queued], [4, 3]); // three have ended by now
  const dropped = await ended(page, 3);
  assert.deepEqual(Object.keys(dropped), [
    '/api/ok/background-new',
    '/api/ok/background-old',
    '/api/ok/normal-3',
  ]);
  for (const result of Object.values(dropped)) {
    const { kind, status, attempts, retryable } = failure(result);
    assert.deepEqual([kind, status, attempts, retryable], ['queueFull', 0, 0, true]);
  }
  await server.waitFor('/api/first');
  answers.release();
  await ended(page, 7);
  assert.deepEqual(paths(server), ['/api/first', '/api/ok/critical', '/api/ok/normal-1', '/api/ok/normal-2']);
});

test('a call that waits for its next attempt leaves its slot to others', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  server.on('/api/busy', [{ status: 503, headers: { 'retry-after-ms': '400' } }, { body: 1 }]);
  server.on('/api/other', { body: 2 });
  await begin(page, [['/api/busy'], ['/api/other']]);
  const results = await ended(page, 2);
  assert.ok(results['/api/busy'].ok && results['/api/other'].ok);
  assert.deepEqual(paths(server), ['/api/busy', '/api/other', '/api/busy']);
});

test('a call that waits for a session check leaves its slot to others, and the check needs none', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 }, session: {} });
  const session = held({ body: { user: { id: 'u1' } } });
  const other = held({ body: 2 });
  server.on('/api/auth/session', session.step);
  server.on('/api/mine', [401, { body: 1 }]);
  server.on('/api/other', other.step);
  await begin(page, [['/api/mine'], ['/api/other']]);
  await server.waitFor('/api/other'); // it has the only slot
  await server.waitFor('/api/auth/session');
  session.release();
  await until(async () => (await activity(page)).queued === 1);
  other.release();
  const results = await ended(page, 2);
  assert.deepEqual([results['/api/mine'].data, results['/api/other'].data], [1, 2]);
  assert.deepEqual(paths(server).sort(), ['/api/auth/session', '/api/mine', '/api/mine', '/api/other']);
});

test('background work waits while the page is hidden, and goes when it is seen again', async (t) => {
  const { server, page } = await openFresh(t);
  server.on('/api/*', { body: 1 });
  await hide(page);
  await begin(page, [['/api/later', { priority: 'background' }]]);
  assert.ok((await get(page, '/api/now')).ok);
  assert.deepEqual(await activity(page), { pending: 1, queued: 1, offline: 0 });
  assert.deepEqual(paths(server), ['/api/now']);
  await show(page);
  const results = await ended(page, 1);
  assert.equal(results['/api/later'].data, 1);
  assert.deepEqual(paths(server), ['/api/now', '/api/later']);
});

test('background work waits while the browser is offline, and goes when it is back', async (t) => {
  const { server, page } = await openFresh(t);
  server.on('/api/*', { body: 1 });
  await page.context().setOffline(true);
  await until(() => run(page, () => window.app.connection.getSnapshot().status === 'offline'));
  await begin(page, [['/api/later', { priority: 'background' }]]);
  assert.equal(failure(await get(page, '/api/now')).kind, 'offline');
  assert.deepEqual(await activity(page), { pending: 1, queued: 1, offline: 0 });
  await page.context().setOffline(false);
  const results = await ended(page, 1);
  assert.equal(results['/api/later'].data, 1);
  assert.deepEqual(paths(server), ['/api/later']);
});

test('background work that is not sent is ended by its deadline and by its caller', async (t) => {
  const { server, page } = await openFresh(t);
  await hide(page);
  const [late, aborted] = await run(page, async () => {
    const control = new AbortController();
    const late = window.app.api.get('/api/late', { priority: 'background', deadlineMs: 60 });
    const aborted = window.app.api.get('/api/aborted', { priority: 'background', signal: control.signal });
    control.abort();
    return Promise.all([late, aborted]);
  });
  assert.deepEqual([failure(late).kind, failure(aborted).kind], ['timeout', 'aborted']);
  assert.deepEqual([late.meta.attempts, aborted.meta.attempts], [0, 0]);
  assert.deepEqual(await activity(page), { pending: 0, queued: 0, offline: 0 });
  assert.deepEqual(paths(server), []);
});
