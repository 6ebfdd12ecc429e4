import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { retryAfter } from '../server/fault-server.mjs';
import { openReact } from './pages.mjs';

const MEAL = 'GET /api/meals/7';
const ORDERS = 'POST /api/orders';

/** @param {import('node:test').TestContext} t @param {(server: import('../server/fault-server.mjs').FaultServer) => unknown} ready */
async function openApp(t, ready) {
  const app = await openReact(t, {
    app: 'openapi',
    props: { config: { api: { retries: 2, backoff: { baseMs: 10 } } } },
    ready,
  });
  const click = (/** @type {string} */ name) => app.page.getByRole('button', { name }).click();
  const answer = () => until(() => app.page.locator('output').textContent());
  const press = async (/** @type {string} */ name) => {
    await click(name);
    return answer();
  };
  return { ...app, click, answer, press };
}

test('openapi-fetch: what it reads comes with its parameters, after a failure too', async (t) => {
  const { server, press } = await openApp(t, (server) =>
    server.on(MEAL, [{ status: 503, retryAfter: retryAfter.ms(300) }, { body: { name: 'soup' } }]),
  );
  assert.deepEqual(JSON.parse(await press('Read')), { data: { name: 'soup' }, status: 200 });
  const sent = server.requestsTo(MEAL);
  assert.deepEqual(
    sent.map(({ url }) => url),
    Array(2).fill('/api/meals/7?with=soup&with=rice'),
  );
  assert.ok(sent[1].at - sent[0].at >= 300);
});

test('openapi-fetch: what it writes under an idempotency key is sent again, whole and with the same key', async (t) => {
  const { server, press } = await openApp(t, (server) =>
    server.on(ORDERS, ['cut', 503, { status: 201, body: { id: 'o1' } }]),
  );
  assert.deepEqual(JSON.parse(await press('Order')), { data: { id: 'o1' }, status: 201 });
  const sent = server.requestsTo(ORDERS);
  assert.deepEqual(
    sent.map(({ body, headers }) => [body, headers['content-type']]),
    Array(3).fill(['{"meal":7}', 'application/json']),
  );
  const [key, ...others] = sent.map(({ headers }) => headers['idempotency-key']);
  assert.match(key, /^[0-9a-f-]{36}$/);
  assert.deepEqual(others, [key, key]);
});

test("openapi-fetch: a refusal is its error, with the server's own words", async (t) => {
  const { server, press } = await openApp(t, (server) =>
    server.on(MEAL, { status: 404, body: { code: 'noSuchMeal' } }),
  );
  assert.deepEqual(JSON.parse(await press('Read')), { error: { code: 'noSuchMeal' }, status: 404 });
  assert.equal(server.requestsTo(MEAL).length, 1);
});

test('openapi-fetch: what its signal aborts is cancelled at the server', async (t) => {
  const { server, click, answer } = await openApp(t, (server) => server.on(MEAL, 'hang'));
  await click('Ask');
  const asked = await server.waitFor(MEAL);
  await click('Cancel');
  assert.equal(await answer(), 'AbortError');
  await until(() => asked.closedEarlyAt);
});
