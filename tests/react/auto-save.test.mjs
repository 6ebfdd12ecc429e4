import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DRAFTS, KEY, pass, quiet, READ, row, SAVE, SLOW, saves, sent } from '../e2e/drafts.mjs';
import { held } from '../e2e/held.mjs';
import { run, until } from '../harness/browser.mjs';
import { openLetter } from './letters.mjs';
import { GENERATIONS } from './pages.mjs';

const DEAR_BEN = { to: '', text: 'Dear Ben' };

test('what a form holds at first is no edit: nothing is saved, and the server is asked once', async (t) => {
  const { server, letter } = await openLetter(t, { shown: { first: { to: 'Ben', text: 'Dear Ben' } } });
  await server.waitFor(READ);
  await pass(800);
  assert.equal((await letter.state()).status, 'idle');
  assert.deepEqual(
    server.requestsTo(DRAFTS).map(({ method }) => method),
    ['GET'],
  );
  assert.ok(!(await letter.device()).includes('Dear Ben'));
});

test('what is typed is on the device, then at the server, and each status is shown', async (t) => {
  const { server, letter } = await openLetter(t);
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  const heardAt = Date.now();
  assert.deepEqual(row(server).data, DEAR_BEN);
  assert.ok((await letter.device()).includes('Dear Ben'));
  const shown = await letter.statuses();
  assert.deepEqual([shown[0], shown.at(-1)], ['idle', 'saved']);
  assert.ok(shown.includes('dirty') && shown.includes('saving'), shown.join());
  const { lastSaved, error, conflict, isSaving } = await letter.state();
  const savedAt = Date.parse(lastSaved);
  assert.ok(savedAt >= row(server).savedAt && savedAt <= heardAt, 'when its answer came');
  assert.deepEqual([error, conflict, isSaving], [null, null, false]);
});

test('what is typed at once is one save', async (t) => {
  const { server, letter } = await openLetter(t, { drafts: { debounceMs: 400, maxWaitMs: 5_000 } });
  await letter.press('text', [...'Dear Ben']);
  await letter.is('saved', 'server');
  assert.deepEqual(sent(server), [DEAR_BEN]);
});

test('new data of the same contents in each render is no edit', async (t) => {
  const { server, letter, show } = await openLetter(t);
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  const before = await letter.renders();
  for (let i = 0; i < 20; i++) await show({ again: i });
  assert.ok((await letter.renders()) >= before + 20);
  const after = await letter.renders();
  await pass(500);
  assert.equal((await letter.state()).status, 'saved');
  assert.equal(await letter.renders(), after, 'no render causes another');
  assert.deepEqual([saves(server).length, server.requestsTo(READ).length], [1, 1]);
});

test('a text that was typed and taken back is nothing that the server has to hear of', async (t) => {
  const { server, letter } = await openLetter(t, { drafts: { debounceMs: 500, maxWaitMs: 5_000 } });
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  server.clear();
  await letter.press('text', ['!', 'Backspace']);
  await letter.is('saved', 'server');
  await pass(700);
  assert.deepEqual(saves(server), []);
});

test('data that is nested, and lists in it, are compared by what they say', async (t) => {
  const { server, page, letter, show } = await openLetter(t, { app: 'parts' });
  const meal = { name: 'Soup', needs: [{ what: 'leek', grams: 200 }], on: { day: 1 } };
  await show({ data: structuredClone(meal) });
  await pass(300);
  assert.deepEqual(saves(server), []);
  meal.needs[0].grams = 300;
  await show({ data: structuredClone(meal) });
  await until(() => row(server)?.data.needs[0].grams === 300);
  await letter.is('saved', 'server');
  await show({ data: { on: { day: 1 }, needs: [{ grams: 300, what: 'leek' }], name: 'Soup' } });
  await pass(300);
  assert.equal(saves(server).length, 1);
  assert.deepEqual(page.problems, []);
});

