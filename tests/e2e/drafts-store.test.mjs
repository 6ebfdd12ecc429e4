// What of drafts lies on a device whose storages are full, broken or locked.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { openDrafts, pass, row, SAVE } from './drafts.mjs';
import { DATABASE, HERE, records } from './stored-drafts.mjs';

/** More than the tail holds, and less than a draft may have. */
const LONG = 'x'.repeat(700_000);

/** The quota of the page's device from now on. Chromium looks at it when a database is first used, and again when it is full. */
async function setQuota(page, origin, quotaSize) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
}

/* These run in the page, before anything else does. */

function withoutDatabase() {
  Object.defineProperty(window, 'indexedDB', { value: null });
}

function withForbiddenDatabase() {
  Object.defineProperty(window, 'indexedDB', {
    get() {
      throw new DOMException('not here', 'SecurityError');
    },
  });
}

/** Opening it never ends. */
function withStuckDatabase() {
  IDBFactory.prototype.open = () => new EventTarget();
}

function withoutLocalStorage() {
  Object.defineProperty(window, 'localStorage', {
    get() {
      throw new DOMException('not here', 'SecurityError');
    },
  });
}

function withFullLocalStorage() {
  Storage.prototype.setItem = () => {
    throw new DOMException('full', 'QuotaExceededError');
  };
}

const before =
  (...scripts) =>
  async (page) => {
    for (const script of scripts) await page.addInitScript(script);
  };

test('on a full disk the tail keeps what fits, and the next page has it', async (t) => {
  const { server, tab } = await openDrafts(t, HERE);
  await setQuota(tab.page, server.origin, 1);
  await tab.type({ text: 'short' });
  await tab.is('saved', 'device');
  assert.deepEqual(await records(tab), []);
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'short' });
});

test('a text for which there is no room is an error, not an exception, and less text is saved again', async (t) => {
  const { server, tab } = await openDrafts(t, HERE);
  await setQuota(tab.page, server.origin, 1);
  await tab.type({ text: LONG });
  const { error } = await tab.is('error');
  assert.equal(error.kind, 'tooLarge');
  assert.equal(error.cause.name, 'QuotaExceededError');

  await tab.type({ text: 'short' });
  const { error: none, lastSaved } = await tab.is('saved', 'device');
  assert.equal(none, null);
  assert.ok(lastSaved);

  await tab.type({ text: LONG });
  await tab.is('error');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'short' }, 'what was saved is there');
});

test('once the disk has room again, what it had none for is saved', async (t) => {
  const { server, tab } = await openDrafts(t, HERE);
  await setQuota(tab.page, server.origin, 1);
  await tab.type({ text: LONG });
  await tab.is('error');
  await setQuota(tab.page, server.origin);
  await until(async () => {
    await tab.type({ text: `${LONG}${Math.random()}` });
    return (await tab.flush()).status === 'saved';
  });
});

test('a full disk keeps nothing from the server', async (t) => {
  const { server, tab } = await openDrafts(t);
  await setQuota(tab.page, server.origin, 1);
  await tab.type({ text: LONG });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: LONG });
});

for (const [name, script] of Object.entries({
  'is none': withoutDatabase,
  'is forbidden': withForbiddenDatabase,
  'is stuck': withStuckDatabase,
})) {
  test(`where the database ${name}, the tail keeps the text, and forgets it at the clear`, async (t) => {
    const { tab } = await openDrafts(t, { ...HERE, beforeLoad: before(script) });
    await tab.type({ text: 'typed' });
    await tab.is('saved', 'device');
    await tab.reload();
    assert.deepEqual((await tab.restore()).data, { text: 'typed' });
    await tab.clear();
    await tab.reload();
    assert.equal(await tab.restore(), null);
    await tab.type({ text: 'more' });
    await tab.is('saved', 'device');
  });
}

for (const [name, script] of Object.entries({
  'is forbidden': withoutLocalStorage,
  'is full': withFullLocalStorage,
})) {
  test(`where localStorage ${name}, the database keeps the text, and hiding the page throws nothing`, async (t) => {
    const { tab } = await openDrafts(t, { ...HERE, beforeLoad: before(script) });
    await tab.type({ text: 'typed' });
    await tab.is('saved', 'device');
    await tab.type({ text: 'typed on' });
    await hide(tab.page);
    await tab.is('saved', 'device');
    await tab.reload();
    assert.deepEqual((await tab.restore()).data, { text: 'typed on' });
    await tab.clear();
    await tab.reload();
    assert.equal(await tab.restore(), null);
  });
}

