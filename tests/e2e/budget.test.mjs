import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failure, get, open, serve } from './pages.mjs';

const FREE = { breaker: false, retries: 3 };

test('retries stop while the budget is empty, first attempts do not', async (t) => {
  const { server, page } = await open(t, {
    api: { ...FREE, retryBudget: { capacity: 5, cost: 1, refund: 0.5 } },
  });
  server.on('/api/*', 503);
  const attempts = [];
  for (let n = 0; n < 5; n++) {
    const error = failure(await get(page, `/api/${n}`));
    assert.equal(error.kind, 'unavailable', 'its last real failure');
    attempts.push(error.attempts);
  }
  assert.deepEqual(attempts, [4, 3, 1, 1, 1]);
  assert.equal(server.requestsTo('/api/*').length, 10);

  server.on('/api/well', 204);
  await get(page, '/api/well');
  assert.equal(failure(await get(page, '/api/6')).attempts, 1, 'half a retry is none');
  await get(page, '/api/well');
  assert.equal(failure(await get(page, '/api/7')).attempts, 2, 'two successes pay for one retry');
  assert.equal(failure(await get(page, '/api/8')).attempts, 1);
});

test('each origin has its own budget', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await open(t, {
    api: { ...FREE, retryBudget: { capacity: 2, cost: 1, refund: 0 } },
  });
  server.on('/api/*', 503);
  other.on('/api/*', 503);
  assert.equal(failure(await get(page, '/api/x')).attempts, 3);
  assert.equal(failure(await get(page, '/api/x')).attempts, 1);
  assert.equal(failure(await get(page, `${other.origin}/api/x`)).attempts, 3);
  assert.equal(failure(await get(page, `${other.origin}/api/x`)).attempts, 1);
  assert.deepEqual([server.requestsTo('/api/x').length, other.requestsTo('GET /api/x').length], [4, 4]);
});

test('timeouts and broken connections are paid for too', async (t) => {
  const { server, page } = await open(t, {
    api: { ...FREE, timeoutMs: 150, retryBudget: { capacity: 1, cost: 1, refund: 0 } },
  });
  server.on('/api/cut', 'cut');
  server.on('/api/hang', 'hang');
  assert.equal(failure(await get(page, '/api/cut')).attempts, 2);
  assert.equal(failure(await get(page, '/api/hang')).attempts, 1);
  assert.equal(failure(await get(page, '/api/cut')).attempts, 1);
});

test('a budget of nothing allows no retry, and no budget all of them', async (t) => {
  const none = await open(t, { api: { ...FREE, retryBudget: { capacity: 0 } } });
  none.server.on('/api/x', 503);
  assert.equal(failure(await get(none.page, '/api/x')).attempts, 1);

  const { server, page } = await open(t, { api: { ...FREE, retryBudget: false, backoff: { baseMs: 0 } } });
  server.on('/api/x', 503);
  for (let n = 0; n < 11; n++) assert.equal(failure(await get(page, '/api/x')).attempts, 4);
  assert.equal(server.requestsTo('/api/x').length, 44);
});

test('thirty retries are made at once by default', async (t) => {
  const { server, page } = await open(t, { api: { breaker: false, retries: 20, backoff: { baseMs: 0 } } });
  server.on('/api/x', 503);
  assert.equal(failure(await get(page, '/api/x')).attempts, 21);
  assert.equal(failure(await get(page, '/api/x')).attempts, 11);
  assert.equal(failure(await get(page, '/api/x')).attempts, 1);
  assert.equal(server.requestsTo('/api/x').length, 33);
});
