import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compose, run, until } from '../harness/browser.mjs';
import { condition, KEY, leaveOpened, openDrafts, pass, READ, row, SAVE, saves, sent } from './drafts.mjs';
import { held } from './held.mjs';

/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

const FORM = '<textarea id="text"></textarea>';

/**
 * A page with a form, whose time stands still: uploads wait for a restore for 3 s at most, and a slow machine takes longer to type.
 * @param {import('node:test').TestContext} t
 */
async function openTimeless(t) {
  const opened = await openDrafts(t, { html: FORM, beforeLoad: (page) => page.clock.install() });
  await opened.tab.page.clock.pauseAt(Date.now() + 60_000);
  return opened;
}

/** A form as an app has it: each input is told to the draft, and what is restored is only noted. @param {DraftTab} tab @param {string} [typed] into it at once */
async function fill(tab, typed = '') {
  await tab.page.evaluate((typed) => {
    const field = /** @type {HTMLTextAreaElement} */ (document.querySelector('#text'));
    const draft = window.draft('letter');
    field.addEventListener('input', () => draft.update({ text: field.value }));
    Object.assign(window, { restoring: draft.restore() });
    field.focus();
    for (const one of typed) document.execCommand('insertText', false, one);
  }, typed);
}

/** @param {DraftTab} tab @returns {Promise<any>} */
const restored = (tab) => run(tab.page, () => /** @type {any} */ (window).restoring);

/** @param {DraftTab} tab @returns {Promise<string>} */
const shown = (tab) => tab.page.locator('#text').inputValue();

test('what is typed while the server is slow to answer is kept beside what it has', async (t) => {
  const { server, tab } = await openTimeless(t);
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  const answer = held({ pass: true });
  server.on(READ, answer.step);
  await fill(tab);
  await server.waitFor(READ);
  await tab.page.keyboard.type('typed');
  await tab.page.clock.runFor(100);
  await tab.keeps('typed');
  answer.release();
  await tab.page.clock.resume();
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'typed' }, { text: 'from there' }]);
  assert.deepEqual((await restored(tab)).data, { text: 'from there' }, 'it is offered');
  assert.equal(await shown(tab), 'typed', 'and never applied');
  await pass(500);
  assert.deepEqual(sent(server), []);
  assert.deepEqual(row(server)?.data, { text: 'from there' });
});

test('what is composed while the server is slow to answer is kept beside what it has, up to the last character', async (t) => {
  const { server, tab } = await openTimeless(t);
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  const answer = held({ pass: true });
  server.on(READ, answer.step);
  await fill(tab);
  await server.waitFor(READ);
  const composing = await compose(tab.page, 'に', 'にほ', 'にほん');
  await tab.page.clock.runFor(100);
  await tab.keeps('にほん');
  answer.release();
  await tab.page.clock.resume();
  await tab.is('conflict');
  assert.equal(await shown(tab), 'にほん', 'the composition goes on');
  await composing.commit('日本');
  await tab.page.keyboard.type('!');
  assert.equal(await shown(tab), '日本!');
  const { conflict } = await tab.when(({ conflict }) => conflict?.mine.text === '日本!');
  assert.deepEqual(conflict.theirs, { text: 'from there' });
  assert.deepEqual(sent(server), []);
  const { status } = await tab.resolve('mine');
  assert.equal(status, 'saved');
  assert.deepEqual(row(server)?.data, { text: '日本!' });
  assert.equal(await shown(tab), '日本!');
});

test('what is typed while this device is slow to answer is kept beside what an earlier page left', async (t) => {
  const { server, tab } = await openDrafts(t, { html: FORM });
  await leaveOpened(server, tab, { text: 'left' });
  await occupy(tab, 1_200);
  await fill(tab, 'typed');
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'typed' }, { text: 'left' }]);
  assert.equal(await shown(tab), 'typed');
  assert.deepEqual((await restored(tab)).data, { text: 'left' });
  await pass(500);
  assert.deepEqual(sent(server), []);
});

test('what is typed while nobody else had anything is saved once the restore has its answer', async (t) => {
  const { server, tab } = await openTimeless(t);
  const answer = held({ pass: true });
  server.on(READ, answer.step);
  await fill(tab);
  await server.waitFor(READ);
  await tab.page.keyboard.type('typed');
  await tab.page.clock.runFor(1_000);
  await tab.keeps('typed');
  await pass(500);
  assert.deepEqual(sent(server), [], 'uploads wait');
  answer.release();
  await tab.page.clock.resume();
  await tab.is('saved', 'server');
  assert.equal(await restored(tab), null);
  assert.deepEqual(row(server)?.data, { text: 'typed' });
  assert.equal(condition(server), 'none: *');
});