test('objects of classes that are made anew in each render are compared by what is saved of them', async (t) => {
  const { server, letter, show, page } = await openLetter(t, { app: 'parts' });
  await show(() => {
    class Money {
      constructor(cents) {
        this.cents = cents;
      }
    }
    window.price = (cents) => ({
      make: () => ({ price: new Money(cents), on: new Date(0), tags: new Set(['a']) }),
    });
    return window.price(5);
  });
  await pass(300);
  assert.deepEqual([(await letter.state()).status, saves(server)], ['idle', []]);
  await show(() => window.price(7));
  await until(() => row(server)?.data.price.cents === 7);
  await letter.is('saved', 'server');
  await pass(500);
  assert.deepEqual([(await letter.state()).status, saves(server).length], ['saved', 1]);
  assert.deepEqual(page.problems, []);
});

test('new options and new functions in each render do nothing', async (t) => {
  const { server, letter, show } = await openLetter(t);
  await letter.write('text', 'Dear');
  await letter.is('saved', 'server');
  for (let i = 0; i < 5; i++)
    await show(() => ({
      options: { exclude: ['pin'], isEqual: (a, b) => JSON.stringify(a) === JSON.stringify(b) },
    }));
  await letter.write('text', ' Ben');
  await until(() => row(server)?.data.text === 'Dear Ben');
  await letter.is('saved', 'server');
  assert.equal(server.requestsTo(READ).length, 1);
});

test('the methods are the same ones as long as the key is', async (t) => {
  const { page, letter, show } = await openLetter(t);
  await page.evaluate(() => {
    const { clearDraft, restoreDraft, flush, resolve } = window.letters.letter.draft;
    window.methods = [clearDraft, restoreDraft, flush, resolve];
  });
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await show({ options: { enabled: false } });
  const same = await run(page, () => {
    const { clearDraft, restoreDraft, flush, resolve } = window.letters.letter.draft;
    return [clearDraft, restoreDraft, flush, resolve].map((method, i) => method === window.methods[i]);
  });
  assert.deepEqual(same, [true, true, true, true]);
});

// ---------------------------------------------------------------- renders

test('a component renders again only for what it looks at', async (t) => {
  const letters = [
    { name: 'all' },
    { name: 'status', id: 'two', reads: ['status'] },
    { name: 'place', id: 'three', reads: ['savedTo'] },
    { name: 'none', id: 'four', reads: [] },
  ];
  const { page, letter } = await openLetter(t, { shown: { letters }, settled: false });
  for (const { name } of letters) {
    await letter.field('text', name).fill('Dear Ben');
    await until(async () => (await page.evaluate(saved, name)) === 'saved');
  }
  await pass(300);
  // What the hook was asked for in a test would count as well.
  const of = async (name) => [await letter.renders(name), await letter.statuses(name)];
  const [[all], [status, statuses], [place, places], [none]] = [
    await of('all'),
    await of('status'),
    await of('place'),
    await of('none'),
  ];
  assert.equal(status, statuses.length + 1, `one for each of ${statuses}, one for the text`);
  assert.equal(place, places.length + 1, places.join());
  assert.equal(none, 2, 'the first, and one for the text');
  assert.ok(all > place, `${all} renders`);

  function saved(name) {
    const ids = { all: 'letter', status: 'two', place: 'three', none: 'four' };
    return window.app.draft(ids[name]).getSnapshot().status;
  }
});

test('a field that is read later is right at once, and counts from then on', async (t) => {
  const { page, server, letter } = await openLetter(t, { shown: { reads: [] } });
  await letter.write('text', 'Dear Ben');
  await until(() => row(server));
  await until(() => run(page, () => window.app.draft('letter').getSnapshot().status === 'saved'));
  assert.equal(await run(page, () => window.letters.letter.draft.status), 'saved');
  const before = await letter.renders();
  await letter.write('text', '!');
  await until(() => row(server).data.text === 'Dear Ben!');
  await until(async () => (await letter.renders()) > before + 1);
});

// ---------------------------------------------------------------- leaving

