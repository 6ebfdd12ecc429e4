import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { retryAfter } from '../server/fault-server.mjs';
import { failure, gaps, get, noteWaits, open, post, serve, waits } from './pages.mjs';

const EXACT = { baseMs: 20, jitter: 'none' };
const FREE = { breaker: false, retryBudget: false, backoff: EXACT };

/**
 * A server that refuses once with these steps, each at a path of its own, all asked at once.
 * @param {import('node:test').TestContext} t
 * @param {Record<string, any>} steps by what they are called
 * @param {object} [api]
 * @returns {Promise<Record<string, { wait: number | undefined, gap: number }>>}
 */
async function waitsAfter(t, steps, api) {
  const { server, page } = await open(t, { api: { ...FREE, ...api } });
  const names = Object.keys(steps);
  for (const [i, name] of names.entries())
    server.on(`/api/${i}`, [{ status: i % 2 ? 503 : 429, ...steps[name] }, 204]);
  const drawn = await run(
    page,
    async (count) => {
      /** @type {Record<number, number>} */
      const waits = {};
      /** @type {Record<number, number>} */
      const paths = {};
      window.app.on((/** @type {any} */ event) => {
        if (event.type === 'request') paths[event.id] = Number(event.url.split('/').pop());
        if (event.type === 'retry') waits[paths[event.id]] = event.waitMs;
      });
      const calls = Array.from({ length: count }, (_, n) => window.app.api.get(`/api/${n}`));
      for (const { ok } of await Promise.all(calls)) if (!ok) throw new Error('a call failed');
      return waits;
    },
    names.length,
  );
  return Object.fromEntries(
    names.map((name, i) => [name, { wait: drawn[i], gap: gaps(server.requestsTo(`/api/${i}`))[0] }]),
  );
}

test('what the server asks for is waited for, in every form', async (t) => {
  const hour = 3_600_000;
  const seen = await waitsAfter(t, {
    seconds: { retryAfter: retryAfter.seconds(1) },
    ms: { retryAfter: retryAfter.ms(300) },
    imfFixdate: { retryAfter: retryAfter.imfFixdate(1_000) },
    rfc850: { retryAfter: retryAfter.rfc850(1_000) },
    asctime: { retryAfter: retryAfter.asctime(1_000) },
    'a clock that is ahead': { retryAfter: retryAfter.imfFixdate(1_000), dateSkewMs: hour },
    'a clock that is behind': { retryAfter: retryAfter.rfc850(1_000), dateSkewMs: -hour },
    'another year': { retryAfter: retryAfter.asctime(1_000), dateSkewMs: 9_000 * hour },
  });
  for (const [name, { wait, gap }] of Object.entries(seen)) {
    assert.equal(wait, name === 'ms' ? 300 : 1_000, name);
    assert.ok(gap >= wait - 2, `${name}: sent again after ${gap} ms`);
  }
});

test('retry-after-ms wins, and a malformed one leaves Retry-After', async (t) => {
  const seen = await waitsAfter(t, {
    shorter: { retryAfter: [retryAfter.seconds(1), retryAfter.ms(150)] },
    longer: { retryAfter: [retryAfter.seconds(0), retryAfter.ms(250)] },
    zero: { retryAfter: [retryAfter.seconds(1), retryAfter.ms(0)] },
    malformed: { retryAfter: retryAfter.seconds(1), headers: { 'retry-after-ms': 'soon' } },
  });
  const drawn = Object.entries(seen).map(([name, { wait }]) => [name, wait]);
  assert.deepEqual(Object.fromEntries(drawn), { shorter: 150, longer: 250, zero: 0, malformed: 1_000 });
});

