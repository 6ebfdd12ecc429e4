import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pass, row } from '../e2e/drafts.mjs';
import { compose, until } from '../harness/browser.mjs';
import { openRestoring } from './letters.mjs';

const THERE = {
  to: 'Ben',
  text: 'from there',
  urgent: true,
  topics: ['news'],
  paper: 'blue',
  stamp: 'red',
  lines: ['one', 'two'],
};

/** A form whose restore waits for the server. @param {import('node:test').TestContext} t @param {object} [how] */
const openForm = (t, how) => openRestoring(t, { app: 'form', there: THERE, ...how });

test('a field that was changed meanwhile keeps what it was changed to, and the others are filled', async (t) => {
  const { letter, answer } = await openForm(t);
  await letter.write('text', 'typed');
  await letter.field('white').check();
  await letter.field('love').check();
  await letter.field('stamp').selectOption('green');
  await letter.field('mail').focus();
  answer.release();
  await letter.shows('to', 'Ben');
  assert.equal(await letter.text('text'), 'typed');
  assert.deepEqual(
    [await letter.field('white').isChecked(), await letter.field('blue').isChecked()],
    [true, false],
  );
  assert.deepEqual(
    [await letter.field('love').isChecked(), await letter.field('news').isChecked()],
    [true, false],
  );
  assert.equal(await letter.text('stamp'), 'green');
  assert.equal(await letter.field('urgent').isChecked(), true);
  assert.equal(await letter.text('line 2'), 'two');
});

test('the field that has the focus is not touched while the person is in it', async (t) => {
  const { letter, answer, page } = await openForm(t);
  await letter.field('text').focus();
  answer.release();
  await letter.shows('to', 'Ben');
  await pass(300);
  assert.equal(await letter.text('text'), '');
  await page.keyboard.type('typed');
  await letter.field('mail').focus();
  await pass(300);
  assert.equal(await letter.text('text'), 'typed');
});

test('a field that the person leaves as it was is filled then', async (t) => {
  const { letter, answer } = await openForm(t);
  await letter.field('text').focus();
  answer.release();
  await letter.shows('to', 'Ben');
  await letter.field('mail').focus();
  await letter.shows('text', 'from there');
  await pass(300);
  assert.equal(await letter.text('text'), 'from there');
});

test('what is in a field with the focus is not lost for its being empty there', async (t) => {
  const { server, letter, answer } = await openForm(t);
  await letter.field('text').focus();
  answer.release();
  await letter.shows('to', 'Ben');
  await letter.field('urgent').uncheck(); // by the mouse: it takes the focus
  await until(() => row(server).data.urgent === false);
  await letter.is('saved', 'server');
  assert.deepEqual([row(server).data.text, row(server).data.urgent], ['from there', false]);
});

test('one of several fields of one name that was changed keeps them all', async (t) => {
  const { letter, answer } = await openForm(t);
  await letter.write('line 1', 'typed');
  answer.release();
  await letter.shows('to', 'Ben');
  assert.deepEqual([await letter.text('line 1'), await letter.text('line 2')], ['typed', '']);
});

test('a composition that is on is not disturbed, and the rest is filled', async (t) => {
  const { letter, page, answer } = await openForm(t);
  await letter.field('text').focus();
  const composing = await compose(page, 'に', 'にほ');
  answer.release();
  await pass(400);
  assert.equal(await letter.text('text'), 'にほ');
  await composing.commit('日本');
  await letter.shows('to', 'Ben');
  assert.equal(await letter.text('text'), '日本');
});

test('a form that went while the restore was out is filled with nothing, and its next one is', async (t) => {
  const { letter, answer, show } = await openForm(t);
  await show({ appears: false });
  answer.release();
  await pass(300);
  assert.deepEqual(await letter.restored(), []);
  await show({ appears: true });
  await letter.shows('text', 'from there');
});

test('a form that is emptied while the restore is out is filled, for nothing of it was changed', async (t) => {
  const { letter, answer } = await openForm(t);
  await letter.write('text', 'typed');
  await letter.empty();
  answer.release();
  await letter.shows('text', 'from there');
  await until(async () => (await letter.text('to')) === 'Ben');
});
