import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open, openFresh } from './calls.mjs';
import { failure, get, post, serve } from './pages.mjs';

const UNSAFE = ['POST', 'PUT', 'PATCH', 'DELETE'];
const LET_IN = {
  cors: { headers: ['x-app-version', 'x-tenant', 'x-csrf-token', 'authorization', 'content-type'] },
};

/** The value of a header in each request that came to a path. @param {import('../server/fault-server.mjs').FaultServer} server @param {string} name */
const sent = (server, name, path = '/api/x') => server.requestsTo(path).map(({ headers }) => headers[name]);

test('fixed headers are sent with every request, and what the call says is stronger', async (t) => {
  const { server, page } = await open(t, { api: { headers: { 'X-Tenant': 'a', 'X-Other': 'o' } } });
  server.on('/api/x', 204);
  await get(page, '/api/x');
  await post(page, '/api/x', {}, { headers: { 'x-tenant': 'b' } });
  await run(page, () => window.app.api.fetch('/api/x', { headers: { 'X-Tenant': 'c' } }));
  assert.deepEqual(sent(server, 'x-tenant'), ['a', 'b', 'c']);
  assert.deepEqual(sent(server, 'x-other'), ['o', 'o', 'o']);
});

for (const [what, config] of /** @type {Array<[string, any]>} */ ([
  [
    'a function',
    () => ({ api: { headers: () => ({ 'X-Tenant': `${window.turn++}` }), backoff: { baseMs: 1 } } }),
  ],
  [
    'an asynchronous function',
    () => ({
      api: {
        headers: async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          return { 'X-Tenant': `${window.turn++}` };
        },
        backoff: { baseMs: 1 },
      },
    }),
  ],
])) {
  test(`${what} is asked for the headers anew for each attempt`, async (t) => {
    const { server, page } = await open(t, config);
    await run(page, () => {
      window.turn = 1;
    });
    server.on('/api/x', [503, 204]);
    assert.ok((await get(page, '/api/x')).ok);
    assert.ok((await post(page, '/api/x', {})).ok);
    assert.deepEqual(sent(server, 'x-tenant'), ['1', '2', '3']);
  });
}

for (const [what, config] of /** @type {Array<[string, any]>} */ ([
  [
    'throws',
    () => ({
      api: {
        headers() {
          throw new Error('no token');
        },
      },
    }),
  ],
  ['rejects', () => ({ api: { headers: () => Promise.reject(new Error('no token')) } })],
])) {
  test(`headers that ${what} are an error of kind invalid with the cause, and nothing is sent`, async (t) => {
    const { server, page } = await open(t, config);
    const results = [await get(page, '/api/x'), await post(page, '/api/x', {})];
    for (const result of results) {
      const { kind, status, attempts, cause } = failure(result);
      assert.deepEqual([kind, status, attempts, cause.message], ['invalid', 0, 0, 'no token']);
    }
    const thrown = await run(page, () => window.app.api.fetch('/api/x').catch((error) => error));
    assert.equal(thrown.name, 'TypeError');
    assert.deepEqual(
      server.requests.filter(({ path }) => path === '/api/x'),
      [],
    );
  });
}

for (const method of ['GET', 'POST']) {
  test(`headers that are not legal are an error of kind invalid: ${method}`, {
    timeout: 60_000,
  }, async (t) => {
    const { server, page } = await open(t, () => ({ api: { headers: () => ({ 'X-Tenant': 'a\nb' }) } }));
    const result = await run(page, (method) => window.app.api.request(method, '/api/x'), method);
    assert.deepEqual([failure(result).kind, result.error.attempts], ['invalid', 0]);
    assert.equal(result.error.cause.name, 'TypeError');
    assert.equal(server.requestsTo('/api/x').length, 0);
  });
  test(`so are those that a promise brings: ${method}`, { timeout: 60_000 }, async (t) => {
    const { server, page } = await open(t, () => ({
      api: { headers: async () => ({ 'X-Tenant': 'a\nb' }) },
    }));
    const result = await run(page, (method) => window.app.api.request(method, '/api/x'), method);
    assert.deepEqual([failure(result).kind, result.error.attempts], ['invalid', 0]);
    assert.equal(server.requestsTo('/api/x').length, 0);
  });
}

