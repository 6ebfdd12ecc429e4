import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import {
  DRAFTS,
  KEY,
  leaveOpened,
  openDrafts,
  pass,
  READ,
  row,
  SAVE,
  SLOW,
  saves,
  sent,
  signIn,
} from './drafts.mjs';
import { held } from './held.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

const SESSION = '/api/auth/session';
const DIARY = { text: 'dear diary' };

/** Whom each request about drafts named, and whose cookie it had. @param {FaultServer} server */
const whose = (server) =>
  server
    .requestsTo(DRAFTS)
    .map((request) => [
      request.headers['x-expected-user'],
      (request.cookie('authjs.session-token') ?? '').split('.')[0],
    ]);

/** Every request about drafts was one person's, and said so. @param {FaultServer} server @param {string} name */
function allOf(server, name) {
  for (const [expected, cookie] of whose(server)) assert.deepEqual([expected, cookie], [name, name]);
}

/** @param {DraftTab} tab */
const verify = (tab) => run(tab.page, () => window.app.session.verify());

/** Their session ends at the server, and the page finds out. @param {FaultServer} server @param {DraftTab} tab */
async function expire(server, tab) {
  server.people?.forget();
  await verify(tab);
}

/** All that the page can know of drafts by asking the library. @param {DraftTab} tab @returns {Promise<string>} */
const told = (tab) =>
  run(tab.page, async () => {
    const draft = window.draft('letter');
    const restored = await draft.restore();
    const { states } = window.drafts.letter;
    return JSON.stringify([restored, draft, draft.getSnapshot(), states, window.app.diagnostics()]);
  });

test("one person's draft is nothing to the next one in the same browser, and waits for them", async (t) => {
  const { server, context, tab } = await openDrafts(t);
  const down = server.on(SAVE, 503);
  await tab.type(DIARY);
  await tab.is('offline', 'device');
  await signIn(context, server, 'ben');
  await tab.reload();
  down.off();
  server.clear();
  assert.ok(!(await told(tab)).includes('diary'));
  await tab.type({ text: 'I am Ben' });
  await tab.is('saved', 'server');
  await pass(2_500);
  allOf(server, 'ben');
  assert.deepEqual(sent(server), [{ text: 'I am Ben' }]);
  assert.equal(row(server, KEY, 'ada'), undefined);
  await signIn(context, server, 'ada');
  await tab.reload();
  server.clear();
  assert.deepEqual((await tab.restore()).data, DIARY);
  await tab.is('saved', 'server');
  allOf(server, 'ada');
  assert.deepEqual(
    [row(server, KEY, 'ada')?.data, row(server, KEY, 'ben')?.data],
    [DIARY, { text: 'I am Ben' }],
  );
});

test('of what one person saved the next one is given nothing either', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type(DIARY);
  await tab.is('saved', 'server');
  await signIn(context, server, 'ben');
  await tab.reload();
  assert.ok(!(await told(tab)).includes('diary'));
  assert.equal((await tab.state()).status, 'idle');
});

for (const [who, how] of /** @type {const} */ ([
  [
    'the session finds it out',
    (/** @type {FaultServer} */ server, /** @type {DraftTab} */ tab) => expire(server, tab),
  ],
  [
    'a save is answered with 401',
    async (/** @type {FaultServer} */ server, /** @type {DraftTab} */ tab) => {
      server.people?.forget();
      await tab.type({ text: 'dear diary, still' });
      await server.waitFor((request) => request.method === 'POST' && request.status === 401);
    },
  ],
])) {
  test(`a session that is over, when ${who}, freezes the draft: it is kept on the device, and sent when they are back`, async (t) => {
    const { server, context, tab } = await openDrafts(t);
    await tab.type(DIARY);
    await tab.is('saved', 'server');
    await how(server, tab);
    await tab.is('frozen');
    server.clear();
    await tab.type({ text: 'dear diary, today' });
    await tab.keeps('dear diary, today');
    assert.equal((await tab.flush()).status, 'frozen');
    await pass(700);
    assert.deepEqual(server.requestsTo(DRAFTS), []);
    await signIn(context, server, 'ada');
    await verify(tab);
    await tab.is('saved', 'server');
    assert.deepEqual(row(server)?.data, { text: 'dear diary, today' });
    allOf(server, 'ada');
  });
}

test("only the same person's return thaws it", async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type(DIARY);
  await tab.is('saved', 'server');
  await expire(server, tab);
  await tab.is('frozen');
  await tab.type({ text: 'dear diary, today' });
  await tab.keeps('dear diary, today');
  server.clear();
  await signIn(context, server, 'ben');
  await verify(tab);
  await tab.flush();
  await pass(700);
  assert.equal((await tab.state()).status, 'frozen');
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  assert.ok(!(await told(tab)).includes('diary'), 'Ben is given nothing of it');
  await signIn(context, server, 'ada');
  await verify(tab);
  await tab.is('saved', 'server');
  allOf(server, 'ada');
  assert.deepEqual(row(server)?.data, { text: 'dear diary, today' });
});

