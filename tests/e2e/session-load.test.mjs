import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { gaps, serve } from './pages.mjs';
import { ADA, asked, browser, openSessions, QUICK, roles, SESSION, TABS } from './sessions.mjs';
import { quiet } from './streams.mjs';

test('a page learns who is signed in, by one request', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { says: { ...ADA, expiresInMs: 3_600_000 } });
  const [tab] = tabs;
  await roles(tabs);
  const { status, user, userKey, expires, role } = await tab.state();
  assert.deepEqual([status, user, userKey, role], ['authenticated', ADA.user, 'ada', 'leader']);
  assert.deepEqual(await tab.statuses(), ['loading', 'authenticated']);
  assert.deepEqual((await tab.states())[0], {
    status: 'loading',
    user: null,
    userKey: null,
    expires: null,
    role: 'follower',
  });
  assert.ok(await quiet(() => asked(server), 300));
  assert.equal(asked(server), 1);
  const [request] = server.requestsTo(SESSION);
  assert.deepEqual([request.method, request.headers['cache-control']], ['GET', 'no-cache']);
  assert.ok(expires - 3_600_000 >= request.at && expires - 3_600_000 <= Date.now());
  const verifiedAt = await run(tab.page, () => window.app.session.lastVerifiedAt);
  assert.ok(verifiedAt >= request.at - 20 && verifiedAt <= Date.now() + 20);
});

test('a page that does no more than make its client asks, and looking at the state does not wait for it', async (t) => {
  const server = await serve(t);
  server.session = ADA;
  const page = await openPage(t, {
    browser,
    server,
    config: { session: QUICK },
    beforeLoad: (page) =>
      page.addInitScript(() => {
        const set = (/** @type {any} */ { session }) => {
          const [first, second] = [session.getSnapshot(), session.getSnapshot()];
          window.looked = [first, session.getServerSnapshot(), first === second];
        };
        Object.defineProperty(window, 'app', { set });
      }),
  });
  const loading = { status: 'loading', user: null, userKey: null, expires: null, role: 'follower' };
  assert.deepEqual(await run(page, () => window.looked), [loading, loading, true]);
  await until(() => asked(server) === 1);
});

for (const nobody of [null, {}, 401]) {
  test(`a first visit that meets ${JSON.stringify(nobody)} is signed out after one answer, and nothing is announced`, async (t) => {
    const { server, tabs } = await openSessions(t, 1, { says: nobody });
    const [tab] = tabs;
    await tab.is('signedOut', null);
    assert.ok(await quiet(() => asked(server), 400));
    assert.equal(asked(server), 1);
    assert.deepEqual([await tab.ended(), await tab.changes(), await tab.mark()], [[], [], null]);
    assert.deepEqual(await tab.statuses(), ['loading', 'signedOut']);
  });
}

for (const nobody of [null, {}, 401]) {
  test(`a session that an earlier page saw ends after three answers of ${JSON.stringify(nobody)}, and is announced once in each tab`, async (t) => {
    const { server, tabs, add } = await openSessions(t, 1, { session: { verifyTimeoutMs: 60_000 } });
    const [first] = tabs;
    assert.equal(await first.mark(), '1', 'a mark that names nobody');
    await first.page.goto('about:blank');
    server.session = nobody;
    server.clear();
    const answer = held('pass');
    server.on(SESSION, answer.step);
    const two = [await add({ settled: false }), await add({ settled: false })];
    await roles(two); // both run, and have read the mark
    await server.waitFor(SESSION);
    answer.release();
    for (const tab of two) {
      await tab.is('signedOut', null);
      await until(async () => (await tab.ended()).length > 0);
    }
    // Whichever of them asked: a slow leader is not waited for.
    const requests = two.map(({ page }) =>
      server.requestsTo(SESSION).filter(({ headers }) => headers.referer === page.url()),
    );
    const whole = requests.filter(({ length }) => length >= 3).map(gaps);
    assert.ok(whole.length > 0);
    for (const [second, third] of whole)
      assert.ok(second >= 38 && third >= 195, `asked after ${second} and ${third} ms`);
    assert.ok(await quiet(() => asked(server), 400));
    for (const tab of two) {
      assert.deepEqual(await tab.ended(), ['expired']);
      assert.deepEqual(await tab.statuses(), ['loading', 'signedOut']);
      assert.equal(await tab.mark(), null);
    }
  });
}

test('the mark goes with the session, so that the next visit is a first one again', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { says: null, lived: true });
  const [tab] = tabs;
  assert.equal(asked(server), 3);
  await until(async () => (await tab.ended()).length === 1);
  const context = tab.page.context();
  await tab.page.close(); // or it may ask as well
  server.clear();
  const fresh = await openPage(t, {
    browser,
    server,
    context,
    config: { session: QUICK, tabs: TABS },
  });
  const state = await run(fresh, () => window.app.session.verify());
  assert.equal(state.status, 'signedOut');
  assert.ok(asked(server) <= 2, `${asked(server)} requests`);
});

test('with the mark, the page is loading until the answer is confirmed, and one good answer is enough', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { says: [null, null, ADA], lived: true });
  const [tab] = tabs;
  await tab.is('authenticated', 'ada');
  assert.deepEqual([asked(server), await tab.ended()], [3, []]);
  assert.deepEqual(await tab.statuses(), ['loading', 'authenticated']);
});

