import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launchBrowser, until } from '../harness/browser.mjs';
import { goesOn, openTab, ownDemos } from './demo.mjs';

/** @typedef {import('./demo.mjs').Demo} Demo */

const browser = await launchBrowser({ after });
const openOwn = ownDemos(browser, 5100);

const session = (/** @type {Demo} */ page) => page.locator('#session-status').textContent();
const why = (/** @type {Demo} */ page) => page.locator('#session-why').textContent();
const person = (/** @type {Demo} */ page) => page.locator('#person').textContent();
const press = (/** @type {Demo} */ page, /** @type {string} */ name) =>
  page.getByRole('button', { name, exact: true }).click();
/** Toasts go; what they said stays in the log. */
const told = (/** @type {Demo} */ page, /** @type {RegExp} */ words) =>
  page.locator('#log li', { hasText: words }).waitFor();
/** How many lines of the log say so. */
const timesTold = (/** @type {Demo} */ page, /** @type {RegExp} */ words) =>
  page.locator('#log li', { hasText: words }).count();
const isSignedIn = (/** @type {Demo} */ page, /** @type {string} */ name) =>
  until(async () => (await session(page)) === 'Signed in' && (await person(page)) === name, 30_000);

/** Everything that the status said from now on. @param {Demo} page @returns {Promise<() => Promise<string[]>>} */
async function listen(page) {
  await page.evaluate(() => {
    const place = /** @type {Element} */ (document.getElementById('session-status'));
    const heard = new Set([place.textContent]);
    Object.assign(window, { heard });
    new MutationObserver(() => heard.add(place.textContent)).observe(place, {
      characterData: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => [.../** @type {any} */ (window).heard]);
}

/** Another tab of the same person. @param {Demo & { own: { url: string } }} page */
const another = (page) => openTab(page.context(), page.own);

describe('who is signed in', { concurrency: 3 }, () => {
  test('a first visit is Ada’s, and one of two tabs pings for both', async (t) => {
    const first = await openOwn(t);
    await isSignedIn(first, 'Ada');
    assert.match((await first.figure('expires')) ?? '', /^(10:00|9:\d\d)$/);
    await until(async () => /^\d+ s$/.test((await first.figure('nextPing')) ?? ''));
    await until(async () => (await first.figure('leads')) === 'leader');

    const second = await another(first);
    await isSignedIn(second, 'Ada');
    await until(async () => (await second.figure('leads')) === 'follower');
    await first.close();
    await until(async () => (await second.figure('leads')) === 'leader');
    assert.equal(await session(second), 'Signed in');
    assert.deepEqual(second.problems, []);
  });

  test('who signs out is signed out in every tab, and signs in again by keyboard', async (t) => {
    const page = await openOwn(t);
    const other = await another(page);
    await Promise.all([isSignedIn(page, 'Ada'), isSignedIn(other, 'Ada')]);
    await press(page, 'Sign out');
    await until(async () => (await why(page)) === 'You signed out.');
    await until(async () => (await why(other)) === 'You signed out in another tab.');
    await told(other, /You signed out in another tab/);
    assert.deepEqual(await page.toasts(), [], 'who did it knows');

    await page.getByRole('button', { name: 'Order' }).click();
    await page.locator('#receipt', { hasText: 'Not ordered' }).waitFor();

    await page.getByRole('button', { name: 'Ben', exact: true }).focus();
    await page.keyboard.press('Enter');
    await Promise.all([isSignedIn(page, 'Ben'), isSignedIn(other, 'Ben')]);
    await page.getByRole('button', { name: 'Order' }).click();
    await page.locator('#tickets .own', { hasText: 'Ben' }).waitFor();
    assert.deepEqual([...page.problems, ...other.problems], []);
  });

  test('a database that blinks logs nobody out', async (t) => {
    const page = await openOwn(t);
    await isSignedIn(page, 'Ada');
    const heard = await listen(page);
    await page.breakIt('Database blip');
    await page.load();
    await until(async () => (await page.rows()).some((row) => /ok after 2$/.test(row)), 40_000);
    assert.deepEqual(await heard(), ['Signed in']);
    assert.deepEqual(await page.toasts(), []);
    assert.equal(await page.locator('.fault[data-on]').count(), 0, 'the blip is over');
    assert.deepEqual(page.problems, []);
  });

  test('a session that the server forgot is over after three answers, and that is said once in each tab', async (t) => {
    const page = await openOwn(t);
    const other = await another(page);
    await Promise.all([isSignedIn(page, 'Ada'), isSignedIn(other, 'Ada')]);
    const begun = Date.now();
    await press(page, 'Expire it');
    await told(page, /You were signed out/);
    await told(other, /You were signed out/);
    assert.ok(Date.now() - begun > 5_000, 'not at the first answer');
    for (const tab of [page, other]) {
      await until(async () => (await session(tab)) === 'Signed out');
      await until(async () => (await why(tab)) === 'The server said so, three times.');
      assert.equal(await timesTold(tab, /You were signed out/), 1);
    }

    await press(page, 'Sign in');
    await Promise.all([isSignedIn(page, 'Ada'), isSignedIn(other, 'Ada')]);
    assert.deepEqual([...page.problems, ...other.problems], []);
  });

  test('another window signs in as Ben, and this page knows', async (t) => {
    const page = await openOwn(t);
    await isSignedIn(page, 'Ada');
    const opened = page.context().waitForEvent('page');
    await press(page, 'Let Ben sign in');
    const other = await opened;
    await isSignedIn(page, 'Ben');
    await told(page, /You are signed in as somebody else now/);
    await other.locator('#person', { hasText: /^Ben$/ }).waitFor();
    assert.equal(new URL(other.url()).pathname, '/', 'a reload there changes nothing');
    await page.getByRole('button', { name: 'Let Ada sign in' }).waitFor();
    assert.equal(await timesTold(page, /somebody else/), 1);
    await goesOn(page); // its orders come to Ben's tabs now
    assert.deepEqual(page.problems, []);
  });

  test('an endpoint that is down leaves the person where they are', async (t) => {
    const page = await openOwn(t);
    await isSignedIn(page, 'Ada');
    await page.breakIt('Session endpoint down');
    await press(page, 'Ask now');
    await until(async () => (await session(page)) === 'Not known');
    assert.equal(await person(page), 'Ada');
    await page.allWell();
    await press(page, 'Ask now');
    await isSignedIn(page, 'Ada');
    assert.deepEqual(page.problems, []);
  });
});
