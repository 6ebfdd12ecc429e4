import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { StabilityError } from '../../js/errors.js';
import type { SessionConfig, StabilityConfig } from '../../js/types.js';
import {
  ADA,
  type Asked,
  CHANGED,
  ENDED,
  errorOf,
  givenBrowser,
  givenTab,
  json,
  LEAVE,
  ORIGIN,
  SIGN_OUT,
  SIGNED_OUT,
  settled,
} from './session-world.js';

const SESSION = '/api/auth/session';
const CSRF = '/api/auth/csrf';
const SIGNOUT = '/api/auth/signout';

type Answers = Partial<Record<string, (request: Asked) => Response | Promise<Response>>>;

/** Ada is signed in, at a server that lets her go. */
async function given(
  t: TestContext,
  answers: Answers = {},
  session: SessionConfig = {},
  config: StabilityConfig = {},
) {
  const browser = givenBrowser(t);
  browser.answer = (request) =>
    answers[request.path]?.(request) ??
    json({ [SESSION]: ADA, [CSRF]: { csrfToken: 'c0ffee' }, [SIGNOUT]: { url: `${ORIGIN}/` } }[request.path]);
  const tab = givenTab(session, config);
  await tab.learns();
  browser.asked.length = tab.told.length = 0;
  const reasons: string[] = [];
  tab.keeper.onSignedOut((reason) => reasons.push(reason));
  return { browser, tab, reasons };
}

/** A body that begins, and does not end. */
const breaks = (): ReadableStream =>
  new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"url":')),
    pull: (controller) => controller.error(new TypeError('broken')),
  });

/** What the engine does once the server has decided. */
function ends(tab: ReturnType<typeof givenTab>): void {
  const { session } = tab.engine;
  tab.engine.session = (...what) => {
    session(...what);
    if (what[0] === SIGNED_OUT && what[1] === 1) tab.host.toldSession(ENDED!, 1, 0);
  };
}

test('the server is asked when the engine says so, and all callers are told together', async (t) => {
  const { browser, tab, reasons } = await given(t);
  ends(tab);
  const results = [tab.keeper.signOut(), tab.keeper.signOut()];
  await settled();
  assert.deepEqual(tab.told, [[SIGN_OUT, 0, 0, 0]]);
  assert.equal(browser.asked.length, 0, 'a ping may still be out');
  tab.host.toldSession(LEAVE!, 0, 0);
  await Promise.all(results);
  assert.deepEqual(tab.told.at(-1), [SIGNED_OUT, 1, 0, 0]);
  assert.deepEqual([reasons, tab.now().status, tab.now().user], [['signOut'], 'signedOut', null]);
  assert.deepEqual(tab.notices, [], 'who signs out knows');
});

test('it is Auth.js’ way: its token, then its form', async (t) => {
  const { browser, tab } = await given(t);
  tab.keeper.signOut();
  tab.host.toldSession(LEAVE!, 0, 0);
  await settled();
  const [csrf, signout] = browser.asked as [Asked, Asked];
  assert.deepEqual([csrf.method, csrf.path], ['GET', CSRF]);
  assert.deepEqual([signout.method, signout.path], ['POST', SIGNOUT]);
  assert.equal(signout.headers.get('x-auth-return-redirect'), '1');
  const form = Object.fromEntries(new URLSearchParams(signout.body));
  assert.deepEqual(form, { csrfToken: 'c0ffee', callbackUrl: ORIGIN, json: 'true' });
});

test('the token and the form stand beside the endpoint where that is Auth.js’, else where Auth.js has them', async (t) => {
  for (const [endpoint, folder] of [
    ['/shop/api/auth/session/', '/shop/api/auth/'],
    ['/auth/session', '/auth/'],
    ['https://login.example.com/session', '/api/auth/'],
    ['me', '/api/auth/'],
  ] as const) {
    const { browser, tab } = await given(t, {}, { endpoint });
    browser.answer = () => json({ csrfToken: 'x', url: `${ORIGIN}/` });
    tab.keeper.signOut();
    tab.host.toldSession(LEAVE!, 0, 0);
    await settled();
    assert.deepEqual(
      browser.asked.map(({ path }) => path),
      [`${folder}csrf`, `${folder}signout`],
    );
  }
});

