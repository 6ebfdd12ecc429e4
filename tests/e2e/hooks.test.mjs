import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { open, openFresh } from './calls.mjs';
import { failure, get, post } from './pages.mjs';

test('onRequest sees each attempt with its number, onResponse each response with its request', async (t) => {
  const { server, page } = await open(t, () => {
    window.seen = [];
    return {
      api: {
        backoff: { baseMs: 1 },
        onRequest(request, { attempt }) {
          window.seen.push(['request', attempt, request.method, new URL(request.url).pathname]);
        },
        onResponse(response, request) {
          window.seen.push(['response', response.status, request.method, new URL(request.url).pathname]);
        },
      },
    };
  });
  server.on('/api/x', [503, 'cut', { body: 1 }]);
  assert.ok((await get(page, '/api/x')).ok);
  assert.deepEqual(await run(page, () => window.seen), [
    ['request', 1, 'GET', '/api/x'],
    ['response', 503, 'GET', '/api/x'],
    ['request', 2, 'GET', '/api/x'],
    ['request', 3, 'GET', '/api/x'],
    ['response', 200, 'GET', '/api/x'],
  ]);
});

test('onRequest may replace the request, at once or later', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      backoff: { baseMs: 1 },
      async onRequest(request, { attempt }) {
        await Promise.resolve();
        const headers = new Headers(request.headers);
        headers.set('X-Attempt', `${attempt}`);
        return new Request(request, { headers });
      },
    },
  }));
  server.on('/api/x', [503, { body: 1 }]);
  assert.ok((await run(page, () => window.app.api.put('/api/x', { a: 'ä' }))).ok);
  const requests = server.requestsTo('/api/x');
  assert.deepEqual(
    requests.map(({ headers, body, method }) => [headers['x-attempt'], body, method]),
    [
      ['1', '{"a":"ä"}', 'PUT'],
      ['2', '{"a":"ä"}', 'PUT'],
    ],
  );
});

test('onRequest may add to the headers of the request that it was given', async (t) => {
  const { server, page } = await open(t, () => ({
    api: { onRequest: (request) => void request.headers.set('X-Trace', 't1') },
  }));
  await post(page, '/api/x', {});
  assert.equal(server.requestsTo('/api/x')[0].headers['x-trace'], 't1');
});

test('onRequest sees what is sent: standing headers, version, CSRF and the key', async (t) => {
  const { server, page } = await openFresh(t, () => ({
    version: { current: 'v1' },
    api: {
      headers: { 'X-Tenant': 'a' },
      csrf: { cookie: 'csrf', header: 'X-CSRF-Token' },
      onRequest(request) {
        window.headers = new Headers(request.headers);
      },
    },
  }));
  await page.context().addCookies([{ name: 'csrf', value: 'c1', url: server.origin }]);
  await post(page, '/api/x', { a: 1 }, { idempotencyKey: 'k1' });
  const headers = await run(page, () => window.headers);
  assert.deepEqual(headers, {
    'content-type': 'application/json',
    'idempotency-key': 'k1',
    'x-app-version': 'v1',
    'x-csrf-token': 'c1',
    'x-tenant': 'a',
  });
});

test('onResponse may replace the response', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      async onResponse(response) {
        const { data } = await response.json();
        return Response.json(data, { status: 201 });
      },
    },
  }));
  server.on('/api/x', { body: { data: [1] } });
  const { status, data } = await get(page, '/api/x');
  assert.deepEqual([status, data], [201, [1]]);
});

test('a status that onResponse makes decides over retries', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      backoff: { baseMs: 1 },
      onResponse: (response) =>
        response.headers.has('X-Soft-Error') ? new Response(null, { status: 503 }) : undefined,
    },
  }));
  server.on('/api/x', [{ headers: { 'X-Soft-Error': '1' }, body: {} }, { body: 1 }]);
  const { data, meta } = await get(page, '/api/x');
  assert.deepEqual([data, meta.attempts], [1, 2]);
});

for (const [hook, throws] of /** @type {Array<[string, any]>} */ ([
  ['onRequest', 'throw'],
  ['onRequest', 'reject'],
  ['onResponse', 'throw'],
  ['onResponse', 'reject'],
])) {
  test(`${hook} that ends in a ${throws} is an error of kind invalid with the cause, and is not tried again`, async (t) => {
    const config = `() => ({ api: { ${hook}: ${throws === 'throw' ? '' : 'async '}() => { throw new Error('of the app'); } } })`;
    const { server, page } = await open(t, new Function(`return ${config}`)());
    server.on('/api/x', { body: 1 });
    const { kind, status, attempts, cause } = failure(await get(page, '/api/x'));
    const requests = server.requestsTo('/api/x').length;
    assert.deepEqual([kind, status, cause.message], ['invalid', 0, 'of the app']);
    assert.equal(requests, hook === 'onRequest' ? 0 : 1);
    assert.equal(attempts, requests, 'attempts are requests that were sent');
    assert.equal(
      await run(page, () => window.app.api.fetch('/api/x').catch(({ name }) => name)),
      'TypeError',
    );
  });
}

for (const hook of ['onRequest', 'onResponse']) {
  test(`${hook} that never ends is bounded by the timeout`, async (t) => {
    const config = `() => ({ api: { retries: 0, timeoutMs: 1_500, ${hook}: () => new Promise(() => {}) } })`;
    const { server, page } = await open(t, new Function(`return ${config}`)());
    server.on('/api/x', { body: 1 });
    assert.equal(failure(await get(page, '/api/x')).kind, 'timeout');
    assert.equal(server.requestsTo('/api/x').length, hook === 'onRequest' ? 0 : 1);
  });

  test(`${hook} that never ends ends with its caller's signal`, async (t) => {
    const config = `() => ({ api: { ${hook}: () => { window.called = true; return new Promise(() => {}); } } })`;
    const { server, page } = await open(t, new Function(`return ${config}`)());
    server.on('/api/x', { body: 1 });
    const result = await run(page, async () => {
      const control = new AbortController();
      window.called = false;
      const call = window.app.api.get('/api/x', { signal: control.signal });
      while (!window.called) await new Promise((resolve) => setTimeout(resolve));
      control.abort();
      return call;
    });
    assert.equal(failure(result).kind, 'aborted');
  });
}

test('hooks see the requests of api.fetch as well', async (t) => {
  const { server, page } = await open(t, () => ({
    api: {
      onRequest: (request) => new Request(request, { headers: { 'X-Trace': 't1' } }),
      onResponse: () => new Response('changed'),
    },
  }));
  server.on('/api/x', { body: 'original' });
  const text = await run(page, async () => (await window.app.api.fetch(new Request('/api/x'))).text());
  assert.equal(text, 'changed');
  assert.equal(server.requestsTo('/api/x')[0].headers['x-trace'], 't1');
});
