import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launchBrowser, until } from '../harness/browser.mjs';
import { goesOn, hear, openDemo, openTab, ownDemos, startDemo } from './demo.mjs';

/** @typedef {import('./demo.mjs').Demo} Demo */

const browser = await launchBrowser({ after });
const demo = await startDemo(4600);
after(() => demo.stop());

const openOwn = ownDemos(browser, 4700);
/** @param {import('node:test').TestContext} t @param {object} [options] */
const open = (t, options) => openDemo(t, browser, demo, options);

test('it takes the next free port, and ends on Ctrl-C', async () => {
  const other = await startDemo(4600);
  assert.notEqual(other.url, demo.url);
  assert.equal(await other.stop(), 0);
});

describe('what takes its time', { concurrency: true }, () => {
  test('a restart is waited out as the server asked, and the meals stay', async (t) => {
    const page = await openOwn(t, {});
    await page.breakIt('Restart: 503');
    await page.load();
    await until(async () => (await page.rows()).some((row) => /5 s \+ /.test(row)));
    assert.equal(await page.meals(), 4);
    await until(async () => (await page.rows()).some((row) => /5 s \+ .* \| ok after 2$/.test(row)), 30_000);
    await page.said(/GET \/api\/meals: 503, waits [\d.]+ s \(Retry-After: 5 s\), 200, ok/);
    assert.equal(await page.counter('retries'), 1);
    assert.equal(await page.locator('.fault[data-on]').count(), 0, 'the restart is over');
    assert.deepEqual(page.problems, []);
  });

  test('a dead server opens the breaker, is told once, and comes back', async (t) => {
    const page = await openOwn(t, {});
    await page.breakIt('Server down');
    const origin = page.locator('#breakers li').first();
    const told = await until(async () => {
      if ((await page.locator('#freshness').textContent()) !== 'Loading…') await page.load();
      const toasts = await page.toasts();
      return /open/.test((await origin.textContent()) ?? '') && toasts.length > 0 && toasts;
    }, 40_000);
    // A breaker that lets a probe through meanwhile opens again: what it said is noted.
    const breaker = await hear(page, '#breakers li');
    await until(async () => {
      if ((await page.locator('#freshness').textContent()) !== 'Loading…') await page.load();
      const isRefused = (await page.rows()).some((row) => /circuitOpen/.test(row));
      return isRefused && (await breaker()).some(([words]) => /^127\.0\.0\.1:\d+open\d+ s left$/.test(words));
    }, 40_000);
    assert.equal(new Set(told).size, told.length, 'nothing is said twice');
    assert.equal(told.filter((text) => /cannot be reached/.test(text)).length, 1);
    assert.equal(await page.meals(), 4);
    assert.match((await page.locator('#connection').textContent()) ?? '', /^Degraded since/);

    await page.allWell();
    await page.locator('#log li', { hasText: 'You are back online' }).waitFor();
    await page.locator('#connection', { hasText: /^Online since/ }).waitFor();
    await until(async () => {
      await page.load();
      await page.waitForTimeout(300);
      return /closed/.test((await origin.textContent()) ?? '');
    }, 90_000); // it opens for longer each time
    assert.deepEqual(page.problems, []);
  });

  test('a burst shares, queues and comes through', async (t) => {
    const page = await openOwn(t, {});
    const [requests, ok] = [await page.counter('requests'), await page.counter('ok')];
    const most = await page.evaluateHandle(() => {
      const most = { queued: 0, shared: 0 };
      setInterval(() => {
        const queued = Number(document.querySelector('[data-name=queued] dd')?.textContent);
        most.queued = Math.max(most.queued, queued);
        most.shared = Math.max(most.shared, document.querySelectorAll('#timeline .shared').length);
      }, 50);
      return most;
    });
    await page.getByRole('button', { name: 'Burst' }).click();
    await until(async () => (await most.jsonValue()).queued > 10);
    await until(async () => (await page.counter('ok')) >= ok + 60, 30_000);
    assert.ok((await page.counter('requests')) <= requests + 32, 'thirty equal calls are one request');
    await page.locator('[data-name=pending] dd', { hasText: /^0$/ }).waitFor();
    await until(async () => (await most.jsonValue()).shared >= 20);
    assert.deepEqual(await page.toasts(), []);
  });
});

