import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launchBrowser, until } from '../harness/browser.mjs';
import { goesOn, ownDemos } from './demo.mjs';

/** @typedef {import('./demo.mjs').Demo} Demo */

const browser = await launchBrowser({ after });
const openAnyOwn = ownDemos(browser, 5300);

/** A demo of its own, whose page counts how often it is loaded from now on. @param {import('node:test').TestContext} t */
async function openOwn(t) {
  const page = Object.assign(await openAnyOwn(t), { loads: 0 });
  // At their beginning: what a page shows may be there before it is loaded to the end.
  page.on('request', (request) => {
    if (request.isNavigationRequest() && request.frame() === page.mainFrame()) page.loads++;
  });
  return page;
}

const version = (/** @type {Demo} */ page) => page.locator('#version').textContent();
const status = (/** @type {Demo} */ page) => page.locator('#version-card-status').textContent();
const why = (/** @type {Demo} */ page) => page.locator('#version-card-why').textContent();
const press = (/** @type {Demo} */ page, /** @type {string} */ name) =>
  page.getByRole('button', { name, exact: true }).click();
const isVersion = (/** @type {Demo} */ page, /** @type {number} */ number) =>
  until(async () => (await version(page)) === `version ${number}`, 40_000);
const banner = (/** @type {Demo} */ page) => page.locator('#deployed');
const offer = (/** @type {Demo} */ page) => banner(page).getByRole('button', { name: 'Reload now' });
/** Told so often by now, and asked. @param {Demo} page */
async function isOffered(page, times = 1) {
  const lines = page.locator('#log li', { hasText: 'A new version is available' });
  await until(async () => (await lines.count()) === times, 40_000);
  await offer(page).waitFor();
}

