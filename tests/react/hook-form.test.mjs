import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRAFTS, isGone, pass, row, SLOW, saves } from '../e2e/drafts.mjs';
import { until } from '../harness/browser.mjs';
import { openLetter, openRestoring } from './letters.mjs';
import { GENERATIONS } from './pages.mjs';

const app = 'hook-form';
const DEAR_BEN = { to: 'Ben', text: 'Dear Ben', urgent: true };

/** @param {import('./letters.mjs').Letter} letter */
async function fillIn(letter) {
  await letter.write('to', 'Ben');
  await letter.write('text', 'Dear Ben');
  await letter.field('urgent').check();
}

for (const react of GENERATIONS) {
  test(`React ${react}: the values of a form are saved, and there again after a reload`, async (t) => {
    const { server, letter } = await openLetter(t, { app, react, strict: true });
    await pass(300);
    assert.deepEqual(saves(server), [], 'its default values are no edit');
    await fillIn(letter);
    await until(() => row(server)?.data.urgent);
    await letter.is('saved', 'server');
    assert.deepEqual(row(server).data, DEAR_BEN);
    await letter.reload();
    server.clear();
    await letter.shows('text', 'Dear Ben');
    assert.deepEqual([await letter.text('to'), await letter.field('urgent').isChecked()], ['Ben', true]);
    assert.deepEqual(await letter.restored(), [DEAR_BEN]);
    await pass(400);
    assert.deepEqual(saves(server), [], 'what is restored is no edit');
    await letter.write('text', '!');
    await until(() => row(server).data.text === 'Dear Ben!');
  });
}

test('what was typed a moment before a reload is there again', async (t) => {
  const { letter } = await openLetter(t, { app, drafts: SLOW });
  await fillIn(letter);
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
});

test('a field that was typed in while the restore was out keeps its text, and the others are filled', async (t) => {
  const { letter, answer } = await openRestoring(t, { app, there: DEAR_BEN });
  await letter.write('text', 'typed');
  answer.release();
  await letter.shows('to', 'Ben');
  assert.deepEqual([await letter.text('text'), await letter.field('urgent').isChecked()], ['typed', true]);
  await letter.field('text').press('End');
  await letter.write('text', ' on');
  assert.equal(await letter.text('text'), 'typed on');
});

test('what was sent is gone, and the form is as at first', async (t) => {
  const { server, letter, page } = await openLetter(t, { app });
  server.on('POST /api/letters', { body: {} });
  await fillIn(letter);
  await until(() => row(server)?.data.urgent);
  await letter.is('saved', 'server');
  server.clear();
  await page.getByRole('button', { name: 'Send' }).click();
  await letter.shows('text', '');
  await pass(400);
  assert.deepEqual(
    server.requestsTo(DRAFTS).map(({ method }) => method),
    ['DELETE'],
  );
  assert.equal(server.requestsTo('/api/letters').length, 1);
  await isGone(server, letter, 'Dear Ben');
});

test('what could not be sent is still there', async (t) => {
  const { server, letter, page } = await openLetter(t, { app });
  server.on('POST /api/letters', 422);
  await fillIn(letter);
  await letter.is('saved', 'server');
  await page.getByRole('button', { name: 'Send' }).click();
  await server.waitFor('POST /api/letters');
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
});

test('a form that is not valid yet is saved as it is', async (t) => {
  const { server, letter, page } = await openLetter(t, { app });
  await letter.write('text', 'Dear Ben');
  await page.getByRole('button', { name: 'Send' }).click();
  await until(async () => /required/.test((await page.getByRole('status').textContent()) ?? ''));
  await letter.is('saved', 'server');
  assert.deepEqual(row(server).data, { to: '', text: 'Dear Ben', urgent: false });
  assert.equal(server.requestsTo('/api/letters').length, 0);
});
