import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open, serve } from './pages.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** Calls `api.fetch` and reads the text of what it resolves to, or gives what it rejects with. @param {Page} page @param {string} url @param {object} [init] */
const fetched = (page, url, init) =>
  run(
    page,
    async ([url, init]) => {
      try {
        const response = await window.app.api.fetch(url, init);
        return { response, text: await response.text(), is: response instanceof Response };
      } catch (error) {
        return { error, name: /** @type {any} */ (error).name, isDom: error instanceof DOMException };
      }
    },
    /** @type {const} */ ([url, init]),
  );

test('fetch resolves to a Response whatever its status, with a body to read', async (t) => {
  const { server, page } = await open(t, { api: { retries: 1, breaker: false } });
  for (const status of [200, 201, 203, 400, 401, 403, 404, 409, 418, 422, 429, 500, 501, 503]) {
    server.on('/api/x', { status, headers: { 'X-A': 'b' }, body: `of ${status}` });
    const { response, text, is, error } = await fetched(page, '/api/x');
    assert.equal(error, undefined);
    assert.deepEqual(
      [is, response.status, response.ok, text, response.headers['x-a'], response.type],
      [true, status, status < 300, `of ${status}`, 'b', 'basic'],
    );
    assert.equal(response.url, `${server.origin}/api/x`);
  }
  server.on('/api/x', 204);
  assert.deepEqual((await fetched(page, '/api/x')).text, '');
});

test('fetch tries again, and resolves to the last Response', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', ['cut', 503, { body: 'well' }]);
  assert.equal((await fetched(page, '/api/x')).text, 'well');
  assert.equal(server.requestsTo('/api/x').length, 3);
  server.on('/api/y', [503, 503, 503, { status: 502, body: 'the last' }]);
  const { response, text } = await fetched(page, '/api/y');
  assert.deepEqual([response.status, text], [502, 'the last']);
  assert.equal(server.requestsTo('/api/y').length, 4);

  server.on('/api/z', [503, { body: 'never' }]);
  assert.equal((await fetched(page, '/api/z', { method: 'POST', body: 'a' })).response.status, 503);
  assert.equal(server.requestsTo('/api/z').length, 1);
});

test('fetch takes the options of a call too', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [503, { body: 'well' }]);
  const init = { method: 'post', body: 'a', idempotencyKey: 'k', query: { a: [1, 2] }, timeoutMs: 5_000 };
  assert.equal((await fetched(page, '/api/x', init)).text, 'well');
  const sent = server.requestsTo('POST /api/x');
  assert.deepEqual(
    sent.map(({ url, body, headers }) => [url, body, headers['idempotency-key'], headers['content-type']]),
    Array(2).fill(['/api/x?a=1&a=2', 'a', 'k', 'text/plain;charset=UTF-8']),
  );
  server.on('/api/y', 503);
  assert.equal((await fetched(page, '/api/y', { retries: 0 })).response.status, 503);
  assert.equal(server.requestsTo('/api/y').length, 1);
});

test('fetch says where a response came from, and that it was redirected', async (t) => {
  const { server, page } = await open(t, { api: { retries: 0 } });
  server.on('/api/old', { status: 302, headers: { Location: '/api/new?a=1' } });
  server.on('/api/new', [{ body: 'here' }, { status: 500, body: 'broken' }]);
  for (const text of ['here', 'broken']) {
    const seen = await fetched(page, '/api/old');
    assert.equal(seen.text, text);
    assert.deepEqual([seen.response.url, seen.response.redirected], [`${server.origin}/api/new?a=1`, true]);
  }
});

test('fetch does as it is told of redirects, modes and caches', async (t) => {
  const other = await serve(t);
  const { server, page } = await open(t, { api: { retries: 0 } });
  server.on('/api/old', { status: 302, headers: { Location: '/api/new' } });
  other.on('/api/x', { body: 'opaque' });
  const manual = await fetched(page, '/api/old', { redirect: 'manual' });
  assert.deepEqual([manual.response.type, manual.response.status], ['opaqueredirect', 0]);
  assert.equal((await fetched(page, '/api/old', { redirect: 'error' })).name, 'TypeError');
  const opaque = await fetched(page, `${other.origin}/api/x`, { mode: 'no-cors' });
  assert.deepEqual([opaque.response.type, opaque.response.status], ['opaque', 0]);
  assert.equal((await fetched(page, `${other.origin}/api/x`)).name, 'TypeError', 'CORS forbids it');
  const said = await until(() => page.problems.pop());
  assert.match(said.text, /CORS policy/, 'Chromium says so');

  server.on('/api/cached', { headers: { 'Cache-Control': 'max-age=600' }, body: 'kept' });
  for (const cache of ['default', 'force-cache', undefined]) await fetched(page, '/api/cached', { cache });
  assert.equal(server.requestsTo('/api/cached').length, 2, 'no-store unless told otherwise');
});

