import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { start } from '../server/wire.mjs';
import { held } from './held.mjs';

const WASM = '/pkg/evenkeel_bg.wasm';
const BYTES = readFileSync(new URL('../../pkg/evenkeel_bg.wasm', import.meta.url));
const AS_WASM = { headers: { 'Content-Type': 'application/wasm' }, body: BYTES };

const browser = await launchBrowser({ after });

/** A page whose client, if it has one, was not used yet. @param {import('node:test').TestContext} t @param {any} [options] */
async function open(t, { prepare = (_server) => {}, ...options } = {}) {
  const server = await start(t);
  prepare(server);
  const page = await openPage(t, { browser, server, config: { api: { retries: 0 } }, ...options });
  t.after(() => assert.deepEqual(page.problems, []));
  return { server, page };
}

const status = (page) => run(page, () => window.app.runtime.getSnapshot().status);
const ready = (page) =>
  run(page, () =>
    window.app.ready.then(
      () => 'ready',
      (error) => error,
    ),
  );
const get = (page, url, options) =>
  run(page, ({ url, options }) => window.app.api.get(url, options), { url, options });

// ---------------------------------------------------------------- loading

test('createStability returns at once, and nothing is fetched until the client is used', async (t) => {
  const { server, page } = await open(t);
  assert.equal(await status(page), 'starting');
  await run(page, async () => {
    const app = window.evenkeel.createStability();
    app.on(() => {});
    app.diagnostics();
    app.connection.getSnapshot();
    app.api.activity.subscribe(() => {});
    await fetch('/api/after');
    app.dispose();
  });
  await server.waitFor('/api/after');
  assert.equal(server.requestsTo(WASM).length, 0);
});

for (const [what, use] of /** @type {Array<[string, () => unknown]>} */ ([
  ['a call', () => window.app.api.get('/api/x')],
  ['a look at `ready`', () => window.app.ready],
  ['a subscription to the runtime', () => void window.app.runtime.subscribe(() => {})],
  ['a subscription to the connection', () => void window.app.connection.subscribe(() => {})],
])) {
  test(`${what} starts the module`, async (t) => {
    const { server, page } = await open(t);
    await run(page, use);
    await until(async () => (await status(page)) === 'running');
    assert.equal(server.requestsTo(WASM).length, 1);
    assert.equal(await ready(page), 'ready');
  });
}

test('calls that are made while the module loads wait for it', async (t) => {
  const module = held(AS_WASM);
  const { server, page } = await open(t, {
    prepare: (server) => server.on(WASM, module.step),
    config: { startTimeoutMs: 60_000, api: { retries: 0 } },
  });
  server.on('/api/x', { body: 1 });
  await run(page, () => {
    window.states = [];
    window.app.runtime.subscribe(() => window.states.push(window.app.runtime.getSnapshot()));
    window.call = window.app.api.get('/api/x');
    window.shared = window.app.api.get('/api/x');
  });
  await server.waitFor(WASM);
  assert.deepEqual(await run(page, () => window.app.api.activity.getSnapshot()), {
    pending: 2,
    queued: 0,
    offline: 0,
  });
  assert.equal(server.requestsTo('/api/x').length, 0);
  module.release();
  const results = await run(page, () => Promise.all([window.call, window.shared]));
  assert.deepEqual(
    results.map(({ data, meta }) => [data, meta.shared]),
    [
      [1, false],
      [1, true],
    ],
  );
  assert.deepEqual(await run(page, () => window.states), [{ status: 'running', error: null }]);
});

test('a module that is slow to come does not hold the calls for longer than startTimeoutMs, and is used once it is there', async (t) => {
  const module = held(AS_WASM);
  const { server, page } = await open(t, {
    prepare: (server) => server.on(WASM, module.step),
    config: { startTimeoutMs: 60, api: { backoff: { baseMs: 1 } } },
  });
  server.on('/api/x', [503, 503, { body: 'after a retry' }]);
  await run(page, () => {
    window.settled = [];
    window.app.ready.then(() => window.settled.push('ready'));
  });
  const first = await get(page, '/api/x');
  assert.deepEqual(
    [first.error.kind, first.meta.attempts],
    ['unavailable', 1],
    'the plain path does not retry',
  );
  assert.deepEqual([await status(page), await run(page, () => window.settled)], ['starting', []]);
  module.release();
  assert.equal(await ready(page), 'ready');
  const second = await get(page, '/api/x');
  assert.deepEqual([second.data, second.meta.attempts], ['after a retry', 2]);
  assert.equal(server.requestsTo(WASM).length, 1);
});

