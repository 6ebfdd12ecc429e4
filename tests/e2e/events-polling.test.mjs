import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { EventFeed, retryAfter } from '../server/fault-server.mjs';
import { serve } from './pages.mjs';
import { arrived, connections, ends, listen, openStream, quiet, stays, URL_PATH } from './streams.mjs';

const POLL = '/api/poll';
/** Streaming does not get through: no headers, again and again. */
const BLOCKED = 'hang';
const options = {
  firstByteMs: 120,
  backoff: { baseMs: 10, maxMs: 40 },
  poll: { url: POLL, intervalMs: 60 },
};

/** A stream whose server is also there to be polled. @param {any} t @param {{ script?: any, more?: object, prepare?: (server: any, feed: EventFeed) => void }} [how] */
async function blocked(t, { script = BLOCKED, more = {}, prepare } = {}) {
  const opened = await openStream(t, {}, { script: 404, url: '/api/none' });
  const { server, page } = opened;
  const feed = new EventFeed();
  server.on(POLL, feed.poll);
  server.on('/api/stream', typeof script === 'function' ? script(feed) : script);
  prepare?.(server, feed);
  const stream = await listen(page, { ...options, ...more }, { url: '/api/stream', types: ['named'] });
  return { ...opened, feed, stream };
}

test('where headers never come, twice, polling brings the events', async (t) => {
  const { server, feed, stream } = await blocked(t);
  const { isConnected, error } = await stream.is('polling');
  assert.deepEqual([isConnected, error, await stream.readyState()], [true, null, 1]);
  const faults = await stream.faults();
  assert.ok(faults.length >= 2 && faults.every(([kind]) => kind === 'timeout'), `${faults}`);
  await server.waitFor('/api/stream', { count: 2 });
  feed.send('a');
  feed.send({ event: 'named', data: 'b' });
  await stream.heard(2);
  assert.deepEqual(await stream.events(), [
    { type: 'message', data: 'a', id: '1' },
    { type: 'named', data: 'b', id: '2' },
  ]);
  const [request] = server.requestsTo(POLL);
  assert.deepEqual([request.method, request.headers['last-event-id']], ['GET', undefined]);
  assert.match(request.headers.accept, /json/);
});

test('an answer that stays without a byte for watchdogMs, twice, is as good as none', async (t) => {
  const { feed, stream } = await blocked(t, { script: stays(''), more: { watchdogMs: 200 } });
  await stream.is('polling');
  feed.send('a');
  await stream.heard(1);
});

test('one silent connection is bad luck', async (t) => {
  const { server, stream } = await blocked(t, {
    script: (feed) => ['hang', feed.stream],
    more: { firstByteMs: 2_000 },
  });
  await stream.opened();
  assert.equal(server.requestsTo(POLL).length, 0);
});

test('a server that answers with failures is not polled: streaming gets through', async (t) => {
  const { server } = await blocked(t, {
    script: [503, 'hang', 503, 'hang', 503, 500, 'cut'],
    more: { firstByteMs: 1_500 },
  });
  await server.waitFor('/api/stream', { count: 7 });
  assert.equal(server.requestsTo(POLL).length, 0);
});

test('without `poll` nothing is polled', async (t) => {
  const { server } = await blocked(t, { more: { poll: false } });
  await server.waitFor('/api/stream', { count: 4 });
  assert.equal(server.requestsTo(POLL).length, 0);
});

test('polls ask from the last id, with the query that the URL has, and the stream’s own headers and credentials', async (t) => {
  const { server, page, feed, stream } = await blocked(t, {
    more: {
      poll: { url: `${POLL}?room=7&x=a%20b`, intervalMs: 60 },
      headers: { Authorization: 'Bearer t' },
      lastEventId: 'ü 1',
    },
  });
  await page.context().addCookies([{ name: 'who', value: 'ada', url: server.origin }]);
  await stream.is('polling');
  const [first] = server.requestsTo(POLL);
  assert.deepEqual(first.query, [
    ['room', '7'],
    ['x', 'a b'],
    ['lastEventId', 'ü 1'],
  ]);
  assert.equal(first.headers.authorization, 'Bearer t');
  await until(() => server.requestsTo(POLL).some(({ headers }) => headers.cookie === 'who=ada'));
  feed.send('a');
  await stream.heard(1);
  await until(() => server.requestsTo(POLL).at(-1)?.queryValue('lastEventId') === '1');
  await page.context().clearCookies();
});

test('polls come at their interval, with jitter on top', async (t) => {
  const { server, stream } = await blocked(t, { more: { poll: { url: POLL, intervalMs: 300 } } });
  await stream.is('polling');
  await server.waitFor(POLL, { count: 4 });
  const times = server.requestsTo(POLL).map(({ at }) => at);
  for (let i = 1; i < 4; i++)
    assert.ok(times[i] - times[i - 1] >= 290, `${times.map((at) => at - times[0])}`);
});

