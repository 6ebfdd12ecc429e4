import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { DRAFTS, KEY, openDrafts, pass, row, SAVE, SLOW, saves, sent } from './drafts.mjs';
import { held } from './held.mjs';

test('flush() saves what waits, at once, and settles with the state once the server has it', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'Dear Ben' });
  const state = await tab.flush();
  assert.deepEqual([state.status, state.savedTo, state.error], ['saved', 'server', null]);
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
  assert.deepEqual(await tab.state(), state);
});

test('flush() without an endpoint settles once the device has it', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { ...SLOW, endpoint: false } });
  await tab.type({ text: 'Dear Ben' });
  const { status, savedTo } = await tab.flush();
  assert.deepEqual([status, savedTo], ['saved', 'device']);
  assert.ok((await tab.device()).includes('Dear Ben'));
});

test('flush() of a draft with nothing to save settles at once and asks for nothing', async (t) => {
  const { server, tab } = await openDrafts(t);
  assert.equal((await tab.flush()).status, 'idle');
  await tab.type({ text: 'Dear Ben' });
  await tab.flush();
  assert.equal((await tab.flush()).status, 'saved');
  assert.equal(server.requestsTo(DRAFTS).length, 1);
});

test('several that flush share one save', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const states = await run(
    tab.page,
    (key) => {
      const draft = window.draft(key);
      draft.update({ text: 'Dear Ben' });
      return Promise.all([draft.flush(), draft.flush(), draft.flush()]);
    },
    KEY,
  );
  for (const { status, savedTo } of states) assert.deepEqual([status, savedTo], ['saved', 'server']);
  assert.equal(saves(server).length, 1);
});

test('flush() during a save waits for it, and for what was typed since', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'a' });
  const first = tab.flush();
  await server.waitFor(SAVE);
  await tab.type({ text: 'ab' });
  const second = tab.flush();
  await pass(200);
  save.release();
  assert.deepEqual([(await second).status, (await second).savedTo], ['saved', 'server']);
  await first;
  assert.deepEqual(sent(server), [{ text: 'a' }, { text: 'ab' }]);
  assert.equal(save.most, 1);
});

test('flush() that began before the person typed on settles, though they never pause', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const save = held('pass');
  server.on(SAVE, save.step);
  const words = () => run(tab.page, () => window.words);
  const typedOn = async () => {
    const before = await words();
    await until(async () => (await words()) > before + 3);
  };
  await run(
    tab.page,
    (key) => {
      const draft = window.draft(key);
      window.words = 0;
      setInterval(() => draft.update({ text: `word ${++window.words}` }), 30);
    },
    KEY,
  );
  await typedOn();
  const flushed = tab.flush();
  await server.waitFor(SAVE);
  await typedOn();
  save.release();
  const startedAt = Date.now();
  await flushed;
  assert.ok(Date.now() - startedAt < 30_000, 'long before the minute after which nobody waits any more');
  assert.ok(row(server));
  await typedOn();
});

test('flush() without a network settles as offline, with the text on the device', async (t) => {
  const { context, tab } = await openDrafts(t, { drafts: SLOW });
  await context.setOffline(true);
  await tab.type({ text: 'Dear Ben' });
  const { status, savedTo, error } = await tab.flush();
  assert.deepEqual([status, savedTo, error.kind], ['offline', 'device', 'offline']);
  assert.ok((await tab.device()).includes('Dear Ben'));
  await context.setOffline(false);
  await tab.is('saved', 'server');
});

test('flush() ends a wait that nobody asked for', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const fault = server.on(SAVE, 500);
  await tab.type({ text: 'Dear Ben' });
  for (let failed = 1; failed <= 6; failed++) {
    assert.equal((await tab.flush()).status, 'offline');
    assert.ok(saves(server).length >= failed, `${failed}: ${saves(server).length}`);
  }
  fault.off();
  await tab.when(({ status }) => status !== 'saving'); // what it tries by itself may still meet the fault
  assert.equal((await tab.flush()).status, 'saved', 'without the half minute that so many failures make');
});

test('flush() to a server that hangs settles within its time', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW, config: { api: { timeoutMs: 600 } } });
  server.on(SAVE, 'hang');
  await tab.type({ text: 'Dear Ben' });
  const startedAt = Date.now();
  const { status, error } = await tab.flush();
  assert.deepEqual([status, error.kind], ['offline', 'timeout']);
  assert.ok(Date.now() - startedAt < 20_000);
});

test('flush() of a refused text settles with the error, of a conflict with the conflict, of a frozen draft with that', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  server.on((request) => request.method === 'POST' && request.queryValue('key') === 'refused', 422);
  await tab.type({ text: 'Dear Ben' }, 'refused');
  assert.equal((await tab.flush('refused')).status, 'error');
  assert.equal((await tab.flush('refused')).status, 'error');
  server.drafts.put('ada', 'conflict', { data: { text: 'theirs' } });
  await tab.type({ text: 'mine' }, 'conflict');
  const { status, conflict } = await tab.flush('conflict');
  assert.deepEqual([status, conflict.theirs], ['conflict', { text: 'theirs' }]);
  assert.equal((await tab.flush('conflict')).status, 'conflict');
  server.on('/api/auth/session', 500);
  server.on((request) => request.method === 'POST' && request.queryValue('key') === 'frozen', 401);
  await tab.type({ text: 'mine' }, 'frozen');
  assert.equal((await tab.flush('frozen')).status, 'frozen');
  assert.ok((await tab.device()).includes('mine'));
});

test('flush() before the module runs is answered once it does', async (t) => {
  const { server, tab } = await openDrafts(t, {
    drafts: SLOW,
    config: { startTimeoutMs: 60_000 },
    beforeLoad: (page) => page.route('**/*.wasm', (route) => pass(700).then(() => route.continue())),
    made: () => ({ userKey: () => 'ada' }),
    settled: false,
  });
  await tab.type({ text: 'Dear Ben' });
  const { status, savedTo } = await tab.flush();
  assert.deepEqual([status, savedTo], ['saved', 'server']);
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('flush() in the first moments of a page waits for the answer that says who is there', async (t) => {
  const session = held('pass');
  const { server, tab } = await openDrafts(t, {
    drafts: SLOW,
    settled: false,
    ready(server) {
      server.on('/api/auth/session', session.step);
      server.on('/release', () => {
        session.release();
        return 204;
      });
    },
  });
  const flushed = await run(
    tab.page,
    async (key) => {
      await window.app.ready;
      const draft = window.draft(key);
      draft.update({ text: 'Dear Ben' });
      const flushed = draft.flush();
      await fetch('/release');
      return flushed;
    },
    KEY,
  );
  assert.deepEqual([flushed.status, flushed.savedTo], ['saved', 'server']);
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('flush() while nobody knows yet who is signed in says no more than is so, and it is saved as theirs then', async (t) => {
  const session = held('pass');
  const { server, tab } = await openDrafts(t, {
    drafts: SLOW,
    session: { verifyTimeoutMs: 60_000 },
    settled: false,
    ready: (server) => void server.on('/api/auth/session', session.step),
  });
  await tab.type({ text: 'Dear Ben' });
  const { status, savedTo } = await tab.flush();
  assert.equal(row(server), undefined);
  assert.notEqual(status, 'saved');
  assert.equal(savedTo, 'device');
  assert.ok((await tab.device()).includes('Dear Ben'));
  session.release();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});
