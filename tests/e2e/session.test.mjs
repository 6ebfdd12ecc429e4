import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { answered, failure, gaps, get, open, post, request, serve } from './pages.mjs';

const SESSION = '/api/auth/session';
const ADA = { user: { id: 'ada' } };
/** Ada is known to be signed in when the test begins. */
const KNOWN = { says: ADA };
const ON = { session: { confirmAfterMs: 40, verifyTimeoutMs: 5_000 } };
const SIGN_IN = '<!doctype html><title>Sign in</title>';

/** How often the session was asked, but for what is asked again by itself, half a second after it could not be told. @param {import('../server/fault-server.mjs').FaultServer} server */
const askedFor401 = (server) => {
  const asks = server.requestsTo(SESSION);
  return asks.filter(({ at }, i) => i === 0 || at - asks[i - 1].at < 490).length;
};

test('a 401 while somebody is still signed in is sent once more', async (t) => {
  const { server, page } = await open(t, ON);
  server.session = ADA;
  server.on('/api/x', [401, { body: 'welcome' }]);
  const result = await get(page, '/api/x');
  assert.deepEqual([result.data, result.meta.attempts], ['welcome', 2]);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/x', SESSION, '/api/x'],
  );
  const [asked] = server.requestsTo(SESSION);
  assert.equal(asked.method, 'GET');
  assert.equal(asked.headers['cache-control'], 'no-cache', 'past every cache');
});

test('a POST without a key is sent once more too, whole', async (t) => {
  const { server, page } = await open(t, ON);
  server.session = ADA;
  server.on('/api/x', [401, 503]);
  const error = failure(await post(page, '/api/x', { a: 1 }));
  assert.deepEqual([error.kind, error.attempts], ['unavailable', 2]);
  assert.deepEqual(
    server.requestsTo('POST /api/x').map(({ body }) => body),
    ['{"a":1}', '{"a":1}'],
  );
});

test('a 401 again with a living session is forbidden', async (t) => {
  const { server, page } = await open(t, ON);
  server.session = ADA;
  server.on('/api/x', { status: 401, headers: { 'X-Request-Id': 'r1' }, body: { code: 'no' } });
  const result = await get(page, '/api/x');
  const { kind, status, attempts, retryable, requestId, body } = failure(result);
  assert.deepEqual([kind, status, attempts, retryable], ['forbidden', 401, 2, false]);
  assert.deepEqual([requestId, body, result.headers['x-request-id']], ['r1', { code: 'no' }, 'r1']);
  assert.deepEqual([server.requestsTo('/api/x').length, server.requestsTo(SESSION).length], [2, 1]);
});

for (const nobody of [null, {}, 401]) {
  test(`${JSON.stringify(nobody)} from the session endpoint, three times, is unauthenticated`, async (t) => {
    const { server, page } = await open(t, ON, KNOWN);
    server.session = nobody;
    server.on('/api/x', { status: 401, headers: { 'X-Request-Id': 'r1' }, body: { code: 'who' } });
    const error = failure(await get(page, '/api/x'));
    assert.deepEqual(
      [error.kind, error.status, error.attempts, error.retryable, error.requestId, error.body],
      ['unauthenticated', 401, 1, false, 'r1', { code: 'who' }],
    );
    const asked = server.requestsTo(SESSION);
    assert.equal(asked.length, 3);
    const [first, second] = gaps(asked);
    assert.ok(first >= 38 && second >= 198, `asked after ${first} and ${second} ms`);
    assert.equal(server.requestsTo('/api/x').length, 1, 'not sent again');
  });
}

test('where nobody was known to be signed in, one answer is enough', async (t) => {
  const { server, page } = await open(t, ON);
  server.on('/api/x', { status: 401, body: { code: 'who' } });
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.body], ['unauthenticated', { code: 'who' }]);
  assert.equal(server.requestsTo(SESSION).length, 1);
});

