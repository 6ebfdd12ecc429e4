import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  ADA,
  asked,
  BEN,
  cookie,
  MARK,
  openSessions,
  PATIENT_TABS,
  QUICK,
  roles,
  SESSION,
  TABS,
} from './sessions.mjs';
import { quiet } from './streams.mjs';

/** Does not let WebAssembly be compiled. */
const POLICY = {
  'Content-Security-Policy': "default-src 'self' http://127.0.0.1:*; script-src 'self'; img-src data:",
};

/** A module that traps in the next call of an export that `window.trapIn` matches. @param {import('playwright-core').Page} page */
const withTraps = (page) =>
  page.addInitScript(() => {
    const { Instance } = WebAssembly;
    window.trapIn = null;
    window.instances = 0;
    WebAssembly.Instance = class {
      constructor(module, imports) {
        if (window.refuses) throw new RangeError('out of memory');
        window.instances++;
        const { exports } = new Instance(module, imports);
        this.exports = { ...exports };
        for (const [name, value] of Object.entries(exports)) {
          if (typeof value !== 'function') continue;
          this.exports[name] = (...args) => {
            if (window.trapIn?.test(name)) {
              window.trapIn = null;
              throw new WebAssembly.RuntimeError('unreachable');
            }
            return value(...args);
          };
        }
      }
    };
  });

/** Counts the channels that are open. @param {import('playwright-core').Page} page */
const withChannels = (page) =>
  page.addInitScript(() => {
    window.open = 0;
    const Native = BroadcastChannel;
    globalThis.BroadcastChannel = class extends Native {
      constructor(name) {
        super(name);
        window.open++;
      }
      close() {
        super.close();
        window.open--;
      }
    };
  });

/** What is held of locks, and waited for. @param {import('playwright-core').Page} page */
const locks = (page) =>
  run(page, async () => {
    const { held, pending } = await navigator.locks.query();
    return held.length + pending.length;
  });

// ---------------------------------------------------------------- the end of a client

test('after dispose nothing is asked, held or heard any more', async (t) => {
  const { server, tabs } = await openSessions(t, 2, { session: { activeMs: 200 }, beforeLoad: withChannels });
  await roles(tabs);
  for (const { page } of tabs) await run(page, () => window.app.dispose());
  await until(async () => (await locks(tabs[0].page)) === 0);
  for (const { page } of tabs) assert.equal(await run(page, () => window.open), 0, 'no channel');
  assert.ok(await quiet(() => asked(server), 700));
  for (const tab of tabs)
    assert.deepEqual([(await tab.state()).status, await tab.ended()], ['authenticated', []]);
});

test('dispose in the middle of everything ends everything: a check, its confirmation, a sign-out, a call', async (t) => {
  for (const [what, says, go] of /** @type {Array<[string, any, string]>} */ ([
    ['the first question', 'hang', ''],
    ['a check', 'hang', 'verify'],
    ['a confirmation', null, 'verify'],
    ['a sign-out', 'hang', 'signOut'],
  ])) {
    const { server, add, tabs } = await openSessions(t, 0, {
      says: go ? ADA : says,
      session: { confirmAfterMs: 60_000, activeMs: 100 },
    });
    await add({ settled: Boolean(go) });
    const [{ page }] = tabs;
    server.session = says;
    if (go === 'signOut') server.on('/api/auth/csrf', 'hang');
    server.clear();
    const outcome = await run(
      page,
      async (go) => {
        const { app } = window;
        const work = go ? app.session[go]() : app.ready;
        const call = app.api.get('/api/401');
        await new Promise((resolve) => setTimeout(resolve, 300));
        app.dispose();
        const timer = new Promise((resolve) => setTimeout(resolve, 3_000, 'still waits'));
        const settle = (/** @type {Promise<any>} */ promise) =>
          Promise.race([timer, promise.catch((error) => error).then((value) => value?.kind ?? 'settled')]);
        return [await settle(work), (await call).ok];
      },
      go,
    );
    assert.notEqual(outcome[0], 'still waits', what);
    server.clear();
    assert.ok(await quiet(() => server.requests.length, 400), what);
    await until(async () => (await locks(page)) === 0);
  }
});

test('a call of the session after dispose still settles', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  const [{ page }] = tabs;
  server.clear();
  const settled = await run(page, async () => {
    const { session } = window.app;
    window.app.dispose();
    const timer = new Promise((resolve) => setTimeout(resolve, 3_000, 'still waits'));
    return [
      await Promise.race([timer, session.verify().then(({ status }) => status)]),
      await Promise.race([timer, session.signOut().catch(({ name }) => name)]),
    ];
  });
  assert.ok(!settled.includes('still waits'), `${settled}`);
  assert.equal(server.requestsTo('POST /api/auth/signout').length, 0);
});

// ---------------------------------------------------------------- a module that breaks

