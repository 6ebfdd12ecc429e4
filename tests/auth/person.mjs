import assert from 'node:assert/strict';
import { setTimeout as pass } from 'node:timers/promises';
import { openPage, run, until } from '../harness/browser.mjs';
import { bundlePage } from './bundle.mjs';
import { COOKIE, PASSWORD, SESSION } from './server.mjs';

/**
 * @typedef {import('playwright-core').BrowserContext} BrowserContext
 * @typedef {Awaited<ReturnType<typeof openPage>>} WatchedPage
 * @typedef {Awaited<ReturnType<typeof import('./server.mjs').startAuthServer>>} AuthServer
 */

/** Tabs that notice each other quickly; one that a busy machine keeps waiting is not replaced. */
const QUICK = { tabs: { heartbeatMs: 100, takeoverMs: 10_000 } };

/** Somebody in front of a server with a real next-auth, with a browser of their own. */
export class Person {
  /** @type {Tab[]} */ #tabs = [];

  /** @param {AuthServer} server @param {BrowserContext} context */
  constructor(server, context) {
    this.server = server;
    this.context = context;
  }

  /** Leaves, and fails when a page warned of anything. */
  async close() {
    await this.context.close();
    await this.server.close();
    for (const { page } of this.#tabs) assert.deepEqual(page.problems, []);
  }

  /** Signs in with the form that next-auth serves, as a browser without scripts does. @param {string} email */
  async signIn(email) {
    const { request } = this.context;
    const { origin, auth } = this.server;
    const { csrfToken } = await (await request.get(`${origin}/api/auth/csrf`)).json();
    const isMail = auth.strategy === 'database';
    const answer = await request.post(
      `${origin}/api/auth/${isMail ? 'signin/mail' : 'callback/credentials'}`,
      {
        form: { csrfToken, email, password: PASSWORD, callbackUrl: origin },
        maxRedirects: 0,
      },
    );
    assert.equal(answer.status(), 302, await answer.text());
    if (isMail) {
      const { pathname, search } = new URL(auth.link);
      await request.get(origin + pathname + search, { maxRedirects: 0 });
    }
    assert.ok(await this.cookie(), `${email} could not sign in`);
  }

  /** The cookie that is the session, or undefined. */
  async cookie() {
    const cookies = await this.context.cookies();
    return cookies.find(({ name }) => name === COOKIE[this.server.generation]);
  }

  /**
   * One more tab, with next-auth's SessionProvider where its props are given.
   * @param {object | null} session evenkeel's; null: without evenkeel @param {object | null} [provider] @param {object} [config]
   */
  async open(session, provider = null, config = QUICK) {
    const { server, context } = this;
    server.page('/page.js', await pageScript(server.generation), { 'Content-Type': 'text/javascript' });
    const owner = { after() {} }; // the context is this person's
    const page = await openPage(owner, {
      browser: /** @type {any} */ (context.browser()),
      server,
      context,
      config: session ? { ...config, session } : undefined,
      html: '<div id="root"></div><script type="module" src="/page.js"></script>',
    });
    if (provider) await run(page, (props) => /** @type {any} */ (window).nextAuth.mount(props), provider);
    if (session) await run(page, listen);
    const tab = new Tab(page);
    this.#tabs.push(tab);
    return tab;
  }

  /** So many tabs, one after another. @param {number} count @param {Parameters<Person['open']>} how */
  async openTabs(count, ...how) {
    const tabs = [];
    for (let i = 0; i < count; i++) tabs.push(await this.open(...how));
    return tabs;
  }

  /** Right after a ping, when the next is far: an answer that is still under way would bring back a cookie that goes now. */
  async pinged() {
    const before = this.asked().all.length;
    await until(() => {
      const { all } = this.asked();
      return all.length > before && all.every(({ endedAt, closedEarlyAt }) => endedAt ?? closedEarlyAt);
    });
  }

  /**
   * Signs in or out, or what else changes the cookie, while no answer sets it: one that is under way would bring back the one before.
   * @template T
   * @param {() => Promise<T>} change
   * @returns {Promise<T>}
   */
  async changing(change) {
    const still = this.server.on(`GET ${SESSION}`, { pass: true, headers: { 'set-cookie': null } });
    // What came before that may still be answered with one.
    const before = this.asked().all;
    await until(() => before.every(({ endedAt, closedEarlyAt }) => endedAt ?? closedEarlyAt));
    try {
      return await change();
    } finally {
      still.off();
    }
  }

  /** No session request is under way, or just to come: the provider's own would bring back a cookie that goes now, and nobody else can end it. */
  async quiet() {
    await until(async () => {
      const before = this.asked().all.length;
      await pass(300);
      const { all } = this.asked();
      return all.length === before && all.every(({ endedAt, closedEarlyAt }) => endedAt ?? closedEarlyAt);
    });
  }

  /** The session requests so far: next-auth's provider says that its GETs are JSON, evenkeel does not. */
  asked() {
    const all = this.server.requestsTo(`GET ${SESSION}`);
    const provider = all.filter(({ headers }) => headers['content-type']);
    return { all, provider, evenkeel: all.filter((request) => !provider.includes(request)) };
  }
}

/** @type {Map<number, Promise<string>>} */
const scripts = new Map();
/** @param {import('./server.mjs').Generation} generation @returns {Promise<string>} */
function pageScript(generation) {
  if (!scripts.has(generation)) scripts.set(generation, bundlePage(generation));
  return /** @type {Promise<string>} */ (scripts.get(generation));
}

/* Runs in the page. */
function listen() {
  const { session } = window.app;
  /** @type {any[]} */
  const heard = [];
  const statuses = [session.getSnapshot().status];
  Object.assign(window, { heard, statuses });
  session.subscribe(() => statuses.push(session.getSnapshot().status));
  session.onSignedOut((/** @type {string} */ reason) => heard.push(reason));
  session.onAccountChanged((/** @type {{ from: string, to: string }} */ { from, to }) =>
    heard.push(`${from} → ${to}`),
  );
}

export class Tab {
  /** @param {WatchedPage} page */
  constructor(page) {
    this.page = page;
  }

