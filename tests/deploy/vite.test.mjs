import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, run, until } from '../harness/browser.mjs';
import { buildVersions } from './builds.mjs';
import { startHost } from './host.mjs';
import {
  applyUpdate,
  askServer,
  assertReloads,
  assertSmooth,
  check,
  follow,
  isVersion,
  openTab,
  shows,
  state,
} from './tab.mjs';

const browser = await launchBrowser({ after });
const builds = await buildVersions({ after }, 'vite');

/** @param {import('node:test').TestContext} t */
const hosted = (t) => startHost(t, builds);

for (const [missing, answer] of /** @type {const} */ ([
  ['notFound', '404'],
  ['page', 'the page itself'],
])) {
  for (const [label, what] of [
    ['Reports', 'script'],
    ['Prices', 'style sheet and script'],
  ]) {
    test(`through guard, a lazy page whose ${what} a deploy took away is shown by the new version after one reload, where ${answer} is answered`, async (t) => {
      const host = await hosted(t);
      host.missing = missing;
      const tab = await openTab(t, { browser, host });
      host.deploy('v2');
      await follow(tab, label);
      await shows(tab, `${label} of v2`);
      await assertReloads(tab, 1);
      assertSmooth(tab);
      assert.equal((await state(tab)).status, 'current');
    });
  }

  test(`an app that thinks of no deploy comes to the new version with one reload, where ${answer} is answered`, async (t) => {
    const host = await hosted(t);
    host.missing = missing;
    const tab = await openTab(t, { browser, host, settings: { way: 'plain' } });
    host.deploy('v2');
    await follow(tab, 'Reports');
    await shows(tab, 'Reports of v2');
    await assertReloads(tab, 1);
  });

  test(`a script that is gone without a deploy is an error of the app, and nothing is reloaded, where ${answer} is answered`, async (t) => {
    const host = await hosted(t);
    host.missing = missing;
    host.lose(/reports/);
    const tab = await openTab(t, { browser, host });
    await follow(tab, 'Reports');
    await until(() => tab.alerts.length > 0);
    await assertReloads(tab, 0);
    assert.match(tab.alerts.join(), /^This page cannot be shown: [^,]*$/);
    assert.equal((await state(tab)).reason, null);
  });
}

test('an app that thinks of no deploy sees its own error where a script is gone without one', async (t) => {
  const host = await hosted(t);
  host.lose(/reports/);
  const tab = await openTab(t, { browser, host, settings: { way: 'plain' } });
  await follow(tab, 'Reports');
  await until(() => tab.problems.length > 0);
  await assertReloads(tab, 0);
  assert.deepEqual(
    tab.problems.map(({ type }) => type),
    ['uncaught'],
  );
});

test('offline, a lazy page is an error of the app, and is shown once there is a network', async (t) => {
  const host = await hosted(t);
  const tab = await openTab(t, { browser, host });
  await tab.context().setOffline(true);
  await follow(tab, 'Reports');
  await until(() => tab.alerts.length > 0);
  await tab.context().setOffline(false);
  await follow(tab, 'Home');
  await follow(tab, 'Reports');
  await shows(tab, 'Reports of v1');
  await assertReloads(tab, 0);
});

test('however many lazy pages are gone at once, there is one reload, to the last one that was asked for', async (t) => {
  const host = await hosted(t);
  const tab = await openTab(t, { browser, host });
  host.deploy('v2');
  // In one task: the last one shall not meet the page while it is loaded again.
  await run(tab, () => {
    const links = [...document.querySelectorAll('a')];
    for (const label of ['Reports', 'Prices', 'Reports', 'Prices'])
      links.find(({ textContent }) => textContent === label)?.click();
  });
  await shows(tab, 'Prices of v2');
  await assertReloads(tab, 1);
  assertSmooth(tab);
});

test('a lazy page that is asked for while the reload is held back waits for it, and shows no error', async (t) => {
  const host = await hosted(t);
  const tab = await openTab(t, { browser, host });
  await run(tab, () => Object.assign(window, { release: window.app.version.hold() }));
  host.deploy('v2');
  await check(tab);
  await follow(tab, 'Reports');
  await assertReloads(tab, 0);
  await until(async () => (await state(tab)).reason === 'chunkError');
  assert.equal((await state(tab)).blockedBy, 'hold');
  await tab.evaluate(() => /** @type {any} */ (window).release());
  await shows(tab, 'Reports of v2');
  await assertReloads(tab, 1);
  assertSmooth(tab);
});

test('a person who is asked first sees no error either, and the lazy page after they said yes', async (t) => {
  const host = await hosted(t);
  const settings = { version: { onMismatch: 'prompt' } };
  const tab = await openTab(t, { browser, host, settings });
  host.deploy('v2');
  await follow(tab, 'Reports');
  await until(() => run(tab, () => window.notices.includes('updateAvailable')));
  await assertReloads(tab, 0);
  assertSmooth(tab);
  await applyUpdate(tab);
  await shows(tab, 'Reports of v2');
  await assertReloads(tab, 1);
});

test('a person who said no is shown the error of a lazy page that is gone', async (t) => {
  const host = await hosted(t);
  const settings = { version: { onMismatch: 'prompt' } };
  const tab = await openTab(t, { browser, host, settings });
  host.deploy('v2');
  await check(tab);
  await run(tab, () => window.app.version.dismiss());
  await follow(tab, 'Reports');
  await until(() => tab.alerts.length > 0);
  await assertReloads(tab, 0);
});

test('a new version that is told by a response is loaded without any click', async (t) => {
  const host = await hosted(t);
  const tab = await openTab(t, { browser, host, path: '/reports' });
  host.deploy('v2');
  await askServer(tab);
  await isVersion(tab, 'v2');
  await shows(tab, 'Reports of v2');
  await assertReloads(tab, 1);
  assertSmooth(tab);
});

test('a page that was loaded by a new version and finds the old server again is not loaded a second time', async (t) => {
  const host = await hosted(t);
  const tab = await openTab(t, { browser, host });
  host.deploy('v2');
  await askServer(tab);
  await isVersion(tab, 'v2');
  host.deploy('v1');
  await until(async () => (await check(tab)).blockedBy === 'loopGuard');
  await assertReloads(tab, 1);
});
