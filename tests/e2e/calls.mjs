import { run, until } from '../harness/browser.mjs';
import { open as openAny } from './pages.mjs';

/**
 * A client in the page that the file's tests share.
 * @type {typeof openAny}
 */
export async function open(t, config, options) {
  const opened = await openAny(t, config, options);
  await run(opened.page, () => {
    window.ended = [];
  });
  return opened;
}

/**
 * A client in a page of this test alone, which may be hidden, taken offline or changed.
 * @type {typeof openAny}
 */
export const openFresh = (t, config, options) => open(t, config, { fresh: true, ...options });

/**
 * Starts calls and remembers how they ended. Returns the activity right afterwards.
 * @param {import('playwright-core').Page} page
 * @param {Array<[url: string, options?: object]>} calls
 */
export const begin = (page, calls) =>
  run(
    page,
    (calls) => {
      for (const [url, options] of calls) {
        window.app.api.get(url, options).then((result) => window.ended.push([url, result]));
      }
      return window.app.api.activity.getSnapshot();
    },
    calls,
  );

/**
 * The results of calls that were begun, by URL, when so many have ended; in the order in which they ended.
 * @param {import('playwright-core').Page} page
 * @param {number} count
 * @returns {Promise<Record<string, any>>}
 */
export const ended = async (page, count) =>
  Object.fromEntries(
    await until(() => run(page, (count) => window.ended.length >= count && window.ended, count)),
  );

/** @param {import('playwright-core').Page} page */
export const activity = (page) => run(page, () => window.app.api.activity.getSnapshot());
