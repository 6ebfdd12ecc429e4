import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { withCounts } from './counts.mjs';
import {
  DRAFTS,
  KEY,
  openDrafts,
  PATIENCE_MS,
  pass,
  quiet,
  READ,
  row,
  SAVE,
  SLOW,
  saves,
  sent,
} from './drafts.mjs';
import { held } from './held.mjs';

/** A client that does nothing but drafts. */
const ALONE = {
  session: /** @type {const} */ (false),
  config: { tabs: false },
  made: () => ({ userKey: () => 'ada' }),
};

// ---------------------------------------------------------------- one draft

test('what was typed is saved though its draft was disposed of at once', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await run(
    tab.page,
    (key) => {
      const draft = window.app.draft(key);
      draft.update({ text: 'Dear Ben' });
      draft.dispose();
    },
    KEY,
  );
  await until(() => row(server));
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
  assert.equal(saves(server).length, 1);
});

test('what was typed during a save is saved though its draft was disposed of', async (t) => {
  const { server, tab } = await openDrafts(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'a' });
  await server.waitFor(SAVE);
  await tab.type({ text: 'ab' });
  await tab.dispose();
  save.release();
  await until(() => row(server)?.data.text === 'ab');
  assert.deepEqual(sent(server), [{ text: 'a' }, { text: 'ab' }]);
});

test('an update after dispose() is nothing but a diagnostic', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 20 } });
  const [before, afterwards, settled, diagnosed] = await run(
    tab.page,
    async (key) => {
      const draft = window.app.draft(key);
      let told = 0;
      draft.subscribe(() => told++);
      draft.dispose();
      draft.dispose();
      const before = [draft.getSnapshot().status, told];
      const events = [];
      window.app.on((event) => events.push(event));
      draft.update({ text: 'Dear Ben' });
      const settled = [await draft.flush(), await draft.restore(), await draft.resolve('mine')];
      return [
        before,
        [draft.getSnapshot().status, told],
        [settled[0].status, settled[1], settled[2].status],
        events,
      ];
    },
    KEY,
  );
  assert.deepEqual(afterwards, before);
  assert.deepEqual(settled, ['idle', null, 'idle']);
  assert.ok(diagnosed.length >= 1 && !JSON.stringify(diagnosed).includes('Ben'));
  await pass(300);
  assert.ok(!(await tab.device()).includes('Dear Ben'));
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a draft that was disposed of can still be cleared, as by a form that is left once it was submitted', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  await run(
    tab.page,
    async (key) => {
      const draft = window.draft(key);
      draft.dispose();
      delete window.drafts[key];
      await draft.clear();
    },
    KEY,
  );
  // For which clear() waits only for a while.
  await until(() => row(server).data === null, PATIENCE_MS);
  await until(async () => !(await tab.device()).includes('Dear Ben'));
  assert.equal(await tab.restore(), null);
});

test('the next draft of a key has what the one before it was given, also while that is being saved', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'Dear Ben' });
  await tab.dispose();
  await server.waitFor(SAVE);
  const restored = await Promise.race([tab.restore(), pass(20_000, 'too late', { ref: false })]);
  save.release();
  assert.deepEqual(restored?.data ?? restored, { text: 'Dear Ben' });
  await tab.type({ text: 'Dear Bea' });
  await tab.flush();
  await until(() => row(server)?.data.text === 'Dear Bea');
  await tab.is('saved', 'server');
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('a component that is mounted, unmounted and mounted again saves its text, and meets no conflict', async (t) => {
  const { server, tab } = await openDrafts(t);
  const [first, second] = await run(
    tab.page,
    (key) => {
      // As React's StrictMode does with effects.
      const first = window.app.draft(key);
      const stop = first.subscribe(() => {});
      first.update({ text: 'Dear Ben' });
      stop();
      first.dispose();
      const second = window.draft(key);
      second.update({ text: 'Dear Ben' });
      return [first.getSnapshot().status, second.getSnapshot().status];
    },
    KEY,
  );
  assert.ok(first && second);
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Ben,' });
  await until(() => row(server)?.data.text === 'Dear Ben,');
  await tab.is('saved', 'server');
  assert.ok(saves(server).length <= 3, `${saves(server).length} requests`);
  assert.ok(!(await tab.statuses()).includes('conflict'));
  assert.deepEqual(tab.said, []);
});

test('a draft that is opened and disposed of a thousand times leaves nothing running', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'Dear Ben' });
  await tab.flush();
  await tab.dispose();
  server.clear();
  const status = await run(
    tab.page,
    async (key) => {
      for (let i = 0; i < 1_000; i++) {
        const draft = window.app.draft(key);
        draft.subscribe(() => {});
        draft.dispose();
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve));
      }
      const draft = window.draft(key);
      await draft.restore();
      return draft.getSnapshot().status;
    },
    KEY,
  );
  assert.equal(status, 'saved');
  assert.ok(server.requestsTo(DRAFTS).length <= 2, `${server.requestsTo(DRAFTS).length} requests`);
});

