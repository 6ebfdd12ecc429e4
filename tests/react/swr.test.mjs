import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { until } from '../harness/browser.mjs';
import { retryAfter } from '../server/fault-server.mjs';
import { GENERATIONS, openReact } from './pages.mjs';

const MEALS = '/api/meals';
const config = { api: { retries: 2, backoff: { baseMs: 10 } } };
/** More than enough for another try, were there one. */
const QUIET_MS = 400;

for (const react of GENERATIONS) {
  for (const fetcher of react === 18 ? ['unwrapped'] : ['unwrapped', 'fetched']) {
    const it = `React ${react}, SWR, ${fetcher}`;

    test(`${it}: two components make one request, and a server that asks to wait is waited for`, async (t) => {
      const { page, server } = await openReact(t, {
        app: 'swr',
        react,
        props: { config, fetcher },
        ready: (server) =>
          server.on(MEALS, [{ status: 503, retryAfter: retryAfter.seconds(1) }, { body: ['soup', 'rice'] }]),
      });
      await until(
        async () => (await page.locator('.meals').allTextContents()).join(' ') === 'soup,rice soup,rice',
      );
      const [first, second, ...more] = server.requestsTo(MEALS);
      assert.ok(second.at - first.at >= 1_000, `asked again after ${second.at - first.at} ms`);
      assert.deepEqual(more, []);
    });

    test(`${it}: what fails for good fails once, and is tried no more`, async (t) => {
      const { page, server } = await openReact(t, {
        app: 'swr',
        react,
        props: { config, fetcher },
        ready: (server) => server.on(MEALS, 503),
      });
      const text = await until(() => page.locator('.meals').first().textContent());
      await wait(QUIET_MS);
      assert.equal(server.requestsTo(MEALS).length, 3, 'one and two retries of evenkeel');
      assert.equal(text, fetcher === 'fetched' ? 'status 503' : 'unavailable');
    });
  }
}

test('SWR in StrictMode: one request', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'swr',
    strict: true,
    props: { config, fetcher: 'unwrapped' },
    ready: (server) => server.on(MEALS, { body: ['soup'], delayMs: 50 }),
  });
  await until(async () => (await page.locator('.meals').allTextContents()).join(' ') === 'soup soup');
  assert.equal(server.requestsTo(MEALS).length, 1);
});
