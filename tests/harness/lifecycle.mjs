/**
 * Headless Chromium hides no page and freezes none, so both are done to the page from outside.
 * @typedef {import('playwright-core').Page} Page
 */

/**
 * No script runs in the page from its next statement on, as in a frozen tab: timers, messages and answers wait, while its connections
 * and locks are kept. Ask the page nothing before it is thawed.
 * @param {Page} page
 * @returns {Promise<() => Promise<void>>} thaws it
 */
export async function freeze(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Debugger.enable');
  const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
  await devtools.send('Debugger.pause');
  const nudge = devtools.send('Runtime.evaluate', { expression: '0' }); // a statement to stop at, in a page that is idle
  await paused;
  return async () => {
    await devtools.send('Debugger.resume');
    await nudge;
    await devtools.detach();
  };
}

/** The page believes that it is hidden, and hears of it. @param {Page} page */
export function hide(page) {
  return page.evaluate(setVisibility, 'hidden');
}

/** @param {Page} page */
export function show(page) {
  return page.evaluate(setVisibility, 'visible');
}

/**
 * As the person closes the tab. The page hears `pagehide`, `visibilitychange` to hidden and `unload`, once each, and what it sends then with
 * `keepalive` arrives; `beforeunload` is left out, so that no question can stand in the way.
 * @param {Page} page
 */
export function closeTab(page) {
  return page.close({ runBeforeUnload: false });
}

/**
 * The renderer is gone from one moment to the next, as by a bug of its own or for want of memory: no event, no last write.
 * @param {Page} page
 */
export async function crash(page) {
  const crashed = page.waitForEvent('crash');
  const devtools = await page.context().newCDPSession(page);
  devtools.send('Page.crash').catch(() => {}); // whoever could answer is gone
  await crashed;
}

/* Runs in the page. */
/** @param {string} state */
function setVisibility(state) {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
  document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}