for (const [what, answers, kind, status] of [
  [
    'version 4 refuses',
    { [SIGNOUT]: () => json({ url: `${ORIGIN}${SIGNOUT}?csrf=true` }) },
    'forbidden',
    200,
  ],
  [
    'version 5 refuses',
    { [SIGNOUT]: () => json({ url: `${ORIGIN}/api/auth/signin?error=MissingCSRF` }) },
    'forbidden',
    200,
  ],
  [
    'version 5 cannot do it',
    { [SIGNOUT]: () => json({ url: `${ORIGIN}/api/auth/error?error=Configuration` }) },
    'forbidden',
    200,
  ],
  ['the token is forbidden', { [CSRF]: () => json({}, { status: 403 }) }, 'forbidden', 403],
  ['the form is forbidden', { [SIGNOUT]: () => json({}, { status: 400 }) }, 'forbidden', 400],
  ['there is no such endpoint', { [CSRF]: () => json({}, { status: 404 }) }, 'forbidden', 404],
  ['it asks too often', { [CSRF]: () => json({}, { status: 429 }) }, 'rateLimited', 429],
  ['the server is broken', { [SIGNOUT]: () => json({}, { status: 500 }) }, 'server', 500],
  ['the server is away', { [SIGNOUT]: () => json({}, { status: 503 }) }, 'unavailable', 503],
  ['there is no way', { [SIGNOUT]: () => Promise.reject(new TypeError('no route')) }, 'network', 0],
  ['nobody answers', { [CSRF]: () => new Promise<Response>(() => {}) }, 'timeout', 0],
  ['the answer breaks off', { [SIGNOUT]: () => new Response(breaks()) }, 'network', 0],
  ['the token is a page', { [CSRF]: () => new Response('<!doctype html>') }, 'parse', 200],
  ['the token is none', { [CSRF]: () => json({ csrfToken: 7 }) }, 'parse', 200],
  ['the token is nothing', { [CSRF]: () => json(null) }, 'parse', 200],
  ['the answer is a page', { [SIGNOUT]: () => new Response('<!doctype html>') }, 'parse', 200],
  ['the answer says nothing', { [SIGNOUT]: () => json({}) }, 'parse', 200],
] as const) {
  test(`when ${what}, nobody is signed out: ${kind}`, async (t) => {
    const { tab, reasons } = await given(t, answers as Answers, { verifyTimeoutMs: 50 });
    const result = errorOf(tab.keeper.signOut());
    tab.host.toldSession(LEAVE!, 0, 0);
    const error = await result;
    assert.deepEqual([error.kind, error.status], [kind, status]);
    assert.match(error.url, /^https:\/\/app\.example\.com\/api\/auth\/(csrf|signout)$/);
    assert.deepEqual(tab.told.at(-1), [SIGNED_OUT, 0, 0, 0]);
    assert.deepEqual([reasons, tab.now().status, tab.now().userKey], [[], 'authenticated', 'ada']);
  });
}

test('who is offline is told so', async (t) => {
  const { tab } = await given(t, { [CSRF]: () => Promise.reject(new TypeError('no network')) });
  Object.defineProperty(navigator, 'onLine', { value: false });
  const result = errorOf(tab.keeper.signOut());
  tab.host.toldSession(LEAVE!, 0, 0);
  assert.equal((await result).kind, 'offline');
  const { tab: other } = await given(t, { [CSRF]: () => new Response('<html>') });
  const answered = errorOf(other.keeper.signOut());
  Object.defineProperty(navigator, 'onLine', { value: false });
  other.host.toldSession(LEAVE!, 0, 0);
  assert.equal((await answered).kind, 'parse', 'the server was there');
});

test('a page whose own address looks like a refusal can be left', async (t) => {
  const { tab } = await given(t);
  const href = `${ORIGIN}/login?error=MissingCSRF`;
  Object.defineProperty(globalThis, 'location', { value: { href }, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'location'));
  const { tab: there } = await given(t, { [SIGNOUT]: () => json({ url: href }) });
  const result = there.keeper.signOut();
  there.host.toldSession(LEAVE!, 0, 0);
  await result;
  tab.dispose();
});

test('a hook that throws is the app’s', async (t) => {
  const cause = new Error('boom');
  const { tab } = await given(
    t,
    {},
    {},
    {
      api: {
        onRequest(request) {
          if (request.url.endsWith(CSRF)) throw cause;
        },
      },
    },
  );
  const result = errorOf(tab.keeper.signOut());
  tab.host.toldSession(LEAVE!, 0, 0);
  const error = await result;
  assert.deepEqual([error.kind, error.cause], ['invalid', cause]);
});

test('the app can sign out in its own way', async (t) => {
  const { browser, tab } = await given(t, {}, { signOut: async () => {} });
  const result = tab.keeper.signOut();
  tab.host.toldSession(LEAVE!, 0, 0);
  await result;
  assert.equal(browser.asked.length, 0);
  assert.deepEqual(tab.told.at(-1), [SIGNED_OUT, 1, 0, 0]);
});

