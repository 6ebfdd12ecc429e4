import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRAFTS, KEY, pass, READ, row, SLOW, saves, sent } from '../e2e/drafts.mjs';
import { compose, run, until } from '../harness/browser.mjs';
import { openLetter } from './letters.mjs';
import { GENERATIONS } from './pages.mjs';

/** What the form holds at first. */
const FIRST = {
  to: '',
  text: '',
  pages: '',
  on: '',
  mail: 'ada@example.com',
  urgent: false,
  topics: [],
  paper: null,
  stamp: 'none',
  copies: [],
  lines: ['', ''],
};
/** What somebody makes of it. */
const FULL = {
  to: 'Ben',
  text: 'Dear Ben,\nhello',
  pages: '3',
  on: '2026-11-21',
  mail: 'ada@example.org',
  urgent: true,
  topics: ['news', 'love'],
  paper: 'blue',
  stamp: 'green',
  copies: ['ben', 'dee'],
  lines: ['one', 'two'],
};

/** @param {import('node:test').TestContext} t @param {Parameters<typeof openLetter>[1]} [how] */
const openForm = (t, how) => openLetter(t, { app: 'form', ...how });

/** A person fills in all of it. @param {import('./letters.mjs').Letter} letter */
async function fillIn(letter) {
  for (const [label, text] of [
    ['to', 'Ben'],
    ['text', 'Dear Ben,\nhello'],
    ['pages', '3'],
    ['on', '2026-11-21'],
    ['mail', 'ada@example.org'],
    ['line 1', 'one'],
    ['line 2', 'two'],
    ['pin', 'SECRET-PIN'],
    ['unnamed', 'SECRET-UNNAMED'],
  ])
    await letter.field(label).fill(text);
  for (const label of ['urgent', 'news', 'love', 'blue']) await letter.field(label).check();
  await letter.field('stamp').selectOption('green');
  await letter.field('copies').selectOption(['ben', 'dee']);
  await letter
    .field('photo')
    .setInputFiles({ name: 'SECRET.png', mimeType: 'image/png', buffer: Buffer.from('SECRET') });
}

/** What each field shows. @param {import('./letters.mjs').Letter} letter @returns {Promise<any>} */
const shown = (letter) =>
  run(letter.page, () => {
    const { elements } = document.forms[0];
    const textOf = (name) => elements[name].value;
    const checked = (name) =>
      [...document.getElementsByName(name)].filter((one) => one.checked).map(({ value }) => value);
    return {
      to: textOf('to'),
      text: textOf('text'),
      pages: textOf('pages'),
      on: textOf('on'),
      mail: textOf('mail'),
      urgent: elements.urgent.checked,
      topics: checked('topics'),
      paper: checked('paper')[0] ?? null,
      stamp: textOf('stamp'),
      copies: [...elements.copies.selectedOptions].map(({ value }) => value),
      lines: [...elements.lines].map(({ value }) => value),
    };
  });

/** @param {import('./letters.mjs').Letter} letter @param {any} form */
const becomes = (letter, form) =>
  until(async () => JSON.stringify(await shown(letter)) === JSON.stringify(form));

for (const react of GENERATIONS) {
  test(`React ${react}: every kind of field is saved, and there again after a reload`, async (t) => {
    const { server, letter } = await openForm(t, { react, strict: true });
    await fillIn(letter);
    await until(() => row(server)?.data.copies?.length === 2);
    await letter.is('saved', 'server');
    assert.deepEqual(row(server).data, FULL);
    await letter.reload();
    server.clear();
    await becomes(letter, FULL);
    assert.deepEqual(await letter.restored(), [FULL]);
    await letter.is('saved', 'server');
    await pass(400);
    assert.deepEqual(saves(server), [], 'what is filled in is no edit');
  });
}

