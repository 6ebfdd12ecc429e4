import assert from 'node:assert/strict';
import { watch } from '../harness/browser.mjs';

const ANSWERED_WITHIN_MS = 60_000;

/**
 * Opens an app and asserts that the package works in it: the module runs, one call was answered, the console is clean.
 * @param {import('node:test').TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @returns {Promise<{ page: import('../harness/page.mjs').WatchedPage, fetched: string[] }>} and the URLs that it fetched
 */
export async function assertHello(t, browser, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = watch(await context.newPage());
  /** @type {string[]} */
  const fetched = [];
  page.on('request', (request) => fetched.push(request.url()));
  await page.goto(url, { timeout: ANSWERED_WITHIN_MS });
  const shown = page.locator('#result', { hasText: '{' });
  await shown.waitFor({ timeout: ANSWERED_WITHIN_MS }).catch((error) => {
    throw new Error(
      `the app shows no result: ${error.message}\n${JSON.stringify(page.messages, null, 2)}\n${JSON.stringify(page.problems, null, 2)}`,
    );
  });
  const result = JSON.parse((await shown.textContent()) ?? '');
  assert.deepEqual(result, {
    ready: true,
    status: 'running',
    ok: true,
    data: { hello: 'world' },
    error: null,
  });
  assert.deepEqual(page.problems, []);
  assert.deepEqual(
    page.messages.filter(({ type }) => type === 'error' || type === 'warning'),
    [],
  );
  return { page, fetched };
}
