import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { failure, get, open } from './pages.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** Begins a call that `stop` can abort. @param {Page} page @param {string} method @param {object} [options] */
function begin(page, method, options) {
  const call = run(
    page,
    ([method, options]) => {
      const control = new AbortController();
      /** @type {any} */ (window).control = control;
      return window.app.api.request(method, '/api/x', undefined, { ...options, signal: control.signal });
    },
    /** @type {const} */ ([method, options]),
  );
  return call;
}

/** @param {Page} page */
const stop = (page) =>
  run(page, () => /** @type {any} */ (window).control.abort(new Error('changed my mind')));

/** In the moment in which a call waits for its next attempt, so that no slow look lets that begin. @param {Page} page @param {() => void} fn runs in the page */
const onRetry = (page, fn) => page.evaluate(`app.on(({ type }) => type === 'retry' && setTimeout(${fn}))`);

/** What was aborted has the caller's own reason; nothing more arrives after it. @param {any} result @param {number} attempts */
function assertAborted(result, attempts) {
  const { kind, status, retryable, cause } = failure(result);
  assert.deepEqual([kind, status, retryable, cause.message], ['aborted', 0, false, 'changed my mind']);
  assert.equal(result.headers, null);
  assert.equal(result.meta.attempts, attempts);
}

/** A later call goes out, and nothing else did. @param {Page} page @param {import('../server/fault-server.mjs').FaultServer} server @param {number} count */
async function assertNothingFollows(page, server, count) {
  assert.equal((await get(page, '/api/version')).ok, true);
  await run(page, () => new Promise((resolve) => setTimeout(resolve, 150)));
  assert.equal(server.requestsTo('/api/x').length, count);
}

test('a signal that was aborted before sends nothing', async (t) => {
  const { server, page } = await open(t);
  const result = await run(page, () =>
    window.app.api.get('/api/x', { signal: AbortSignal.abort(new Error('changed my mind')) }),
  );
  assertAborted(result, 0);
  await assertNothingFollows(page, server, 0);
});

test('an abort before the headers ends the request', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 'hang');
  const call = begin(page, 'GET');
  const sent = await server.waitFor('/api/x');
  await stop(page);
  assertAborted(await call, 1);
  await until(() => sent.closedEarlyAt);
  await assertNothingFollows(page, server, 1);
});

test('an abort during the body ends the request', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: { text: 'x'.repeat(1_000) }, stallAfterBytes: 100 });
  const call = begin(page, 'GET');
  const sent = await server.waitFor('/api/x');
  await until(() => run(page, () => window.app.diagnostics().events.some(({ type }) => type === 'response')));
  await stop(page);
  assertAborted(await call, 1);
  await until(() => sent.closedEarlyAt);
  await assertNothingFollows(page, server, 1);
});

test('an abort during the body of an error ends the request', async (t) => {
  const { server, page } = await open(t, { api: { retries: 0 } });
  server.on('/api/x', { status: 500, body: { text: 'x'.repeat(1_000) }, stallAfterBytes: 100 });
  const call = begin(page, 'GET');
  const sent = await server.waitFor('/api/x');
  await until(() => run(page, () => window.app.diagnostics().events.some(({ type }) => type === 'response')));
  await stop(page);
  assertAborted(await call, 1);
  await until(() => sent.closedEarlyAt);
});

test('an abort during a backoff wait ends the call at once, and nothing is sent after it', async (t) => {
  const { server, page } = await open(t, {
    api: { backoff: { baseMs: 1_000, maxMs: 1_000, jitter: 'none' } },
  });
  server.on('/api/x', [503, 204]);
  await onRetry(page, () => /** @type {any} */ (window).control.abort(new Error('changed my mind')));
  assertAborted(await begin(page, 'GET'), 1);
  await run(page, () => new Promise((resolve) => setTimeout(resolve, 1_000)));
  await assertNothingFollows(page, server, 1);
});

test('an abort while the call waits for a slot sends nothing', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  const answer = held({ status: 204 });
  server.on('/api/slow', answer.step);
  const slow = get(page, '/api/slow');
  await server.waitFor('/api/slow');
  const call = begin(page, 'POST');
  await until(() => run(page, () => window.app.api.activity.getSnapshot().queued === 1));
  await stop(page);
  assertAborted(await call, 0);
  answer.release();
  assert.equal((await slow).ok, true);
  await assertNothingFollows(page, server, 0);
});

test('an abort while the headers are asked for sends nothing', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      headers: () =>
        new Promise((resolve) => {
          /** @type {any} */ (window).give = resolve;
        }),
    },
  }));
  const call = begin(page, 'GET');
  await until(() => run(page, () => Boolean(/** @type {any} */ (window).give)));
  await stop(page);
  assertAborted(await call, 0);
  await run(page, () => /** @type {any} */ (window).give({}));
  await run(page, () => new Promise((resolve) => setTimeout(resolve, 100)));
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('an abort in a hook sends nothing', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      onRequest: async () => {
        /** @type {any} */ (window).control.abort(new Error('changed my mind'));
        await Promise.resolve();
      },
    },
  }));
  const result = await begin(page, 'GET');
  assert.equal(failure(result).kind, 'aborted');
  await run(page, () => new Promise((resolve) => setTimeout(resolve, 100)));
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('an abort without a reason has an AbortError, and a time limit its TimeoutError as the cause', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 'hang');
  const [plain, limited] = await run(page, async () => {
    const control = new AbortController();
    const calls = [
      window.app.api.get('/api/x', { signal: control.signal }),
      window.app.api.get('/api/x?limited', { signal: AbortSignal.timeout(200) }),
    ];
    control.abort();
    return Promise.all(calls);
  });
  assert.deepEqual([failure(plain).kind, plain.error.cause.name], ['aborted', 'AbortError']);
  assert.equal(server.requestsTo(({ url }) => url === '/api/x').length, 0, 'aborted in the same breath');
  assert.deepEqual([failure(limited).kind, limited.error.cause.name], ['aborted', 'TimeoutError']);
});