test('another person in another tab freezes the draft, and nothing is sent as theirs', async (t) => {
  const { server, context, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.open(SLOW);
  await one.type(DIARY);
  await signIn(context, server, 'ben');
  await verify(two);
  await one.is('frozen');
  assert.equal((await one.flush()).status, 'frozen');
  await one.keeps('dear diary');
  await two.type({ text: 'I am Ben' });
  await two.is('saved', 'server');
  await pass(700);
  allOf(server, 'ben');
  assert.deepEqual(sent(server), [{ text: 'I am Ben' }]);
  await signIn(context, server, 'ada');
  server.clear();
  await verify(one);
  await until(() => row(server));
  await one.is('saved', 'server');
  assert.deepEqual([row(server)?.data, row(server, KEY, 'ben')?.data], [DIARY, { text: 'I am Ben' }]);
});

test('another person of whom no tab has heard yet: the server refuses, nothing is written, and it is frozen', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'dear' });
  await tab.is('saved', 'server');
  await signIn(context, server, 'ben');
  server.clear();
  await tab.type(DIARY);
  await tab.is('frozen');
  assert.deepEqual(whose(server), [['ada', 'ben']]);
  assert.equal(saves(server)[0].status, 409);
  assert.equal(row(server, KEY, 'ben'), undefined);
  await until(async () => (await run(tab.page, () => window.app.session.getSnapshot().userKey)) === 'ben');
  await pass(700);
  assert.equal(saves(server).length, 1);
  await tab.keeps('dear diary');
});

test('a restore that meets another person gives nothing of theirs', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  server.drafts?.put('ben', KEY, { data: { text: "Ben's own" } });
  await signIn(context, server, 'ben');
  assert.equal(await tab.restore(), null);
  await tab.is('frozen');
  assert.deepEqual(
    server.requestsTo(READ).map(({ status }) => status),
    [409],
  );
});

test('a page that frozen drafts were left on goes to the next person with nothing of them', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type(DIARY);
  await tab.is('saved', 'server');
  await signIn(context, server, 'ben');
  await verify(tab);
  await tab.is('frozen');
  await tab.dispose();
  server.clear();
  assert.equal(await tab.restore(), null);
  await tab.type({ text: 'I am Ben' });
  await tab.is('saved', 'server');
  allOf(server, 'ben');
  assert.deepEqual([row(server)?.data, row(server, KEY, 'ben')?.data], [DIARY, { text: 'I am Ben' }]);
});

test('a conflict shows nothing of either text while it is frozen', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'dear other diary' } });
  await tab.type(DIARY);
  await tab.is('conflict');
  await signIn(context, server, 'ben');
  await verify(tab);
  const { conflict } = await tab.is('frozen');
  assert.equal(conflict, null);
  await signIn(context, server, 'ada');
  await verify(tab);
  const back = await tab.is('conflict');
  assert.deepEqual([back.conflict.mine, back.conflict.theirs], [DIARY, { text: 'dear other diary' }]);
});

test('what is typed before the session is known is theirs then', async (t) => {
  const { server, add } = await openDrafts(t, { count: 0, session: { verifyTimeoutMs: 60_000 } });
  const session = held('pass');
  server.on(SESSION, session.step);
  const tab = await add({ settled: false });
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  assert.equal(await run(tab.page, () => window.app.session.getSnapshot().status), 'loading');
  session.release();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, DIARY);
  allOf(server, 'ada');
});

test('a restore waits until it is known for whom', async (t) => {
  const { server, add } = await openDrafts(t, { count: 0 });
  server.drafts?.put('ada', KEY, { data: DIARY });
  server.on(SESSION, { pass: true, delayMs: 1_000 });
  const tab = await add({ settled: false });
  assert.deepEqual((await tab.restore()).data, DIARY);
  allOf(server, 'ada');
});

test('with a session that the server rendered, it is known at once', async (t) => {
  const { server, tab } = await openDrafts(t, {
    session: { initialSession: { user: { id: 'ada' }, expires: new Date(Date.now() + 3_600_000) } },
  });
  server.on(SESSION, 'hang');
  await tab.type(DIARY);
  await tab.is('saved', 'server');
  allOf(server, 'ada');
});

test('what is typed while nobody is signed in stays with this tab: no other one is given it, a reload is, and nobody sends it', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2, signedIn: null });
  const [one, two] = tabs;
  await one.type(DIARY);
  await one.keeps('dear diary');
  assert.ok(!(await told(two)).includes('diary'));
  await two.type({ text: 'another guest' });
  await two.keeps('another guest');
  await one.reload();
  const { data, source } = await one.restore();
  assert.deepEqual([data, source], [DIARY, 'device']);
  await two.reload();
  assert.deepEqual((await two.restore()).data, { text: 'another guest' });
  assert.equal((await two.state()).conflict, null);
  await pass(700);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test("a guest's draft becomes theirs who signs in on the page, and is sent with what is typed next", async (t) => {
  const { server, context, tab } = await openDrafts(t, { signedIn: null });
  await tab.type({ text: 'as a guest' });
  await tab.keeps('as a guest');
  await signIn(context, server, 'ada');
  await verify(tab);
  await pass(700);
  assert.deepEqual(sent(server), []);
  await tab.type({ text: 'as a guest, and on as Ada' });
  await tab.is('saved', 'server');
  assert.deepEqual(sent(server), [{ text: 'as a guest, and on as Ada' }]);
  allOf(server, 'ada');
});

