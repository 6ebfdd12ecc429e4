import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import {
  ADA,
  asked,
  openSessions,
  pass,
  QUICK,
  roles,
  SESSION,
  SIGN_OUT,
  signInAs,
  TABS,
} from './sessions.mjs';

/** Whose cookie a request carried. @param {import('../server/fault-server.mjs').RecordedRequest} request */
const whose = (request) => (request.cookie('authjs.session-token') ?? '').split('.')[0];

test('what one person sent is not tried again as the next one', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { signedIn: 'ada' });
  const [tab] = tabs;
  server.on('POST /api/orders', [{ status: 503, headers: { 'Retry-After': '5' } }, { body: 'ordered' }]);
  const order = run(tab.page, () => window.app.api.post('/api/orders', {}, { idempotencyKey: true }));
  const { at } = await server.waitFor('POST /api/orders');
  assert.equal(await tab.signOut(), null);
  await signInAs(tab, 'ben');
  assert.equal((await order).error.kind, 'unavailable');
  await pass(at + 9_000 - Date.now()); // it would have been sent again by now
  assert.deepEqual(server.requestsTo('POST /api/orders').map(whose), ['ada']);
});

test('what one person still waits for is not the answer to the next one', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { signedIn: 'ada' });
  const [tab] = tabs;
  const late = held({ body: "Ada's" });
  server.on('/api/orders', [late.step, { body: "Ben's" }]);
  const before = tab.get('/api/orders');
  await server.waitFor('/api/orders');
  assert.equal(await tab.signOut(), null);
  await signInAs(tab, 'ben');
  const after = await tab.get('/api/orders');
  assert.deepEqual([after.data, after.meta.shared], ["Ben's", false]);
  late.release();
  await before;
  assert.deepEqual(server.requestsTo('/api/orders').map(whose), ['ada', 'ben']);
});

test('a sign-out of the app’s own that meets a 401 ends soon, and the server is asked why', async (t) => {
  const { server, tabs } = await openSessions(t, 1, {
    config: (/** @type {any} */ { unwrap }) => ({
      session: {
        confirmAfterMs: 40,
        signOut: () => unwrap(/** @type {any} */ (window).app.api.post('/api/logout')),
      },
      tabs: { heartbeatMs: 100, takeoverMs: 500 },
    }),
  });
  const [tab] = tabs;
  server.on('POST /api/logout', 401);
  server.session = null;
  const began = Date.now();
  assert.equal((await tab.signOut()).kind, 'authUnknown');
  assert.ok(Date.now() - began < 20_000); // nor does it wait for a deadline
  await tab.is('signedOut');
  assert.deepEqual(await tab.ended(), ['expired']);
});

test('whoever signs out again when it is over does so once more, and not for ever', async (t) => {
  const { server, tabs } = await openSessions(t, 2, { signedIn: 'ada' });
  await roles(tabs);
  for (const { page } of tabs)
    await run(page, () => void window.app.session.onSignedOut(() => void window.app.session.signOut()));
  assert.equal(await tabs[0].signOut(), null);
  for (const tab of tabs) await tab.is('signedOut');
  await until(() => server.requestsTo(SIGN_OUT).length >= 3);
  await pass(500);
  assert.equal(server.requestsTo(SIGN_OUT).length, 3);
  assert.deepEqual(await Promise.all(tabs.map((tab) => tab.ended())), [['signOut'], ['otherTab']]);
});

test('two sessions of one name do not know of each other’s past', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  server.on('/other/session', { body: null });
  const found = await run(tabs[0].page, async () => {
    const other = window.evenkeel.createStability({ session: { endpoint: '/other/session' } });
    /** @type {string[]} */
    const ended = [];
    other.session.onSignedOut((/** @type {string} */ reason) => ended.push(reason));
    const { status } = await other.session.verify();
    other.dispose();
    return { status, ended };
  });
  assert.deepEqual(found, { status: 'signedOut', ended: [] });
  assert.equal(await tabs[0].mark(), '1');
});

test('of a user who cannot be sent to other tabs, they know what can', async (t) => {
  const config = () => ({
    session: {
      parse: (/** @type {any} */ body) =>
        body && { user: { ...body.user, can: () => true }, expires: body.expires },
    },
    tabs: { heartbeatMs: 100, takeoverMs: 500 },
  });
  const { server, tabs } = await openSessions(t, 2, { config });
  await roles(tabs);
  for (const tab of tabs) assert.equal((await tab.is('authenticated', 'ada')).user.name, 'Ada');
  server.on(SESSION, { body: { user: { ...ADA.user, name: 'Ada L.' } } });
  await tabs[0].verify();
  for (const tab of tabs) await until(async () => (await tab.state()).user.name === 'Ada L.');
});

test('the session’s store is read, and set by nobody', async (t) => {
  const { tabs } = await openSessions(t, 1, { session: QUICK, config: undefined });
  assert.deepEqual(await run(tabs[0].page, () => Object.keys(window.app.session).sort()), [
    'getServerSnapshot',
    'getSnapshot',
    'lastVerifiedAt',
    'onAccountChanged',
    'onSignedOut',
    'signOut',
    'subscribe',
    'verify',
  ]);
});

test('many tabs whose providers speak at once ask once a second', async (t) => {
  const { server, tabs } = await openSessions(t, 3, { config: { session: { ...QUICK }, tabs: TABS } });
  await roles(tabs);
  await pass(5_200); // the first words after a load are no news
  const page = await tabs[0].page.context().newPage();
  await page.goto(`${server.origin}/api/version`);
  server.clear();
  const begun = Date.now();
  await page.evaluate(async () => {
    const channel = new BroadcastChannel('next-auth');
    for (let i = 0; i < 30; i++) {
      channel.postMessage({ event: 'session', data: { trigger: 'getSession' } });
      await new Promise((go) => setTimeout(go, 100));
    }
  });
  const seconds = (Date.now() - begun) / 1_000;
  await page.close();
  assert.ok(asked(server) >= 2 && asked(server) <= seconds + 2, `${asked(server)} in ${seconds} seconds`);
});