test('the body of a 401 is there, however fast the session is verified', async (t) => {
  const { server, page } = await open(t, ON);
  server.on('/api/x', { status: 401, body: { code: 'who' }, bodyDelayMs: 300 });
  assert.deepEqual(failure(await get(page, '/api/x')).body, { code: 'who' });
});

test('how often signed-out answers are confirmed can be set', async (t) => {
  const { server, page } = await open(t, { session: { ...ON.session, confirmations: 1 } }, KNOWN);
  server.session = null;
  server.on('/api/x', 401);
  assert.equal(failure(await get(page, '/api/x')).kind, 'unauthenticated');
  assert.equal(server.requestsTo(SESSION).length, 1);
});

test('a session that is back before it was confirmed gone logs nobody out', async (t) => {
  const { server, page } = await open(t, ON, KNOWN);
  server.session = [null, null, ADA];
  server.on('/api/x', [401, { body: 'welcome back' }]);
  assert.equal((await get(page, '/api/x')).data, 'welcome back');
  assert.equal(server.requestsTo(SESSION).length, 3);
});

for (const broken of ['broken', 'html', 'hang', 500, 503, 404, 429, { user: null }]) {
  test(`a session endpoint that answers ${JSON.stringify(broken)} leaves authUnknown, and nobody is logged out`, async (t) => {
    const given = broken === 'hang' ? { session: { verifyTimeoutMs: 1_000 } } : ON;
    const { server, page } = await open(t, given, KNOWN);
    await until(() => run(page, () => window.app.session.getSnapshot().status === 'authenticated'));
    server.clear();
    server.session = broken;
    server.on('/api/x', { status: 401, body: { code: 'who' } });
    const error = failure(await get(page, '/api/x'));
    const { kind, status, attempts, retryable, body } = error;
    assert.deepEqual(
      [kind, status, attempts, retryable, body],
      ['authUnknown', 401, 1, true, { code: 'who' }],
    );
    assert.deepEqual([server.requestsTo('/api/x').length, askedFor401(server)], [1, 1]);
  });
}

test('a session endpoint that is cut off, or answers no JSON, leaves authUnknown', async (t) => {
  const { server, page } = await open(t, ON);
  server.on('/api/x', 401);
  for (const step of /** @type {any[]} */ (['cut', { body: '{"user":' }, { body: '' }])) {
    server.on(SESSION, step);
    assert.equal(failure(await get(page, '/api/x')).kind, 'authUnknown');
  }
});

test('an answer that cannot be trusted after a signed-out one leaves authUnknown', async (t) => {
  const { server, page } = await open(t, ON, KNOWN);
  server.session = [null, 'broken'];
  server.on('/api/x', 401);
  assert.equal(failure(await get(page, '/api/x')).kind, 'authUnknown');
  assert.equal(askedFor401(server), 2);
});

for (const off of [undefined, false]) {
  test(`session: ${off} makes a 401 authUnknown, and no session request`, async (t) => {
    const { server, page } = await open(t, off === undefined ? {} : { session: off });
    server.session = ADA;
    server.on('/api/x', { status: 401, body: { code: 'who' } });
    const error = failure(await get(page, '/api/x'));
    assert.deepEqual([error.kind, error.status, error.body], ['authUnknown', 401, { code: 'who' }]);
    assert.deepEqual([server.requestsTo('/api/x').length, server.requestsTo(SESSION).length], [1, 0]);
  });
}

test('many 401s at once ask the session once, and are all sent again', async (t) => {
  const { server, page } = await open(t, { session: { verifyTimeoutMs: 60_000 } });
  server.session = ADA;
  const answer = held('pass');
  server.on(SESSION, answer.step);
  const seen = new Set();
  server.on('/api/x/*', ({ path }) => {
    if (seen.has(path)) return { body: path };
    seen.add(path);
    return 401;
  });
  const calls = run(page, () =>
    Promise.all(Array.from({ length: 12 }, (_, n) => window.app.api.get(`/api/x/${n}`))),
  );
  await answered(page, 401, 12);
  answer.release();
  const results = await calls;
  assert.deepEqual(
    results.map((/** @type {any} */ { data }) => data),
    Array.from({ length: 12 }, (_, n) => `/api/x/${n}`),
  );
  assert.deepEqual([server.requestsTo('/api/x/*').length, server.requestsTo(SESSION).length], [24, 1]);
});

