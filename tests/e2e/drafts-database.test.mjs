// What browsers do to a database: js/draft-store.ts alone, in real pages.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launchBrowser, run, until, watch } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';

const DATABASE = 'evenkeel:1:app';
const NOW = 1_700_000_000_000;
const WEEK = 7 * 24 * 3_600_000;

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('../../js/draft-store.ts', import.meta.url))],
  write: false,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
});
const browser = await launchBrowser({ after });
const server = await startFaultServer();
after(() => server.close());
const JAVASCRIPT = { 'Content-Type': 'text/javascript; charset=utf-8' };
server.page('/draft-store.js', outputFiles[0].text, JAVASCRIPT);
server.page('/', '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">');

/** A page of a person who was never here, and further ones of the same person. @param {import('node:test').TestContext} t */
async function openDevice(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const openPage = async () => {
    const page = watch(await context.newPage());
    t.after(() => assert.deepEqual(page.problems, []));
    await page.goto(server.origin);
    await run(page, async () => {
      const { createDraftStore } = await import('/draft-store.js');
      window.create = createDraftStore;
      window.store = createDraftStore('app');
      // What a call says, or how it fails.
      window.ask = (name, ...args) =>
        window.store[name](...args).then(
          (value) => ({ value }),
          (error) => ({ error: error.name, is: error instanceof DOMException || error instanceof Error }),
        );
    });
    return page;
  };
  return { context, openPage, page: await openPage() };
}

/** Calls the page's store. */
const ask = (page, ...call) => run(page, (call) => window.ask(...call), call);
const list = async (page, key = 'note', owner = 'u:ada') => (await ask(page, 'list', owner, key)).value;
const writers = async (page, ...where) =>
  (await list(page, ...where)).map(({ writer }) => writer || 'tombstone');

/** Writes into the database past the store. */
const write = (page, entries) =>
  run(
    page,
    ([database, entries]) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open(database);
        request.onsuccess = () => {
          const transaction = request.result.transaction('drafts', 'readwrite');
          for (const [key, value] of entries) transaction.objectStore('drafts').put(value, key);
          transaction.oncomplete = resolve;
          transaction.onabort = () => reject(transaction.error);
          request.result.close();
        };
      }),
    [DATABASE, entries],
  );

/** The keys of all that is stored. */
const keys = (page) =>
  run(
    page,
    (database) =>
      new Promise((resolve) => {
        indexedDB.open(database).onsuccess = ({ target: { result: db } }) => {
          db.transaction('drafts').objectStore('drafts').getAllKeys().onsuccess = ({ target }) =>
            resolve(target.result.map((key) => JSON.stringify(key)));
          db.close();
        };
      }),
    DATABASE,
  );

function record(given = {}) {
  const { writer = 'w1' } = given;
  return {
    v: 1,
    owner: 'u:ada',
    key: 'note',
    writer,
    stamp: NOW,
    since: 0,
    text: '{"text":"a"}',
    schema: 1,
    base: null,
    dirty: true,
    saveId: `${writer}.1`,
    lineage: { [writer]: 1 },
    at: NOW,
    expires: NOW + WEEK,
    endpoint: 'https://app.example.com/api/drafts',
    ...given,
  };
}

function tombstone(given = {}) {
  const { v, owner, key, at, expires, endpoint } = record();
  return {
    v,
    owner,
    key,
    writer: '',
    stamp: NOW + 10,
    tomb: true,
    unheard: true,
    at,
    expires,
    endpoint,
    ...given,
  };
}

test('what was put is there for the next page, and a newer one takes its place', async (t) => {
  const { page, openPage } = await openDevice(t);
  assert.deepEqual(await ask(page, 'put', record()), { value: 0 });
  const newer = record({ stamp: NOW + 1, text: '{"text":"ab"}', base: 7, dirty: false });
  assert.deepEqual(await ask(page, 'put', newer), { value: 0 });
  await ask(page, 'put', record({ writer: 'w2' }));
  const next = await openPage();
  assert.deepEqual(await list(next), [newer, record({ writer: 'w2' })]);
  await ask(next, 'remove', [newer]);
  assert.deepEqual(await writers(page), ['w2']);
});

test('each owner and each key finds its own, whatever they are called', async (t) => {
  const { page } = await openDevice(t);
  const odd = [' ', 'a', 'ab', 'a\u0000', 'a,b', '[', '☃', '\uffff', '__proto__'];
  for (const name of odd) await ask(page, 'put', record({ owner: `u:${name}`, key: name }));
  for (const owner of odd) {
    for (const key of odd) {
      const found = await list(page, key, `u:${owner}`);
      assert.deepEqual(found, owner === key ? [record({ owner: `u:${owner}`, key })] : []);
    }
  }
});

