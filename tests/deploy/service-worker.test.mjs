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
  follow,
  isVersion,
  openTab,
  shows,
  state,
} from './tab.mjs';

const browser = await launchBrowser({ after });
const builds = await buildVersions({ after }, 'vite');

/**
 * A tab of the first version, which a service worker keeps whole.
 * @param {import('node:test').TestContext} t
 * @param {{ worker?: string, version?: object, beforeLoad?: (page: import('./tab.mjs').Tab) => unknown }} [options]
 */
async function kept(t, { worker = '/sw.js', version, beforeLoad } = {}) {
  const host = await startHost(t, builds);
  const tab = await openTab(t, { browser, host, settings: { worker, version }, beforeLoad });
  await until(() => run(tab, () => navigator.serviceWorker.controller?.state === 'activated'));
  return { host, tab };
}

test('a worker that nobody asks goes on with the old page, however often it is loaded', async (t) => {
  const { host, tab } = await kept(t, { version: { onMismatch: 'ignore' } });
  host.deploy('v2');
  await tab.reload();
  await isVersion(tab, 'v1');
  await until(() => run(tab, async () => (await navigator.serviceWorker.ready).waiting !== null));
  await tab.reload();
  await isVersion(tab, 'v1');
});

for (const [worker, what] of [
  ['/sw.js', 'waits to be asked'],
  ['/sw.js?skip', 'takes over by itself'],
]) {
  test(`a worker that ${what} is updated first, so that one reload brings the new page`, async (t) => {
    const { host, tab } = await kept(t, { worker });
    host.deploy('v2');
    await askServer(tab);
    await isVersion(tab, 'v2');
    await assertReloads(tab, 1);
    assertSmooth(tab);
    assert.equal((await state(tab)).status, 'current');
  });
}

test('a worker that has been waiting for long is asked to take over', async (t) => {
  const { host, tab } = await kept(t);
  host.deploy('v2');
  await run(tab, async () => (await navigator.serviceWorker.ready).update());
  await until(() => run(tab, async () => (await navigator.serviceWorker.ready).waiting !== null));
  await askServer(tab);
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
});

test('an app that reloads by itself when another worker takes over does so once', async (t) => {
  const { host, tab } = await kept(t);
  await run(tab, () =>
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true }),
  );
  host.deploy('v2');
  await askServer(tab);
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
});

test('a lazy page that the worker of the old version still has is no reason to reload', async (t) => {
  const { host, tab } = await kept(t, { version: { onMismatch: 'ignore' } });
  host.deploy('v2');
  await follow(tab, 'Reports');
  await shows(tab, 'Reports of v1');
  await assertReloads(tab, 0);
  assertSmooth(tab);
});

/** @typedef {import('./host.mjs').Host} Host */

for (const [what, worker, spoil] of /** @type {Array<[string, string, (host: Host) => unknown]>} */ ([
  ['is never updated', '/sw.js', (host) => host.keep('/sw.js', 'v1')],
  ['cannot be asked for', '/sw.js', (host) => host.server.on('/sw.js', 'hang')],
  ['hears nothing', '/sw.js?deaf', () => {}],
])) {
  test(`a worker that ${what} and serves the old page for ever: one reload, then the person is asked, and no loop`, async (t) => {
    const { host, tab } = await kept(t, { worker, version: { flushTimeoutMs: 500 } });
    spoil(host);
    host.deploy('v2');
    await askServer(tab);
    await until(() => tab.reloads === 1);
    await isVersion(tab, 'v1');
    await askServer(tab);
    await until(async () => (await state(tab)).status === 'blocked');
    assert.equal((await state(tab)).blockedBy, 'loopGuard');
    assert.deepEqual(await run(tab, () => window.notices), ['updateAvailable']);
    await assertReloads(tab, 1);

    // The person says yes, and gets what they asked for, once.
    await applyUpdate(tab);
    await until(() => tab.reloads === 2);
    await isVersion(tab, 'v1');
    await askServer(tab);
    await assertReloads(tab, 2);
  });
}
