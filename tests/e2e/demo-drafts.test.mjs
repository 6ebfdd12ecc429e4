import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { launchBrowser, until, watch } from '../harness/browser.mjs';
import { CALM, hear, openTab, ownDemos } from './demo.mjs';

/** @typedef {import('./demo.mjs').Demo} Demo */
/** @typedef {import('playwright-core').Page} Page */

const browser = await launchBrowser({ after });
const openOwn = ownDemos(browser, 7000);

const status = (/** @type {Page} */ page) => page.locator('#plan-status').textContent();
const why = (/** @type {Page} */ page) => page.locator('#plan-why').textContent();
const is = (/** @type {Page} */ page, /** @type {string | RegExp} */ words) =>
  page.locator('#plan-status', { hasText: words }).waitFor({ timeout: 60_000 });
/** Of the minute in which it was, which may have been over just now. */
const isSaved = (/** @type {Page} */ page) => is(page, /^Saved at \d\d:\d\d$/);
const field = (/** @type {Page} */ page, /** @type {string} */ label) =>
  page.locator('#plan').getByLabel(label);
const text = (/** @type {Page} */ page) => field(page, 'What is cooked');
const isThere = (/** @type {Page} */ page, /** @type {string} */ words) =>
  until(async () => (await text(page).inputValue()) === words, 30_000);
const press = (/** @type {Page} */ page, /** @type {string} */ name) =>
  page.locator('#plan, #troubles').getByRole('button', { name, exact: true }).click();
/** The page before is gone. @param {Page} page */
const reload = (page) => Promise.all([page.waitForEvent('load'), press(page, 'Reload now')]);
/** Of which draft the page's server says that it has it. @param {Page} page @returns {Promise<{ rev: number, data: any } | null>} */
const held = (page) =>
  page.evaluate(() =>
    fetch('/standing')
      .then((answer) => answer.json())
      .then(({ held }) => held),
  );

