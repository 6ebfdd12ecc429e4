import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLEAR, DRAFTS, isGone, pass, row, SAVE, SLOW, saves, sent } from '../e2e/drafts.mjs';
import { held } from '../e2e/held.mjs';
import { run, until } from '../harness/browser.mjs';
import { openLetter } from './letters.mjs';
import { GENERATIONS } from './pages.mjs';

/** A letter that is saved. @param {import('node:test').TestContext} t @param {object} [how] */
async function openSaved(t, how) {
  const opened = await openLetter(t, how);
  await opened.letter.write('text', 'Dear Ben');
  await opened.letter.is('saved', 'server');
  opened.server.clear();
  return opened;
}

for (const react of GENERATIONS) {
  test(`React ${react}: what was submitted is gone, and to empty the form then is no new draft`, async (t) => {
    const { server, letter } = await openSaved(t, { react, strict: true });
    await letter.clear();
    await letter.empty();
    await letter.shows('text', '');
    await pass(500);
    assert.equal((await letter.state()).status, 'idle');
    assert.deepEqual(
      server.requestsTo(DRAFTS).map(({ method }) => method),
      ['DELETE'],
    );
    await isGone(server, letter, 'Dear Ben');
    assert.deepEqual([await letter.text('text'), await letter.restored()], ['', []]);
  });
}

test('a form that is emptied first, and cleared then, leaves nothing either', async (t) => {
  const { server, letter } = await openSaved(t);
  await letter.empty();
  await letter.clear();
  await pass(500);
  assert.equal((await letter.state()).status, 'idle');
  await isGone(server, letter, 'Dear Ben');
});

test('what is not saved yet when it is submitted is saved nowhere', async (t) => {
  const { server, letter } = await openLetter(t);
  await letter.write('text', 'Dear Ben');
  await letter.clear();
  await letter.empty();
  await pass(500);
  assert.equal(row(server)?.data ?? null, null);
  await isGone(server, letter, 'Dear Ben');
});

test('a save that is under way when it is submitted brings nothing back', async (t) => {
  const { server, letter } = await openLetter(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await letter.write('text', 'Dear Ben');
  await server.waitFor(SAVE);
  const cleared = letter.clear();
  await letter.empty();
  save.release();
  await cleared;
  await isGone(server, letter, 'Dear Ben');
});

test('a form that still shows what was submitted is no draft, until it is changed', async (t) => {
  const { server, letter, show } = await openSaved(t);
  await letter.clear();
  await show({ again: 1 });
  await pass(400);
  assert.deepEqual([saves(server), (await letter.state()).status], [[], 'idle']);
  await letter.write('text', '!');
  await letter.is('saved', 'server');
  assert.equal(row(server).data.text, 'Dear Ben!');
});

test('what is typed after it was submitted is a new draft', async (t) => {
  const { server, letter } = await openSaved(t);
  await letter.clear();
  await letter.empty();
  await letter.write('text', 'Dear Cy');
  await letter.is('saved', 'server');
  assert.deepEqual(sent(server).at(-1), { to: '', text: 'Dear Cy' });
  await letter.reload();
  await letter.shows('text', 'Dear Cy');
});

test('the same text, typed anew after it was submitted, is a new draft too', async (t) => {
  const { server, letter } = await openSaved(t);
  await letter.clear();
  await letter.empty();
  await letter.write('text', 'Dear Ben');
  await until(() => row(server)?.data?.text === 'Dear Ben');
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
});

test('what is typed and emptied again after it was submitted does not come back', async (t) => {
  const { server, letter } = await openSaved(t, { drafts: { debounceMs: 30 } });
  await letter.clear();
  await letter.empty();
  await letter.write('text', 'Dear Cy');
  await until(() => row(server)?.data?.text === 'Dear Cy');
  await letter.empty();
  await letter.is('saved', 'server');
  await letter.reload();
  await pass(400);
  assert.equal(await letter.text('text'), '');
});

test('it can be submitted again and again', async (t) => {
  const { server, letter } = await openLetter(t);
  for (const text of ['one', 'two', 'three']) {
    await letter.write('text', text);
    await until(() => row(server)?.data?.text === text);
    await letter.clear();
    await letter.empty();
    assert.equal(row(server).data, null);
  }
  assert.equal(server.requestsTo(CLEAR).length, 3);
  await isGone(server, letter, 'three');
});

test('a form that goes the moment it is submitted leaves nothing', async (t) => {
  const { server, page, letter, show } = await openLetter(t, { drafts: SLOW });
  await letter.write('text', 'Dear');
  await letter.flush();
  await letter.write('text', ' Ben');
  await show(() => {
    window.cleared = window.letters.letter.draft.clearDraft();
    return { letters: [] };
  });
  await run(page, () => window.cleared);
  await pass(300);
  assert.equal(row(server).data, null);
  await show({ letters: [{}] });
  await isGone(server, letter, 'Dear Ben');
});

test('what is cleared is the draft that was submitted, though the form has another key by then', async (t) => {
  const { server, page, letter, show } = await openSaved(t);
  await page.evaluate(() => {
    const { clearDraft } = window.letters.letter.draft;
    window.submitted = clearDraft;
  });
  await show({ id: 'second' });
  await letter.write('text', 'Dear Cy');
  await letter.is('saved', 'server');
  await run(page, () => window.submitted());
  await until(() => row(server).data === null);
  assert.deepEqual(row(server, 'second').data, { to: '', text: 'Dear Cy' });
  assert.equal((await letter.state()).status, 'saved');
});

test('a clear that the server hears of later brings nothing back meanwhile', async (t) => {
  const { server, letter } = await openSaved(t);
  const down = server.on(DRAFTS, 'cut');
  const cleared = letter.clear();
  await letter.empty();
  await cleared;
  await letter.reload();
  await pass(400);
  assert.equal(await letter.text('text'), '');
  down.off();
  await until(() => row(server).data === null, 20_000);
  await isGone(server, letter, 'Dear Ben');
});

test('what another component with the key still shows is a draft again once it is typed on', async (t) => {
  const letters = [{ name: 'one' }, { name: 'other' }];
  const { server, letter } = await openLetter(t, { shown: { letters } });
  await letter.write('text', 'Dear Ben', 'one');
  await letter.is('saved', 'server', 'one');
  await letter.clear('one');
  await letter.empty('one');
  await pass(400);
  assert.equal(row(server).data, null);
  await letter.write('text', 'Dear Cy', 'other');
  await until(() => row(server).data?.text === 'Dear Cy');
});

test('another tab that shows it too is told, and restores nothing', async (t) => {
  const { server, letter, add } = await openSaved(t);
  const other = await add();
  await other.letter.shows('text', 'Dear Ben');
  await letter.clear();
  await letter.empty();
  await other.letter.when(({ status }) => status === 'idle');
  await isGone(server, other.letter, 'Dear Ben');
});
