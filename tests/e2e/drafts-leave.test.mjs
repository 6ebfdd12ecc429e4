import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeTab, hide, launchBrowser, run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, PATIENCE_MS, quiet, row, SAVE, SLOW, saves, sent } from './drafts.mjs';
import { held } from './held.mjs';

/**
 * @typedef {import('./drafts.mjs').DraftTab} DraftTab
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 */

const ELSEWHERE = '/elsewhere';
/** What all requests that outlive their pages may carry together, in bytes. */
const KEEPALIVE_MAX = 60_000;
/** What all tails of a client may hold together, in UTF-16 units. */
const TAILS_MAX = 512 * 1_024;

/** A tab with drafts that nobody saves before the page goes. @param {import('node:test').TestContext} t @param {Parameters<typeof openDrafts>[1]} [how] */
async function openSlow(t, how) {
  const opened = await openDrafts(t, { drafts: SLOW, ...how });
  opened.server.page(ELSEWHERE, '<!doctype html><title>elsewhere</title>');
  return opened;
}

/**
 * Types, the last key right before the page goes: in the same task.
 * @param {DraftTab} tab @param {Record<string, any>} texts by key @param {string} [to] reloads, where none is named
 */
async function typeAndLeave({ page }, texts, to = '') {
  const loaded = page.waitForEvent('load');
  const leave = ({ texts, to }) => {
    for (const [key, data] of Object.entries(texts)) window.draft(key).update(data);
    if (to) location.href = to;
    else location.reload();
  };
  await page.evaluate(leave, { texts, to }).catch(() => {}); // it is gone before it can answer
  await loaded;
}

/** What the client left in localStorage, by name. @param {DraftTab} tab @returns {Promise<Array<[string, string]>>} */
const tails = (tab) =>
  run(tab.page, () => Object.entries(localStorage).filter(([name]) => name.includes(':draft:')));

/** @param {Array<[string, string]>} entries */
const unitsOf = (entries) => entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);

// ---------------------------------------------------------------- the last key

for (const [name, answer] of /** @type {const} */ ([
  ['the server hears of it', 'pass'],
  ['the server is down', 'cut'],
])) {
  test(`the last key before a reload is there after it, where ${name}`, async (t) => {
    const { server, tab } = await openSlow(t);
    const rule = server.on(SAVE, answer);
    await tab.type({ text: 'Dear Be' });
    await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } });
    await tab.returned();
    assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
    rule.off();
    await tab.is('saved', 'server');
    assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  });

  test(`the last key before a page is left for another is there on return, where ${name}`, async (t) => {
    const { server, tab } = await openSlow(t);
    const rule = server.on(SAVE, answer);
    await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } }, ELSEWHERE);
    await tab.page.goBack();
    await tab.returned();
    assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
    rule.off();
    await tab.is('saved', 'server');
    assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  });

  test(`the last key before a tab is closed is there in the next one, where ${name}`, async (t) => {
    const { server, tab, add } = await openSlow(t);
    const rule = server.on(SAVE, answer);
    await tab.type({ text: 'Dear Ben' });
    await closeTab(tab.page);
    const next = await add();
    assert.deepEqual((await next.restore()).data, { text: 'Dear Ben' });
    rule.off();
    await next.is('saved', 'server');
    assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  });
}

test('without an endpoint the last key before a reload is there after it', async (t) => {
  const { server, tab } = await openSlow(t, { drafts: { ...SLOW, endpoint: false } });
  await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } });
  await tab.returned();
  const { data, source } = await tab.restore();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'device']);
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});

test('somebody who reloads after every key loses none, and has no conflict with themselves', async (t) => {
  const { server, tab } = await openSlow(t);
  let text = '';
  for (const key of 'Dear Ben') {
    text += key;
    await typeAndLeave(tab, { [KEY]: { text } });
    await tab.returned();
    assert.deepEqual((await tab.restore()).data, { text });
    assert.notEqual((await tab.state()).status, 'conflict');
  }
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text });
});

