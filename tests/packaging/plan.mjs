import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { until, watch } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';

const SHOWN_WITHIN_MS = 60_000;
const EVENT_EVERY_MS = 150;
/** Where no draft stands yet the answer is 404, which Chromium names on the console. */
const FIRST_READ = /\/api\/drafts\?/;

/** What the plan's page asks of its server: a session, drafts, and events that count up. @param {import('../server/fault-server.mjs').FaultServer} server */
export function servePlan(server) {
  server.session = { user: { id: '1', name: 'Ada' }, expiresInMs: 3_600_000 };
  server.drafts = openDrafts();
  server.on('/api/events', {
    // Without no-transform webpack's development server compresses them, and holds them back.
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store, no-transform' },
    stream: async ({ write, signal }) => {
      for (let count = 1; !signal.aborted; count++) {
        await write(`id: ${count}\ndata: {"count":${count}}\n\n`);
        await wait(EVENT_EVERY_MS);
      }
    },
  });
}

/**
 * Opens the page of three hooks and asserts that they work in it: it says who is signed in, events arrive as they are sent, what is typed is
 * there again after a reload, and the console is clean.
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @returns {Promise<{ fetched: string[] }>} the URLs that it fetched
 */
export async function assertPlan(t, browser, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = watch(await context.newPage());
  /** @type {string[]} */
  const fetched = [];
  page.on('request', (request) => fetched.push(request.url()));
  const text = (/** @type {string} */ selector) => page.locator(selector).textContent();
  /** @param {string} what @param {() => Promise<boolean>} look */
  const sees = (what, look) =>
    until(look, SHOWN_WITHIN_MS).catch(async (error) => {
      const shown = await page.locator('body').textContent();
      const said = JSON.stringify(page.messages, null, 2);
      throw new Error(
        `${what}: ${error.message}\n${shown}\n${said}\n${JSON.stringify(page.problems, null, 2)}`,
      );
    });

  await page.goto(url, { timeout: SHOWN_WITHIN_MS });
  await sees('who is signed in', async () => (await text('#who')) === 'Ada');
  await sees('an event', async () => Number(await text('#event')) > 0);
  const first = Number(await text('#event'));
  await sees('the next event', async () => Number(await text('#event')) > first);
  assert.equal(await page.locator('#event').getAttribute('data-status'), 'open');
  assert.equal(await text('#runtime'), 'running');

  await page.locator('#title').fill('Soup');
  await sees('what was typed is saved', async () => (await text('#draft')) === 'saved');
  await page.reload();
  await sees(
    'what was typed is there again',
    async () => (await page.locator('#title').inputValue()) === 'Soup',
  );
  await sees('events again', async () => Number(await text('#event')) > 0);

  assert.deepEqual(page.problems, []);
  assert.deepEqual(
    page.messages.filter(({ type, url }) => /error|warning/.test(type) && !FIRST_READ.test(url)),
    [],
  );
  return { fetched };
}
