import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { start } from '../server/wire.mjs';

/** Does not let WebAssembly be compiled. */
const POLICY = "default-src 'self' http://127.0.0.1:*; script-src 'self'; img-src data:";

const browser = await launchBrowser({ after });

/**
 * A page whose policy blocks WebAssembly. The test fails when its console says more than the browser's own word on that.
 * @param {import('node:test').TestContext} t @param {any} [config] @param {string} [policy] '' lets the module run
 */
async function open(t, config = {}, policy = POLICY) {
  const server = await start(t);
  const page = await openPage(t, {
    browser,
    server,
    config,
    headers: policy ? { 'Content-Security-Policy': policy } : undefined,
  });
  t.after(() =>
    assert.deepEqual(
      page.problems.filter(({ text }) => !/Content.Security.Policy/i.test(text)),
      [],
    ),
  );
  if (policy)
    await until(() =>
      run(page, () =>
        window.app.ready.then(
          () => false,
          () => true,
        ),
      ),
    );
  return { server, page };
}

const get = (page, url, options) =>
  run(page, ({ url, options }) => window.app.api.get(url, options), { url, options });

test('`ready` rejects with kind runtime, and the store says failed', async (t) => {
  const { page } = await open(t);
  const error = await run(page, () => window.app.ready.catch((error) => error));
  assert.deepEqual([error.name, error.kind, error.retryable], ['StabilityError', 'runtime', false]);
  assert.match(`${error.cause.name} ${error.cause.message}`, /CompileError|Content Security Policy/);
  const state = await run(page, () => window.app.runtime.getSnapshot());
  assert.deepEqual([state.status, state.error.kind], ['failed', 'runtime']);
  const { events } = await run(page, () => window.app.diagnostics());
  assert.deepEqual(
    events.filter(({ type }) => type === 'runtime').map(({ status }) => status),
    ['failed'],
  );
});

test('every verb is answered, with the result shape of a page that has the module', async (t) => {
  const shapes = [];
  for (const policy of [POLICY, '']) {
    const { server, page } = await open(t, { api: { retries: 0 } }, policy);
    server.on(
      (request) => request.path === '/api/x',
      (request) => ({ body: { got: request.body || null } }),
    );
    server.on('/api/bad', { status: 422, body: { code: 'c' }, headers: { 'X-Request-Id': 'r1' } });
    const results = await run(page, async () => {
      const { api } = window.app;
      const results = [
        await api.get('/api/x'),
        await api.head('/api/x'),
        await api.post('/api/x', { a: 1 }),
        await api.put('/api/x', 'text'),
        await api.patch('/api/x', new URLSearchParams({ a: '1' })),
        await api.delete('/api/x'),
        await api.request('OPTIONS', '/api/x'),
        await api.get('/api/x', { parse: 'text' }),
        await api.get('/api/bad'),
      ];
      return results.map(({ headers, ...result }) => ({ ...result, type: headers.get('content-type') }));
    });
    for (const result of results) {
      result.meta.durationMs = typeof result.meta.durationMs;
      if (result.error) result.error.url = new URL(result.error.url).pathname;
      if (result.error) result.error.message = result.error.message.replace(/http:\S+:\d+/, '');
    }
    shapes.push(results);
  }
  assert.deepEqual(shapes[0], shapes[1]);
  assert.equal(shapes[0][2].data.got, '{"a":1}');
  assert.equal(shapes[0][8].error.requestId, 'r1');
});

test('query, headers, credentials, CSRF, version, key and hooks are sent as ever', async (t) => {
  const { server, page } = await open(t, () => ({
    version: { current: 'v1' },
    baseUrl: '/api/',
    api: {
      headers: async () => ({ 'X-Tenant': 'a' }),
      csrf: { cookie: 'csrf', header: 'X-CSRF-Token' },
      onRequest(request, { attempt }) {
        const headers = new Headers(request.headers);
        headers.set('X-Attempt', `${attempt}`);
        return new Request(request, { headers });
      },
      onResponse: (response) => new Response(response.body, { status: 202 }),
    },
  }));
  await page.context().addCookies([
    { name: 'csrf', value: 't', url: server.origin },
    { name: 'who', value: 'ada', url: server.origin },
  ]);
  server.on('/api/x', { body: [1] });
  const result = await run(page, () =>
    window.app.api.post(
      'x',
      { a: 1 },
      { query: { q: ['a', 'b'], none: null }, idempotencyKey: 'k', parse: 'json' },
    ),
  );
  assert.deepEqual([result.ok, result.status, result.data], [true, 202, [1]]);
  const [{ url, headers }] = server.requestsTo('/api/x');
  assert.equal(url, '/api/x?q=a&q=b');
  const names = [
    'x-tenant',
    'x-csrf-token',
    'x-app-version',
    'x-attempt',
    'idempotency-key',
    'cache-control',
  ];
  assert.deepEqual(
    names.map((name) => headers[name]),
    ['a', 't', 'v1', '1', 'k', 'no-cache'],
  );
  assert.match(headers.cookie, /who=ada/);
});

