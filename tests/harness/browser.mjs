/**
 * What end-to-end tests on real pages share:
 *
 *     const browser = await launchBrowser({ after });   // node:test's, for all tests of the file
 *
 *     test('…', async (t) => {
 *       const server = await startFaultServer();
 *       t.after(() => server.close());
 *       const page = await openPage(t, { browser, server, config: { api: { retries: 1 } } });
 *       server.on('/api/x', 503);
 *       const result = await run(page, (url) => window.app.api.get(url), '/api/x');
 *       assert.equal(result.error.kind, 'unavailable');
 *       assert.deepEqual(page.problems, []);
 *     });
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

export { freeze, hide, show } from './lifecycle.mjs';
export { booted, openPage, watch } from './page.mjs';
export { run } from './run.mjs';
export { until } from './until.mjs';

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/**
 * The Chromium of this machine: what the environment variable CHROMIUM names, or the first that stands on PATH.
 * @returns {string}
 */
export function findChromium() {
  const named = process.env.CHROMIUM;
  if (named) {
    if (existsSync(named)) return named;
    throw new Error(`CHROMIUM names ${named}, which does not exist`);
  }
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  if (found) return found;
  throw new Error('no Chromium found: install the package "chromium", or set CHROMIUM to the path of one');
}

/**
 * @param {{ after: (close: () => Promise<void>) => void }} owner a test context, or `{ after }` of node:test for a whole file
 * @param {{ bfcache?: boolean, args?: string[], headless?: boolean }} [options] bfcache: pages are kept when they are left,
 *   which Playwright turns off by default
 */
export async function launchBrowser(owner, { bfcache = false, args = [], headless = true } = {}) {
  const isRoot = process.getuid?.() === 0;
  const browser = await chromium.launch({
    executablePath: findChromium(),
    headless,
    args: [...QUIET, ...(isRoot ? ['--no-sandbox'] : []), ...args],
    ignoreDefaultArgs: bfcache ? ['--disable-back-forward-cache'] : [],
  });
  owner.after(() => browser.close());
  return browser;
}