test('a page that is kept while it is left goes on, and has no conflict with itself', async (t) => {
  const keeping = await launchBrowser(t, { bfcache: true });
  const { server, tab } = await openSlow(t, { from: keeping });
  await run(tab.page, () => {
    addEventListener('pageshow', ({ persisted }) => {
      if (persisted) document.title = 'kept';
    });
  });
  await typeAndLeave(tab, { [KEY]: { text: 'Dear' } }, ELSEWHERE);
  await until(() => row(server));
  await tab.page.goBack({ waitUntil: 'commit' });
  await tab.page.waitForFunction(() => document.title === 'kept', undefined, { polling: 50 });
  await tab.type({ text: 'Dear Ben' });
  const { status, savedTo } = await tab.flush();
  assert.deepEqual([status, savedTo], ['saved', 'server']);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('a page that was kept and never came back has left what was typed', async (t) => {
  const keeping = await launchBrowser(t, { bfcache: true });
  const { server, tab, add } = await openSlow(t, { from: keeping });
  const rule = server.on(SAVE, 'cut');
  await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } }, ELSEWHERE);
  const other = await add();
  assert.deepEqual((await other.restore()).data, { text: 'Dear Ben' });
  rule.off();
  await other.is('saved', 'server');
  await closeTab(tab.page);
});

test('a page that goes while a save is under way sends it once more, as the same save', async (t) => {
  const { server, tab } = await openSlow(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'Dear Ben' });
  await run(tab.page, (key) => void window.draft(key).flush(), KEY);
  await server.waitFor(SAVE);
  await typeAndLeave(tab, {}, ELSEWHERE);
  await server.waitFor(SAVE, { count: 2 });
  save.release();
  await until(() => saves(server).every(({ endedAt, closedEarlyAt }) => endedAt ?? closedEarlyAt));
  const [first, second] = saves(server).map((request) => request.json());
  assert.deepEqual(second, first);
  const { rev } = /** @type {any} */ (row(server));
  await tab.page.goBack();
  await tab.returned();
  assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
  await tab.is('saved', 'server');
  assert.equal(row(server)?.rev, rev, 'nothing was written again');
});

test('what was typed while a save was under way, right before the page went, is no conflict with that save', async (t) => {
  const { server, tab } = await openSlow(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'Dear Be' });
  await run(tab.page, (key) => void window.draft(key).flush(), KEY);
  await server.waitFor(SAVE);
  await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } }, ELSEWHERE);
  save.release();
  await tab.page.goBack();
  await tab.returned();
  assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('who looks away has it saved at once', async (t) => {
  const { server, tab } = await openSlow(t);
  for (const text of ['Dear Ben', 'x'.repeat(2 * KEEPALIVE_MAX)]) {
    await tab.type({ text });
    await hide(tab.page);
    await until(() => sent(server).at(-1)?.text === text);
    await tab.is('saved', 'server');
  }
});

// ---------------------------------------------------------------- what outlives a page

test('requests that outlive the page carry 60,000 bytes together; the next page sends the rest', async (t) => {
  const { server, tab, add } = await openSlow(t);
  const keys = ['a', 'b', 'c'];
  const texts = Object.fromEntries(keys.map((key) => [key, { text: key.repeat(25_000) }]));
  await typeAndLeave(tab, texts, ELSEWHERE);
  await server.waitFor(SAVE, { count: 2 });
  await quiet(() => saves(server).length, 500);
  const bytes = saves(server).map(({ bodyBytes }) => bodyBytes);
  assert.equal(bytes.length, 2, 'as many as fit');
  assert.ok(bytes[0] + bytes[1] <= KEEPALIVE_MAX);
  const before = server.drafts?.rows() ?? [];

  await add();
  await until(() => server.drafts?.rows().length === 3, PATIENCE_MS);
  for (const key of keys) assert.deepEqual(row(server, key)?.data, texts[key]);
  assert.equal(before.length, 2);
  for (const { key, rev } of before) assert.equal(row(server, key)?.rev, rev, 'it is not saved twice');
});

