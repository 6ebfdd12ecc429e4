import assert from 'node:assert/strict';
import { after } from 'node:test';
import { launchBrowser, openPage, until } from '../harness/browser.mjs';
import { EventFeed } from '../server/fault-server.mjs';
import { serve } from './pages.mjs';
import { listen, QUICK, URL_PATH } from './streams.mjs';

/**
 * @typedef {Awaited<ReturnType<typeof openPage>>} WatchedPage
 * @typedef {import('./streams.mjs').PageStream} PageStream
 * @typedef {{ page: WatchedPage, stream: PageStream }} Tab
 */

export const browser = await launchBrowser({ after });

/** Tabs that notice each other quickly. */
export const TABS = { heartbeatMs: 100, takeoverMs: 500 };
/** Tabs that take over from none that is only slow. */
export const CALM = { heartbeatMs: 100, takeoverMs: 30_000 };
export const SHARED = { shared: true };
/** Where the feed is polled. */
export const POLL_PATH = '/api/poll';

/**
 * Tabs of one person, and a feed that they share by one stream each. The test fails when a page warns of anything.
 * @param {import('node:test').TestContext} t
 * @param {number} count
 * @param {{ options?: any, config?: any, script?: any, beforeLoad?: Parameters<typeof openPage>[1]['beforeLoad'], from?: typeof browser }} [how] `from`:
 *   another browser, with a back/forward cache say
 */
export async function openTabs(
  t,
  count,
  { options = SHARED, config = { events: QUICK, tabs: TABS }, script, beforeLoad, from = browser } = {},
) {
  const server = await serve(t);
  const feed = new EventFeed({ heartbeatMs: 200 });
  server.on(URL_PATH, script ?? feed.stream);
  server.on(POLL_PATH, feed.poll);
  const context = await from.newContext();
  t.after(() => context.close());
  /** @type {WatchedPage[]} */
  const pages = [];
  t.after(() => {
    for (const page of pages) assert.deepEqual(page.problems, []);
  });
  /** One more of them. @param {any} [own] options of its stream @param {any} [ownConfig] @returns {Promise<Tab>} */
  async function add(own = options, ownConfig = config) {
    // The engine has the stream from the first on, however long it takes to start.
    const config = { startTimeoutMs: 60_000, ...ownConfig };
    const page = await openPage(t, { browser: from, server, context, config, beforeLoad });
    pages.push(page);
    return { page, stream: await listen(page, own) };
  }
  const tabs = [];
  for (let i = 0; i < count; i++) tabs.push(await add());
  return { server, feed, context, tabs, add };
}

/** The tab that holds the connection, and those that listen to it, when all of them are connected. @param {Tab[]} tabs */
export async function roles(tabs) {
  return until(async () => {
    const states = await Promise.all(tabs.map(({ stream }) => stream.state()));
    const of = (role) => tabs.filter((_, i) => states[i].role === role && states[i].isConnected);
    const [leader, ...more] = of('leader');
    const followers = of('follower');
    return leader && !more.length && followers.length === tabs.length - 1 && { leader, followers };
  });
}

/** All tabs heard the same, each once and in order. @param {Tab[]} tabs @param {string[]} expected */
export async function allHeard(tabs, expected) {
  for (const { stream } of tabs) {
    await stream.heard(expected.length);
    assert.deepEqual(await stream.data(), expected);
  }
}

/** Sends so many events, whose data count up from where the feed is. @param {EventFeed} feed @param {number} count */
export function send(feed, count) {
  const sent = [];
  for (let i = 0; i < count; i++) {
    const data = `event ${feed.events.length}`;
    feed.send(data);
    sent.push(data);
  }
  return sent;
}
