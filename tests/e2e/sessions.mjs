import assert from 'node:assert/strict';
import { after } from 'node:test';
import { booted, launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { People } from '../server/fault-server.mjs';
import { gaps, serve } from './pages.mjs';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {Awaited<ReturnType<typeof openPage>>} WatchedPage
 */

export const browser = await launchBrowser({ after });

export const SESSION = '/api/auth/session';
export const SIGN_OUT = 'POST /api/auth/signout';
export const ADA = { user: { id: 'ada', name: 'Ada' } };
export const BEN = { user: { id: 'ben', name: 'Ben' } };
/** Where this device remembers that somebody was signed in. */
export const MARK = 'evenkeel:1:evenkeel:session:/api/auth/session';

/** Tabs that notice each other quickly. */
export const TABS = { heartbeatMs: 250, takeoverMs: 750 };
/** None of them is replaced because a busy machine keeps it waiting. */
export const PATIENT_TABS = { heartbeatMs: 250, takeoverMs: 10_000 };
/** Tabs of which none gives another up because the machine is slow: where questions are counted. */
export const PATIENT = { heartbeatMs: 5_000, takeoverMs: 15_000 };
/** Doubts that are settled quickly: confirmed after 40 and 200 ms. */
export const QUICK = { confirmAfterMs: 40, verifyTimeoutMs: 5_000 };

/**
 * Tabs of one person, each with a client that keeps the session. They have asked once they are here. The test fails when a page warns of
 * anything.
 * @param {import('node:test').TestContext} t
 * @param {number} count
 * @param {{ says?: any, signedIn?: string, session?: object, tabs?: object, config?: object | ((evenkeel: any) => object), from?: typeof browser,
 *   beforeLoad?: (page: any) => unknown, headers?: Record<string, string>, ready?: (server: FaultServer) => unknown, lived?: boolean }} [how] `says`: what the
 *   session endpoint answers; `signedIn`: instead, whose cookie there is, of Ada and Ben. `session` is added to the configuration,
 *   `tabs` are its own, `config` stands in its place. `lived`: an earlier page saw somebody signed in
 */
export async function openSessions(t, count, how = {}) {
  const { says = ADA, signedIn, session, from = browser, beforeLoad, headers, ready, lived } = how;
  const config = how.config ?? { session: { ...QUICK, ...session }, tabs: how.tabs ?? TABS };
  const server = await serve(t);
  server.session = says;
  const context = await from.newContext();
  t.after(() => context.close());
  if (signedIn) {
    server.people = new People({ ada: ADA, ben: BEN });
    await context.request.post(`${server.origin}/api/auth/callback/credentials`, {
      form: { name: signedIn },
    });
  }
  await ready?.(server);
  /** @type {Tab[]} */
  const tabs = [];
  t.after(() => {
    for (const { page } of tabs) assert.deepEqual(page.problems.filter(isNews), []);
  });
  /** One more of them. @param {{ config?: any, settled?: boolean, lived?: boolean, beforeLoad?: (page: any) => unknown }} [own] not settled: it may still be asking */
  async function add(own = {}) {
    const page = await openPage(t, {
      browser: from,
      server,
      context,
      headers,
      config: own.config ?? config,
      async beforeLoad(page) {
        await page.addInitScript(hear);
        if (own.lived ?? lived) await page.addInitScript(mark, MARK);
        await (own.beforeLoad ?? beforeLoad)?.(page);
      },
    });
    const tab = new Tab(page);
    tabs.push(tab);
    if (own.settled ?? true) await tab.settled();
    return tab;
  }
  for (let i = 0; i < count; i++) await add();
  return { server, context, tabs, add };
}

/** What Chromium says of a policy that blocks WebAssembly is no news. @param {{ text: string }} problem */
const isNews = ({ text }) => !/Content.Security.Policy/i.test(text);

/** A page's client, and what it said of the session so far. */
export class Tab {
  /** @param {WatchedPage} page */
  constructor(page) {
    this.page = page;
  }

  /** Loads the page again. */
  async reload() {
    await this.page.reload();
    await booted(this.page);
    await this.settled();
  }

  state() {
    return run(this.page, () => window.app.session.getSnapshot());
  }

  /** Each state that it was in since it was watched. @returns {Promise<any[]>} */
  states() {
    return run(this.page, () => /** @type {any} */ (window).heard.states);
  }

  /** Each status that it was in, one after another. @returns {Promise<string[]>} */
  async statuses() {
    const all = (await this.states()).map(({ status }) => status);
    return all.filter((status, i) => status !== all[i - 1]);
  }

  /** What `onSignedOut` was told. @returns {Promise<string[]>} */
  ended() {
    return run(this.page, () => /** @type {any} */ (window).heard.ended);
  }

  /** What `onAccountChanged` was told, and whom the session showed then. @returns {Promise<any[]>} */
  changes() {
    return run(this.page, () => /** @type {any} */ (window).heard.changes);
  }

  /** The state, when it is of that status, and of that user where one is named. @param {string} status @param {string | null} [userKey] */
  is(status, userKey) {
    return until(async () => {
      const state = await this.state();
      return state.status === status && (userKey === undefined || state.userKey === userKey) && state;
    });
  }

  settled() {
    return until(async () => (await this.state()).status !== 'loading');
  }

  verify() {
    return run(this.page, () => window.app.session.verify());
  }

  /** What became of it: null, or the error. @returns {Promise<any>} */
  signOut() {
    return run(this.page, () =>
      window.app.session.signOut().then(
        () => null,
        (/** @type {unknown} */ error) => error,
      ),
    );
  }

  /** @param {string} url @param {object} [options] */
  get(url, options) {
    return run(this.page, ({ url, options }) => window.app.api.get(url, options), { url, options });
  }

  /** Somebody uses the page. */
  async use() {
    await this.page.mouse.move(10, 10);
    await this.page.mouse.move(20, 20);
  }

  /** The mark that an earlier page left, if any. @returns {Promise<string | null>} */
  mark() {
    return run(this.page, (key) => localStorage.getItem(key), MARK);
  }
}

/* Runs in the page, and notes what the session says from the moment at which there is a client. */
function hear() {
  /** @type {any} */
  let app;
  const set = (/** @type {any} */ made) => {
    app = made;
    const { session } = app;
    /** @type {any} */
    const heard = { states: [session.getSnapshot()], ended: [], changes: [] };
    Object.assign(window, { heard });
    session.onSignedOut((/** @type {string} */ reason) => heard.ended.push(reason));
    session.onAccountChanged((/** @type {any} */ change) =>
      heard.changes.push({ ...change, now: session.getSnapshot().userKey }),
    );
    session.subscribe(() => heard.states.push(session.getSnapshot()));
  };
  Object.defineProperty(window, 'app', { get: () => app, set });
}

/** @param {string} key */
function mark(key) {
  localStorage.setItem(key, '1');
}

/** How often the session endpoint was asked. @param {FaultServer} server */
export const asked = (server) => server.requestsTo(SESSION).length;

/** How long after each other. @param {FaultServer} server */
export const askedAfter = (server) => gaps(server.requestsTo(SESSION));

/** The tab that asks for all, and the others. @param {Tab[]} tabs */
export const roles = (tabs) =>
  until(async () => {
    const states = await Promise.all(tabs.map((tab) => tab.state()));
    const [leader, ...more] = tabs.filter((_, i) => states[i].role === 'leader');
    return leader && !more.length && { leader, followers: tabs.filter((tab) => tab !== leader) };
  });

/** All that these tabs have said to each other so far is heard: what a page posts after it comes after it. @param {Tab[]} tabs */
export async function allHeard(tabs) {
  for (const { page } of tabs)
    await run(page, () => {
      const channel = new BroadcastChannel('test');
      const heard = new Set();
      channel.onmessage = ({ data }) => heard.add(data);
      Object.assign(window, { test: { channel, heard } });
    });
  for (const [i, { page }] of tabs.entries())
    await run(page, (i) => /** @type {any} */ (window).test.channel.postMessage(i), i);
  for (const { page } of tabs)
    await until(
      async () => (await run(page, () => /** @type {any} */ (window).test.heard.size)) === tabs.length - 1,
    );
  for (const { page } of tabs) await run(page, () => /** @type {any} */ (window).test.channel.close());
}

/** Another person signs in, by a page that knows nothing of the client. @param {Tab} tab @param {string} name */
export const signInAs = (tab, name) =>
  run(
    tab.page,
    (name) =>
      fetch('/api/auth/callback/credentials', { method: 'POST', body: new URLSearchParams({ name }) }).then(
        ({ status }) => status,
      ),
    name,
  );

/** The session's cookie, as the browser has it now. @param {import('playwright-core').BrowserContext} context */
export const cookie = async (context) =>
  (await context.cookies()).find(({ name }) => name === 'authjs.session-token')?.value ?? null;

/** The page's clock is so much ahead from now on; what waits by its timers waits as long as before. @param {Page} page @param {number} ms */
export const leap = (page, ms) =>
  run(
    page,
    (ms) => {
      const now = Date.now;
      Date.now = () => now() + ms;
    },
    ms,
  );

/** Waits for so long. */
export { setTimeout as pass } from 'node:timers/promises';
