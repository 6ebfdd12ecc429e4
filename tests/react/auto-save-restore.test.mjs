import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRAFTS, KEY, pass, READ, row, SAVE, SLOW, saves, sent } from '../e2e/drafts.mjs';
import { compose, run, until } from '../harness/browser.mjs';
import { openLetter, openRestoring } from './letters.mjs';
import { GENERATIONS } from './pages.mjs';

const THERE = { to: 'Ben', text: 'from there' };
const put = (server, data = THERE, key = KEY) => void server.drafts.put('ada', key, { data });

/** What the form asked for as it came has its answer. */
const wasRead = (server) => until(() => server.requestsTo(READ)[0]?.endedAt);

test('what was saved is there again after a reload, once, and is no edit', async (t) => {
  const { server, letter } = await openLetter(t);
  await letter.write('to', 'Ben');
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await letter.reload();
  server.clear();
  await letter.shows('text', 'Dear Ben');
  assert.equal(await letter.text('to'), 'Ben');
  assert.deepEqual(await letter.restored(), [{ to: 'Ben', text: 'Dear Ben' }]);
  await letter.is('saved', 'server');
  await pass(500);
  assert.deepEqual(sent(server), []);
  await letter.write('text', ', hello');
  await until(() => row(server).data.text === 'Dear Ben, hello');
});