test('without a key, what the server may not have heard of is found', async (t) => {
  const { page } = await openDevice(t);
  const left = [record({ key: 'a' }), record({ key: 'a', writer: 'w2' }), tombstone({ key: 'b' })];
  const known = [
    record({ key: 'c', dirty: false }),
    tombstone({ key: 'd', unheard: false }),
    record({ key: 'e', endpoint: null }),
  ];
  for (const one of [...left, ...known, record({ owner: 'u:bob' })])
    await ask(page, one.tomb ? 'bury' : 'put', one);
  assert.deepEqual((await ask(page, 'list', 'u:ada')).value, left);
});

test('whoever puts a text hears of the clear that it missed', async (t) => {
  const { page } = await openDevice(t);
  await ask(page, 'bury', tombstone());
  assert.deepEqual(await ask(page, 'put', record()), { value: NOW + 10 });
  assert.deepEqual(await ask(page, 'put', record({ key: 'other' })), { value: 0 });
  assert.deepEqual(await ask(page, 'put', record({ at: NOW + WEEK })), { value: 0 }, 'it has expired');
});

test('a clear removes what was made before it, and no earlier clear takes its place', async (t) => {
  const { page } = await openDevice(t);
  const after_ = record({ writer: 'w3', since: NOW + 10 });
  const others = [record({ key: 'notes' }), record({ owner: 'u:bob' })];
  for (const one of [record(), record({ writer: 'w2', stamp: NOW + 99 }), after_, ...others])
    await ask(page, 'put', one);
  await ask(page, 'bury', tombstone());
  assert.deepEqual(await list(page), [tombstone(), after_]);
  await ask(page, 'bury', tombstone({ stamp: NOW + 5 }));
  assert.deepEqual(await list(page), [tombstone(), after_]);
  await ask(page, 'bury', tombstone({ stamp: NOW + 11 }));
  assert.deepEqual(await list(page), [tombstone({ stamp: NOW + 11 })]);
  assert.deepEqual(await list(page, 'notes'), [others[0]]);
  assert.deepEqual(await list(page, 'note', 'u:bob'), [others[1]]);
});

test('a clear that the server heard of is noted, unless another one came after it', async (t) => {
  const { page } = await openDevice(t);
  await ask(page, 'bury', tombstone());
  const heard = tombstone({ unheard: false, rev: 7 });
  await ask(page, 'bury', heard);
  assert.deepEqual(await list(page), [heard]);
  const next = tombstone({ stamp: NOW + 11 });
  await ask(page, 'bury', next);
  await ask(page, 'bury', heard);
  assert.deepEqual(await list(page), [next]);
});

test('what another tab wrote meanwhile is not removed', async (t) => {
  const { page, openPage } = await openDevice(t);
  const other = await openPage();
  await ask(other, 'put', record());
  const found = await list(page);
  await ask(other, 'put', record({ stamp: NOW + 1 }));
  await ask(page, 'remove', [...found, record({ writer: 'w9' })]);
  assert.deepEqual(await writers(page), ['w1']);
  await ask(page, 'remove', await list(page));
  assert.deepEqual(await writers(page), []);
});

test('after the sign-out nothing is left of what the server has', async (t) => {
  const { page } = await openDevice(t);
  await ask(page, 'bury', tombstone());
  for (const one of [
    record({ dirty: false }),
    record({ writer: 'w2', since: NOW + 10 }),
    record({ key: 'b', dirty: false }),
    record({ owner: 'u:bob', dirty: false }),
    record({ owner: 'u:ada2', dirty: false }),
  ])
    await ask(page, 'put', one);
  await ask(page, 'forgetClean', 'u:ada');
  assert.deepEqual(await keys(page), [
    '["u:ada","note",""]',
    '["u:ada","note","w2"]',
    '["u:ada2","note","w1"]',
    '["u:bob","note","w1"]',
  ]);
});

