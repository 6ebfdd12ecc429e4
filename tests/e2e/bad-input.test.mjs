import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { failure, get, open, request } from './pages.mjs';

/** @param {any} result */
function invalid(result) {
  const error = failure(result);
  const { kind, status, attempts, retryable } = error;
  assert.deepEqual([kind, status, attempts, retryable], ['invalid', 0, 0, false], JSON.stringify(error));
  assert.equal(result.headers, null);
  return error;
}

test('a body that cannot be sent is a value', async (t) => {
  const { server, page } = await open(t);
  const results = await run(page, () => {
    /** @type {any} */
    const circular = {};
    circular.self = circular;
    const locked = new ReadableStream();
    locked.getReader();
    const bodies = {
      circular,
      bigint: { n: 1n },
      function: () => {},
      symbol: Symbol('s'),
      'a toJSON that throws': {
        toJSON() {
          throw new Error('not today');
        },
      },
      'a stream that is read elsewhere': locked,
    };
    return Promise.all(
      Object.entries(bodies).map(async ([name, body]) => [name, await window.app.api.post('/api/x', body)]),
    );
  });
  for (const [name, result] of results) {
    const { cause } = invalid(result);
    assert.equal(cause.name, name.includes('throws') ? 'Error' : 'TypeError', name);
  }
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('a body with a method that has none is a value', async (t) => {
  const { server, page } = await open(t);
  for (const method of ['GET', 'HEAD'])
    assert.equal(invalid(await request(page, method, '/api/x', { a: 1 })).cause.name, 'TypeError');
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('a method that cannot be sent is a value', async (t) => {
  const { server, page } = await open(t);
  for (const method of ['TRACE', 'CONNECT', 'NO SUCH', ''])
    assert.equal(invalid(await request(page, method, '/api/x')).cause.name, 'TypeError', method);
  const results = await run(page, () =>
    Promise.all(
      [undefined, null, 7, {}].map((method) => window.app.api.request(/** @type {any} */ (method), '/api/x')),
    ),
  );
  for (const result of results) assert.equal(invalid(result).cause.name, 'TypeError');
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('headers that are not legal are a value', async (t) => {
  const { server, page } = await open(t);
  for (const headers of [
    { 'not a name': 'x' },
    { '': 'x' },
    { 'X-A': 'a\nb' },
    { 'X-A': 'ā' },
    { 'X:': 'x' },
  ])
    assert.equal(invalid(await get(page, '/api/x', { headers })).cause.name, 'TypeError');
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('a URL that does not parse is a value', async (t) => {
  const { server, page } = await open(t);
  for (const url of ['http://', 'http://[', '//', 'http://:80', 'http://a:99999/'])
    assert.equal(invalid(await get(page, url)).cause.name, 'TypeError', url);
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('a URL that is no string is a value', async (t) => {
  const { page } = await open(t);
  const results = await run(page, () => {
    const { api } = window.app;
    const urls = [
      Symbol('s'),
      Object.create(null),
      {
        toString() {
          throw new Error('not today');
        },
      },
    ];
    return Promise.all(urls.map((url) => api.get(/** @type {any} */ (url))));
  });
  for (const result of results) invalid(result);
});

test('an address that no page can fetch is a value', async (t) => {
  const { page } = await open(t);
  for (const url of ['ftp://example.com/x', 'mailto:ada@example.com', 'javascript:alert(1)'])
    assert.equal(invalid(await get(page, url)).cause.name, 'TypeError', url);
});

test('a URL with credentials is a value, and the credentials are in no message', async (t) => {
  const { server, page } = await open(t);
  const url = server.origin.replace('//', '//ada:secret@');
  const error = invalid(await get(page, `${url}/api/x`));
  assert.equal(error.url, `${server.origin}/api/x`);
  assert.doesNotMatch(JSON.stringify(error), /ada|secret/);
  assert.equal(server.requestsTo('/api/*').length, 0);
});

/** @type {Array<[option: string, value: unknown, allowed: RegExp]>} */
const WRONG = [
  ['retries', '3', /whole number from 0 to 20/],
  ['retries', -1, /whole number from 0 to 20/],
  ['retries', 1.5, /whole number/],
  ['timeoutMs', '1s', /number from/],
  ['timeoutMs', 0, /number from 1/],
  ['deadlineMs', 1e12, /number from 1 to/],
  ['query', 'a=1', /an object/],
  ['headers', 'Accept: a', /Headers or an object/],
  ['signal', 'no signal', /an AbortSignal/],
  ['signal', {}, /an AbortSignal/],
  ['idempotencyKey', '', /printable ASCII.* or true/],
  ['idempotencyKey', 'ä', /printable ASCII/],
  ['idempotencyKey', false, /printable ASCII/],
  ['priority', 'high', /critical\|normal\|background/],
  ['dedupe', 1, /true or false/],
  ['parse', 'xml', /auto\|json\|text/],
  ['schema', {}, /a Standard Schema/],
  ['notify', 'no', /true or false/],
  ['credentials', 'all', /same-origin\|include\|omit/],
  ['keepalive', 'yes', /true or false/],
];

test('an option of the wrong kind is a value that names the option, the value and what is allowed', async (t) => {
  const { server, page } = await open(t);
  for (const [option, value, allowed] of WRONG) {
    const { cause } = invalid(await get(page, '/api/x', { [option]: value }));
    assert.match(cause.name, /^(TypeError|RangeError)$/);
    assert.match(cause.message, new RegExp(`options\\.${option}\\b`));
    assert.match(cause.message, allowed);
    const shown =
      typeof value === 'object' || value === 'ä' || option === 'headers' || value === 'a=1'
        ? /got \w+$/
        : new RegExp(`got .*${value}`);
    assert.match(cause.message, shown);
  }
  const unknown = invalid(await get(page, '/api/x', { retry: 3 }));
  assert.match(unknown.cause.message, /retry/);
  invalid(await get(page, '/api/x', /** @type {any} */ ('options')));
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('a value of a query that cannot be written is a value', async (t) => {
  const { server, page } = await open(t);
  for (const value of [{ a: 1 }, [{ a: 1 }]]) {
    const { cause } = invalid(await get(page, '/api/x', { query: { page: value } }));
    assert.match(cause.message, /options\.query\.page/);
  }
  const results = await run(page, () =>
    Promise.all(
      [Number.NaN, Number.POSITIVE_INFINITY, Symbol('s')].map((value) =>
        window.app.api.get('/api/x', { query: { page: /** @type {any} */ (value) } }),
      ),
    ),
  );
  for (const result of results) invalid(result);
  assert.equal(server.requestsTo('/api/*').length, 0);
});

test('a hook that throws, or rejects, is a value with what was thrown', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  const results = await run(page, () => {
    const boom = () => {
      throw new Error('boom');
    };
    const later = async () => boom();
    const hooks = [
      { headers: boom },
      { headers: later },
      { onRequest: boom },
      { onRequest: later },
      { onResponse: boom },
      { onResponse: later },
    ];
    return Promise.all(
      hooks.map(async (api) => {
        const app = window.evenkeel.createStability({ api });
        const result = await app.api.get('/api/x');
        app.dispose();
        return [Object.keys(api)[0], result];
      }),
    );
  });
  for (const [name, result] of results) {
    const { kind, status, cause } = failure(result);
    assert.deepEqual([kind, status, cause.message], ['invalid', 0, 'boom'], name);
  }
  assert.equal(server.requestsTo('/api/x').length, 2, 'the two that had an answer, and no attempt more');
});

test('headers of the configuration that are not legal are a value', async (t) => {
  const { server, page } = await open(t, () => ({ api: { headers: () => ({ 'not a name': 'x' }) } }));
  assert.equal(failure(await get(page, '/api/x')).kind, 'invalid');
  assert.equal(server.requestsTo('/api/*').length, 0);
});
