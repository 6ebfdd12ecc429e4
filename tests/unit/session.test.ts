import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPeople } from '../../js/people.js';
import {
  ADA,
  ANSWERED,
  BOB,
  ENDED,
  EXPIRES,
  errorOf,
  givenBrowser,
  givenTab,
  json,
  LOADING,
  MARK,
  NEXT,
  SWITCHED,
  settled,
  UNKNOWN,
  VERIFIED,
  VERIFY,
} from './session-world.js';

const MARK_NAME = 'evenkeel:1:evenkeel:session:/api/auth/session';

test('with the session off it is unknown, nobody is asked, and nobody can be signed out', async (t) => {
  const { asked } = givenBrowser(t);
  const { keeper, starts, told } = givenTab(false);
  const unknown = { status: 'unknown', user: null, userKey: null, expires: null, role: 'follower' };
  assert.deepEqual(keeper.getSnapshot(), unknown);
  assert.deepEqual(keeper.getServerSnapshot(), unknown);
  keeper.subscribe(() => {})();
  assert.deepEqual(await keeper.verify(), unknown);
  const error = await errorOf(keeper.signOut());
  assert.equal(error.kind, 'invalid');
  assert.match(String(error.cause), /session/);
  assert.deepEqual([asked.length, starts, told.length], [0, 0, 0]);
});

test('to look at the session starts nothing; to use it does', (t) => {
  givenBrowser(t);
  const tab = givenTab();
  tab.now();
  tab.keeper.getServerSnapshot();
  tab.keeper.lastVerifiedAt;
  assert.equal(tab.starts, 0);
  for (const use of [
    (one: typeof tab) => one.keeper.subscribe(() => {}),
    (one: typeof tab) => one.keeper.onSignedOut(() => {}),
    (one: typeof tab) => one.keeper.onAccountChanged(() => {}),
    (one: typeof tab) => void one.keeper.verify(),
    (one: typeof tab) => void one.keeper.signOut(),
  ]) {
    const one = givenTab();
    use(one);
    assert.equal(one.starts, 1, String(use));
  }
});

test('it is loading until the server has answered, and then who the server says', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const tab = givenTab();
  assert.deepEqual(tab.now(), {
    status: 'loading',
    user: null,
    userKey: null,
    expires: null,
    role: 'follower',
  });
  const before = Date.now();
  assert.equal(tab.keeper.lastVerifiedAt, null);
  await tab.learns();
  assert.deepEqual(tab.lastAnswer(), [1, EXPIRES, -1]);
  const { user, expires } = { user: ADA.user, expires: EXPIRES };
  assert.deepEqual(tab.now(), { status: 'authenticated', user, userKey: 'ada', expires, role: 'leader' });
  assert.ok(tab.keeper.lastVerifiedAt! >= before);
  assert.equal(tab.keeper.getServerSnapshot().status, 'loading', 'as it was rendered');
  const [{ method, path }] = browser.asked as [(typeof browser.asked)[0]];
  assert.equal(`${method} ${path}`, 'GET /api/auth/session');
});

const NOBODY = -2;
const CANNOT_TELL = -1;
for (const [what, answer, number, retryAfterMs = -1] of [
  ['null', () => json(null), NOBODY],
  ['{}', () => json({}), NOBODY],
  ['401', () => json({ user: { id: 1 } }, { status: 401 }), NOBODY],
  ['a user that is null', () => json({ user: null }), CANNOT_TELL],
  ['an error body', () => json({ error: 'database' }), CANNOT_TELL],
  ['500', () => json(null, { status: 500 }), CANNOT_TELL],
  ['404', () => json(null, { status: 404 }), CANNOT_TELL],
  ['204', () => new Response(null, { status: 204 }), CANNOT_TELL],
  ['HTML', () => new Response('null', { headers: { 'Content-Type': 'text/html' } }), CANNOT_TELL],
  ['half an answer', () => new Response('{"user":'), CANNOT_TELL],
  ['no answer', () => Promise.reject(new TypeError('no route')), CANNOT_TELL],
  ['429', () => new Response('', { status: 429, headers: { 'Retry-After': '7' } }), CANNOT_TELL, 7_000],
  ['503', () => new Response('', { status: 503, headers: { 'retry-after-ms': '70' } }), CANNOT_TELL, 70],
  ['503 with a word', () => new Response('', { status: 503, headers: { 'Retry-After': 'x' } }), CANNOT_TELL],
] as const) {
  test(`${what} says ${number === NOBODY ? 'that nobody is signed in' : 'nothing of who is signed in'}`, async (t) => {
    const browser = givenBrowser(t);
    browser.answer = answer;
    const tab = givenTab();
    await tab.asks();
    assert.deepEqual(tab.told, [[ANSWERED, number, -1, retryAfterMs]]);
    assert.equal(tab.keeper.lastVerifiedAt, null);
  });
}

