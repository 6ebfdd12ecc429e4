// Fields that are kept nowhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show } from '../harness/browser.mjs';
import { KEY, openDrafts } from './drafts.mjs';
import { HERE, place, plant, record } from './stored-drafts.mjs';

const SECRETS = {
  text: 'kept',
  password: 'hush-1',
  user: { Pass_Word: 'hush-2', name: 'Ada', card: { 'card-number': 'hush-3', cvv: 'hush-4' } },
  pin: 'hush-5',
  rows: [
    { iban: 'hush-6', sum: 1 },
    { iban: 'hush-7', sum: 2, pin: { deep: 'hush-8' } },
  ],
  bank: { account: { number: 'hush-9', holder: 'Ada' } },
};
const EXCLUDE = ['pin', 'rows.*.iban', 'bank.account.number'];
const HARMLESS = {
  text: 'kept',
  user: { name: 'Ada', card: {} },
  rows: [{ sum: 1 }, { sum: 2 }],
  bank: { account: { holder: 'Ada' } },
};

test('excluded fields are in no storage, no request, no diagnostic and nothing that is said', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  await tab.page.evaluate(() => {
    window.heard = [];
    window.app.on((event) => window.heard.push(JSON.stringify(event)));
    const { setItem } = Storage.prototype;
    Storage.prototype.setItem = function (...args) {
      window.heard.push(args.join());
      return setItem.apply(this, args);
    };
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (...args) {
      window.heard.push(JSON.stringify(args));
      return put.apply(this, args);
    };
    new BroadcastChannel('evenkeel:1:evenkeel:drafts').onmessage = ({ data }) =>
      window.heard.push(JSON.stringify(data));
  });
  await tab.open({ exclude: EXCLUDE });
  await tab.type(SECRETS);
  await tab.is('saved', 'server');
  await tab.type({ ...SECRETS, text: 'kept on' });
  await hide(tab.page);
  await tab.is('saved', 'server');
  const other = await add();
  await other.open({ exclude: EXCLUDE });
  await other.restore();
  await other.type({ ...SECRETS, text: 'from elsewhere' });
  await other.is('saved', 'server');
  await show(tab.page);
  await tab.type({ ...SECRETS, text: 'against it' });
  const { conflict } = await tab.is('conflict');
  assert.deepEqual(conflict.mine, { ...HARMLESS, text: 'against it' });
  assert.deepEqual(conflict.theirs, { ...HARMLESS, text: 'from elsewhere' });
  await tab.resolve({ merged: { ...SECRETS, text: 'merged' } });
  await tab.is('saved', 'server');

  // With each of them, what must be in it: so all was looked at.
  const found = [
    [await tab.device(), 'merged'],
    [await other.device(), 'merged'],
    [JSON.stringify(server.drafts.rows()), 'merged'],
    [JSON.stringify(server.requests.map(({ url, headers, body }) => [url, headers, body])), 'kept on'],
    [JSON.stringify(await run(tab.page, () => window.heard)), 'kept on'],
    [JSON.stringify([await tab.diagnostics(), await other.diagnostics()]), 'counters'],
    [JSON.stringify([await tab.states(), await other.states()]), 'against it'],
    [JSON.stringify([tab.page.messages, other.page.messages]), ''],
  ];
  for (const [text, control] of found) {
    assert.ok(text.includes(control), control);
    assert.doesNotMatch(text, /hush/);
  }
  await tab.reload();
  await tab.open({ exclude: EXCLUDE });
  assert.deepEqual((await tab.restore()).data, { ...HARMLESS, text: 'merged' });
});

test('fields that are excluded now do not come back from what is stored here, or there', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts.put('ada', KEY, { data: SECRETS });
  await plant(tab.page, [
    [place(record({ key: 'here' })), record({ key: 'here', text: JSON.stringify(SECRETS) })],
  ]);
  await tab.reload();
  await tab.open({ exclude: EXCLUDE });
  assert.deepEqual((await tab.restore()).data, HARMLESS);
  await tab.open({ exclude: EXCLUDE, endpoint: false }, 'here');
  assert.deepEqual((await tab.restore('here')).data, HARMLESS);
});

test('who wants them gets the default names, too', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  await tab.open({ excludeDefaults: false });
  await tab.type({ password: 'wanted', cvv: 1 });
  await tab.is('saved', 'device');
  await tab.reload();
  await tab.open({ excludeDefaults: false });
  assert.deepEqual((await tab.restore()).data, { password: 'wanted', cvv: 1 });
});