test('what the app’s own way rejects with is what the caller gets', async (t) => {
  const refused = new StabilityError('forbidden', { status: 403 });
  const boom = new Error('boom');
  for (const [signOut, kind, cause] of [
    [() => Promise.reject(refused), 'forbidden', undefined],
    [() => Promise.reject(boom), 'invalid', boom],
    [
      () => {
        throw boom;
      },
      'invalid',
      boom,
    ],
    [() => new Promise<void>(() => {}), 'timeout', 'late'],
  ] as const) {
    const { tab, reasons } = await given(t, {}, { signOut }, { api: { deadlineMs: 20 } });
    const result = errorOf(tab.keeper.signOut());
    tab.host.toldSession(LEAVE!, 0, 0);
    const error = await result;
    assert.equal(error.kind, kind);
    if (cause !== 'late') assert.equal(error.cause, cause);
    assert.deepEqual([reasons, tab.now().status], [[], 'authenticated']);
  }
});

test('after a refusal it can be tried again', async (t) => {
  let refuses = true;
  const { tab } = await given(t, {
    [SIGNOUT]: () => json({ url: refuses ? `${ORIGIN}/?csrf=true` : `${ORIGIN}/` }),
  });
  ends(tab);
  const first = errorOf(tab.keeper.signOut());
  tab.host.toldSession(LEAVE!, 0, 0);
  assert.equal((await first).kind, 'forbidden');
  refuses = false;
  const second = tab.keeper.signOut();
  tab.host.toldSession(LEAVE!, 0, 0);
  await second;
  assert.equal(tab.now().status, 'signedOut');
});

test('while somebody signs out here nothing is asked that could revive the cookie', async (t) => {
  const { browser, tab } = await given(t);
  tab.keeper.signOut();
  await tab.asks();
  assert.equal(browser.asked.length, 0);
});

test('a module that traps meanwhile asks the server once', async (t) => {
  const { browser, tab, reasons } = await given(t);
  const result = tab.keeper.signOut();
  tab.trapped();
  tab.runs();
  assert.deepEqual(tab.told, [
    [SIGN_OUT, 0, 0, 0],
    [SIGN_OUT, 0, 0, 0],
  ]);
  tab.host.toldSession(LEAVE!, 0, 0);
  tab.trapped();
  tab.runs();
  tab.host.toldSession(LEAVE!, 0, 0);
  await result;
  assert.deepEqual(
    browser.asked.map(({ path }) => path),
    [CSRF, SIGNOUT],
  );
  assert.deepEqual([reasons, tab.now().status], [['signOut'], 'signedOut'], 'whatever the new engine knows');
});

test('without an engine the session ends here, mark and all', async (t) => {
  const { browser, tab, reasons } = await given(t, {}, { bridgeNextAuth: true });
  const heard = browser.overhear('next-auth');
  browser.storage.set('evenkeel:1:evenkeel:session:/api/auth/session', '1');
  tab.fails();
  await tab.keeper.signOut();
  assert.deepEqual([reasons, tab.now().status, tab.now().user], [['signOut'], 'signedOut', null]);
  assert.equal(browser.storage.size, 0);
  await settled();
  assert.equal(heard.length, 1, 'Auth.js is told');
});

test('a module that is slow to come does not hold a sign-out', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = ({ path }) => json(path === CSRF ? { csrfToken: 'x' } : { url: `${ORIGIN}/` });
  const tab = givenTab({ initialSession: ADA }, { startTimeoutMs: 5 }, 'starting');
  await tab.keeper.signOut();
  assert.equal(tab.now().status, 'signedOut');
});

test('who wants to know while somebody signs out without an engine is told afterwards', async (t) => {
  const { browser, tab } = await given(t, { [SESSION]: () => json(null) });
  tab.fails();
  const leaving = tab.keeper.signOut();
  const verifying = tab.keeper.verify();
  await leaving;
  assert.equal((await verifying).status, 'signedOut');
  assert.deepEqual(
    browser.asked.map(({ path }) => path),
    [CSRF, SIGNOUT, SESSION],
  );
});

test('a client that ends rejects what it cannot finish', async (t) => {
  const { browser, tab } = await given(t, { [CSRF]: () => new Promise<Response>(() => {}) });
  const result = errorOf(tab.keeper.signOut());
  tab.host.toldSession(LEAVE!, 0, 0);
  await settled();
  tab.dispose();
  assert.equal((await result).kind, 'aborted');
  assert.ok(browser.asked[0]!.signal.aborted);
});

test('what is told of a sign-out that nobody began does nothing', async (t) => {
  const { browser, tab } = await given(t);
  tab.host.toldSession(LEAVE!, 0, 0);
  tab.host.toldSession(CHANGED!, 0, 0);
  tab.host.toldSession(99, 0, 0);
  await settled();
  assert.equal(browser.asked.length, 0);
  assert.equal(tab.now().status, 'authenticated');
});