const late = (/** @type {Demo} */ page) =>
  page.locator('#tickets .late').first().waitFor({ timeout: 40_000 });
const streamSaid = (/** @type {Demo} */ page, /** @type {RegExp} */ words) =>
  page.locator('#calls li', { hasText: words }).waitFor({ state: 'attached', timeout: 40_000 });

describe('orders that come in live', { concurrency: 4 }, () => {
  test('they come by themselves, and what is ordered here comes too', async (t) => {
    const page = await openOwn(t);
    await goesOn(page, 3);
    await page.getByRole('button', { name: 'Order' }).click();
    await page.locator('#tickets .own', { hasText: '1 × Lentil soup' }).waitFor();
    const { ids, last } = await page.evaluate(() => ({
      ids: [...document.querySelectorAll('#tickets li')].map((/** @type {any} */ { dataset }) =>
        Number(dataset.id),
      ),
      last: document.querySelector('.figure[data-name=last] dd')?.textContent,
    }));
    assert.deepEqual(
      ids,
      ids.map((_, i) => ids[0] - i),
    );
    assert.equal(last, `#${ids[0]}`);
    assert.deepEqual(page.problems, []);
  });

  test('streams that are cut come back with what was ordered meanwhile', async (t) => {
    const page = await openOwn(t);
    await goesOn(page);
    await page.breakIt('Streams cut');
    await streamSaid(page, /open, network, waits/);
    await goesOn(page);
    assert.equal(await page.figure('reconnects'), '1');
    assert.deepEqual(page.problems, []);
  });

  test('streams that fall silent are noticed, and what was lost comes late', async (t) => {
    const page = await openOwn(t);
    await goesOn(page);
    await page.breakIt('Streams fall silent');
    await streamSaid(page, /open, silence, waits/);
    await late(page);
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });

  test('behind a proxy that buffers the server is polled, until a stream gets through', async (t) => {
    const page = await openOwn(t);
    await goesOn(page);
    await page.breakIt('A proxy buffers');
    await until(async () => (await page.status()) === 'Polling', 40_000);
    const before = Number(await page.figure('received'));
    await until(async () => Number(await page.figure('received')) > before + 2);
    assert.equal(await page.figure('missed'), '0');
    assert.equal(await page.figure('connections'), '0');
    await page.allWell();
    await goesOn(page);
    await streamSaid(page, /silence, .*polling, open/);
    assert.deepEqual(page.problems, []);
  });

  test('streams that are refused wait as they were asked', async (t) => {
    const page = await openOwn(t);
    await goesOn(page);
    const heard = await hear(page, '#orders-status');
    await page.breakIt('Streams refused: 503');
    await streamSaid(page, /503, waits [\d.]+ s \(Retry-After: 2 s\)/);
    await until(async () => (await heard()).some(([words]) => /^Next try in \d s$/.test(words)));
    await late(page);
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });

  test('a server that restarts is waited for', async (t) => {
    const page = await openOwn(t);
    await goesOn(page);
    const heard = await hear(page, '.figure[data-name=connections] dd', '#orders-why');
    await page.breakIt('Server restarts');
    await until(async () => (await heard()).some(([connections]) => connections === '0'));
    await until(async () => (await heard()).some(([, why]) => /cannot be reached/.test(why)));
    await goesOn(page);
    await page.locator('.fault[data-on]').waitFor({ state: 'detached' }); // the restart is over
    assert.deepEqual(page.problems, []);
  });

  test('three tabs have one connection and the same list, and go on when the one that holds it is closed', async (t) => {
    const first = await openOwn(t);
    const tabs = [
      first,
      await openTab(first.context(), first.own),
      await openTab(first.context(), first.own),
    ];
    const roles = () => Promise.all(tabs.map((tab) => tab.figure('role')));
    const stand = (/** @type {string} */ name, /** @type {string} */ value) =>
      until(async () => (await Promise.all(tabs.map((tab) => tab.figure(name)))).every((is) => is === value));
    /** All have what the last one had when it was asked. */
    async function areSame() {
      const [newest, oldest] = await tabs[tabs.length - 1].tickets().then((ids) => [ids[0], ids.at(-1) ?? 0]);
      const same = Array.from({ length: newest - oldest + 1 }, (_, i) => newest - i);
      for (const tab of tabs) {
        await until(async () => (await tab.tickets())[0] >= newest);
        const ids = await tab.tickets();
        assert.deepEqual(
          ids.filter((id) => id <= newest && id >= oldest),
          same.filter((id) => id >= (ids.at(-1) ?? 0)),
        );
      }
    }

    await Promise.all(tabs.map((tab) => goesOn(tab, 3)));
    await stand('tabs', '3');
    await stand('connections', '1');
    await until(async () => `${await roles()}` === 'leader,follower,follower');
    await areSame();

    await first.breakIt('Streams cut');
    await Promise.all(tabs.map((tab) => streamSaid(tab, /open, network, waits/)));
    await Promise.all(tabs.map((tab) => goesOn(tab)));
    await areSame();

    await tabs.shift()?.close();
    await Promise.all(tabs.map((tab) => goesOn(tab, 3)));
    await stand('tabs', '2');
    await stand('connections', '1');
    await until(async () => `${(await roles()).sort()}` === 'follower,leader');
    await areSame();
    for (const tab of tabs) assert.deepEqual(tab.problems, []);
  });

  test('by keyboard it is closed, opened and connected anew', async (t) => {
    const page = await openOwn(t);
    await goesOn(page);
    await page.getByRole('button', { name: 'Reconnect' }).focus();
    await page.keyboard.press('Enter');
    await until(async () => (await page.figure('reconnects')) === '1');
    await goesOn(page);

    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await until(async () => (await page.status()) === 'Closed' && (await page.figure('connections')) === '0');
    const received = await page.figure('received');
    await page.waitForTimeout(1_500);
    assert.equal(await page.figure('received'), received);

    await page.keyboard.press('Enter');
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });

  test('the browser’s own stream is gone at the first 503', async (t) => {
    const page = await openOwn(t);
    await page.getByRole('checkbox', { name: 'Without evenkeel' }).check();
    await goesOn(page);
    await page.breakIt('Streams refused: 503');
    await until(async () => (await page.status()) === 'Closed', 15_000);
    await page.allWell();
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });
});