test("a guest's draft that became somebody's is no guest's any more", async (t) => {
  const { server, context, tab } = await openDrafts(t, { signedIn: null });
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  await signIn(context, server, 'ada');
  await verify(tab);
  await tab.type({ text: 'dear diary, as Ada' });
  await tab.is('saved', 'server');
  await run(tab.page, () => window.app.session.signOut());
  await tab.reload();
  assert.equal(await tab.restore(), null);
});

test('where no session is kept, a draft stays with its tab', async (t) => {
  const { server, tab, add } = await openDrafts(t, { session: false });
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  const other = await add();
  assert.equal(await other.restore(), null);
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, DIARY);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a session that cannot be verified now freezes nothing of whom it was of', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'dear' });
  await tab.is('saved', 'server');
  server.on(SESSION, 500);
  await verify(tab);
  await until(async () => (await run(tab.page, () => window.app.session.getSnapshot().status)) === 'unknown');
  await tab.type(DIARY);
  await tab.is('saved', 'server');
  assert.ok(!(await tab.statuses()).includes('frozen'));
  allOf(server, 'ada');
});

test('what is typed before it is known that nobody is signed in stays with this tab', async (t) => {
  const { server, add } = await openDrafts(t, { count: 0, signedIn: null });
  server.on(SESSION, { pass: true, delayMs: 1_000 });
  const tab = await add({ settled: false });
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  await tab.settled();
  await pass(500);
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, DIARY);
  const other = await add();
  assert.equal(await other.restore(), null);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('what was typed before it was known by whom, and is theirs now, is nothing to the next person in this tab', async (t) => {
  const { server, context, add } = await openDrafts(t, { count: 0 });
  const slow = server.on(SESSION, { pass: true, delayMs: 1_000 });
  const tab = await add({ settled: false });
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  await tab.is('saved', 'server');
  slow.off();
  await signIn(context, server, 'ben');
  await tab.reload();
  assert.ok(!(await told(tab)).includes('diary'));
  await pass(2_500);
  assert.equal(row(server, KEY, 'ben'), undefined);
});

test('a restore waits for 10 s at most for a session that cannot be known, and gives what this tab has', async (t) => {
  const { server, add } = await openDrafts(t, { count: 0, session: { verifyTimeoutMs: 1_000 } });
  server.on(SESSION, 503);
  const tab = await add();
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  await tab.reload();
  const began = Date.now();
  const restored = await tab.restore();
  assert.ok(Date.now() - began < 30_000, `${Date.now() - began} ms`);
  assert.deepEqual(restored?.data, DIARY);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a restore that is answered with 401 gives what the device has, and freezes it', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await leaveOpened(server, tab, DIARY);
  server.people?.forget();
  assert.deepEqual((await tab.restore()).data, DIARY);
  await tab.is('frozen', 'device');
  await until(
    async () => (await run(tab.page, () => window.app.session.getSnapshot().status)) === 'signedOut',
  );
  await pass(500);
  assert.deepEqual(sent(server), []);
  await signIn(context, server, 'ada');
  await verify(tab);
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, DIARY);
});

test('the last words of a frozen draft are not sent', async (t) => {
  const { server, context, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'dear' });
  await tab.flush();
  await tab.type(DIARY);
  await signIn(context, server, 'ben');
  await verify(tab);
  await tab.is('frozen');
  server.clear();
  await hide(tab.page);
  await show(tab.page);
  await tab.reload();
  await pass(2_500);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await tab.keeps('dear diary');
});

test("what the next person submits on a page that still holds somebody's draft clears nothing of it", async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type(DIARY);
  await tab.is('saved', 'server');
  await signIn(context, server, 'ben');
  await verify(tab);
  await tab.is('frozen');
  await tab.clear();
  await signIn(context, server, 'ada');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, DIARY);
  await pass(2_500);
  assert.deepEqual(row(server)?.data, DIARY);
});

test("a guest's text that meets what its person has at the server is a conflict, both kept", async (t) => {
  const { server, context, tab } = await openDrafts(t, { signedIn: null });
  server.drafts?.put('ada', KEY, { data: DIARY });
  await tab.type({ text: 'as a guest' });
  await tab.keeps('as a guest');
  await signIn(context, server, 'ada');
  await verify(tab);
  await tab.type({ text: 'as a guest, and on' });
  const { conflict } = await tab.when(({ conflict }) => conflict?.mine.text === 'as a guest, and on');
  assert.deepEqual(conflict.theirs, DIARY);
  assert.deepEqual(row(server)?.data, DIARY);
});
