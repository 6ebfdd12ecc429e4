import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { failure, gaps, get, noteWaits, open, post, request, waits } from './pages.mjs';

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
const RETRIED = [408, 425, 429, 500, 502, 503, 504];
const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const FREE = { breaker: false, retryBudget: false, rateLimit: false };
/** So long is waited for what never comes; what comes has time enough. */
const HANGS = { timeoutMs: 2_000 };

for (const method of IDEMPOTENT) {
  test(`${method} is sent again after a network failure, a timeout and the retry statuses`, async (t) => {
    const { server, page } = await open(t, { api: { ...FREE, retries: 1 } });
    const body = method === 'PUT' ? { a: 1 } : undefined;
    for (const fault of /** @type {const} */ (['cut', 'hang', ...RETRIED])) {
      const path = `/api/${fault}`;
      server.on(path, [fault, fault === 408 ? 204 : { status: 204 }]);
      const result = await request(page, method, path, body, fault === 'hang' ? HANGS : {});
      assert.equal(result.ok, true, `${fault}: ${result.error?.message}`);
      assert.equal(result.status, 204);
      const sent = server.requestsTo(path);
      assert.deepEqual(
        sent.map((one) => [one.method, one.body]),
        sent.map(() => [method, body ? '{"a":1}' : '']),
      );
      // A 408 is repeated by Chromium itself.
      if (fault !== 408) assert.deepEqual([sent.length, result.meta.attempts], [2, 2], `${fault}`);
    }
  });
}

for (const method of ['POST', 'PATCH']) {
  test(`${method} without an idempotency key is never sent again`, async (t) => {
    const { server, page } = await open(t, { api: { ...FREE, retries: 3, ...HANGS } });
    for (const fault of /** @type {const} */ ([
      'cut',
      'hang',
      ...RETRIED.filter((status) => status !== 408),
    ])) {
      server.on(`/api/${fault}`, fault);
      const error = failure(await request(page, method, `/api/${fault}`, { a: 1 }));
      assert.equal(error.attempts, 1);
      assert.equal(server.requestsTo(`/api/${fault}`).length, 1, `${fault}`);
    }
  });

  test(`${method} with an idempotency key is sent again, with the same key on each attempt`, async (t) => {
    const { server, page } = await open(t, { api: { ...FREE, ...HANGS } });
    server.on('/api/x', ['cut', 503, 'hang', { body: { id: 7 } }]);
    const result = await request(page, method, '/api/x', { a: 1 }, { idempotencyKey: true });
    assert.deepEqual([result.data, result.meta.attempts], [{ id: 7 }, 4]);
    const sent = server.requestsTo(`${method} /api/x`);
    const keys = sent.map(({ headers }) => headers['idempotency-key']);
    assert.match(keys[0], UUID);
    assert.deepEqual(keys, Array(4).fill(keys[0]));
    assert.deepEqual(
      sent.map(({ body, headers }) => [body, headers['content-type']]),
      Array(4).fill(['{"a":1}', 'application/json']),
    );
  });
}

test('a key that a client gave as a header counts too', async (t) => {
  const { server, page } = await open(t, { api: FREE });
  server.on('/api/x', [503, { body: { id: 7 } }]);
  const headers = { 'Idempotency-Key': 'order 7' };
  const result = await request(page, 'POST', '/api/x', { a: 1 }, { headers });
  assert.deepEqual([result.data, result.meta.attempts], [{ id: 7 }, 2]);
  const keys = server.requestsTo('/api/x').map(({ headers }) => headers['idempotency-key']);
  assert.deepEqual(keys, ['order 7', 'order 7']);
});

test('each call gets a key of its own, and a given key is sent as it is', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  await post(page, '/api/x', 1, { idempotencyKey: true });
  await post(page, '/api/x', 1, { idempotencyKey: true });
  await post(page, '/api/x', 1, { idempotencyKey: 'order 7' });
  await post(page, '/api/x', 1);
  await get(page, '/api/x');
  const keys = server.requestsTo('/api/x').map(({ headers }) => headers['idempotency-key']);
  assert.match(keys[0], UUID);
  assert.match(keys[1], UUID);
  assert.notEqual(keys[0], keys[1]);
  assert.deepEqual(keys.slice(2), ['order 7', undefined, undefined]);
});

test('no other status is tried again', async (t) => {
  const { server, page } = await open(t, { api: { ...FREE, retries: 3 } });
  server.on('/api/*', ({ path }) => ({ status: Number(path.slice(-3)) }));
  const final = [400, 401, 402, 403, 404, 405, 409, 410, 412, 413, 418, 422, 426, 428, 451, 501, 505, 511];
  for (const status of final) {
    const error = failure(await get(page, `/api/${status}`));
    assert.deepEqual([error.status, error.attempts], [status, 1]);
    assert.equal(server.requestsTo(`/api/${status}`).length, 1, `${status}`);
  }
});

test('three retries are made by default, and the last failure is the one that is told', async (t) => {
  const { server, page } = await open(t, { api: { breaker: false } });
  server.on('/api/x', [503, 'cut', { status: 500, body: { n: 3 } }, { status: 502, body: { n: 4 } }]);
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.attempts, error.body], ['unavailable', 502, 4, { n: 4 }]);
  assert.equal(server.requestsTo('/api/x').length, 4);

  server.on('/api/cut', [503, 503, 503, 'cut']);
  const cut = failure(await get(page, '/api/cut'));
  assert.deepEqual([cut.kind, cut.status, cut.attempts], ['network', 0, 4]);
});

