import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  CLEAR,
  DRAFTS,
  KEY,
  openDrafts,
  PATIENCE_MS,
  pass,
  quiet,
  READ,
  row,
  SAVE,
  sent,
  signIn,
} from './drafts.mjs';
import { place, plant, record } from './stored-drafts.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

/** Later than any page looks after what was left. */
const LONG_MS = 3_500;

/** The person is somewhere else for a moment, and back; and so is the network. @param {DraftTab} tab */
const stir = (tab) =>
  run(tab.page, () => {
    dispatchEvent(new Event('online'));
    document.dispatchEvent(new Event('visibilitychange'));
  });

/** An earlier page left several, and none of them is at the server. @param {FaultServer} server @param {DraftTab} tab @param {string[]} keys */
async function leaveAll(server, tab, keys) {
  const down = server.on(SAVE, 503);
  for (const key of keys) {
    await tab.type({ text: `left in ${key}` }, key);
    await tab.is('offline', 'device', key);
  }
  down.off();
}

/** Which of them were sent, in the order of their keys. @param {FaultServer} server */
const arrived = (server) =>
  (server.drafts?.rows() ?? [])
    .filter(({ data }) => data)
    .map(({ key }) => key)
    .sort();

/** A record as one of Ada's pages would have left it. @param {FaultServer} server @param {any} given */
const planted = (server, given) => {
  const made = record({ endpoint: `${server.origin}${DRAFTS}`, ...given });
  return /** @type {[any, any]} */ ([place(made), made]);
};

test('a draft that was disposed of while it could not be saved is saved once it can', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await pass(LONG_MS);
  const down = server.on(SAVE, 503);
  await tab.type({ text: 'b' });
  await tab.is('offline', 'device');
  await tab.dispose();
  down.off();
  await stir(tab);
  await until(() => row(server)?.data.text === 'b', PATIENCE_MS);
});

test('a draft that was disposed of while its clearing could not be told is cleared once it can', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await pass(LONG_MS);
  const down = server.on(CLEAR, 503);
  await tab.clear();
  await tab.dispose();
  assert.deepEqual(row(server)?.data, { text: 'a' });
  down.off();
  await stir(tab);
  await until(() => row(server)?.data === null, PATIENCE_MS);
});

test('a server that asks to be left alone is not asked for what else was left, whatever changes', async (t) => {
  const { server, tab } = await openDrafts(t);
  const keys = ['one', 'two', 'three'];
  await leaveAll(server, tab, keys);
  const busy = server.on(DRAFTS, { status: 503, headers: { 'Retry-After': '12' } });
  await tab.reload();
  // The page before only saved.
  const first = await server.waitFor(READ, { timeoutMs: PATIENCE_MS });
  await pass(1_500);
  for (let i = 0; i < 3; i++) {
    await stir(tab);
    await pass(2_500);
  }
  busy.off();
  await until(() => arrived(server).length === 3, PATIENCE_MS);
  const asked = server.requestsTo(DRAFTS);
  asked.splice(0, asked.indexOf(first));
  const told = asked.filter(({ method, status }) => method === 'POST' && status === 503);
  assert.deepEqual(
    [...new Set(asked.slice(0, asked.indexOf(told[0]) + 1).map((request) => request.queryValue('key')))],
    [first.queryValue('key')],
  );
  for (const one of told) {
    const next = asked[asked.indexOf(one) + 1];
    assert.ok(next.at - one.at >= 12_000, `${next.at - one.at} ms`);
  }
});

test('a draft that was told to wait, and is disposed of, waits', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await pass(LONG_MS);
  server.on(DRAFTS, { status: 503, headers: { 'Retry-After': '60' } });
  await tab.type({ text: 'b' });
  await tab.is('offline', 'device');
  await tab.dispose();
  server.clear();
  await stir(tab);
  await pass(LONG_MS);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('where one endpoint is down, what belongs to another one is brought', async (t) => {
  const { server, tab } = await openDrafts(t);
  const notes = [];
  server.on('/api/notes', (request) => {
    notes.push(request.method);
    return request.method === 'GET'
      ? { status: 404, body: { rev: 0 } }
      : { body: { rev: 5, updatedAt: new Date() } };
  });
  const down = server.on('POST /api/notes', 503);
  await tab.open({ endpoint: '/api/notes' }, 'note');
  await leaveAll(server, tab, ['letter', 'note']);
  server.on(DRAFTS, 503);
  down.off();
  await tab.reload();
  await until(() => notes.includes('POST'), PATIENCE_MS);
});

test('one answer that there is no such endpoint is believed by one page, not by all later ones', async (t) => {
  const { server, tab } = await openDrafts(t);
  const keys = ['one', 'three', 'two'];
  await leaveAll(server, tab, keys);
  const gone = server.on(DRAFTS, 403);
  await tab.reload();
  await server.waitFor(DRAFTS);
  await tab.restore('one');
  await tab.type({ text: 'typed meanwhile' }, 'one');
  await tab.is('saved', 'device', 'one');
  await pass(LONG_MS);
  gone.off();
  await tab.reload();
  await until(() => arrived(server).length === 3, PATIENCE_MS);
  assert.deepEqual(row(server, 'one')?.data, { text: 'typed meanwhile' });
});

test('drafts that are for the device alone keep no other one from being brought', async (t) => {
  const { server, tab } = await openDrafts(t);
  const here = Array.from({ length: 300 }, (_, i) =>
    planted(server, { key: `a${String(i).padStart(3, '0')}`, endpoint: null }),
  );
  await plant(tab.page, [...here, planted(server, { key: 'zz' })]);
  await tab.reload();
  await until(() => arrived(server).includes('zz'));
  assert.deepEqual(arrived(server), ['zz']);
});

/** Of the conflict that a page meets which can migrate what an earlier release wrote: its text, and the other. @param {() => Promise<DraftTab>} add */
async function openedLater(add) {
  const later = await add();
  await run(later.page, () => {
    window.draft('letter', {
      schemaVersion: 2,
      migrate: (/** @type {any} */ data) => ({ pages: [data.text] }),
    });
  });
  await later.restore();
  const { conflict } = await later.is('conflict');
  return [conflict.mine, conflict.theirs];
}

test('what only an earlier release can read is left to whoever can migrate it', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  await plant(tab.page, [
    planted(server, { writer: 'one', text: '{"text":"of the old page"}' }),
    planted(server, { writer: 'two', text: '{"pages":["of the new page"]}', schema: 2, stamp: Date.now() }),
  ]);
  await tab.reload();
  await until(() => sent(server).length > 0, PATIENCE_MS);
  await pass(1_000);
  assert.match(await tab.device(), /of the old page/);
  assert.deepEqual(await openedLater(add), [{ pages: ['of the old page'] }, { pages: ['of the new page'] }]);
});