// ---------------------------------------------------------------- the client

test('dispose() of the client keeps what was typed a moment before, and sends nothing after', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await run(
    tab.page,
    (key) => {
      window.app.draft(key).update({ text: 'Dear Ben' });
      window.app.dispose();
      window.app.dispose();
    },
    KEY,
  );
  assert.ok((await tab.device()).includes('Dear Ben'));
  assert.ok(await quiet(() => server.requests.length, 600));
  const down = server.on(SAVE, 503); // or the page may have sent it before it is restored
  await tab.reload();
  const restored = await tab.restore();
  assert.deepEqual([restored.data, restored.source], [{ text: 'Dear Ben' }, 'device']);
  down.off();
  await tab.is('saved', 'server');
});

test('after dispose() of the client its drafts do nothing, and neither do those made later', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 20 } });
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  server.clear();
  const seen = await run(
    tab.page,
    async (key) => {
      const { app } = window;
      const draft = window.draft(key);
      app.dispose();
      const before = draft.getSnapshot();
      draft.update({ text: 'afterwards' });
      const later = app.draft('later');
      later.update({ text: 'afterwards' });
      const flushed = [await draft.flush(), await later.flush()];
      const restored = [await draft.restore(), await later.restore()];
      await Promise.all([draft.clear(), later.clear(), draft.resolve('mine')]);
      return [
        draft.getSnapshot() === before,
        flushed.map(({ status }) => status),
        restored,
        window.drafts[key].states.length,
      ];
    },
    KEY,
  );
  assert.deepEqual(seen.slice(0, 3), [true, ['saved', 'idle'], [null, null]]);
  await pass(300);
  assert.ok(!(await tab.device()).includes('afterwards'));
  assert.deepEqual(server.requestsTo('/api/*'), []);
});

test('what waits for an answer settles when the client is disposed of', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  server.on(DRAFTS, 'hang');
  await run(
    tab.page,
    (key) => {
      const draft = window.app.draft(key);
      const restored = draft.restore();
      draft.update({ text: 'Dear Ben' });
      const other = window.app.draft('other');
      other.update({ text: 'sent' });
      window.waiting = Promise.all([restored, draft.flush(), other.clear(), other.resolve('mine')]);
    },
    KEY,
  );
  await server.waitFor(DRAFTS);
  const settled = await run(tab.page, () => {
    window.app.dispose();
    return Promise.race([
      window.waiting.then(() => 'settled'),
      new Promise((resolve) => setTimeout(resolve, 3_000, 'still waiting')),
    ]);
  });
  assert.equal(settled, 'settled');
  // What was cleared goes on its way, as from a page that is left.
  await until(() => server.requestsTo(READ).every(({ closedEarlyAt }) => closedEarlyAt));
});

test('no timer, no listener, no channel and no request of drafts is left', async (t) => {
  const { server, tab } = await openDrafts(t, {
    ...ALONE,
    drafts: SLOW,
    beforeLoad: withCounts,
  });
  server.on(SAVE, 'hang');
  const [before, during, afterwards] = await run(tab.page, async () => {
    const before = window.alive();
    const app = window.evenkeel.createStability({ name: 'another', drafts: { userKey: () => 'ada' } });
    await app.ready;
    const [a, b, c] = ['a', 'b', 'c'].map((key) => app.draft(key));
    a.update({ text: 'waits' });
    b.update({ text: 'is sent' });
    b.flush();
    c.restore();
    c.subscribe(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const during = window.alive();
    app.dispose();
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [before, during, window.alive()];
  });
  assert.ok(during.listeners > before.listeners && during.timers > before.timers, JSON.stringify(during));
  assert.deepEqual(afterwards, before);
  await until(() =>
    server.requestsTo(DRAFTS).every(({ endedAt, closedEarlyAt }) => endedAt ?? closedEarlyAt),
  );
});

test('however many drafts wait, one timer does', async (t) => {
  const { tab } = await openDrafts(t, { drafts: SLOW, beforeLoad: withCounts });
  await tab.type({ text: 'one' }, 'draft 0');
  await pass(300);
  const { timers } = await run(tab.page, () => window.alive());
  for (let i = 1; i <= 20; i++) await tab.type({ text: 'one' }, `draft ${i}`);
  // Those of the drafts would wait longer than this.
  await until(async () => (await run(tab.page, () => window.alive())).timers <= timers + 1);
});

test('a hundred drafts that are typed at once are all saved, each once', async (t) => {
  const { server, tab } = await openDrafts(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await run(tab.page, () => {
    for (let i = 0; i < 100; i++) window.draft(`draft ${i}`).update({ text: `draft ${i}` });
  });
  await server.waitFor(SAVE);
  await pass(600);
  save.release();
  await until(() => server.drafts.rows().length === 100, PATIENCE_MS);
  for (let i = 0; i < 100; i++) assert.deepEqual(row(server, `draft ${i}`).data, { text: `draft ${i}` });
  assert.equal(saves(server).length, 100);
});
