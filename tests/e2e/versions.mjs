import assert from 'node:assert/strict';
import { after } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { serve } from './pages.mjs';

/**
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {Awaited<ReturnType<typeof openPage>>} WatchedPage
 */

export const browser = await launchBrowser({ after });

export const VERSION = '/api/version';
/** Where the app is. */
export const PATH = '/app';
/** Reloads that do not let themselves be waited for; each test says what it is about. */
export const QUICK = { idleMs: 50, spreadMs: 50, flushTimeoutMs: 300, pollMs: false };

/**
 * Open tabs of an app of version v1, as its server says too. What the app says is kept over its reloads. The test fails when a page warns
 * of anything.
 * @param {import('node:test').TestContext} t
 * @param {{ count?: number, version?: object, config?: object, serves?: () => string, html?: string, from?: typeof browser,
 *   headers?: Record<string, string>, beforeLoad?: (page: any) => unknown, made?: () => object, events?: object }} [how] `serves`: the version of the page that
 *   the server gives, by default the one that it says; `version` and `config` are added to the configuration, and what
 *   `made` gives in the page, to its version part
 */
export async function openVersions(t, how = {}) {
  const { count = 1, version, config, html = '', from = browser, headers, beforeLoad, made } = how;
  const server = await serve(t);
  const serves = how.serves ?? (() => `${server.version}`);
  server.on('/deployed.js', () => ({
    headers: { 'Content-Type': 'text/javascript' },
    body: `window.deployed = ${JSON.stringify(serves())}`,
  }));
  const context = await from.newContext();
  t.after(() => context.close());
  /** @type {AppTab[]} */
  const tabs = [];
  t.after(() => {
    for (const { page } of tabs) assert.deepEqual(page.problems.filter(isNews), []);
  });
  /** One more of them. @param {{ html?: string }} [own] */
  async function add(own = {}) {
    /** @type {any[]} */
    const said = [];
    const page = await openPage(t, {
      browser: from,
      server,
      context,
      headers,
      path: PATH,
      html: `<script src="/deployed.js"></script>${own.html ?? html}`,
      config: madeOf({ ...QUICK, ...version }, config, made),
      async beforeLoad(page) {
        await page.exposeFunction('say', (/** @type {any} */ what) => void said.push(what));
        await beforeLoad?.(page);
      },
    });
    const tab = new AppTab(page, said);
    tabs.push(tab);
    await tab.started();
    return tab;
  }
  for (let i = 0; i < count; i++) await add();
  server.clear();
  return { server, context, tabs, tab: tabs[0], add };
}

/** A configuration whose page is of the version that it was served as, and which says what it is told. @param {object} version @param {object} [config] @param {() => object} [made] */
const madeOf = (version, config, made) =>
  new Function(
    'evenkeel',
    `return {
      ...${JSON.stringify(config ?? {})},
      version: { current: window.deployed, ...${JSON.stringify(version)}, ...(${made ?? '() => ({})'})() },
      onNotice: ({ kind }) => window.say(kind),
    }`,
  );

/** What Chromium says of a policy that blocks WebAssembly is no news. @param {{ text: string }} problem */
const isNews = ({ text }) => !/Content.Security.Policy/i.test(text);

/** An open tab of the app. */
export class AppTab {
  /** @param {WatchedPage} page @param {any[]} said */
  constructor(page, said) {
    this.page = page;
    /** What its pages said, over all reloads. */
    this.said = said;
  }

  /** The client runs, or cannot. The page may be replaced meanwhile. */
  started() {
    return until(() => this.do(() => window.app?.ready.catch(() => {}).then(() => true)));
  }

  /** Nothing while the page loads. */
  state() {
    return this.do(() => window.app?.version.getSnapshot());
  }

  /** The state, when it is of that status, and blocked by that where it is said. @param {string} status @param {string | null} [blockedBy] */
  is(status, blockedBy) {
    return until(async () => {
      const state = await this.state();
      return state?.status === status && (blockedBy === undefined || state.blockedBy === blockedBy) && state;
    });
  }

  /** Asks now. What is found may end the page: then there is no answer. @returns {Promise<any>} */
  check() {
    return this.do(() => window.app.version.check());
  }

  /** The person says yes. */
  apply() {
    return this.do(() => window.app.version.applyUpdate());
  }

  /**
   * Does what may end the page; then it gives undefined.
   * @template A
   * @param {(argument: A) => unknown} fn runs in the page
   * @param {A} [argument] plain data
   * @returns {Promise<any>}
   */
  async do(fn, argument) {
    try {
      return await run(this.page, fn, argument);
    } catch (error) {
      if (!/navigation|context was destroyed/i.test(`${error}`)) throw error;
    }
  }

  /** @param {string} url @param {object} [options] */
  get(url, options) {
    return this.do(({ url, options }) => window.app?.api.get(url, options), { url, options });
  }

  /** The page of that version is there, and runs. @param {string} version */
  async isOf(version) {
    // All at one look: between two of them the page may be replaced.
    const isThere = (/** @type {string} */ version) =>
      window.deployed === version &&
      !(/** @type {any} */ (window).isOld) &&
      document.documentElement.dataset.boot === 'done' &&
      window.app.ready.catch(() => {}).then(() => true);
    await until(() => this.do(isThere, version));
  }

  /** The page that is there now is not the one that `isOf` waits for, be it of the same version. */
  isOld() {
    return run(this.page, () => Object.assign(window, { isOld: true }).isOld);
  }

  /** Somebody uses the page. */
  async use() {
    await this.page.mouse.move(10, 10);
    await this.page.mouse.move(20, 20);
  }

  /** How often a notice offered a new version. */
  get offers() {
    return this.said.filter((what) => what === 'updateAvailable').length;
  }
}

/** How often the app's page was loaded. @param {FaultServer} server */
export const loads = (server) => server.requestsTo(PATH).length;

/** How often the version endpoint was asked. @param {FaultServer} server */
export const checks = (server) => server.requestsTo(VERSION).length;

/** An answer that bears a version. @param {string} version @param {import('../server/types.mjs').Step} [step] */
export const bears = (version, step) => ({ ...step, headers: { 'X-App-Version': version } });

export { setTimeout as pass } from 'node:timers/promises';
