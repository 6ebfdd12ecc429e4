import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { answered } from './pages.mjs';
import {
  ADA,
  asked,
  cookie,
  openSessions,
  PATIENT,
  QUICK,
  roles,
  SESSION,
  SIGN_OUT,
  TABS,
} from './sessions.mjs';
import { quiet } from './streams.mjs';

const CSRF = '/api/auth/csrf';
/** Nobody asks because the machine is slow, or gives a question up. */
const COUNTED = { session: { ...QUICK, verifyTimeoutMs: 60_000 }, tabs: PATIENT };

test('signOut asks the server, tells all tabs, each why, and the session is over', async (t) => {
  const { server, context, tabs } = await openSessions(t, 3, { signedIn: 'ada', config: COUNTED });
  await roles(tabs);
  server.clear();
  assert.equal(await tabs[1].signOut(), null);
  const { status, user, userKey, expires } = await tabs[1].state();
  assert.deepEqual([status, user, userKey, expires], ['signedOut', null, null, null], 'once it resolves');
  for (const tab of tabs) await tab.is('signedOut', null);
  for (const tab of tabs) await until(async () => (await tab.ended()).length > 0);
  assert.deepEqual(await Promise.all(tabs.map((tab) => tab.ended())), [
    ['otherTab'],
    ['signOut'],
    ['otherTab'],
  ]);
  assert.deepEqual(
    server.requestsTo('/api/auth/*').map(({ method, path }) => `${method} ${path}`),
    [`GET ${CSRF}`, SIGN_OUT],
  );
  const [request] = server.requestsTo(SIGN_OUT);
  const form = new URLSearchParams(request.body);
  assert.ok(form.get('csrfToken'));
  assert.equal(form.get('json'), 'true');
  assert.equal(request.headers['x-auth-return-redirect'], '1');
  assert.match(request.headers['content-type'], /^application\/x-www-form-urlencoded/);
  assert.deepEqual([await cookie(context), await tabs[0].mark()], [null, null]);
  assert.ok(await quiet(() => asked(server), 500));
});

test('a ping that is out is ended in all tabs before the server is asked to sign out, and no late answer revives the cookie', async (t) => {
  const { server, context, tabs } = await openSessions(t, 3, { signedIn: 'ada', config: COUNTED });
  const { leader, followers } = await roles(tabs);
  server.clear();
  const late = held('pass');
  server.on(SESSION, late.step);
  const pinged = leader.verify();
  const ping = await server.waitFor(SESSION);
  assert.equal(await followers[0].signOut(), null);
  const [sent] = server.requestsTo(SIGN_OUT);
  const closedAt = await until(() => ping.closedEarlyAt); // the question was ended
  assert.ok(closedAt <= sent.at, 'first');
  late.release();
  assert.equal((await pinged).status, 'signedOut');
  for (const tab of tabs) await tab.is('signedOut');
  assert.ok(await quiet(async () => [await cookie(context), asked(server)].join(), 1_500));
  assert.equal(await cookie(context), null);
  assert.equal(asked(server), 1, 'nobody asked since');
});

test('nobody asks while somebody signs out: what needs to know waits for the end of it', async (t) => {
  const { server, tabs } = await openSessions(t, 2, { signedIn: 'ada', config: COUNTED });
  await roles(tabs);
  server.clear();
  const leave = held('pass');
  server.on(SIGN_OUT, leave.step);
  server.on('/api/x', 401);
  const out = tabs[0].signOut();
  await server.waitFor(SIGN_OUT);
  const both = Promise.all([tabs[1].get('/api/x'), tabs[1].verify()]);
  await answered(tabs[1].page, 401);
  assert.ok(await quiet(() => asked(server), 500));
  leave.release();
  const [call, verified] = await both;
  assert.equal(await out, null);
  assert.deepEqual([call.error.kind, verified.status], ['unauthenticated', 'signedOut']);
  assert.equal(asked(server), 0);
});

