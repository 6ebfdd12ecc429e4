import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { DRAFTS, KEY, openDrafts, pass, row, SAVE, SLOW, saves, sent } from './drafts.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

/** An app that knows by itself who somebody is, and has no session kept. @param {import('node:test').TestContext} t @param {any} [how] */
const open = (t, how) =>
  openDrafts(t, {
    session: false,
    server: { trusting: true },
    made: () => ({ userKey: () => localStorage.getItem('who') }),
    beforeLoad: (page) =>
      page.addInitScript(() => {
        if (!localStorage.getItem('knows')) localStorage.setItem('who', 'ada');
        localStorage.setItem('knows', '1');
      }),
    ...how,
  });

/** Somebody else is at the page; nobody is told. @param {DraftTab} tab @param {string | null} name */
const is = (tab, name) =>
  run(
    tab.page,
    (name) => (name === null ? localStorage.removeItem('who') : localStorage.setItem('who', name)),
    name,
  );

/** @param {FaultServer} server */
const expected = (server) => [
  ...new Set(server.requestsTo(DRAFTS).map(({ headers }) => headers['x-expected-user'])),
];

test('drafts are of whom userKey names, with no session at all', async (t) => {
  const { server, tab } = await open(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'a' });
  assert.deepEqual(expected(server), ['ada']);
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'a' });
});

test('a userKey that names somebody else freezes the draft before the next save, and thaws it with the first again', async (t) => {
  const { server, tab } = await open(t, { drafts: SLOW });
  await tab.type({ text: 'a' });
  await tab.flush();
  server.clear();
  await is(tab, 'ben');
  await tab.type({ text: 'ab' });
  assert.equal((await tab.flush()).status, 'frozen');
  await tab.keeps('ab');
  await pass(500);
  assert.deepEqual(sent(server), []);
  await is(tab, 'ada');
  await tab.flush();
  await tab.is('saved', 'server');
  assert.deepEqual([row(server)?.data, row(server, KEY, 'ben')], [{ text: 'ab' }, undefined]);
  assert.deepEqual(expected(server), ['ada']);
});

test('a userKey that changed between the last change and its save sends nothing', async (t) => {
  const { server, tab } = await open(t, { drafts: { debounceMs: 400 } });
  await run(tab.page, () => {
    window.draft('letter').update({ text: 'a' });
    localStorage.setItem('who', 'ben');
  });
  await tab.is('frozen');
  await pass(500);
  assert.deepEqual(sent(server), []);
  await tab.reload();
  assert.equal(await tab.restore(), null, 'Ben is given nothing');
  await is(tab, 'ada');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'a' });
});

test('a userKey that changed while it waited to try again sends nothing', async (t) => {
  const { server, tab } = await open(t);
  server.on(SAVE, [503, 'pass']);
  await run(
    tab.page,
    (key) =>
      new Promise((resolve) => {
        const draft = window.draft(key);
        draft.subscribe(() => {
          const { status, savedTo } = draft.getSnapshot();
          if (status !== 'offline' || savedTo !== 'device') return;
          localStorage.setItem('who', 'ben'); // before it can try again
          resolve(null);
        });
        draft.update({ text: 'a' });
      }),
    KEY,
  );
  await pass(2_500);
  assert.equal(saves(server).length, 1);
  assert.deepEqual(server.drafts?.rows(), []);
});

test('while userKey names nobody, nothing is sent, and it stays with the tab', async (t) => {
  const { server, tab, add } = await open(t);
  await is(tab, null);
  await tab.type({ text: 'by nobody' });
  await tab.keeps('by nobody');
  await pass(500);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'by nobody' });
  const other = await add();
  assert.equal(await other.restore(), null);
});

test('a userKey that throws names nobody, and what it threw is reported', async (t) => {
  const { server, tab } = await open(t, {
    made: () => ({
      userKey: () => {
        throw new TypeError('who is it?');
      },
    }),
  });
  await tab.type({ text: 'by nobody' });
  await tab.keeps('by nobody');
  await until(() => tab.page.problems.some(({ text }) => text.includes('who is it?')));
  await pass(500);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  tab.page.problems.length = 0;
});

test('a user key of any letters is the same at the server', async (t) => {
  const { server, tab } = await open(t);
  for (const name of ['zoë@exämple.com', '日本 語', 'a "b", c']) {
    await is(tab, name);
    await tab.reload();
    await tab.type({ text: name });
    await tab.is('saved', 'server');
    assert.deepEqual(row(server, KEY, name)?.data, { text: name });
    await tab.reload();
    assert.deepEqual((await tab.restore()).data, { text: name });
  }
});

test("a draft's own userKey goes before that of all", async (t) => {
  const { server, tab } = await open(t);
  await tab.page.evaluate(() => void window.draft('letter', { userKey: () => 'cy' }));
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  assert.deepEqual([row(server, KEY, 'cy')?.data, row(server)], [{ text: 'a' }, undefined]);
});