test('a text that is too large to outlive its page comes back from the device, and is sent then', async (t) => {
  const { server, tab } = await openSlow(t);
  const text = 'x'.repeat(KEEPALIVE_MAX + 1);
  await typeAndLeave(tab, { [KEY]: { text } }, ELSEWHERE);
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.equal(saves(server).length, 0);
  const down = server.on(SAVE, 503); // or the page may have sent it before it is restored
  await tab.page.goBack();
  await tab.returned();
  const { data, source } = await tab.restore();
  assert.deepEqual([data.text === text, source], [true, 'device']);
  down.off();
  await tab.is('saved', 'server');
  assert.equal(row(server)?.data.text, text);
});

test('excluded fields are neither in what the page leaves nor in what it sends last', async (t) => {
  const { server, tab } = await openSlow(t);
  await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben', password: 'hunter2' } }, ELSEWHERE);
  const request = await server.waitFor(SAVE);
  assert.deepEqual(request.json().data, { text: 'Dear Ben' });
  const left = await tab.device();
  assert.ok(left.includes('Dear Ben') && !left.includes('hunter2'));
});

// ---------------------------------------------------------------- the tail

test('the tail holds 512 Ki units at most; beyond, what was stored before comes back whole', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.page(ELSEWHERE, '<!doctype html><title>elsewhere</title>');
  server.on(SAVE, 'cut');
  const [stored, last] = ['a', 'b'].map((letter) => ({ text: letter.repeat(TAILS_MAX) }));
  await tab.type(stored);
  await tab.is('offline', 'device');
  await typeAndLeave(tab, { [KEY]: last }, ELSEWHERE);
  assert.ok(unitsOf(await tails(tab)) <= TAILS_MAX);
  await tab.page.goBack();
  await tab.returned();
  const { text } = (await tab.restore()).data;
  assert.ok(text === stored.text || text === last.text, 'it is one of them, and whole');
});

test('a text of 400 Ki units fits the tail', async (t) => {
  const { server, tab } = await openSlow(t);
  server.on(SAVE, 'cut');
  const text = 'é'.repeat(400 * 1_024);
  await typeAndLeave(tab, { [KEY]: { text } });
  await tab.returned();
  assert.ok((await tab.restore()).data.text === text);
});

test('all tails together hold 512 Ki units at most', async (t) => {
  const { server, tab } = await openSlow(t);
  server.on(SAVE, 'cut');
  const texts = Object.fromEntries([...'abc'].map((key) => [key, { text: key.repeat(200 * 1_024) }]));
  await typeAndLeave(tab, texts, ELSEWHERE);
  const left = await tails(tab);
  assert.equal(left.length, 2, 'as many as fit');
  assert.ok(unitsOf(left) <= TAILS_MAX);
});

test('a storage that the app has filled stays as it is, and nothing fails', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.page(ELSEWHERE, '<!doctype html><title>elsewhere</title>');
  const rule = server.on(SAVE, 'cut');
  await tab.type({ text: 'Dear' });
  await tab.is('offline', 'device');
  const units = await run(tab.page, () => {
    let size = 5 * 1_024 * 1_024;
    for (let n = 0; size >= 1; size = Math.floor(size / 2))
      try {
        for (;;) localStorage.setItem(`full-${n++}`, 'x'.repeat(size));
      } catch {}
    return Object.entries(localStorage).reduce((sum, [name, { length }]) => sum + name.length + length, 0);
  });
  await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } }, ELSEWHERE);
  assert.equal(unitsOf(await run(tab.page, () => Object.entries(localStorage))), units);
  await tab.page.goBack();
  await tab.returned();
  const { text } = (await tab.restore()).data;
  assert.ok(text === 'Dear' || text === 'Dear Ben');
  rule.off();
  await tab.is('saved', 'server');
});

test('a tail is gone once the text is saved', async (t) => {
  const { server, tab } = await openSlow(t);
  const rule = server.on(SAVE, 'cut');
  await typeAndLeave(tab, { [KEY]: { text: 'Dear Ben' } }, ELSEWHERE);
  assert.equal((await tails(tab)).length, 1);
  rule.off();
  await tab.page.goBack();
  await tab.returned();
  await tab.restore();
  await tab.is('saved', 'server');
  await until(async () => (await tails(tab)).length === 0);
});