test('an endpoint that hangs is waited for no longer than verifyTimeoutMs', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => new Promise(() => {});
  const tab = givenTab({ verifyTimeoutMs: 20 });
  await tab.asks();
  assert.deepEqual(tab.lastAnswer(), [CANNOT_TELL, -1, -1]);
});

test('a question that is ended tells the engine nothing', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const tab = givenTab();
  const control = new AbortController();
  const asking = tab.asks(control.signal);
  control.abort();
  assert.equal(await asking, -3);
  assert.deepEqual(tab.told, []);
  assert.equal(tab.keeper.lastVerifiedAt, null);
});

test('who it is can be said by the app', async (t) => {
  const browser = givenBrowser(t);
  const keyOf = async (body: unknown, session: object): Promise<unknown> => {
    browser.answer = () => json(body);
    const tab = givenTab(session);
    await tab.learns();
    return tab.now().userKey;
  };
  assert.equal(await keyOf({ user: { sub: 7 } }, {}), '7');
  assert.equal(await keyOf({ user: { email: 'a@example.com' } }, {}), 'a@example.com');
  for (const user of ['ada', 7, true, { id: { of: 'ada' } }]) assert.equal(await keyOf({ user }, {}), null);
  assert.equal(await keyOf({ who: 5, user: {} }, { identify: (body: { who: number }) => body.who }), '5');
  const parse = (body: { me: unknown }) => body.me && { user: body.me, expires: 60_000 };
  assert.equal(await keyOf({ me: { id: 'ada' } }, { parse }), 'ada');
  assert.equal(await keyOf({ me: null }, { parse }), null);
});

test('what the app reads from a body counts, and what it throws says nothing', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json({ user: { id: 1 }, error: 'expired' });
  const boom = () => {
    throw new Error('boom');
  };
  for (const [session, number] of [
    [{ parse: () => null }, NOBODY],
    [{ parse: boom }, CANNOT_TELL],
    [{ identify: boom }, CANNOT_TELL],
    [{ identify: () => null }, 0],
  ] as const) {
    const tab = givenTab(session);
    await tab.asks();
    assert.equal(tab.lastAnswer()[0], number);
  }
});

test('expires is a moment, or nothing', async (t) => {
  const browser = givenBrowser(t);
  for (const [expires, moment] of [
    [EXPIRES, EXPIRES],
    ['soon', -1],
    [undefined, -1],
    [{}, -1],
    [1e20, -1],
  ] as const) {
    browser.answer = () => json({ ...ADA, expires });
    const tab = givenTab();
    await tab.asks();
    assert.equal(tab.lastAnswer()[1], moment);
  }
});

test('the snapshot stays the identical object until something changes, and so does the user', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab();
  browser.answer = () => json(ADA);
  await tab.learns();
  const first = tab.now();
  let changes = 0;
  tab.keeper.subscribe(() => changes++);
  await tab.asks();
  assert.equal(tab.now(), first);
  browser.answer = () => json({ ...ADA, expires: EXPIRES + 60_000 });
  await tab.asks();
  assert.equal(tab.now().expires, EXPIRES + 60_000);
  assert.equal(tab.now().user, first.user);
  browser.answer = () => json({ ...ADA, user: { id: 'ada', name: 'Ada L.' } });
  await tab.asks();
  assert.deepEqual(tab.now().user, { id: 'ada', name: 'Ada L.' });
  assert.equal(changes, 2);
  assert.deepEqual(
    tab.told.map(([, user]) => user),
    [1, 1, 1, 1],
    'the same person all the time',
  );
});

