import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { DRAFTS, KEY, openDrafts, pass, row, SAVE, SLOW, saves, sent, signIn } from './drafts.mjs';
import { held } from './held.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

const SIGN_OUT = 'POST /api/auth/signout';

/** @param {DraftTab} tab @returns {Promise<any>} null, or the error */
const signOut = async (tab) => (await signOutTimed(tab)).error;

/** @param {DraftTab} tab @returns {Promise<{ error: any, ms: number }>} and how long the page waited for it */
const signOutTimed = (tab) =>
  run(tab.page, async () => {
    const began = performance.now();
    const error = await window.app.session.signOut().then(
      () => null,
      (/** @type {unknown} */ error) => error,
    );
    return { error, ms: performance.now() - began };
  });

/** Drafts held it up for no more than 5 s. @param {{ error: any, ms: number }} out */
function assertSoon({ error, ms }) {
  assert.equal(error, null);
  assert.ok(ms < 9_000, `${ms} ms`);
}

/** @param {DraftTab} tab */
const verify = (tab) => run(tab.page, () => window.app.session.verify());

test('drafts are saved before the server is asked to sign out', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'one' });
  await tab.type({ text: 'two' }, 'other');
  server.on(SAVE, { pass: true, delayMs: 300 });
  assert.equal(await signOut(tab), null);
  const [out] = server.requestsTo(SIGN_OUT);
  assert.equal(saves(server).length, 2);
  for (const save of saves(server)) {
    assert.equal(save.status, 200);
    assert.ok(/** @type {number} */ (save.endedAt) <= out.at);
  }
  assert.deepEqual([row(server)?.data, row(server, 'other')?.data], [{ text: 'one' }, { text: 'two' }]);
});

test('the drafts of all tabs are saved before', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2, drafts: SLOW });
  await tabs[0].type({ text: 'one' });
  await tabs[1].type({ text: 'two' }, 'other');
  assert.equal(await signOut(tabs[0]), null);
  for (const tab of tabs)
    await until(
      async () => (await run(tab.page, () => window.app.session.getSnapshot().status)) === 'signedOut',
    );
  assert.deepEqual(row(server)?.data, { text: 'one' });
  await tabs[1].keeps('two'); // at the latest on this device, where its person finds it
  await pass(500);
  for (const { status } of saves(server)) assert.equal(status, 200);
});

test('a server that does not take them holds a sign-out up for 5 s at most, and what is unsaved waits for its owner', async (t) => {
  const { server, context, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'unsaved' });
  const hanging = server.on(SAVE, 'hang');
  assertSoon(await signOutTimed(tab));
  assert.equal(server.requestsTo(SIGN_OUT).length, 1);
  await tab.keeps('unsaved');
  hanging.off();
  server.clear();
  await tab.reload();
  assert.equal(await tab.restore(), null, 'nobody is signed in');
  await pass(2_500);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await signIn(context, server, 'ada');
  await tab.reload(KEY);
  assert.deepEqual((await tab.restore()).data, { text: 'unsaved' });
  await tab.is('saved', 'server');
  assert.deepEqual(sent(server), [{ text: 'unsaved' }]);
});

test('a server that is down holds a sign-out up no longer', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'unsaved' });
  server.on(SAVE, 503);
  assertSoon(await signOutTimed(tab));
  await tab.keeps('unsaved');
});

test('after a sign-out the device keeps nothing of what the server has', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'saved before' }, 'old');
  await tab.is('saved', 'server', 'old');
  await tab.reload();
  await tab.type({ text: 'saved now' });
  await tab.is('saved', 'server');
  assert.equal(await signOut(tab), null);
  await until(async () => !/saved (before|now)/.test(await tab.device()));
  assert.deepEqual(row(server, 'old')?.data, { text: 'saved before' });
  assert.deepEqual(row(server)?.data, { text: 'saved now' });
  await tab.reload();
  assert.ok(!/saved (before|now)/.test(await tab.device()));
});

test('after a sign-out in another tab it keeps nothing of it either', async (t) => {
  const { tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.type({ text: 'kept there' });
  await one.is('saved', 'server');
  assert.equal(await signOut(two), null);
  await one.is('frozen');
  await until(async () => !(await one.device()).includes('kept there'));
  await one.reload();
  assert.ok(!(await one.device()).includes('kept there'));
});

test('what was unsaved at a sign-out is uploaded when its owner is back, opened or not', async (t) => {
  const { server, context, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'unsaved' });
  const down = server.on(SAVE, 503);
  await signOut(tab);
  await tab.page.goto(`${server.origin}/api/version`);
  down.off();
  await signIn(context, server, 'ada');
  server.clear();
  await tab.page.goBack();
  await tab.returned();
  await until(() => row(server));
  assert.deepEqual(row(server)?.data, { text: 'unsaved' });
  await pass(1_000);
  assert.equal(saves(server).length, 1);
  assert.equal(saves(server)[0].headers['x-expected-user'], 'ada');
});

test('what was unsaved at a sign-out is not uploaded as the next person’s', async (t) => {
  const { server, context, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'unsaved' });
  const down = server.on(SAVE, 503);
  await signOut(tab);
  down.off();
  await signIn(context, server, 'ben');
  server.clear();
  await verify(tab);
  await pass(2_500);
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await pass(2_500);
  assert.deepEqual([sent(server), row(server, KEY, 'ben')], [[], undefined]);
  await tab.keeps('unsaved');
});

test('whoever comes back on the same page goes on with their draft', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await signOut(tab);
  await tab.is('frozen');
  await signIn(context, server, 'ada');
  await verify(tab);
  await tab.type({ text: 'ab' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'ab' });
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('a session that expired keeps everything on the device', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'kept there' });
  await tab.is('saved', 'server');
  const down = server.on(SAVE, 503);
  await tab.type({ text: 'unsaved' }, 'other');
  await tab.is('offline', 'device', 'other');
  server.people?.forget();
  await verify(tab);
  await tab.is('frozen');
  await tab.is('frozen', 'device', 'other');
  await pass(500);
  const kept = await tab.device();
  assert.ok(kept.includes('kept there') && kept.includes('unsaved'), kept);
  down.off();
  await signIn(context, server, 'ada');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'kept there' });
  assert.deepEqual((await tab.restore('other')).data, { text: 'unsaved' });
  await tab.is('saved', 'server', 'other');
});

test('a sign-out that the server refuses leaves the drafts as they are', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  server.on(SIGN_OUT, { body: { url: 'http://localhost/api/auth/signout?csrf=true' } });
  await tab.type({ text: 'a' });
  assert.equal((await signOut(tab)).kind, 'forbidden');
  await tab.is('saved', 'server');
  await tab.type({ text: 'ab' });
  assert.equal((await tab.flush()).status, 'saved');
  await tab.keeps('ab');
});

test('a conflict at a sign-out stays with its owner, both texts', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'theirs' } });
  await tab.type({ text: 'mine' });
  await tab.is('conflict');
  assertSoon(await signOutTimed(tab));
  assert.equal((await tab.is('frozen')).conflict, null);
  await signIn(context, server, 'ada');
  await tab.reload();
  await tab.restore();
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'mine' }, { text: 'theirs' }]);
});

test('what is typed while the server is being asked to sign out is there when its owner is back', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'before' });
  await tab.is('saved', 'server');
  const asked = held('pass');
  server.on(SIGN_OUT, asked.step);
  const out = signOut(tab);
  await server.waitFor(SIGN_OUT);
  await tab.type({ text: 'too late' });
  asked.release();
  assert.equal(await out, null);
  await tab.is('frozen');
  await signIn(context, server, 'ada');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'too late' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'too late' });
});
