import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, pass, quiet, row, SLOW, saves, sent } from './drafts.mjs';

// ---------------------------------------------------------------- what is wrong

/** What is wrong, and what is said of it. The value is code, since not all of it is plain data. @type {Array<[name: string, value: string, allowed: RegExp]>} */
const WRONG = [
  ['endpoint', '5', /URL/],
  ['endpoint', 'true', /URL.*false/],
  ['endpoint', '"ftp://a/b"', /http/],
  ['debounceMs', '"2s"', /number/],
  ['debounceMs', '-1', /number from/],
  ['debounceMs', 'NaN', /number/],
  ['debounceMs', 'Infinity', /number/],
  ['maxWaitMs', 'null', /number/],
  ['maxWaitMs', '-1', /number from/],
  ['ttlMs', '0', /number from/],
  ['ttlMs', '"7d"', /number/],
  ['maxBytes', '0', /number from/],
  ['maxBytes', '1.5', /whole number/],
  ['maxBytes', '"1MB"', /number/],
  ['userKey', '"ada"', /function/],
];

/** @type {typeof WRONG} */
const WRONG_OF_ONE = [
  ...WRONG,
  ['schemaVersion', '"1"', /number/],
  ['schemaVersion', '1.5', /whole number/],
  ['migrate', 'true', /function/],
  ['exclude', '"password"', /array/],
  ['exclude', '[5]', /name/],
  ['excludeDefaults', '"no"', /true or false/],
  ['isEqual', '{}', /function/],
  ['debounce', '5', /not an option/],
];

/** @type {typeof WRONG} */
const WRONG_OF_ALL = [...WRONG, ['debounce', '5', /not an option/], ['schemaVersion', '1', /not an option/]];

for (const [whose, wrong, make, path] of /** @type {Array<[string, typeof WRONG, string, string]>} */ ([
  ['the configuration', WRONG_OF_ALL, 'evenkeel.createStability({ drafts: options }).dispose()', 'drafts'],
  ['one draft', WRONG_OF_ONE, 'app.draft("wrong", options)', 'options'],
])) {
  test(`a wrong option of ${whose} is said at once, with what is allowed`, async (t) => {
    const { tab } = await openDrafts(t);
    const refused = await run(
      tab.page,
      ({ wrong, make }) =>
        wrong.map(([name, value]) => {
          try {
            new Function('options', make)({ [name]: new Function(`return ${value}`)() });
            return null;
          } catch (error) {
            return error;
          }
        }),
      { wrong, make },
    );
    for (const [i, [name, value, allowed]] of wrong.entries()) {
      assert.match(`${refused[i]?.name}`, /^(Type|Range)Error$/, `${name}: ${value}`);
      assert.match(refused[i].message, RegExp(`^evenkeel: ${path}\\.${name}\\b`));
      assert.match(refused[i].message, allowed);
    }
  });
}

test('a draft that was refused for its options can be made with others', async (t) => {
  const { tab } = await openDrafts(t);
  await run(
    tab.page,
    (key) => {
      try {
        window.app.draft(key, { debounceMs: -1 });
      } catch {}
    },
    KEY,
  );
  await tab.open({});
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
});

test('a key that is none is said at once', async (t) => {
  const { tab } = await openDrafts(t);
  const errors = await run(tab.page, () =>
    [undefined, null, 5, '', {}, 'k'.repeat(257)].map((key) => {
      try {
        window.app.draft(key);
        return null;
      } catch ({ name, message }) {
        return `${name}: ${message}`;
      }
    }),
  );
  for (const error of errors) assert.match(`${error}`, /^(Type|Range)Error: evenkeel: .*key/);
});

test('options that are no object are said at once', async (t) => {
  const { tab } = await openDrafts(t);
  const names = await run(tab.page, () =>
    [5, 'x', []].map((options) => {
      try {
        window.app.draft('letter', options);
        return null;
      } catch ({ name, message }) {
        return /object/.test(message) && name;
      }
    }),
  );
  assert.deepEqual(names, ['TypeError', 'TypeError', 'TypeError']);
});

// ---------------------------------------------------------------- whose they are