  /** evenkeel's snapshot. @returns {Promise<any>} */
  state() {
    return run(this.page, () => window.app.session.getSnapshot());
  }

  /** The snapshot, when it is of that status, and of that user. @param {string} status @param {string | null} [userKey] @param {number} [timeoutMs] */
  is(status, userKey, timeoutMs) {
    return until(async () => {
      const state = await this.state();
      return state.status === status && (userKey === undefined || state.userKey === userKey) && state;
    }, timeoutMs);
  }

  /** The reasons of sign-outs, and the account changes as `from → to`. @returns {Promise<string[]>} */
  heard() {
    return run(this.page, () => /** @type {any} */ (window).heard);
  }

  /** Each status that evenkeel's session had since the tab was opened, one after another, once it was known. @returns {Promise<string[]>} */
  async statuses() {
    /** @type {string[]} */
    const all = await run(this.page, () => /** @type {any} */ (window).statuses);
    return all.filter((status, i) => status !== 'loading' && status !== all[i - 1]);
  }

  /** What useSession says: its status, and the user's e-mail. @returns {Promise<[string, string]>} */
  provider() {
    return run(this.page, () => {
      const shown = /** @type {HTMLElement} */ (document.querySelector('#provider'));
      return [shown.dataset.status, shown.textContent];
    });
  }

  /** When useSession says that this person is signed in, or nobody. @param {string | null} email */
  async provides(email) {
    const expected = email ? ['authenticated', email] : ['unauthenticated', ''];
    await until(async () => `${await this.provider()}` === `${expected}`);
  }

  verify() {
    return run(this.page, () => window.app.session.verify());
  }

  /** evenkeel's; its error where it rejects. @returns {Promise<any>} */
  signOut() {
    return run(this.page, () => window.app.session.signOut().catch((/** @type {Error} */ error) => error));
  }

  /** next-auth's own. @param {string} email */
  nextAuthSignIn(email) {
    return run(
      this.page,
      (form) => /** @type {any} */ (window).nextAuth.signIn('credentials', { ...form, redirect: false }),
      { email, password: PASSWORD },
    );
  }

  /** next-auth's own. */
  nextAuthSignOut() {
    return run(this.page, () => /** @type {any} */ (window).nextAuth.signOut({ redirect: false }));
  }
}