test('fetch reads data: and blob: URLs', async (t) => {
  const { page } = await open(t);
  assert.equal((await fetched(page, 'data:text/plain,hello')).text, 'hello');
  const text = await run(page, async () => {
    const url = URL.createObjectURL(new Blob(['content']));
    return (await window.app.api.fetch(url)).text();
  });
  assert.equal(text, 'content');
});

test('fetch takes Request objects, with their bodies, headers and signals', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [503, { body: 'well' }]);
  server.on('/api/post', { status: 201, body: 'made' });
  const seen = await run(page, async () => {
    const { fetch } = window.app.api;
    const put = new Request('/api/x', { method: 'PUT', body: 'all of it', headers: { 'X-A': 'b' } });
    const post = new Request('/api/post', {
      method: 'POST',
      body: JSON.stringify({ a: 1 }),
      headers: { 'Content-Type': 'application/json' },
    });
    const aborted = new Request('/api/none', { signal: AbortSignal.abort(new Error('changed my mind')) });
    return [
      await (await fetch(put)).text(),
      (await fetch(post)).status,
      await fetch(aborted).catch((/** @type {Error} */ error) => error.message),
      await (await fetch(new URL('/api/version', location.href))).json(),
    ];
  });
  assert.deepEqual(seen, ['well', 201, 'changed my mind', { version: 'v1' }]);
  assert.deepEqual(
    server.requestsTo('PUT /api/x').map(({ body, headers }) => [body, headers['x-a']]),
    Array(2).fill(['all of it', 'b']),
  );
  const [made] = server.requestsTo('POST /api/post');
  assert.deepEqual([made.body, made.headers['content-type']], ['{"a":1}', 'application/json']);
  assert.equal(server.requestsTo('/api/none').length, 0);
});

test('what init says is stronger than what a Request says', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  await run(page, () => {
    const request = new Request('/api/x', {
      method: 'POST',
      body: 'old',
      headers: { 'X-A': 'old', 'X-B': 'old' },
    });
    return window.app.api.fetch(request, { method: 'PUT', body: 'new', headers: { 'X-A': 'new' } });
  });
  const [sent] = server.requestsTo('/api/x');
  assert.deepEqual(
    [sent.method, sent.body, sent.headers['x-a'], sent.headers['x-b']],
    ['PUT', 'new', 'new', undefined],
  );
});

test('fetch rejects with the AbortError of a signal, or with its reason, and sends nothing more', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/*', 'hang');
  const seen = await run(page, async () => {
    const { fetch } = window.app.api;
    const caught = (/** @type {Promise<any>} */ call) => call.catch((error) => error);
    const plain = new AbortController();
    const own = new AbortController();
    const reason = { code: 'mine' };
    const calls = [
      caught(fetch('/api/a', { signal: AbortSignal.abort() })),
      caught(fetch('/api/b', { signal: plain.signal })),
      caught(fetch('/api/c', { signal: own.signal })),
      caught(fetch('/api/d', { signal: AbortSignal.timeout(100) })),
    ];
    setTimeout(() => {
      plain.abort();
      own.abort(reason);
    }, 100);
    const [before, during, with_, limit] = await Promise.all(calls);
    return [before.name, before instanceof DOMException, during.name, with_ === reason, limit.name];
  });
  assert.deepEqual(seen, ['AbortError', true, 'AbortError', true, 'TimeoutError']);
  assert.equal(server.requestsTo('/api/a').length, 0);
  for (const sent of server.requestsTo('/api/*')) await until(() => sent.closedEarlyAt);
});

test('fetch rejects with a TimeoutError after silence, and with a TypeError without a network', async (t) => {
  const { server, page } = await open(t, { api: { timeoutMs: 150, retries: 0, breaker: false } });
  server.on('/api/hang', 'hang');
  server.on('/api/cut', 'cut');
  const hang = await fetched(page, '/api/hang');
  assert.deepEqual([hang.name, hang.isDom], ['TimeoutError', true]);
  const patient = { timeoutMs: 30_000 };
  const cut = await fetched(page, '/api/cut', patient);
  assert.deepEqual([cut.name, cut.error.cause.kind], ['TypeError', 'network']);
  await server.refuse();
  assert.equal((await fetched(page, '/api/x', patient)).name, 'TypeError');
  await server.accept();
});

