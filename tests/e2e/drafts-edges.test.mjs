import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, PATIENCE_MS, quiet, row, SAVE, SLOW, saves, sent } from './drafts.mjs';
import { leap } from './sessions.mjs';

// ---------------------------------------------------------------- whoever calls from where

test('a listener may type, flush, clear and dispose', async (t) => {
  const { server, tab } = await openDrafts(t);
  await run(
    tab.page,
    async (key) => {
      const draft = window.draft(key);
      let typed = 0;
      draft.subscribe(() => {
        const { status } = draft.getSnapshot();
        if (status === 'saved' && ++typed < 4) {
          draft.update({ text: `answer ${typed}` });
          draft.flush();
        }
      });
      draft.update({ text: 'question' });
    },
    KEY,
  );
  await until(() => row(server)?.data.text === 'answer 3');
  await tab.is('saved', 'server');
  await run(tab.page, () => {
    const cleared = window.draft('cleared');
    cleared.subscribe(() => cleared.getSnapshot().status === 'saved' && cleared.clear());
    cleared.update({ text: 'mine' });
    const disposed = window.app.draft('disposed');
    disposed.subscribe(() => disposed.getSnapshot().status === 'saving' && disposed.dispose());
    disposed.update({ text: 'mine' });
  });
  await tab.is('idle', undefined, 'cleared');
  await until(() => row(server, 'cleared')?.data === null && row(server, 'disposed'));
});

test('a listener may dispose of the client', async (t) => {
  const { tab } = await openDrafts(t);
  await run(
    tab.page,
    (key) => {
      const draft = window.draft(key);
      draft.subscribe(() => draft.getSnapshot().status === 'saving' && window.app.dispose());
      draft.update({ text: 'Dear Ben' });
    },
    KEY,
  );
  await tab.keeps('Dear Ben');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
});

test('a client that is made anew in the same page has what the one before was given a moment ago', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const restored = await run(
    tab.page,
    async (key) => {
      const make = () => window.evenkeel.createStability({ drafts: { userKey: () => 'ada' } });
      window.app.dispose();
      const first = make();
      first.draft(key).update({ text: 'Dear Ben' });
      first.dispose();
      const second = make();
      const restored = await second.draft(key).restore();
      await second.draft(key).flush();
      second.dispose();
      return restored;
    },
    KEY,
  );
  assert.deepEqual([restored?.data, restored?.source], [{ text: 'Dear Ben' }, 'device']);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('a choice that is none is said at once', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts.put('ada', KEY, { data: { text: 'theirs' } });
  await tab.type({ text: 'mine' });
  await tab.is('conflict');
  const names = await run(
    tab.page,
    (key) =>
      Promise.all(
        [undefined, null, 'ours', {}, 5].map((choice) =>
          Promise.resolve()
            .then(() => window.draft(key).resolve(choice))
            .then(
              () => 'done',
              ({ name }) => name,
            ),
        ),
      ),
    KEY,
  );
  assert.deepEqual(names, Array(5).fill('TypeError'));
  assert.equal((await tab.state()).status, 'conflict');
  assert.deepEqual(row(server).data, { text: 'theirs' });
});

// ---------------------------------------------------------------- numbers that are hard to believe

for (const wait of ['99999999', '2592000', 'Fri, 31 Dec 2060 23:59:59 GMT']) {
  test(`a server that asks to wait '${wait}' is not asked again at once`, async (t) => {
    const { server, tab } = await openDrafts(t);
    server.on(SAVE, { status: 503, retryAfter: wait });
    await tab.type({ text: 'Dear Ben' });
    const { error } = await tab.is('offline');
    assert.ok(error.retryAfterMs > 2_000_000_000, `${error.retryAfterMs}`);
    await tab.type({ text: 'Dear Bea' });
    await tab.keeps('Dear Bea');
    assert.ok(await quiet(() => saves(server).length, 1_500));
    assert.equal(saves(server).length, 1);
  });
}

test('a revision as large as a number can be is taken as it is', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.on(SAVE, { body: { rev: Number.MAX_SAFE_INTEGER, updatedAt: '2026-11-21T00:00:00Z' } });
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await tab.type({ text: 'ab' });
  await until(() => saves(server).length === 2);
  assert.equal(saves(server)[1].headers['if-match'], `"${Number.MAX_SAFE_INTEGER}"`);
});