test('0 and moments that have passed are no wait', async (t) => {
  const seen = await waitsAfter(
    t,
    {
      '0 s': { retryAfter: retryAfter.seconds(0) },
      '0 ms': { retryAfter: retryAfter.ms(0) },
      imfFixdate: { retryAfter: retryAfter.imfFixdate(-60_000) },
      rfc850: { retryAfter: retryAfter.rfc850(-60_000) },
      asctime: { retryAfter: retryAfter.asctime(-60_000) },
      epoch: { retryAfter: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    },
    { backoff: { baseMs: 20_000, jitter: 'none' } },
  );
  for (const [name, { wait, gap }] of Object.entries(seen)) {
    assert.equal(wait, 0, name);
    assert.ok(gap < 15_000, `${name}: sent again after ${gap} ms`);
  }
});

test('what is malformed asks for nothing', async (t) => {
  const malformed = [
    'soon',
    '-1',
    '+5',
    '1.5',
    '1e3',
    '12s',
    '0x10',
    '1, 2',
    'NaN',
    'Infinity',
    '1994-11-06',
  ];
  const seen = await waitsAfter(
    t,
    Object.fromEntries(malformed.map((value) => [value, { retryAfter: value }])),
  );
  for (const [name, { wait }] of Object.entries(seen)) assert.equal(wait, 20, name);
});

test('what the server asks for is a floor that jitter is added to, and never taken from', async (t) => {
  const { server, page } = await open(t, {
    api: { ...FREE, retries: 1, maxConcurrent: 100, backoff: { baseMs: 10, maxMs: 1_000 } },
  });
  await noteWaits(page);
  server.on('/api/*', ({ path }) => ({
    status: server.requestsTo(path).length > 1 ? 204 : 503,
    retryAfter: retryAfter.ms(400),
  }));
  await run(page, () => Promise.all(Array.from({ length: 40 }, (_, n) => window.app.api.get(`/api/${n}`))));
  const drawn = await waits(page);
  assert.equal(drawn.length, 40);
  assert.ok(Math.min(...drawn) >= 400, `${Math.min(...drawn)} is too soon`);
  assert.ok(Math.max(...drawn) <= 600, `${Math.max(...drawn)} is more than half of it again`);
  assert.ok(Math.max(...drawn) - Math.min(...drawn) > 100, 'they do not come back together');
  for (let n = 0; n < 40; n++) assert.ok(gaps(server.requestsTo(`/api/${n}`))[0] >= 398);
});

test('a date whose Date cannot be read is read against the clock of this device', async (t) => {
  const other = await serve(t, { cors: { expose: ['Retry-After'] } });
  const { page } = await open(t, { api: FREE });
  await noteWaits(page);
  other.on('/api/x', [{ status: 503, retryAfter: retryAfter.imfFixdate(16_000), dateSkewMs: -10_000 }, 204]);
  assert.equal((await get(page, `${other.origin}/api/x`)).ok, true);
  const [wait] = await waits(page);
  assert.ok(wait > 0 && wait <= 6_000, `${wait} ms`);
  assert.ok(gaps(other.requestsTo('GET /api/x'))[0] >= wait - 2);
});

test('a header that another origin does not expose asks for nothing', async (t) => {
  const other = await serve(t, { cors: { expose: [] } });
  const { page } = await open(t, { api: FREE });
  await noteWaits(page);
  other.on('/api/x', [{ status: 503, retryAfter: retryAfter.seconds(3_600) }, 204]);
  assert.equal((await get(page, `${other.origin}/api/x`)).ok, true);
  assert.deepEqual(await waits(page), [20]);
});

for (const [asked, ms] of /** @type {Array<[any, number]>} */ ([
  [retryAfter.seconds(3_600), 3_600_000],
  [retryAfter.ms(120_000), 120_000],
  ['1704067200', 1_704_067_200_000],
  ['9'.repeat(30), Number.MAX_SAFE_INTEGER],
  ['9'.repeat(2_000), Number.MAX_SAFE_INTEGER],
])) {
  const what = (typeof asked === 'string' ? asked : `${asked.value} ${asked.form}`).slice(0, 40);
  test(`a wait of ${what} fits no deadline and fails at once, saying so`, async (t) => {
    const { server, page } = await open(t, { api: FREE });
    server.on('/api/x', [{ status: 429, retryAfter: asked }, 204]);
    const { error, meta } = await get(page, '/api/x');
    assert.deepEqual([error.kind, error.attempts, error.retryAfterMs], ['rateLimited', 1, ms]);
    assert.ok(meta.durationMs < 5_000, `${meta.durationMs} ms`);
    assert.equal(server.requestsTo('/api/x').length, 1);
  });
}

test('a date in the far future fits no deadline either', async (t) => {
  const { server, page } = await open(t, { api: FREE });
  server.on('/api/x', [{ status: 503, retryAfter: 'Fri, 31 Dec 9999 23:59:59 GMT' }, 204]);
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.attempts], ['unavailable', 1]);
  assert.ok(error.retryAfterMs > 1e13, `${error.retryAfterMs}`);
});

test('what is left of the deadline decides whether a wait fits', async (t) => {
  const { server, page } = await open(t, { api: { ...FREE, deadlineMs: 4_000 } });
  server.on('/api/x', [
    { status: 503, retryAfter: retryAfter.ms(1_000) },
    { status: 503, retryAfter: retryAfter.ms(3_100) },
    204,
  ]);
  const { error, meta } = await get(page, '/api/x');
  assert.deepEqual([error.kind, error.attempts, error.retryAfterMs], ['unavailable', 2, 3_100]);
  assert.ok(meta.durationMs >= 998 && meta.durationMs < 4_000, `${meta.durationMs} ms`);
  assert.equal(server.requestsTo('/api/x').length, 2);
});

test('a call that is not tried again says what the server asked for', async (t) => {
  const { server, page } = await open(t, { api: { ...FREE, retries: 0 } });
  server.on('/api/x', { status: 503, retryAfter: retryAfter.seconds(12) });
  for (const result of [await post(page, '/api/x', {}), await get(page, '/api/x')])
    assert.equal(failure(result).retryAfterMs, 12_000);
  const text = await run(page, async () =>
    window.evenkeel.formatError((await window.app.api.get('/api/x')).error),
  );
  assert.match(text, /in 12 seconds/);
});

test('what an earlier answer asked for is not told of a later failure', async (t) => {
  const { server, page } = await open(t, { api: { ...FREE, retries: 1 } });
  server.on('/api/x', [{ status: 503, retryAfter: retryAfter.ms(50) }, 'cut']);
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.attempts, error.retryAfterMs], ['network', 2, null]);
});