test('a trap in the middle of a session keeps the user, and the pings go on', async (t) => {
  const { server, tabs } = await openSessions(t, 2, { session: { activeMs: 400 }, beforeLoad: withTraps });
  const { leader, followers } = await roles(tabs);
  for (const [trapIn, go] of /** @type {Array<[string, () => void]>} */ ([
    ['call', () => void window.app.api.get('/api/version')],
    ['session', () => void window.app.session.verify()],
    ['sessionHeard', () => {}],
  ])) {
    const before = await run(
      leader.page,
      (trapIn) => {
        window.trapIn = new RegExp(`^${trapIn}$`);
        return window.instances;
      },
      trapIn,
    );
    await run(leader.page, go);
    await followers[0].verify(); // which the one that traps hears of
    await until(() => run(leader.page, (before) => window.instances > before, before));
    await roles(tabs);
  }
  server.clear();
  await until(() => asked(server) >= 3);
  for (const tab of tabs) {
    const seen = await tab.states();
    assert.ok(seen.every(({ status, userKey }) => status === 'loading' || userKey === 'ada'));
    assert.deepEqual([await tab.ended(), await tab.changes()], [[], []]);
  }
  server.session = BEN;
  for (const tab of tabs) {
    await tab.is('authenticated', 'ben');
    assert.deepEqual(
      await tab.changes(),
      [{ from: 'ada', to: 'ben', now: 'ben' }],
      'who it was is remembered',
    );
  }
});

test('who waits for a check while the module traps is answered all the same', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { beforeLoad: withTraps });
  const [{ page }] = tabs;
  server.on(SESSION, [{ pass: true, delayMs: 500 }, 'pass']);
  server.clear();
  const verified = run(page, () => window.app.session.verify());
  await server.waitFor(SESSION);
  await run(page, () => {
    window.trapIn = /^call$/;
    window.app.api.get('/api/version');
  });
  assert.equal((await verified).status, 'authenticated');
});

test('a module that can be started no more leaves the session as it was, and verify() asks by itself', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { beforeLoad: withTraps });
  const [tab] = tabs;
  await run(tab.page, () => {
    window.refuses = true;
    window.trapIn = /^call$/;
    window.app.api.get('/api/version');
  });
  await until(() => run(tab.page, () => window.app.runtime.getSnapshot().status === 'failed'));
  assert.equal((await tab.state()).userKey, 'ada');
  server.session = null;
  assert.equal((await tab.verify()).status, 'unknown', 'one answer ends no session that lived');
  assert.equal((await tab.state()).userKey, 'ada');
  assert.deepEqual(await tab.ended(), []);
});

// ---------------------------------------------------------------- without the module

test('with WebAssembly blocked the session is asked once, and says who is signed in', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { headers: POLICY, session: { activeMs: 200 } });
  const [tab] = tabs;
  assert.deepEqual(
    [(await tab.state()).status, (await tab.state()).userKey, asked(server)],
    ['authenticated', 'ada', 1],
  );
  assert.ok(await quiet(() => asked(server), 600), 'and pings no more');
  server.session = 'broken';
  assert.deepEqual([(await tab.verify()).status, (await tab.state()).userKey], ['unknown', 'ada']);
  server.session = ADA;
  assert.equal((await tab.verify()).status, 'authenticated');
});

test('with WebAssembly blocked a first visit is signed out, and a session that lived is not ended by one answer', async (t) => {
  const { tabs, server } = await openSessions(t, 1, { headers: POLICY, says: null });
  assert.deepEqual([(await tabs[0].state()).status, await tabs[0].ended()], ['signedOut', []]);
  const lived = await openSessions(t, 1, { headers: POLICY, says: null, lived: true });
  assert.deepEqual([(await lived.tabs[0].state()).status, await lived.tabs[0].ended()], ['unknown', []]);
  assert.equal(asked(server), 1);
});

test('with WebAssembly blocked signOut works: accepted, and refused', async (t) => {
  const { server, context, tabs } = await openSessions(t, 1, { headers: POLICY, signedIn: 'ada' });
  const [tab] = tabs;
  const fault = server.on('/api/auth/csrf', { body: { csrfToken: 'another' } });
  assert.equal((await tab.signOut())?.kind, 'forbidden');
  assert.deepEqual([(await tab.state()).status, await tab.ended()], ['authenticated', []]);
  fault.off();
  assert.equal(await tab.signOut(), null);
  assert.deepEqual(
    [(await tab.state()).status, await tab.ended(), await cookie(context), await tab.mark()],
    ['signedOut', ['signOut'], null, null],
  );
});

// ---------------------------------------------------------------- storage and secrets

