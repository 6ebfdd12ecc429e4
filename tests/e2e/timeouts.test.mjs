import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { failure, gaps, get, open, post } from './pages.mjs';

const HOUR = 3_600_000;
const ONCE = { retries: 0, breaker: false };

/** From now on the page's clock is ahead by so much, as after a sleep. @param {import('playwright-core').Page} page @param {number} ms */
const leap = (page, ms) =>
  run(
    page,
    (ahead) => {
      const now = Date.now;
      Date.now = () => now() + ahead;
    },
    ms,
  );

test('silence before the headers ends an attempt after timeoutMs', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, timeoutMs: 1_000 } });
  server.on('/api/x', 'hang');
  const result = await get(page, '/api/x');
  const { kind, status, attempts, retryable } = failure(result);
  assert.deepEqual([kind, status, attempts, retryable, result.headers], ['timeout', 0, 1, true, null]);
  assert.ok(result.meta.durationMs >= 998, `${result.meta.durationMs} ms`);
  const [sent] = server.requestsTo('/api/x');
  await until(() => sent.closedEarlyAt);
  assert.ok(Number(sent.closedEarlyAt) - sent.at < 20_000, 'the connection was given up');
});

test('each attempt has the whole timeoutMs', async (t) => {
  const { server, page } = await open(t, {
    api: { timeoutMs: 2_000, retries: 2, breaker: false, backoff: { baseMs: 1 } },
  });
  server.on('/api/x', ['hang', 'hang', { body: 'late' }]);
  const result = await get(page, '/api/x');
  assert.deepEqual([result.data, result.meta.attempts], ['late', 3]);
  assert.ok(result.meta.durationMs >= 3_996, `${result.meta.durationMs} ms`);
  // A request may be late, and the next one be not.
  for (const gap of gaps(server.requestsTo('/api/x'))) assert.ok(gap >= 1_000, `${gap} ms`);
});

test('a body that stalls ends an attempt, and is asked for again', async (t) => {
  const { server, page } = await open(t, { api: { timeoutMs: 1_500, retries: 1, breaker: false } });
  const body = { text: 'x'.repeat(1_000) };
  server.on('/api/x', [{ body, stallAfterBytes: 10 }, { body }]);
  const result = await get(page, '/api/x');
  assert.deepEqual([result.data, result.meta.attempts], [body, 2]);

  server.on('/api/y', { body, stallAfterBytes: 0 });
  const error = failure(await get(page, '/api/y', { retries: 0 }));
  assert.deepEqual([error.kind, error.status, error.attempts], ['timeout', 0, 1]);
  const [sent] = server.requestsTo('/api/y');
  await until(() => sent.closedEarlyAt);

  const posted = failure(await post(page, '/api/y', {}));
  assert.deepEqual([posted.kind, posted.attempts], ['timeout', 1]);
});

test('a body that drips slowly but is never silent arrives', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, timeoutMs: 2_500 } });
  const pieces = Array.from({ length: 8 }, (_, n) => ({ data: `${n}`, afterMs: 350 }));
  server.on('/api/x', { headers: { 'Content-Type': 'text/plain' }, pieces });
  const result = await get(page, '/api/x');
  assert.equal(result.data, '01234567');
  assert.ok(result.meta.durationMs > 2_500, 'longer than timeoutMs');
  assert.equal(server.requestsTo('/api/x').length, 1);
});

test('an error whose body stalls keeps its kind', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, timeoutMs: 2_500 } });
  server.on('/api/x', { status: 500, body: { a: 1 }, stallAfterBytes: 3 });
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.attempts], ['server', 500, 1]);
});

test('timeoutMs and deadlineMs can be set for a call', async (t) => {
  const { server, page } = await open(t, { api: ONCE });
  server.on('/api/x', 'hang');
  for (const options of [{ timeoutMs: 150 }, { deadlineMs: 150 }]) {
    const result = await get(page, '/api/x', options);
    assert.equal(failure(result).kind, 'timeout');
    assert.ok(result.meta.durationMs >= 148 && result.meta.durationMs < 20_000);
  }
});

test('the deadline ends a call in the middle of an attempt', async (t) => {
  const { server, page } = await open(t, { api: { deadlineMs: 3_000 } });
  server.on('/api/x', ['cut', 'hang']);
  const result = await get(page, '/api/x');
  const { kind, attempts } = failure(result);
  assert.deepEqual([kind, attempts], ['timeout', 2]);
  assert.ok(result.meta.durationMs >= 2_998 && result.meta.durationMs < 20_000);
  const [, sent] = server.requestsTo('/api/x');
  await until(() => sent.closedEarlyAt);
});

test('the deadline ends a call whose body drips for ever', async (t) => {
  const { server, page } = await open(t, { api: { deadlineMs: 3_000, timeoutMs: 2_000 } });
  server.on('/api/x', {
    headers: { 'Content-Type': 'text/plain' },
    pieces: Array.from({ length: 500 }, () => ({ data: '.', afterMs: 20 })),
  });
  const result = await get(page, '/api/x');
  assert.deepEqual([failure(result).kind, result.meta.attempts], ['timeout', 1]);
  assert.ok(result.meta.durationMs >= 2_998 && result.meta.durationMs < 20_000);
  const [sent] = server.requestsTo('/api/x');
  await until(() => sent.closedEarlyAt);
});