/** Everything that the status says from now on. @param {Page} page @returns {Promise<() => Promise<string[]>>} */
async function listen(page) {
  await page.locator('#plan-status').waitFor();
  await page.evaluate(() => {
    const place = /** @type {Element} */ (document.getElementById('plan-status'));
    /** @type {Array<string | null>} */ const heard = [];
    Object.assign(window, { heard });
    new MutationObserver(() => heard.push(place.textContent)).observe(place, {
      characterData: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => /** @type {any} */ (window).heard);
}

/** @param {Demo} page */
async function openSecond(page) {
  const opened = page.context().waitForEvent('page');
  await press(page, 'Second window');
  return watch(await opened);
}

/** Two windows of Ada's, of which one saved a text that the other one did not know of. @param {import('node:test').TestContext} t @param {object} [options] */
async function disagree(t, options) {
  const page = await openOwn(t, options);
  await field(page, 'Title').fill('Week 48');
  await text(page).fill('Monday: soup');
  await isSaved(page);
  const other = await openSecond(page);
  await isThere(other, 'Monday: soup');
  await field(other, 'Guests a day').fill('80');
  await text(other).fill('Monday: soup\nTuesday: curry');
  await isSaved(other);
  await text(page).fill('Monday: soup\nFriday: pie');
  await is(page, 'Two texts');
  return { page, other };
}

describe('a plan that is half typed', { concurrency: 3 }, () => {
  test('it says when it saves and when it has saved, and no password is in what the server holds', async (t) => {
    const page = await openOwn(t);
    assert.equal(await status(page), 'Nothing typed');
    assert.equal(await held(page), null);
    const heard = await listen(page);
    await field(page, 'Title').fill('Week 48');
    await field(page, 'Guests a day').fill('120');
    await field(page, 'Diet').selectOption('Vegan');
    await text(page).pressSequentially('Monday: soup');
    await field(page, 'Password').fill('beetroot-7');
    await isSaved(page);
    assert.match((await heard()).join(', '), /^Not saved yet, (.+, )?Saving…, Saved at \d\d:\d\d$/);
    assert.equal(await page.figure('savedTo'), 'server');
    assert.deepEqual((await held(page))?.data, {
      title: 'Week 48',
      guests: '120',
      diet: 'Vegan',
      text: 'Monday: soup',
    });
    const shown = page.locator('#plan-held');
    await until(async () => /Monday: soup/.test((await shown.textContent()) ?? ''));
    assert.doesNotMatch((await shown.textContent()) ?? '', /beetroot/);
    assert.deepEqual(page.problems, []);
  });

  test('a reload in the middle of a word loses no letter', async (t) => {
    const page = await openOwn(t);
    await field(page, 'Title').fill('Week 48');
    await field(page, 'Password').fill('beetroot-7');
    await text(page).pressSequentially('Monday: beetr');
    await reload(page);
    await isThere(page, 'Monday: beetr');
    assert.equal(await field(page, 'Title').inputValue(), 'Week 48');
    assert.equal(await field(page, 'Password').inputValue(), '');
    assert.match((await why(page)) ?? '', /^Brought back from /);
    await until(async () => (await held(page))?.data.text === 'Monday: beetr');
    assert.deepEqual(page.problems, []);
  });

  test('a field that is typed in before the text is back keeps it, and the others are filled', async (t) => {
    const page = await openOwn(t);
    await field(page, 'Title').fill('Week 48');
    await text(page).fill('Monday: soup');
    await isSaved(page);

    const device = await browser.newContext();
    t.after(() => device.close());
    const late = watch(await device.newPage());
    // As soon as it is typed in the answer may come: it is not waited for longer than 3 s.
    /** @type {(found: string) => void} */
    let type = () => {};
    /** @type {Promise<string>} */
    const typed = new Promise((resolve) => {
      type = resolve;
    });
    await late.exposeFunction('typedBeside', type);
    await late.addInitScript(() => {
      addEventListener('input', () => {
        const { value } = /** @type {HTMLTextAreaElement} */ (document.querySelector('#plan textarea'));
        /** @type {any} */ (window).typedBeside(value);
      });
    });
    await late.route(/\/api\/drafts\?/, async (route) => {
      await typed;
      await route.continue();
    });
    const asked = late.waitForRequest(/\/api\/drafts\?/);
    await late.goto(page.own.url, { waitUntil: 'commit' });
    await asked;
    await field(late, 'Title').fill('Week 49');
    assert.equal(await typed, '');
    await isThere(late, 'Monday: soup');
    assert.equal(await field(late, 'Title').inputValue(), 'Week 49');
    assert.deepEqual([...page.problems, ...late.problems], []);
  });

  test('a plain form keeps nothing, and says so', async (t) => {
    const page = await openOwn(t);
    await page.getByRole('checkbox', { name: 'Without evenkeel' }).check();
    await text(page).fill('Monday: soup');
    assert.equal(await status(page), 'Kept nowhere');
    await reload(page);
    await page.getByText('Lentil soup').first().waitFor();
    await page.waitForTimeout(2_000);
    assert.equal(await text(page).inputValue(), '');
    assert.equal(await held(page), null);
    assert.deepEqual(page.problems, []);
  });

  test('by keyboard it is typed, published and begun anew', async (t) => {
    const page = await openOwn(t);
    await field(page, 'Title').focus();
    for (const keys of ['Week 48', '120', '', 'Monday: soup', 'beetroot-7']) {
      await page.keyboard.type(keys);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.locator('#plan-receipt', { hasText: 'Published as plan 1.' }).waitFor();
    await isThere(page, '');

    await text(page).fill('Tuesday: curry');
    await isSaved(page);
    await page.getByRole('button', { name: 'Start over' }).focus();
    await page.keyboard.press('Enter');
    await is(page, 'Nothing typed');
    assert.equal(await text(page).inputValue(), '');
    await until(async () => (await held(page))?.data === null);
    assert.deepEqual(page.problems, []);
  });

  test('a tab that crashes comes back with its text', async (t) => {
    const page = await openOwn(t);
    await text(page).fill('Monday: soup');
    await isSaved(page);
    const crashed = page.waitForEvent('crash');
    await press(page, 'Crash the tab').catch(() => {}); // the page is gone before it was pressed to the end
    await crashed;
    const next = await openTab(page.context(), page.own);
    await isThere(next, 'Monday: soup');
    assert.deepEqual(next.problems, []);
  });

  test('a server that is killed has afterwards what it had, and gets what was typed meanwhile', async (t) => {
    const page = await openOwn(t);
    await text(page).fill('Monday: soup');
    await isSaved(page);
    const before = await held(page);
    await press(page, 'Kill the server');
    await page.breakIt('Server down'); // so that it is still gone when a slow machine has typed
    const heard = await hear(page, '#plan-status', '#plan-why', '.figure[data-name=savedTo] dd');
    await text(page).fill('Monday: soup\nTuesday: curry');
    const [, reason, savedTo] = await until(
      async () => (await heard()).find(([words]) => words === 'On this device'),
      30_000,
    );
    assert.match(reason, /^Sent as soon as the server can be asked\. /);
    assert.equal(savedTo, 'device');
    await page.allWell();
    await isSaved(page);
    const now = await held(page);
    assert.equal(now?.data.text, 'Monday: soup\nTuesday: curry');
    assert.ok(now.rev > (before?.rev ?? Infinity));
    await page
      .locator('#calls li', { hasText: 'POST /api/drafts: 200, ok' })
      .first()
      .waitFor({ state: 'attached' });
    assert.deepEqual(page.problems, []);
  });

  test('while storage is full and the server is gone nothing is called saved, and typing goes on', async (t) => {
    const page = await openOwn(t);
    await press(page, 'Fill the storage');
    await page.locator('#troubles output', { hasText: /^localStorage is full/ }).waitFor();
    await text(page).fill('Monday: soup');
    await isSaved(page);
    assert.equal(await page.figure('savedTo'), 'server', 'which has room');

    await page.breakIt('Server down');
    const heard = await listen(page);
    const reasons = await hear(page, '#plan-status', '#plan-why');
    await text(page).fill('Monday: soup\nTuesday: curry');
    const [, reason] = await until(
      async () => (await reasons()).find(([words]) => words === 'Not saved'),
      30_000,
    );
    assert.match(reason, /^Go on: what you type is still here\. /);
    await text(page).press('End');
    await text(page).pressSequentially(' and rice');
    assert.equal(await text(page).inputValue(), 'Monday: soup\nTuesday: curry and rice');
    assert.ok(!(await heard()).some((words) => words.startsWith('Saved')));

    await press(page, 'Free the storage');
    await page.allWell();
    await isSaved(page);
    await until(
      async () => (await held(page))?.data.text === 'Monday: soup\nTuesday: curry and rice',
      60_000,
    );
    assert.deepEqual(page.problems, []);
  });

  test('a small disk is really full, and stays so over a reload', async (t) => {
    const page = await openOwn(t);
    const devtools = await page.context().newCDPSession(page);
    const origin = new URL(page.url()).origin;
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 12 * 1_048_576 });
    await press(page, 'Fill the storage');
    await page
      .locator('#troubles output', { hasText: /^Full: \d+ MB in localStorage, \d+ MB in IndexedDB/ })
      .waitFor({ timeout: 60_000 });
    await text(page).fill('Monday: soup');
    await isSaved(page);
    await reload(page);
    await isThere(page, 'Monday: soup');
    assert.match((await why(page)) ?? '', /^Brought back from the server/);
    await press(page, 'Free the storage');
    await page.locator('#troubles output', { hasText: 'There is room again.' }).waitFor();
    assert.deepEqual(page.problems, []);
  });
});

describe('in bad weather what was typed arrives, and nobody is asked', { concurrency: 3 }, () => {
  for (const fault of [
    'Server down',
    'Slow answers',
    'Restart: 503',
    'Rate limit: 429',
    'Answers cut off',
    'Answers that stall',
    'Token just expired',
    'Session endpoint down',
    'Database blip',
  ])
    test(fault, async (t) => {
      const page = await openOwn(t);
      await page.breakIt(fault);
      const heard = await listen(page);
      await text(page).pressSequentially('Monday: soup');
      await until(async () => (await heard()).includes('Saving…'), 20_000);
      await text(page).press('End');
      await text(page).pressSequentially(' and bread');
      await page.waitForTimeout(5_000); // it goes on for a while
      await page.allWell();
      await until(async () => (await held(page))?.data.text === 'Monday: soup and bread', 60_000);
      await isSaved(page);
      assert.ok(!(await heard()).some((words) => ['Two texts', 'Not saved'].includes(words)));
      assert.equal(await page.figure('draftConflicts'), '0');
      assert.equal(await page.locator('#person').textContent(), 'Ada');
      assert.deepEqual(page.problems, []);
    });
});

describe('two windows', { concurrency: 3 }, () => {
  test('both texts stand beside each other, and mine is kept', async (t) => {
    const { page, other } = await disagree(t);
    const [mine, theirs] = await Promise.all([
      page.locator('#mine').textContent(),
      page.locator('#theirs').textContent(),
    ]);
    assert.match(mine ?? '', /Friday: pie/);
    assert.match(theirs ?? '', /80.*Tuesday: curry/s);
    assert.equal(await page.locator('#mine [data-differs]').count(), 2);
    assert.equal((await held(page))?.data.text, 'Monday: soup\nTuesday: curry');

    await page.locator('#log li', { hasText: 'Please choose what to keep' }).waitFor();
    await page.getByRole('button', { name: 'Keep mine' }).focus();
    await page.keyboard.press('Enter');
    await isSaved(page);
    assert.equal(await page.locator('#choice').isVisible(), false);
    assert.equal((await held(page))?.data.text, 'Monday: soup\nFriday: pie');
    await until(() => page.evaluate(() => document.activeElement?.getAttribute('name') === 'text'));
    assert.deepEqual([...page.problems, ...other.problems], []);
  });

  test('theirs is taken, and stands in the form', async (t) => {
    const { page, other } = await disagree(t, { ...CALM, viewport: { width: 390, height: 844 } });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390, 'also on a telephone');
    await press(page, 'Take theirs');
    await isSaved(page);
    await isThere(page, 'Monday: soup\nTuesday: curry');
    assert.equal(await field(page, 'Guests a day').inputValue(), '80');
    assert.equal((await held(page))?.data.text, 'Monday: soup\nTuesday: curry');
    assert.deepEqual([...page.problems, ...other.problems], []);
  });

  test('both are merged, and nothing of either is lost', async (t) => {
    const { page, other } = await disagree(t);
    await press(page, 'Merge both');
    await isSaved(page);
    const both = 'Monday: soup\nTuesday: curry\nMonday: soup\nFriday: pie';
    await isThere(page, both);
    assert.equal(await field(page, 'Guests a day').inputValue(), '80');
    assert.equal((await held(page))?.data.text, both);
    assert.deepEqual([...page.problems, ...other.problems], []);
  });

  for (const [button, left] of [
    ['Keep mine', 'Friday: pie'],
    ['Let it go', ''],
  ])
    test(`what was typed while the other window published is asked about: ${button.toLowerCase()}`, async (t) => {
      const page = await openOwn(t);
      await field(page, 'Title').fill('Week 48');
      await field(page, 'Guests a day').fill('120');
      await text(page).fill('Monday: soup');
      await isSaved(page);
      const other = await openSecond(page);
      await isThere(other, 'Monday: soup');
      await page.route(/\/api\/drafts\?/, (route) => route.abort());
      await text(page).fill('Friday: pie');
      await is(page, 'On this device');
      await field(other, 'Password').fill('beetroot-7');
      await press(other, 'Publish');
      await other.locator('#plan-receipt', { hasText: 'Published as plan 1.' }).waitFor();
      await is(page, 'Two texts');
      assert.equal(await page.locator('#theirs-at').textContent(), 'published, or thrown away');
      assert.equal(await page.getByRole('button', { name: 'Merge both' }).isVisible(), false);
      await page.unroute(/\/api\/drafts\?/);
      await press(page, button);
      await is(page, left ? /^Saved at/ : 'Nothing typed');
      await isThere(page, left);
      await until(async () => ((await held(page))?.data?.text ?? '') === left);
      await isThere(other, '');
      assert.deepEqual([...page.problems, ...other.problems], []);
    });

  test('what is published is gone in both, and a reload does not bring it back', async (t) => {
    const page = await openOwn(t);
    await field(page, 'Title').fill('Week 48');
    await field(page, 'Guests a day').fill('120');
    await text(page).fill('Monday: soup');
    await isSaved(page);
    const other = await openSecond(page);
    await isThere(other, 'Monday: soup');
    await field(page, 'Password').fill('beetroot-7');
    await press(page, 'Publish');
    await page.locator('#plan-receipt', { hasText: 'Published as plan 1.' }).waitFor();
    await is(page, 'Nothing typed');
    await is(other, 'Nothing typed');
    await isThere(other, '');
    assert.match((await why(other)) ?? '', /in another window/);
    await until(async () => (await held(page))?.data === null);
    for (const tab of [page, other]) {
      await reload(tab);
      await tab.getByText('Lentil soup').first().waitFor();
    }
    await page.waitForTimeout(3_000);
    for (const tab of [page, other]) {
      assert.equal(await text(tab).inputValue(), '');
      assert.equal(await status(tab), 'Nothing typed');
      assert.deepEqual(tab.problems, []);
    }
    assert.equal((await held(page))?.data, null);
  });
});

describe('whose it is', { concurrency: 3 }, () => {
  const sessionButton = (/** @type {Demo} */ page, /** @type {string} */ name) =>
    page.locator('#session').getByRole('button', { name, exact: true }).click();
  const isSignedIn = (/** @type {Demo} */ page, /** @type {string} */ name) =>
    until(async () => (await page.locator('#person').textContent()) === name, 15_000);

  test('Ben does not see what Ada typed, and Ada finds it again', async (t) => {
    const page = await openOwn(t);
    await isSignedIn(page, 'Ada');
    await text(page).fill('Ada’s soup');
    await sessionButton(page, 'Sign out');
    await isSignedIn(page, 'Nobody');
    await page.locator('#plan').getByText('What was typed waits for whom it belongs to.').waitFor();
    assert.equal(await text(page).count(), 0);
    await sessionButton(page, 'Ben');
    await isSignedIn(page, 'Ben');
    await page.waitForTimeout(2_000);
    assert.equal(await text(page).inputValue(), '');
    assert.equal(await held(page), null);
    await text(page).fill('Ben’s pie');
    await isSaved(page);

    await sessionButton(page, 'Ada');
    await isSignedIn(page, 'Ada');
    await isThere(page, 'Ada’s soup');
    // It was left at any moment of its way to the server.
    await until(async () => (await held(page))?.data?.text === 'Ada’s soup', 30_000);
    assert.deepEqual(page.problems, []);
  });

  test('a session that expires while somebody types loses nothing, and the same person’s text goes on its way', async (t) => {
    const page = await openOwn(t);
    await isSignedIn(page, 'Ada');
    await text(page).fill('Monday: soup');
    await isSaved(page);
    // Both at once: the form is gone when the session is.
    await Promise.all([
      page.getByRole('button', { name: 'Expire it' }).click(),
      text(page).fill('Monday: soup\nTuesday: curry'),
    ]);
    await is(page, 'Signed out');
    assert.equal(await text(page).count(), 0);
    await page.locator('#plan').getByLabel('Who are you?').selectOption('Ada');
    await press(page, 'Sign in');
    await isThere(page, 'Monday: soup\nTuesday: curry');
    await isSaved(page);
    await until(async () => (await held(page))?.data.text === 'Monday: soup\nTuesday: curry');
    assert.deepEqual(page.problems, []);
  });

  test('a new version comes once the plan is saved, and the plan is there', async (t) => {
    const page = await openOwn(t);
    await text(page).pressSequentially('Monday: soup');
    await page.keyboard.press('Tab');
    await page.deploy();
    await page.getByRole('button', { name: 'Check now' }).click();
    await until(async () => (await page.locator('#version').textContent()) === 'version 2', 40_000);
    await isThere(page, 'Monday: soup');
    assert.equal((await held(page))?.data.text, 'Monday: soup');
    assert.deepEqual(page.problems, []);
  });
});