test('how many retries are made can be set for the client and for a call', async (t) => {
  const { server, page } = await open(t, { api: { ...FREE, retries: 1 } });
  server.on('/api/*', 503);
  assert.equal(failure(await get(page, '/api/one')).attempts, 2);
  assert.equal(failure(await get(page, '/api/none', { retries: 0 })).attempts, 1);
  assert.equal(failure(await get(page, '/api/five', { retries: 5 })).attempts, 6);
  assert.deepEqual(
    ['one', 'none', 'five'].map((path) => server.requestsTo(`/api/${path}`).length),
    [2, 1, 6],
  );
});

test('the retry statuses can be set', async (t) => {
  const { server, page } = await open(t, { api: { ...FREE, retries: 1, retryStatuses: [404] } });
  server.on('/api/lag', [404, { body: 'there' }]);
  server.on('/api/down', 503);
  assert.equal((await get(page, '/api/lag')).data, 'there');
  assert.equal(failure(await get(page, '/api/down')).attempts, 1);
  assert.deepEqual([server.requestsTo('/api/lag').length, server.requestsTo('/api/down').length], [2, 1]);
});

test('every attempt asks for the headers and runs the hooks anew', async (t) => {
  const { server, page } = await open(t, () => {
    let tokens = 0;
    return {
      api: {
        backoff: { baseMs: 1 },
        headers: async () => ({ Authorization: `Bearer ${++tokens}` }),
        onRequest: (/** @type {Request} */ request, /** @type {{ attempt: number }} */ { attempt }) => {
          request.headers.set('X-Attempt', `${attempt}`);
        },
      },
    };
  });
  server.on('/api/x', [503, 503, 204]);
  assert.equal((await request(page, 'PUT', '/api/x', { a: 1 })).meta.attempts, 3);
  assert.deepEqual(
    server
      .requestsTo('/api/x')
      .map(({ headers, body }) => [headers.authorization, headers['x-attempt'], body]),
    [1, 2, 3].map((n) => [`Bearer ${n}`, `${n}`, '{"a":1}']),
  );
});

test('forms and blobs are sent whole in every attempt', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/form', [503, 'cut', 204]);
  server.on('/api/blob', [503, 'cut', 204]);
  const oks = await run(page, async () => {
    const form = new FormData();
    form.set('a', '1');
    form.set('file', new Blob(['content']), 'a.txt');
    const blob = new Blob(['x'.repeat(100_000)]);
    return [
      (await window.app.api.put('/api/form', form)).ok,
      (await window.app.api.put('/api/blob', blob)).ok,
    ];
  });
  assert.deepEqual(oks, [true, true]);
  const forms = server
    .requestsTo('/api/form')
    .map(({ body }) => /content/.test(body) && /name="a"/.test(body));
  assert.deepEqual(forms, [true, true, true]);
  assert.deepEqual(
    server.requestsTo('/api/blob').map(({ bodyBytes }) => bodyBytes),
    [100_000, 100_000, 100_000],
  );
});

test('the waits without jitter grow by the factor up to the maximum', async (t) => {
  const backoff = { baseMs: 30, factor: 3, maxMs: 200, jitter: 'none' };
  const { server, page } = await open(t, { api: { ...FREE, retries: 4, backoff } });
  await noteWaits(page);
  server.on('/api/x', 503);
  await get(page, '/api/x');
  assert.deepEqual(await waits(page), [30, 90, 200, 200]);
  const apart = gaps(server.requestsTo('/api/x'));
  for (const [i, wait] of [30, 90, 200, 200].entries())
    assert.ok(apart[i] >= wait - 2, `${apart[i]} ms rather than ${wait}`);
});

test('full jitter draws a wait from all of what the backoff allows', async (t) => {
  const { server, page } = await open(t, {
    api: { ...FREE, retries: 2, maxConcurrent: 100, backoff: { baseMs: 100, maxMs: 150 } },
  });
  await noteWaits(page);
  server.on('/api/*', 503);
  await run(page, () => Promise.all(Array.from({ length: 30 }, (_, n) => window.app.api.get(`/api/${n}`))));
  const drawn = await waits(page);
  assert.equal(drawn.length, 60);
  assert.equal(server.requestsTo('/api/*').length, 90);
  assert.ok(Math.max(...drawn) <= 150 && Math.max(...drawn) > 90, `at most ${Math.max(...drawn)}`);
  assert.ok(Math.min(...drawn) < 40, `at least ${Math.min(...drawn)}`);
  assert.ok(new Set(drawn).size > 20, 'they differ');
});

test('a slot is not held during a wait', async (t) => {
  const { server, page } = await open(t, {
    api: { retries: 1, maxConcurrent: 1, backoff: { baseMs: 800, jitter: 'none' } },
  });
  server.on('/api/a', [503, 204]);
  server.on('/api/b', 204);
  const oks = await run(page, async () => {
    const waits = new Promise((resolve) =>
      window.app.on((/** @type {any} */ event) => event.type === 'retry' && resolve(true)),
    );
    const first = window.app.api.get('/api/a');
    await waits;
    const second = window.app.api.get('/api/b');
    return [(await second).ok, (await first).ok];
  });
  assert.deepEqual(oks, [true, true]);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/a', '/api/b', '/api/a'],
  );
});
