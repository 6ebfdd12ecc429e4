/*
 * The table under "Restore" of what is asked of a server, row by row. L is the device's draft, S the server's; L is dirty where no
 * answer of the server has confirmed it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { openDrafts as openDraftsServer } from '../server/drafts.mjs';
import {
  condition,
  KEY,
  leaveOpened,
  openDrafts,
  pass,
  READ,
  row,
  SAVE,
  saves,
  sent,
  signIn,
} from './drafts.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

/** An earlier page typed this, and the server has it. @param {FaultServer} server @param {DraftTab} tab @param {any} data @returns {Promise<number>} its revision */
async function leaveSaved(server, tab, data) {
  await tab.type(data);
  await tab.is('saved', 'server');
  await tab.reload(KEY);
  server.clear();
  return /** @type {{ rev: number }} */ (row(server)).rev;
}

/** An earlier page had saved this, and went on with that, which the server did not take. @param {FaultServer} server @param {DraftTab} tab @param {any} saved @param {any} more @returns {Promise<number>} the revision of what was saved */
async function leaveMore(server, tab, saved, more) {
  await tab.type(saved);
  await tab.is('saved', 'server');
  await leaveOpened(server, tab, more);
  return /** @type {{ rev: number }} */ (row(server)).rev;
}

/** What is said of a copy that was restored. @param {any} restored */
const known = (restored) => restored && [restored.data, restored.source];

/** @param {FaultServer} server */
async function nothingIsSent(server) {
  await pass(1_000);
  assert.deepEqual(sent(server), []);
}

test('L of another user: not read', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  server.on(SAVE, 503);
  await tab.type({ text: 'dear diary' });
  await tab.is('offline', 'device');
  await signIn(context, server, 'ben');
  await tab.reload();
  server.clear();
  assert.equal(await tab.restore(), null);
  const { status, conflict } = await tab.state();
  assert.deepEqual([status, conflict], ['idle', null]);
  await nothingIsSent(server);
});

test('several L, one for each tab that wrote: the one written last is L, and another that is dirty and different a conflict', async (t) => {
  const { server, tabs, add } = await openDrafts(t, { count: 2 });
  const down = server.on(SAVE, 503);
  for (const [i, text] of ['first', 'second'].entries()) {
    await tabs[i].type({ text });
    await tabs[i].is('offline', 'device');
  }
  for (const { page } of tabs) await page.close();
  const tab = await add({ opens: KEY });
  down.off(); // the last words of those that were closed have come by now
  server.clear();
  assert.deepEqual(known(await tab.restore()), [{ text: 'second' }, 'device']);
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'second' }, { text: 'first' }]);
  await nothingIsSent(server);
});

test('several L that say the same are no conflict', async (t) => {
  const { server, tabs, add } = await openDrafts(t, { count: 2 });
  const down = server.on(SAVE, 503);
  await tabs[0].type({ text: 'same', to: 'Ben' });
  await tabs[0].is('offline', 'device');
  await tabs[1].type({ to: 'Ben', text: 'same' });
  await tabs[1].is('offline', 'device');
  for (const { page } of tabs) await page.close();
  const tab = await add({ opens: KEY });
  down.off();
  server.clear();
  assert.deepEqual(known(await tab.restore()), [{ text: 'same', to: 'Ben' }, 'device']);
  await tab.is('saved', 'server');
  assert.equal(saves(server).length, 1);
});

test('S of a newer schema: not read, saved to the device only, and the version is checked', async (t) => {
  const { server, tab } = await openDrafts(t, {
    config: { version: { current: 'v1', pollMs: false, onMismatch: 'ignore' } },
  });
  server.drafts?.put('ada', KEY, { data: { pages: ['of tomorrow'] }, schemaVersion: 2 });
  server.clear();
  assert.equal(await tab.restore(), null);
  await server.waitFor('/api/version');
  await tab.type({ text: 'of today' });
  await tab.keeps('of today');
  await nothingIsSent(server);
  assert.equal((await tab.state()).conflict, null);
  assert.deepEqual(row(server)?.data, { pages: ['of tomorrow'] });
  await tab.reload();
  assert.deepEqual(known(await tab.restore()), [{ text: 'of today' }, 'device']);
});

