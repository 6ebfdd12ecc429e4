import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { start } from '../server/wire.mjs';
import { withCounts } from './counts.mjs';

const browser = await launchBrowser({ after });
const OFTEN = 1_000;

/** `before` is run before the page asks the server for anything. @param {import('node:test').TestContext} t @param {any} [config] @param {any} [options] */
async function open(t, config = {}, { before = (_server) => {}, ...options } = {}) {
  const server = await start(t);
  before(server);
  const page = await openPage(t, { browser, server, config, ...options });
  t.after(() => assert.deepEqual(page.problems, []));
  return { server, page };
}

test('dispose ends what runs, waits and queues as aborted, and so is every call that comes later', async (t) => {
  const backoff = { baseMs: 50, jitter: 'none' };
  const config = { session: {}, api: { maxConcurrent: 3, retries: 20, breaker: false, backoff } };
  const { server, page } = await open(t, config, {
    before: (fresh) => {
      fresh.session = 'hang';
    },
  });
  server.on('/api/hang', 'hang');
  server.on('/api/down', 503);
  server.on('/api/slow', { body: 'half', stallAfterBytes: 2 });
  server.on('/api/mine', 401);
  await server.waitFor('/api/auth/session');
  const seen = await run(page, async () => {
    const { app } = window;
    const { api } = app;
    await app.ready;
    const calls = ['down', 'mine', 'hang', 'slow', 'hang?queued', 'hang?too'].map((name) =>
      api.get(`/api/${name}`),
    );
    calls.push(api.get('/api/background', { priority: 'background' }));
    const isSeen = () => {
      const { events, counters } = app.diagnostics();
      return counters.retries && events.some(({ status }) => status === 401);
    };
    while (!isSeen()) await new Promise((resolve) => setTimeout(resolve, 5));
    const { queued } = api.activity.getSnapshot();
    app.dispose();
    app.dispose();
    const results = await Promise.all(calls);
    results.push(await api.get('/api/later'), await api.post('/api/later', {}));
    const thrown = await api.fetch('/api/later').catch(({ name }) => name);
    await fetch('/api/barrier'); // what was on its way has arrived as well
    return { isQueued: queued > 0, kinds: new Set(results.map(({ error }) => error.kind)), thrown };
  });
  assert.deepEqual(seen, { isQueued: true, kinds: ['aborted'], thrown: 'AbortError' });
  const answered = ({ status, closedEarlyAt }) => status !== null || closedEarlyAt;
  await until(() => server.requestsTo('/api/*').every(answered));
  assert.ok(server.requestsTo('/api/auth/session')[0].closedEarlyAt);
  const sent = server.requests.length;
  // As long as the retry's wait and more, on another client.
  server.on('/api/other', 'hang');
  await run(page, () => {
    const other = window.evenkeel.createStability({ api: { timeoutMs: 300, retries: 0 } });
    return other.api.get('/api/other').finally(() => other.dispose());
  });
  assert.deepEqual(
    server.requests.slice(sent).map(({ path }) => path),
    ['/api/other'],
  );
  assert.deepEqual(await run(page, () => window.app.api.activity.getSnapshot()), {
    pending: 0,
    queued: 0,
    offline: 0,
  });
});

test('a client that was never used asks for nothing after its end', async (t) => {
  const { server, page } = await open(t);
  const seen = await run(page, async () => {
    const { app } = window;
    app.dispose();
    const ended = [
      (await app.api.get('/api/x')).error.kind,
      await app.ready.catch(({ kind }) => kind),
      app.runtime.subscribe(() => {})(),
      app.connection.subscribe(() => {})(),
    ];
    await fetch('/api/barrier');
    return ended.slice(0, 2);
  });
  assert.deepEqual(seen, ['aborted', 'runtime']);
  await server.waitFor('/api/barrier');
  assert.deepEqual(
    server.requests
      .map(({ path }) => path)
      .filter((path) => path.startsWith('/api/') || path.endsWith('.wasm')),
    ['/api/barrier'],
  );
});

test('a client that is disposed of while its module loads stays so', async (t) => {
  const { server, page } = await open(t);
  const kind = await run(page, async () => {
    const call = window.app.api.get('/api/x');
    window.app.dispose();
    const { error } = await call;
    const other = window.evenkeel.createStability();
    await other.ready; // of the same module
    other.dispose();
    return error.kind;
  });
  assert.equal(kind, 'aborted');
  assert.equal(await run(page, () => window.app.runtime.getSnapshot().status), 'starting');
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('no listener and no timer is left', async (t) => {
  const { server, page } = await open(t, undefined, { beforeLoad: withCounts });
  server.on('/api/hang', 'hang');
  server.on('/api/down', 503);
  server.on('/api/x', { body: 1 });
  const [before, during, afterwards] = await run(page, async () => {
    const before = window.alive();
    const control = new AbortController();
    const app = window.evenkeel.createStability({
      session: {},
      version: { current: 'v1' },
      connection: { probeMs: 60_000 },
      api: { backoff: { baseMs: 60_000, jitter: 'none' }, breaker: false },
    });
    await app.api.get('/api/x');
    const calls = ['/api/hang', '/api/down', '/api/down?2', '/api/x'].map((url) =>
      app.api.get(url, { signal: control.signal, priority: url === '/api/x' ? 'background' : 'normal' }),
    );
    await calls[3];
    while (app.diagnostics().counters.retries !== 2)
      await new Promise((resolve) => requestAnimationFrame(resolve));
    const during = window.alive();
    app.dispose();
    await Promise.all(calls);
    return [before, during, window.alive()];
  });
  assert.ok(during.listeners > before.listeners && during.timers > before.timers, JSON.stringify(during));
  assert.deepEqual(afterwards, before);
});

test('one timer serves however many calls', async (t) => {
  const { server, page } = await open(t, undefined, { beforeLoad: withCounts });
  server.on('/api/*', 'hang');
  const timers = await run(page, async () => {
    const app = window.evenkeel.createStability();
    await app.ready;
    const before = window.alive().timers;
    for (let i = 0; i < 50; i++) app.api.get(`/api/${i}`);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const timers = window.alive().timers - before;
    app.dispose();
    return timers;
  });
  assert.equal(timers, 1);
});

test('a thousand clients that were made, used and disposed of leave the heap flat', async (t) => {
  const { server, page } = await open(t, undefined);
  server.keepAlive = true;
  server.on('/api/x', { body: { a: 1 } });
  const devtools = await page.context().newCDPSession(page);
  const cycles = (count) =>
    run(
      page,
      async (count) => {
        const { createStability } = window.evenkeel;
        for (let i = 0; i < count; i++) {
          const app = createStability({ api: { headers: async () => ({}) } });
          app.on(() => {});
          app.connection.subscribe(() => {});
          const { ok } = await app.api.get('/api/x', { signal: AbortSignal.timeout(60_000) });
          if (!ok) throw new Error('the call failed');
          app.dispose();
        }
      },
      count,
    );
  const heap = async () => {
    for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
    const {
      usedSize,
      embedderHeapUsedSize = 0,
      backingStorageSize = 0,
    } = await devtools.send('Runtime.getHeapUsage');
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  };
  await cycles(100);
  const before = await heap();
  await cycles(OFTEN);
  const grown = (await heap()) - before;
  assert.ok(grown / OFTEN < 1_000, `${Math.round(grown / OFTEN)} bytes for each client`);
});