test('nothing of the client goes to a stranger', async (t) => {
  const stranger = await start(t, { cors: true });
  const { page } = await open(t, {
    version: { current: 'v1' },
    api: { headers: { Authorization: 'Bearer x' } },
  });
  await get(page, `${stranger.origin}/api/x`);
  const [{ headers }] = stranger.requestsTo('/api/x');
  assert.deepEqual([headers.authorization, headers['x-app-version']], [undefined, undefined]);
});

test('one fetch is made: no retries, no sharing, no queue', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1, breaker: { consecutive: 1 } } });
  server.on('/api/x', { status: 503, headers: { 'Retry-After': '7' }, body: { code: 'down' }, delayMs: 20 });
  const results = await run(page, () => Promise.all([1, 2, 3].map(() => window.app.api.get('/api/x'))));
  for (const { error, meta } of results) {
    assert.deepEqual(
      [error.kind, error.attempts, error.retryAfterMs, error.body.code],
      ['unavailable', 1, 7_000, 'down'],
    );
    assert.equal(meta.shared, false);
  }
  assert.equal(server.requestsTo('/api/x').length, 3);
});

/** @type {Array<[what: string, answer: any, kind: string | null, status: number]>} */
const ENDS = [
  ['400', 400, 'invalid', 400],
  ['401', 401, 'authUnknown', 401],
  ['403', 403, 'forbidden', 403],
  ['404', 404, 'notFound', 404],
  ['409', 409, 'conflict', 409],
  ['413', 413, 'tooLarge', 413],
  ['426', 426, 'outdated', 426],
  ['429', 429, 'rateLimited', 429],
  ['500', 500, 'server', 500],
  ['503', 503, 'unavailable', 503],
  ['a connection that breaks', 'cut', 'network', 0],
  ['a body that breaks', { body: 'half of it', cutAfterBytes: 4 }, 'network', 0],
  ['no answer', 'hang', 'timeout', 0],
  ['a body that goes silent', { body: 'half of it', stallAfterBytes: 4 }, 'timeout', 0],
  ['a body that is too large', { body: 'x'.repeat(2_000) }, 'tooLarge', 200],
  ['broken JSON', { headers: { 'Content-Type': 'application/json' }, body: '{' }, 'parse', 200],
  ['a sign-in page', { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html>' }, 'parse', 200],
  ['nothing at all', 204, null, 204],
];

test('a call ends as it would with the module', async (t) => {
  const options = { api: { retries: 0, maxBodyBytes: 1_000, breaker: false } };
  const [blocked, running] = [await open(t, options), await open(t, options, '')];
  await run(running.page, () => window.app.ready);
  for (const [what, answer, kind, status] of ENDS) {
    const seen = [];
    for (const { server, page } of [blocked, running]) {
      server.clear();
      server.on('/api/x', answer);
      const patience = kind === 'timeout' ? { timeoutMs: 1_000 } : {};
      const { error, status, data, meta } = await get(page, '/api/x', patience);
      seen.push([error?.kind ?? null, error?.attempts, error?.body, status, data, meta.attempts]);
      assert.equal(server.requestsTo('/api/x').length, 1, what);
    }
    assert.deepEqual([seen[0][0], seen[0][3]], [kind, status], what);
    assert.deepEqual(seen[0], seen[1], what);
  }
});

test('offline is offline', async (t) => {
  const { page } = await open(t);
  await page.context().setOffline(true);
  await until(() => run(page, () => !navigator.onLine));
  const { error } = await get(page, '/api/x');
  assert.deepEqual([error.kind, error.attempts], ['offline', 1]);
});

test('the deadline and the signal of the call end it, and the request with it', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 'hang');
  const late = await get(page, '/api/x', { deadlineMs: 80 });
  assert.equal(late.error.kind, 'timeout');
  const aborted = await run(page, async () => {
    const control = new AbortController();
    const call = window.app.api.get('/api/x', { signal: control.signal });
    setTimeout(() => control.abort('enough'), 50);
    return call;
  });
  assert.deepEqual([aborted.error.kind, aborted.error.cause], ['aborted', 'enough']);
  await until(() => server.requestsTo('/api/x').every(({ closedEarlyAt }) => closedEarlyAt));
});

