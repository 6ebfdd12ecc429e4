import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { quiet } from './streams.mjs';
import { loads, openVersions } from './versions.mjs';

test('a hold blocks the reload and offers it, and letting go reloads', async (t) => {
  const { server, tab } = await openVersions(t);
  await run(tab.page, () => {
    const { version } = window.app;
    window.release = [version.hold(), version.hold()];
  });
  server.version = 'v2';
  await tab.check();
  const { status, blockedBy, latest, reason } = await tab.is('blocked');
  assert.deepEqual([status, blockedBy, latest, reason], ['blocked', 'hold', 'v2', 'mismatch']);
  await until(() => tab.offers === 1);
  await run(tab.page, () => window.release[0]());
  await run(tab.page, () => window.release[0]()); // safe to call twice
  assert.ok(await quiet(() => loads(server), 500), 'another hold stands');
  await tab.do(() => window.release[1]());
  await tab.isOf('v2');
  assert.deepEqual([loads(server), tab.offers], [1, 1]);
});

for (const [what, html, change] of /** @type {Array<[string, string, (page: any) => Promise<unknown>]>} */ ([
  ['an input', '<input id="field">', (page) => page.keyboard.type('half a sen')],
  ['a text area', '<textarea id="field"></textarea>', (page) => page.keyboard.type('half a sen')],
  ['an editable text', '<p id="field" contenteditable>Hello</p>', (page) => page.keyboard.type('half a sen')],
  ['a check box', '<input id="field" type="checkbox">', (page) => page.keyboard.press('Space')],
  [
    'a select',
    '<select id="field"><option>a</option><option>b</option></select>',
    (page) => page.selectOption('#field', 'b').then(() => page.focus('#field')),
  ],
  [
    'a field in a component',
    `<x-field id="field" tabindex="-1"></x-field><script>
      customElements.define('x-field', class extends HTMLElement {
        constructor() { super(); this.attachShadow({ mode: 'open', delegatesFocus: true }).innerHTML = '<input>'; }
      });
    </script>`,
    (page) => page.keyboard.type('half a sen'),
  ],
])) {
  test(`${what} that somebody changed and is still in blocks the reload, until they leave it`, async (t) => {
    const { server, tab } = await openVersions(t, { html: `${html}<button id="other">Other</button>` });
    await tab.page.focus('#field');
    await change(tab.page);
    server.version = 'v2';
    await tab.check();
    await tab.is('blocked', 'hold');
    await until(() => tab.offers === 1);
    assert.ok(await quiet(() => loads(server), 500));
    await tab.do(() => document.querySelector('#other')?.focus()); // after which the page ends
    await tab.isOf('v2');
    assert.equal(loads(server), 1);
  });
}

test('a field that has the focus and was not changed keeps nobody', async (t) => {
  const { server, tab } = await openVersions(t, { html: '<input id="field" value="as it was">' });
  await tab.page.focus('#field');
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  assert.deepEqual([loads(server), tab.offers], [1, 0]);
});

test('a text that is being composed blocks the reload', async (t) => {
  const { server, tab } = await openVersions(t, { html: '<input id="field">' });
  await tab.page.focus('#field');
  const devtools = await tab.page.context().newCDPSession(tab.page);
  await devtools.send('Input.imeSetComposition', { text: 'に', selectionStart: 1, selectionEnd: 1 });
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'hold');
  assert.ok(await quiet(() => loads(server), 500));
});

test('an unsafe request in flight is waited for, then the page is reloaded', async (t) => {
  const { server, tab } = await openVersions(t, { version: { flushTimeoutMs: 5_000 } });
  server.on('/api/save', { status: 204, delayMs: 900 });
  await run(tab.page, () => void window.app.api.post('/api/save', { text: 'mine' }));
  await server.waitFor('POST /api/save');
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  const [saved] = server.requestsTo('POST /api/save');
  assert.equal(saved.closedEarlyAt, null);
  assert.ok(saved.endedAt && saved.endedAt <= server.requestsTo('/app')[0].at);
  assert.equal(tab.offers, 0, 'in time, and nobody was bothered');
});

test('a read in flight keeps nobody', async (t) => {
  const { server, tab } = await openVersions(t, { version: { flushTimeoutMs: 60_000 } });
  server.on('/api/read', 'hang');
  await run(tab.page, () => void window.app.api.get('/api/read'));
  await server.waitFor('/api/read');
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
});

test('past flushTimeoutMs an unsafe request blocks, and its end lets the reload go on', async (t) => {
  const { server, tab } = await openVersions(t, { version: { flushTimeoutMs: 200 } });
  let answer = () => {};
  server.on('/api/save', async () => {
    await new Promise((resolve) => (answer = () => resolve(undefined)));
    return 204;
  });
  await run(tab.page, () => void window.app.api.post('/api/save', { text: 'mine' }));
  await server.waitFor('POST /api/save');
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'requests');
  await until(() => tab.offers === 1);
  assert.ok(await quiet(() => loads(server), 500));
  answer();
  await tab.isOf('v2');
  assert.equal(server.requestsTo('POST /api/save')[0].closedEarlyAt, null);
});