test('a draft has what the configuration says, and what is said of it alone goes first', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { ...SLOW, endpoint: '/api/mine', maxBytes: 100 } });
  const asked = server.on('/api/mine', { body: { rev: 1, updatedAt: '2026-11-21T00:00:00Z' } });
  await tab.open({ debounceMs: 50 }, 'quick');
  await tab.type({ text: 'Dear Ben' }, 'slow');
  await tab.type({ text: 'Dear Ben' }, 'quick');
  await tab.is('saved', 'server', 'quick');
  assert.equal(asked.taken, 1);
  assert.equal((await tab.state('slow')).status, 'dirty');
  await tab.open({ maxBytes: 1_000, endpoint: false, debounceMs: 50 }, 'long');
  await tab.type({ text: 'x'.repeat(200) }, 'long');
  await tab.is('saved', 'device', 'long');
  await tab.type({ text: 'x'.repeat(200) }, 'slow');
  assert.equal((await tab.flush('slow')).error.kind, 'tooLarge');
  assert.equal(asked.taken, 1);
});

test('a key has one draft, whatever its options, until that is disposed of', async (t) => {
  const { tab } = await openDrafts(t);
  const same = await run(tab.page, () => {
    const { app } = window;
    const first = app.draft('a', { debounceMs: 100 });
    const same = [
      app.draft('a') === first,
      app.draft('a', { debounceMs: 5 }) === first,
      app.draft('b') === first,
    ];
    first.dispose();
    const next = app.draft('a');
    first.dispose(); // again, which is nothing to the next
    return [...same, next === first, app.draft('a') === next, next.key];
  });
  assert.deepEqual(same, [true, true, false, false, true, 'a']);
});

test('two clients with names of their own do not meet', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { endpoint: false } });
  const restored = await run(tab.page, async () => {
    const make = (name) =>
      window.evenkeel.createStability({
        name,
        drafts: { endpoint: false, userKey: () => 'ada', debounceMs: 20 },
      });
    const one = make('one');
    one.draft('letter').update({ text: 'of one' });
    await one.draft('letter').flush();
    one.dispose();
    const [again, two] = [make('one'), make('two')];
    return [await two.draft('letter').restore(), (await again.draft('letter').restore())?.data];
  });
  assert.deepEqual(restored, [null, { text: 'of one' }]);
});

// ---------------------------------------------------------------- off

test('with drafts: false a draft keeps nothing, asks nothing and throws nothing', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: false });
  const seen = await run(
    tab.page,
    async (key) => {
      const draft = window.draft(key);
      draft.update({ text: 'Dear Ben' });
      const flushed = await draft.flush();
      const restored = await draft.restore();
      const resolved = await draft.resolve('mine');
      await draft.clear();
      return [flushed.status, restored, resolved.status, draft.getSnapshot().savedTo];
    },
    KEY,
  );
  assert.deepEqual(seen, ['idle', null, 'idle', 'nowhere']);
  await pass(300);
  assert.ok(!(await tab.device()).includes('Dear Ben'));
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
  await tab.dispose();
});

test('an endpoint that is false for one draft is so for that one', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.open({ endpoint: false }, 'mine alone');
  await tab.type({ text: 'Dear diary' }, 'mine alone');
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  await tab.is('saved', 'device', 'mine alone');
  assert.deepEqual(sent(server), [{ text: 'Dear Ben' }]);
});

// ---------------------------------------------------------------- what cannot be saved

test('a text over maxBytes is saved nowhere, which is said, and a shorter one is saved again', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { maxBytes: 64 } });
  const fits = { text: 'ü'.repeat(26) }; // 11 bytes around it
  await tab.type(fits);
  await tab.is('saved', 'server');
  await tab.type({ text: `${fits.text}ü` });
  const { error, isSaving } = await tab.is('error');
  assert.deepEqual([error.name, error.kind, isSaving], ['StabilityError', 'tooLarge', false]);
  assert.ok(!(await tab.device()).includes('ü'.repeat(27)));
  assert.equal((await tab.flush()).status, 'error');
  assert.equal(saves(server).length, 1);
  await tab.type({ text: 'short' });
  assert.equal((await tab.is('saved', 'server')).error, null);
  assert.deepEqual(row(server).data, { text: 'short' });
});

test('a text of 1 MiB and no more is saved by default', async (t) => {
  const { server, tab } = await openDrafts(t, { server: { bytesMax: 3_000_000 } });
  await tab.type({ text: 'x'.repeat(2 ** 20 - 11) });
  await tab.is('saved', 'server');
  await tab.type({ text: 'x'.repeat(2 ** 20 - 10) });
  assert.equal((await tab.is('error')).error.kind, 'tooLarge');
  assert.equal(saves(server).length, 1);
});

