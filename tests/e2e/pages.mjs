import assert from 'node:assert/strict';
import { after } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {import('playwright-core').Page} Page
 */

const QUICK = { baseMs: 20, maxMs: 100 };
const browser = await launchBrowser({ after });

/** A fault server for one test. @param {TestContext} t @param {Parameters<typeof startFaultServer>[0]} [options] */
export async function serve(t, options) {
  const server = await startFaultServer(options);
  t.after(() => server.close());
  return server;
}

/** For the tests that do the page nothing. */
const shared = await openShared();
async function openShared() {
  const server = await startFaultServer();
  after(() => server.close());
  return { server, page: await openPage({ after }, { browser, server }) };
}

/**
 * A server that nothing was told yet, and a page of it with a client of its own that runs, and retries quickly. Where it keeps a session,
 * it has asked who is signed in. The test fails when the page warns of anything, or when an error is caught by nobody.
 * @param {TestContext} t
 * @param {any} [config] what createStability takes, or a function in the page that gives it
 * @param {Omit<Partial<Parameters<typeof openPage>[1]>, 'config'> & { fresh?: boolean, says?: any }} [options] says: what the session
 *   endpoint answers, nobody by default; fresh, or anything else: the page is of this test alone
 */
export async function open(t, config = {}, { says = null, ...options } = {}) {
  /** @type {typeof shared | undefined} */
  let opened;
  t.after(async () => {
    if (!opened) return;
    await opened.page.evaluate('window.app?.dispose()');
    assert.deepEqual(opened.page.problems, []);
  });
  opened = Object.keys(options).length ? await openOwn(t, options) : shared;
  const { server, page } = opened;
  if (server !== options.server) server.reset();
  server.session = says;
  page.problems.length = 0;
  // What an earlier client of the page knew is nothing to this one.
  if (opened === shared) await page.evaluate('localStorage.clear()');
  const given =
    typeof config === 'function'
      ? `(${config})(evenkeel)`
      : JSON.stringify({ ...config, api: { backoff: QUICK, ...config.api } });
  await page.evaluate(`window.app = evenkeel.createStability(${given}); window.app.ready`);
  await until(() => run(page, () => window.app.session.getSnapshot().status !== 'loading'));
  if (server.requestsTo('/api/*').length) server.clear();
  return opened;
}

/** @param {TestContext} t @param {Omit<Partial<Parameters<typeof openPage>[1]>, 'config'> & { fresh?: boolean }} options */
async function openOwn(t, { fresh: _, ...options }) {
  const server = options.server ?? (await serve(t));
  return { server, page: await openPage(t, { browser, ...options, server }) };
}

/** `api.get` in the page; options that are no plain data need a `run` of their own. @param {Page} page @param {string} url @param {object} [options] */
export const get = (page, url, options) => request(page, 'GET', url, undefined, options);

/** `api.post` in the page. @param {Page} page @param {string} url @param {unknown} [body] @param {object} [options] */
export const post = (page, url, body, options) => request(page, 'POST', url, body, options);

/** `api.request` in the page. @param {Page} page @param {string} method @param {string} url @param {unknown} [body] @param {object} [options] */
export const request = (page, method, url, body, options) =>
  run(page, (call) => window.app.api.request(call.method, call.url, call.body, call.options), {
    method,
    url,
    body,
    options,
  });

/** The error of a result that must be a failure. @param {any} result */
export function failure(result) {
  assert.equal(result.ok, false, `expected a failure, got ${JSON.stringify(result)}`);
  assert.equal(result.data, null);
  assert.equal(result.error.name, 'StabilityError');
  assert.equal(result.status, result.error.status);
  assert.equal(result.meta.attempts, result.error.attempts);
  return result.error;
}

/** The page has got so many answers of this status. @param {Page} page @param {number} status @param {number} [count] */
export const answered = (page, status, count = 1) =>
  until(() =>
    run(
      page,
      ({ status, count }) =>
        window.app
          .diagnostics()
          .events.filter((/** @type {any} */ event) => event.type === 'response' && event.status === status)
          .length >= count,
      { status, count },
    ),
  );

/** How long after each other requests arrived, in milliseconds. @param {Array<{ at: number }>} requests */
export const gaps = (requests) => requests.slice(1).map(({ at }, i) => at - requests[i].at);

/** The one in the middle: a busy machine makes some of them late. @param {number[]} numbers */
export const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Notes what the client says of its retries, for `waits`. @param {Page} page */
export const noteWaits = (page) =>
  run(page, () => {
    /** @type {any} */ (window).waits = [];
    window.app.on((/** @type {any} */ event) => {
      if (event.type === 'retry') /** @type {any} */ (window).waits.push(event.waitMs);
    });
  });

/** The waits before retries since `noteWaits`. @param {Page} page @returns {Promise<number[]>} */
export const waits = (page) => run(page, () => /** @type {any} */ (window).waits);