test("the wait for the module is within the call's deadline, and ends with its caller's signal", async (t) => {
  const { server, page } = await open(t, {
    prepare: (server) => server.on(WASM, 'hang'),
    config: { startTimeoutMs: 60_000, api: { retries: 0 } },
  });
  const result = await get(page, '/api/x', { deadlineMs: 60 });
  assert.deepEqual([result.error.kind, result.meta.attempts], ['timeout', 0]);
  assert.ok(result.meta.durationMs < 30_000, `${result.meta.durationMs} ms`);
  const kind = await run(page, async () => {
    const control = new AbortController();
    const call = window.app.api.get('/api/x', { signal: control.signal });
    setTimeout(() => control.abort());
    return (await call).error.kind;
  });
  assert.equal(kind, 'aborted');
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('two clients of one page fetch and compile once', async (t) => {
  const { server, page } = await open(t, {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        window.compiled = 0;
        for (const name of ['compile', 'compileStreaming']) {
          const real = WebAssembly[name];
          WebAssembly[name] = (...args) => {
            window.compiled++;
            return real.apply(WebAssembly, args);
          };
        }
      }),
  });
  server.on('/api/x', { body: 1 });
  await run(page, async () => {
    const other = window.evenkeel.createStability({ name: 'other' });
    await Promise.all([window.app.api.get('/api/x'), other.api.get('/api/x')]);
    await window.evenkeel.createStability().ready;
  });
  assert.equal(server.requestsTo(WASM).length, 1);
  assert.equal(await run(page, () => window.compiled), 1);
  assert.equal(server.requestsTo('/api/x').length, 2, 'clients share nothing but the module');
});

for (const [what, wasm] of /** @type {Array<[string, (evenkeel: any) => any]>} */ ([
  ['a URL as a string', () => ({ wasm: '/other/m.wasm' })],
  ['a URL', () => ({ wasm: new URL('/other/m.wasm', location.href) })],
  ['a Response that is still to come', () => ({ wasm: fetch('/other/m.wasm') })],
])) {
  test(`the module is taken from ${what}`, async (t) => {
    const { server, page } = await open(t, {
      config: wasm,
      prepare: (server) => server.on('/other/m.wasm', AS_WASM),
    });
    assert.equal(await ready(page), 'ready');
    assert.equal(await status(page), 'running');
    assert.deepEqual([server.requestsTo(WASM).length, server.requestsTo('/other/m.wasm').length], [0, 1]);
  });
}

test('the module is taken from a Response, an ArrayBuffer, a view of one and a compiled module', async (t) => {
  const { server, page } = await open(t, {
    config: undefined,
    prepare: (server) => server.on('/other/m.wasm', AS_WASM),
  });
  const seen = await run(page, async () => {
    const response = () => fetch('/other/m.wasm');
    const buffer = await (await response()).arrayBuffer();
    const wider = new Uint8Array(buffer.byteLength + 8);
    wider.set(new Uint8Array(buffer), 8);
    const sources = [
      await response(),
      buffer,
      new Uint8Array(buffer),
      wider.subarray(8),
      await WebAssembly.compile(buffer),
    ];
    const seen = [];
    for (const wasm of sources) {
      const app = window.evenkeel.createStability({ wasm });
      await app.ready;
      seen.push(app.runtime.getSnapshot().status);
      app.dispose();
    }
    return seen;
  });
  assert.deepEqual(seen, Array(5).fill('running'));
  assert.equal(server.requestsTo(WASM).length, 0);
});

test('a module that is served under the wrong type runs all the same', async (t) => {
  const { page } = await open(t, {
    prepare: (server) =>
      server.on(WASM, { headers: { 'Content-Type': 'application/octet-stream' }, body: BYTES }),
  });
  assert.equal(await ready(page), 'ready');
});

test('a module whose request breaks is asked for once more', async (t) => {
  const { server, page } = await open(t, { prepare: (server) => server.on(WASM, ['cut', 'pass']) });
  assert.equal(await ready(page), 'ready');
  assert.equal(server.requestsTo(WASM).length, 2);
});

test('evenkeel/inline runs where the policy forbids to fetch a module', async (t) => {
  const api = await start(t, { cors: true });
  const { server, page } = await open(t, {
    entry: './inline',
    headers: {
      'Content-Security-Policy': `default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; connect-src ${api.origin}`,
    },
  });
  api.on('/api/x', [503, { body: 1 }]);
  assert.equal(await ready(page), 'ready');
  const result = await get(page, `${api.origin}/api/x`, { retries: 1 });
  assert.deepEqual([result.data, result.meta.attempts], [1, 2]);
  assert.equal(server.requestsTo(WASM).length, 0);
});

