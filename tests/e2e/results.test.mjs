import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { failure, get, open, post, request } from './pages.mjs';

const ONCE = { api: { retries: 0, breaker: false } };

test('a success has data, status, headers and meta, and nothing else', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { status: 201, headers: { 'X-Request-Id': 'r1' }, body: { a: [1, null, 'ä'] } });
  const { headers, meta, ...rest } = await get(page, '/api/x');
  assert.deepEqual(rest, { ok: true, data: { a: [1, null, 'ä'] }, error: null, status: 201 });
  assert.equal(headers['x-request-id'], 'r1');
  const { durationMs, ...others } = meta;
  assert.deepEqual(others, { attempts: 1, fromCache: 'no', shared: false, queued: false });
  assert.ok(durationMs > 0 && durationMs < 10_000, `${durationMs}`);
  assert.equal(server.requestsTo('GET /api/x').length, 1);
});

test('a failure has the same fields, and its error says everything', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { status: 409, headers: { 'X-Request-Id': 'r2' }, body: { code: 'taken' } });
  const { headers, meta, error, ...rest } = await request(page, 'PUT', '/api/x?token=secret#part', { a: 1 });
  assert.deepEqual(rest, { ok: false, data: null, status: 409 });
  assert.equal(headers['x-request-id'], 'r2');
  assert.equal(meta.attempts, 1);
  const { message, ...fields } = error;
  assert.deepEqual(fields, {
    name: 'StabilityError',
    kind: 'conflict',
    status: 409,
    method: 'PUT',
    url: `${server.origin}/api/x`,
    attempts: 1,
    retryable: false,
    retryAfterMs: null,
    requestId: 'r2',
    body: { code: 'taken' },
  });
  assert.doesNotMatch(message, /secret/);
});

test('an error is an Error and a StabilityError', async (t) => {
  const { page } = await open(t);
  const is = await run(page, async () => {
    const { error } = await window.app.api.get('/api/none');
    return [error instanceof Error, error instanceof window.evenkeel.StabilityError, error.stack.length > 0];
  });
  assert.deepEqual(is, [true, true, true]);
});

test('unwrap gives the data, or throws the error', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: 1 }, { body: 2 }]);
  const [data, later, thrown] = await run(page, async () => {
    const { unwrap } = window.evenkeel;
    return [
      await unwrap(window.app.api.get('/api/x')),
      await unwrap(await window.app.api.get('/api/x')),
      await unwrap(window.app.api.get('/api/none')).catch((/** @type {any} */ error) => error),
    ];
  });
  assert.deepEqual([data, later, thrown.kind], [1, 2, 'notFound']);
});

test('every verb sends its method, and its result is of one shape', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', ({ method }) => ({ body: { method } }));
  const results = await run(page, async () => {
    const { api } = window.app;
    return [
      await api.get('/api/x'),
      await api.head('/api/x'),
      await api.post('/api/x'),
      await api.put('/api/x'),
      await api.patch('/api/x'),
      await api.delete('/api/x'),
      await api.request('options', '/api/x'),
    ];
  });
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  assert.deepEqual(
    server.requestsTo('/api/x').map(({ method }) => method),
    methods,
  );
  assert.deepEqual(
    results.map((/** @type {any} */ { data }) => data?.method ?? null),
    methods.map((method) => (method === 'HEAD' ? null : method)),
  );
  for (const result of results)
    assert.deepEqual(Object.keys(result), ['ok', 'data', 'error', 'status', 'headers', 'meta']);
});

/** @type {Record<string, Array<number>>} */
const KINDS = {
  invalid: [400, 402, 405, 406, 411, 414, 415, 416, 417, 418, 421, 422, 423, 424, 428, 431, 451, 499],
  authUnknown: [401],
  forbidden: [403],
  notFound: [404, 410],
  timeout: [408],
  conflict: [409, 412],
  tooLarge: [413],
  outdated: [426],
  rateLimited: [429],
  unavailable: [425, 502, 503, 504],
  server: [500, 501, 505, 506, 507, 508, 510, 511, 599],
};
const RETRYABLE = ['authUnknown', 'timeout', 'rateLimited', 'unavailable', 'server'];