test('what is typed when the form goes is saved', async (t) => {
  const { server, letter, show } = await openLetter(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await show({ letters: [] });
  await until(() => row(server));
  assert.deepEqual(row(server).data, DEAR_BEN);
});

test('a form that is shown again finds what was typed in the one before', async (t) => {
  const { server, letter, show } = await openLetter(t, { drafts: SLOW });
  server.on(SAVE, 503);
  await letter.write('text', 'Dear Ben');
  await show({ letters: [] });
  await letter.keeps('Dear Ben');
  await show({ letters: [{}] });
  await letter.shows('text', 'Dear Ben');
});

test('a form that takes the place of another with its key has what was typed there', async (t) => {
  for (const drafts of [SLOW, {}]) {
    const { letter, show, server } = await openLetter(t, {
      drafts,
      shown: { letters: [{ name: 'letter' }] },
    });
    await letter.write('text', 'Dear Ben');
    await show({ letters: [{ name: 'another' }] });
    await letter.shows('text', 'Dear Ben', 'another');
    await letter.write('text', '!', 'another');
    await letter.flush('another');
    assert.deepEqual(row(server).data, { to: '', text: 'Dear Ben!' });
  }
});

test('a form that comes beside another with its key has what was typed there', async (t) => {
  const one = { name: 'letter' };
  const { letter, show, server } = await openLetter(t, { shown: { letters: [one] } });
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await show({ letters: [one, { name: 'another' }] });
  await letter.shows('text', 'Dear Ben', 'another');
  await letter.write('to', 'Ben', 'another');
  await until(() => row(server).data.to === 'Ben');
  assert.deepEqual(row(server).data, { to: 'Ben', text: 'Dear Ben' });
});

test('a form in an Activity that is hidden for a while keeps what was typed, and goes on', async (t) => {
  const { server, letter, show, page } = await openLetter(t, { drafts: SLOW, shown: { mode: 'visible' } });
  await letter.write('text', 'Dear Ben');
  await show({ mode: 'hidden' });
  await until(() => row(server));
  assert.deepEqual(row(server).data, DEAR_BEN);
  await show({ mode: 'visible' });
  await letter.is('saved', 'server');
  await letter.write('text', '!');
  await letter.flush();
  assert.equal(row(server).data.text, 'Dear Ben!');
  assert.equal((await letter.state()).conflict, null);
  assert.deepEqual(page.problems, []);
});

test('an app that goes while a letter is being typed loses nothing', async (t) => {
  const { letter, unmount, page } = await openLetter(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await unmount();
  await pass(300);
  await page.reload();
  await letter.returned();
  await letter.shows('text', 'Dear Ben');
});

for (const react of GENERATIONS) {
  test(`StrictMode of React ${react} has one draft and one read, and loses nothing`, async (t) => {
    const { server, page, letter } = await openLetter(t, { react, strict: true });
    await server.waitFor(READ);
    await letter.write('text', 'Dear Ben');
    await letter.is('saved', 'server');
    await pass(300);
    assert.deepEqual(
      server.requestsTo(DRAFTS).map(({ method }) => method),
      ['GET', ...saves(server).map(() => 'POST')],
    );
    assert.deepEqual(row(server).data, DEAR_BEN);
    await letter.reload();
    await letter.shows('text', 'Dear Ben');
    assert.deepEqual(await letter.restored(), [DEAR_BEN]);
    const { counters } = await letter.diagnostics();
    assert.equal(counters.draftRestores, 1);
    assert.deepEqual(page.problems, []);
  });
}

test("StrictMode's second mount opens no second draft, and a form that is mounted later neither", async (t) => {
  const { page, letter, show } = await openLetter(t, {
    strict: true,
    props: (evenkeel) => {
      const client = evenkeel.createStability({
        session: { confirmAfterMs: 40 },
        drafts: { debounceMs: 60 },
      });
      window.opened = [];
      return {
        client: {
          ...client,
          draft(key, options) {
            window.opened.push(key);
            return client.draft(key, options);
          },
        },
      };
    },
  });
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await show({ letters: [{}, { name: 'second', id: 'second' }] });
  await letter.write('text', 'Dear Cy', 'second');
  await letter.is('saved', 'server', 'second');
  assert.deepEqual(await run(page, () => window.opened), ['letter', 'second']);
});

// ---------------------------------------------------------------- several

test('two components with one key share a draft, which ends with the last of them', async (t) => {
  const one = { name: 'one' };
  const other = { name: 'other' };
  const { server, page, letter, show } = await openLetter(t, {
    drafts: SLOW,
    shown: { letters: [one, other] },
  });
  await server.waitFor(READ);
  await letter.write('text', 'Dear Ben', 'one');
  await letter.when(({ status }) => status === 'dirty', 'other');
  await letter.flush('other');
  await letter.is('saved', 'server', 'one');
  await letter.is('saved', 'server', 'other');
  assert.deepEqual(sent(server), [DEAR_BEN]);
  await show({ letters: [other] });
  await letter.write('text', 'Dear Cy', 'other');
  await letter.is('dirty', undefined, 'other');
  assert.equal(saves(server).length, 1, 'it is still open');
  await show({ letters: [] });
  await until(() => row(server).data.text === 'Dear Cy');
  assert.deepEqual(page.problems, []);
});

test('two components with keys of their own do not meet', async (t) => {
  const letters = [{ name: 'one' }, { name: 'other', id: 'another' }];
  const { server, letter } = await openLetter(t, { shown: { letters } });
  await letter.write('text', 'Dear Ben', 'one');
  await letter.is('saved', 'server', 'one');
  assert.equal((await letter.state('other')).status, 'idle');
  assert.equal(row(server, 'another'), undefined);
});

// ---------------------------------------------------------------- enabled

test('a letter that is not enabled is read nowhere and saved nowhere', async (t) => {
  const { server, letter } = await openLetter(t, { options: { enabled: false } });
  server.drafts.put('ada', KEY, { data: { to: 'Ben', text: 'from there' } });
  await letter.write('text', 'Dear Ben');
  await pass(500);
  const { status, savedTo } = await letter.state();
  assert.deepEqual([status, savedTo], ['idle', 'nowhere']);
  assert.equal(await letter.restore(), null);
  await letter.flush();
  await letter.clear();
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  assert.ok(!(await letter.device()).includes('Dear Ben'));
  assert.equal(row(server).data.text, 'from there');
});

test('a letter that is enabled later is restored then, and saved from then on', async (t) => {
  const { server, letter, show } = await openLetter(t, {
    options: { enabled: false },
    ready: (server) => void server.drafts.put('ada', KEY, { data: { to: 'Ben', text: 'from there' } }),
  });
  await show({ options: { enabled: true } });
  await letter.shows('text', 'from there');
  await letter.write('text', ', and here');
  await until(() => row(server).data.text === 'from there, and here');
  await letter.is('saved', 'server');
});

test('a letter that is not enabled any more keeps what was typed until then', async (t) => {
  const { server, letter, show } = await openLetter(t, { drafts: SLOW });
  await letter.write('text', 'Dear Ben');
  await show({ options: { enabled: false } });
  await until(() => row(server));
  assert.deepEqual(row(server).data, DEAR_BEN);
  await letter.write('text', ', more');
  await pass(300);
  assert.equal((await letter.state()).status, 'idle');
  assert.deepEqual(sent(server), [DEAR_BEN]);
});

// ---------------------------------------------------------------- what is left out

test('passwords and what is excluded are in no store, in no request and in nothing that comes back', async (t) => {
  const first = { to: '', text: '', password: '', pin: '' };
  const { server, letter, page } = await openLetter(t, {
    options: { exclude: ['pin'] },
    shown: { first },
    production: true, // a development build says that passwords are left out
  });
  await letter.field('password').fill('SECRET-1');
  await letter.field('pin').fill('SECRET-2');
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
  assert.deepEqual(await letter.restored(), [{ ...first, text: 'Dear Ben' }]);
  assert.deepEqual(row(server).data, DEAR_BEN);
  assert.ok(!(await letter.device()).includes('SECRET'));
  assert.ok(!JSON.stringify(await letter.diagnostics()).includes('SECRET'));
  for (const { url, body } of server.requests) assert.ok(!`${url}${body}`.includes('SECRET'));
  assert.deepEqual(page.problems, []);
});

// ---------------------------------------------------------------- what goes wrong

test('a text that is too long for the server is an error to show, until it is shorter', async (t) => {
  const { server, letter } = await openLetter(t);
  const full = server.on(SAVE, 413);
  await letter.write('text', 'Dear Ben');
  const { error, isSaving } = await letter.is('error');
  assert.deepEqual([error.name, error.status, isSaving], ['StabilityError', 413, false]);
  assert.ok(await quiet(() => saves(server).length, 400));
  full.off();
  await letter.page.keyboard.press('Backspace');
  assert.equal((await letter.is('saved', 'server')).error, null);
  assert.equal(row(server).data.text, 'Dear Be');
});

test('data that is no JSON is an error to show, and not one of the page', async (t) => {
  const { page, letter, show } = await openLetter(t, { app: 'parts' });
  await show({ data: { name: 'Soup' } });
  await show(() => {
    const round = { name: 'Soup' };
    round.self = round;
    return { data: round };
  });
  assert.equal((await letter.is('error')).error.kind, 'invalid');
  await show({ data: { name: 'Stew' } });
  assert.equal((await letter.is('saved', 'server')).error, null);
  assert.deepEqual(page.problems, []);
});

test('with every store of the device blocked, the server has it', async (t) => {
  const { server, letter } = await openLetter(t, { beforeLoad: blockStores });
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'server');
  assert.deepEqual(row(server).data, DEAR_BEN);
});

test('with the server gone too, it is an error to show, and typing goes on', async (t) => {
  const { server, letter } = await openLetter(t, { beforeLoad: blockStores });
  server.on(DRAFTS, 'cut');
  await letter.write('text', 'Dear Ben');
  const { savedTo } = await letter.is('error');
  assert.equal(savedTo, 'nowhere');
  await letter.write('text', ', hello');
  assert.equal(await letter.text('text'), 'Dear Ben, hello');
});

/** @param {import('playwright-core').Page} page */
const blockStores = (page) =>
  page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException('blocked', 'SecurityError');
    };
    for (const name of ['indexedDB', 'localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, { get: refuse });
  });

