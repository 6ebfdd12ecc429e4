import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { launchBrowser, run, until } from '../harness/browser.mjs';
import { buildVersions } from './builds.mjs';
import { startHost } from './host.mjs';
import { applyUpdate, askServer, assertReloads, assertSmooth, isVersion, openTab, state } from './tab.mjs';

const browser = await launchBrowser({ after });
const builds = await buildVersions({ after }, 'vite');

test('a deploy under three tabs, one of them hidden, loads each of them once', async (t) => {
  const host = await startHost(t, builds);
  const context = await browser.newContext();
  t.after(() => context.close());
  const tabs = [
    await openTab(t, { browser, host, context }),
    await openTab(t, { browser, host, context, path: '/reports' }),
    await openTab(t, { browser, host, context, path: '/prices', beforeLoad: hidden }),
  ];
  host.deploy('v2');
  for (const tab of tabs) await askServer(tab).catch(() => {}); // another one may have told it, and it is loading just now
  for (const tab of tabs) await isVersion(tab, 'v2');
  for (const tab of tabs) {
    await assertReloads(tab, 1);
    assertSmooth(tab);
  }
  assert.deepEqual(
    tabs.map((tab) => new URL(tab.url()).pathname),
    ['/', '/reports', '/prices'],
  );
});

/** In all its loads. @param {import('playwright-core').Page} page */
async function hidden(page) {
  await page.addInitScript(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
    Object.defineProperty(document, 'hidden', { get: () => true });
  });
}

test('a hidden tab does not wait for a pause of a person who looks elsewhere', async (t) => {
  const host = await startHost(t, builds);
  const settings = { version: { idleMs: 60_000 } };
  const tab = await openTab(t, { browser, host, settings, beforeLoad: hidden });
  host.deploy('v2');
  await askServer(tab);
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
});

test('while old and new servers take turns, each tab is loaded once and no more', async (t) => {
  const host = await startHost(t, builds);
  const context = await browser.newContext();
  t.after(() => context.close());
  const tabs = [];
  for (let i = 0; i < 3; i++) tabs.push(await openTab(t, { browser, host, context }));
  host.roll(['v1', 'v2']);
  const end = Date.now() + 4_000;
  while (Date.now() < end) {
    for (const tab of tabs) await askServer(tab).catch(() => {}); // it may be loading just now
    await wait(50);
  }
  host.deploy('v2');
  for (const tab of tabs) await tab.evaluate(() => void window.app.version.check()).catch(() => {});
  for (const tab of tabs) await until(() => tab.reloads > 0);
  await wait(1_000);
  assert.deepEqual(
    tabs.map(({ reloads }) => reloads),
    [1, 1, 1],
  );
});

test('a half-filled field is not taken from under the hands: the person is told, and the reload comes when they leave it', async (t) => {
  const host = await startHost(t, builds);
  const tab = await openTab(t, { browser, host, path: '/form' });
  await tab.locator('[name=city]').pressSequentially('Lond');
  host.deploy('v2');
  await askServer(tab);
  await until(async () => (await state(tab)).status === 'blocked');
  assert.equal((await state(tab)).blockedBy, 'hold');
  await assertReloads(tab, 0);
  assert.deepEqual(await run(tab, () => window.notices), ['updateAvailable']);
  assert.equal(await tab.locator('[name=city]').inputValue(), 'Lond');

  await tab.locator('[name=city]').blur();
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
});

test('nobody is interrupted while they do something', async (t) => {
  const host = await startHost(t, builds);
  const settings = { version: { idleMs: 3_000, spreadMs: 0 } };
  const tab = await openTab(t, { browser, host, path: '/form', settings });
  host.deploy('v2');
  await askServer(tab);
  const end = Date.now() + 5_000;
  for (let i = 0; Date.now() < end; i++) {
    await tab.mouse.move(10 + (i % 20), 10);
    await wait(100);
  }
  assert.equal(tab.reloads, 0);
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
});

test('a request that changes something is answered before the page is loaded again', async (t) => {
  const host = await startHost(t, builds);
  const tab = await openTab(t, { browser, host });
  host.server.on('POST /api/orders', { delayMs: 1_500, body: { id: 7 } });
  await run(tab, () => {
    window.app.api
      .post('/api/orders', {})
      .then((/** @type {any} */ { data }) => sessionStorage.setItem('order', data.id));
  });
  await host.server.waitFor('/api/orders');
  host.deploy('v2');
  await askServer(tab);
  await isVersion(tab, 'v2');
  assert.equal(await run(tab, () => sessionStorage.getItem('order')), '7');
  await assertReloads(tab, 1);
});

test('a tab that cannot remember is not loaded by itself: the person is asked', async (t) => {
  const host = await startHost(t, builds);
  const tab = await openTab(t, {
    browser,
    host,
    beforeLoad: (page) =>
      page.addInitScript(() => {
        Storage.prototype.setItem = () => {
          throw new DOMException('full', 'QuotaExceededError');
        };
      }),
  });
  host.deploy('v2');
  await askServer(tab);
  await until(async () => (await state(tab)).status === 'blocked');
  assert.equal((await state(tab)).blockedBy, 'storage');
  await assertReloads(tab, 0);
  await applyUpdate(tab);
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
});
