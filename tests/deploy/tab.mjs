import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { run, watch } from '../harness/browser.mjs';

/** What Chromium says by itself of a script that is the page. */
const NOT_OURS = /^Failed to load module script: Expected a JavaScript/;
/** A second reload would come within. */
const CALM_MS = 700;
const LOADED_WITHIN_MS = 15_000;

/**
 * A tab of the app, and how often it was loaded again.
 * @typedef {import('../harness/page.mjs').WatchedPage & { reloads: number, alerts: string[] }} Tab `alerts` is what its person was shown as
 *   an error, in all its loads
 */

/**
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {object} options
 * @param {import('playwright-core').Browser} options.browser
 * @param {import('./host.mjs').Host} options.host
 * @param {import('playwright-core').BrowserContext} [options.context] another tab's, for a second one of the same person
 * @param {string} [options.path]
 * @param {{ way?: string, worker?: string, version?: object | false }} [options.settings] how the app loads its pages, and its configuration
 * @param {(page: Tab) => unknown} [options.beforeLoad]
 * @returns {Promise<Tab>}
 */
export async function openTab(owner, { browser, host, context, path = '/', settings = {}, beforeLoad }) {
  const own = context ? null : await browser.newContext();
  if (own) owner.after(() => own.close());
  const page = await (context ?? /** @type {import('playwright-core').BrowserContext} */ (own)).newPage();
  const tab = Object.assign(watch(page), { reloads: -1, alerts: /** @type {string[]} */ ([]) });
  tab.on('domcontentloaded', () => tab.reloads++);
  await tab.exposeFunction('alerted', (/** @type {string} */ text) => tab.alerts.push(text));
  const version = settings.version === false ? false : { ...QUICK, ...settings.version };
  await tab.addInitScript(prepare, { ...settings, version });
  await beforeLoad?.(tab);
  await tab.goto(host.origin + path);
  await isVersion(tab, Object.keys(host.builds)[0]).catch((error) => {
    throw new Error(`the app does not start: ${error.message}\n${JSON.stringify(tab.problems, null, 2)}`);
  });
  return tab;
}

/** So that a test has no need to wait; nothing is asked by itself. */
const QUICK = { idleMs: 100, spreadMs: 100, pollMs: false };

/* Runs in the page, before its scripts, on each load. */
/** @param {object} settings */
function prepare(settings) {
  Object.assign(globalThis, { settings });
  let last = '';
  new MutationObserver(() => {
    const shown = document.querySelector('[role=alert]:not([hidden])')?.textContent ?? '';
    if (shown && shown !== last) /** @type {any} */ (globalThis).alerted(shown);
    last = shown;
  }).observe(document, { subtree: true, childList: true, attributes: true });
}

/** @param {import('playwright-core').Page} page @param {string} label */
export const follow = (page, label) => page.locator('nav').getByText(label).click();

/** Resolves when the tab runs this version. @param {import('playwright-core').Page} page @param {string} version */
export async function isVersion(page, version) {
  await page.locator('output', { hasText: version }).waitFor({ timeout: LOADED_WITHIN_MS });
}

/** Resolves when the tab shows this. @param {import('playwright-core').Page} page @param {string} heading */
export async function shows(page, heading) {
  await page.locator('h1', { hasText: heading }).waitFor({ timeout: LOADED_WITHIN_MS });
}

/** It has been loaded again so often, and goes on without another time. @param {Tab} tab @param {number} reloads */
export async function assertReloads(tab, reloads) {
  await check(tab);
  await wait(CALM_MS);
  assert.equal(tab.reloads, reloads, `reloads of ${tab.url()}`);
}

/** Nothing went wrong that its person, or the developer, would see. @param {Tab} tab */
export function assertSmooth(tab) {
  assert.deepEqual(tab.alerts, []);
  assert.deepEqual(
    tab.problems.filter(({ text }) => !NOT_OURS.test(text)),
    [],
  );
}

/** The page asks its server, as it does all the time, and hears of its version. @param {import('playwright-core').Page} page */
export async function askServer(page) {
  await page.evaluate(() => void window.app.api.get('/api/items'));
}

/** The person says yes. @param {import('playwright-core').Page} page */
export async function applyUpdate(page) {
  await page.evaluate(() => void window.app.version.applyUpdate());
}

/** @param {import('playwright-core').Page} page */
export async function check(page) {
  return await run(page, () => window.app.version.check());
}

/** What version sync shows now. @param {import('playwright-core').Page} page */
export async function state(page) {
  return await run(page, () => window.app.version.getSnapshot());
}