for (const [what, make] of /** @type {Array<[string, string]>} */ ([
  ['goes round in a circle', 'const data = { text: 1 }; data.self = data; return data;'],
  ['holds a BigInt', 'return { n: 5n };'],
  ['is undefined', 'return undefined;'],
  ['is a function', 'return () => {};'],
  ['throws where it is read', 'return { get text() { throw new Error("mine") } };'],
  ['throws in toJSON', 'return { toJSON() { throw "mine" } };'],
])) {
  test(`data that ${what} is an error of the draft and of nobody else, until it is data again`, async (t) => {
    const { server, tab } = await openDrafts(t);
    await tab.type({ text: 'Dear Ben' });
    await tab.is('saved', 'server');
    await run(tab.page, ({ key, make }) => window.draft(key).update(new Function(make)()), {
      key: KEY,
      make,
    });
    const { error, isSaving } = await tab.is('error');
    assert.deepEqual([error.name, error.kind, isSaving], ['StabilityError', 'invalid', false]);
    assert.equal((await tab.flush()).status, 'error');
    assert.ok(await quiet(() => saves(server).length, 300));
    await tab.type({ text: 'Dear Bea' });
    assert.equal((await tab.is('saved', 'server')).error, null);
    assert.deepEqual(row(server).data, { text: 'Dear Bea' });
    const restored = await tab.restore();
    assert.equal(restored, null, 'it is what was given last');
  });
}

test('options that throw are an error of the app, and keep nothing from being saved', async (t) => {
  const { server, tab } = await openDrafts(t);
  await run(
    tab.page,
    (key) => {
      window.draft(key, {
        isEqual() {
          throw new URIError('in isEqual');
        },
      });
    },
    KEY,
  );
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Bea' });
  await until(() => row(server).data.text === 'Dear Bea');
  await tab.is('saved', 'server');
  assert.ok(tab.page.problems.every(({ text }) => text.includes('in isEqual')));
  tab.page.problems.length = 0;
});

// ---------------------------------------------------------------- what is left out

test('excluded fields are on no device, in no request and in no diagnostic', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.open({ exclude: ['pin', 'card.number', 'people.*.born'] });
  await tab.type({
    text: 'Dear Ben',
    password: 'SECRET-1',
    account: { PassWord: 'SECRET-2', card_number: 'SECRET-3', 'Card-Number': 'SECRET-4', name: 'Ada' },
    deep: [{ cvv: 'SECRET-5', pin: 'SECRET-6' }],
    card: { number: 'SECRET-7', holder: 'Ada' },
    people: [{ born: 'SECRET-8', name: 'Ben' }, { born: 'SECRET-9' }],
    other: { card: { number: 'kept' } },
    born: 'kept too',
  });
  await tab.is('saved', 'server');
  const device = await tab.device();
  assert.ok(device.includes('Dear Ben'));
  assert.ok(!device.includes('SECRET'));
  assert.ok(!JSON.stringify(await tab.diagnostics()).includes('SECRET'));
  for (const request of server.requests)
    assert.ok(!request.body.includes('SECRET') && !request.url.includes('SECRET'));
  assert.deepEqual(row(server).data, {
    text: 'Dear Ben',
    account: { name: 'Ada' },
    deep: [{}],
    card: { holder: 'Ada' },
    people: [{ name: 'Ben' }, {}],
    other: { card: { number: 'kept' } },
    born: 'kept too',
  });
});

test('a change of what is excluded is no change', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'Dear Ben', password: 'a' });
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Ben', password: 'ab' });
  await tab.is('saved', 'server');
  assert.ok(await quiet(() => saves(server).length, 300));
  assert.equal(saves(server).length, 1);
});

test('without the default names a field of such a name is saved, and what is excluded is still left out', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.open({ excludeDefaults: false, exclude: ['pin'] });
  await tab.type({ secret: 'of the recipe', pin: 'SECRET' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { secret: 'of the recipe' });
  assert.ok(!(await tab.device()).includes('SECRET'));
});

test('what is excluded is left out of what is written while the page is hidden, and of a conflict', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  server.drafts.put('ada', KEY, { data: { text: 'theirs' } });
  await tab.type({ text: 'Dear Ben', password: 'SECRET' });
  const written = await run(tab.page, () => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden' });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
    return JSON.stringify({ ...localStorage }); // before the database takes it over
  });
  assert.ok(written.includes('Dear Ben') && !written.includes('SECRET'));
  const { conflict } = await tab.is('conflict');
  assert.deepEqual(conflict.mine, { text: 'Dear Ben' });
  assert.ok(!(await tab.device()).includes('SECRET'));
});