test('when another person takes the place of one, listeners already see who it is now', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab();
  browser.answer = () => json(ADA);
  await tab.learns();
  const heard: unknown[] = [];
  tab.keeper.onAccountChanged((change) => heard.push([change, tab.now().userKey]));
  browser.answer = () => json(BOB);
  await tab.asks();
  tab.host.toldSession(SWITCHED!, 1, 2);
  assert.deepEqual(heard, [[{ from: 'ada', to: 'bob' }, 'bob']]);
  assert.deepEqual(
    tab.notices.map(({ kind, level }) => [kind, level]),
    [['accountChanged', 'warning']],
  );
});

for (const [number, reason, kinds] of [
  [0, 'expired', ['signedOut warning']],
  [1, 'signOut', []],
  [2, 'otherTab', ['signedOut info']],
] as const) {
  test(`the end of a session is told once, and why: ${reason}`, async (t) => {
    const browser = givenBrowser(t);
    const tab = givenTab();
    browser.answer = () => json(ADA);
    await tab.learns();
    const heard: unknown[] = [];
    const end = tab.keeper.onSignedOut((why) => heard.push([why, tab.now().status, tab.now().user]));
    tab.host.toldSession(ENDED!, number, 0);
    assert.deepEqual(heard, [[reason, 'signedOut', null]]);
    assert.deepEqual(
      tab.notices.map(({ kind, level }) => `${kind} ${level}`),
      kinds,
    );
    end();
    tab.host.toldSession(ENDED!, number, 0);
    assert.equal(heard.length, 1);
  });
}

test('a mark without a name remembers that a session was alive, and goes with it', (t) => {
  const { storage } = givenBrowser(t);
  const tab = givenTab();
  const lived = (one: typeof tab) => one.numbers()[4];
  assert.equal(lived(tab), 0);
  tab.host.toldSession(MARK!, 1, 0);
  assert.deepEqual([...storage], [[MARK_NAME, '1']]);
  assert.equal(lived(tab), 1);
  assert.equal(lived(givenTab()), 1, 'on the next page too');
  assert.equal(lived(givenTab({}, { name: 'another' })), 0, 'of this app');
  tab.host.toldSession(MARK!, 0, 0);
  assert.deepEqual([storage.size, lived(tab)], [0, 0]);
});

test('where storage throws, every visit is the first', (t) => {
  givenBrowser(t);
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get() {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  const tab = givenTab();
  assert.equal(tab.numbers()[4], 0);
  tab.host.toldSession(MARK!, 1, 0);
  assert.equal(tab.numbers()[4], 1, 'this page remembers');
});

test('the engine begins with what is configured', (t) => {
  givenBrowser(t);
  const times = { activeMs: 1_000, idleMs: 2_000, idleAfterMs: 3_000 };
  assert.deepEqual(givenTab(times).numbers(), [1_000, 2_000, 3_000, 28_800_000, 0, -1, -1, 0]);
  assert.deepEqual(givenTab({ ...times, stopAfterIdleMs: false }).numbers()[3], -1);
});

test('a page that was rendered with a session begins with it, and asks nobody', (t) => {
  const { asked } = givenBrowser(t);
  const tab = givenTab({ initialSession: ADA });
  const { status, userKey, expires } = tab.now();
  assert.deepEqual([status, userKey, expires], ['authenticated', 'ada', EXPIRES]);
  assert.equal(tab.keeper.getServerSnapshot(), tab.now());
  assert.deepEqual(tab.numbers().slice(4, 7), [0, 1, EXPIRES]);
  assert.equal(asked.length, 0);
});

test('a page that was rendered for nobody begins signed out, and still asks', (t) => {
  givenBrowser(t);
  for (const initialSession of [null, {}]) {
    const tab = givenTab({ initialSession });
    assert.equal(tab.now().status, 'signedOut');
    assert.equal(tab.keeper.getServerSnapshot().status, 'signedOut');
    assert.equal(tab.numbers()[5], -1);
    tab.host.showSession(LOADING!, -1, true);
    assert.deepEqual([tab.now().status, tab.now().role], ['signedOut', 'leader']);
  }
});

test('an initial session that says nothing is as none', (t) => {
  givenBrowser(t);
  const parse = () => {
    throw new Error('boom');
  };
  for (const session of [{ initialSession: { user: null } }, { initialSession: ADA, parse }])
    assert.equal(givenTab(session).now().status, 'loading');
});

test('all who want to know wait for one verdict, and see it', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab();
  browser.answer = () => json(ADA);
  const results = [tab.keeper.verify(), tab.keeper.verify()];
  assert.deepEqual(tab.told, [
    [VERIFY, 0, 0, 0],
    [VERIFY, 0, 0, 0],
  ]);
  tab.host.toldSession(VERIFIED!, 0, 0); // the engine may say so before it shows it
  await tab.learns();
  for (const { userKey } of await Promise.all(results)) assert.equal(userKey, null);
  const later = tab.keeper.verify();
  tab.host.toldSession(VERIFIED!, 0, 0);
  assert.equal((await later).userKey, 'ada');
});