test('what was typed a moment before a reload is there again, and is sent', async (t) => {
  const { server, letter } = await openLetter(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
  assert.deepEqual(await letter.restored(), [{ to: '', text: 'Dear Ben' }]);
  await until(() => row(server));
  assert.deepEqual(row(server).data, { to: '', text: 'Dear Ben' });
});

test('where there is nothing, nothing is restored', async (t) => {
  const { server, letter } = await openLetter(t);
  await server.waitFor(READ);
  await pass(300);
  assert.deepEqual(await letter.restored(), []);
});

test('of what somebody else wrote in this browser nothing is restored', async (t) => {
  const { letter, context, server } = await openLetter(t);
  await letter.write('text', 'Dear diary');
  await letter.is('saved', 'server');
  await context.clearCookies();
  await context.request.post(`${server.origin}/api/auth/callback/credentials`, { form: { name: 'ben' } });
  await letter.reload();
  await letter.write('text', 'I am Ben');
  await letter.is('saved', 'server');
  assert.deepEqual(await letter.restored(), []);
  assert.deepEqual(
    [row(server, KEY, 'ada').data.text, row(server, KEY, 'ben').data.text],
    ['Dear diary', 'I am Ben'],
  );
});

test('what is typed where nobody is signed in is there again in this tab, and sent nowhere', async (t) => {
  const { server, letter } = await openLetter(t, { signedIn: null });
  await letter.write('text', 'Dear Ben');
  await letter.keeps('Dear Ben');
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

// ---------------------------------------------------------------- while it is slow

for (const react of GENERATIONS) {
  test(`React ${react}: a field that was typed in while the restore was out keeps its text, and the others are filled`, async (t) => {
    const { letter, answer } = await openRestoring(t, { react, strict: true });
    await letter.write('text', 'typed');
    await letter.keeps('typed');
    answer.release();
    await letter.shows('to', 'Ben');
    assert.equal(await letter.text('text'), 'typed');
    assert.deepEqual(await letter.restored(), [{ to: 'Ben', text: 'typed' }]);
    await letter.write('text', ' on');
    await pass(300);
    assert.equal(await letter.text('text'), 'typed on');
    await letter.keeps('typed on');
  });
}

test('a field that was emptied again while the restore was out is one that nobody typed in', async (t) => {
  const { letter, answer } = await openRestoring(t);
  await letter.write('text', 'x');
  await letter.page.keyboard.press('Backspace');
  answer.release();
  await letter.shows('text', 'from there');
  assert.deepEqual(await letter.restored(), [THERE]);
});

test('a field that is kept nowhere keeps what was typed into it', async (t) => {
  const { letter, answer } = await openRestoring(t, {
    shown: { first: { to: '', text: '', pin: '' } },
    options: { exclude: ['pin'] },
  });
  await letter.write('pin', '1234');
  answer.release();
  await letter.shows('text', 'from there');
  assert.deepEqual([await letter.text('pin'), await letter.text('to')], ['1234', 'Ben']);
});

test('where every field was typed in, nothing of them is taken away', async (t) => {
  const { letter, answer } = await openRestoring(t);
  await letter.write('to', 'Cy');
  await letter.write('text', 'typed');
  answer.release();
  await letter.is('conflict');
  await pass(300);
  assert.deepEqual([await letter.text('to'), await letter.text('text')], ['Cy', 'typed']);
});

test('data that is no object is kept as it was typed', async (t) => {
  const { letter, answer, show } = await openRestoring(t, {
    app: 'parts',
    there: ['from there'],
    shown: { data: [] },
    settled: false,
  });
  await show({ data: ['typed'] });
  answer.release();
  const { conflict } = await letter.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [['typed'], ['from there']]);
});

test('a composition that is on when the restore has its answer is not disturbed, and the rest is filled after it', async (t) => {
  const { letter, page, answer } = await openRestoring(t);
  await letter.field('text').focus();
  const composing = await compose(page, 'に', 'にほ');
  answer.release();
  await pass(500);
  assert.deepEqual([await letter.text('text'), await letter.text('to')], ['にほ', '']);
  assert.deepEqual(await letter.restored(), []);
  await composing.commit('日本');
  await letter.shows('to', 'Ben');
  await page.keyboard.type('!');
  assert.equal(await letter.text('text'), '日本!');
  assert.deepEqual(await letter.restored(), [{ to: 'Ben', text: '日本' }]);
});

test('a composition that was given up leaves its field to what was restored', async (t) => {
  const { letter, page, answer } = await openRestoring(t);
  await letter.field('text').focus();
  const composing = await compose(page, 'に');
  answer.release();
  await pass(300);
  assert.deepEqual(await letter.restored(), []);
  await composing.cancel();
  await letter.shows('text', 'from there');
  assert.equal(await letter.text('to'), 'Ben');
});

test('the newest onRestore is called, and it alone', async (t) => {
  const { page, answer, show } = await openRestoring(t);
  await show(() => {
    window.heard = [];
    return { options: { onRestore: (data) => window.heard.push(['first', data]) } };
  });
  await show(() => ({ options: { onRestore: (data) => window.heard.push(['second', data]) } }));
  answer.release();
  await until(() => run(page, () => window.heard.length));
  await pass(300);
  assert.deepEqual(await run(page, () => window.heard), [['second', THERE]]);
});

test('a component that went while the restore was out hears nothing of it', async (t) => {
  const { server, letter, answer, show } = await openRestoring(t);
  await show({ letters: [] });
  answer.release();
  await until(() => server.requestsTo(READ)[0].endedAt);
  await pass(300);
  assert.deepEqual(await letter.restored(), []);
});

test('two components with one key that come together are both filled, by one request', async (t) => {
  const letters = [{ name: 'one' }, { name: 'other' }];
  const { server, letter, answer } = await openRestoring(t, { shown: { letters } });
  answer.release();
  await letter.shows('text', 'from there', 'one');
  await letter.shows('text', 'from there', 'other');
  await letter.write('to', '!', 'other');
  await until(() => row(server).data.to === 'Ben!');
  assert.deepEqual(row(server).data, { to: 'Ben!', text: 'from there' });
  assert.equal(server.requestsTo(READ).length, 1);
});

test('one of two components that went while the restore was out hears nothing of it, and the other does', async (t) => {
  const letters = [{ name: 'one' }, { name: 'other' }];
  const { letter, answer, show } = await openRestoring(t, { shown: { letters } });
  await show({ letters: letters.slice(1) });
  answer.release();
  await letter.shows('text', 'from there', 'other');
  assert.deepEqual([await letter.restored('one'), await letter.restored('other')], [[], [THERE]]);
});

test('an onRestore that throws is an error of the app, and saving goes on', async (t) => {
  const { server, page, letter, answer, show } = await openRestoring(t);
  await show(() => ({
    options: {
      onRestore() {
        throw new URIError('of the app');
      },
    },
  }));
  answer.release();
  await until(() => page.problems.some(({ text }) => text.includes('of the app')));
  page.problems.length = 0;
  await letter.write('text', 'Dear Ben');
  await until(() => row(server).data.text === 'Dear Ben');
});

test('what is restored is not applied for an app that does not', async (t) => {
  const { letter } = await openLetter(t, { ready: put, shown: { applies: false } });
  await until(async () => (await letter.restored()).length);
  assert.equal(await letter.text('text'), '');
  await pass(300);
  assert.equal((await letter.state()).status, 'saved');
});

test('a server that fails is asked no further by the form, which can be typed in', async (t) => {
  const { letter } = await openLetter(t, { ready: (server) => void server.on(READ, 503) });
  await letter.write('text', 'Dear Ben');
  await letter.keeps('Dear Ben');
  assert.deepEqual(await letter.restored(), []);
});

// ---------------------------------------------------------------- another key

test('another key keeps what was pending under the one before, and restores its own', async (t) => {
  const { server, letter, show } = await openLetter(t, {
    drafts: SLOW,
    ready: (server) => put(server, { to: 'Cy', text: 'Dear Cy' }, 'second'),
  });
  await server.waitFor(READ);
  await letter.write('text', 'Dear Ben');
  await show({ id: 'second' });
  await letter.shows('text', 'Dear Cy');
  await until(() => row(server));
  assert.deepEqual(row(server).data, { to: '', text: 'Dear Ben' });
  assert.deepEqual(sent(server, 'second'), [], 'what is shown with it at first is no edit');
  assert.deepEqual(await letter.restored(), [{ to: 'Cy', text: 'Dear Cy' }]);
  await letter.write('text', '!');
  await letter.flush();
  assert.equal(row(server, 'second').data.text, 'Dear Cy!');
  assert.equal(row(server).data.text, 'Dear Ben');
});

test('a restore of the key before is nothing to the new one', async (t) => {
  const { server, letter, answer, show } = await openRestoring(t);
  await show({ id: 'second' });
  answer.release();
  await until(() => server.requestsTo(READ).filter(({ endedAt }) => endedAt).length === 2);
  await pass(300);
  assert.deepEqual(await letter.restored(), []);
  assert.equal(await letter.text('text'), '');
});

test('keys that change to and fro lose nothing of either', async (t) => {
  const { server, letter, show } = await openLetter(t, { drafts: { debounceMs: 20 } });
  for (const text of ['a', 'b', 'c']) {
    for (const id of ['letter', 'second']) {
      await show({ id });
      await letter.write('text', text);
      // Left before it could be restored it would be in conflict with itself.
      await letter.is('saved', 'server');
    }
  }
  await until(() => row(server)?.data.text === 'abc' && row(server, 'second')?.data.text === 'abc');
  await show({ id: 'letter' });
  assert.equal(await letter.text('text'), 'abc');
  await letter.is('saved', 'server');
  assert.equal((await letter.state()).conflict, null);
});

// ---------------------------------------------------------------- restoreDraft

test('restoreDraft() gives what is saved, and leaves the form to the app', async (t) => {
  const { server, letter } = await openLetter(t);
  await wasRead(server);
  assert.equal(await letter.restore(), null);
  put(server);
  assert.deepEqual(await letter.restore(), THERE);
  assert.deepEqual([await letter.text('text'), await letter.restored()], ['', []]);
});

test('restoreDraft() gives nothing where the form holds just that', async (t) => {
  const { letter } = await openLetter(t);
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  assert.equal(await letter.restore(), null);
});

test('what the app takes from restoreDraft() is no edit', async (t) => {
  const { server, letter, show } = await openLetter(t, { app: 'parts', shown: { data: { text: '' } } });
  await wasRead(server);
  put(server);
  await show({ data: await letter.restore() });
  await letter.is('saved', 'server');
  await pass(300);
  assert.deepEqual(sent(server), []);
  await show({ data: { text: 'and on' } });
  await until(() => row(server).data.text === 'and on');
});

test('flush() saves now, and says when', async (t) => {
  const { server, letter } = await openLetter(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await letter.flush();
  assert.equal((await letter.state()).status, 'saved');
  assert.deepEqual(sent(server), [{ to: '', text: 'Dear Ben' }]);
});

test('data of an older schema is migrated by the newest function, and shown', async (t) => {
  const { letter } = await openLetter(t, {
    ready: (server) => put(server, { words: 'of old' }),
    props: (evenkeel) => ({
      client: evenkeel.createStability({ session: { confirmAfterMs: 40 }, drafts: { debounceMs: 60 } }),
      options: { schemaVersion: 2, migrate: ({ words }, from) => ({ to: `of ${from}`, text: words }) },
    }),
  });
  await letter.shows('text', 'of old');
  assert.equal(await letter.text('to'), 'of 1');
});

test('a save that failed for the network is sent when it is back', async (t) => {
  const { server, letter, context } = await openLetter(t);
  await wasRead(server);
  await context.setOffline(true);
  await letter.write('text', 'Dear Ben');
  await letter.is('offline', 'device');
  await context.setOffline(false);
  await letter.is('saved', 'server');
  assert.deepEqual(row(server).data, { to: '', text: 'Dear Ben' });
  assert.equal(saves(server).length, 1);
  assert.equal(server.requestsTo(SAVE).length, 1);
});
