import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

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
 * @typedef {object} LaunchOptions
 * @property {boolean} [bfcache] pages are kept when they are left, which Playwright turns off by default
 * @property {string[]} [args]
 * @property {boolean} [headless]
 */

/**
 * @param {{ after: (close: () => Promise<void>) => void }} owner a test context, or `{ after }` of node:test for a whole file
 * @param {LaunchOptions} [options]
 */
export async function launchBrowser(owner, options) {
  const browser = await chromium.launch(launchOptions(options));
  owner.after(() => browser.close());
  return browser;
}

/** @param {LaunchOptions} [options] @returns {import('playwright-core').LaunchOptions} */
export function launchOptions({ bfcache = false, args = [], headless = true } = {}) {
  const isRoot = process.getuid?.() === 0;
  return {
    executablePath: findChromium(),
    headless,
    // Milliseconds before everything that a test does or looks at: what it may do on a busy machine. It finds tests that look twice at
    // what passes by.
    slowMo: Number(process.env.SLOW_MO ?? 0),
    args: [...QUIET, ...(isRoot ? ['--no-sandbox'] : []), ...args],
    ignoreDefaultArgs: bfcache ? ['--disable-back-forward-cache'] : [],
  };
}
