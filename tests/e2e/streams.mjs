import { run, until } from '../harness/browser.mjs';
import { open } from './pages.mjs';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../server/types.mjs').Step} Step
 */

/** Where the tests' streams are, when nothing else is said. */
export const URL_PATH = '/api/events';
/** Short waits; each test says what it is about. */
export const QUICK = { backoff: { baseMs: 20, maxMs: 100 }, spreadMs: 20 };
/** Waits that can be foretold. */
export const EXACT = { ...QUICK, backoff: { ...QUICK.backoff, jitter: 'none' } };

const TYPE = { 'Content-Type': 'text/event-stream' };
/** An answer that says this and stays open. @param {string | Uint8Array} text @param {Step} [step] @returns {Step} */
export const stays = (text, step) => ({
  headers: TYPE,
  pieces: [{ data: text }],
  stallAfterBytes: Infinity,
  ...step,
});
/** An answer that says this and ends, as a response ends. @param {string | Uint8Array} text @param {Step} [step] @returns {Step} */
export const ends = (text, step) => ({ headers: TYPE, pieces: [{ data: text }], ...step });

/** An answer that says this, and is cut so much later. @param {string} text @param {number} afterMs @returns {Step} */
export const cutAfter = (text, afterMs) => ({
  headers: TYPE,
  async stream(body) {
    await body.write(text);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    body.cut();
  },
});

/** An answer that says this, and is cut when `gate` lets it go. @param {string} text @param {ReturnType<typeof import('./held.mjs').held>} gate @param {Step} [step] @returns {Step} */
export const cutBy = (text, gate, step) => ({
  headers: TYPE,
  ...step,
  async stream(body) {
    await body.write(text);
    await gate.step();
    body.cut();
  },
});

/** An answer that says this, the rest when `gate` lets it go, and stays open. @param {string} text @param {ReturnType<typeof import('./held.mjs').held>} gate @param {string} rest @returns {Step} */
export const goesOn = (text, gate, rest) => ({
  headers: TYPE,
  stallAfterBytes: Infinity,
  async stream(body) {
    await body.write(text);
    await gate.step();
    await body.write(rest);
  },
});

/**
 * A client in a page, and a stream of it. What `open` takes, with quick streams.
 * @param {import('node:test').TestContext} t
 * @param {any} [options] for `listen`
 * @param {{ config?: any, page?: Parameters<typeof open>[2], script?: any, url?: string, types?: string[] }} [around] `script` is what the
 *   server answers, an open stream by default
 */
export async function openStream(
  t,
  options,
  { config, page: own, script = stays(':\n\n'), url = URL_PATH, types } = {},
) {
  const opened = await open(t, config ?? { events: QUICK }, own);
  opened.server.on(URL_PATH, script);
  return { ...opened, stream: await listen(opened.page, options, { url, types }) };
}

/**
 * Opens a stream in the page and notes all that it says.
 * @param {Page} page
 * @param {any} [options] plain data, or a function in the page that gives them
 * @param {{ url?: string, name?: string, types?: string[] }} [how] `name` is where the page finds it: `window.<name>.source`
 */
export async function listen(page, options = {}, { url = URL_PATH, name = 'stream', types = [] } = {}) {
  const given = typeof options === 'function' ? `(${options})()` : JSON.stringify(options);
  await page.evaluate(`(${begin})(${JSON.stringify({ url, name, types })}, ${given})`);
  return new PageStream(page, name);
}

/* Runs in the page. */
/** @param {{ url: string, name: string, types: string[] }} how @param {object} options */
function begin({ url, name, types }, options) {
  const source = window.app.events(url, options);
  /** @type {any} */
  const heard = { source, log: [], events: [], errors: [], states: [], waits: [] };
  /** @type {any} */ (window)[name] = heard;
  for (const type of ['open', 'error']) {
    source.addEventListener(type, (/** @type {Event} */ event) => {
      // A server may call its events so too; those have data.
      if (event instanceof MessageEvent) return;
      heard.log.push([type, source.readyState]);
      if (type === 'error') heard.errors.push(source.state.getSnapshot().error);
    });
  }
  for (const type of ['message', ...types]) {
    source.addEventListener(type, (/** @type {MessageEvent} */ event) => {
      if (!(event instanceof MessageEvent)) return;
      heard.events.push({ type, data: event.data, id: event.lastEventId });
      heard.log.push([type, event.data]);
    });
  }
  source.state.subscribe(() => {
    const state = source.state.getSnapshot();
    const isNew = state.nextRetryAt !== heard.states.at(-1)?.nextRetryAt;
    heard.states.push(state);
    if (isNew && state.nextRetryAt !== null) heard.waits.push(state.nextRetryAt - Date.now());
  });
}

