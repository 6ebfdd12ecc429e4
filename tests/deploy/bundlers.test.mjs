import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launchBrowser, until } from '../harness/browser.mjs';
import { buildVersions } from './builds.mjs';
import { startHost } from './host.mjs';
import { assertReloads, assertSmooth, follow, openTab, shows, state } from './tab.mjs';

const browser = await launchBrowser({ after });

// All of them before the first test: what is there when the last known test ends is taken away.
const apps = {
  webpack: await buildVersions({ after }, 'webpack'),
  Turbopack: await buildVersions({ after }, 'next'),
};

for (const [bundler, builds] of Object.entries(apps)) {
  describe(`built by ${bundler}`, () => {
    for (const [missing, answer] of /** @type {const} */ ([
      ['notFound', '404'],
      ['page', 'the page itself'],
    ])) {
      test(`through guard, a part that a deploy took away is shown by the new version after one reload, where ${answer} is answered`, async (t) => {
        const host = await startHost(t, builds);
        host.missing = missing;
        const tab = await openTab(t, { browser, host });
        host.deploy('v2');
        await follow(tab, 'Reports');
        await shows(tab, 'Reports of v2');
        await assertReloads(tab, 1);
        assert.deepEqual(tab.alerts, []);
        // A page that is run as a script is an error that nobody can catch.
        if (missing === 'notFound') assertSmooth(tab);
      });

      test(`an app that thinks of no deploy comes to the new version with one reload, where ${answer} is answered`, async (t) => {
        const host = await startHost(t, builds);
        host.missing = missing;
        const tab = await openTab(t, { browser, host, settings: { way: 'plain' } });
        host.deploy('v2');
        await follow(tab, 'Reports');
        await shows(tab, 'Reports of v2');
        await assertReloads(tab, 1);
      });
    }

    test('a part that is gone is known by its error alone', async (t) => {
      const host = await startHost(t, builds);
      const version = { recoverChunkErrors: false, onMismatch: 'prompt' };
      const tab = await openTab(t, { browser, host, settings: { way: 'report', version } });
      host.deploy('v2');
      await follow(tab, 'Reports');
      const { latest, reason } = await until(async () => {
        const now = await state(tab);
        return now.status === 'updateAvailable' && now;
      });
      assert.deepEqual([latest, reason], ['v2', 'chunkError']);
      await assertReloads(tab, 0);
    });

    test('a part that is gone without a deploy is an error of the app, and nothing is reloaded', async (t) => {
      const host = await startHost(t, builds);
      const tab = await openTab(t, { browser, host });
      host.lose(/\.js$/);
      await follow(tab, 'Reports');
      await until(() => tab.alerts.length > 0);
      await assertReloads(tab, 0);
    });
  });
}