test("polling retires at a stream's first byte, and nothing is missed or told twice", async (t) => {
  let passes = false;
  const { server, feed, stream } = await blocked(t, {
    script: (feed) => () => (passes ? feed.stream() : { hang: true }),
    more: { firstByteMs: 500 },
  });
  await stream.is('polling');
  for (let i = 1; i <= 5; i++) feed.send(`${i}`);
  await stream.heard(5);
  passes = true;
  await stream.is('open');
  const polls = server.requestsTo(POLL).length;
  for (let i = 6; i <= 10; i++) feed.send(`${i}`);
  assert.deepEqual(await stream.heard(10), ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']);
  assert.ok(await quiet(() => server.requestsTo(POLL).length, 300));
  assert.ok(server.requestsTo(POLL).length <= polls + 1);
  assert.equal(await stream.fired('open'), 1, 'it was open all the time');
  assert.equal(server.requestsTo('/api/stream').at(-1)?.headers['last-event-id'], '5');
});

test('a stream that opens and stays silent does not end the polling', async (t) => {
  const { server, feed, stream } = await blocked(t, {
    script: ['hang', 'hang', stays('')],
    more: { watchdogMs: 5_000 },
  });
  await stream.is('polling');
  await server.waitFor('/api/stream', { count: 3 });
  feed.send('a');
  await stream.heard(1);
  const polls = server.requestsTo(POLL).length;
  await server.waitFor(POLL, { count: polls + 2 });
  assert.equal((await stream.state()).status, 'polling');
});

test('what the stream told before is not told again by the first poll', async (t) => {
  const told = (...ids) => ids.map((id) => ({ id, data: id }));
  const { server, stream } = await blocked(t, {
    // Told again as long as it has not come through.
    script: () => (request) =>
      request.headers['last-event-id'] === '2' ? 'hang' : ends('id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n'),
    more: { firstByteMs: 500 },
    prepare: (server) =>
      server.on(POLL, [
        { body: { events: told('1', '2', '3'), lastEventId: '3' } },
        { body: { events: [], lastEventId: '3' } },
      ]),
  });
  assert.deepEqual(await stream.heard(3), ['1', '2', '3']);
  assert.equal(server.requestsTo(POLL)[0].queryValue('lastEventId'), '2');
  assert.equal((await stream.stats()).duplicates, 2);
});

test('a poll without events says how far the server is', async (t) => {
  const { server, stream } = await blocked(t, {
    prepare: (server) => server.on(POLL, { body: { events: [], lastEventId: '41' } }),
  });
  await stream.is('polling');
  await server.waitFor(POLL, { count: 2 });
  assert.equal(server.requestsTo(POLL)[1].queryValue('lastEventId'), '41');
  assert.equal((await stream.stats()).lastEventId, '41');
});

test('polls that fail are told once each, back off, and go on', async (t) => {
  const { server, feed, stream } = await blocked(t, {
    prepare: (server, feed) =>
      server.on(POLL, [feed.poll, 503, 'cut', { body: 'no JSON' }, { body: { events: 1 } }, feed.poll]),
  });
  await stream.is('polling');
  feed.send('a');
  await stream.heard(1);
  assert.ok(server.requestsTo(POLL).length >= 6);
  const kinds = (await stream.errors()).map(({ kind }) => kind);
  assert.ok(kinds.includes('unavailable'), `${kinds}`);
  assert.equal((await stream.state()).status, 'polling');
});

test('a Retry-After of a poll is waited for', async (t) => {
  const { server } = await blocked(t, {
    prepare: (server, feed) =>
      server.on(POLL, [{ status: 429, retryAfter: retryAfter.ms(1_000) }, feed.poll]),
  });
  await server.waitFor(POLL, { count: 2 });
  const [first, second] = server.requestsTo(POLL);
  assert.ok(second.at - first.at >= 990, `${second.at - first.at}`);
});

test('a poll URL that does not exist is asked once, and streaming is tried on', async (t) => {
  const { server, stream } = await blocked(t, {
    script: (feed) => ['hang', 'hang', 'hang', 'hang', feed.stream],
    more: { firstByteMs: 300 },
    prepare: (server) => server.on(POLL, 404),
  });
  await stream.opened();
  assert.equal(server.requestsTo(POLL).length, 1);
});

test('close() ends a poll that is out', async (t) => {
  const { server, page, stream } = await blocked(t, { prepare: (server) => server.on(POLL, 'hang') });
  const poll = await server.waitFor(POLL);
  await stream.close();
  await until(() => poll.closedEarlyAt);
  await arrived(page);
  await until(() => connections(server, '/api/stream') === 0);
  assert.ok(await quiet(() => server.requests.length, 300));
});

test('a listener that closes in the middle of a poll hears no more', async (t) => {
  const { server, page, feed, stream } = await blocked(t);
  await stream.is('polling');
  await run(page, () => window.stream.source.addEventListener('message', () => window.stream.source.close()));
  server.on(POLL, {
    body: {
      events: [
        { id: '1', data: 'a' },
        { id: '2', data: 'b' },
      ],
      lastEventId: '2',
    },
  });
  feed.send('a');
  await stream.closed();
  assert.deepEqual(await stream.data(), ['a']);
});

test('polls to another origin carry cookies only with withCredentials', async (t) => {
  const other = await serve(t, { cors: true });
  const feed = other.feed('/none', { pollPath: POLL });
  other.on(URL_PATH, 'hang');
  const { page, feed: _ } = await blocked(t);
  for (const withCredentials of [false, true]) {
    other.clear();
    await page.context().addCookies([{ name: 'who', value: 'ada', url: other.origin }]);
    const stream = await listen(
      page,
      { ...options, withCredentials, poll: { url: other.origin + POLL, intervalMs: 60 } },
      { url: other.origin + URL_PATH, name: 'foreign' },
    );
    await stream.is('polling');
    await other.waitFor(POLL, { count: 3 });
    assert.equal(other.requestsTo(POLL).at(-1)?.headers.cookie !== undefined, withCredentials);
    feed.send('a');
    await stream.heard(1);
    assert.equal(await run(page, () => window.foreign.events[0].data), 'a');
    await stream.close();
    await page.context().clearCookies();
  }
});