test('an order whose answer was cut off is ordered once', async (t) => {
  const page = await open(t);
  const portions = async () => {
    await page.getByRole('button', { name: 'Order' }).click();
    return Number(/has (\d+) in all/.exec((await page.getByText(/has \d+ in all/).textContent()) ?? '')?.[1]);
  };
  const before = await portions();
  await page.breakIt('Answers cut off');
  await page.getByRole('button', { name: 'Order' }).click();
  await until(async () => (await page.rows()).some((row) => /ok after 2$/.test(row)), 30_000);
  await page.locator('#receipt', { hasText: `has ${before + 1} in all` }).waitFor();
  await page.said(/POST \/api\/orders: broken off, waits [^,]+, 201, ok/);
});

test('a 401 signs nobody out while the session lives or cannot be asked', async (t) => {
  const page = await open(t);
  await page.breakIt('Token just expired');
  await page.load();
  await until(async () => (await page.rows()).some((row) => /ok after 2$/.test(row)));
  assert.deepEqual(await page.toasts(), []);

  await page.breakIt('Session endpoint down');
  await page.load();
  await page.locator('#log li', { hasText: 'Your sign-in could not be confirmed' }).waitFor();
  assert.equal(await page.meals(), 4);

  await page.breakIt('Token just expired');
  assert.equal(await page.locator('.fault[data-on]').count(), 1, 'one state of the session at a time');
  assert.deepEqual(page.problems, []);
});

test('the same app on plain fetch shows what it is spared', async (t) => {
  const page = await open(t);
  await page.getByRole('checkbox', { name: 'Without evenkeel' }).check();
  await page.breakIt('Restart: 503');
  await page.load();
  await page.locator('#freshness', { hasText: 'Error 503' }).waitFor();
  assert.equal(await page.meals(), 0);
  assert.deepEqual(page.problems, []);
});