test('headers that never come are a timeout, and nothing is sent', async (t) => {
  const { server, page } = await open(t, () => ({
    api: { headers: () => new Promise(() => {}), timeoutMs: 60 },
  }));
  const result = await get(page, '/api/x');
  assert.deepEqual([failure(result).kind, result.error.attempts], ['timeout', 0]);
  const { durationMs } = (await get(page, '/api/x', { timeoutMs: 30_000, deadlineMs: 60 })).meta;
  assert.ok(
    durationMs < 10_000,
    `the deadline bounds the wait for headers too, and not after ${durationMs} ms`,
  );
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('headers, the CSRF header and the version go to trusted origins and to nobody else', async (t) => {
  const [trusted, stranger] = [await serve(t, LET_IN), await serve(t, LET_IN)];
  const { server, page } = await openFresh(t, {
    api: {
      headers: { Authorization: 'Bearer secret', 'X-Tenant': 'a' },
      csrf: { cookie: 'csrf', header: 'X-CSRF-Token' },
      trustedOrigins: [trusted.origin],
    },
    version: { current: 'v7', onMismatch: 'ignore' },
  });
  await page.context().addCookies([{ name: 'csrf', value: 'token', url: server.origin }]);
  for (const { origin } of [server, trusted, stranger]) {
    await get(page, `${origin}/api/x`);
    await post(page, `${origin}/api/x`, {});
    await run(page, (url) => window.app.api.fetch(url, { method: 'PUT' }), `${origin}/api/x`);
  }
  for (const { requests } of [server, trusted].map((server) => ({ requests: server.requestsTo('/api/x') }))) {
    assert.equal(requests.length, 3);
    for (const { headers } of requests)
      assert.deepEqual(
        [headers.authorization, headers['x-tenant'], headers['x-app-version']],
        ['Bearer secret', 'a', 'v7'],
      );
  }
  const strange = stranger.requestsTo('/api/x');
  assert.equal(strange.length, 3);
  for (const { headers } of strange)
    for (const name of ['authorization', 'x-tenant', 'x-app-version', 'x-csrf-token'])
      assert.equal(headers[name], undefined, name);
});

test('what the call itself says goes wherever it is sent', async (t) => {
  const stranger = await serve(t, LET_IN);
  const { page } = await open(t);
  await get(page, `${stranger.origin}/api/x`, { headers: { 'X-Tenant': 'mine' } });
  assert.deepEqual(sent(stranger, 'x-tenant'), ['mine']);
});

test('a redirect to a stranger does not take the headers along', async (t) => {
  const stranger = await serve(t, LET_IN);
  const { server, page } = await open(t, { api: { headers: { Authorization: 'Bearer secret' } } });
  server.on('/api/x', { status: 302, headers: { Location: `${stranger.origin}/api/x` } });
  stranger.on('/api/x', { body: 1 });
  await get(page, '/api/x');
  assert.deepEqual(sent(stranger, 'authorization'), [undefined]);
});

test('the CSRF cookie is copied into its header on unsafe requests only', async (t) => {
  const { server, page } = await openFresh(t, { api: { csrf: { cookie: 'csrf', header: 'X-CSRF-Token' } } });
  server.on((request) => request.path === '/api/x', 204);
  const call = (method) => run(page, (method) => window.app.api.request(method, '/api/x'), method);
  await page.context().addCookies([
    { name: 'other-csrf', value: 'wrong', url: server.origin },
    { name: 'csrf', value: 'a%20b==', url: server.origin },
  ]);
  for (const method of ['GET', 'HEAD', 'OPTIONS', ...UNSAFE]) await call(method);
  const seen = Object.fromEntries(
    server.requests
      .filter(({ path }) => path === '/api/x')
      .map(({ method, headers }) => [method, headers['x-csrf-token']]),
  );
  assert.deepEqual(seen, {
    GET: undefined,
    HEAD: undefined,
    OPTIONS: undefined,
    ...Object.fromEntries(UNSAFE.map((method) => [method, 'a%20b=='])),
  });
});

test('a cookie that changes or goes is followed, also between attempts', async (t) => {
  const { server, page } = await openFresh(t, { api: { csrf: { cookie: 'csrf', header: 'X-CSRF-Token' } } });
  await page.context().addCookies([{ name: 'csrf', value: 'first', url: server.origin }]);
  server.on('/api/x', [{ status: 503, headers: { 'Set-Cookie': 'csrf=second; Path=/' } }, 204]);
  await run(page, () => window.app.api.put('/api/x', {}));
  await page.context().clearCookies();
  await run(page, () => window.app.api.delete('/api/x'));
  assert.deepEqual(sent(server, 'x-csrf-token'), ['first', 'second', undefined]);
});

test("same-origin requests carry X-App-Version with the page's version, under the name that was configured", async (t) => {
  const { server, page } = await open(t, {
    version: { current: '2026.7+a1', header: 'X-Build', onMismatch: 'ignore' },
  });
  await get(page, '/api/x');
  assert.deepEqual([sent(server, 'x-build'), sent(server, 'x-app-version')], [['2026.7+a1'], [undefined]]);
  const { server: plain, page: without } = await open(t);
  await get(without, '/api/y');
  assert.deepEqual(sent(plain, 'x-app-version', '/api/y'), [undefined]);
});

test('426 is outdated, and is not tried again', async (t) => {
  const { server, page } = await open(t, { version: { current: 'v0', onMismatch: 'ignore' } });
  server.on('/api/x', { status: 426, body: { code: 'upgrade' } });
  const { kind, status, attempts, retryable } = failure(await get(page, '/api/x'));
  assert.deepEqual([kind, status, attempts, retryable], ['outdated', 426, 1, false]);
  assert.deepEqual(sent(server, 'x-app-version'), ['v0']);
});

test("URLs are resolved against the document's base", async (t) => {
  const { server, page } = await openFresh(t, {}, { path: '/deep/page' });
  server.on('/deep/data/x', { body: 1 });
  server.on('/deep/y', { body: 2 });
  assert.equal((await get(page, 'y')).data, 2);
  await run(page, () => {
    document.head.insertAdjacentHTML('beforeend', '<base href="/deep/data/">');
  });
  assert.equal((await get(page, 'x')).data, 1);
  assert.equal((await get(page, '/deep/y')).data, 2);
});

test('a relative baseUrl is resolved against the page', async (t) => {
  const { server, page } = await open(t, { baseUrl: '/api/v2/' });
  server.on('/api/v2/x', { body: 1 });
  server.on('/api/y', { body: 2 });
  assert.equal((await get(page, 'x')).data, 1);
  assert.equal((await get(page, '../y')).data, 2);
  const result = await run(page, () => window.app.api.get(new URL('/api/y', location.href)));
  assert.equal(result.data, 2);
});

test('an absolute baseUrl is where relative URLs go, and its origin is trusted', async (t) => {
  const api = await serve(t, LET_IN);
  const { server, page } = await open(t, {
    baseUrl: `${api.origin}/v1/`,
    api: { headers: { 'X-Tenant': 'a' } },
  });
  api.on('/v1/x', { body: 1 });
  server.on('/api/y', { body: 2 });
  assert.equal((await get(page, 'x')).data, 1);
  assert.equal((await get(page, `${server.origin}/api/y`)).data, 2);
  assert.deepEqual([sent(api, 'x-tenant', '/v1/x'), sent(server, 'x-tenant', '/api/y')], [['a'], ['a']]);
  assert.deepEqual(await run(page, () => window.app.api.fetch('x').then((response) => response.text())), '1');
});

test('credentials are same-origin unless the client or the call says otherwise', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await openFresh(t);
  const cookies = (at) => at.requestsTo('/api/x').map((request) => request.cookie('who'));
  await page.context().addCookies([{ name: 'who', value: 'ada', url: server.origin }]); // ports share cookies
  await get(page, '/api/x');
  await get(page, '/api/x', { credentials: 'omit' });
  await get(page, `${other.origin}/api/x`);
  await get(page, `${other.origin}/api/x`, { credentials: 'include' });
  assert.deepEqual(
    [cookies(server), cookies(other)],
    [
      ['ada', null],
      [null, 'ada'],
    ],
  );
  await run(
    page,
    (url) => {
      const { api, dispose } = window.evenkeel.createStability({ api: { credentials: 'include' } });
      return api.get(url).finally(dispose);
    },
    `${other.origin}/api/x`,
  );
  await until(() => cookies(other).length === 3);
  assert.equal(cookies(other)[2], 'ada');
});
