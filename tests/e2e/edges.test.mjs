import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { get, open, post } from './pages.mjs';

const ADA = { session: {} };
const HTML = { 'Content-Type': 'text/html; charset=utf-8' };

test('a write whose empty answer says that it is HTML succeeded, and is not sent again', async (t) => {
  const { server, page } = await open(t, ADA);
  server.session = { user: { id: '1' } };
  server.on('/api/orders', { status: 204, headers: HTML });
  const empty = await post(page, '/api/orders', { meal: 1 });
  assert.deepEqual([empty.ok, empty.status, empty.data], [true, 204, null]);
  assert.equal(server.requestsTo('POST /api/orders').length, 1);

  server.on('/page', { headers: HTML, body: '<p>hello' });
  const head = await run(page, () => window.app.api.head('/page'));
  assert.deepEqual([head.ok, head.data], [true, null]);
  assert.equal(server.requestsTo('/api/auth/session').length, 0);
});

test('a write that HTML answers is not sent twice', async (t) => {
  const { server, page } = await open(t, ADA);
  server.session = { user: { id: '1' } };
  server.on('/api/orders', { headers: HTML, body: '<p>ordered' });
  const { error } = await post(page, '/api/orders', { meal: 1 });
  assert.equal(error.kind, 'parse');
  assert.equal(server.requestsTo('/api/orders').length, 1);
});

test('callers who read a body in other ways share no verdict on it', async (t) => {
  const { server, page } = await open(t);
  server.on('/page', { headers: HTML, body: '<p>hello', delayMs: 50 });
  const [json, text] = await run(page, () =>
    Promise.all([window.app.api.get('/page'), window.app.api.get('/page', { parse: 'text' })]),
  );
  assert.equal(json.error.kind, 'parse');
  assert.equal(text.data, '<p>hello');
});

test('a Request with modes of its own shares nothing with one that has others', async (t) => {
  const { server, page } = await open(t);
  server.on('/moved', { status: 302, headers: { Location: '/there' }, delayMs: 50 });
  server.on('/there', { body: { there: true } });
  const [followed, manual] = await run(page, () =>
    Promise.all([
      window.app.api.fetch('/moved').then(({ status }) => status),
      window.app.api.fetch(new Request('/moved', { redirect: 'manual' })).then(({ type }) => type),
    ]),
  );
  assert.deepEqual([followed, manual], [200, 'opaqueredirect']);
});

test('hooks that return something else are a value, and cost nobody else anything', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      /** @param {Response} response */
      onResponse: (response) => (response.url.endsWith('/odd') ? response.json() : undefined),
      /** @param {Request} request */
      onRequest: (request) => (request.url.endsWith('/true') ? /** @type {any} */ (true) : undefined),
    },
  }));
  server.on('/api/odd', { body: { a: 1 } });
  server.on('/api/slow', { body: { b: 2 }, delayMs: 150 });
  const [odd, yes, slow] = await run(page, () =>
    Promise.all(['/api/odd', '/api/true', '/api/slow'].map((url) => window.app.api.get(url))),
  );
  assert.deepEqual([odd.error.kind, odd.error.cause.name], ['invalid', 'TypeError']);
  assert.deepEqual([yes.error.kind, server.requestsTo('/true').length], ['invalid', 0]);
  assert.deepEqual(slow.data, { b: 2 });
  assert.equal(await run(page, () => window.app.diagnostics().counters.requests), 3);
});

test('a stand-in for fetch that returns no Response is a value, and costs nobody else anything', async (t) => {
  const { page } = await open(t, {}, { fresh: true });
  const [odd, runtime] = await run(page, async () => {
    window.fetch = /** @type {any} */ (async () => ({ ok: true, status: 200, json: async () => ({}) }));
    return [await window.app.api.get('/api/x'), window.app.runtime.getSnapshot().status];
  });
  assert.deepEqual([odd.error.kind, odd.error.cause.name, runtime], ['invalid', 'TypeError', 'running']);
});

test('a stream that could not be had tells why, as any other call', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/log', { status: 404, body: { code: 'gone' } });
  const { error } = await get(page, '/api/log', { parse: 'stream' });
  assert.deepEqual([error.kind, error.body], ['notFound', { code: 'gone' }]);
});

test('a signal that is none is a value, and leaves nothing pending', async (t) => {
  const { page } = await open(t);
  const [result, rejection, activity] = await run(page, async () => [
    await window.app.api.get('/api/x', { signal: /** @type {any} */ ({ aborted: false }) }),
    await window.app.api
      .fetch('/api/x', { signal: /** @type {any} */ (new AbortController()) })
      .catch((/** @type {Error} */ error) => error.name),
    window.app.api.activity.getSnapshot(),
  ]);
  assert.deepEqual([result.error.kind, rejection, activity.pending], ['invalid', 'TypeError', 0]);
});

test('a body that a hook put in and that never ends is bounded by the timeout', async (t) => {
  const { page } = await open(t, () => ({
    api: { retries: 0, timeoutMs: 150, onResponse: () => new Response(new ReadableStream({})) },
  }));
  assert.equal((await get(page, '/api/version')).error.kind, 'timeout');
});

test('a call that went without the module is ended by its signal also when the module runs by then', async (t) => {
  const { server, page } = await open(t, {}, { fresh: true });
  const wasm = server.on('/pkg/evenkeel_bg.wasm', { pass: true, delayMs: 700 });
  server.on('/api/slow', 'hang');
  const kind = await run(page, async () => {
    const app = window.evenkeel.createStability({ wasm: '/pkg/evenkeel_bg.wasm?again', startTimeoutMs: 50 });
    const leaving = new AbortController();
    const result = app.api.get('/api/slow', { signal: leaving.signal });
    await app.ready;
    leaving.abort();
    const { error } = await result;
    app.dispose();
    return error.kind;
  });
  assert.equal(kind, 'aborted');
  await until(() => server.requestsTo('/api/slow')[0]?.closedEarlyAt);
  assert.equal(wasm.taken, 1);
});

test('what waits for one request counts as waiting, each of its callers', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  server.on('/api/busy', { body: {}, delayMs: 200 });
  const queued = await run(page, async () => {
    const { api } = window.app;
    const busy = api.get('/api/busy');
    const waiting = [1, 2, 3].map(() => api.get('/api/next'));
    await new Promise((resolve) => setTimeout(resolve));
    const { queued } = api.activity.getSnapshot();
    await Promise.all([busy, ...waiting]);
    return queued;
  });
  assert.equal(queued, 3);
});