test('each status has its kind, and says whether trying again makes sense', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE.api, rateLimit: false } });
  const expected = Object.entries(KINDS).flatMap(([kind, statuses]) =>
    statuses.map((status) => ({
      status,
      kind,
      retryable: RETRYABLE.includes(kind) && ![501, 505].includes(status),
    })),
  );
  server.on('/api/*', ({ path }) => ({
    status: Number(path.slice(-3)),
    headers: { 'X-Request-Id': `of ${path.slice(-3)}` },
    body: { was: path },
  }));
  const seen = [];
  for (const { status } of expected) {
    const error = failure(await get(page, `/api/${status}`));
    assert.equal(error.attempts, 1);
    assert.equal(error.requestId, `of ${status}`);
    assert.deepEqual(error.body, { was: `/api/${status}` });
    seen.push({ status: error.status, kind: error.kind, retryable: error.retryable });
  }
  assert.deepEqual(seen, expected);
  // Chromium repeats two of them by itself.
  const sent = server.requestsTo('/api/*').filter(({ path }) => !/408|421/.test(path));
  assert.equal(sent.length, expected.length - 2);
});

test('a port where nobody listens is a network failure', async (t) => {
  const { server, page } = await open(t, ONCE);
  await server.refuse();
  const error = failure(await get(page, '/api/x'));
  const { kind, status, attempts, retryable, requestId, body } = error;
  assert.deepEqual([kind, status, attempts, retryable, requestId, body], ['network', 0, 1, true, null, null]);
  assert.equal(error.cause.name, 'TypeError');
  await server.accept();
  assert.equal((await get(page, '/api/version')).ok, true);
});

for (const reset of [false, true]) {
  test(`a connection that is ${reset ? 'reset' : 'closed'} before the headers is a network failure`, async (t) => {
    const { server, page } = await open(t, ONCE);
    server.on('/api/x', { cut: 'beforeHeaders', reset });
    const result = await get(page, '/api/x');
    assert.deepEqual([failure(result).kind, result.headers, result.meta.attempts], ['network', null, 1]);
    assert.equal(server.requestsTo('/api/x').length, 1);
  });
}

test('a body that breaks off is a network failure, and a GET is sent again', async (t) => {
  const { server, page } = await open(t, { api: { retries: 1 } });
  const body = { text: 'x'.repeat(10_000) };
  server.on('/api/x', [{ body, cutAfterBytes: 5_000 }, { body }]);
  const whole = await get(page, '/api/x');
  assert.deepEqual([whole.data, whole.meta.attempts], [body, 2]);

  server.on('/api/x', { body, cutAfterBytes: 5_000 });
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.attempts, error.retryable], ['network', 2, true]);

  const posted = failure(await post(page, '/api/x', {}));
  assert.deepEqual([posted.kind, posted.attempts], ['network', 1]);
  assert.equal(server.requestsTo('POST /api/x').length, 1);
});

test('a body of chunks that breaks off is no whole body', async (t) => {
  const { server, page } = await open(t, ONCE);
  server.on('/api/x', {
    headers: { 'Content-Type': 'text/plain' },
    pieces: [{ data: 'half' }, { data: 'never sent' }],
    cutAfterBytes: 4,
  });
  assert.equal(failure(await get(page, '/api/x', { parse: 'text' })).kind, 'network');
});

test('an error whose body breaks off keeps its kind', async (t) => {
  const { server, page } = await open(t, ONCE);
  server.on('/api/x', { status: 403, body: { text: 'x'.repeat(1_000) }, cutAfterBytes: 10 });
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.body], ['forbidden', 403, null]);
});

test('without a network one attempt is made, and its failure is offline', async (t) => {
  const { server, page } = await open(t, { api: { retries: 3 } }, { fresh: true });
  await page.context().setOffline(true);
  const error = failure(await get(page, '/api/version'));
  assert.deepEqual([error.kind, error.status, error.attempts, error.retryable], ['offline', 0, 1, true]);
  await page.context().setOffline(false);
  assert.equal((await get(page, '/api/version')).ok, true);
  assert.equal(server.requestsTo('/api/version').length, 1);
});

test('a browser that wrongly believes to be offline keeps nothing from working', async (t) => {
  const { server, page } = await open(t, {}, { fresh: true });
  server.on('/api/cut', 'cut');
  server.on('/api/down', 503);
  await run(page, () => {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => false });
    dispatchEvent(new Event('offline'));
  });
  assert.equal((await get(page, '/api/version')).ok, true);
  const cut = failure(await get(page, '/api/cut'));
  assert.deepEqual([cut.kind, cut.attempts], ['offline', 1]);
  assert.equal(server.requestsTo('/api/cut').length, 1);
  assert.equal(failure(await get(page, '/api/down')).kind, 'unavailable', 'the server was reached');
});