test('a slot is not held during a session check', async (t) => {
  const { server, page } = await open(t, { session: { verifyTimeoutMs: 60_000 }, api: { maxConcurrent: 1 } });
  server.session = ADA;
  const answer = held('pass');
  server.on(SESSION, answer.step);
  server.on('/api/x', [401, 204]);
  const first = get(page, '/api/x');
  await server.waitFor(SESSION);
  assert.equal((await get(page, '/api/version')).ok, true);
  answer.release();
  assert.equal((await first).ok, true);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/x', SESSION, '/api/version', '/api/x'],
  );
});

test('an abort during a session check ends the call, and nothing is sent after it', async (t) => {
  const { server, page } = await open(t, ON);
  server.session = ADA;
  const answer = held('pass');
  server.on(SESSION, answer.step);
  server.on('/api/x', 401);
  const call = run(page, () => {
    const control = new AbortController();
    Object.assign(window, { control });
    return window.app.api.get('/api/x', { signal: control.signal });
  });
  const asked = await server.waitFor(SESSION);
  await run(page, () => /** @type {any} */ (window).control.abort());
  assert.equal(failure(await call).kind, 'aborted');
  answer.release();
  await until(() => asked.endedAt ?? asked.closedEarlyAt);
  assert.equal((await get(page, '/api/version')).ok, true);
  assert.equal(server.requestsTo('/api/x').length, 1);
});

test('a session check counts for the deadline', async (t) => {
  const { server, page } = await open(t, { session: { verifyTimeoutMs: 60_000 } });
  server.session = 'hang';
  server.on('/api/x', 401);
  const result = await get(page, '/api/x', { deadlineMs: 250 });
  assert.equal(failure(result).kind, 'timeout');
  assert.ok(result.meta.durationMs < 30_000);
});

test('HTML where data was asked for is checked as a 401 is: signed in, once more, then parse', async (t) => {
  const { server, page } = await open(t, ON);
  server.session = ADA;
  const html = { headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: SIGN_IN };
  server.on('/api/x', [html, { body: 'data' }]);
  assert.equal((await get(page, '/api/x')).data, 'data');
  assert.deepEqual([server.requestsTo('/api/x').length, server.requestsTo(SESSION).length], [2, 1]);

  server.clear();
  server.on('/api/x', html);
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.attempts, error.retryable], ['parse', 200, 2, false]);
  assert.deepEqual([server.requestsTo('/api/x').length, server.requestsTo(SESSION).length], [2, 1]);

  server.session = null;
  assert.equal(failure(await get(page, '/api/x')).kind, 'unauthenticated');
  server.session = 'broken';
  assert.equal(failure(await get(page, '/api/x')).kind, 'authUnknown');
});

test('a redirect to a sign-in page is checked as a 401 is', async (t) => {
  const { server, page } = await open(t, ON, KNOWN);
  server.session = null;
  server.on('/sign-in', { headers: { 'Content-Type': 'text/html' }, body: SIGN_IN });
  server.on('/api/x', { status: 302, headers: { Location: '/sign-in' } });
  for (const parse of ['auto', 'json', 'text', 'blob']) {
    server.clear();
    const error = failure(await get(page, '/api/x', { parse }));
    assert.deepEqual([error.kind, error.attempts], ['unauthenticated', 1], parse);
    // Once it is over, one answer says so.
    assert.equal(server.requestsTo(SESSION).length, parse === 'auto' ? 3 : 1);
  }
  server.session = ADA;
  server.on('/api/x', [{ status: 302, headers: { Location: '/sign-in' } }, { body: 'data' }]);
  assert.equal((await get(page, '/api/x')).data, 'data');
});

