import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { get, serve } from './pages.mjs';
import {
  arrived,
  connections,
  ends,
  lastIds,
  listen,
  openStream,
  QUICK,
  quiet,
  requestsTo,
  stays,
  URL_PATH,
} from './streams.mjs';

const SESSION = '/api/auth/session';
const ADA = { user: { id: 'ada' } };
const BOB = { user: { id: 'bob' } };
const SIGN_IN = { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html><title>Sign in</title>' };
const config = { events: QUICK, session: { confirmAfterMs: 30, verifyTimeoutMs: 5_000 } };
const FIRST = 'id: 1\ndata: a\n\n';

/** As `openStream`, where Ada is signed in at first, and the session endpoint answers this from then on. @param {any} t @param {any} session @param {any} script @param {any} [more] */
async function signedIn(t, session, script, { config: given = config, options = {} } = {}) {
  const opened = await openStream(t, options, {
    config: given,
    page: { says: ADA },
    script: 404,
    url: '/api/none',
  });
  opened.server.session = session;
  opened.server.clear();
  opened.server.on('/api/stream', script);
  opened.server.on('/sign-in', SIGN_IN);
  return { ...opened, stream: await listen(opened.page, options, { url: '/api/stream' }) };
}
const asked = (server) => server.requestsTo(SESSION).length;
const streams = (server) => requestsTo(server, '/api/stream').length;

for (const [what, refusal] of /** @type {Array<[string, any]>} */ ([
  ['401', 401],
  ['HTML', SIGN_IN],
  ['a redirect to a sign-in page', { status: 302, headers: { Location: '/sign-in' } }],
])) {
  test(`${what} while somebody is signed in is tried again`, async (t) => {
    const { server, stream } = await signedIn(t, ADA, [refusal, refusal, stays(FIRST)]);
    await stream.heard(1);
    assert.ok(asked(server) >= 1);
    assert.equal(streams(server), 3);
    assert.deepEqual(await stream.log(), [
      ['open', 1],
      ['message', 'a'],
    ]);
  });
}

test('401 three times in a row, with a living session, closes', async (t) => {
  const { server, stream } = await signedIn(t, ADA, [401, ends(FIRST), 401, 401, 401]);
  const { error } = await stream.closed();
  assert.deepEqual([error.kind, error.status], ['forbidden', 401]);
  assert.equal(streams(server), 5, 'an opened stream in between starts the count anew');
  assert.deepEqual((await stream.log()).at(-1), ['error', 2]);
  assert.ok(await quiet(() => streams(server), 200));
});

test('HTML three times in a row, with a living session, closes as what it is', async (t) => {
  const { stream } = await signedIn(t, ADA, SIGN_IN);
  const { error } = await stream.closed();
  assert.deepEqual([error.kind, error.status], ['parse', 200]);
});

for (const [what, refusal] of /** @type {Array<[string, any]>} */ ([
  ['401', 401],
  ['HTML', SIGN_IN],
])) {
  test(`${what} once nobody is signed in closes: unauthenticated`, async (t) => {
    const { server, stream } = await signedIn(t, null, [ends(FIRST), refusal]);
    const { error } = await stream.closed();
    assert.equal(error.kind, 'unauthenticated');
    assert.equal(asked(server), 3, 'confirmed as ever');
    assert.deepEqual(await stream.log(), [
      ['open', 1],
      ['message', 'a'],
      ['error', 0],
      ['error', 2],
    ]);
  });

  test(`${what} while the session cannot be verified waits, and tries again`, async (t) => {
    const { server, stream } = await signedIn(t, 500, [refusal, refusal, stays(FIRST)]);
    await stream.heard(1);
    assert.deepEqual(
      (await stream.errors()).map(({ kind }) => kind),
      ['authUnknown', 'authUnknown'],
    );
    assert.equal(streams(server), 3);
  });

  test(`${what} without a session to ask waits, and tries again`, async (t) => {
    const { server, stream } = await signedIn(t, null, [refusal, refusal, refusal, refusal, stays(FIRST)], {
      config: { events: QUICK },
    });
    await stream.heard(1);
    assert.equal(asked(server), 0);
    assert.ok((await stream.errors()).every(({ kind }) => kind === 'authUnknown'));
  });
}

test('a captive portal that answers everything with its page is a failed attempt, until it lets go', async (t) => {
  const { server, stream } = await signedIn(t, 'html', [
    ends(FIRST),
    SIGN_IN,
    SIGN_IN,
    SIGN_IN,
    SIGN_IN,
    stays('id: 2\ndata: b\n\n'),
  ]);
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.deepEqual(lastIds(server, '/api/stream').at(-1), '1');
  assert.equal((await stream.state()).error, null);
});

test('a call and streams that meet a 401 at once ask the session once', async (t) => {
  const patient = {
    events: { ...QUICK, firstByteMs: 600_000 },
    session: { ...config.session, verifyTimeoutMs: 60_000 },
  };
  const { server, page, stream } = await signedIn(t, ADA, 'hang', { config: patient });
  const answer = held({ pass: true });
  server.on(SESSION, answer.step);
  server.on('/api/x', [401, { body: 1 }]);
  server.on('/api/stream', [ends(FIRST), 401, stays(':\n\n')]);
  await stream.reconnect();
  const call = get(page, '/api/x');
  // Both have their 401 before the session answers.
  await until(() => streams(server) === 3 && asked(server) === 1 && server.requestsTo('/api/x').length === 1);
  await arrived(page);
  answer.release();
  const result = await call;
  assert.equal(result.data, 1);
  await stream.opened(2);
  assert.equal(asked(server), 1);
});

test('401 from a foreign origin asks nobody about the session, and closes', async (t) => {
  const other = await serve(t, { cors: true });
  other.on(URL_PATH, 401);
  const { server, page } = await signedIn(t, ADA, 404);
  const stream = await listen(page, {}, { url: other.origin + URL_PATH, name: 'foreign' });
  const { error } = await stream.closed();
  assert.deepEqual([error.kind, error.status], ['authUnknown', 401]);
  assert.equal(asked(server), 0);
});

for (const type of ['application/json', 'text/plain', 'text/event-stream-not', null]) {
  test(`a 200 of type ${type} closes: parse`, async (t) => {
    const { server, stream } = await signedIn(t, ADA, {
      headers: { 'Content-Type': type },
      pieces: [{ data: FIRST }],
      stallAfterBytes: Number.POSITIVE_INFINITY,
    });
    const { error } = await stream.closed();
    assert.deepEqual([error.kind, error.status], ['parse', 200]);
    assert.deepEqual(await stream.log(), [['error', 2]]);
    await until(() => connections(server, '/api/stream') === 0);
  });
}

for (const type of [
  'text/event-stream; charset=utf-8',
  'Text/Event-Stream;charset=UTF-8',
  ' text/event-stream ;x',
]) {
  test(`a 200 of type '${type}' is a stream`, async (t) => {
    const { stream } = await signedIn(t, ADA, stays(FIRST, { headers: { 'Content-Type': type } }));
    await stream.heard(1);
  });
}

test('another status that is no failure is none of a stream, and closes', async (t) => {
  const { stream } = await signedIn(t, ADA, stays(FIRST, { status: 201 }));
  await stream.closed();
  assert.deepEqual(await stream.log(), [['error', 2]]);
});

test('when another user signs in, the stream is opened again as theirs, without the id of the one before', async (t) => {
  const { server, page, stream } = await signedIn(t, ADA, [
    stays(FIRST),
    stays('data: b\n\n'),
    stays(':\n\n'),
  ]);
  await stream.heard(1);
  server.session = BOB;
  server.on('/api/y', [401, { body: 1 }]);
  await get(page, '/api/y');
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.deepEqual(lastIds(server, '/api/stream'), [null, null]);
  assert.deepEqual((await stream.events())[1].id, '');
  await until(() => connections(server, '/api/stream') === 1);
});

test('an account switch leaves streams to foreign origins alone', async (t) => {
  const other = await serve(t, { cors: true });
  other.on(URL_PATH, stays(FIRST));
  const { server, page } = await signedIn(t, ADA, 404);
  const stream = await listen(page, {}, { url: other.origin + URL_PATH, name: 'foreign' });
  await stream.heard(1);
  for (const who of [ADA, BOB]) {
    server.session = who;
    server.on('/api/x', [401, { body: 1 }]);
    await get(page, '/api/x');
  }
  assert.ok(await quiet(() => requestsTo(other).length, 200));
  assert.equal(await run(page, () => window.foreign.source.readyState), 1);
});
