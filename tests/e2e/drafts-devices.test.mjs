import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { CLEAR, KEY, openDrafts, PATIENCE_MS, quiet, row, SAVE, saves, sent } from './drafts.mjs';

/** Two devices of one person, both with the same letter open, saved and restored. @param {import('node:test').TestContext} t */
async function openLetter(t) {
  const { server, tab: phone, add, device } = await openDrafts(t);
  await phone.type({ text: 'Dear' });
  await phone.is('saved', 'server');
  const laptop = await add({ context: await device() });
  await laptop.restore();
  server.clear();
  return { server, phone, laptop };
}

/** The same, after both wrote on it: the phone was first. @param {import('node:test').TestContext} t */
async function openConflict(t) {
  const opened = await openLetter(t);
  const { phone, laptop } = opened;
  await phone.type({ text: 'Dear Ben' });
  await phone.is('saved', 'server');
  await laptop.type({ text: 'Dear Carl' });
  await laptop.is('conflict');
  return opened;
}

/**
 * It is submitted on the phone, and the server has heard of it, for which `clear()` waits only for a while.
 * @param {Pick<Awaited<ReturnType<typeof openLetter>>, 'server' | 'phone'>} letter
 */
async function submit({ server, phone }) {
  await phone.clear();
  await until(() => row(server)?.data === null, PATIENCE_MS);
}

test('what is written on one device is found on another', async (t) => {
  const { server, tab: phone, add, device } = await openDrafts(t);
  const typedAt = await phone.type({ text: 'Dear Ben' });
  const { lastSaved } = await phone.is('saved', 'server');
  const seenAt = Date.now();
  const laptop = await add({ context: await device() });
  const { data, source, updatedAt } = await laptop.restore();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'server']);
  assert.equal(Date.parse(updatedAt), row(server)?.savedAt);
  for (const at of [updatedAt, lastSaved])
    assert.ok(Date.parse(at) >= typedAt - 100 && Date.parse(at) <= seenAt + 100, `${at}`);
  await laptop.is('saved', 'server');
  await laptop.type({ text: 'Dear Ben, hello' });
  await laptop.is('saved', 'server');
  assert.deepEqual((await phone.restore()).data, { text: 'Dear Ben, hello' });
});

test('two devices that write on one letter have a conflict, and both texts stand', async (t) => {
  const { server, laptop } = await openConflict(t);
  const { conflict, savedTo } = await laptop.state();
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'Dear Carl' }, { text: 'Dear Ben' }]);
  assert.equal(Date.parse(conflict.theirsUpdatedAt), row(server)?.savedAt);
  assert.equal(savedTo, 'device');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  await until(() => laptop.said.includes('draftConflict'));
  assert.deepEqual(laptop.said.filter((kind) => kind === 'draftConflict').length, 1);
});