test('what an earlier release saved at the server is written over by nobody who cannot read it', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'of the old page' }, schemaVersion: 1 });
  await plant(tab.page, [planted(server, { text: '{"pages":["of the new page"]}', schema: 2 })]);
  await tab.reload();
  await pass(LONG_MS);
  assert.deepEqual(row(server)?.data, { text: 'of the old page' });
  assert.deepEqual(await openedLater(add), [{ pages: ['of the new page'] }, { pages: ['of the old page'] }]);
});

test('what was made from what an earlier release saved is brought', async (t) => {
  const { server, tab } = await openDrafts(t);
  const base = server.drafts?.put('ada', KEY, { data: { text: 'of the old page' }, schemaVersion: 1 });
  await plant(tab.page, [planted(server, { text: '{"pages":["of the new page"]}', schema: 2, base })]);
  await tab.reload();
  await until(() => row(server)?.schemaVersion === 2, PATIENCE_MS);
  assert.deepEqual(row(server)?.data, { pages: ['of the new page'] });
});

test('a clearing that the server refuses is not told again by the page, and stands in the way of nothing', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' }, 'refused');
  await tab.is('saved', 'server', 'refused');
  await leaveAll(server, tab, ['one', 'two']);
  server.on(CLEAR, 400);
  await tab.clear('refused');
  await tab.dispose('refused');
  await tab.dispose('one');
  await tab.dispose('two');
  await until(() => arrived(server).length === 3, PATIENCE_MS);
  await until(() => quiet(() => server.requestsTo(DRAFTS).length, LONG_MS), PATIENCE_MS);
  server.clear();
  for (let i = 0; i < 2; i++) {
    await stir(tab);
    await pass(LONG_MS);
  }
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

for (const key of ['', 'k'.repeat(257)])
  test(`a record of a key that is none stands in nobody's way: ${key.length} characters`, async (t) => {
    const { server, tab } = await openDrafts(t);
    await plant(tab.page, [planted(server, { key }), planted(server, { key: 'zz' })]);
    await tab.reload();
    await until(() => arrived(server).includes('zz'));
  });

test('what was left under a key that somebody else still holds here is brought', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await plant(tab.page, [planted(server, { owner: 'u:ben', text: '{"text":"of ben"}' })]);
  await tab.type({ text: 'of ada' });
  await tab.is('saved', 'server');
  await signIn(context, server, 'ben');
  await run(tab.page, () => window.app.session.verify());
  await until(() => row(server, undefined, 'ben'), PATIENCE_MS);
  assert.deepEqual(
    [row(server)?.data, row(server, undefined, 'ben')?.data],
    [{ text: 'of ada' }, { text: 'of ben' }],
  );
});

test('signing out in a tab that was there before any draft takes away what the server has', async (t) => {
  const { tab, add } = await openDrafts(t);
  const other = await add();
  await other.type({ text: 'kept by the server' });
  await other.is('saved', 'server');
  await other.keeps('kept by the server');
  await other.page.close();
  await run(tab.page, () => window.app.session.signOut());
  await until(async () => !(await tab.device()).includes('kept by the server'));
});

test('signing out of an app that never had a draft makes no database', async (t) => {
  const { tab } = await openDrafts(t);
  await run(tab.page, () => window.app.session.signOut());
  await pass(500);
  assert.deepEqual(await run(tab.page, () => indexedDB.databases()), []);
});

test('of more people at one page than anybody can be, the last ones write on this device alone', async (t) => {
  const { server, tab } = await openDrafts(t, {
    session: false,
    server: { trusting: true },
    made: () => ({ userKey: () => window.who ?? null }),
  });
  await run(tab.page, () => {
    for (let i = 0; i < 1_500; i++) {
      window.who = `somebody ${i}`;
      window.app.draft('mass').update({ text: `word ${i}` });
    }
    window.who = 'ada';
  });
  server.clear();
  await tab.type({ text: 'of ada' });
  await tab.keeps('of ada');
  await pass(1_000);
  assert.deepEqual(sent(server, 'letter'), []);
});
