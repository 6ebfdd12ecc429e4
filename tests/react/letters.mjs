import { ADA, BEN, DraftTab, KEY, QUICK, READ, signIn } from '../e2e/drafts.mjs';
import { held } from '../e2e/held.mjs';
import { serve } from '../e2e/pages.mjs';
import { run, until } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';
import { People } from '../server/fault-server.mjs';
import { browser, openReact } from './pages.mjs';

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('playwright-core').BrowserContext} BrowserContext
 *
 * @typedef {object} Own
 * @property {object} [drafts] added to the configuration's
 * @property {object} [config] added to the configuration
 * @property {object} [options] of the hook, plain data
 * @property {object} [shown] other props of the app, plain data
 * @property {string | null} [signedIn] Ada, unless Ben or nobody is named
 * @property {FaultServer} [server] another page's
 * @property {boolean} [settled] false: it may still be asking who is signed in
 */

/** Nobody waits long for who is signed in, nor for another tab. */
const CONFIG = {
  tabs: { heartbeatMs: 250, takeoverMs: 750 },
  session: { confirmAfterMs: 40, verifyTimeoutMs: 5_000 },
};

/**
 * A page of letters, or of what else `app` names, of somebody who is signed in, and the server that keeps their drafts.
 * @param {TestContext} t
 * @param {Own & Partial<import('./pages.mjs').How>} [how]
 */
export async function openLetter(t, how = {}) {
  const { drafts, config, options, shown, signedIn = 'ada', settled = true, ...own } = how;
  const server = own.server ?? (await startServer(t));
  const context = own.context ?? (await device(t, server, signedIn));
  const props = { config: { ...CONFIG, drafts: { ...QUICK, ...drafts }, ...config }, options, ...shown };
  const opened = await openReact(t, { app: 'letter', props, ...own, server, context });
  const letter = new Letter(opened.page);
  if (settled) await letter.settled();
  return {
    ...opened,
    letter,
    /** Another device of theirs, with the same page. @param {Own & Partial<import('./pages.mjs').How>} [its] */
    another: (its = {}) => openLetter(t, { ...how, context: undefined, ...its, server }),
    /** One more tab. @param {Own & Partial<import('./pages.mjs').How>} [its] */
    add: (its = {}) => openLetter(t, { ...how, ...its, server, context }),
  };
}

/** @param {TestContext} t */
async function startServer(t) {
  const server = await serve(t);
  server.drafts = openDrafts();
  server.people = new People({ ada: ADA, ben: BEN });
  return server;
}

/** @param {TestContext} t @param {FaultServer} server @param {string | null} name */
async function device(t, server, name) {
  const context = await browser.newContext();
  t.after(() => context.close());
  if (name !== null) await signIn(context, server, name);
  return context;
}

/**
 * Its restore has asked the server, which does not answer before it is told to.
 * @param {TestContext} t
 * @param {Parameters<typeof openLetter>[1] & { there?: object | null }} [how] there: what the server has
 */
export async function openRestoring(t, { there = { to: 'Ben', text: 'from there' }, ready, ...how } = {}) {
  const answer = held({ pass: true });
  const opened = await openLetter(t, {
    ...how,
    async ready(server) {
      if (there) server.drafts?.put('ada', KEY, { data: there });
      server.on(READ, answer.step);
      await ready?.(server);
    },
  });
  await opened.server.waitFor(READ);
  return { ...opened, answer };
}

/** What a page with `useAutoSave` shows; a name is that of a component in it. */
export class Letter extends DraftTab {
  /** @param {import('../harness/page.mjs').WatchedPage} page */
  constructor(page) {
    super(page, []);
    page.setDefaultTimeout(10_000);
  }

  /** The field with that label. @param {string} label @param {string} [name] */
  field(label, name = 'letter') {
    return this.page.getByRole('form', { name, exact: true }).getByLabel(label, { exact: true });
  }

  /** Types at the end of a field, all of it at once. @param {string} label @param {string} text @param {string} [name] */
  async write(label, text, name) {
    await this.field(label, name).press('End');
    await this.page.keyboard.insertText(text);
  }

  /**
   * Types at the end of a field, key by key in one task, so that no timer comes in between.
   * @param {string} label @param {string[]} keys characters, and 'Backspace' @param {string} [name]
   */
  async press(label, keys, name) {
    await this.field(label, name).press('End');
    await run(
      this.page,
      (keys) => {
        for (const key of keys) {
          if (key === 'Backspace') document.execCommand('delete');
          else document.execCommand('insertText', false, key);
        }
      },
      keys,
    );
  }

  /** The text of a field. @param {string} label @param {string} [name] */
  text(label, name) {
    return this.field(label, name).inputValue();
  }

  /** Waits until a field has a text. @param {string} label @param {string} text @param {string} [name] */
  async shows(label, text, name) {
    await until(async () => (await this.text(label, name)) === text);
  }

  /** How it stands, all of it read. @param {string} [name] @returns {Promise<any>} */
  state(name = 'letter') {
    return this.#ask(name, ({ draft }) => ({ ...draft }));
  }

  /** What was restored into the component, one after another. @param {string} [name] @returns {Promise<any[]>} */
  restored(name = 'letter') {
    return this.#ask(name, ({ restored }) => restored);
  }

  /** @param {string} [name] @returns {Promise<number>} */
  renders(name = 'letter') {
    return this.#ask(name, ({ renders }) => renders);
  }

  /** What it showed first of all that it looks at, one after another. @param {string} [name] @returns {Promise<string[]>} */
  statuses(name = 'letter') {
    return this.#ask(name, ({ shown }) => shown);
  }

  /** @param {string} [name] @returns {Promise<any>} */
  flush(name = 'letter') {
    return this.#ask(name, ({ draft }) => draft.flush());
  }

  /** @param {string} [name] @returns {Promise<any>} */
  restore(name = 'letter') {
    return this.#ask(name, ({ draft }) => draft.restoreDraft());
  }

  /** @param {string} [name] @returns {Promise<void>} */
  clear(name = 'letter') {
    return this.#ask(name, ({ draft }) => draft.clearDraft());
  }

  /** @param {any} choice @param {string} [name] @returns {Promise<any>} */
  resolve(choice, name = 'letter') {
    return run(this.page, ({ name, choice }) => window.letters[name].draft.resolve(choice), { name, choice });
  }

  /** The button that empties the form. @param {string} [name] */
  async empty(name = 'letter') {
    await this.page.getByRole('form', { name, exact: true }).getByRole('button', { name: 'Empty' }).click();
  }

  /** @param {string} name @param {(letter: any) => unknown} fn runs in the page */
  #ask(name, fn) {
    return run(this.page, new Function('name', `return (${fn})(window.letters[name])`), name);
  }
}