test('what is typed on during a conflict is kept on the device, and nothing is sent', async (t) => {
  const { server, laptop } = await openConflict(t);
  server.clear();
  await laptop.type({ text: 'Dear Carl, hello' });
  await laptop.keeps('Dear Carl, hello');
  const { status, conflict } = await laptop.when(({ conflict }) => conflict.mine.text === 'Dear Carl, hello');
  assert.deepEqual([status, conflict.theirs], ['conflict', { text: 'Dear Ben' }]);
  assert.equal((await laptop.flush()).status, 'conflict');
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('a conflict outlives the page', async (t) => {
  const { server, laptop } = await openConflict(t);
  await laptop.reload();
  const restored = await laptop.restore();
  assert.deepEqual([restored.data, restored.source], [{ text: 'Dear Carl' }, 'device']);
  const { status, conflict } = await laptop.state();
  assert.equal(status, 'conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'Dear Carl' }, { text: 'Dear Ben' }]);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

for (const [choice, chosen] of /** @type {const} */ ([
  ['mine', { text: 'Dear Carl' }],
  ['theirs', { text: 'Dear Ben' }],
  [{ merged: { text: 'Dear Ben and Carl' } }, { text: 'Dear Ben and Carl' }],
])) {
  const name = typeof choice === 'string' ? choice : 'merged';
  test(`whoever chooses '${name}' has it on both devices`, async (t) => {
    const { server, phone, laptop } = await openConflict(t);
    const { status, savedTo, conflict } = await laptop.resolve(choice);
    assert.deepEqual([status, savedTo, conflict], ['saved', 'server', null]);
    assert.deepEqual(row(server)?.data, chosen);
    await laptop.type({ ...chosen, more: 'typed on' });
    await laptop.is('saved', 'server');
    await phone.reload();
    assert.deepEqual((await phone.restore()).data, { ...chosen, more: 'typed on' });
    await laptop.reload();
    assert.deepEqual((await laptop.restore()).data, { ...chosen, more: 'typed on' });
  });
}

test("'theirs' sends nothing, for the server has it", async (t) => {
  const { server, laptop } = await openConflict(t);
  server.clear();
  await laptop.resolve('theirs');
  assert.deepEqual(saves(server), []);
});

test('the other device writes on while the person chooses: there is a conflict again, with what stands then', async (t) => {
  const { server, phone, laptop } = await openConflict(t);
  await phone.type({ text: 'Dear Ben, hello' });
  await phone.is('saved', 'server');
  const { status, conflict } = await laptop.resolve('mine');
  assert.equal(status, 'conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'Dear Carl' }, { text: 'Dear Ben, hello' }]);
  assert.equal((await laptop.resolve('mine')).status, 'saved');
  assert.deepEqual(row(server)?.data, { text: 'Dear Carl' });
});

test('the device whose text was replaced is told when it writes on', async (t) => {
  const { server, phone, laptop } = await openConflict(t);
  await laptop.resolve('mine');
  await phone.type({ text: 'Dear Ben, hello' });
  const { conflict } = await phone.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'Dear Ben, hello' }, { text: 'Dear Carl' }]);
  assert.deepEqual(row(server)?.data, { text: 'Dear Carl' });
});

test('the same text on two devices is no conflict', async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await phone.type({ text: 'Dear Ben', to: 'ben' });
  await phone.is('saved', 'server');
  const { rev } = /** @type {any} */ (row(server));
  await laptop.type({ to: 'ben', text: 'Dear Ben' });
  await laptop.is('saved', 'server');
  assert.equal(row(server)?.rev, rev, 'nothing was written');
  assert.ok(!(await laptop.statuses()).includes('conflict'));
  await laptop.type({ text: 'Dear Ben, hello' });
  await laptop.is('saved', 'server');
});

test('a save whose answer was lost is no conflict', async (t) => {
  const { server, phone } = await openLetter(t);
  server.on(SAVE, [{ pass: true, cut: 'beforeHeaders' }, { pass: true, cutAfterBytes: 5 }, 'pass']);
  await phone.type({ text: 'Dear Ben' });
  await phone.is('saved', 'server');
  const ids = saves(server).map((request) => request.json().saveId);
  assert.ok(ids.length >= 2);
  assert.equal(new Set(ids).size, 1, 'it is repeated as it was');
  assert.ok(!(await phone.statuses()).includes('conflict'));
});

test('what was typed since a lost answer is no conflict with what the server has', async (t) => {
  const { server, phone } = await openLetter(t);
  server.on(SAVE, [{ pass: true, cut: 'beforeHeaders' }, { cut: 'beforeHeaders' }, 'pass']);
  await phone.type({ text: 'Dear B' });
  await server.waitFor(SAVE);
  await phone.type({ text: 'Dear Ben' });
  await phone.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  assert.ok(!(await phone.statuses()).includes('conflict'));
});

test('a page that went before the answer came has no conflict with itself', async (t) => {
  const { server, tab: phone } = await openDrafts(t);
  server.on(SAVE, [{ pass: true, hang: true }, 'pass']);
  await phone.type({ text: 'Dear Ben' });
  await until(() => row(server));
  await phone.reload();
  assert.deepEqual((await phone.restore()).data, { text: 'Dear Ben' });
  await phone.is('saved', 'server');
  await phone.type({ text: 'Dear Ben, hello' });
  await phone.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben, hello' });
  assert.ok(!(await phone.statuses()).includes('conflict'));
});

test('a lost answer, and then another device: that is a conflict', async (t) => {
  const { server, laptop } = await openLetter(t);
  const elsewhere = () => {
    server.drafts?.put('ada', KEY, { data: { text: 'Dear Ben' } });
    return 'pass';
  };
  server.on(SAVE, [{ pass: true, cut: 'beforeHeaders' }, elsewhere, 'pass']);
  await laptop.type({ text: 'Dear Carl' });
  const { conflict } = await laptop.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'Dear Carl' }, { text: 'Dear Ben' }]);
  assert.equal(saves(server).length, 2);
});