test('a clock that is set back keeps nothing from being saved, and the newest text the newest', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await leap(tab.page, -3_600_000);
  await tab.type({ text: 'ab' });
  await until(() => row(server).data.text === 'ab');
  await tab.is('saved', 'server');
  await context.setOffline(true);
  await tab.type({ text: 'abc' });
  await tab.is('offline', 'device');
  await context.setOffline(false);
  await tab.is('saved', 'server');
  server.on(SAVE, 500);
  await tab.type({ text: 'abcd' });
  await tab.is('offline', 'device');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'abcd' });
});

test('a device that slept for hours saves what was typed before, without a conflict', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 1_500, maxWaitMs: 5_000 } });
  await tab.type({ text: 'Dear Ben' });
  await leap(tab.page, 5 * 3_600_000);
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Bea' });
  await until(() => row(server).data.text === 'Dear Bea');
  await tab.is('saved', 'server');
  assert.ok(!(await tab.statuses()).includes('conflict'));
  assert.deepEqual(sent(server), [{ text: 'Dear Ben' }, { text: 'Dear Bea' }]);
});

// ---------------------------------------------------------------- the rest of the client

test('an answer to a save that bears a new version makes the page check', async (t) => {
  const { server, tab } = await openDrafts(t, {
    version: { onMismatch: 'prompt', pollMs: false },
  });
  server.version = 'v2';
  await tab.type({ text: 'Dear Ben' });
  await until(() => run(tab.page, () => window.app.version.getSnapshot().status === 'updateAvailable'));
  await tab.is('saved', 'server');
});

test('saves that fail degrade the connection, and one that does not mends it', async (t) => {
  const { server, tab } = await openDrafts(t);
  const connection = (/** @type {string} */ status) =>
    until(
      () => run(tab.page, (status) => window.app.connection.getSnapshot().status === status, status),
      PATIENCE_MS,
    );
  await run(tab.page, () => void window.app.connection.subscribe(() => {}));
  await server.refuse();
  await tab.type({ text: 'Dear Ben' });
  await connection('degraded');
  await server.accept();
  await connection('online');
  await tab.is('saved', 'server');
});

test('headers of the app that cannot be had are waited for, and nothing is lost', async (t) => {
  const { server, tab } = await openDrafts(t);
  const seen = await run(
    tab.page,
    async (key) => {
      let fails = true;
      window.app.dispose();
      const app = window.evenkeel.createStability({
        drafts: { userKey: () => 'ada' },
        api: { headers: () => (fails ? Promise.reject(new URIError('no token')) : { 'X-Tenant': 'a' }) },
      });
      const draft = app.draft(key);
      draft.update({ text: 'Dear Ben' });
      const { status, savedTo } = await draft.flush();
      fails = false;
      draft.update({ text: 'Dear Bea' });
      const later = await draft.flush();
      app.dispose();
      return [status, savedTo, later.status];
    },
    KEY,
  );
  assert.ok(['offline', 'error'].includes(seen[0]), seen[0]);
  assert.deepEqual(seen.slice(1), ['device', 'saved']);
  assert.deepEqual(row(server).data, { text: 'Dear Bea' });
  tab.page.problems.length = 0; // the app's own error may be said
});

test('five hundred saves leave the heap flat', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { ...SLOW, endpoint: false } });
  const devtools = await tab.page.context().newCDPSession(tab.page);
  const saveOften = (/** @type {number} */ count) =>
    run(
      tab.page,
      async ({ key, count }) => {
        const draft = window.app.draft(key);
        for (let i = 0; i < count; i++) {
          draft.update({ text: `${count} ${i} ${'x'.repeat(10_000)}` });
          const { status } = await draft.flush();
          if (status !== 'saved') throw new Error(status);
        }
      },
      { key: KEY, count },
    );
  const heap = async () => {
    for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
    return (await devtools.send('Runtime.getHeapUsage')).usedSize;
  };
  await saveOften(50);
  const before = await heap();
  await saveOften(500);
  const grown = (await heap()) - before;
  assert.ok(grown < 300_000, `${grown} bytes`);
});

test('a key of up to 256 characters is one, whatever it says', async (t) => {
  const { server, tab } = await openDrafts(t);
  for (const key of [' ', '__proto__', 'constructor', '["u:ben","letter"]', 'k'.repeat(256)]) {
    await tab.type({ text: `of ${key.slice(0, 9)}` }, key);
    await tab.is('saved', 'server', key);
    assert.deepEqual(row(server, key).data, { text: `of ${key.slice(0, 9)}` });
  }
});
