import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRAFTS, KEY, pass, quiet, row, saves, signIn } from '../e2e/drafts.mjs';
import { run, until } from '../harness/browser.mjs';
import { openLetter } from './letters.mjs';

/** Two devices of one person that both have a letter open, and wrote on it: the phone was first. @param {import('node:test').TestContext} t @param {object} [how] */
async function openConflict(t, how) {
  const phone = await openLetter(t, how);
  await phone.letter.write('to', 'Ben');
  await phone.letter.write('text', 'Dear');
  await phone.letter.is('saved', 'server');
  const laptop = await phone.another();
  await laptop.letter.shows('text', 'Dear');
  await phone.letter.write('text', ' Ben');
  await until(() => row(phone.server).data.text === 'Dear Ben');
  await phone.letter.is('saved', 'server');
  await laptop.letter.write('text', ' Cy');
  await laptop.letter.is('conflict');
  phone.server.clear();
  return { server: phone.server, phone: phone.letter, laptop: laptop.letter };
}

const MINE = { to: 'Ben', text: 'Dear Cy' };
const THEIRS = { to: 'Ben', text: 'Dear Ben' };

test('two devices that write on one letter have a conflict to show, and both texts stand', async (t) => {
  const { server, laptop } = await openConflict(t);
  const { status, conflict, savedTo } = await laptop.when(
    ({ conflict, savedTo }) => conflict?.mine.text === MINE.text && savedTo === 'device',
  );
  assert.deepEqual([status, savedTo], ['conflict', 'device']);
  assert.deepEqual([conflict.mine, conflict.theirs], [MINE, THEIRS]);
  assert.equal(Date.parse(conflict.theirsUpdatedAt), row(server).savedAt);
  assert.equal(await laptop.text('text'), 'Dear Cy', 'nothing is applied by itself');
  await laptop.page.getByRole('status').filter({ hasText: 'Dear Ben' }).waitFor();
});

test('what is typed on during a conflict is kept on the device, and nothing is sent', async (t) => {
  const { server, laptop } = await openConflict(t);
  await laptop.write('text', ', hello');
  await laptop.keeps('Dear Cy, hello');
  await laptop.when(({ conflict }) => conflict?.mine.text === 'Dear Cy, hello');
  assert.ok(await quiet(() => saves(server).length, 400));
  assert.deepEqual(row(server).data, THEIRS);
});

for (const [choice, chosen, restored] of /** @type {const} */ ([
  ['mine', MINE, []],
  ['theirs', THEIRS, [THEIRS]],
  [{ merged: { to: 'Ben', text: 'Dear both' } }, { to: 'Ben', text: 'Dear both' }, undefined],
])) {
  const name = typeof choice === 'string' ? choice : 'merged';
  test(`whoever chooses '${name}' has it in the form, and at the server`, async (t) => {
    const { server, phone, laptop } = await openConflict(t);
    await laptop.when(({ conflict }) => conflict?.mine.text === MINE.text);
    const before = (await laptop.restored()).length;
    await laptop.resolve(choice);
    const { status, conflict } = await laptop.is('saved', 'server');
    assert.deepEqual([status, conflict], ['saved', null]);
    await laptop.shows('text', chosen.text);
    assert.deepEqual((await laptop.restored()).slice(before), restored ?? [chosen]);
    assert.deepEqual(row(server).data, chosen);
    await pass(300);
    assert.equal(saves(server).length, name === 'theirs' ? 0 : 1);
    await laptop.write('text', '!');
    await until(() => row(server).data.text === `${chosen.text}!`);
    await phone.reload();
    await phone.shows('text', `${chosen.text}!`);
  });
}

test('a choice that is none is told to who made it', async (t) => {
  const { laptop } = await openConflict(t);
  await assert.rejects(laptop.resolve('both'), /choice must be/);
  assert.equal((await laptop.state()).status, 'conflict');
});

test('a conflict outlives the page, and what was typed here is shown', async (t) => {
  const { laptop } = await openConflict(t);
  await laptop.keeps('Dear Cy');
  await laptop.reload();
  await laptop.is('conflict');
  await laptop.shows('text', 'Dear Cy');
  assert.deepEqual((await laptop.state()).conflict.theirs, THEIRS);
});

test('what another device submitted meanwhile is a conflict with nothing, and who lets it go has an empty form', async (t) => {
  const { server, phone, laptop } = await openConflict(t);
  await laptop.resolve('mine');
  await laptop.is('saved', 'server');
  await phone.clear();
  await laptop.write('text', '!');
  const { conflict } = await laptop.is('conflict');
  assert.equal(conflict.theirs, null);
  await laptop.resolve('theirs');
  await laptop.is('idle');
  await pass(400);
  assert.equal(row(server).data, null);
  await laptop.reload();
  await pass(400);
  assert.deepEqual([await laptop.text('text'), await laptop.restored()], ['', []]);
});

// ---------------------------------------------------------------- whose it is

/** @param {import('./letters.mjs').Letter} letter */
const verify = (letter) => run(letter.page, () => window.app.session.verify());

test('a session that is over freezes the letter: it is kept on the device, and sent when they are back', async (t) => {
  const { server, context, letter } = await openLetter(t);
  await letter.write('text', 'Dear');
  await letter.is('saved', 'server');
  server.people.forget();
  await letter.write('text', ' Ben');
  await letter.is('frozen');
  server.clear();
  await letter.write('text', ', hello');
  await letter.keeps('Dear Ben, hello');
  await pass(400);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await signIn(context, server, 'ada');
  await verify(letter);
  await letter.is('saved', 'server');
  assert.equal(row(server).data.text, 'Dear Ben, hello');
  assert.equal(await letter.text('text'), 'Dear Ben, hello');
});

test('what another person finds in the form is not saved as theirs; what they type is', async (t) => {
  const { server, context, letter } = await openLetter(t);
  await letter.write('text', 'Dear diary');
  await letter.is('saved', 'server');
  await signIn(context, server, 'ben');
  server.clear();
  await verify(letter);
  await letter.is('idle');
  await letter.write('to', 'Cy');
  await letter.is('saved', 'server');
  assert.deepEqual(row(server, KEY, 'ben').data, { to: 'Cy' });
  assert.ok(server.requests.every(({ url, body }) => !`${url}${body}`.includes('diary')));
  assert.deepEqual([row(server).data, await letter.restored()], [{ to: '', text: 'Dear diary' }, []]);
  await signIn(context, server, 'ada');
  await verify(letter);
  await letter.shows('to', '');
  assert.equal(await letter.text('text'), 'Dear diary');
});

test('below RequireSession another person gets an empty form, and a draft of their own', async (t) => {
  const { server, context, letter } = await openLetter(t, { shown: { guarded: true } });
  await letter.write('text', 'Dear diary');
  await letter.is('saved', 'server');
  await signIn(context, server, 'ben');
  server.clear();
  await verify(letter);
  await letter.shows('text', '');
  await letter.write('text', 'I am Ben');
  await letter.is('saved', 'server');
  assert.deepEqual(row(server, KEY, 'ben').data, { to: '', text: 'I am Ben' });
  assert.equal(row(server, KEY, 'ada').data.text, 'Dear diary');
  assert.deepEqual(await letter.restored(), []);
  await signIn(context, server, 'ada');
  await verify(letter);
  await letter.shows('text', 'Dear diary');
});