test('S of a newer schema beside L: L, and S stays as it is', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveMore(server, tab, { text: 'a' }, { text: 'ab' });
  server.drafts?.put('ada', KEY, { data: { pages: ['of tomorrow'] }, schemaVersion: 2 });
  assert.deepEqual(known(await tab.restore()), [{ text: 'ab' }, 'device']);
  await nothingIsSent(server);
  assert.equal((await tab.state()).conflict, null);
});

test('L expired: dropped', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { ttlMs: 1_500 } });
  server.on(SAVE, 503);
  await tab.type({ text: 'long ago' });
  await tab.is('offline', 'device');
  await pass(1_600);
  await tab.reload();
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.state()).status, 'idle');
  await until(async () => !(await tab.device()).includes('long ago'));
});

test('L of a schema unknown to migrate: dropped', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveOpened(server, tab, { text: 'of old' }, '{ schemaVersion: 2, migrate: () => null }');
  assert.equal(await tab.restore(), null);
  await nothingIsSent(server);
  await until(async () => !(await tab.device()).includes('of old'));
});

test('L of an older schema: migrated', async (t) => {
  const { server, tab } = await openDrafts(t);
  const options = '{ schemaVersion: 2, migrate: ({ text }, from) => ({ pages: [text], from }) }';
  await leaveOpened(server, tab, { text: 'of old' }, options);
  const data = { pages: ['of old'], from: 1 };
  assert.deepEqual(known(await tab.restore()), [data, 'device']);
  await tab.is('saved', 'server');
  assert.deepEqual([row(server)?.data, row(server)?.schemaVersion], [data, 2]);
});

test('only S: S', async (t) => {
  const { server, tab } = await openDrafts(t);
  const rev = server.drafts?.put('ada', KEY, { data: { text: 'from the train' } });
  const restored = await tab.restore();
  assert.deepEqual(known(restored), [{ text: 'from the train' }, 'server']);
  assert.equal(Date.parse(restored.updatedAt), row(server)?.savedAt);
  await nothingIsSent(server);
  await tab.type({ text: 'from the train, and on' });
  await tab.is('saved', 'server');
  assert.equal(condition(server), `"${rev}"`);
});

test('only L, no base: L, then created on the server', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveOpened(server, tab, { text: 'never sent' });
  assert.deepEqual(known(await tab.restore()), [{ text: 'never sent' }, 'device']);
  await tab.is('saved', 'server');
  assert.deepEqual([sent(server), condition(server)], [[{ text: 'never sent' }], 'none: *']);
});

for (const [how, leave, data] of /** @type {Array<[string, any, any]>} */ ([
  ['clean', leaveSaved, { text: 'kept' }],
  [
    'dirty',
    (/** @type {any} */ server, /** @type {any} */ tab, /** @type {any} */ more) =>
      leaveMore(server, tab, { text: '' }, more),
    { text: 'and more' },
  ],
])) {
  test(`only L, base, ${how}, and S unknown to the server (404, rev 0): L, then created on the server`, async (t) => {
    const { server, tab } = await openDrafts(t);
    await leave(server, tab, data);
    server.drafts?.close();
    server.drafts = openDraftsServer(); // it lost all that it had
    assert.deepEqual(known(await tab.restore()), [data, 'device']);
    await until(() => row(server));
    assert.deepEqual([row(server)?.data, condition(server)], [data, 'none: *']);
    await tab.is('saved', 'server');
  });
}