test('a key that is none is an error of the render', async (t) => {
  const { page } = await openLetter(t, { shown: { id: '' }, settled: false });
  await until(() => page.problems.some(({ text }) => /evenkeel: .*key/.test(text)));
  await page.close(); // which says nothing more
  page.problems.length = 0;
});

test('a server without the endpoint means this device, which is no error', async (t) => {
  const { letter } = await openLetter(t, { ready: (server) => void server.on(DRAFTS, { status: 404 }) });
  await letter.write('text', 'Dear Ben');
  await letter.is('saved', 'device');
  await letter.reload();
  await letter.shows('text', 'Dear Ben');
});

test('with drafts off a form works, and nothing is kept', async (t) => {
  const { server, letter } = await openLetter(t, { config: { drafts: false } });
  await letter.write('text', 'Dear Ben');
  await pass(300);
  assert.equal((await letter.state()).status, 'idle');
  assert.equal(await letter.text('text'), 'Dear Ben');
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a save that is under way when the form goes is not repeated', async (t) => {
  const { server, letter, show } = await openLetter(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await letter.write('text', 'D');
  await server.waitFor(SAVE);
  await show({ letters: [] });
  save.release();
  await until(() => row(server));
  await pass(500);
  assert.deepEqual(sent(server), [{ to: '', text: 'D' }]);
});
