import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  CLEAR,
  condition,
  DRAFTS,
  isGone,
  KEY,
  leaveDirty,
  openDrafts,
  PATIENCE_MS,
  pass,
  row,
  SAVE,
  SLOW,
  saves,
  sent,
  signIn,
} from './drafts.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

/** @param {FaultServer} server */
const clears = (server) => server.requestsTo(CLEAR);

/** Clears it, and gives how long that took the page. @param {DraftTab} tab @returns {Promise<number>} */
const timedClear = (tab) =>
  run(tab.page, async () => {
    const began = Date.now();
    await window.draft('letter').clear();
    return Date.now() - began;
  });

/** The server has heard of it, be it at a later turn of the page. @param {FaultServer} server */
const isHeard = (server) => until(() => row(server)?.data === null, PATIENCE_MS);

/** What a clear shows. @param {any} state */
const shows = ({ status, error, conflict }) => [status, error, conflict];
const IDLE = ['idle', null, null];

test('clear() takes away what was saved, here and at the server, and asks for no revision', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  await tab.clear();
  assert.deepEqual(shows(await tab.state()), IDLE);
  assert.equal(clears(server).length, 1);
  const [{ headers }] = clears(server);
  assert.deepEqual(
    [headers['if-match'], headers['if-none-match'], headers['x-expected-user']],
    [undefined, undefined, 'ada'],
  );
  await isGone(server, tab, 'submitted');
});

test('a timer that ran when it was cleared saves nothing', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 300 } });
  await run(tab.page, () => {
    const draft = window.draft('letter');
    draft.update({ text: 'submitted' });
    return draft.clear();
  });
  await pass(800);
  assert.deepEqual(sent(server), []);
  await isGone(server, tab, 'submitted');
});

for (const [when, step] of /** @type {Array<[string, any]>} */ ([
  ['is answered late', { pass: true, delayMs: 800 }],
  ['arrives late', () => new Promise((go) => setTimeout(go, 800, 'pass'))],
  ['is never answered', { pass: true, stallAfterBytes: 3 }],
])) {
  for (const saved of [false, true]) {
    test(`a save under way that ${when} brings nothing back${saved ? ' of what was saved before' : ''}`, async (t) => {
      const { server, tab } = await openDrafts(t);
      if (saved) {
        await tab.type({ text: 'submitted, nearly' });
        await tab.is('saved', 'server');
        server.clear();
      }
      server.on(SAVE, step);
      await tab.type({ text: 'submitted' });
      await server.waitFor(SAVE);
      await tab.clear();
      await isHeard(server);
      await pass(1_200);
      assert.deepEqual(shows(await tab.state()), IDLE);
      await isGone(server, tab, 'submitted');
    });
  }
}

test('cleared with no network, it is cleared here at once, and at the server as soon as it can hear of it', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  await context.setOffline(true);
  assert.ok((await timedClear(tab)) < 5_000);
  assert.deepEqual(shows(await tab.state()), IDLE);
  assert.equal(await tab.restore(), null);
  assert.notEqual(row(server)?.data, null);
  await context.setOffline(false);
  await isHeard(server);
  await isGone(server, tab, 'submitted');
});

test('cleared while the server is down, it is heard of later, by this page', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  const down = server.on(DRAFTS, 503);
  assert.ok((await timedClear(tab)) < 5_000);
  assert.equal((await tab.state()).status, 'idle');
  assert.equal(await tab.restore(), null);
  down.off();
  await isHeard(server);
  await isGone(server, tab, 'submitted');
});

test('cleared while the server is down, it is heard of later, by a page that never opens it', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  const down = server.on(DRAFTS, 503);
  await tab.clear();
  await tab.reload();
  down.off();
  server.clear();
  await isHeard(server);
  await pass(500);
  assert.equal(clears(server).length, 1, 'it is told once');
  // The page has noted it: else the next one would have to tell it again.
  await until(async () => !(await tab.device()).includes('"unheard":true'));
  await tab.reload();
  server.clear();
  await pass(2_500);
  assert.deepEqual(server.requestsTo(DRAFTS), [], 'and by no later page');
  await isGone(server, tab, 'submitted');
});

test('cleared while the server is down, and restored by the next page before the server has heard of it: nothing comes back', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  const down = server.on(CLEAR, 503);
  await tab.clear();
  await tab.reload();
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.state()).conflict, null);
  down.off();
  await isHeard(server);
  await isGone(server, tab, 'submitted');
});

test('a page that is left at the very moment of its clear brings nothing back', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  await Promise.all([
    tab.page.waitForEvent('load'),
    tab.page.evaluate(() => {
      window.draft('letter').clear();
      location.reload();
    }),
  ]);
  await tab.returned();
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.state()).conflict, null);
  await isHeard(server);
  await isGone(server, tab, 'submitted');
});

test('a page that is left at the very moment of its clear brings nothing back that was not saved either', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveDirty(server, tab, { text: 'submitted' });
  server.on(SAVE, 503);
  await tab.restore();
  await Promise.all([
    tab.page.waitForEvent('load'),
    tab.page.evaluate(() => {
      const draft = window.draft('letter');
      draft.update({ text: 'submitted, with all' });
      draft.clear();
      location.reload();
    }),
  ]);
  await tab.returned();
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.state()).conflict, null);
  await isGone(server, tab, 'submitted');
});

test('update() with the same data after it, as a form renders once more, saves nothing', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted', to: 'Ben' });
  await tab.is('saved', 'server');
  await tab.clear();
  server.clear();
  await tab.type({ to: 'Ben', text: 'submitted' });
  await pass(700);
  assert.deepEqual(sent(server), []);
  assert.equal((await tab.flush()).conflict, null);
  await isGone(server, tab, 'submitted');
});