test('L dirty, no base, S stands with the same data: S.rev adopted', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveOpened(server, tab, { text: 'same', to: 'Ben' });
  const rev = server.drafts?.put('ada', KEY, { data: { to: 'Ben', text: 'same' } });
  assert.deepEqual((await tab.restore()).data, { text: 'same', to: 'Ben' });
  await tab.is('saved', 'server');
  await nothingIsSent(server);
  await tab.type({ text: 'same, and more' });
  await until(() => saves(server).length);
  assert.equal(condition(server), `"${rev}"`);
});

test('L dirty, no base, S stands with different data: conflict', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveOpened(server, tab, { text: 'mine' });
  server.drafts?.put('ada', KEY, { data: { text: 'theirs' } });
  assert.deepEqual(known(await tab.restore()), [{ text: 'mine' }, 'device']);
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'mine' }, { text: 'theirs' }]);
  assert.equal(Date.parse(conflict.theirsUpdatedAt), row(server)?.savedAt);
  await nothingIsSent(server);
});

test('only L, base, S tombstoned, L clean: dropped', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveSaved(server, tab, { text: 'submitted' });
  const rev = server.drafts?.clear('ada', KEY);
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.state()).status, 'idle');
  await nothingIsSent(server);
  await until(async () => !(await tab.device()).includes('submitted'));
  await tab.type({ text: 'the next one' });
  await tab.is('saved', 'server');
  assert.equal(condition(server), `"${rev}"`, 'made after the tombstone');
});

test('only L, base, S tombstoned, L dirty: offered as a conflict, never applied by itself', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveMore(server, tab, { text: 'a' }, { text: 'ab' });
  server.drafts?.clear('ada', KEY);
  assert.equal(await tab.restore(), null);
  const { conflict } = await tab.is('conflict');
  assert.deepEqual(conflict, {
    mine: { text: 'ab' },
    theirs: null,
    theirsUpdatedAt: conflict.theirsUpdatedAt,
  });
  await nothingIsSent(server);
});

test('L clean: S', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveSaved(server, tab, { text: 'from here' });
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  const restored = await tab.restore();
  assert.deepEqual(known(restored), [{ text: 'from there' }, 'server']);
  assert.equal(Date.parse(restored.updatedAt), row(server)?.savedAt);
  assert.equal((await tab.state()).conflict, null);
  await nothingIsSent(server);
});

test('L clean, and S the same: S', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveSaved(server, tab, { text: 'here and there' });
  assert.deepEqual(known(await tab.restore()), [{ text: 'here and there' }, 'server']);
  await tab.is('saved', 'server');
  await nothingIsSent(server);
});

test('L dirty, base = S.rev: L, then uploaded', async (t) => {
  const { server, tab } = await openDrafts(t);
  const rev = await leaveMore(server, tab, { text: 'a' }, { text: 'ab' });
  assert.deepEqual(known(await tab.restore()), [{ text: 'ab' }, 'device']);
  await tab.is('saved', 'server');
  assert.deepEqual([sent(server), condition(server)], [[{ text: 'ab' }], `"${rev}"`]);
});

test('L dirty, S newer, same data: S.rev adopted, clean', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveMore(server, tab, { text: 'a' }, { text: 'ab', n: [1, { b: 2, c: 3 }] });
  const rev = server.drafts?.put('ada', KEY, { data: { n: [1, { c: 3, b: 2 }], text: 'ab' } });
  assert.deepEqual(known(await tab.restore()), [{ text: 'ab', n: [1, { b: 2, c: 3 }] }, 'server']);
  await tab.is('saved', 'server');
  await nothingIsSent(server);
  await tab.type({ text: 'abc' });
  await until(() => saves(server).length);
  assert.equal(condition(server), `"${rev}"`);
});

test('L dirty, S newer, a saveId that this device sent: S.rev adopted, clean', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  const lost = server.on(SAVE, { pass: true, cut: 'beforeHeaders' });
  await tab.type({ text: 'ab' });
  await tab.is('offline', 'device');
  await tab.reload(KEY);
  lost.off();
  server.clear();
  assert.deepEqual((await tab.restore()).data, { text: 'ab' });
  await tab.is('saved', 'server');
  await nothingIsSent(server);
});