// ---------------------------------------------------------------- cleared

test('what another device submitted is gone here too, where nothing was typed since', async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await submit({ server, phone });
  await laptop.reload();
  assert.equal(await laptop.restore(), null);
  assert.equal((await laptop.state()).status, 'idle');
  await until(async () => !(await laptop.device()).includes('Dear'));
});

test('what was typed while another device submitted is offered, and nothing is sent', async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await submit({ server, phone });
  server.clear();
  await laptop.type({ text: 'Dear Carl' });
  const { conflict } = await laptop.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'Dear Carl' }, null]);
  assert.equal(row(server)?.data, null);
});

test('a page that finds the draft submitted elsewhere offers what the device has, and restores nothing by itself', async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  server.on(SAVE, { cut: 'beforeHeaders' });
  await laptop.type({ text: 'Dear Carl' });
  await laptop.is('offline', 'device');
  await submit({ server, phone });
  await laptop.reload();
  assert.equal(await laptop.restore(), null);
  const { status, conflict } = await laptop.state();
  assert.deepEqual([status, conflict.mine, conflict.theirs], ['conflict', { text: 'Dear Carl' }, null]);
  assert.equal(row(server)?.data, null);
});

test("'mine' after a submit elsewhere makes a new draft, on top of the tombstone", async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await submit({ server, phone });
  const tombstone = row(server)?.rev;
  await laptop.type({ text: 'Dear Carl' });
  await laptop.is('conflict');
  const { status, savedTo } = await laptop.resolve('mine');
  assert.deepEqual([status, savedTo], ['saved', 'server']);
  assert.equal(saves(server).at(-1)?.headers['if-match'], `"${tombstone}"`);
  assert.deepEqual(row(server)?.data, { text: 'Dear Carl' });
});

test("'theirs' after a submit elsewhere leaves nothing", async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await submit({ server, phone });
  await laptop.type({ text: 'Dear Carl' });
  await laptop.is('conflict');
  const { status, conflict } = await laptop.resolve('theirs');
  assert.deepEqual([status, conflict], ['idle', null]);
  assert.equal(row(server)?.data, null);
  await laptop.reload();
  assert.equal(await laptop.restore(), null);
});

test('who submits wins over what another device saved meanwhile', async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await laptop.type({ text: 'Dear Carl' });
  await laptop.is('saved', 'server');
  await submit({ server, phone });
  assert.equal((await server.waitFor(CLEAR)).headers['if-match'], undefined);
  assert.equal(row(server)?.data, null);
  await laptop.reload();
  assert.equal(await laptop.restore(), null);
});

test('a device that was away for the whole conversation finds the last word, and no conflict', async (t) => {
  const { server, phone, laptop } = await openLetter(t);
  await laptop.page.goto('about:blank');
  for (const text of ['Dear B', 'Dear Be', 'Dear Ben']) {
    await phone.type({ text });
    await phone.is('saved', 'server');
    await until(() => sent(server).at(-1)?.text === text);
  }
  await laptop.page.goBack();
  await laptop.returned();
  assert.deepEqual((await laptop.restore()).data, { text: 'Dear Ben' });
  assert.equal((await laptop.state()).status, 'saved');
});
