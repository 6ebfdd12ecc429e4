import { readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {{ type: string, text: string, url: string }} Message
 * @typedef {{ messages: Message[], problems: Message[] }} Watched `messages` is all that the console said; `problems` are its warnings
 *   and errors, uncaught errors and unhandled rejections, but not what Chromium says about a request that failed: tests make them fail.
 * @typedef {import('playwright-core').Page & Watched} WatchedPage
 */

const pkg = fileURLToPath(new URL('../../pkg/', import.meta.url));
let pages = 0;

/**
 * Opens a page that has the built package as `window.evenkeel`, and with a `config` an instance as `window.app`.
 *
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {object} options
 * @param {import('playwright-core').Browser} [options.browser] may be left out where there is a context
 * @param {FaultServer} options.server
 * @param {import('playwright-core').BrowserContext} [options.context] another page's, for a second tab of the same person
 * @param {object | ((evenkeel: any) => object)} [options.config] for createStability; a function runs in the page
 * @param {string} [options.entry] which of the package's exports
 * @param {string} [options.path] of the page; a path of its own by default
 * @param {Record<string, string>} [options.headers] of the page, a Content-Security-Policy say
 * @param {string} [options.html] the page's body
 * @param {(page: WatchedPage) => unknown} [options.beforeLoad]
 * @returns {Promise<WatchedPage>}
 */
export async function openPage(
  owner,
  { browser, server, context, config, entry = '.', path, headers, html = '', beforeLoad },
) {
  const own = context ? null : await browser.newContext();
  if (own) owner.after(() => own.close());
  const page = watch(
    await (context ?? /** @type {import('playwright-core').BrowserContext} */ (own)).newPage(),
  );

  const at = path ?? `/page-${++pages}`;
  const boot = `/page-boot-${++pages}.js`;
  server.serve('/pkg/', pkg);
  server.page(boot, bootScript(entryUrl(entry), config), {
    'Content-Type': 'text/javascript; charset=utf-8',
  });
  server.page(
    at,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>evenkeel</title><link rel="icon" href="data:,"><body>${html}<script type="module" src="${boot}"></script></body></html>`,
    headers,
  );

  await beforeLoad?.(page);
  await page.goto(server.origin + at);
  await booted(page);
  return page;
}

/** Collects what a page says and what goes wrong in it. @param {import('playwright-core').Page} page @returns {WatchedPage} */
export function watch(page) {
  const watched = Object.assign(page, /** @type {Watched} */ ({ messages: [], problems: [] }));
  page.on('console', (message) => {
    const said = { type: message.type(), text: message.text(), url: message.location().url };
    watched.messages.push(said);
    const isFailedRequest = said.text.startsWith('Failed to load resource');
    if (['error', 'warning', 'assert'].includes(said.type) && !isFailedRequest) watched.problems.push(said);
  });
  page.on('pageerror', (error) => {
    watched.problems.push({ type: 'uncaught', text: error.stack ?? String(error), url: page.url() });
  });
  page.on('crash', () => watched.problems.push({ type: 'crash', text: 'the page crashed', url: page.url() }));
  return watched;
}

/** Resolves when the page's script has run, also after a reload. @param {import('playwright-core').Page} page */
export async function booted(page) {
  const root = page.locator('html[data-boot]');
  await root.waitFor({ state: 'attached', timeout: 20_000 });
  const outcome = await root.getAttribute('data-boot');
  if (outcome !== 'done') throw new Error(`the page's script failed: ${outcome}`);
}

/** @param {string} entry */
function entryUrl(entry) {
  /** @type {any} */
  let target = JSON.parse(readFileSync(resolve(pkg, 'package.json'), 'utf8')).exports[entry];
  while (typeof target === 'object') target = target.browser ?? target.import ?? target.default;
  if (!target) throw new Error(`the package has no export '${entry}'`);
  return posix.join('/pkg', target);
}

/** @param {string} url @param {object | ((evenkeel: any) => object) | undefined} config */
function bootScript(url, config) {
  const given = typeof config === 'function' ? `(${config})(evenkeel)` : JSON.stringify(config);
  return `
try {
  const evenkeel = window.evenkeel = await import(${JSON.stringify(url)});
  ${config ? `window.app = evenkeel.createStability(${given});` : ''}
  document.documentElement.dataset.boot = 'done';
} catch (error) {
  document.documentElement.dataset.boot = String(error?.stack ?? error);
}
`;
}