test('an abort after the result changes nothing', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 'done' });
  const result = await begin(page, 'GET');
  await stop(page);
  assert.equal(result.data, 'done');
  assert.equal((await get(page, '/api/x')).ok, true);
});

test('an abort ends a stream that was handed over', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', {
    headers: { 'Content-Type': 'text/plain' },
    stream: async ({ write, signal }) => {
      await write('first');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  for (const dedupe of [true, false]) {
    server.clear();
    const seen = await run(
      page,
      async (dedupe) => {
        const control = new AbortController();
        const { data } = await window.app.api.get('/api/x', {
          parse: 'stream',
          dedupe,
          signal: control.signal,
        });
        const reader = data.getReader();
        const first = await reader.read();
        control.abort(new Error('changed my mind'));
        const second = await reader.read().catch((/** @type {Error} */ error) => error.message);
        return [new TextDecoder().decode(first.value), second];
      },
      dedupe,
    );
    assert.deepEqual(seen, ['first', 'changed my mind']);
    const [sent] = server.requestsTo('/api/x');
    await until(() => sent.closedEarlyAt);
  }
});

test('an abort ends the stream of one caller alone, and the last one ends the request', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', {
    headers: { 'Content-Type': 'text/plain' },
    stream: async ({ write, signal }) => {
      while (!signal.aborted) {
        await write('more');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  });
  const seen = await run(page, async () => {
    const controls = [new AbortController(), new AbortController()];
    const results = await Promise.all(
      controls.map(({ signal }) => window.app.api.get('/api/x', { parse: 'stream', signal })),
    );
    const readers = results.map(({ data }) => data.getReader());
    const outcomes = () =>
      Promise.all(
        readers.map((reader) =>
          reader.read().then(
            (/** @type {any} */ { value }) => value.length > 0,
            (/** @type {Error} */ error) => error.message,
          ),
        ),
      );
    const both = await outcomes();
    controls[0].abort(new Error('first'));
    const second = await outcomes();
    controls[1].abort(new Error('second'));
    return [results.map(({ meta }) => meta.shared), both, second, await outcomes()];
  });
  assert.deepEqual(seen, [
    [false, true],
    [true, true],
    ['first', true],
    ['first', 'second'],
  ]);
  assert.equal(server.requestsTo('/api/x').length, 1);
  const [sent] = server.requestsTo('/api/x');
  await until(() => sent.closedEarlyAt);
});

test('dispose ends every call, and nothing is sent after it', async (t) => {
  const { server, page } = await open(t, {
    api: { backoff: { baseMs: 1_000, maxMs: 1_000, jitter: 'none' } },
  });
  server.on('/api/x', 'hang');
  server.on('/api/down', 503);
  const hanging = get(page, '/api/x');
  const sent = await server.waitFor('/api/x');
  await onRetry(page, () => {
    window.app.dispose();
    window.app.dispose();
  });
  const calls = [hanging, get(page, '/api/down')];
  for (const result of await Promise.all(calls)) assert.equal(failure(result).kind, 'aborted');
  assert.equal(failure(await get(page, '/api/later')).kind, 'aborted');
  await until(() => sent.closedEarlyAt);
  await run(page, () => new Promise((resolve) => setTimeout(resolve, 1_100)));
  assert.deepEqual(
    server
      .requestsTo('/api/*')
      .map(({ path }) => path)
      .sort(),
    ['/api/down', '/api/x'],
  );
});

test('without the module an abort ends calls and handed-over bodies too', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/hang', 'hang');
  server.on('/api/stall', { body: 'x'.repeat(1_000), stallAfterBytes: 10 });
  const seen = await run(page, async () => {
    const app = window.evenkeel.createStability({ wasm: new Uint8Array(4) });
    await app.ready.catch(() => {});
    const controls = [new AbortController(), new AbortController()];
    const call = app.api.get('/api/hang', { signal: controls[0].signal });
    const response = await app.api.fetch('/api/stall', { signal: controls[1].signal });
    const text = response.text();
    for (const control of controls) control.abort(new Error('changed my mind'));
    const { error } = await call;
    const read = await text.catch((/** @type {Error} */ reason) => reason.message);
    return [app.runtime.getSnapshot().status, error.kind, error.cause.message, read];
  });
  assert.deepEqual(seen, ['failed', 'aborted', 'changed my mind', 'changed my mind']);
  for (const sent of server.requestsTo('/api/*')) await until(() => sent.closedEarlyAt);
});