for (const [what, initialSession] of /** @type {Array<[string, any]>} */ ([
  ['that does not end', ADA],
  ['with an end', { ...ADA, expires: '2099-01-01T00:00:00.000Z' }],
])) {
  test(`a session that the server rendered with, ${what}, needs no request and no loading`, async (t) => {
    const { server, tabs } = await openSessions(t, 1, { session: { initialSession }, says: 'broken' });
    const [tab] = tabs;
    const { status, user, userKey, expires } = await tab.state();
    assert.deepEqual([status, user, userKey], ['authenticated', ADA.user, 'ada']);
    assert.equal(expires, initialSession.expires ? Date.parse(initialSession.expires) : null);
    assert.equal(
      (await run(tab.page, () => window.app.session.getServerSnapshot())).status,
      'authenticated',
      'what is rendered on the server, too',
    );
    await run(tab.page, () => window.app.ready);
    assert.ok(await quiet(() => asked(server), 400));
    assert.equal(asked(server), 0);
    assert.deepEqual(await tab.statuses(), ['authenticated']);
  });
}

test('a session that the server rendered with has lived: it ends after three answers', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { initialSession: ADA }, says: null });
  const [tab] = tabs;
  assert.equal((await tab.verify()).status, 'signedOut');
  assert.deepEqual([asked(server), await tab.ended()], [3, ['expired']]);
});

test('an initial session that says nobody is signed out at once, and asks', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { initialSession: null } });
  const [tab] = tabs;
  await tab.is('authenticated', 'ada');
  assert.deepEqual([(await tab.states())[0].status, asked(server)], ['signedOut', 1]);
  assert.deepEqual(await tab.ended(), []);
});

test('an endpoint of another shape is read by parse and identify', async (t) => {
  const { server, tabs } = await openSessions(t, 1, {
    config: () => ({
      session: {
        endpoint: '/api/me',
        parse: (/** @type {any} */ body) =>
          body.login ? { user: { login: body.login }, expires: body.until } : null,
        identify: (/** @type {any} */ body) => body.number,
      },
    }),
    ready: (server) => server.on('/api/me', { body: { login: 'ada', number: 7, until: 4_000_000_000_000 } }),
  });
  const { status, user, userKey, expires } = await tabs[0].state();
  assert.deepEqual(
    [status, user, userKey, expires],
    ['authenticated', { login: 'ada' }, '7', 4_000_000_000_000],
  );
  assert.deepEqual([server.requestsTo('/api/me').length, asked(server)], [1, 0]);
});

for (const [what, config] of /** @type {Array<[string, () => object]>} */ ([
  ['parse', () => ({ session: { parse: () => JSON.parse('no') } })],
  ['identify', () => ({ session: { identify: () => JSON.parse('no') } })],
])) {
  test(`${what} that throws tells nothing: unknown, and nobody is logged out`, async (t) => {
    const { tabs } = await openSessions(t, 1, { config, lived: true });
    await tabs[0].is('unknown');
    assert.deepEqual([await tabs[0].ended(), await tabs[0].mark()], [[], '1']);
  });
}

test('who somebody is comes from id, sub or e-mail, and may stay unknown', async (t) => {
  for (const [user, userKey] of /** @type {Array<[object, string | null]>} */ ([
    [{ id: 5, email: 'a@example.com' }, '5'],
    [{ sub: 'auth0|1', email: 'a@example.com' }, 'auth0|1'],
    [{ email: 'a@example.com' }, 'a@example.com'],
    [{ name: 'Ada' }, null],
  ])) {
    const { tabs } = await openSessions(t, 1, { says: { user } });
    const state = await tabs[0].state();
    assert.deepEqual([state.status, state.user, state.userKey], ['authenticated', user, userKey]);
  }
});

for (const expires of ['not a date', '', null, {}]) {
  test(`an end of ${JSON.stringify(expires)} is none`, async (t) => {
    const { server, tabs } = await openSessions(t, 1, { says: { ...ADA, expires } });
    assert.deepEqual(
      [(await tabs[0].state()).status, (await tabs[0].state()).expires],
      ['authenticated', null],
    );
    assert.ok(await quiet(() => asked(server), 200));
  });
}

test('the user stays the same object while the server says the same', async (t) => {
  const { tabs } = await openSessions(t, 1);
  await roles(tabs);
  const same = await run(tabs[0].page, async () => {
    const { session } = window.app;
    const before = session.getSnapshot();
    const after = await session.verify();
    return [before.user === after.user, before === after, session.getSnapshot() === after];
  });
  assert.deepEqual(same, [true, true, true], 'and so does the snapshot');
});

for (const session of [undefined, false]) {
  test(`session: ${session} asks nothing, and says unknown`, async (t) => {
    const { server, tabs } = await openSessions(t, 1, {
      config: session === false ? { session } : { api: {} },
    });
    const [tab] = tabs;
    assert.equal((await tab.verify()).status, 'unknown');
    const error = await tab.signOut();
    assert.deepEqual([error.name, error.kind], ['StabilityError', 'invalid']);
    assert.match(JSON.stringify(error), /session/, 'which names the option');
    assert.equal(server.requestsTo('/api/auth/*').length, 0);
  });
}
