import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { EventFeed, retryAfter } from '../server/fault-server.mjs';
import { held } from './held.mjs';
import { answered } from './pages.mjs';
import {
  ADA,
  allHeard,
  asked,
  BEN,
  openSessions,
  PATIENT,
  QUICK,
  roles,
  SESSION,
  signInAs,
} from './sessions.mjs';
import { lastIds, listen, QUICK as QUICK_EVENTS, quiet, requestsTo, URL_PATH } from './streams.mjs';

const SWITCH = [{ from: 'ada', to: 'ben', now: 'ben' }];

test('another person who signed in in another tab is told of once in each tab, which shows them then', async (t) => {
  const { server, tabs } = await openSessions(t, 3, {
    signedIn: 'ada',
    config: { session: QUICK, tabs: PATIENT },
  });
  await roles(tabs);
  await signInAs(tabs[2], 'ben');
  server.clear();
  assert.equal((await tabs[2].verify()).userKey, 'ben');
  for (const tab of tabs) {
    await tab.is('authenticated', 'ben');
    await until(async () => (await tab.changes()).length > 0);
  }
  assert.ok(await quiet(() => asked(server), 300));
  for (const tab of tabs) {
    assert.deepEqual([await tab.changes(), await tab.ended()], [SWITCH, []]);
    assert.deepEqual(await tab.statuses(), ['loading', 'authenticated']);
    assert.deepEqual((await tab.state()).user, BEN.user);
  }
  assert.equal(asked(server), 1);
});

test('a ping finds another person, too', async (t) => {
  const { tabs } = await openSessions(t, 2, { signedIn: 'ada', session: { activeMs: 300 } });
  await roles(tabs);
  await until(async () => {
    await signInAs(tabs[0], 'ben'); // again, where a ping that was out brought Ada's cookie back
    return (await tabs[0].changes()).length > 0;
  });
  for (const tab of tabs) {
    await until(async () => (await tab.changes()).length > 0);
    assert.deepEqual(await tab.changes(), SWITCH);
  }
});

test("the one before's requests are aborted in all tabs, and those of the new one go out", async (t) => {
  const { server, tabs } = await openSessions(t, 2, { signedIn: 'ada' });
  await roles(tabs);
  server.on('/api/slow', 'hang');
  server.on('/api/later', { status: 503, retryAfter: retryAfter.seconds(30) }); // however long this takes, it waits for its next try
  server.on('/api/new', { body: 'for Ben' });
  for (const { page } of tabs)
    await run(page, () => {
      const { api, session } = window.app;
      Object.assign(window, {
        calls: Promise.all([
          api.get('/api/slow'),
          api.post('/api/slow', {}),
          api.get('/api/later', { retries: 20 }),
        ]),
        firstOfBen: new Promise((resolve) => session.onAccountChanged(() => resolve(api.get('/api/new')))),
      });
    });
  await server.waitFor('/api/slow', { count: 4 });
  await signInAs(tabs[1], 'ben');
  await tabs[1].verify();
  for (const { page } of tabs) {
    const results = await run(page, () => window.calls);
    for (const { ok, error } of results) assert.deepEqual([ok, error.kind], [false, 'aborted']);
    assert.equal((await run(page, () => window.firstOfBen)).data, 'for Ben');
  }
  await until(() => server.requestsTo('/api/slow').every(({ closedEarlyAt }) => closedEarlyAt));
  const late = server.requestsTo('/api/later').length;
  assert.ok(await quiet(() => server.requestsTo('/api/later').length, 500), `sent ${late} times`);
});

test('an account switch does not separate who was never told apart: a tab without a person before says nothing', async (t) => {
  const { server, tabs } = await openSessions(t, 2, { says: null });
  server.session = BEN;
  await tabs[0].verify();
  for (const tab of tabs) {
    await tab.is('authenticated', 'ben');
    assert.deepEqual(await tab.changes(), []);
  }
});

test('across a signed-out gap it is a switch all the same, and the same person again is none', async (t) => {
  const { tabs } = await openSessions(t, 2, { signedIn: 'ada' });
  await roles(tabs);
  await tabs[0].signOut();
  for (const tab of tabs) await tab.is('signedOut');
  await signInAs(tabs[0], 'ada');
  await tabs[0].verify();
  for (const tab of tabs) {
    await tab.is('authenticated', 'ada');
    assert.deepEqual(await tab.changes(), []);
  }
  await tabs[1].signOut();
  for (const tab of tabs) await tab.is('signedOut');
  await signInAs(tabs[0], 'ben');
  await tabs[0].verify();
  for (const tab of tabs) {
    await tab.is('authenticated', 'ben');
    await until(async () => (await tab.changes()).length > 0);
    assert.deepEqual(await tab.changes(), SWITCH);
  }
});

test('there and back again is two switches', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  const [tab] = tabs;
  for (const who of [BEN, ADA]) {
    server.session = who;
    await tab.verify();
  }
  assert.deepEqual(await tab.changes(), [...SWITCH, { from: 'ben', to: 'ada', now: 'ada' }]);
});

