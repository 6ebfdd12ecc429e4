import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open } from './pages.mjs';
import { connections, ends, lastIds, QUICK, requestsTo, stays, URL_PATH } from './streams.mjs';

/**
 * A page with a worker that answers what it is asked: `ask(code)` runs the body of an async function there. It has `evenkeel`, a client
 * `app`, and `log`, to which it may say what it likes.
 * @param {import('node:test').TestContext} t
 * @param {'dedicated' | 'shared' | 'service'} kind
 * @param {any} [events] of the client's configuration
 */
async function openWorker(t, kind, events = QUICK) {
  const { server, page } = await open(t, {}, { fresh: true });
  server.page(
    '/worker.js',
    `import * as evenkeel from '/pkg/index.js';
    const app = evenkeel.createStability({ events: ${JSON.stringify(events)}, startTimeoutMs: 60_000 });
    const log = [];
    const serve = (port) => (port.onmessage = async ({ data }) => {
      try {
        port.postMessage({ value: await new (async () => {}).constructor('evenkeel', 'app', 'log', data)(evenkeel, app, log) });
      } catch (error) {
        port.postMessage({ error: String(error?.stack ?? error) });
      }
    });
    addEventListener('connect', ({ ports }) => serve(ports[0]));
    addEventListener('message', ({ data, ports }) => data === 'port' && serve(ports[0]));`,
    { 'Content-Type': 'text/javascript' },
  );
  await run(page, connect, kind);
  /** @param {string} code */
  const ask = (code) => run(page, (code) => /** @type {any} */ (window).ask(code), code);
  return { server, page, ask };
}

/* Runs in the page. */
/** @param {string} kind */
async function connect(kind) {
  const options = /** @type {const} */ ({ type: 'module' });
  /** @type {MessagePort} */
  let port;
  if (kind === 'shared') ({ port } = new SharedWorker('/worker.js', options));
  else {
    const channel = new MessageChannel();
    port = channel.port1;
    /** @type {Worker | ServiceWorker} */
    let worker;
    if (kind === 'dedicated') worker = new Worker('/worker.js', options);
    else {
      await navigator.serviceWorker.register('/worker.js', { ...options, scope: '/' });
      worker = /** @type {ServiceWorker} */ ((await navigator.serviceWorker.ready).active);
    }
    worker.postMessage('port', [channel.port2]);
  }
  /** @type {any} */ (window).ask = (/** @type {string} */ code) =>
    new Promise((resolve, reject) => {
      port.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.value));
      port.postMessage(code);
    });
}

/** Opens a stream there and notes what it says. @param {string} [options] */
const listen = (options = '{}') => `
  const source = (self.source = new evenkeel.ResilientEventSource('${URL_PATH}', ${options}));
  source.onopen = source.onerror = ({ type }) => log.push(type);
  source.onmessage = ({ data, lastEventId, origin }) => log.push([data, lastEventId, origin === location.origin]);
  return [source.readyState, source.url];`;

for (const kind of /** @type {const} */ (['dedicated', 'shared', 'service'])) {
  test(`a ${kind} worker has streams that come back from where they were`, async (t) => {
    const { server, ask } = await openWorker(t, kind);
    server.on(URL_PATH, [ends('id: 7\ndata: a\n\n'), stays('id: 8\ndata: b\n\n')]);
    assert.deepEqual(await ask(listen()), [0, server.origin + URL_PATH]);
    const log = await until(async () => {
      const log = await ask('return log');
      return log.length >= 5 && log;
    });
    assert.deepEqual(log, ['open', ['a', '7', true], 'error', 'open', ['b', '8', true]]);
    assert.deepEqual(lastIds(server), [null, '7']);
    assert.equal(await ask('return app.runtime.getSnapshot().status'), 'running');
    await ask('source.close()');
    await until(() => connections(server) === 0);
  });
}

test('a worker that comes online again does not wait any longer', async (t) => {
  const slow = { backoff: { baseMs: 60_000, maxMs: 60_000, jitter: 'none' }, spreadMs: 0 };
  const { server, ask } = await openWorker(t, 'dedicated', slow);
  server.on(URL_PATH, [503, stays('data: back\n\n')]);
  await ask(listen());
  await until(() => ask("return source.state.getSnapshot().status === 'waiting'"));
  assert.equal(requestsTo(server).length, 1);
  await ask("dispatchEvent(new Event('online'))");
  await until(async () => (await ask('return log')).length === 3);
  assert.deepEqual(await ask('return log'), ['error', 'open', ['back', '', true]]);
});

test('a worker and its page share one connection', async (t) => {
  const { server, page, ask } = await openWorker(t, 'dedicated');
  /** @type {import('../server/types.mjs').LiveBody | undefined} */
  let live;
  server.on(URL_PATH, {
    headers: { 'Content-Type': 'text/event-stream' },
    stream: (body) =>
      new Promise((resolve) => {
        live = body;
        body.write(':\n\n');
        body.signal.addEventListener('abort', () => resolve(undefined));
      }),
  });
  await ask(listen('{ shared: true }'));
  await until(() => ask('return source.readyState === 1'));
  await run(
    page,
    (url) => {
      const heard = /** @type {any} */ ((window.heard = /** @type {string[]} */ ([])));
      const source = /** @type {any} */ ((window.source = window.app.events(url, { shared: true })));
      source.onmessage = (/** @type {MessageEvent} */ { data }) => heard.push(data);
    },
    URL_PATH,
  );
  await until(() => run(page, () => /** @type {any} */ (window).source.readyState === 1));
  await live?.write('id: 1\ndata: both\n\n');
  await until(async () => (await ask('return log')).length === 2);
  await until(() => run(page, () => /** @type {any} */ (window).heard.length === 1));
  assert.equal(requestsTo(server).length, 1);

  // The page takes over when the worker ends.
  await ask('source.close()');
  await until(() => requestsTo(server).length === 2);
  assert.deepEqual(lastIds(server), [null, '1']);
});

test('where WebAssembly is blocked, a worker has the native stream', async (t) => {
  const { server, ask } = await openWorker(t, 'dedicated');
  server.on(URL_PATH, stays('data: a\n\n'));
  await ask(`app.dispose(); WebAssembly.compile = WebAssembly.compileStreaming = WebAssembly.instantiate = WebAssembly.instantiateStreaming = () => Promise.reject(new WebAssembly.CompileError('blocked'));
    self.app = evenkeel.createStability({ wasm: new Uint8Array(4) });`);
  await ask(listen());
  await until(async () => (await ask('return log')).length === 2);
  assert.deepEqual(await ask('return log'), ['open', ['a', '', true]]);
});