test('a client runs in a module worker', async (t) => {
  const { server, page } = await open(t, { config: undefined });
  server.page(
    '/worker.js',
    `import { createStability } from '/pkg/index.js';
     const app = createStability({ startTimeoutMs: 60_000, api: { backoff: { baseMs: 1 } } });
     const [first, second] = await Promise.all([app.api.get('/api/x'), app.api.get('/api/x')]);
     postMessage({ data: first.data, attempts: first.meta.attempts, shared: second.meta.shared, status: app.runtime.getSnapshot().status });`,
    { 'Content-Type': 'text/javascript' },
  );
  server.on('/api/x', [503, { body: 1 }]);
  const told = await run(
    page,
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      }),
  );
  assert.deepEqual(told, { data: 1, attempts: 2, shared: true, status: 'running' });
});

// ---------------------------------------------------------------- what is wrong at the start

test('a wrong option throws, and the error names the option, the value and what is allowed', async (t) => {
  const { page } = await open(t, { config: undefined });
  const cases = [
    [{ api: { retries: -1 } }, 'RangeError', /api\.retries must be a whole number from 0 to 20, got -1/],
    [{ api: { retries: '3' } }, 'TypeError', /api\.retries must be .*, got '3'/],
    [{ api: { timeoutMs: 0 } }, 'RangeError', /api\.timeoutMs must be .*, got 0/],
    [{ api: { backoff: { jitter: 'half' } } }, 'RangeError', /api\.backoff\.jitter .*full\|none, got 'half'/],
    [
      { api: { trustedOrigins: ['https://a.test/path'] } },
      'RangeError',
      /api\.trustedOrigins\[0\] must be an origin/,
    ],
    [
      { api: { headers: 'Bearer x' } },
      'TypeError',
      /api\.headers must be an object or a function, got string/,
    ],
    [{ api: { retires: 3 } }, 'TypeError', /api\.retires is not an option/],
    [{ startTimeoutMs: null }, 'TypeError', /startTimeoutMs must be a number .*, got null/],
    [{ baseUrl: 'ftp://a' }, 'RangeError', /baseUrl must be an http\(s\) URL, got 'ftp:\/\/a'/],
    [{ connection: { probeMs: 0.5 } }, 'RangeError', /connection\.probeMs must be .*, got 0\.5/],
    [{ version: {} }, 'TypeError', /version\.current must be/],
    [{ onNotice: 1 }, 'TypeError', /onNotice must be a function, got 1/],
    [7, 'TypeError', /the configuration must be an object, got 7/],
  ];
  const thrown = await run(
    page,
    (configs) =>
      configs.map((config) => {
        try {
          window.evenkeel.createStability(config);
          return null;
        } catch (error) {
          return error;
        }
      }),
    cases.map(([config]) => config),
  );
  for (const [i, [config, name, message]] of cases.entries()) {
    assert.equal(thrown[i]?.name, name, JSON.stringify(config));
    assert.match(thrown[i].message, message);
  }
});

for (const [what, answer] of /** @type {Array<[string, any]>} */ ([
  ['404', { status: 404, body: 'no such file' }],
  ['a page', { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html><title>App</title>' }],
  ['half a module', { headers: { 'Content-Type': 'application/wasm' }, body: BYTES.subarray(0, 2_000) }],
])) {
  test(`where the module should be is ${what}: the runtime has failed, and the page goes on`, async (t) => {
    const { server, page } = await open(t, { prepare: (server) => server.on(WASM, answer) });
    server.on('/api/x', { body: 1 });
    const error = await ready(page);
    assert.deepEqual(
      [error.name, error.kind, error.status, error.attempts],
      ['StabilityError', 'runtime', 0, 0],
    );
    assert.ok(error.cause.message);
    const state = await run(page, () => window.app.runtime.getSnapshot());
    assert.deepEqual([state.status, state.error.kind], ['failed', 'runtime']);
    assert.equal((await get(page, '/api/x')).data, 1);
  });
}

test('`ready` that nobody looks at is no unhandled rejection', async (t) => {
  const { server, page } = await open(t, { prepare: (server) => server.on(WASM, 404) });
  server.on('/api/x', { body: 1 });
  await run(page, () => {
    window.unhandled = 0;
    addEventListener('unhandledrejection', () => window.unhandled++);
    return window.app.ready.catch(() => {});
  });
  const other = await run(page, async () => {
    const app = window.evenkeel.createStability({ wasm: '/pkg/none.wasm' });
    void app.ready;
    const { data } = await app.api.get('/api/x');
    await new Promise((resolve) => setTimeout(resolve));
    return [data, app.runtime.getSnapshot().status, window.unhandled];
  });
  assert.deepEqual(other, [1, 'failed', 0]);
});
