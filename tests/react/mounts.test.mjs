import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';
import { churn, counting, holdings, SAYING } from './mounts.mjs';
import { GENERATIONS, openReact } from './pages.mjs';

const MOUNTS = 1_000;
/** Logs and lists with a bound fill up first. */
const WARM_UP = 300;
/** Of one more component, at most: much less than one that stayed would be. */
const HEAP_B_MAX = 500;

for (const react of GENERATIONS) {
  test(`React ${react}: a thousand mounts of the three hooks leave no stream, timer, listener, lock, channel or memory`, async (t) => {
    const { page, server } = await openReact(t, {
      react,
      app: 'mounts',
      production: true, // React itself keeps things to tell of in development
      beforeLoad: counting,
      ready(server) {
        server.drafts = openDrafts({ trusting: true });
        server.on('/api/events', SAYING);
      },
    });
    await until(async () => (await page.locator('output').textContent()) === 'running');
    await churn(page, WARM_UP);
    const before = await holdings(page, server);
    await churn(page, MOUNTS);
    const after = await holdings(page, server);
    const story = JSON.stringify([before, after]);
    assert.ok(after.heap - before.heap < MOUNTS * HEAP_B_MAX, story);
    // What nobody holds is not always gone yet: tens of them, where one in each mount would be a thousand.
    assert.ok(after.listeners - before.listeners < MOUNTS / 5, story);
    assert.ok(after.timers <= before.timers + 1, story);
    for (const what of ['streams', 'channels', 'locks', 'onPage', 'nodes', 'wasm'])
      assert.equal(after[what], before[what], what);
  });
}