for (const [what, without] of /** @type {Array<[string, () => void]>} */ ([
  [
    'refuses to be looked at',
    () =>
      Object.defineProperty(window, 'localStorage', {
        get() {
          throw new DOMException('denied', 'SecurityError');
        },
      }),
  ],
  [
    'is full',
    () => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    },
  ],
  ['is not there', () => Object.defineProperty(window, 'localStorage', { value: undefined })],
])) {
  test(`a storage that ${what} changes nothing but that the next page knows of no session`, async (t) => {
    const { server, tabs } = await openSessions(t, 2, {
      beforeLoad: (page) => page.addInitScript(without),
      tabs: PATIENT_TABS,
    });
    for (const tab of tabs) assert.equal((await tab.state()).userKey, 'ada');
    server.session = null;
    server.clear();
    assert.equal((await tabs[1].verify()).status, 'signedOut');
    for (const tab of tabs) {
      await tab.is('signedOut');
      await until(async () => (await tab.ended()).length > 0);
      assert.deepEqual(await tab.ended(), ['expired']);
    }
    assert.equal(asked(server), 3, 'confirmed: it lived in this page');
  });
}

test('a listener that throws keeps the others from nothing', async (t) => {
  const { server, tabs } = await openSessions(t, 1);
  const [tab] = tabs;
  await run(tab.page, () => {
    const { session } = window.app;
    const fail = () => {
      throw new Error("the app's own");
    };
    session.subscribe(fail);
    session.onAccountChanged(fail);
    session.onSignedOut(fail);
    window.later = [];
    session.onAccountChanged(() => window.later.push('changed'));
    session.onSignedOut((/** @type {string} */ reason) => window.later.push(reason));
  });
  server.session = BEN;
  await tab.verify();
  server.session = null;
  assert.equal((await tab.verify()).status, 'signedOut');
  assert.deepEqual(await run(tab.page, () => window.later), ['changed', 'expired']);
  await run(tab.page, () => window.app.dispose());
  const { problems } = tab.page;
  await until(() => problems.length >= 4); // two changes, a switch and an end
  assert.ok(problems.every(({ text }) => text.includes("the app's own")));
  tab.page.problems.length = 0;
});

test('nothing of the session that may be secret is stored, posted to other tabs, logged or put in a diagnostic', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    says: {
      user: { id: 'secret-id', email: 'secret-mail@example.com' },
      expires: '2099-01-01T00:00:00.000Z',
      accessToken: 'SECRET-TOKEN',
      nested: { refreshToken: 'SECRET-TOKEN' },
    },
    session: { activeMs: 300 },
    config: () => ({
      session: { activeMs: 300, confirmAfterMs: 40 },
      tabs: { heartbeatMs: 250, takeoverMs: 750 },
      onNotice: (/** @type {any} */ notice) => (window.notices ??= []).push(notice),
    }),
    beforeLoad: (page) =>
      page.addInitScript(() => {
        window.posted = [];
        window.told = [];
        const { postMessage } = BroadcastChannel.prototype;
        BroadcastChannel.prototype.postMessage = function (message) {
          window.posted.push([this.name, message]);
          postMessage.call(this, message);
        };
      }),
  });
  for (const { page } of tabs)
    await run(page, () => window.app.on((/** @type {any} */ event) => window.told.push(event)));
  await roles(tabs);
  await until(() => asked(server) >= 4);
  server.on('/api/x', 401);
  await tabs[1].get('/api/x?token=SECRET-TOKEN');
  await tabs[0].signOut();
  const [csrf] = server.requestsTo('/api/auth/csrf');
  const [, token] = /=([\w-]+);/.exec(`${csrf.step?.headers?.['Set-Cookie']}`) ?? [];
  assert.ok(token);
  for (const { page } of tabs) {
    const { posted, ...kept } = await run(page, () => ({
      posted: window.posted,
      local: { ...localStorage },
      session: { ...sessionStorage },
      told: window.told,
      notices: window.notices,
      diagnostics: window.app.diagnostics(),
    }));
    assert.doesNotMatch(JSON.stringify(kept), /secret/i);
    assert.doesNotMatch(JSON.stringify(posted), /SECRET-TOKEN/, 'of the person no more than they are');
    assert.ok(!JSON.stringify([posted, kept]).includes(token));
    assert.doesNotMatch(page.messages.map(({ text }) => text).join('\n'), /secret/i);
  }
});

test('the mark says that somebody was signed in, and not who', async (t) => {
  const { tabs } = await openSessions(t, 1);
  assert.deepEqual(await run(tabs[0].page, () => ({ ...localStorage })), { [MARK]: '1' });
});

test('a page of this name and one of another keep a mark each', async (t) => {
  const { add, tabs } = await openSessions(t, 1);
  await add({ config: { name: 'other', session: QUICK, tabs: TABS } });
  const marks = () => run(tabs[0].page, () => Object.keys(localStorage).sort());
  await until(async () => (await marks()).length === 2);
  assert.deepEqual(await marks(), [MARK, 'evenkeel:1:other:session:/api/auth/session']);
});