/** A stream in a page, and what it said so far. */
export class PageStream {
  /** @param {Page} page @param {string} name */
  constructor(page, name) {
    this.page = page;
    this.name = name;
  }

  /** `['open', readyState]`, `['error', readyState]` and `[type, data]`, in their order. @returns {Promise<any[]>} */
  log() {
    return this.#of('log');
  }

  /** @returns {Promise<Array<{ type: string, data: string, id: string }>>} */
  events() {
    return this.#of('events');
  }

  /** Each state that it was in since it was made. @returns {Promise<any[]>} */
  states() {
    return this.#of('states');
  }

  /** How long each wait was to be when it began, in the page's own time: never more than that, whatever else the machine does. @returns {Promise<number[]>} */
  waits() {
    return this.#of('waits');
  }

  /** @param {string} what */
  #of(what) {
    return run(this.page, ([name, what]) => /** @type {any} */ (window)[name][what], [this.name, what]);
  }

  state() {
    return run(this.page, (name) => /** @type {any} */ (window)[name].source.state.getSnapshot(), this.name);
  }

  stats() {
    return run(this.page, (name) => /** @type {any} */ (window)[name].source.stats(), this.name);
  }

  readyState() {
    return run(this.page, (name) => /** @type {any} */ (window)[name].source.readyState, this.name);
  }

  close() {
    return run(this.page, (name) => /** @type {any} */ (window)[name].source.close(), this.name);
  }

  reconnect() {
    return run(this.page, (name) => /** @type {any} */ (window)[name].source.reconnect(), this.name);
  }

  /** The data of its events. */
  async data() {
    return (await this.events()).map(({ data }) => data);
  }

  /** The data, when there are as many events. @param {number} count @param {number} [timeoutMs] */
  heard(count, timeoutMs) {
    return until(async () => {
      const data = await this.data();
      return data.length >= count && data;
    }, timeoutMs);
  }

  /** What `state.error` was at each `error` event. @returns {Promise<any[]>} */
  errors() {
    return this.#of('errors');
  }

  /** The same, each as `[kind, status]`. */
  async faults() {
    return (await this.errors()).map((error) => error && [error.kind, error.status]);
  }

  /** How often an event of the name was fired. @param {'open' | 'error'} type */
  async fired(type) {
    return (await this.log()).filter(([name]) => name === type).length;
  }

  /** When it was opened as often. @param {number} [count] */
  async opened(count = 1) {
    await until(async () => (await this.fired('open')) >= count);
  }

  /** The state, when it is of that status. @param {string} status */
  is(status) {
    return until(async () => {
      const state = await this.state();
      return state.status === status && state;
    });
  }

  /** The final state. */
  closed() {
    return this.is('closed');
  }
}

/** The requests of a stream. @param {FaultServer} server @param {string} [path] */
export const requestsTo = (server, path = URL_PATH) => server.requestsTo(path);

/** How many of them are under way. @param {FaultServer} server @param {string} [path] */
export const connections = (server, path) =>
  requestsTo(server, path).filter(({ endedAt, closedEarlyAt }) => endedAt === null && closedEarlyAt === null)
    .length;

/** The Last-Event-ID of each connection, read as UTF-8; null: none. @param {FaultServer} server @param {string} [path] */
export const lastIds = (server, path) =>
  requestsTo(server, path).map(({ headers }) => {
    const sent = headers['last-event-id'];
    return sent === undefined ? null : Buffer.from(sent, 'latin1').toString();
  });

/** All that the page has sent so far has come to the server, or never will: this request comes after it. @param {Page} page */
export const arrived = (page) =>
  run(page, () => fetch('/__fault/requests?since=Infinity').then((answer) => answer.text()));

/** Nothing happens for so long. @param {() => number | Promise<number>} count @param {number} ms */
export async function quiet(count, ms) {
  const before = await count();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return (await count()) === before;
}