test('passwords, files, hidden and disabled fields, and what has no name, are in no store and no request', async (t) => {
  const { server, letter } = await openForm(t);
  await fillIn(letter);
  await until(() => row(server)?.data.copies?.length === 2);
  await letter.is('saved', 'server');
  assert.ok(!(await letter.device()).includes('SECRET'));
  for (const { url, body } of server.requests) assert.ok(!`${url}${body}`.includes('SECRET'));
  assert.ok(!JSON.stringify(await letter.diagnostics()).includes('SECRET'));
  assert.ok(!('sum' in row(server).data) && !('go' in row(server).data));
});

test('a password that is made readable is saved no more than before', async (t) => {
  const { server, letter } = await openForm(t);
  await letter.field('pin').fill('SECRET');
  await letter.page.evaluate(() => {
    document.forms[0].elements.pin.type = 'text';
  });
  await letter.write('pin', '-SHOWN');
  await letter.write('text', 'Dear Ben');
  await until(() => row(server)?.data.text === 'Dear Ben');
  await letter.is('saved', 'server');
  assert.ok(!(await letter.device()).includes('SECRET'));
  for (const { body } of server.requests) assert.ok(!body.includes('SECRET'));
});

test('what a form holds at first is no edit', async (t) => {
  const { server, letter } = await openForm(t);
  await server.waitFor(READ);
  await letter.field('to').focus();
  await letter.page.keyboard.press('Tab');
  await pass(500);
  assert.equal((await letter.state()).status, 'idle');
  assert.deepEqual(
    server.requestsTo(DRAFTS).map(({ method }) => method),
    ['GET'],
  );
});

test('typing renders the component for its status, and not for each character', async (t) => {
  const { server, letter } = await openForm(t, { drafts: SLOW });
  await letter.write('text', 'D');
  await letter.is('dirty');
  const before = await letter.renders();
  await letter.write('text', 'ear Ben');
  assert.equal(await letter.renders(), before);
  await letter.flush();
  await letter.is('saved', 'server');
  assert.deepEqual(sent(server), [{ ...FIRST, text: 'Dear Ben' }]);
});

