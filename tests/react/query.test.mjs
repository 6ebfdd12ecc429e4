import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { run, until } from '../harness/browser.mjs';
import { retryAfter } from '../server/fault-server.mjs';
import { GENERATIONS, openReact } from './pages.mjs';

const MEALS = '/api/meals';
const config = { api: { retries: 2, backoff: { baseMs: 10 } } };
/** More than enough for another try, were there one. */
const QUIET_MS = 400;
/** What comes on top of 600 ms that a server asked for, and some. */
const JITTER_MS_MAX = 600;

for (const react of GENERATIONS) {
  for (const view of react === 18 ? ['Unwrapped'] : ['Unwrapped', 'Fetched']) {
    const it = `React ${react}, TanStack Query, ${view}`;

    test(`${it}: a server that asks to wait is waited for, and asked once more, while the query is only pending`, async (t) => {
      const { page, server } = await openReact(t, {
        app: 'query',
        react,
        props: { config, view },
        ready: (server) =>
          server.on(MEALS, [{ status: 503, retryAfter: retryAfter.seconds(1) }, { body: ['soup', 'rice'] }]),
      });
      await until(async () => (await page.locator('#meals').textContent()) === 'soup,rice');
      assert.equal(await page.locator('#failures').textContent(), '0');
      const [first, second, ...more] = server.requestsTo(MEALS);
      assert.ok(second.at - first.at >= 1_000, `asked again after ${second.at - first.at} ms`);
      assert.deepEqual(more, []);
    });

    test(`${it}: what fails for good fails once, and is tried no more`, async (t) => {
      const { page, server } = await openReact(t, {
        app: 'query',
        react,
        props: { config, view },
        ready: (server) => server.on(MEALS, 503),
      });
      const error = await until(() => page.locator('#error').textContent());
      assert.equal(await page.locator('#failures').textContent(), '1');
      await wait(QUIET_MS);
      assert.equal(server.requestsTo(MEALS).length, 3, 'one and two retries of evenkeel');
      assert.equal(error, view === 'Fetched' ? 'status 503' : 'unavailable');
    });

    test(`${it}: a query that nobody looks at any more is cancelled at the server`, async (t) => {
      const { server, show } = await openReact(t, {
        app: 'query',
        react,
        props: { config, view },
        ready: (server) => server.on(MEALS, 'hang'),
      });
      const asked = await server.waitFor(MEALS);
      await show({ view: null });
      await until(() => asked.closedEarlyAt);
    });

    test(`${it}: a query that nobody looks at any more is not tried again`, async (t) => {
      const { page, server } = await openReact(t, {
        app: 'query',
        react,
        props: { config, view },
        ready: (server) => server.on(MEALS, { status: 503, retryAfter: retryAfter.ms(600) }),
        beforeLoad: (page) => page.addInitScript(leaveOnceRefused),
      });
      await until(() => run(page, () => window.isLeft));
      await wait(600 + JITTER_MS_MAX);
      assert.equal(server.requestsTo(MEALS).length, 1);
    });
  }
}

test('TanStack Query: a mutation with an idempotency key is sent again with the same key', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'query',
    props: { config, view: 'Order' },
    ready: (server) => server.on('POST /api/orders', [503, { body: { id: 'order 7' } }]),
  });
  await page.getByRole('button').click();
  await page.getByText('order 7').waitFor();
  const keys = server.requestsTo('POST /api/orders').map(({ headers }) => headers['idempotency-key']);
  assert.equal(keys.length, 2);
  assert.ok(keys[0]);
  assert.equal(keys[0], keys[1]);
});

test('TanStack Query in StrictMode: what the second mount asks again arrives', async (t) => {
  const { page } = await openReact(t, {
    app: 'query',
    strict: true,
    props: { config, view: 'Unwrapped' },
    ready: (server) => server.on(MEALS, { body: ['soup'], delayMs: 50 }),
  });
  await until(async () => (await page.locator('#meals').textContent()) === 'soup');
  assert.equal(await page.locator('#error').textContent(), '');
});

/* Runs in the page: nobody looks any more soon after a refusal, and long before the next try, however slow the test is. */
function leaveOnceRefused() {
  const { fetch } = window;
  window.fetch = async (...given) => {
    const response = await fetch(...given);
    if (response.status === 503)
      setTimeout(async () => {
        await window.show({ view: null });
        window.isLeft = true;
      }, 100);
    return response;
  };
}
