import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, until } from '../harness/browser.mjs';
import { buildVersions } from './builds.mjs';
import { startHost } from './host.mjs';
import { askServer, assertReloads, assertSmooth, follow, isVersion, openTab, shows } from './tab.mjs';

const browser = await launchBrowser({ after });
const builds = await buildVersions({ after }, 'react');

for (const [recoverChunkErrors, listeners] of /** @type {const} */ ([
  [true, 'beside the listeners'],
  [false, 'and by nothing else'],
])) {
  test(`a lazy component that a deploy took away, reported by an error boundary ${listeners}, is shown by the new version after one reload`, async (t) => {
    const host = await startHost(t, builds);
    const tab = await openTab(t, { browser, host, settings: { version: { recoverChunkErrors } } });
    host.deploy('v2');
    await follow(tab, 'Reports');
    await shows(tab, 'Reports of v2');
    await assertReloads(tab, 1);
    assert.deepEqual(
      tab.problems.filter(({ type }) => type === 'uncaught'),
      [],
    );
  });
}

test('through guard, the boundary catches nothing: what is lazy seems to load until the new version shows it', async (t) => {
  const host = await startHost(t, builds);
  const tab = await openTab(t, { browser, host, settings: { way: 'guard' } });
  host.deploy('v2');
  await follow(tab, 'Reports');
  await shows(tab, 'Reports of v2');
  await assertReloads(tab, 1);
  assertSmooth(tab);
});

test('a lazy component that is gone without a deploy stays with the boundary, reported or guarded', async (t) => {
  for (const way of ['report', 'guard']) {
    const host = await startHost(t, builds);
    host.lose(/reports/);
    const tab = await openTab(t, { browser, host, settings: { way } });
    await follow(tab, 'Reports');
    await until(() => tab.alerts.length > 0);
    await assertReloads(tab, 0);
    assert.deepEqual(tab.alerts, ['This page cannot be shown'], way);
  }
});

test('a banner that a hook shows tells of a deploy, and its button brings the new version', async (t) => {
  const host = await startHost(t, builds);
  const tab = await openTab(t, { browser, host, settings: { version: { onMismatch: 'prompt' } } });
  host.deploy('v2');
  await askServer(tab);
  const banner = tab.getByRole('status').filter({ hasText: 'There is v2' });
  await banner.getByRole('button', { name: 'Reload' }).click();
  await isVersion(tab, 'v2');
  await assertReloads(tab, 1);
  assert.equal(await banner.count(), 0);
  assertSmooth(tab);
});