test('what was typed a moment before a reload is there again', async (t) => {
  const { letter } = await openForm(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await letter.field('urgent').check();
  await letter.reload();
  await becomes(letter, { ...FIRST, text: 'Dear Ben', urgent: true });
});

test('what the app is told was filled in before', async (t) => {
  const { letter } = await openForm(t, { ready: put });
  await until(async () => (await letter.restored()).length);
  const [{ text }] = await run(letter.page, () => window.letters.letter.filled);
  assert.equal(text, 'from there');
});

/** @param {import('../server/fault-server.mjs').FaultServer} server */
const put = (server) => void server.drafts.put('ada', KEY, { data: { ...FULL, text: 'from there' } });

// ---------------------------------------------------------------- forms that change

test('a form that appears later than its component is filled then', async (t) => {
  const { server, letter, show } = await openForm(t, { ready: put, shown: { appears: false } });
  await pass(300);
  assert.equal((await letter.state()).status, 'idle');
  await show({ appears: true });
  await becomes(letter, { ...FULL, text: 'from there' });
  await letter.write('text', '!');
  await until(() => row(server).data.text === 'from there!');
});

test('a form that goes keeps what is pending, and one that comes back is filled with it', async (t) => {
  const { server, letter, show } = await openForm(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await show({ appears: false });
  await until(() => row(server)?.data.text === 'Dear Ben');
  await show({ appears: true });
  await letter.shows('text', 'Dear Ben');
  await letter.write('text', '!');
  await letter.flush();
  assert.equal(row(server).data.text, 'Dear Ben!');
});

test('a field that is added later is saved', async (t) => {
  const { server, letter, show } = await openForm(t);
  await show({ more: true });
  await pass(200);
  assert.equal((await letter.state()).status, 'idle');
  await letter.write('more', 'and more');
  await until(() => row(server)?.data.more === 'and more');
});

test('a field that is added later is filled with what was saved of it', async (t) => {
  const { server, letter, show } = await openForm(t, {
    ready: (server) =>
      void server.drafts.put('ada', KEY, { data: { text: 'from there', more: 'and more', stamp: 'gold' } }),
  });
  await letter.shows('text', 'from there');
  await show({ more: true });
  await letter.shows('more', 'and more');
  assert.equal(await letter.text('stamp'), 'none');
  await letter.page.evaluate(() => document.forms[0].elements.stamp.append(new Option('gold')));
  await letter.shows('stamp', 'gold');
  await pass(400);
  assert.deepEqual(saves(server), [], 'none of it is an edit');
});

test('a field that goes, as with a step of the form, is saved as it was, and shows it when it comes again', async (t) => {
  const { server, letter, show } = await openForm(t, { shown: { more: true } });
  await letter.write('more', 'and more');
  await letter.is('saved', 'server');
  await show({ more: false });
  await letter.write('text', 'Dear Ben');
  await until(() => row(server).data.text === 'Dear Ben');
  assert.equal(row(server).data.more, 'and more');
  await show({ more: true });
  await letter.shows('more', 'and more');
});

test('a form of another key keeps what was pending in the one before, and is filled with its own', async (t) => {
  const { server, letter, show } = await openForm(t, {
    drafts: SLOW,
    ready: (server) => void server.drafts.put('ada', 'second', { data: { text: 'Dear Cy' } }),
  });
  await letter.write('text', 'Dear Ben');
  await show({ id: 'second', fresh: 'second' });
  await letter.shows('text', 'Dear Cy');
  await until(() => row(server)?.data.text === 'Dear Ben');
  assert.deepEqual(sent(server, 'second'), []);
});

test('a form that stays while its key changes begins with what it holds, and to reset it then is no edit', async (t) => {
  const { server, letter, show, page } = await openForm(t, {
    drafts: SLOW,
    ready: (server) => void server.drafts.put('ada', 'third', { data: { text: 'Dear Cy' } }),
  });
  await letter.write('text', 'Dear Ben');
  await show({ id: 'second' });
  await page.evaluate(() => document.forms[0].reset());
  await until(() => row(server)?.data.text === 'Dear Ben');
  await pass(300);
  assert.equal((await letter.state()).status, 'idle');
  assert.equal(await letter.text('text'), '');
  await letter.field('mail').focus();
  await show({ id: 'third' });
  await letter.shows('text', 'Dear Cy');
  await letter.flush();
  assert.deepEqual([sent(server, 'second'), sent(server, 'third')], [[], []]);
});

test('a draft that names fields which are not there, or says what they cannot hold, fills the others', async (t) => {
  const { letter, page } = await openForm(t, {
    ready: (server) =>
      void server.drafts.put('ada', KEY, {
        data: {
          text: 'from there',
          gone: 'x',
          go: 'later',
          pages: 'many',
          on: 'tomorrow',
          urgent: 'perhaps',
          topics: 'news',
          paper: 'green',
          stamp: { a: 1 },
          copies: null,
          lines: [5, null, 'three'],
          photo: 'x.png',
          pin: 'SECRET',
          csrf: 'FORGED',
          to: ['Ben'],
          constructor: 'x',
        },
      }),
  });
  await letter.shows('text', 'from there');
  // React puts back what a hidden field was rendered with.
  const { pin, csrf, go } = await run(page, () => {
    const { pin, go } = document.forms[0].elements;
    const [{ csrf }] = window.letters.letter.filled;
    return { pin: pin.value, csrf, go: go.value };
  });
  assert.deepEqual([pin, csrf, go], ['', 'SECRET-TOKEN', 'now']);
  // What a number or a date cannot be is said by Chromium.
  assert.ok(page.problems.every(({ text }) => text.startsWith('The specified value')));
  page.problems.length = 0;
});

test('data that is no object fills nothing', async (t) => {
  const { letter, page } = await openForm(t, {
    ready: (server) => void server.drafts.put('ada', KEY, { data: ['Ben', 'Cy'] }),
  });
  await pass(400);
  assert.deepEqual(await shown(letter), FIRST);
  assert.deepEqual(page.problems, []);
});

// ---------------------------------------------------------------- emptied and cleared

test('a form that is emptied by the person is saved as it is then', async (t) => {
  const { server, letter } = await openForm(t);
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await letter.empty();
  await until(() => row(server).data.text === '');
  assert.deepEqual(row(server).data, FIRST);
});

for (const [order, submit] of /** @type {const} */ ([
  ['after', `async () => { await draft.clearDraft(); form.reset(); }`],
  ['before', `async () => { form.reset(); await draft.clearDraft(); }`],
])) {
  test(`a form that is reset by the app ${order} it was cleared is no new draft`, async (t) => {
    const { server, letter, page } = await openForm(t);
    await fillIn(letter);
    await until(() => row(server)?.data.copies?.length === 2);
    await page.evaluate(
      `(async () => { const form = document.forms[0]; const { draft } = window.letters.letter; await (${submit})(); })()`,
    );
    await pass(400);
    assert.equal((await letter.state()).status, 'idle');
    assert.equal(row(server).data, null);
    await letter.reload();
    await pass(400);
    assert.deepEqual([await shown(letter), await letter.restored()], [FIRST, []]);
  });
}

test('what is typed after it was submitted is a new draft', async (t) => {
  const { server, letter, page } = await openForm(t);
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await letter.clear();
  await page.evaluate(() => document.forms[0].reset());
  await letter.write('text', 'Dear Cy');
  await until(() => row(server).data?.text === 'Dear Cy');
  await letter.reload();
  await letter.shows('text', 'Dear Cy');
});

// ---------------------------------------------------------------- conflicts

test('who chooses what another device wrote has it in the form', async (t) => {
  const phone = await openForm(t);
  await phone.letter.write('text', 'Dear');
  await phone.letter.is('saved', 'server');
  const { letter: laptop, server } = await phone.another();
  await laptop.shows('text', 'Dear');
  await phone.letter.write('text', ' Ben');
  await until(() => row(server).data.text === 'Dear Ben');
  await laptop.write('text', ' Cy');
  await laptop.is('conflict');
  await laptop.field('to').focus();
  await laptop.resolve('theirs');
  await laptop.shows('text', 'Dear Ben');
  await laptop.write('text', '!');
  await until(() => row(server).data.text === 'Dear Ben!');
  assert.equal((await laptop.state()).conflict, null);
});

// ---------------------------------------------------------------- off, and on a server

test('a form that is not enabled is read nowhere and saved nowhere, and is filled once it is', async (t) => {
  const { server, letter, show } = await openForm(t, { ready: put, options: { enabled: false } });
  await letter.write('to', 'Cy');
  await pass(400);
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await show({ options: { enabled: true } });
  await letter.shows('text', 'from there');
});

for (const react of GENERATIONS) {
  test(`React ${react}: a form is rendered by a server, hydrates without a warning, and is filled then`, async (t) => {
    const { server, letter, url, page } = await openForm(t, { react, strict: true, ssr: true, ready: put });
    await letter.shows('text', 'from there');
    assert.deepEqual(page.problems, []);
    await page.goto('about:blank');
    server.clear();
    assert.match(await (await fetch(url)).text(), /<output>idle<\/output>/);
    assert.equal(server.requests.length, 1);
  });
}

test('what is composed is saved, and stays as it is', async (t) => {
  const { server, letter, page } = await openForm(t);
  await letter.field('text').focus();
  const composing = await compose(page, 'に', 'にほん');
  await letter.keeps('にほん');
  await composing.commit('日本');
  await until(() => row(server)?.data.text === '日本');
  assert.equal(await letter.text('text'), '日本');
});