test('a body longer than allowed is too large, whether its length was announced or not', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE.api, maxBodyBytes: 100 } });
  const text = 'x'.repeat(101);
  server.on('/api/announced', { body: text });
  server.on('/api/chunked', { pieces: [{ data: text }], headers: { 'Content-Type': 'text/plain' } });
  server.on('/api/endless', {
    headers: { 'Content-Type': 'text/plain' },
    stream: async ({ write, signal }) => {
      while (!signal.aborted) await write('x'.repeat(50));
    },
  });
  server.on('/api/full', { body: 'x'.repeat(100) });
  for (const path of ['/api/announced', '/api/chunked', '/api/endless']) {
    const result = await get(page, path);
    const error = failure(result);
    assert.deepEqual(
      [error.kind, error.status, error.attempts, error.retryable],
      ['tooLarge', 200, 1, false],
    );
    assert.equal(result.headers['x-app-version'], 'v1');
  }
  await server.waitFor(({ path, closedEarlyAt }) => path === '/api/endless' && closedEarlyAt !== null);
  assert.equal((await get(page, '/api/full')).data.length, 100, 'as long as allowed');
  assert.equal(server.requestsTo('/api/announced').length, 1, 'not sent again');
});

test('an error with a body longer than allowed keeps its kind', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE.api, maxBodyBytes: 100 } });
  server.on('/api/x', { status: 500, body: 'x'.repeat(10_000) });
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.body], ['server', 500, null]);
});

test('what is no JSON is a parse failure with the reason', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', {
    headers: { 'Content-Type': 'application/json', 'X-Request-Id': 'r3' },
    body: '{"a":',
  });
  server.on('/api/text', { body: 'plain text' });
  const error = failure(await get(page, '/api/x'));
  const { kind, status, attempts, retryable, requestId, cause } = error;
  assert.deepEqual(
    [kind, status, attempts, retryable, requestId, cause.name],
    ['parse', 200, 1, false, 'r3', 'SyntaxError'],
  );
  assert.equal(failure(await get(page, '/api/text', { parse: 'json' })).kind, 'parse');
  assert.equal(server.requestsTo('/api/x').length, 1, 'not sent again');
});

test('an error page in HTML is an error with the text of the page', async (t) => {
  const { server, page } = await open(t, ONCE);
  const html = '<!doctype html><title>Bad gateway</title>';
  server.on('/api/x', { status: 502, headers: { 'Content-Type': 'text/html' }, body: html });
  for (const parse of ['auto', 'json', 'text', 'blob', 'none']) {
    const error = failure(await get(page, '/api/x', { parse }));
    assert.deepEqual([error.kind, error.status, error.body], ['unavailable', 502, html], parse);
  }
});

test('the body of an error is JSON where it can be, else text, else nothing', async (t) => {
  const { server, page } = await open(t, ONCE);
  const bodyOf = async (/** @type {any} */ step) => {
    server.on('/api/x', { status: 400, ...step });
    return failure(await get(page, '/api/x')).body;
  };
  assert.deepEqual(
    await bodyOf({
      headers: { 'Content-Type': 'application/problem+json; charset=utf-8' },
      body: '{"title":"no"}',
    }),
    { title: 'no' },
  );
  assert.deepEqual(await bodyOf({ headers: { 'Content-Type': null }, body: '{"a":1}' }), { a: 1 });
  assert.equal(await bodyOf({ headers: { 'Content-Type': 'application/json' }, body: '{oops' }), '{oops');
  assert.equal(await bodyOf({ body: 'plain' }), 'plain');
  assert.equal(await bodyOf({ body: { base64: 'AAEC' } }), null);
  assert.equal(await bodyOf({}), null);
});

test('a redirect is followed, and its end is what counts', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/old', { status: 307, headers: { Location: '/api/new' } });
  server.on('/api/new', { body: { here: true } });
  assert.deepEqual((await get(page, '/api/old')).data, { here: true });
  server.on('/api/new', 404);
  const error = failure(await get(page, '/api/old'));
  assert.deepEqual([error.kind, error.status, error.url], ['notFound', 404, `${server.origin}/api/old`]);
});

test('a redirect that never ends is a network failure', async (t) => {
  const { server, page } = await open(t, ONCE);
  server.on('/api/x', { status: 302, headers: { Location: '/api/x' } });
  assert.equal(failure(await get(page, '/api/x')).kind, 'network');
});
