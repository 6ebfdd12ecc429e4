import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { start } from '../server/wire.mjs';

const browser = await launchBrowser({ after });

/**
 * Instances whose exports can be made to trap: as often as `window.traps` says, the next call of an export that `window.trapIn` matches
 * does. `window.instances` counts what is called in each.
 * @param {import('playwright-core').Page} page
 */
const withTraps = (page) =>
  page.addInitScript(() => {
    const { Instance } = WebAssembly;
    window.instances = [];
    window.traps = 0;
    window.trapIn = /^call$/;
    WebAssembly.Instance = class {
      constructor(module, imports) {
        if (window.refuses) throw new RangeError('out of memory');
        const { exports } = new Instance(module, imports);
        const instance = { calls: 0, memory: exports.memory };
        window.instances.push(instance);
        this.exports = { ...exports };
        for (const [name, value] of Object.entries(exports)) {
          if (typeof value !== 'function') continue;
          this.exports[name] = (...args) => {
            instance.calls++;
            if (window.traps > 0 && window.trapIn.test(name)) {
              window.traps--;
              throw new WebAssembly.RuntimeError('unreachable');
            }
            return value(...args);
          };
        }
      }
    };
  });

/** @param {import('node:test').TestContext} t @param {any} [config] */
async function open(t, config = {}) {
  const server = await start(t);
  const page = await openPage(t, { browser, server, config, beforeLoad: withTraps });
  t.after(() => assert.deepEqual(page.problems, []));
  await run(page, () => {
    window.states = [];
    window.app.runtime.subscribe(() => window.states.push(window.app.runtime.getSnapshot().status));
    return window.app.ready;
  });
  return { server, page };
}

const get = (page, url, options) =>
  run(page, ({ url, options }) => window.app.api.get(url, options), { url, options });

test('a trap fails what is in flight with kind runtime, and a fresh instance answers the next call', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/hang', 'hang');
  server.on('/api/x', [503, { body: 1 }]);
  await run(page, () => {
    window.calls = [
      window.app.api.get('/api/hang'),
      window.app.api.get('/api/hang'),
      window.app.api.get('/api/later', { priority: 'background' }),
    ];
  });
  const sent = await server.waitFor('/api/hang');
  const results = await run(page, () => {
    window.traps = 1;
    return Promise.all([...window.calls, window.app.api.get('/api/y')]);
  });
  for (const { ok, error } of [results[0], results[1], results[3]])
    assert.deepEqual(
      [ok, error.kind, error.status, error.cause.message],
      [false, 'runtime', 0, 'unreachable'],
    );
  assert.equal(results[0].meta.attempts, 1);
  await until(() => sent.closedEarlyAt);
  const next = await get(page, '/api/x');
  assert.deepEqual([next.data, next.meta.attempts], [1, 2], 'with retries, as ever');
  assert.deepEqual(await run(page, () => window.states), ['running', 'starting', 'running']);
  assert.equal(await run(page, () => window.instances.length), 2);
  assert.equal(server.requestsTo('/pkg/evenkeel_bg.wasm').length, 1, 'what was compiled is used again');
  assert.deepEqual(await run(page, () => window.app.api.activity.getSnapshot()), {
    pending: 0,
    queued: 0,
    offline: 0,
  });
});

test('a call in the same breath as the trap is answered by the fresh instance', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1 });
  const kinds = await run(page, async () => {
    window.traps = 1;
    const calls = [window.app.api.get('/api/x'), window.app.api.get('/api/x')];
    return (await Promise.all(calls)).map(({ error, data }) => error?.kind ?? data);
  });
  assert.deepEqual(kinds, ['runtime', 1]);
});

test('nothing of the old instance acts any more: no timer, no listener, no promise', async (t) => {
  const { server, page } = await open(t, {
    api: { timeoutMs: 300, backoff: { baseMs: 100, jitter: 'none' } },
  });
  server.on('/api/hang', 'hang');
  server.on('/api/down', 503);
  server.on('/api/y', { body: 1 });
  await run(page, () => {
    window.calls = [window.app.api.get('/api/hang'), window.app.api.get('/api/down')];
  });
  await until(() => run(page, () => window.app.diagnostics().counters.retries));
  await run(page, async () => {
    window.traps = 1;
    await window.app.api.get('/api/x');
    await Promise.all(window.calls);
    window.before = window.instances[0].calls;
    window.sent = window.app.diagnostics().counters.requests;
    dispatchEvent(new Event('offline'));
    dispatchEvent(new Event('online'));
    document.dispatchEvent(new Event('visibilitychange'));
  });
  // A call whose own timeout is as long as the old one's timers were.
  server.on('/api/late', 'hang');
  const late = await get(page, '/api/late', { timeoutMs: 500, retries: 0 });
  assert.equal(late.error.kind, 'timeout');
  const [before, now, requests] = await run(page, () => [
    window.before,
    window.instances[0].calls,
    window.app.diagnostics().counters.requests - window.sent,
  ]);
  assert.equal(now, before);
  assert.equal(requests, 1, 'the retry that was planned is not made');
});

