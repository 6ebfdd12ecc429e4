import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { ADA, asked, askedAfter, BEN, openSessions, PATIENT_TABS, pass, SESSION } from './sessions.mjs';

/** What tells nothing about who is signed in. @type {Array<[string, any]>} */
const FAULTS = [
  ['500', 'broken'],
  ['503', 503],
  ['404', 404],
  ['a page to sign in', 'html'],
  ['a user who is none', { user: null }],
];

for (const [what, fault] of FAULTS) {
  test(`${what} from the session endpoint is unknown at most: the last user stays, in all tabs`, async (t) => {
    const { server, tabs } = await openSessions(t, 2);
    server.session = fault;
    assert.equal((await tabs[1].verify()).status, 'unknown');
    for (const tab of tabs) {
      const { status, user, userKey } = await tab.is('unknown');
      assert.deepEqual([status, user, userKey], ['unknown', ADA.user, 'ada']);
      assert.deepEqual([await tab.ended(), await tab.changes(), await tab.mark()], [[], [], '1']);
    }
    server.session = ADA;
    for (const tab of tabs) {
      await tab.is('authenticated', 'ada');
      assert.deepEqual(await tab.statuses(), ['loading', 'authenticated', 'unknown', 'authenticated']);
      assert.deepEqual(await tab.changes(), []);
    }
  });
}

for (const [what, step] of /** @type {Array<[string, any]>} */ ([
  ['is cut off', 'cut'],
  ['is no JSON', { headers: { 'Content-Type': 'application/json' }, body: '{"user":' }],
  ['is empty', { headers: { 'Content-Type': 'application/json' }, body: '' }],
  ['is a text', { body: 'signed out' }],
  ['is a list', { body: [] }],
  ['stops in the middle', { body: ADA, stallAfterBytes: 5 }],
  ['never comes', 'hang'],
])) {
  test(`an answer that ${what} logs nobody out`, async (t) => {
    const { server, tabs } = await openSessions(t, 1, { session: { verifyTimeoutMs: 1_500 } });
    const [tab] = tabs;
    await tab.is('authenticated', 'ada');
    const fault = server.on(SESSION, step);
    const { status, userKey } = await tab.verify();
    assert.deepEqual([status, userKey], ['unknown', 'ada']);
    fault.off();
    await tab.is('authenticated', 'ada');
    assert.deepEqual(await tab.ended(), []);
  });
}

test('an endpoint that fails on the first visit is asked again until it answers', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { says: 'broken' });
  const [tab] = tabs;
  assert.deepEqual(await tab.statuses(), ['loading', 'unknown']);
  await until(() => asked(server) >= 3);
  const [first, second] = askedAfter(server);
  assert.ok(first >= 495 && second >= 995, `not hot: after ${first} and ${second} ms`);
  server.session = ADA;
  await tab.is('authenticated', 'ada');
  assert.deepEqual(await tab.statuses(), ['loading', 'unknown', 'authenticated']);
});

test('a database that blinks logs nobody out: the cookie is good, and the answers are those of nobody', async (t) => {
  const { server, tabs } = await openSessions(t, 3, { session: { activeMs: 400, confirmAfterMs: 150 } });
  server.clear();
  server.session = [null, null, ADA]; // a third time would be the last
  await until(() => asked(server) >= 4);
  for (const tab of tabs) {
    await tab.is('authenticated', 'ada');
    assert.deepEqual(await tab.statuses(), ['loading', 'authenticated'], 'nobody saw it');
    assert.deepEqual([await tab.ended(), await tab.mark()], [[], '1']);
  }
});

test('user and status stay while a signed-out answer is confirmed', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    session: { confirmAfterMs: 300, verifyTimeoutMs: 60_000 },
    tabs: PATIENT_TABS,
  });
  server.session = null;
  const last = held('pass');
  server.on(SESSION, ['pass', 'pass', last.step]);
  server.clear();
  const verdicts = tabs.map((tab) => tab.verify());
  await until(() => asked(server) >= 2);
  for (const tab of tabs) {
    const { status, userKey } = await tab.state();
    assert.deepEqual([status, userKey], ['authenticated', 'ada']);
  }
  last.release();
  for (const verdict of verdicts) assert.equal((await verdict).status, 'signedOut');
  assert.equal(asked(server), 3, 'for both tabs');
  for (const tab of tabs) {
    assert.deepEqual(await tab.statuses(), ['loading', 'authenticated', 'signedOut']);
    assert.deepEqual(await tab.ended(), ['expired']);
    await until(async () => (await tab.mark()) === null);
    assert.equal((await tab.state()).user, null);
  }
});

test('one answer that tells nothing among signed-out ones leaves it unknown', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  const [tab] = tabs;
  server.session = [null, 'broken', ADA];
  assert.equal((await tab.verify()).status, 'unknown');
  await tab.is('authenticated', 'ada');
  assert.deepEqual(await tab.ended(), []);
});

test('the number of confirmations can be set', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { confirmations: 2 } });
  server.session = null;
  server.clear();
  assert.equal((await tabs[0].verify()).status, 'signedOut');
  assert.equal(asked(server), 2);
});

test('offline is unknown, and `online` asks at once', async (t) => {
  const { server, context, tabs } = await openSessions(t, 2);
  await context.setOffline(true);
  assert.equal((await tabs[0].verify()).status, 'unknown');
  for (const tab of tabs) assert.equal((await tab.is('unknown')).userKey, 'ada');
  await pass(1_500); // by now the next try by itself is seconds away
  server.clear();
  await context.setOffline(false);
  for (const tab of tabs) {
    await tab.is('authenticated', 'ada');
    assert.deepEqual(await tab.ended(), []);
  }
  assert.ok(asked(server) <= 2, `${asked(server)} requests for two tabs that came back`);
});

test('a server that is down for all asks for patience, and gets it', async (t) => {
  const { server, tabs } = await openSessions(t, 2);
  server.on(SESSION, { status: 503, retryAfter: { form: 'seconds', value: 3 } });
  server.clear();
  assert.equal((await tabs[0].verify()).status, 'unknown');
  await until(() => asked(server) >= 2, 20_000);
  const [after] = askedAfter(server);
  assert.ok(after >= 2_990 && after <= 10_000, `asked again after ${after} ms`);
});

test('whoever is signed in when it can be told again is told of: the same person, or another', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  const [tab] = tabs;
  server.session = 'broken';
  await tab.verify();
  server.session = BEN;
  await tab.is('authenticated', 'ben');
  assert.deepEqual(await tab.changes(), [{ from: 'ada', to: 'ben', now: 'ben' }]);
  assert.deepEqual(await tab.ended(), []);
});

test('a tab that comes while nothing can be told has the user that the others know', async (t) => {
  const { server, tabs, add } = await openSessions(t, 1);
  server.session = 'broken';
  await tabs[0].verify();
  const late = await add();
  const { status, userKey, user } = await late.is('unknown', 'ada');
  assert.deepEqual([status, userKey, user], ['unknown', 'ada', ADA.user]);
  assert.deepEqual(await late.changes(), []);
});