describe('a new version', { concurrency: 3 }, () => {
  test('it comes by itself, once, and the page goes on where it was', async (t) => {
    const page = await openOwn(t);
    await goesOn(page, 3);
    await page.locator('#order-meal').selectOption('Rice bowl');
    await page.getByLabel('Portions').fill('3');
    await page.getByLabel('A note').fill('no onions');
    await page.breakIt('One route broken');
    await page.evaluate(() =>
      addEventListener('pagehide', () => {
        const newest = /** @type {HTMLElement | null} */ (document.querySelector('#tickets li'));
        sessionStorage.setItem('test:newest', newest?.dataset.id ?? '');
      }),
    );

    await page.deploy();
    // By its answer the page hears of the version, and its line in the time line is still a new one when the page goes.
    await page.getByRole('button', { name: 'Order' }).click();
    await page.locator('#receipt', { hasText: '3 × Rice bowl' }).waitFor();
    await page
      .locator('#carried', { hasText: 'Carried over from version 1 to 2' })
      .waitFor({ timeout: 40_000 });
    await isVersion(page, 2);
    assert.equal(page.loads, 1);
    // First what is replaced by newer news.
    const newest = Number(await page.evaluate(() => sessionStorage.getItem('test:newest')));
    assert.ok((await page.tickets()).includes(newest));
    await page.said(/POST \/api\/orders: 201, ok/);
    await page.said(/version 2 runs/);
    assert.equal(await page.figure('carried'), '1×');
    assert.equal(await page.locator('#order-meal').inputValue(), 'Rice bowl');
    assert.equal(await page.getByLabel('Portions').inputValue(), '3');
    assert.equal(await page.getByLabel('A note').inputValue(), 'no onions');
    assert.match((await page.locator('#receipt').textContent()) ?? '', /3 × Rice bowl/);
    assert.ok(await page.getByRole('checkbox', { name: 'One route broken' }).isChecked());
    assert.ok(!(await page.getByRole('checkbox', { name: 'Background' }).isChecked()));
    await goesOn(page); // and no order was missed meanwhile

    const [named, answered] = await page.evaluate(async () => {
      const API = /** @type {any} */ (document.querySelector('meta[name=api]')).content;
      const meals = await fetch(`${API}/api/meals`);
      const { version } = await fetch(`${API}/api/version`).then((answer) => answer.json());
      return [meals.headers.get('X-App-Version'), version];
    });
    assert.match(named ?? '', /^2\+/);
    assert.equal(answered, named);
    await press(page, 'Check now');
    await page.waitForTimeout(3_000);
    assert.equal(page.loads, 1);
    assert.equal(await status(page), 'Current');
    assert.deepEqual(page.problems, []);
  });

  test('an order that is under way is waited for, and its receipt carried over', async (t) => {
    const page = await openOwn(t);
    await page.breakIt('Slow answers');
    await page.deploy();
    // In one breath: neither is to be over before the other begins.
    await page.evaluate(() => {
      for (const name of ['Order', 'Check now'])
        [...document.querySelectorAll('button')].find(({ textContent }) => textContent === name)?.click();
    });
    await isVersion(page, 2);
    assert.match((await page.locator('#receipt').textContent()) ?? '', /^Order 1: 1 × Lentil soup/);
    await page.said(/POST \/api\/orders: 201, ok/);
    assert.equal(page.loads, 1);
    assert.deepEqual(page.problems, []);
  });

  test('who is in the middle of something is asked, and reloaded when it is over', async (t) => {
    const page = await openOwn(t);
    await page.getByRole('button', { name: 'I am in the middle of something' }).focus();
    await page.keyboard.press('Space');
    await page.deploy();
    await press(page, 'Check now');
    await isOffered(page);
    await until(async () => (await status(page)) === 'Waits');
    assert.match((await why(page)) ?? '', /^Version 2 is there. It waits as long as you are in the middle/);
    await page.waitForTimeout(5_000);
    assert.equal(page.loads, 0);

    await press(page, 'I am in the middle of something');
    await isVersion(page, 2);
    assert.equal(page.loads, 1);
    assert.deepEqual(page.problems, []);
  });

  test('it waits while a note is typed, and keeps the note when it may come', async (t) => {
    const page = await openOwn(t);
    await page.getByRole('checkbox', { name: 'Background' }).check();
    await page.getByLabel('A note').pressSequentially('for table');
    // Not by the mouse, which would leave the note: then the new version might come before a slow keyboard goes on.
    await page.getByRole('button', { name: 'Deploy', exact: true }).evaluate((button) => button.click());
    await page.getByLabel('A note').pressSequentially(' 7');
    await isOffered(page);
    await until(async () => (await status(page)) === 'Waits');
    assert.equal(page.loads, 0);

    await page.keyboard.press('Tab');
    await isVersion(page, 2);
    assert.equal(page.loads, 1);
    assert.equal(await page.getByLabel('A note').inputValue(), 'for table 7');
    assert.deepEqual(page.problems, []);
  });

  test('who says yes is reloaded at once, whatever held it back', async (t) => {
    const page = await openOwn(t);
    await press(page, 'I am in the middle of something');
    await page.deploy();
    await press(page, 'Check now');
    await offer(page).click();
    await isVersion(page, 2);
    assert.equal(page.loads, 1);
    const hold = page.getByRole('button', { name: 'I am in the middle of something' });
    assert.equal(await hold.getAttribute('aria-pressed'), 'true', 'and is in the middle of it still');
    assert.deepEqual(page.problems, []);
  });

  test('who says later is not asked again for this version', async (t) => {
    const page = await openOwn(t);
    await press(page, 'I am in the middle of something');
    await page.deploy();
    await press(page, 'Check now');
    await isOffered(page);
    await press(page, 'Later');
    await press(page, 'Check now');
    await until(async () => (await page.toasts()).length === 0, 30_000);
    await page.waitForTimeout(5_000); // two notices of one kind are as far apart
    assert.deepEqual(await page.toasts(), []);
    assert.equal(await banner(page).count(), 0);

    await page.deploy();
    await press(page, 'Check now');
    await isOffered(page, 2);
    await until(async () => /^Version 3 is there. It waits/.test((await why(page)) ?? ''));
    assert.equal(page.loads, 0);
    assert.deepEqual(page.problems, []);
  });

  test('servers that are replaced one after another reload the page once at most', async (t) => {
    const page = await openOwn(t);
    await page.getByRole('checkbox', { name: 'Background' }).check();
    await Promise.all([
      page.locator('.fault[data-on]', { hasText: 'Rolling deploy' }).waitFor(),
      press(page, 'Roll out'),
    ]);
    // Until all servers are new, and for as long as the page then has to notice.
    await until(async () => (await page.figure('server')) === '2', 40_000);
    // At one look, and only what lasts: a page may wait for other reasons before it is reloaded.
    const stands = () =>
      page.locator('body').evaluate((body) => {
        const said = (/** @type {string} */ id) => body.querySelector(id)?.textContent ?? '';
        if (said('#version') === 'version 2') return 'new';
        return /for you: this tab was reloaded for it once/.test(said('#version-card-why')) && 'old';
      });
    const stand = await until(() => stands().catch(() => false), 40_000);
    assert.ok(page.loads <= 1, `${page.loads} reloads`);
    if (stand === 'old') {
      assert.equal(page.loads, 1, 'it came back old');
      await offer(page).click();
      await isVersion(page, 2);
    }
    assert.deepEqual(page.problems, []);
  });
});