for (const where of ['^start$', '^progressed$', '^abort$', 'invoke']) {
  test(`a trap in ${where} is met in the same way`, async (t) => {
    const { server, page } = await open(t);
    server.on('/api/x', { body: 'x'.repeat(100_000) });
    server.on('/api/hang', 'hang');
    const seen = await run(
      page,
      async (where) => {
        const { createStability } = window.evenkeel;
        window.trapIn = new RegExp(where);
        window.traps = 1;
        const app = createStability();
        const control = new AbortController();
        const calls = [app.api.get('/api/x'), app.api.get('/api/hang', { signal: control.signal })];
        await app.ready.catch(() => {});
        await Promise.race(calls);
        control.abort();
        await Promise.all(calls);
        window.traps = 0;
        const { data, error } = await app.api.get('/api/x');
        const status = app.runtime.getSnapshot().status;
        app.dispose();
        return [data?.length ?? error.kind, status];
      },
      where,
    );
    assert.deepEqual(seen, [100_000, 'running']);
  });
}

test('exhausted memory is a trap like any other', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1 });
  const kinds = await run(page, async () => {
    const [{ memory }] = window.instances;
    for (let pages = 65_536; pages >= 1; pages = Math.floor(pages / 2)) {
      try {
        for (;;) memory.grow(pages);
      } catch {} // then fewer at a time
    }
    const first = await window.app.api.get(`/api/x?${'x'.repeat(1_000_000)}`);
    const second = await window.app.api.get('/api/x');
    return [first.error?.kind, first.error?.cause.name, second.data];
  });
  assert.deepEqual(kinds, ['runtime', 'RuntimeError', 1]);
  assert.equal(await run(page, () => window.instances.length), 2);
});

test('a module that traps again and again is given up, and the plain path answers', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1 });
  const kinds = await run(page, async () => {
    window.traps = 100;
    const kinds = [];
    for (let i = 0; i < 6; i++) {
      const { error, data } = await window.app.api.get('/api/x');
      kinds.push(error?.kind ?? data);
    }
    return kinds;
  });
  assert.deepEqual(kinds, ['runtime', 'runtime', 'runtime', 'runtime', 1, 1]);
  const state = await run(page, () => window.app.runtime.getSnapshot());
  assert.deepEqual(
    [state.status, state.error.kind, state.error.cause.message],
    ['failed', 'runtime', 'unreachable'],
  );
  assert.equal(await run(page, () => window.instances.length), 4);
  assert.equal(server.requestsTo('/api/x').length, 2);
});

test('an instance that cannot be made anew is a failed runtime, and no uncaught error', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1 });
  const kinds = await run(page, async () => {
    window.traps = 1;
    window.refuses = true;
    const first = await window.app.api.get('/api/x');
    const second = await window.app.api.get('/api/x');
    return [first.error?.kind, second.data, window.app.runtime.getSnapshot().status];
  });
  assert.deepEqual(kinds, ['runtime', 1, 'failed']);
});

test('what the old instance said of connection and queue is forgotten', async (t) => {
  const { server, page } = await open(t, () => {
    window.notices = [];
    return {
      onNotice: ({ kind }) => window.notices.push(kind),
      api: { retries: 0, breaker: false, maxConcurrent: 1 },
      version: { current: 'v1' },
    };
  });
  server.on('/api/down', 503);
  server.on('/api/hang', 'hang');
  for (const _ of [1, 2]) await get(page, '/api/down');
  const seen = await run(page, async () => {
    const { connection, api } = window.app;
    const now = () => [connection.getSnapshot().status, api.activity.getSnapshot()];
    const calls = ['hang', 'queued', 'queued-too'].map((name) => api.get(`/api/${name}`));
    const before = now();
    window.traps = 1;
    await Promise.all([...calls, api.get('/api/x')]);
    return [before, now(), window.notices];
  });
  assert.deepEqual(seen, [
    ['degraded', { pending: 3, queued: 2, offline: 0 }],
    ['online', { pending: 0, queued: 0, offline: 0 }],
    ['unavailable', 'runtime'],
  ]);
});

test('a trap during dispose is the end as well', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/hang', 'hang');
  const kind = await run(page, async () => {
    const call = window.app.api.get('/api/hang');
    window.trapIn = /^dispose$/;
    window.traps = 1;
    window.app.dispose();
    window.app.dispose();
    const { error } = await call;
    await window.app.api.get('/api/x');
    return [error.kind, window.instances.length];
  });
  assert.deepEqual([kind[0] === 'aborted' || kind[0] === 'runtime', kind[1]], [true, 1]);
  assert.equal(server.requestsTo('/api/x').length, 0);
});