test('a redirect to data is no sign-in page', async (t) => {
  const { server, page } = await open(t, ON);
  server.on('/api/x', { status: 302, headers: { Location: '/api/version' } });
  assert.deepEqual((await get(page, '/api/x')).data, { version: 'v1' });
  assert.equal(server.requestsTo(SESSION).length, 0);
});

test('HTML that was asked for is no sign-in page', async (t) => {
  const { server, page } = await open(t, ON);
  server.on('/api/x', { headers: { 'Content-Type': 'text/html' }, body: SIGN_IN });
  assert.equal((await get(page, '/api/x', { parse: 'text' })).data, SIGN_IN);
  const text = await run(page, async () => (await window.app.api.fetch('/api/x')).text());
  assert.equal(text, SIGN_IN);
  assert.equal(server.requestsTo(SESSION).length, 0);
});

test('HTML where data was asked for is a parse failure without a session', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { headers: { 'Content-Type': 'text/html' }, body: SIGN_IN });
  const error = failure(await get(page, '/api/x'));
  assert.deepEqual([error.kind, error.status, error.attempts], ['parse', 200, 1]);
});

test('a 401, or HTML, from an origin that is not trusted asks no session', async (t) => {
  const stranger = await serve(t, { cors: true });
  const { server, page } = await open(t, ON);
  server.session = null;
  stranger.on('/api/401', { status: 401, body: { code: 'who' } });
  stranger.on('/api/html', { headers: { 'Content-Type': 'text/html' }, body: SIGN_IN });
  const error = failure(await get(page, `${stranger.origin}/api/401`));
  assert.deepEqual([error.kind, error.status, error.body], ['authUnknown', 401, { code: 'who' }]);
  assert.equal(failure(await get(page, `${stranger.origin}/api/html`)).kind, 'parse');
  assert.equal(server.requestsTo(SESSION).length + stranger.requestsTo(SESSION).length, 0);
});

test('a 401 from a trusted origin asks the session of the page', async (t) => {
  const friend = await serve(t, { cors: true });
  const { server, page } = await open(t, { ...ON, api: { trustedOrigins: [friend.origin] } });
  server.session = ADA;
  friend.on('/api/x', [401, { body: 'welcome' }]);
  assert.equal((await get(page, `${friend.origin}/api/x`)).data, 'welcome');
  assert.equal(server.requestsTo(SESSION).length, 1);
});

test('403, 5xx, timeouts and a broken connection never touch the session', async (t) => {
  const { server, page } = await open(t, { ...ON, api: { retries: 0, breaker: false } });
  server.session = null;
  for (const [fault, kind] of /** @type {const} */ ([
    [403, 'forbidden'],
    [404, 'notFound'],
    [429, 'rateLimited'],
    [500, 'server'],
    [503, 'unavailable'],
    ['cut', 'network'],
    ['hang', 'timeout'],
  ])) {
    server.on('/api/x', fault);
    const options = fault === 'hang' ? { timeoutMs: 150 } : {};
    assert.equal(failure(await request(page, 'PUT', '/api/x', {}, options)).kind, kind);
  }
  assert.equal(server.requestsTo(SESSION).length, 0);
});

test('an endpoint of another shape is read by parse and identify', async (t) => {
  const own = await serve(t);
  const ada = { body: { login: 'ada' } };
  own.on('/api/me', [ada, ada, { body: { login: null } }]);
  const { server, page } = await open(
    t,
    () => ({
      session: {
        endpoint: '/api/me',
        confirmations: 1,
        parse: (/** @type {any} */ body) => (body.login ? { user: body.login, expires: null } : null),
        identify: (/** @type {any} */ body) => body.login,
      },
    }),
    { server: own },
  );
  server.on('/api/x', [401, { body: 'welcome' }, 401]);
  assert.equal((await get(page, '/api/x')).data, 'welcome');
  assert.equal(failure(await get(page, '/api/x')).kind, 'unauthenticated');
  assert.deepEqual([server.requestsTo('/api/me').length, server.requestsTo(SESSION).length], [2, 0]);
});
