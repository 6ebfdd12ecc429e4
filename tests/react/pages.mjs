import assert from 'node:assert/strict';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { booted, launchBrowser, run, until, watch } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';
import { createRenderer, pageScript } from './bundle.mjs';

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../harness/page.mjs').WatchedPage} WatchedPage
 * @typedef {import('./bundle.mjs').Generation} Generation
 *
 * @typedef {object} How
 * @property {string} app a file under apps/, without its ending
 * @property {string} [component] which of its exports is shown; App by default
 * @property {object | ((evenkeel: any) => object)} [props] plain data, or a function that gives them, in the page and where a server renders
 * @property {Generation} [react] 19 by default
 * @property {boolean} [strict] within StrictMode
 * @property {boolean} [production] React and the library say nothing; else they warn
 * @property {boolean | ((request: import('../server/types.mjs').RecordedRequest) => object)} [ssr] a server renders it, the page hydrates it. A
 *   function gives props, plain data, that are this request's
 * @property {FaultServer} [server] another page's
 * @property {import('playwright-core').BrowserContext} [context] another page's, for a second tab of the same person
 * @property {typeof browser} [from] another browser, with a back/forward cache say
 * @property {any} [says] what the session endpoint of a new server answers; nobody by default
 * @property {(server: FaultServer) => unknown} [ready] before the page is asked for
 * @property {(page: WatchedPage) => unknown} [beforeLoad]
 * @property {Record<string, string>} [headers] of the page, a Content-Security-Policy say
 * @property {string} [html] beside the app
 */

const pkg = fileURLToPath(new URL('../../pkg/', import.meta.url));
/** @type {Generation[]} */
export const GENERATIONS = [18, 19];
export const browser = await launchBrowser({ after });
let pages = 0;

/**
 * A page that shows an app with the real package. In the page are `window.evenkeel`, `show(props)` and `unmount()`. The test fails when the
 * page, or the server that renders it, warned of anything, or an error was caught by nobody: `page.problems` lists that.
 * @param {TestContext} t
 * @param {How} how
 */
export async function openReact(t, how) {
  const { component = 'App', props = {}, ssr = false, strict = false, headers = {}, html = '' } = how;
  const what = { app: how.app, react: how.react ?? 19, production: how.production ?? false };
  const server = how.server ?? (await serve(t, how.says));
  const context = how.context ?? (await newContext(t, how.from ?? browser));
  const page = watch(await context.newPage());
  t.after(() => assert.deepEqual(page.problems.filter(isNews), []));

  const path = `/page-${++pages}`;
  const script = `/pkg/app-${pages}.js`;
  const boot = `/boot-${pages}.js`;
  const inPage = typeof props === 'function' ? `${props}` : 'undefined';
  const served = typeof props === 'function' ? {} : props;
  server.serve('/pkg/', pkg);
  server.page(script, await pageScript(what), JS);
  server.page(
    boot,
    bootScript(
      script,
      `{ component: '${component}', props: ${inPage}, strict: ${strict}, hydrate: ${Boolean(ssr)} }`,
    ),
    JS,
  );
  if (ssr) {
    const renderer = await createRenderer(t, what);
    server.on(path, async (request) => {
      const own = { ...served, ...(ssr === true ? {} : ssr(request)) };
      const all = typeof props === 'function' ? { ...own, ...props(renderer.evenkeel) } : own;
      const first = await renderer.render(component, all, strict);
      for (const text of renderer.said.splice(0)) page.problems.push({ type: 'server', text, url: path });
      return { headers: { ...HTML, ...headers }, body: documentOf(first, own, boot, html) };
    });
  } else server.page(path, documentOf('', served, boot, html), headers);

  await how.ready?.(server);
  await how.beforeLoad?.(page);
  const answer = await page.goto(server.origin + path);
  if (!answer?.ok()) throw new Error(`the server could not render it: ${await answer?.text()}`);
  await booted(page);
  return {
    page,
    server,
    context,
    /** Its address. */
    url: server.origin + path,
    /** Shows it with other props, and its effects have run; those that are not named stay. @param {object | ((evenkeel: any) => object)} more as `props` */
    show: (more) =>
      page.evaluate(
        `window.show(${typeof more === 'function' ? `(${more})(evenkeel)` : JSON.stringify(more)})`,
      ),
    unmount: () => run(page, () => window.unmount()),
    async reload() {
      await page.reload();
      await booted(page);
    },
  };
}

/** For `headers`: WebAssembly is blocked. What a server renders may bear styles. */
export const WITHOUT_WASM = {
  'Content-Security-Policy':
    "default-src 'self' http://127.0.0.1:*; script-src 'self'; style-src 'unsafe-inline'; img-src data:",
};
/** What Chromium says of it is no news. @param {{ text: string }} problem */
const isNews = ({ text }) => !/Content.Security.Policy/i.test(text);

/** What the page shows. @param {import('playwright-core').Page} page @param {string} [id] */
export const text = (page, id = 'person') => page.locator(`#${id}`).textContent({ timeout: 5_000 });

/** When it shows that. @param {import('playwright-core').Page} page @param {string | RegExp} expected @param {string} [id] */
export const shows = (page, expected, id) =>
  until(async () => {
    const now = `${await text(page, id)}`;
    return expected instanceof RegExp ? expected.test(now) : now === expected;
  });

/** Answers wait until they are let go, by what it returns. @param {FaultServer} server @param {import('../server/types.mjs').Matcher} matcher */
export function hold(server, matcher) {
  /** @type {() => void} */
  let letGo = () => {};
  const gone = new Promise((resolve) => (letGo = () => resolve('pass')));
  server.on(matcher, () => gone);
  return letGo;
}

/** Waits for so long. */
export { setTimeout as pass } from 'node:timers/promises';

const JS = { 'Content-Type': 'text/javascript; charset=utf-8' };
const HTML = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' };

/** @param {TestContext} t @param {any} [says] */
async function serve(t, says = null) {
  const server = await startFaultServer();
  t.after(() => server.close());
  server.session = says;
  return server;
}

/** @param {TestContext} t @param {typeof browser} from */
async function newContext(t, from) {
  const context = await from.newContext();
  t.after(() => context.close());
  return context;
}

/** @param {string} first @param {object} props @param {string} boot @param {string} html */
function documentOf(first, props, boot, html) {
  const data = JSON.stringify(props).replaceAll('<', '\\u003c');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>evenkeel</title><link rel="icon" href="data:,"><body><div id="root">${first}</div>${html}<script type="application/json" id="props">${data}</script><script type="module" src="${boot}"></script></body></html>`;
}

/** @param {string} script @param {string} how */
function bootScript(script, how) {
  return `
try {
  const { begin } = await import('${script}');
  await begin(${how});
  document.documentElement.dataset.boot = 'done';
} catch (error) {
  document.documentElement.dataset.boot = String(error?.stack ?? error);
}
`;
}