test('who wants to know before there is an engine is heard when it runs', async (t) => {
  givenBrowser(t);
  const tab = givenTab({}, {}, 'starting');
  const result = tab.keeper.verify();
  assert.deepEqual(tab.told, []);
  tab.runs();
  assert.deepEqual(tab.told, [[VERIFY, 0, 0, 0]]);
  tab.host.showSession(UNKNOWN!, -1, true);
  tab.host.toldSession(VERIFIED!, 2, 0);
  assert.equal((await result).status, 'unknown');
  assert.equal(tab.keeper.lastVerifiedAt, null);
});

test('an engine that takes the place of one that trapped begins with who is signed in, and asks again for who waits', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab();
  browser.answer = () => json(ADA);
  await tab.learns();
  tab.host.toldSession(MARK!, 1, 0);
  tab.keeper.verify();
  tab.trapped();
  assert.deepEqual(tab.numbers().slice(4, 7), [1, 1, EXPIRES]);
  tab.told.length = 0;
  tab.runs();
  assert.deepEqual(tab.told, [[VERIFY, 0, 0, 0]]);
  assert.equal(tab.now().status, 'authenticated');
});

test('an engine that begins with somebody of whom the last one was not sure asks', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab();
  browser.answer = () => json(ADA);
  await tab.learns();
  tab.host.showSession(UNKNOWN!, 1, true);
  assert.deepEqual([tab.now().status, tab.now().userKey], ['unknown', 'ada'], 'the last user stays');
  tab.trapped();
  assert.equal(tab.numbers()[5], 1);
  tab.told.length = 0;
  tab.runs();
  assert.deepEqual(tab.told, [[VERIFY, 0, 0, 0]]);
});

for (const [what, answer, marked, status] of [
  ['a user', ADA, false, 'authenticated'],
  ['nobody on a first visit', null, false, 'signedOut'],
  ['nobody where somebody was', null, true, 'unknown'],
  ['nothing', { user: null }, false, 'unknown'],
] as const) {
  test(`without an engine one answer is enough for ${what}: ${status}`, async (t) => {
    const browser = givenBrowser(t);
    if (marked) browser.storage.set(MARK_NAME, '1');
    browser.answer = () => json(answer);
    const tab = givenTab({}, {}, 'starting');
    tab.keeper.subscribe(() => {});
    tab.fails();
    const verifying = tab.keeper.verify();
    assert.equal((await verifying).status, status);
    assert.equal(browser.asked.length, 1, 'one for both');
    assert.equal(browser.storage.has(MARK_NAME), marked || status === 'authenticated');
  });
}

test('without an engine nobody who was signed in is signed out by an answer', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab({ initialSession: ADA }, {}, 'failed');
  tab.keeper.subscribe(() => {});
  await settled();
  assert.equal(browser.asked.length, 0);
  const { status, userKey } = await tab.keeper.verify();
  assert.deepEqual([status, userKey], ['unknown', 'ada']);
});

test('a module that failed before anybody looked at the session asks when somebody does', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const tab = givenTab({}, {}, 'starting');
  tab.fails();
  await settled();
  assert.equal(browser.asked.length, 0);
  tab.keeper.subscribe(() => {});
  await settled();
  assert.equal(tab.now().status, 'authenticated');
});

