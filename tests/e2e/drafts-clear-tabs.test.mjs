import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  CLEAR,
  DRAFTS,
  isGone,
  openDrafts,
  PATIENCE_MS,
  pass,
  row,
  SAVE,
  SLOW,
  sent,
  signIn,
} from './drafts.mjs';

/**
 * Types, and stands still in the same breath, before a timer of what was typed can ring: as `freeze` does, whose way into the page takes its
 * time on a busy machine.
 * @param {import('./drafts.mjs').DraftTab} tab @param {any} data
 * @returns {Promise<() => Promise<void>>} thaws it
 */
async function typeAndFreeze({ page }, data) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Debugger.enable');
  const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
  const typing = devtools.send('Runtime.evaluate', {
    expression: `window.draft('letter').update(${JSON.stringify(data)}); debugger;`,
  });
  await paused;
  return async () => {
    await devtools.send('Debugger.resume');
    await typing;
    await devtools.detach();
  };
}

test('another tab that had saved it has nothing of it any more', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.restore();
  await two.is('saved', 'server');
  await one.clear();
  await two.is('idle');
  assert.equal(await two.restore(), null);
  assert.deepEqual(two.said, []);
  await isGone(server, two, 'submitted');
});

test("another tab's unsaved edits become a conflict with nothing, and are never a new draft by themselves", async (t) => {
  const { server, tab: one, add } = await openDrafts(t);
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  const two = await add({ drafts: SLOW });
  await two.restore();
  await two.type({ text: 'submitted, and more' });
  server.clear();
  await one.clear();
  const { conflict } = await two.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'submitted, and more' }, null]);
  await two.keeps('submitted, and more');
  await pass(500);
  assert.deepEqual(sent(server), []);
  assert.equal(row(server)?.data, null);
  assert.equal((await one.state()).status, 'idle');
  const state = await two.resolve('mine');
  assert.equal(state.status, 'saved');
  assert.deepEqual(row(server)?.data, { text: 'submitted, and more' });
});

test("another tab's edits that the server did not get are still on the device after it, though that tab is frozen", async (t) => {
  const { server, context, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.restore();
  server.on(SAVE, 503);
  await two.type({ text: 'not sent yet' });
  await two.is('offline', 'device');
  server.people?.forget();
  await run(one.page, () => window.app.session.verify());
  for (const tab of tabs) await tab.is('frozen');
  await one.clear();
  await pass(300);
  await two.keeps('not sent yet');
  await signIn(context, server, 'ada');
  await run(one.page, () => window.app.session.verify());
  const { conflict } = await two.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'not sent yet' }, null]);
});

test('a tab that stood still when another one cleared does not bring back what it was about to save', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2, drafts: { debounceMs: 2_000, maxWaitMs: 2_000 } });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.restore();
  const thaw = await typeAndFreeze(two, { text: 'submitted, and more' });
  server.clear();
  await one.clear();
  await pass(2_200);
  await thaw();
  const { conflict } = await two.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'submitted, and more' }, null]);
  await pass(500);
  assert.deepEqual(sent(server), []);
  assert.equal(row(server)?.data, null);
});

test('where tabs do not hear of each other, the device tells the one that saves next', async (t) => {
  const { server, tabs } = await openDrafts(t, {
    count: 2,
    beforeLoad: (page) => page.addInitScript('delete window.BroadcastChannel'),
  });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.restore();
  await one.clear();
  server.clear();
  await two.type({ text: 'submitted, and more' });
  const { conflict } = await two.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'submitted, and more' }, null]);
  assert.equal(row(server)?.data, null);
});

test('a second device that has the same text, clean, is given nothing', async (t) => {
  const { server, tab, add, device } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  const other = await add({ context: await device() });
  await other.restore();
  await other.is('saved', 'server');
  await tab.clear();
  assert.equal(await other.restore(), null);
  await isGone(server, other, 'submitted');
});

test('a second device that went on with it is offered its text, and nothing is uploaded', async (t) => {
  const { server, tab, add, device } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  const other = await add({ context: await device() });
  await other.restore();
  await tab.clear();
  await other.type({ text: 'submitted, and more' });
  const { conflict } = await other.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'submitted, and more' }, null]);
  await pass(500);
  assert.equal(row(server)?.data, null);
  assert.equal((await other.resolve('theirs')).status, 'idle');
  await isGone(server, other, 'submitted');
});

test('what is typed anew in another tab after it heard of the clear is a new draft', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.restore();
  await one.clear();
  await two.is('idle');
  await two.type({ text: 'the next one' });
  await two.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'the next one' });
});

test('of a draft of this device only, nothing comes back in any tab', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2, drafts: { endpoint: false } });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'device');
  await two.restore();
  await one.clear();
  await two.is('idle');
  assert.equal(await two.restore(), null);
  await two.type({ text: 'submitted' });
  await two.flush();
  await isGone(server, one, 'submitted');
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a tab in conflict that hears of it has a conflict with nothing', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.type({ text: 'mine' });
  await two.is('conflict');
  await one.clear();
  const { conflict } = await two.when(({ conflict }) => conflict?.theirs === null);
  assert.deepEqual(conflict.mine, { text: 'mine' });
  assert.equal((await two.resolve('mine')).status, 'saved');
  assert.deepEqual(row(server)?.data, { text: 'mine' });
});

test('what another tab kept of it is restored by the tab that cleared it, and is saved as any other text', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  const down = server.on(DRAFTS, 503);
  await two.type({ text: 'submitted by one' });
  await two.is('offline', 'device');
  await one.restore();
  await one.is('offline', 'device');
  await one.clear();
  await two.is('conflict');
  await two.resolve('mine');
  await two.is('offline', 'device');
  assert.deepEqual((await one.restore()).data, { text: 'submitted by one' });
  await one.type({ text: 'submitted by one' });
  await one.flush();
  assert.notEqual((await one.state()).status, 'saved');
  await one.keeps('submitted by one');
  for (const { page } of tabs) await page.close();
  down.off();
});

test('what is typed anew in another tab before the server has heard of the clear is not cleared by it', async (t) => {
  const { server, tabs } = await openDrafts(t, { count: 2 });
  const [one, two] = tabs;
  await one.type({ text: 'submitted' });
  await one.is('saved', 'server');
  await two.restore();
  const down = server.on(CLEAR, 503);
  await one.clear();
  await two.is('idle');
  await two.type({ text: 'the next one' });
  await two.keeps('the next one');
  await pass(1_000);
  down.off();
  await two.is('saved', 'server');
  await until(() => row(server)?.data?.text === 'the next one', PATIENCE_MS);
  await pass(3_000); // whoever still has to tell the server of the clear has done so
  assert.deepEqual(row(server)?.data, { text: 'the next one' });
  assert.ok(!(await two.statuses()).includes('conflict'));
  await two.reload();
  assert.deepEqual((await two.restore()).data, { text: 'the next one' });
});

test('what another tab decided to keep before the server has heard of the clear is not cleared by it', async (t) => {
  const { server, tab: one, add } = await openDrafts(t);
  const two = await add({ drafts: SLOW });
  await two.type({ text: 'kept' });
  const down = server.on(CLEAR, 503);
  await one.clear();
  await two.is('conflict');
  await two.resolve('mine');
  await pass(1_000);
  down.off();
  await two.flush();
  await until(() => row(server)?.data?.text === 'kept', PATIENCE_MS);
  await pass(3_000);
  assert.deepEqual(row(server)?.data, { text: 'kept' });
  await two.reload();
  assert.deepEqual((await two.restore()).data, { text: 'kept' });
});
