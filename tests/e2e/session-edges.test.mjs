import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, until } from '../harness/browser.mjs';
import { serve } from './pages.mjs';
import { ADA, asked, BEN, openSessions, pass, QUICK, roles, SESSION, TABS } from './sessions.mjs';
import { quiet } from './streams.mjs';

test('a page that is loaded in the background learns who is signed in, and pings no more than an idle one', async (t) => {
  const { server, tabs } = await openSessions(t, 1, {
    session: { activeMs: 200, idleMs: 60_000 },
    beforeLoad: (page) =>
      page.addInitScript(() => {
        Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      }),
  });
  assert.equal((await tabs[0].state()).userKey, 'ada');
  assert.ok(await quiet(() => asked(server), 900));
  assert.equal(asked(server), 1);
});

test('a tab that knows of no session and gets one answer of nobody ends the session of no other', async (t) => {
  const { server, tabs, add } = await openSessions(t, 2);
  await roles(tabs);
  await run(tabs[0].page, () => localStorage.clear());
  server.session = [null, ADA];
  const late = await add();
  for (const tab of [...tabs, late]) {
    await tab.is('authenticated', 'ada');
    assert.deepEqual(await tab.ended(), []);
  }
});

test('a session on another origin is kept with its cookies, and signed out of there', async (t) => {
  const auth = await serve(t, { cors: true });
  auth.session = ADA;
  const { server, tabs } = await openSessions(t, 2, {
    config: {
      api: { credentials: 'include' },
      session: { ...QUICK, endpoint: `${auth.origin}${SESSION}` },
      tabs: TABS,
    },
  });
  for (const tab of tabs) assert.equal((await tab.state()).userKey, 'ada');
  assert.equal(await tabs[0].signOut(), null);
  for (const tab of tabs) await tab.is('signedOut');
  assert.equal(auth.requestsTo('POST /api/auth/signout').length, 1);
  assert.equal(server.requestsTo('/api/auth/*').length, 0);
});

test('a session endpoint on another origin that does not let this one in is unknown', async (t) => {
  const auth = await serve(t);
  auth.session = ADA;
  const { tabs } = await openSessions(t, 1, {
    config: {
      api: { credentials: 'include' },
      session: { ...QUICK, endpoint: `${auth.origin}${SESSION}` },
    },
  });
  assert.equal((await tabs[0].state()).status, 'unknown');
  tabs[0].page.problems.length = 0; // Chromium says why
});

for (const [what, config] of /** @type {Array<[string, () => object]>} */ ([
  [
    'holds what cannot be sent to other tabs',
    () => ({
      session: {
        parse: (/** @type {any} */ body) => body && { user: { ...body.user, greet() {} }, expires: null },
      },
      tabs: { heartbeatMs: 250, takeoverMs: 750 },
    }),
  ],
  [
    'is half a megabyte',
    () => ({
      session: {
        parse: (/** @type {any} */ body) =>
          body && { user: { ...body.user, about: 'x'.repeat(500_000) }, expires: null },
      },
      tabs: { heartbeatMs: 250, takeoverMs: 750 },
    }),
  ],
])) {
  test(`a user that ${what} is known by key in all tabs`, async (t) => {
    const { server, tabs } = await openSessions(t, 2, { config });
    await roles(tabs);
    for (const tab of tabs) await tab.is('authenticated', 'ada');
    server.session = BEN;
    await tabs[0].verify();
    for (const tab of tabs) {
      const { user } = await tab.is('authenticated', 'ben');
      assert.ok(user === null || user.id === 'ben', 'never the one before');
      assert.deepEqual(await tab.changes(), [{ from: 'ada', to: 'ben', now: 'ben' }]);
    }
  });
}

test('listeners may call the client back: verify, signOut, dispose', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { confirmAfterMs: 20 } });
  const [{ page }] = tabs;
  await run(page, () => {
    const { session } = window.app;
    window.told = [];
    session.subscribe(() => void session.verify());
    session.onAccountChanged(() => {
      window.app.api.get('/api/version').then(({ ok }) => window.told.push(ok));
      session.verify().then(({ userKey }) => window.told.push(userKey));
    });
    session.onSignedOut((reason) => {
      window.told.push(reason);
      session.verify().then(({ status }) => window.told.push(status));
      session.signOut().catch(({ name }) => window.told.push(name));
      queueMicrotask(() => window.app.dispose());
    });
  });
  server.session = BEN;
  await run(page, () => window.app.session.verify());
  await until(() => run(page, () => window.told.includes(true) && window.told.includes('ben')));
  server.session = null;
  await run(page, () => window.app.session.verify());
  await until(() => run(page, () => window.told.includes('expired')));
  await pass(300);
  const count = asked(server);
  assert.ok(count <= 14, `${count} requests`);
  assert.ok(await quiet(() => asked(server), 300));
  assert.equal((await run(page, () => window.told)).filter((what) => what === 'expired').length, 1);
});

test('verify() over and over, in three tabs, ends each time', async (t) => {
  const { server, tabs } = await openSessions(t, 3);
  await roles(tabs);
  const rounds = await Promise.all(
    tabs.map(({ page }) =>
      run(page, async () => {
        const seen = [];
        for (let n = 0; n < 15; n++) {
          seen.push((await window.app.session.verify()).status);
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
        }
        return seen;
      }),
    ),
  );
  assert.deepEqual(rounds.flat(), Array(45).fill('authenticated'));
  assert.ok(asked(server) <= 60, `${asked(server)} requests for 45 questions and three loads`);
});

test('tabs that come and go, are hidden and seen, while the session blinks: nobody is logged out', async (t) => {
  const { server, tabs, add } = await openSessions(t, 3, { session: { activeMs: 150, confirmAfterMs: 100 } });
  let blinks = 0;
  const blink = setInterval(() => {
    server.session = blinks++ % 3 ? ADA : [null, 'broken', null, ADA];
  }, 400);
  t.after(() => clearInterval(blink));
  for (let round = 0; round < 5; round++) {
    await hide(tabs[0].page);
    const fresh = await add();
    await tabs[0].page.close();
    tabs.shift();
    await fresh.use();
    await pass(150);
  }
  clearInterval(blink);
  server.session = ADA;
  for (const tab of tabs) {
    await tab.is('authenticated', 'ada');
    assert.deepEqual([await tab.ended(), await tab.changes()], [[], []]);
  }
});