test('a module that is slow to come does not hold the page', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const tab = givenTab({}, { startTimeoutMs: 5 }, 'starting');
  const { status } = await tab.keeper.verify();
  assert.equal(status, 'authenticated');
  assert.deepEqual(tab.numbers().slice(5, 7), [1, EXPIRES], 'the engine begins with it');
  tab.runs();
  assert.deepEqual(tab.told, []);
  tab.keeper.verify();
  assert.deepEqual(tab.told, [[VERIFY, 0, 0, 0]], 'from now on the engine asks');
  assert.equal(browser.asked.length, 1);
});

test('a module that comes in time asks by itself', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab({}, { startTimeoutMs: 10 }, 'starting');
  tab.keeper.subscribe(() => {});
  tab.runs();
  await new Promise((go) => setTimeout(go, 30));
  assert.equal(browser.asked.length, 0);
});

test('a question that is out when the engine comes is the engine’s to ask', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => new Promise(() => {});
  const tab = givenTab({}, { startTimeoutMs: 1 }, 'starting');
  const verifying = tab.keeper.verify();
  while (!browser.asked.length) await new Promise((go) => setTimeout(go, 2));
  tab.runs();
  assert.ok(browser.asked[0]!.signal.aborted);
  assert.deepEqual(tab.told, [[VERIFY, 0, 0, 0]]);
  assert.equal(tab.now().status, 'loading');
  tab.host.toldSession(VERIFIED!, 2, 0);
  await verifying;
});

test('diagnostics tell how it stands, and no name, key or token', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json({ ...ADA, accessToken: 'secret' });
  const tab = givenTab();
  await tab.learns();
  tab.host.toldSession(NEXT!, 1_900_000_000_000, 0);
  tab.host.toldSession(NEXT!, -1, 0);
  browser.answer = () => json(BOB);
  await tab.asks();
  tab.host.toldSession(SWITCHED!, 1, 2);
  tab.host.toldSession(ENDED!, 0, 0);
  const { events, counters } = tab.diagnostics.snapshot();
  assert.deepEqual(
    events.map(({ at, ...event }) => event),
    [
      { type: 'ping', found: 'user' },
      { type: 'session', status: 'authenticated', role: 'leader' },
      { type: 'nextPing', dueAt: 1_900_000_000_000 },
      { type: 'nextPing', dueAt: null },
      { type: 'ping', found: 'user' },
      { type: 'accountChanged' },
      { type: 'signedOut', reason: 'expired' },
    ],
  );
  assert.equal(counters.sessionRequests, 2);
  const all = JSON.stringify([events, tab.notices, [...browser.storage]]);
  assert.doesNotMatch(all, /ada|bob|secret/i);
});

test('very many people are not remembered', () => {
  const people = createPeople();
  const personOf = (id: number) => ({ key: `${id}`, user: null, expires: null });
  const numbers = Array.from({ length: 1_000 }, (_, id) => people.meet(personOf(id), 1));
  assert.ok(numbers.filter((number) => people.at(number)).length <= 100);
  assert.equal(people.at(1)!.key, '0', 'but who is here');
  assert.equal(people.at(numbers.at(-1)!)!.key, '999');
});

test('a page that meets very many people forgets who is not here', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab();
  browser.answer = () => json(ADA);
  await tab.learns();
  for (let id = 0; id < 300; id++) {
    browser.answer = () => json({ user: { id } });
    await tab.asks();
  }
  tab.host.showSession(UNKNOWN!, 1, true);
  assert.equal(tab.now().userKey, 'ada');
  const numbers = new Set(tab.told.map(([, user]) => user));
  assert.equal(numbers.size, 301, 'none is taken for another');
});

test('after dispose nothing is asked, and nobody waits', async (t) => {
  const browser = givenBrowser(t);
  const tab = givenTab({}, {}, 'starting');
  const verifying = tab.keeper.verify();
  tab.dispose();
  tab.dispose();
  assert.equal((await verifying).status, 'loading');
  assert.equal((await tab.keeper.verify()).status, 'loading');
  assert.equal((await errorOf(tab.keeper.signOut())).kind, 'aborted');
  tab.keeper.subscribe(() => {});
  await settled();
  assert.deepEqual([browser.asked.length, browser.channels.size, tab.starts], [0, 0, 1]);
});