test('uploads wait for the restore for 3 s at most, and its answer that comes after them is no conflict', async (t) => {
  const { server, tab } = await openTimeless(t);
  const answer = held({ status: 404, body: { rev: 0 } }); // as it was when it was asked
  server.on(READ, answer.step);
  await fill(tab);
  await server.waitFor(READ);
  await tab.page.keyboard.type('typed');
  await tab.page.clock.runFor(2_900);
  await tab.keeps('typed');
  await pass(500);
  assert.deepEqual(sent(server), []);
  await tab.page.clock.runFor(200);
  await server.waitFor(SAVE);
  await tab.page.clock.resume();
  await tab.page.keyboard.type(' on');
  answer.release();
  await restored(tab);
  await until(() => row(server)?.data.text === 'typed on');
  assert.equal((await tab.is('saved', 'server')).conflict, null);
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('a save that went before the restore’s answer meets what the server has as a conflict, and writes over nothing', async (t) => {
  const { server, tab } = await openDrafts(t, { html: FORM });
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  const answer = held({ pass: true });
  server.on(READ, answer.step);
  await fill(tab);
  await server.waitFor(READ);
  await tab.page.keyboard.type('typed');
  await server.waitFor(SAVE);
  const { conflict } = await tab.when(({ conflict }) => conflict?.mine.text === 'typed');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'typed' }, { text: 'from there' }]);
  answer.release();
  await restored(tab);
  await pass(500);
  const still = await tab.is('conflict');
  assert.deepEqual([still.conflict.mine, still.conflict.theirs], [{ text: 'typed' }, { text: 'from there' }]);
  assert.deepEqual(row(server)?.data, { text: 'from there' });
  assert.deepEqual([saves(server).length, await shown(tab)], [1, 'typed']);
});

test('who types the same that the server has while it is slow has no conflict', async (t) => {
  const { server, tab } = await openTimeless(t);
  const rev = server.drafts?.put('ada', KEY, { data: { text: 'same' } });
  const answer = held({ pass: true });
  server.on(READ, answer.step);
  await fill(tab);
  await server.waitFor(READ);
  await tab.page.keyboard.type('same');
  await tab.page.clock.runFor(100);
  await tab.keeps('same');
  answer.release();
  await tab.page.clock.resume();
  await tab.is('saved', 'server');
  assert.equal(await restored(tab), null);
  await pass(500);
  assert.deepEqual(sent(server), []);
  await tab.page.keyboard.type(' and more');
  await until(() => row(server)?.data.text === 'same and more');
  // A slow keyboard is saved in between.
  assert.equal(saves(server)[0]?.headers['if-match'], `"${rev}"`);
});

test('what is typed on while a slow server answers, and before the page is left, is there on the next one', async (t) => {
  const { server, tab } = await openDrafts(t, { html: FORM });
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  const slow = server.on(READ, 'hang');
  await fill(tab);
  await server.waitFor(READ);
  await tab.page.keyboard.type('typed');
  await tab.reload(KEY);
  slow.off();
  await tab.restore();
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'typed' }, { text: 'from there' }]);
  assert.deepEqual(row(server)?.data, { text: 'from there' });
});

test('an app that fills an untouched form with what was restored changes nothing', async (t) => {
  const { server, tab } = await openDrafts(t, { html: FORM });
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  await tab.page.evaluate(async () => {
    const field = /** @type {HTMLTextAreaElement} */ (document.querySelector('#text'));
    const draft = window.draft('letter');
    field.addEventListener('input', () => draft.update({ text: field.value }));
    const found = await draft.restore();
    field.value = found.data.text;
    field.dispatchEvent(new Event('input'));
  });
  await tab.is('saved', 'server');
  await pass(700);
  assert.deepEqual(sent(server), []);
  assert.equal(await shown(tab), 'from there');
});

/** Keeps this device's database busy for so long, as a disk does that has much to do: others wait for their turn. @param {DraftTab} tab @param {number} ms */
async function occupy(tab, ms) {
  await run(
    tab.page,
    async (ms) => {
      const [{ name }] = await indexedDB.databases();
      const db = await new Promise((resolve, reject) => {
        const opening = indexedDB.open(/** @type {string} */ (name));
        opening.onsuccess = () => resolve(opening.result);
        opening.onerror = () => reject(opening.error);
      });
      const stores = [...db.objectStoreNames];
      const store = db.transaction(stores, 'readwrite').objectStore(stores[0]);
      const until = Date.now() + ms;
      await new Promise((begun) => {
        const goOn = () => {
          begun(undefined);
          if (Date.now() > until) db.close();
          else store.count().onsuccess = goOn;
        };
        store.count().onsuccess = goOn;
      });
    },
    ms,
  );
}