test('waits count for the deadline: one that does not fit is not begun', async (t) => {
  const { server, page } = await open(t, {
    api: {
      deadlineMs: 5_000,
      retries: 10,
      breaker: false,
      backoff: { baseMs: 3_000, factor: 1, jitter: 'none' },
    },
  });
  server.on('/api/x', 503);
  const result = await get(page, '/api/x');
  const { kind, status } = failure(result);
  assert.deepEqual([kind, status], ['unavailable', 503], 'its last real failure');
  assert.equal(result.meta.attempts, 2);
  assert.ok(result.meta.durationMs < 5_000, `${result.meta.durationMs} ms`);
  assert.equal(server.requestsTo('/api/x').length, result.meta.attempts);
});

test('the wait for a slot counts for the deadline', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, maxConcurrent: 1 } });
  server.on('/api/slow', 'hang');
  const first = get(page, '/api/slow', { deadlineMs: 5_000 });
  await server.waitFor('/api/slow');
  const error = failure(await get(page, '/api/x', { deadlineMs: 150 }));
  assert.deepEqual([error.kind, error.attempts], ['timeout', 0]);
  assert.equal(failure(await first).kind, 'timeout');
  assert.equal((await get(page, '/api/version')).ok, true, 'the slot is free again');
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('headers that the app never hands over are not waited for longer than timeoutMs', async (t) => {
  const { server, page } = await open(t, () => ({
    api: { headers: () => new Promise(() => {}), timeoutMs: 150, retries: 0 },
  }));
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.attempts], ['timeout', 0]);
  assert.equal(server.requestsTo('/api/x').length, 0);
});

test('408 is a timeout with a status', async (t) => {
  const { server, page } = await open(t, { api: ONCE });
  server.on('/api/x', { status: 408, body: { code: 'slow' } });
  const error = failure(await get(page, '/api/x'));
  const { kind, status, attempts, retryable, body } = error;
  assert.deepEqual([kind, status, attempts, retryable, body], ['timeout', 408, 1, true, { code: 'slow' }]);
});

test('a device that slept counts its sleep neither for timeoutMs nor for deadlineMs', async (t) => {
  const { server, page } = await open(
    t,
    { api: { retries: 0, timeoutMs: 10_000, deadlineMs: 20_000 } },
    { fresh: true },
  );
  server.on('/api/headers', { delayMs: 1_500, body: 'slow headers' });
  server.on('/api/body', { bodyDelayMs: 1_500, body: 'slow body' });
  const both = Promise.all([get(page, '/api/headers'), get(page, '/api/body')]);
  await server.waitFor('/api/*', { count: 2 });
  await leap(page, 8 * HOUR);
  const [headers, body] = await both;
  assert.deepEqual([headers.error, headers.data], [null, 'slow headers']);
  assert.deepEqual([body.error, body.data], [null, 'slow body']);
  assert.equal(server.requestsTo('/api/*').length, 2);
});

test('silence after a sleep is a timeout all the same', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, timeoutMs: 4_000 } }, { fresh: true });
  server.on('/api/x', 'hang');
  const call = get(page, '/api/x');
  const sent = await server.waitFor('/api/x');
  await leap(page, 8 * HOUR);
  assert.equal(failure(await call).kind, 'timeout');
  await until(() => sent.closedEarlyAt);
  const lasted = Number(sent.closedEarlyAt) - sent.at;
  assert.ok(lasted > 1_500 && lasted < 20_000, `${lasted} ms`);
});

test('a backoff wait that the device slept through is over on waking', async (t) => {
  const { server, page } = await open(
    t,
    { api: { backoff: { baseMs: 60_000, maxMs: 60_000, jitter: 'none' } } },
    { fresh: true },
  );
  server.on('/api/x', [503, { body: 'awake' }]);
  const call = get(page, '/api/x');
  const first = await server.waitFor('/api/x');
  await until(() => first.endedAt);
  await until(() => run(page, () => window.app.diagnostics().counters.retries));
  await leap(page, 8 * HOUR);
  const result = await call;
  assert.deepEqual([result.data, result.meta.attempts], ['awake', 2]);
  assert.ok(gaps(server.requestsTo('/api/x'))[0] < 30_000);
});

test('a clock that is set back stretches no timeout by more than its silence', async (t) => {
  const { server, page } = await open(t, { api: { ...ONCE, timeoutMs: 500 } }, { fresh: true });
  server.on('/api/x', 'hang');
  const call = get(page, '/api/x');
  const sent = await server.waitFor('/api/x');
  await leap(page, -HOUR);
  assert.equal(failure(await call).kind, 'timeout');
  await until(() => sent.closedEarlyAt);
  assert.ok(Number(sent.closedEarlyAt) - sent.at < 20_000);
});