test('what has expired and what is no record is swept, once for each page', async (t) => {
  const { page, openPage } = await openDevice(t);
  await ask(page, 'bury', tombstone({ key: 'old', expires: NOW }));
  await ask(page, 'put', record());
  await ask(page, 'put', record({ writer: 'w2', expires: NOW }));
  await write(page, [
    ['text', 'garbage'],
    [7, { v: 1 }],
    [['u:ada', 'note', 'w3'], null],
    [['u:ada', 'note', 'w4'], { ...record(), text: ['{}'] }],
    [['u:ada', 'note', 'w5'], { v: 2, expires: NOW + 1 }],
  ]);
  await ask(page, 'sweep', NOW);
  const kept = ['["u:ada","note","w1"]', '["u:ada","note","w5"]'];
  assert.deepEqual(await keys(page), kept);
  await ask(page, 'put', record({ writer: 'w6', expires: NOW }));
  await ask(page, 'sweep', NOW);
  assert.deepEqual(await keys(page), [...kept, '["u:ada","note","w6"]']);
  await ask(await openPage(), 'sweep', NOW);
  assert.deepEqual(await keys(page), kept);
});

test('garbage among the records is not read, and stands in nobody’s way', async (t) => {
  const { page } = await openDevice(t);
  await ask(page, 'put', record());
  const place = (writer) => ['u:ada', 'note', writer];
  await write(page, [
    [place(''), { tomb: true, stamp: 9e15, expires: 9e15 }],
    [place('w2'), 'garbage'],
    [place('w3'), record({ writer: 'w3', owner: 'u:bob' })],
    [place('w4'), record({ writer: 'w1' })],
    [place('w5'), JSON.parse(`{"__proto__":${JSON.stringify(record())}}`)],
    [place('w6'), { ...record({ writer: 'w6' }), v: 2 }],
    [place(['deep']), record()],
    [['u:ada', 'note'], record()],
  ]);
  await run(
    page,
    ([database, key, value]) =>
      new Promise((resolve) => {
        indexedDB.open(database).onsuccess = ({ target: { result: db } }) => {
          value.lineage = new Map([['w1', 1]]);
          value.self = value;
          db.transaction('drafts', 'readwrite').objectStore('drafts').put(value, key).onsuccess = resolve;
          db.close();
        };
      }),
    [DATABASE, place('w7'), record({ writer: 'w7' })],
  );
  const read = await writers(page);
  assert.deepEqual(
    read.filter((writer) => writer !== 'w7'),
    ['w1'],
  );
  assert.deepEqual(await list(page, 'note', 'u:bob'), []);
  assert.deepEqual(await ask(page, 'put', record({ stamp: NOW + 1 })), { value: 0 });
  await ask(page, 'bury', tombstone());
  assert.equal((await list(page))[0].stamp, NOW + 10, 'a tombstone takes the place of garbage');
});

test('a text of 1 MB is kept', async (t) => {
  const { page } = await openDevice(t);
  const length = await run(
    page,
    async (given) => {
      await window.store.put({ ...given, text: JSON.stringify('☃a'.repeat(512 * 1024)) });
      const [found] = await window.store.list(given.owner, given.key);
      return found.text.length;
    },
    record(),
  );
  assert.equal(length, 1024 * 1024 + 2);
});

test('a database that another tab deletes is let go, and made again', async (t) => {
  const { page, openPage } = await openDevice(t);
  await ask(page, 'put', record());
  const deleted = await run(
    await openPage(),
    (database) =>
      new Promise((resolve) => {
        const request = indexedDB.deleteDatabase(database);
        request.onsuccess = () => resolve('deleted');
        request.onblocked = () => resolve('blocked');
      }),
    DATABASE,
  );
  assert.equal(deleted, 'deleted');
  assert.deepEqual(await list(page), []);
  assert.deepEqual(await ask(page, 'put', record()), { value: 0 });
  assert.deepEqual(await writers(page), ['w1']);
});

test('a database that the browser closes is opened again', async (t) => {
  const { page, context } = await openDevice(t);
  await ask(page, 'put', record());
  const devtools = await context.newCDPSession(page);
  await run(page, () => {
    window.opens = 0;
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (...args) {
      window.opens++;
      return open.apply(this, args);
    };
  });
  await devtools.send('Storage.clearDataForOrigin', { origin: server.origin, storageTypes: 'indexeddb' });
  assert.deepEqual(await ask(page, 'put', record({ stamp: NOW + 1 })), { value: 0 });
  assert.deepEqual(await list(page), [record({ stamp: NOW + 1 })]);
  assert.equal(await run(page, () => window.opens), 1);
});

