import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  condition,
  DRAFTS,
  KEY,
  leaveDirty,
  openDrafts,
  PATIENCE_MS,
  pass,
  READ,
  row,
  SAVE,
  saves,
  sent,
  signIn,
} from './drafts.mjs';
import { serve } from './pages.mjs';
import { records } from './stored-drafts.mjs';

/** Later than any page looks after what was left. */
const LONG_MS = 3_500;

test('what an earlier page left unsaved is uploaded once, by a page that never opens it', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveDirty(server, tab, { text: 'left' });
  await until(() => row(server), PATIENCE_MS);
  await until(async () => (await records(tab)).every(({ dirty }) => !dirty));
  await pass(1_000);
  assert.deepEqual([sent(server), condition(server)], [[{ text: 'left' }], 'none: *']);
  assert.deepEqual(await run(tab.page, () => Object.keys(window.drafts)), []);
  await tab.reload();
  server.clear();
  await pass(LONG_MS);
  assert.deepEqual(server.requestsTo(DRAFTS), [], 'and by no later page');
});

test('two pages that load at once upload it as one save', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await leaveDirty(server, tab, { text: 'left' });
  await add();
  await until(() => row(server)?.data.text === 'left', PATIENCE_MS);
  await pass(2_000);
  await until(() => saves(server).every(({ status }) => status));
  assert.equal(new Set(saves(server).map((save) => save.json().saveId)).size, 1);
  for (const { status } of saves(server)) assert.equal(status, 200);
});

test('all of several drafts are uploaded, each to where it belongs', async (t) => {
  const { server, tab } = await openDrafts(t);
  const elsewhere = [];
  server.on('/api/notes', (request) => {
    elsewhere.push(`${request.method} ${request.queryValue('key')}`);
    return request.method === 'GET'
      ? { status: 404, body: { rev: 0 } }
      : { body: { rev: 5, updatedAt: new Date() } };
  });
  const down = [server.on(SAVE, 503), server.on('/api/notes', 503)];
  await tab.open({ endpoint: '/api/notes' }, 'note');
  for (const key of ['one', 'two', 'three', 'note']) {
    await tab.type({ text: `left in ${key}` }, key);
    await tab.is('offline', 'device', key);
  }
  await tab.reload();
  for (const rule of down) rule.off();
  await until(() => server.drafts?.rows().length === 3 && elsewhere.includes('POST note'), PATIENCE_MS);
  for (const key of ['one', 'two', 'three'])
    assert.deepEqual(row(server, key)?.data, { text: `left in ${key}` });
});

test('what was left and stands differently at the server now is not uploaded, and waits to be opened', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await leaveDirty(server, tab, { text: 'ab' });
  server.drafts?.put('ada', KEY, { data: { text: 'b' } });
  await pass(LONG_MS);
  assert.deepEqual([row(server)?.data, tab.said], [{ text: 'b' }, []]);
  await tab.restore();
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'ab' }, { text: 'b' }]);
  await until(() => tab.said.includes('draftConflict'));
  assert.deepEqual(tab.said.filter((kind) => kind === 'draftConflict').length, 1);
});

test('what was left and has been cleared on another device since is not uploaded', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await leaveDirty(server, tab, { text: 'ab' });
  server.drafts?.clear('ada', KEY);
  await pass(LONG_MS);
  assert.equal(row(server)?.data, null);
});

test('what is opened while it is being uploaded is one draft', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveDirty(server, tab, { text: 'left' });
  server.on(READ, { pass: true, delayMs: 600 });
  await server.waitFor(READ, { timeoutMs: PATIENCE_MS });
  const restored = await tab.restore();
  assert.deepEqual(restored.data, { text: 'left' });
  await tab.type({ text: 'left, and more' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'left, and more' });
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('what was left waits until it is known that its owner is there', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  const down = server.on(SAVE, 503);
  await tab.type({ text: 'left' });
  await tab.is('offline', 'device');
  await context.clearCookies();
  await tab.reload();
  down.off();
  server.clear();
  await pass(LONG_MS);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await signIn(context, server, 'ada');
  await run(tab.page, () => window.app.session.verify());
  await until(() => row(server), PATIENCE_MS);
  assert.deepEqual(sent(server), [{ text: 'left' }]);
});

test('what was left while there is no network is uploaded when there is', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  const down = server.on(DRAFTS, 503);
  await tab.type({ text: 'left' });
  await tab.is('offline', 'device');
  await tab.reload();
  await server.waitFor(READ, { timeoutMs: PATIENCE_MS });
  await context.setOffline(true);
  down.off();
  await pass(500);
  await context.setOffline(false);
  await until(() => row(server), PATIENCE_MS);
  assert.deepEqual(row(server)?.data, { text: 'left' });
});

test('a page whose app never asks for a draft keeps no database, and asks the server for none', async (t) => {
  const { server, tab } = await openDrafts(t);
  await pass(LONG_MS);
  assert.deepEqual(await run(tab.page, () => indexedDB.databases()), []);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a stored draft that names another server is not sent there', async (t) => {
  const { server, tab } = await openDrafts(t);
  const stranger = await serve(t, { cors: true });
  await leaveDirty(server, tab, { text: 'left' });
  server.on(SAVE, 503); // so that it is not sent before it names another
  const changed = await run(
    tab.page,
    async (endpoint) => {
      const done = (/** @type {IDBRequest} */ request) =>
        new Promise((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const [{ name }] = await indexedDB.databases();
      const db = await done(indexedDB.open(/** @type {string} */ (name)));
      const store = db.transaction(db.objectStoreNames, 'readwrite').objectStore(db.objectStoreNames[0]);
      const [keys, records] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      await Promise.all(records.map((record, i) => done(store.put({ ...record, endpoint }, keys[i]))));
      db.close();
      return records.length;
    },
    `${stranger.origin}/api/drafts`,
  );
  assert.ok(changed > 0);
  await tab.reload();
  await pass(LONG_MS);
  assert.deepEqual(stranger.requests, []);
});