test('signOut called again, and by several, is one sign-out', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { signedIn: 'ada' });
  server.clear();
  await run(tabs[0].page, () => {
    const { session } = window.app;
    return Promise.all([session.signOut(), session.signOut(), session.signOut()]);
  });
  assert.equal(server.requestsTo(SIGN_OUT).length, 1);
  assert.deepEqual(await tabs[0].ended(), ['signOut']);
});

test('two tabs that sign out at once are both signed out, each told once', async (t) => {
  const { tabs } = await openSessions(t, 2, { signedIn: 'ada' });
  await roles(tabs);
  const errors = await Promise.all(tabs.map((tab) => tab.signOut()));
  assert.ok(errors.includes(null), 'at least one of them was accepted');
  for (const tab of tabs) {
    await tab.is('signedOut', null);
    await until(async () => (await tab.ended()).length > 0);
    assert.equal((await tab.ended()).length, 1);
  }
});

test("an app's own signOut is called in place of NextAuth's, with nobody asking meanwhile", async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    config: () => ({
      session: { confirmAfterMs: 40, signOut: () => fetch('/api/leave', { method: 'POST' }).then(() => {}) },
      tabs: { heartbeatMs: 5_000, takeoverMs: 15_000 },
    }),
  });
  server.on('/api/leave', { status: 204, delayMs: 200 });
  await roles(tabs);
  server.clear();
  assert.equal(await tabs[0].signOut(), null);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/leave'],
  );
  for (const tab of tabs) await tab.is('signedOut', null);
  await until(async () => (await tabs[1].ended()).length > 0);
  assert.deepEqual([await tabs[0].ended(), await tabs[1].ended()], [['signOut'], ['otherTab']]);
});

for (const [what, config] of /** @type {Array<[string, () => object]>} */ ([
  ['rejects', () => ({ session: { signOut: () => Promise.reject(new TypeError('no')) } })],
  ['throws', () => ({ session: { signOut: () => decodeURIComponent('%') } })],
])) {
  test(`an app's own signOut that ${what} signs nobody out`, async (t) => {
    const { tabs } = await openSessions(t, 2, { config });
    const error = await tabs[0].signOut();
    assert.equal(error?.name, 'StabilityError');
    assert.match(error.cause?.message, /^no$|malformed/, 'with what went wrong');
    for (const tab of tabs)
      assert.deepEqual([(await tab.state()).status, await tab.ended()], ['authenticated', []]);
  });
}

test("an app's own signOut that never ends is given up after the deadline", async (t) => {
  const { tabs } = await openSessions(t, 1, {
    config: () => ({ session: { signOut: () => new Promise(() => {}) }, api: { deadlineMs: 400 } }),
  });
  const error = await tabs[0].signOut();
  assert.deepEqual([error?.name, error?.kind], ['StabilityError', 'timeout']);
  assert.deepEqual([(await tabs[0].state()).status, await tabs[0].ended()], ['authenticated', []]);
});

test('a tab that dies while it signs out leaves the others able to ask again', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    signedIn: 'ada',
    config: { session: { ...QUICK, verifyTimeoutMs: 1_000, activeMs: 500 }, tabs: TABS },
  });
  await roles(tabs);
  server.on(SIGN_OUT, 'hang');
  await run(tabs[0].page, () => void window.app.session.signOut().catch(() => {}));
  await server.waitFor(SIGN_OUT);
  await tabs[0].page.close();
  tabs.shift();
  server.clear();
  await until(() => asked(server) >= 1, 40_000); // twice the timeout and ten seconds
  assert.equal((await tabs[0].is('authenticated', 'ada')).status, 'authenticated');
});

test('whoever signed out and comes back signs in as on a first visit', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { signedIn: 'ada' });
  const [tab] = tabs;
  await tab.signOut();
  server.clear();
  await tab.reload();
  assert.deepEqual([(await tab.state()).status, asked(server), await tab.ended()], ['signedOut', 1, []]);
  server.people = null;
  server.session = ADA;
  await tab.reload();
  await tab.is('authenticated', 'ada');
});