test('a hook that throws or never ends, and headers that cannot be sent, are what they are with the module', async (t) => {
  const kinds = [];
  for (const policy of [POLICY, '']) {
    const { page } = await open(t, () => ({}), policy);
    kinds.push(
      await run(page, async () => {
        const never = () => new Promise(() => {});
        const configs = [
          { onRequest: () => Promise.reject(new Error('a')) },
          { onResponse: () => Promise.reject(new Error('b')) },
          { onRequest: never, timeoutMs: 80, retries: 0 },
          { onResponse: never, timeoutMs: 80, retries: 0 },
          { headers: () => ({ 'X-A': 'a\nb' }) },
          { headers: never, timeoutMs: 80 },
        ];
        const results = configs.map(async (api) => {
          const app = window.evenkeel.createStability({ api });
          await app.ready.catch(() => {});
          const { error } = await app.api.get('/api/x');
          app.dispose();
          return [error.kind, error.attempts];
        });
        return Promise.all(results);
      }),
    );
  }
  assert.deepEqual(kinds[0], [
    ['invalid', 0],
    ['invalid', 1],
    ['timeout', 0],
    ['timeout', 1],
    ['invalid', 0],
    ['timeout', 0],
  ]);
  assert.deepEqual(kinds[0], kinds[1]);
});

test('fetch behaves as fetch does', async (t) => {
  const { server, page } = await open(t, { api: { timeoutMs: 2_500 } });
  server.on('/api/x', { status: 503, body: { a: 1 } });
  server.on('/api/hang', 'hang');
  server.on('/api/cut', 'cut');
  const seen = await run(page, async () => {
    const { fetch } = window.app.api;
    const response = await fetch('/api/x');
    return [
      response.status,
      await response.json(),
      await fetch('/api/hang').catch(({ name }) => name),
      await fetch('/api/cut').catch(({ name }) => name),
      await fetch('/api/hang', { signal: AbortSignal.abort() }).catch(({ name }) => name),
    ];
  });
  assert.deepEqual(seen, [503, { a: 1 }, 'TimeoutError', 'TypeError', 'AbortError']);
});

test('pages go on by cursor, by number and by Link', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/cursor', [{ body: { items: [1], nextCursor: 'b' } }, { body: { items: [2] } }]);
  server.on('/api/page', [{ body: [1] }, { body: [] }]);
  server.on('/api/link', [
    { body: [1], headers: { Link: '</api/none>; rel="prev", </api/link?p=2>; title="b"; rel="next last"' } },
    { body: [2], headers: { Link: '</api/none>; rel="nextish"' } },
  ]);
  const read = await run(page, async () => {
    const pages = {};
    for (const by of ['cursor', 'page', 'link']) {
      pages[by] = [];
      for await (const items of window.app.api.pages(`/api/${by}`, { limit: 1, by }))
        pages[by].push(...items);
    }
    return pages;
  });
  assert.deepEqual(read, { cursor: [1, 2], page: [1], link: [1, 2] });
});

test('activity, notices and diagnostics go on, and dispose ends what runs', async (t) => {
  const { server, page } = await open(t, () => {
    window.notices = [];
    return { onNotice: ({ kind }) => window.notices.push(kind) };
  });
  server.on('/api/x', 'hang');
  server.on('/api/down', 503);
  await get(page, '/api/down');
  await run(page, () => {
    window.call = window.app.api.get('/api/x');
  });
  const sent = await server.waitFor('/api/x');
  const after = await run(page, async () => {
    const during = window.app.api.activity.getSnapshot().pending;
    window.app.dispose();
    const { error } = await window.call;
    const later = await window.app.api.get('/api/later');
    const { counters } = window.app.diagnostics();
    return [
      during,
      error.kind,
      later.error.kind,
      window.app.api.activity.getSnapshot().pending,
      counters.requests,
    ];
  });
  assert.deepEqual(after, [1, 'aborted', 'aborted', 0, 2]);
  assert.deepEqual(await run(page, () => window.notices), ['unavailable']);
  await until(() => sent.closedEarlyAt);
  assert.equal(server.requestsTo('/api/later').length, 0);
});
