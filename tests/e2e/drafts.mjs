import assert from 'node:assert/strict';
import { after } from 'node:test';
import { booted, launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { openDrafts as openDraftsServer } from '../server/drafts.mjs';
import { People } from '../server/fault-server.mjs';
import { serve } from './pages.mjs';

/**
 * @typedef {import('playwright-core').BrowserContext} BrowserContext
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {Awaited<ReturnType<typeof openPage>>} WatchedPage
 *
 * @typedef {object} Own What can be different for one tab.
 * @property {object | false} [drafts] added to the configuration's
 * @property {object | false} [session] added to the configuration's
 * @property {object} [config] added to the configuration
 * @property {object} [version] its version part; a page is of the version that the server said when it was loaded
 * @property {() => object} [made] runs in the page, and gives more of the drafts' configuration: what is no plain data
 * @property {BrowserContext} [context] another device's
 * @property {string} [path] of the page
 * @property {string} [html] its body
 * @property {Record<string, string>} [headers] its headers
 * @property {(page: any) => unknown} [beforeLoad]
 * @property {boolean} [settled] false: it may still be asking who is signed in
 * @property {string} [opens] the draft that it opens at once on each load, before it looks for what earlier pages left
 */

export const browser = await launchBrowser({ after });

export const DRAFTS = '/api/drafts';
export const SAVE = `POST ${DRAFTS}`;
export const READ = `GET ${DRAFTS}`;
export const CLEAR = `DELETE ${DRAFTS}`;
/** The draft that is meant where none is named. */
export const KEY = 'letter';
export const ADA = { user: { id: 'ada', name: 'Ada' } };
export const BEN = { user: { id: 'ben', name: 'Ben' } };
/** Drafts that do not let themselves be waited for; each test says what it is about. */
export const QUICK = { debounceMs: 60, maxWaitMs: 600 };
/** Drafts that wait longer than any test, unless they are told to go on. */
export const SLOW = { debounceMs: 60_000, maxWaitMs: 120_000 };

/** What failed a few times on a slow machine waits long for its next turn. */
export const PATIENCE_MS = 60_000;

const SESSION = { confirmAfterMs: 40, verifyTimeoutMs: 5_000 };
const TABS = { heartbeatMs: 250, takeoverMs: 750 };

/**
 * Tabs of one person who writes, and the server that keeps it. They know who is signed in once they are here. The test fails when a
 * page warns of anything.
 * @param {import('node:test').TestContext} t
 * @param {Own & { count?: number, signedIn?: string | null, from?: typeof browser, server?: import('../server/drafts.mjs').DraftsOptions,
 *   ready?: (server: FaultServer) => unknown }} [how] `signedIn`: Ada, unless Ben or nobody is named; `server`: of the drafts'
 *   server; `ready` is done before a page asks for anything
 */
export async function openDrafts(t, how = {}) {
  const { count = 1, signedIn = 'ada', from = browser, ready } = how;
  const server = await serve(t);
  server.drafts = openDraftsServer(how.server);
  server.people = new People({ ada: ADA, ben: BEN });
  server.on('/deployed.js', () => ({
    headers: { 'Content-Type': 'text/javascript' },
    body: `window.deployed = ${JSON.stringify(server.version)}`,
  }));
  const context = await device(t, server, signedIn, from);
  await ready?.(server);
  /** @type {DraftTab[]} */
  const tabs = [];
  t.after(() => {
    for (const { page } of tabs) assert.deepEqual(page.problems.filter(isNews), []);
  });
  /** One more of them. @param {Own} [own] */
  async function add(own = {}) {
    const its = { context, ...how, ...own };
    /** @type {any[]} */
    const said = [];
    const page = await openPage(t, {
      browser: from,
      server,
      context: its.context,
      path: its.path,
      html: `${its.version ? '<script src="/deployed.js"></script>' : ''}${its.html ?? ''}`,
      headers: its.headers,
      config: configOf(its),
      async beforeLoad(page) {
        await page.exposeFunction('say', (/** @type {any} */ what) => void said.push(what));
        await page.addInitScript(hear);
        if (its.opens) await page.addInitScript(`window.name ||= ${JSON.stringify(wish(its.opens))}`);
        await its.beforeLoad?.(page);
      },
    });
    const tab = new DraftTab(page, said);
    tabs.push(tab);
    if (its.settled ?? true) await tab.settled();
    return tab;
  }
  for (let i = 0; i < count; i++) await add();
  server.clear();
  return {
    server,
    context,
    tabs,
    tab: tabs[0],
    add,
    /** Another device of theirs. @param {string | null} [name] somebody else's, or nobody's */
    device: (name = signedIn) => device(t, server, name, from),
  };
}

/** @param {import('node:test').TestContext} t @param {FaultServer} server @param {string | null} name @param {typeof browser} from */
async function device(t, server, name, from) {
  const context = await from.newContext();
  t.after(() => context.close());
  if (name !== null) await signIn(context, server, name);
  return context;
}

/** From now on the cookie is theirs; no page hears of it. @param {BrowserContext} context @param {FaultServer} server @param {string} name */
export async function signIn(context, server, name) {
  await context.request.post(`${server.origin}/api/auth/callback/credentials`, { form: { name } });
}

/** An earlier page typed this, and the server took no more of it. @param {FaultServer} server @param {DraftTab} tab @param {any} data @param {string} [key] */
export async function leaveDirty(server, tab, data, key = KEY) {
  const down = server.on(SAVE, 503);
  await tab.type(data, key);
  await tab.is('offline', 'device', key);
  await tab.reload();
  down.off();
  server.clear();
}

/**
 * The same, and the page that is loaded then has the draft open at once: it does not send what it finds before a slow test restores it.
 * @param {FaultServer} server @param {DraftTab} tab @param {any} data @param {string} [options] the draft's, as source
 */
export async function leaveOpened(server, tab, data, options) {
  const down = server.on(SAVE, 503);
  await tab.type(data);
  await tab.is('offline', 'device');
  await tab.reload(KEY, options);
  down.off();
  server.clear();
}

/** What a page finds as its name, and does. @param {string} key @param {string} [options] */
const wish = (key, options = '{}') => JSON.stringify([key, options]);

/** @param {Own} own */
function configOf({ drafts = {}, session = {}, config, version, made }) {
  const of = (/** @type {object | false} */ part, /** @type {object} */ quick) =>
    part && JSON.stringify({ ...quick, ...part });
  const more = made ? `...(${made})(),` : '';
  return /** @type {(evenkeel: any) => object} */ (
    new Function(
      'evenkeel',
      `queueMicrotask(window.fulfil);
      return {
        tabs: ${JSON.stringify(TABS)},
        session: ${of(session, SESSION)},
        onNotice: ({ kind }) => window.say(kind),
        ...${JSON.stringify(config ?? {})},
        ${version ? `version: { current: window.deployed, ...${JSON.stringify(version)} },` : ''}
        drafts: ${drafts && `{ ...${of(drafts, QUICK)}, ${more} }`},
      }`,
    )
  );
}

/** What Chromium says of a policy that blocks WebAssembly is no news. @param {{ text: string }} problem */
const isNews = ({ text }) => !/Content.Security.Policy/i.test(text);

/** A tab with drafts. One that was not opened is, with no options, where something is done to it. */
export class DraftTab {
  /** @param {WatchedPage} page @param {any[]} said */
  constructor(page, said) {
    this.page = page;
    /** The kinds of notices, and what a test's own functions said, over all reloads. */
    this.said = said;
  }

  /** Who is signed in is known, and nothing else of the page. */
  settled() {
    return until(() => this.#do(() => window.app.session.getSnapshot().status !== 'loading'), PATIENCE_MS);
  }

  /**
   * Loads the page again.
   * @param {string} [key] a draft that it opens at once, before it looks for what earlier pages left
   * @param {string} [options] of that, as source
   */
  async reload(key, options) {
    if (key !== undefined)
      await this.#do(
        (name) => {
          window.name = name;
        },
        wish(key, options),
      );
    await this.page.reload();
    await this.returned();
  }

  /** It was loaded again. */
  async returned() {
    await booted(this.page);
    await this.settled();
  }

  /** Opens the draft. @param {object} [options] plain data @param {string} [key] */
  async open(options, key = KEY) {
    await this.#do(({ key, options }) => void window.draft(key, options), { key, options });
  }

  /** @param {any} data @param {string} [key] @returns {Promise<number>} when, by the page's clock, which is the server's too */
  type(data, key = KEY) {
    return this.#do(
      ({ key, data }) => {
        const at = Date.now();
        window.draft(key).update(data);
        return at;
      },
      { key, data },
    );
  }

  /**
   * Types `{ text: 'word 1' }`, `{ text: 'word 2' }` and so on.
   * @param {{ everyMs: number, forMs: number, key?: string }} how
   * @returns {Promise<{ count: number, startedAt: number, endedAt: number, times: number[] }>} times of the first and the last of them,
   *   and of each
   */
  typeOn({ everyMs, forMs, key = KEY }) {
    return this.#do(
      async ({ key, everyMs, forMs }) => {
        const draft = window.draft(key);
        const startedAt = Date.now();
        let endedAt = startedAt;
        let count = 0;
        const times = [];
        for (; endedAt - startedAt < forMs; await new Promise((go) => setTimeout(go, everyMs))) {
          times.push((endedAt = Date.now()));
          draft.update({ text: `word ${++count}` });
        }
        return { count, startedAt, endedAt, times };
      },
      { key, everyMs, forMs },
    );
  }

  /** @param {string} [key] @returns {Promise<any>} */
  state(key = KEY) {
    return this.#do((key) => window.draft(key).getSnapshot(), key);
  }

  /** Each state that it was in since it was opened. @param {string} [key] @returns {Promise<any[]>} */
  states(key = KEY) {
    return this.#do((key) => window.draft(key) && window.drafts[key].states, key);
  }

  /** Each status that it was in, one after another. @param {string} [key] @returns {Promise<string[]>} */
  async statuses(key) {
    const all = (await this.states(key)).map(({ status }) => status);
    return all.filter((status, i) => status !== all[i - 1]);
  }

  /** The state, when it is of that status, and saved there where that is said. @param {string} status @param {'nowhere' | 'device' | 'server'} [savedTo] @param {string} [key] */
  is(status, savedTo, key = KEY) {
    return this.when((state) => state.status === status && (!savedTo || state.savedTo === savedTo), key);
  }

  /** The first state of that status, though it may be over. @param {string} status @param {string} [key] */
  async was(status, key = KEY) {
    return until(async () => (await this.states(key)).find((state) => state.status === status), PATIENCE_MS);
  }

  /** The state, when it is as it should be. @param {(state: any) => unknown} holds @param {string} [key] @returns {Promise<any>} */
  async when(holds, key = KEY) {
    /** @type {any} */
    let state;
    try {
      return await until(async () => holds((state = await this.state(key))) && state, PATIENCE_MS);
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message}, but ${JSON.stringify(state)}`);
    }
  }

  /** @param {string} [key] @returns {Promise<any>} */
  flush(key = KEY) {
    return this.#do((key) => window.draft(key).flush(), key);
  }

  /** @param {string} [key] @returns {Promise<any>} */
  restore(key = KEY) {
    return this.#do((key) => window.draft(key).restore(), key);
  }

  /** @param {string} [key] @returns {Promise<void>} */
  clear(key = KEY) {
    return this.#do((key) => window.draft(key).clear(), key);
  }

  /** @param {'mine' | 'theirs' | { merged: any }} choice @param {string} [key] @returns {Promise<any>} */
  resolve(choice, key = KEY) {
    return this.#do(({ key, choice }) => window.draft(key).resolve(choice), { key, choice });
  }

  /** The page is done with it; the next one of the key is another. @param {string} [key] */
  async dispose(key = KEY) {
    await this.#do((key) => {
      window.draft(key).dispose();
      delete window.drafts[key];
    }, key);
  }

  /** @returns {Promise<{ version: string, events: any[], counters: Record<string, number> }>} */
  diagnostics() {
    return this.#do(() => window.app.diagnostics());
  }

  /** All that this device keeps for the origin, as text. @returns {Promise<string>} */
  device() {
    return this.#do(dump);
  }

  /** Waits until the device has a text. @param {string} text */
  async keeps(text) {
    await until(async () => (await this.device()).includes(text), PATIENCE_MS);
  }

  /**
   * @template A
   * @param {(argument: A) => unknown} fn runs in the page
   * @param {A} [argument]
   * @returns {Promise<any>}
   */
  #do(fn, argument) {
    return run(this.page, fn, argument);
  }
}

/* Runs in the page. Opens drafts where they are not open, notes what they say, and opens what `window.name` asks for. */
function hear() {
  /** @type {Record<string, { draft: any, states: any[] }>} */
  const drafts = Object.create(null);
  Object.assign(window, {
    drafts,
    /** @param {string} key @param {object} [options] */
    draft(key, options) {
      const known = drafts[key];
      if (known) return known.draft;
      const draft = window.app.draft(key, options);
      const states = [draft.getSnapshot()];
      drafts[key] = { draft, states };
      draft.subscribe(() => states.push(draft.getSnapshot()));
      return draft;
    },
    fulfil() {
      if (!window.name) return;
      const [key, options] = JSON.parse(window.name);
      window.name = '';
      const { session } = window.app;
      const open = () => {
        if (session.getSnapshot().status === 'loading') return;
        stop();
        window.draft(key, new Function(`return ${options}`)());
      };
      const stop = session.subscribe(open);
      open();
    },
  });
}

/* Runs in the page. */
async function dump() {
  const records = [];
  for (const { name } of await indexedDB.databases()) {
    const db = await done(indexedDB.open(/** @type {string} */ (name)));
    for (const store of db.objectStoreNames)
      records.push(...(await done(db.transaction(store).objectStore(store).getAll())));
    db.close();
  }
  return JSON.stringify([records, { ...localStorage }, { ...sessionStorage }]);

  /** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
  function done(request) {
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}

/** The requests that saved. @param {FaultServer} server @param {string} [key] */
export const saves = (server, key) =>
  server.requestsTo(SAVE).filter((request) => key === undefined || request.queryValue('key') === key);

/** What each of them carried. @param {FaultServer} server @param {string} [key] @returns {any[]} */
export const sent = (server, key) => saves(server, key).map((request) => request.json().data);

/** Nothing of it is left: not at the server, not on the device, and no page is given it. @param {FaultServer} server @param {DraftTab} tab @param {string} text */
export async function isGone(server, tab, text) {
  assert.equal(row(server)?.data ?? null, null);
  await until(async () => !(await tab.device()).includes(text));
  await tab.reload();
  assert.equal(await tab.restore(), null);
  const { status, conflict } = await tab.state();
  assert.deepEqual([status, conflict], ['idle', null]);
  assert.equal(row(server)?.data ?? null, null);
}

/** What the newest save took for granted: the tag that it should match, or that there is none. @param {FaultServer} server @param {string} [key] */
export const condition = (server, key) => {
  const { 'if-match': tag, 'if-none-match': none } = saves(server, key).at(-1)?.headers ?? {};
  return tag ?? `none: ${none}`;
};

/** What the server keeps; undefined: nothing. @param {FaultServer} server @param {string} [key] @param {string} [owner] */
export const row = (server, key = KEY, owner = 'ada') =>
  server.drafts?.rows().find((row) => row.owner === owner && row.key === key);

export { setTimeout as pass } from 'node:timers/promises';
export { quiet } from './streams.mjs';
