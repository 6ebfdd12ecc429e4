/**
 * What the tests of the demo share: the demo on a port of its own, and its page as a person uses it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildPage } from '../../examples/storm/build.mjs';
import { until, watch } from '../harness/browser.mjs';

/** @typedef {Awaited<ReturnType<typeof openTab>>} Demo */

const script = fileURLToPath(new URL('../../examples/storm/server.mjs', import.meta.url));

/** A demo takes two, and may find some taken. */
const PORTS_EACH = 20;

/** A stream that is open moves the time line all the time: many pages at once draw it less often. */
export const CALM = { reducedMotion: 'reduce' };

/** The page as `make demo` builds it. */
const built = await buildFor();

/** Until the file's tests are over. @param {{ isDevelopment?: boolean }} [options] */
export async function buildFor(options) {
  const folder = mkdtempSync(join(tmpdir(), 'storm-page-'));
  after(() => rm(folder, { recursive: true }));
  await buildPage(folder, options);
  return folder;
}

/** @param {number} port where it looks for a free one @param {string} [page] the folder of the page */
export async function startDemo(port, page = built) {
  const child = spawn(process.execPath, [script, '--port', String(port), '--page', page], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  const [, url = ''] = /^storm: (http:\/\/127\.0\.0\.1:\d+\/)$/.exec(line) ?? [];
  assert.ok(url, line);
  return {
    url,
    /** As Ctrl-C does. */
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      child.kill('SIGINT');
      return (await once(child, 'exit'))[0];
    },
  };
}

/**
 * The page, loaded, without background requests, in a browser of its own.
 * @param {import('node:test').TestContext} t @param {import('playwright-core').Browser} browser @param {{ url: string }} demo @param {object} [options]
 */
export async function openDemo(t, browser, demo, options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  t.after(() => context.close());
  return openTab(context, demo);
}

/**
 * As `openDemo`, each time with a server of its own, for what runs beside others.
 * @param {import('playwright-core').Browser} browser @param {number} port from which on nobody else listens
 */
export function ownDemos(browser, port) {
  return async (/** @type {import('node:test').TestContext} */ t, /** @type {object} */ options = CALM) => {
    const own = await startDemo((port += PORTS_EACH));
    t.after(() => own.stop());
    return Object.assign(await openDemo(t, browser, own, options), { own });
  };
}

/** The page in one more tab. @param {import('playwright-core').BrowserContext} context @param {{ url: string }} from */
export async function openTab(context, from) {
  const page = watch(await context.newPage());
  page.setDefaultTimeout(60_000); // several demos at once on a busy machine
  await page.goto(from.url);
  await page.getByText('Lentil soup').first().waitFor();
  await page.getByRole('checkbox', { name: 'Background' }).uncheck();
  // Of the background requests none is left that a fault could meet.
  await page.locator('[data-name=pending] dd', { hasText: /^0$/ }).waitFor();
  /** Does this, and waits until the demo's server has heard of it. @param {string} path @param {() => Promise<void>} act @param {(body: string) => boolean} [isIt] */
  const steer = async (path, act, isIt = () => true) => {
    const told = page.waitForResponse(
      (answer) =>
        new URL(answer.url()).pathname === path &&
        answer.request().method() === 'POST' &&
        isIt(answer.request().postData() ?? ''),
    );
    await Promise.all([told, act()]);
  };
  const NONE = '{"faults":[]}';
  return Object.assign(page, {
    load: () => page.getByRole('button', { name: 'Load again' }).click(),
    breakIt: (/** @type {string} */ name) =>
      steer(
        '/weather',
        () => page.getByRole('checkbox', { name, exact: true }).check(),
        (body) => body !== NONE,
      ),
    allWell: () =>
      steer(
        '/weather',
        () => page.getByRole('button', { name: 'All well' }).click(),
        (body) => body === NONE,
      ),
    deploy: () => steer('/deploy', () => page.getByRole('button', { name: 'Deploy', exact: true }).click()),
    meals: () => page.locator('#meals li').count(),
    toasts: () => page.locator('[data-sonner-toast]').allTextContents(),
    /** Every call's row in the time line: its words, in the order in which they stand. */
    rows: () =>
      page
        .locator('#timeline [data-call]')
        .evaluateAll((rows) =>
          rows.map((row) => [...row.querySelectorAll('text')].map((t) => t.textContent).join(' | ')),
        ),
    /** What is said of the calls to people who do not see them. */
    said: (/** @type {RegExp} */ words) =>
      page.locator('#calls li', { hasText: words }).waitFor({ state: 'attached', timeout: 20_000 }),
    /** A number beside the live list. */
    figure: (/** @type {string} */ name) => page.locator(`.figure[data-name=${name}] dd`).textContent(),
    status: () => page.locator('#orders-status').textContent(),
    /** The ids of the orders in the list, the newest first. */
    tickets: () =>
      page
        .locator('#tickets li')
        .evaluateAll((tickets) => tickets.map((/** @type {any} */ ticket) => Number(ticket.dataset.id))),
    counter: async (/** @type {string} */ name) =>
      Number(
        (
          await page.locator('.counter', { has: page.getByText(name, { exact: true }) }).textContent()
        )?.replace(/\D/g, ''),
      ),
  });
}

/**
 * What these places said from now on: the words of all of them at one look, whenever one of them changed.
 * @param {import('playwright-core').Page} page @param {...string} places selectors
 * @returns {Promise<() => Promise<string[][]>>}
 */
export async function hear(page, ...places) {
  const heard = await page.evaluateHandle((places) => {
    const look = () => places.map((place) => document.querySelector(place)?.textContent ?? '');
    const heard = [look()];
    new MutationObserver(() => {
      const now = look();
      if (now.some((words, i) => words !== heard.at(-1)?.[i])) heard.push(now);
    }).observe(document.body, { characterData: true, childList: true, subtree: true });
    return heard;
  }, places);
  return () => heard.jsonValue();
}

/** So many more orders than now have come in, over a stream, and none was missed or came twice. @param {Demo} page @param {number} [more] */
export async function goesOn(page, more = 2) {
  const before = Number(await page.figure('received'));
  await until(
    async () => (await page.status()) === 'Open' && Number(await page.figure('received')) >= before + more,
    40_000,
  );
  assert.equal(await page.figure('missed'), '0');
  assert.equal(await page.figure('repeated'), '0');
}
