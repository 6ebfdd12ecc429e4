import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { loads, openVersions, pass } from './versions.mjs';

test('what somebody types in a frame is not lost', async (t) => {
  const { server, tab } = await openVersions(t, {
    html: '<iframe srcdoc="<input id=card>"></iframe><input id="name">',
    version: { idleMs: 100 },
  });
  const card = tab.page.frameLocator('iframe').locator('#card');
  await card.click();
  await card.fill('4000');
  server.clear();
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'hold');
  assert.equal(await card.inputValue(), '4000');
  assert.equal(loads(server), 0);
  const name = await tab.page.locator('#name').boundingBox();
  assert.ok(name);
  await tab.page.mouse.click(name.x + 5, name.y + 5); // after which the page ends
  await tab.isOf('v2');
});

test('a page that scrolls by itself is reloaded all the same', async (t) => {
  const { server, tab } = await openVersions(t, {
    html: '<div id="log" style="height:50px;overflow:auto"><div style="height:9000px"></div></div>',
    version: { idleMs: 600 },
  });
  await tab.do(() => void setInterval(() => document.querySelector('#log')?.scrollBy(0, 5), 50));
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
});

test('a yes while a reload that nobody carried out is waited for is carried out', async (t) => {
  const { server, tab } = await openVersions(t, {
    made: () => ({
      reload() {
        Object.assign(window, { reloads: /** @type {any} */ (window.reloads ?? 0) + 1 });
      },
    }),
  });
  server.version = 'v2';
  await tab.check();
  await tab.is('reloading');
  await pass(200);
  await tab.apply();
  assert.equal(await run(tab.page, () => /** @type {any} */ (window).reloads), 2);
});