test('a put that the closing cuts off is made again', async (t) => {
  const { page, context } = await openDevice(t);
  const devtools = await context.newCDPSession(page);
  for (let round = 0; round < 5; round++) {
    await ask(page, 'list', 'u:ada', 'note');
    const puts = run(
      page,
      (given) => Promise.all(Array.from({ length: 50 }, () => window.ask('put', given))),
      record({ text: JSON.stringify('x'.repeat(100_000)) }),
    );
    await devtools.send('Storage.clearDataForOrigin', { origin: server.origin, storageTypes: 'indexeddb' });
    for (const put of await puts) assert.deepEqual(put, { value: 0 });
  }
});

test('a connection that was closed without a word is opened again', async (t) => {
  const { page } = await openDevice(t);
  await run(page, () => {
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      IDBDatabase.prototype.transaction = transaction;
      this.close();
      return transaction.apply(this, args);
    };
  });
  assert.deepEqual(await ask(page, 'put', record()), { value: 0 });
  assert.deepEqual(await writers(page), ['w1']);
});

test('a database of a newer version, and one that was made by nobody here, reject', async (t) => {
  const { page } = await openDevice(t);
  const make = (database, version) =>
    run(
      page,
      ([database, version]) =>
        new Promise((resolve) => {
          indexedDB.open(database, version).onsuccess = ({ target: { result: db } }) => {
            db.close();
            resolve();
          };
        }),
      [database, version],
    );
  await make(DATABASE, 2);
  assert.deepEqual(await ask(page, 'put', record()), { error: 'VersionError', is: true });
  assert.deepEqual(await ask(page, 'list', 'u:ada'), { error: 'VersionError', is: true });
  await run(page, () => (window.store = window.create('strange')));
  await make('evenkeel:1:strange', 1);
  assert.deepEqual(await ask(page, 'put', record()), { error: 'NotFoundError', is: true });
});

test('an open that another tab blocks is given up after 2 s, and works once it is over', async (t) => {
  const { page, openPage } = await openDevice(t);
  const other = await openPage();
  // It holds the database and closes it for nobody, while that shall be deleted: whoever opens it waits behind.
  await run(
    other,
    (database) =>
      new Promise((resolve) => {
        indexedDB.open(database, 1).onsuccess = ({ target }) => {
          window.held = target.result;
          indexedDB.deleteDatabase(database).onblocked = resolve;
        };
      }),
    DATABASE,
  );
  const [took, first] = await run(
    page,
    async (given) => {
      const began = performance.now();
      const answer = await window.ask('put', given);
      return [performance.now() - began, answer];
    },
    record(),
  );
  assert.deepEqual(first, { error: 'TimeoutError', is: true });
  assert.ok(took > 1_900 && took < 20_000, `${took} ms`);
  const second = await run(
    page,
    (given) => {
      // A page that stands still is late for both.
      const late = new Promise((resolve) => setTimeout(resolve, 1_000, 'somebody waits twice'));
      return Promise.race([window.ask('put', given), late]);
    },
    record(),
  );
  assert.deepEqual(second, { error: 'TimeoutError', is: true });

  await run(other, () => window.held.close());
  await until(async () => (await ask(page, 'put', record())).value === 0, 60_000);
  assert.deepEqual(await writers(page), ['w1']);
});

test('a full device rejects with what the browser says, and keeps what it had', async (t) => {
  const { page, context } = await openDevice(t);
  const devtools = await context.newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.origin, quotaSize: 500_000 });
  await ask(page, 'put', record());
  const big = record({ stamp: NOW + 1, text: JSON.stringify('x'.repeat(1_000_000)) });
  assert.deepEqual(await ask(page, 'put', big), { error: 'QuotaExceededError', is: true });
  assert.deepEqual(await list(page), [record()]);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin: server.origin });
  assert.deepEqual(await ask(page, 'put', big), { value: 0 });
});

test('what cannot be cloned rejects, and the store goes on', async (t) => {
  const { page } = await openDevice(t);
  const answer = await run(page, (given) => window.ask('put', { ...given, extra: () => {} }), record());
  assert.deepEqual(answer, { error: 'DataCloneError', is: true });
  assert.deepEqual(await ask(page, 'put', record()), { value: 0 });
});

test('a closed store lets what is under way end, and rejects what comes after', async (t) => {
  const { page, openPage } = await openDevice(t);
  await ask(page, 'list', 'u:ada');
  const [under, later] = await run(
    page,
    async (given) => {
      const put = window.ask('put', given);
      await 0;
      window.store.close();
      return [await put, await window.ask('list', given.owner)];
    },
    record(),
  );
  assert.deepEqual(under, { value: 0 });
  assert.deepEqual(later, { error: 'InvalidStateError', is: true });
  assert.deepEqual(await writers(await openPage()), ['w1']);
});