test('somebody of whom nothing is known but that they are signed in is another person', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  server.session = { user: { name: 'Somebody' } };
  await tabs[0].verify();
  await tabs[0].is('authenticated', null);
  assert.deepEqual(await tabs[0].changes(), [{ from: 'ada', to: null, now: null }]);
});

test('another name of the same person is no switch', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  server.session = { user: { id: 'ada', name: 'Countess Lovelace' } };
  await tabs[0].verify();
  await until(async () => (await tabs[0].state()).user.name === 'Countess Lovelace');
  assert.deepEqual(await tabs[0].changes(), []);
});

test('a 401 that turns out to be another person does not send the call again as theirs', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { signedIn: 'ada' });
  const [tab] = tabs;
  await signInAs(tab, 'ben');
  server.on('POST /api/x', [401, { body: 'written as Ben' }]);
  const result = await run(tab.page, () => window.app.api.post('/api/x', { note: "Ada's" }));
  assert.deepEqual([result.ok, result.error?.kind], [false, 'aborted']);
  assert.equal(server.requestsTo('POST /api/x').length, 1);
  assert.deepEqual(await tab.changes(), SWITCH);
});

test('notices say that somebody else is here, and that somebody was signed out', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    config: () => ({
      session: { confirmAfterMs: 40 },
      tabs: { heartbeatMs: 250, takeoverMs: 750 },
      onNotice: (/** @type {any} */ notice) => {
        window.notices ??= [];
        window.notices.push([notice.kind, notice.level, Boolean(notice.message), notice.error]);
      },
    }),
  });
  const notices = (/** @type {any} */ { page }) => run(page, () => window.notices ?? []);
  server.session = BEN;
  await tabs[0].verify();
  for (const tab of tabs) {
    await until(async () => (await notices(tab)).length === 1);
    assert.deepEqual(await notices(tab), [['accountChanged', 'warning', true, null]]);
  }
  server.session = null;
  await tabs[0].verify();
  for (const tab of tabs) {
    await until(async () => (await notices(tab)).length === 2);
    assert.deepEqual((await notices(tab))[1], ['signedOut', 'warning', true, null]);
  }
});

/** Tabs with a shared stream each. @param {any} t @param {any} [how] */
async function withStreams(t, how) {
  const feed = new EventFeed({ heartbeatMs: 200 });
  const opened = await openSessions(t, 2, {
    config: { session: QUICK, tabs: PATIENT, events: QUICK_EVENTS },
    ready: (server) => server.on(URL_PATH, feed.stream),
    ...how,
  });
  await roles(opened.tabs);
  const streams = [];
  for (const { page } of opened.tabs) streams.push(await listen(page, { shared: true }));
  for (const stream of streams) await stream.opened();
  return { ...opened, feed, streams };
}

test('a shared stream is opened again as the new person, once for all tabs, without the id of the one before', async (t) => {
  const { server, feed, tabs, streams } = await withStreams(t, { signedIn: 'ada' });
  await until(() => feed.connections === 1);
  feed.send('for Ada');
  for (const stream of streams) await stream.heard(1);
  const before = requestsTo(server).length;
  await signInAs(tabs[0], 'ben');
  await tabs[0].verify();
  for (const tab of tabs) await tab.is('authenticated', 'ben');
  await until(() => requestsTo(server).length > before);
  assert.ok(lastIds(server).every((id) => id === null));
  await until(async () => {
    const states = await Promise.all(streams.map((stream) => stream.state()));
    return (
      feed.connections === 1 &&
      states
        .map(({ role, isConnected }) => `${role} ${isConnected}`)
        .sort()
        .join() === 'follower true,leader true'
    );
  });
  feed.send('for Ben');
  for (const stream of streams) {
    await until(async () => (await stream.data()).at(-1) === 'for Ben');
    assert.equal((await stream.data()).filter((data) => data === 'for Ben').length, 1);
  }
});

test('two people do not share a stream', async (t) => {
  const { server, feed, add } = await withStreams(t);
  await until(() => feed.connections === 1);
  server.on('/api/ben', { body: BEN });
  const ben = await add({
    config: { session: { ...QUICK, endpoint: '/api/ben' }, tabs: PATIENT, events: QUICK_EVENTS },
  });
  const stream = await listen(ben.page, { shared: true });
  await stream.opened();
  await until(() => feed.connections === 2);
});

test('a stream that meets a 401 beside a call, in two tabs at once, asks the session once, and all go on', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    config: { session: { ...QUICK, verifyTimeoutMs: 60_000 }, tabs: PATIENT, events: QUICK_EVENTS },
  });
  await roles(tabs);
  const answer = held('pass');
  server.on(SESSION, answer.step);
  server.on('/api/x', [401, { body: 'welcome' }]);
  server.on(URL_PATH, [
    401,
    { headers: { 'Content-Type': 'text/event-stream' }, pieces: [{ data: ':\n\n' }] },
  ]);
  server.clear();
  const stream = await listen(tabs[0].page);
  await server.waitFor(SESSION);
  const call = tabs[1].get('/api/x');
  await answered(tabs[1].page, 401);
  await allHeard(tabs);
  answer.release();
  assert.equal((await call).data, 'welcome');
  await stream.opened();
  assert.equal(asked(server), 1);
});
