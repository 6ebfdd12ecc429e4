import { run, until } from '../harness/browser.mjs';
import { EventFeed } from '../server/fault-server.mjs';
import { openReact } from './pages.mjs';

/**
 * @typedef {object} Given to one component of apps/stream.jsx, where it is described
 * @property {string} [name] 'a' by default
 * @property {string | null} [url]
 * @property {object} [options]
 * @property {string} [says]
 * @property {string} [token]
 * @property {string} [throws]
 * @property {string[]} [reads]
 * @property {boolean} [isHidden]
 */

export const URL_PATH = '/api/events';
/** Streams that come back quickly. */
export const QUICK = { backoff: { baseMs: 20, maxMs: 100 }, spreadMs: 20 };
/** A tab that a busy machine keeps waiting is not replaced. */
const TABS = { heartbeatMs: 100, takeoverMs: 10_000 };
/** The module may be slow to come, and nothing else is opened in its place. */
const CONFIG = { session: false, version: false, events: QUICK, tabs: TABS, startTimeoutMs: 60_000 };

/**
 * A page with components that each have a stream, and the feed that they are given.
 * @param {import('node:test').TestContext} t
 * @param {Given | Given[]} [given]
 * @param {Partial<Parameters<typeof openReact>[1]> & { feed?: EventFeed, script?: any }} [how] of the page; `script`: what the server answers instead
 */
export async function openStreams(t, given = {}, { feed = new EventFeed(), script, ready, ...how } = {}) {
  const opened = await openReact(t, {
    app: 'stream',
    props: { config: CONFIG, streams: [given].flat() },
    ready(server) {
      server.on(URL_PATH, script ?? feed.stream);
      return ready?.(server);
    },
    ...how,
  });
  const { page, server, show } = opened;
  let turn = 0;
  return {
    ...opened,
    feed,
    stream: new ShownStream(page, 'a', feed),
    /** Renders again, with all that the components are given, and waits for their effects. @param {Given | Given[]} next */
    async give(next) {
      await show({ streams: [next].flat(), turn: ++turn });
      await until(() => run(page, (turn) => window.turn === turn, turn));
    },
    /** How many connections were asked for. */
    asked: () => server.requestsTo(URL_PATH).length,
  };
}

/** A component with a stream: what it shows, and what it noted. */
export class ShownStream {
  /** @param {import('playwright-core').Page} page @param {string} name @param {EventFeed} [feed] what it is connected to */
  constructor(page, name, feed) {
    this.page = page;
    this.name = name;
    this.feed = feed;
  }

  /** It says so, and what is sent from now on arrives. */
  async opened() {
    await this.shows({ status: 'open' });
    await until(() => this.feed?.connections === 1);
  }

  /** What is on the screen; `error` by its kind. */
  async shown() {
    return JSON.parse(await this.page.locator(`output[data-name=${this.name}]`).textContent());
  }

  /** The same, once its fields are these. @param {Record<string, unknown>} fields */
  async shows(fields) {
    const wanted = JSON.stringify(Object.entries(fields));
    return until(async () => {
      const shown = await this.shown();
      return JSON.stringify(Object.keys(fields).map((field) => [field, shown[field]])) === wanted && shown;
    });
  }

  /** @returns {Promise<number>} */
  renders() {
    return this.#of('renders');
  }

  /** The status at each render. @returns {Promise<string[]>} */
  statuses() {
    return this.#of('statuses');
  }

  /** `[says, message, type]` of all that `onMessage` heard. @returns {Promise<Array<[string, any, string]>>} */
  heard() {
    return this.#of('heard');
  }

  /** The messages that `onMessage` heard, once they are as many. @param {number} count */
  messages(count) {
    return until(async () => {
      const heard = await this.heard();
      return heard.length >= count && heard.map(([, message]) => message);
    });
  }

  stats() {
    return run(this.page, (name) => window.seen[name].stream.stats(), this.name);
  }

  reconnect() {
    return run(this.page, (name) => window.seen[name].stream.reconnect(), this.name);
  }

  /** @param {string} what */
  #of(what) {
    return run(this.page, ([name, what]) => window.seen[name][what], [this.name, what]);
  }
}

/** Time in which what must not happen would have. @param {number} [ms] */
export const aWhile = (ms = 300) => new Promise((resolve) => setTimeout(resolve, ms));
