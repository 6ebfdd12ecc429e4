import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, until } from '../harness/browser.mjs';
import { buildFor, CALM, goesOn, openDemo, ownDemos, startDemo } from './demo.mjs';

/** @typedef {import('./demo.mjs').Demo} Demo */

const browser = await launchBrowser({ after });
const openOwn = ownDemos(browser, 7600);

const press = (/** @type {Demo} */ page, /** @type {string} */ name) =>
  page.getByRole('button', { name, exact: true }).click();
const width = (/** @type {Demo} */ page) => page.evaluate(() => document.documentElement.scrollWidth);
const plan = (/** @type {Demo} */ page) => page.locator('#plan-form');

/** What has the focus: its name, and whether that can be seen. @param {Demo} page */
const focused = (page) =>
  page.evaluate(() => {
    const at = /** @type {any} */ (document.activeElement);
    const by = document.getElementById(at.getAttribute('aria-labelledby') ?? '');
    const words = [at.getAttribute('aria-label'), by?.textContent, at.labels?.[0]?.firstChild?.textContent];
    const name = words.find((text) => text?.trim()) ?? at.textContent;
    return { name: name.trim(), tag: at.tagName, isSeen: getComputedStyle(at).outlineStyle !== 'none' };
  });

/** Goes on by one key until this has the focus. @param {Demo} page @param {string} name @param {string} [key] */
async function goTo(page, name, key = 'Tab') {
  for (let steps = 0; steps < 90; steps++) {
    await page.keyboard.press(key);
    const at = await focused(page);
    if (at.tag !== 'BODY') assert.ok(at.isSeen, `nobody sees that ${at.name} has the focus`);
    if (at.name === name) return;
  }
  assert.fail(`${key} does not lead to ${name}`);
}