test('with no storage at all it is an error and no exception, and typing goes on', async (t) => {
  const { tab } = await openDrafts(t, { ...HERE, beforeLoad: before(withoutDatabase, withoutLocalStorage) });
  assert.equal(await tab.restore(), null);
  for (const text of ['one', 'two']) {
    await tab.type({ text });
    const { error, savedTo } = await tab.when((state) => state.status === 'error');
    assert.deepEqual([error.kind, savedTo], ['runtime', 'nowhere']);
    await hide(tab.page);
    await show(tab.page);
  }
  assert.equal((await tab.flush()).status, 'error');
  await tab.clear();
  await tab.is('idle');
  await tab.dispose();
});

test('with no storage at all the server keeps it', async (t) => {
  const { server, tab } = await openDrafts(t, {
    beforeLoad: before(withForbiddenDatabase, withoutLocalStorage),
  });
  await tab.type({ text: 'typed' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'typed' });
  await tab.reload();
  const { data, source } = await tab.restore();
  assert.deepEqual([data, source], [{ text: 'typed' }, 'server']);
});

test('with no storage at all, and no server, it is an error, and saved once the server is back', async (t) => {
  const { server, tab } = await openDrafts(t, { beforeLoad: before(withoutDatabase, withoutLocalStorage) });
  const down = server.on(SAVE, 503);
  await tab.type({ text: 'typed' });
  await tab.when(({ status, savedTo }) => /error|offline/.test(status) && savedTo === 'nowhere');
  down.off();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'typed' });
});

test('a database that the browser closes under the page is opened again', async (t) => {
  const { server, tab } = await openDrafts(t, HERE);
  await tab.type({ text: 'one' });
  await tab.is('saved', 'device');
  const devtools = await tab.page.context().newCDPSession(tab.page);
  await devtools.send('Storage.clearDataForOrigin', { origin: server.origin, storageTypes: 'indexeddb' });
  await tab.type({ text: 'two' });
  await tab.keeps('two');
  await tab.is('saved', 'device');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'two' });
});

test('a database that another tab deletes is made again', async (t) => {
  const { tab, add } = await openDrafts(t, HERE);
  await tab.type({ text: 'one' });
  await tab.is('saved', 'device');
  const other = await add();
  const deleted = await run(
    other.page,
    (database) =>
      new Promise((resolve) => {
        const request = indexedDB.deleteDatabase(database);
        request.onsuccess = () => resolve(true);
        request.onblocked = () => resolve(false);
      }),
    DATABASE,
  );
  assert.equal(deleted, true, 'nobody stands in its way');
  await tab.type({ text: 'two' });
  await tab.keeps('two');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'two' });
});

test('a database that another tab locks holds nothing up, and is used once it is free', async (t) => {
  const { tab, add } = await openDrafts(t, HERE);
  const other = await add();
  await run(
    other.page,
    (database) =>
      new Promise((resolve) => {
        indexedDB.open(database, 1).onsuccess = ({ target }) => {
          window.held = target.result;
          indexedDB.deleteDatabase(database).onblocked = resolve;
        };
      }),
    DATABASE,
  );
  await tab.type({ text: 'one' });
  await tab.is('saved', 'device');
  await tab.type({ text: 'two' });
  await tab.is('saved', 'device');
  await run(other.page, () => window.held.close());
  await until(async () => {
    await tab.type({ text: `three ${Math.random()}` });
    await tab.flush();
    return (await records(tab)).some(({ text }) => text.includes('three'));
  });
  await tab.reload();
  assert.match((await tab.restore()).data.text, /^three/);
});

test('the tail goes once the database has the text', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { endpoint: false, debounceMs: 60_000, maxWaitMs: 60_000 } });
  const tails = (type) =>
    run(
      tab.page,
      (type) => {
        if (type) window.dispatchEvent(new PageTransitionEvent(type, { persisted: true }));
        return Object.keys(localStorage).filter((name) => name.includes(':draft:')).length;
      },
      type,
    );
  await tab.type({ text: 'typed' });
  assert.equal(await tails('pagehide'), 1);
  await tails('pageshow');
  await tab.flush();
  await until(async () => (await tails()) === 0);
  assert.equal((await records(tab)).length, 1);
});

test('a text of a megabyte is kept here and there, and comes back', async (t) => {
  const { server, tab } = await openDrafts(t);
  const text = '☃'.repeat(330_000);
  await tab.type({ text });
  await tab.is('saved', 'server');
  assert.equal(row(server).data.text.length, text.length);
  await tab.type({ text: `${text}!` });
  await hide(tab.page);
  await tab.is('saved', 'server');
  await tab.reload();
  assert.equal((await tab.restore()).data.text, `${text}!`);
});

test('a page that uses no drafts opens no database', async (t) => {
  const { server, tab } = await openDrafts(t);
  await pass(2_500);
  assert.deepEqual(await run(tab.page, () => indexedDB.databases()), []);
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});