test('fetch rejects with a TypeError where the breaker is open', async (t) => {
  const { server, page } = await open(t, { api: { retries: 0, breaker: { consecutive: 1 } } });
  server.on('/api/x', 500);
  assert.equal((await fetched(page, '/api/x')).response.status, 500);
  const { name, error } = await fetched(page, '/api/x');
  assert.deepEqual([name, error.cause.kind], ['TypeError', 'circuitOpen']);
  assert.equal(server.requestsTo('/api/x').length, 1);
});

test('fetch rejects what cannot be sent with a TypeError', async (t) => {
  const { server, page } = await open(t);
  const names = await run(page, () => {
    const used = new Request('/api/x', { method: 'POST', body: 'a' });
    used.text();
    /** @type {any[]} */
    const wrong = [
      ['http://'],
      [`${location.origin.replace('//', '//ada:secret@')}/api/x`],
      ['/api/x', { method: 'TRACE' }],
      ['/api/x', { method: 'GET', body: 'a' }],
      ['/api/x', { headers: { 'not a name': 'x' } }],
      ['/api/x', { retries: 'three' }],
      [Symbol('s')],
      [used],
    ];
    return Promise.all(
      wrong.map((args) =>
        window.app.api.fetch(.../** @type {[any, any]} */ (args)).then(
          () => 'resolved',
          (/** @type {any} */ error) => error.name,
        ),
      ),
    );
  });
  assert.deepEqual(names, Array(8).fill('TypeError'));
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('fetch hands the body on while the server still sends it', async (t) => {
  const { server, page } = await open(t, { api: { timeoutMs: 2_000 } });
  /** @type {() => void} */
  let go = () => {};
  server.on('/api/x', {
    headers: { 'Content-Type': 'text/plain' },
    stream: async ({ write, end }) => {
      await write('first');
      await new Promise((resolve) => {
        go = () => resolve(undefined);
      });
      await write('second');
      end();
    },
  });
  const first = await run(page, async () => {
    const response = await window.app.api.fetch('/api/x');
    const reader = /** @type {any} */ (response.body).getReader();
    Object.assign(window, { reader });
    return new TextDecoder().decode((await reader.read()).value);
  });
  assert.equal(first, 'first');
  // A body that the caller reads itself may be silent for longer than timeoutMs.
  await run(page, () => new Promise((resolve) => setTimeout(resolve, 3_000)));
  go();
  const rest = await run(page, async () => {
    const { reader } = /** @type {any} */ (window);
    return [new TextDecoder().decode((await reader.read()).value), (await reader.read()).done];
  });
  assert.deepEqual(rest, ['second', true]);
});

test('an abort while the body is read makes the read reject with the reason', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 'x'.repeat(1_000), stallAfterBytes: 10 });
  const seen = await run(page, async () => {
    const control = new AbortController();
    const response = await window.app.api.fetch('/api/x', { signal: control.signal });
    const text = response.text();
    control.abort();
    return text.catch((/** @type {Error} */ error) => error.name);
  });
  assert.equal(seen, 'AbortError');
  const [sent] = server.requestsTo('/api/x');
  await until(() => sent.closedEarlyAt);
});

test('a body of fetch that breaks off makes the read reject', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 'x'.repeat(1_000), cutAfterBytes: 10 });
  assert.equal((await fetched(page, '/api/x')).name, 'TypeError');
  assert.equal(server.requestsTo('/api/x').length, 1, 'the answer had begun: it is not sent again');
});

test('a Response of fetch can be cloned, and equal calls read copies of their own', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { delayMs: 100, body: { a: 1 } });
  const seen = await run(page, async () => {
    const [one, two] = await Promise.all([window.app.api.fetch('/api/x'), window.app.api.fetch('/api/x')]);
    const copy = one.clone();
    return [await one.json(), await copy.json(), await two.json()];
  });
  assert.deepEqual(seen, Array(3).fill({ a: 1 }));
  assert.equal(server.requestsTo('/api/x').length, 1);
});

test('a 401 that was verified is still a Response of fetch, with its body', async (t) => {
  const { server, page } = await open(t, { session: { confirmAfterMs: 1 } });
  server.on('/api/x', { status: 401, headers: { 'X-Request-Id': 'r1' }, body: { code: 'who' } });
  for (const [session, count] of /** @type {Array<[any, number]>} */ ([
    [null, 1],
    [500, 1],
    [{ user: { id: 'ada' } }, 2],
  ])) {
    server.clear();
    server.session = session;
    const { response, text } = await fetched(page, '/api/x');
    assert.deepEqual(
      [response.status, text, response.url],
      [401, '{"code":"who"}', `${server.origin}/api/x`],
    );
    assert.equal(response.headers['x-request-id'], 'r1');
    assert.equal(server.requestsTo('/api/x').length, count);
  }
});