/** Texts that are hard to read on what is behind them, and how hard. @param {Demo} page @returns {Promise<string[]>} */
const faint = (page) =>
  page.evaluate(() => {
    const paint = /** @type {CanvasRenderingContext2D} */ (
      document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    );
    /** All of them over each other, the first below. @param {string[]} colors */
    const over = (colors) => {
      paint.clearRect(0, 0, 1, 1);
      for (const color of colors) {
        paint.fillStyle = color;
        paint.fillRect(0, 0, 1, 1);
      }
      return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (/** @type {number[]} */ rgb) => {
      const [r, g, b] = rgb.map((part) => {
        const share = part / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (/** @type {number[]} */ one, /** @type {number[]} */ other) => {
      const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
      return (light + 0.05) / (dark + 0.05);
    };
    const behind = (/** @type {Element | null} */ node) => {
      const colors = [];
      for (; node; node = node.parentElement) {
        const { backgroundColor } = getComputedStyle(node);
        colors.unshift(backgroundColor);
      }
      return ['white', ...colors];
    };
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = /** @type {Element} */ (texts.currentNode.parentElement);
      const words = texts.currentNode.textContent?.trim();
      if (!words || !node.checkVisibility() || node.closest('.unseen, :disabled, script, style')) continue;
      const style = getComputedStyle(node);
      const isDrawn = node.closest('svg') !== null;
      const bar = node.classList.contains('inside') ? node.previousElementSibling : null;
      const ground = [...behind(node), ...(bar ? [getComputedStyle(bar).fill] : [])];
      const ratio = contrast(over(ground), over([...ground, isDrawn ? style.fill : style.color]));
      if (ratio < 4.5) found.push(`${words}: ${ratio.toFixed(2)}`);
    }
    for (const field of document.querySelectorAll('[placeholder]')) {
      const ratio = contrast(
        over(behind(field)),
        over([...behind(field), getComputedStyle(field, '::placeholder').color]),
      );
      if (ratio < 4.5) found.push(`${field.getAttribute('placeholder')}: ${ratio.toFixed(2)}`);
    }
    return found;
  });

for (const [wide, colorScheme] of /** @type {const} */ ([
  [360, 'light'],
  [360, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
]))
  test(`at ${wide} pixels, ${colorScheme}, nothing scrolls sideways, and all that stands there can be read`, async (t) => {
    const page = await openOwn(t, { ...CALM, viewport: { width: wide, height: 844 }, colorScheme });
    await plan(page).waitFor();
    await goesOn(page, 1);
    assert.equal(await width(page), wide);
    assert.deepEqual(await faint(page), []);

    await press(page, 'I am in the middle of something');
    await page.deploy();
    await press(page, 'Check now');
    await page.locator('#deployed').waitFor();
    await page.breakIt('Server down');
    await page.load();
    await until(async () => (await page.toasts()).length > 0, 40_000);
    await plan(page).getByLabel('What is cooked').fill('Monday: soup');
    await page.locator('#plan-status', { hasText: 'On this device' }).waitFor({ timeout: 40_000 });
    assert.equal(await width(page), wide, 'in a storm');
    assert.deepEqual(await faint(page), [], 'in a storm');

    await page.allWell();
    await page.locator('#plan-status', { hasText: 'Saved at' }).waitFor({ timeout: 60_000 });
    await page.locator('#session').getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Who are you?').waitFor();
    assert.equal(await width(page), wide, 'signed out');
    assert.deepEqual(await faint(page), [], 'signed out');
    assert.deepEqual(page.problems, []);
  });

test('every control has a name, and ids are used once', async (t) => {
  const page = await openOwn(t);
  await plan(page).waitFor();
  const nameless = await page.locator('button, input, select, textarea').evaluateAll((controls) =>
    controls
      .filter((/** @type {any} */ control) => {
        const by = document.getElementById(control.getAttribute('aria-labelledby') ?? '');
        const named = [by ?? control, ...(control.labels ?? [])].map((node) => node.textContent).join('');
        return !(control.getAttribute('aria-label') ?? named).trim();
      })
      .map((control) => control.outerHTML),
  );
  assert.deepEqual(nameless, []);
  const ids = await page.locator('[id]').evaluateAll((nodes) => nodes.map(({ id }) => id));
  assert.equal(new Set(ids).size, ids.length);
});

test('by keyboard alone somebody signs in, types and publishes', async (t) => {
  const page = await openOwn(t);
  await plan(page).waitFor();
  await goTo(page, 'Sign out');
  await page.keyboard.press('Enter');
  await page.getByLabel('Who are you?').waitFor();

  await goTo(page, 'Who are you?', 'Shift+Tab');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await until(async () => (await page.locator('#person').textContent()) === 'Ben');
  await until(async () => (await focused(page)).name === 'Title');

  for (const keys of ['Week 48', '120', 'Vegan', 'Monday: soup', 'beetroot-7']) {
    await page.keyboard.type(keys);
    assert.ok((await focused(page)).isSeen);
    await page.keyboard.press('Tab');
  }
  assert.equal((await focused(page)).name, 'Publish');
  await page.keyboard.press('Enter');
  await page.locator('#plan-receipt', { hasText: 'Published as plan 1.' }).waitFor();
  assert.equal((await focused(page)).name, 'Publish', 'the focus stays where it was');
  await until(async () => (await page.getByLabel('What is cooked').inputValue()) === '');
  assert.deepEqual(page.problems, []);
});

test('Tab leads to every control, once around, and nothing holds it', async (t) => {
  const page = await openOwn(t);
  await plan(page).waitFor();
  const controls = await page
    .locator(':is(button, input, select, textarea, summary):not(:disabled)')
    .evaluateAll((all) => all.length);
  const seen = [];
  await page.locator('h1').evaluate((/** @type {any} */ top) => {
    top.tabIndex = -1;
    top.focus();
  });
  for (let steps = 0; steps <= controls + 5; steps++) {
    await page.keyboard.press('Tab');
    const { name, tag } = await focused(page);
    if (tag === 'BODY') break;
    seen.push(name);
  }
  assert.equal(seen.length, controls, seen.join(', '));
  assert.equal(seen[0], 'Load again');
  assert.deepEqual(page.problems, []);
});

test('a fault is turned on and off by keyboard', async (t) => {
  const page = await openOwn(t);
  await page.getByRole('checkbox', { name: 'Server down' }).focus();
  await page.keyboard.press('Space');
  await page.locator('.fault[data-on]', { hasText: 'Server down' }).waitFor();
  await page.allWell();
  await until(async () => (await page.locator('.fault[data-on]').count()) === 0);
  assert.deepEqual(page.problems, []);
});

test('a toast that says the same again takes the place of the one before', async (t) => {
  const page = await openOwn(t);
  await plan(page).waitFor();
  await page.breakIt('Session endpoint down');
  let most = 0;
  const told = page.locator('#log li', { hasText: 'could not be confirmed' });
  await until(async () => {
    if ((await page.locator('#freshness').textContent()) !== 'Loading…') await page.load();
    const same = (await page.toasts()).filter((words) => /could not be confirmed/.test(words));
    most = Math.max(most, same.length);
    return (await told.count()) >= 3;
  }, 80_000);
  assert.equal(most, 1);
  assert.deepEqual(page.problems, []);
});

test('what is saved is told to those who do not see it', async (t) => {
  const page = await openOwn(t);
  await plan(page).waitFor();
  const said = page.locator('#plan output.unseen');
  assert.equal(await said.textContent(), '');
  await plan(page).getByLabel('Title').fill('Week 48');
  await until(async () => /^Saved at \d\d:\d\d$/.test((await said.textContent()) ?? ''), 40_000);
  await page.breakIt('Server down');
  await plan(page).getByLabel('Title').fill('Week 49');
  await until(async () => (await said.textContent()) === 'On this device', 40_000);
  assert.deepEqual(page.problems, []);
});

test('who wants less motion sees none', async (t) => {
  const page = await openOwn(t);
  await goesOn(page);
  await press(page, 'Order');
  assert.deepEqual(
    await page.evaluate(() => document.getAnimations().map((one) => /** @type {any} */ (one).animationName)),
    [],
  );
});

test('a development build has nothing to complain of, and opens one stream', async (t) => {
  const own = await startDemo(7590, await buildFor({ isDevelopment: true }));
  t.after(() => own.stop());
  const page = await openDemo(t, browser, own, CALM);
  await plan(page).getByLabel('Title').fill('Week 48');
  await goesOn(page);
  // Both are asked for once a second.
  await until(async () => (await page.figure('connections')) === '1');
  await until(async () => (await page.figure('tabs')) === '1');
  await page.locator('#plan-status', { hasText: 'Saved at' }).waitFor();
  await page.deploy();
  await press(page, 'Check now');
  await page.locator('#carried').waitFor({ timeout: 40_000 });
  await until(async () => (await plan(page).getByLabel('Title').inputValue()) === 'Week 48');
  await goesOn(page);
  assert.deepEqual(page.problems, []);
});