test('L dirty, S newer, a saveId that this device sent, and more was typed since: dirty on the new base', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  const lost = server.on(SAVE, [{ pass: true, cut: 'beforeHeaders' }, 503]);
  await tab.type({ text: 'ab' });
  await tab.is('offline', 'device');
  await tab.type({ text: 'abc' });
  await tab.keeps('abc');
  await tab.is('offline', 'device');
  await tab.reload(KEY);
  lost.off();
  server.clear();
  const { data, rev } = /** @type {{ data: any, rev: number }} */ (row(server));
  assert.deepEqual(data, { text: 'ab' });
  assert.deepEqual(known(await tab.restore()), [{ text: 'abc' }, 'device']);
  await tab.is('saved', 'server');
  assert.deepEqual([sent(server), condition(server)], [[{ text: 'abc' }], `"${rev}"`]);
});

test('L dirty, S newer, different: conflict, both kept, nothing uploaded', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveMore(server, tab, { text: 'a' }, { text: 'ab' });
  server.drafts?.put('ada', KEY, { data: { text: 'b' } });
  assert.deepEqual(known(await tab.restore()), [{ text: 'ab' }, 'device']);
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'ab' }, { text: 'b' }]);
  await nothingIsSent(server);
  assert.deepEqual(row(server)?.data, { text: 'b' });
  await tab.reload();
  await tab.restore();
  const again = (await tab.is('conflict')).conflict;
  assert.deepEqual([again.mine, again.theirs], [{ text: 'ab' }, { text: 'b' }], 'after another reload, too');
});

for (const [what, step] of /** @type {Array<[string, any]>} */ ([
  ['is down', 503],
  ['is cut off', 'cut'],
  ['talks nonsense', { body: { rev: 'one', data: {} } }],
  [
    'answers with a page',
    { headers: { 'Content-Type': 'text/html' }, status: 502, body: '<h1>Bad gateway</h1>' },
  ],
])) {
  test(`S cannot be reached, since it ${what}: L, status 'offline', compared later`, async (t) => {
    const { server, tab } = await openDrafts(t);
    const rev = await leaveMore(server, tab, { text: 'a' }, { text: 'ab' });
    const down = [server.on(READ, step), server.on(SAVE, 503)];
    assert.deepEqual(known(await tab.restore()), [{ text: 'ab' }, 'device']);
    assert.ok((await tab.is('offline', 'device')).error);
    for (const rule of down) rule.off();
    server.clear();
    await tab.is('saved', 'server');
    assert.deepEqual([sent(server), condition(server)], [[{ text: 'ab' }], `"${rev}"`]);
  });
}

test('S cannot be reached, and is another one by then: compared later, both kept', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveMore(server, tab, { text: 'a' }, { text: 'ab' });
  const down = [server.on(READ, 'cut'), server.on(SAVE, 'cut')];
  assert.deepEqual((await tab.restore()).data, { text: 'ab' });
  await tab.is('offline', 'device');
  server.drafts?.put('ada', KEY, { data: { text: 'b' } });
  for (const rule of down) rule.off();
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'ab' }, { text: 'b' }]);
  assert.deepEqual(row(server)?.data, { text: 'b' });
});

test('S cannot be reached, L clean: L, and what is typed on it meets a newer S as a conflict', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveSaved(server, tab, { text: 'a' });
  const down = server.on(READ, 503);
  assert.deepEqual(known(await tab.restore()), [{ text: 'a' }, 'device']);
  assert.ok((await tab.is('offline')).error);
  down.off();
  server.drafts?.put('ada', KEY, { data: { text: 'b' } });
  await tab.type({ text: 'ab' });
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'ab' }, { text: 'b' }]);
  assert.deepEqual(row(server)?.data, { text: 'b' });
});