test('update() with the same data after a clear before anything was saved, saves nothing either', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await run(tab.page, async () => {
    const draft = window.draft('letter');
    draft.update({ text: 'submitted' });
    await draft.clear();
    draft.update({ text: 'submitted' });
    await draft.flush();
  });
  assert.deepEqual(sent(server), []);
  await isGone(server, tab, 'submitted');
});

test('what is typed anew after it is a new draft, made after the tombstone', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  await tab.clear();
  const tombstone = row(server)?.rev;
  await tab.type({ text: 'the next one' });
  await tab.is('saved', 'server');
  assert.equal(condition(server), `"${tombstone}"`);
  assert.deepEqual(row(server)?.data, { text: 'the next one' });
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'the next one' });
});

test('what is typed anew before the server has heard of the clear waits for that', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  server.clear();
  server.on(CLEAR, [503, 'pass']);
  await run(tab.page, () => {
    const draft = window.draft('letter');
    void draft.clear();
    draft.update({ text: 'the next one' });
  });
  await until(() => row(server)?.data?.text === 'the next one', PATIENCE_MS);
  await tab.is('saved', 'server');
  const order = server.requestsTo(DRAFTS).map(({ method, status }) => `${method} ${status}`);
  assert.deepEqual(order, ['DELETE 503', 'DELETE 204', 'POST 200']);
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'the next one' });
});

test('during a conflict it ends the conflict, and both texts are gone', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'theirs' } });
  await tab.type({ text: 'mine' });
  await tab.is('conflict');
  await tab.clear();
  assert.deepEqual(shows(await tab.state()), IDLE);
  await isGone(server, tab, 'mine');
});

test('several clears at once are one, and each of them ends', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  server.on(CLEAR, { pass: true, delayMs: 200 });
  await run(tab.page, () => {
    const draft = window.draft('letter');
    return Promise.all([draft.clear(), draft.clear(), draft.clear()]);
  });
  assert.equal(clears(server).length, 1);
  await tab.clear();
  assert.deepEqual(shows(await tab.state()), IDLE);
  await isGone(server, tab, 'submitted');
});

test('of a draft that nobody ever typed in, it changes nothing here, and clears what the server may have', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  await tab.clear();
  assert.deepEqual(shows(await tab.state()), IDLE);
  await isGone(server, tab, 'from there');
});

test('while it is being restored, nothing is restored', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  server.on('GET /api/drafts', { pass: true, delayMs: 500 });
  const restored = await run(tab.page, async () => {
    const draft = window.draft('letter');
    const restoring = draft.restore();
    await draft.clear();
    return restoring;
  });
  assert.equal(restored, null);
  await pass(800);
  assert.deepEqual(shows(await tab.state()), IDLE);
  await isGone(server, tab, 'from there');
});

test('another draft of the page keeps its text', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.type({ text: 'kept' }, 'other');
  await tab.is('saved', 'server');
  await tab.is('saved', 'server', 'other');
  await tab.clear();
  assert.deepEqual(row(server, 'other')?.data, { text: 'kept' });
  await tab.reload();
  assert.deepEqual((await tab.restore('other')).data, { text: 'kept' });
});

test('a server that has never had such drafts is asked once to clear them, and it is cleared here', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.on(DRAFTS, { status: 404, body: { code: 'notFound' } });
  await tab.type({ text: 'submitted' });
  await tab.keeps('submitted');
  await until(() => saves(server).length);
  await tab.clear();
  assert.equal((await tab.state()).status, 'idle');
  await pass(500);
  assert.ok(clears(server).length <= 1);
  await tab.reload();
  assert.equal(await tab.restore(), null);
});

test('while it is frozen it is cleared here, and at the server when its owner is back', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  server.people?.forget();
  await run(tab.page, () => window.app.session.verify());
  await tab.is('frozen');
  server.clear();
  assert.ok((await timedClear(tab)) < 5_000);
  await until(async () => !(await tab.device()).includes('submitted'));
  assert.deepEqual(server.requestsTo(DRAFTS), []);
  await signIn(context, server, 'ada');
  await run(tab.page, () => window.app.session.verify());
  await isHeard(server);
  await isGone(server, tab, 'submitted');
});

test("a guest's draft is cleared, too", async (t) => {
  const { server, tab } = await openDrafts(t, { signedIn: null });
  await tab.type({ text: 'submitted' });
  await tab.keeps('submitted');
  await tab.clear();
  assert.deepEqual(shows(await tab.state()), IDLE);
  await isGone(server, tab, 'submitted');
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('a page that is left while it types anew has that, and nothing of before', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'submitted' });
  await tab.flush();
  await Promise.all([
    tab.page.waitForEvent('load'),
    tab.page.evaluate(() => {
      const draft = window.draft('letter');
      draft.clear();
      draft.update({ text: 'the next one' });
      location.reload();
    }),
  ]);
  await tab.returned();
  assert.deepEqual((await tab.restore()).data, { text: 'the next one' });
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'the next one' });
});

test('a clock that was set back changes nothing of it: old texts are gone, new ones are kept', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  await tab.clear();
  const down = server.on(DRAFTS, 503);
  await tab.page.addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() - 3_600_000;
  });
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await tab.type({ text: 'the next one' });
  await tab.is('offline', 'device');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'the next one' });
  assert.equal((await tab.state()).conflict, null);
  down.off();
  await tab.is('saved', 'server');
  await tab.clear();
  await isGone(server, tab, 'the next one');
});
