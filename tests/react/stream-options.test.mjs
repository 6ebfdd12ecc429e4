/** What opens a stream anew, and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { EventFeed } from '../server/fault-server.mjs';
import { aWhile, openStreams, URL_PATH } from './streams.mjs';

test('functions and options that are new in each render, and equal, reconnect nothing', async (t) => {
  const options = { headers: { 'X-A': 'a' }, poll: { url: '/api/poll' }, withCredentials: true };
  const { feed, stream, asked, give } = await openStreams(t, { says: 'render 0', options });
  await stream.opened();
  for (let n = 1; n <= 20; n++) await give({ says: `render ${n}`, options: { ...options } });
  feed.send('1');
  assert.deepEqual(await until(async () => (await stream.heard())[0]), ['render 20', 1, 'message']);
  await give({ says: 'render 21', options });
  feed.send('2');
  assert.deepEqual(await until(async () => (await stream.heard())[1]), ['render 21', 2, 'message']);
  await aWhile();
  assert.deepEqual([asked(), feed.connections], [1, 1]);
});

for (const [what, before, after] of /** @type {Array<[string, any, any]>} */ ([
  ['where to go on from', { lastEventId: '1' }, { lastEventId: '2' }],
  ['how messages are read', { parse: 'json' }, { parse: 'text' }],
  ['the type that is heard', { event: 'message' }, { event: 'order' }],
]))
  test(`another option for ${what} reconnects nothing`, async (t) => {
    const { stream, asked, give } = await openStreams(t, { options: before });
    await stream.opened();
    await give({ options: after });
    await aWhile();
    assert.equal(asked(), 1);
  });

for (const [
  what,
  before,
  after,
  sent,
] of /** @type {Array<[string, any, any, (request: any) => unknown]>} */ ([
  ['headers', { headers: { 'X-A': 'a' } }, { headers: { 'X-A': 'b' } }, ({ headers }) => headers['x-a']],
  ['a method', { body: undefined }, { method: 'POST', body: 'b' }, ({ method, body }) => method + body],
  ['a body', { method: 'POST', body: 'a' }, { method: 'POST', body: 'b' }, ({ body }) => body],
  ['a watchdog', { watchdogMs: 60_000 }, { watchdogMs: 70_000 }, () => null],
]))
  test(`another value for ${what} opens the stream anew, once`, async (t) => {
    const { server, feed, stream, asked, give } = await openStreams(t, { options: before });
    await stream.opened();
    feed.send('1');
    await stream.shows({ lastMessage: 1 });
    await give({ options: after });
    await server.waitFor(URL_PATH, { count: 2 });
    await stream.shows({ status: 'open', lastMessage: null, reconnects: 0 });
    await until(() => feed.connections === 1);
    await give({ options: structuredClone(after) });
    await aWhile();
    const [first, second, ...more] = server.requestsTo(URL_PATH);
    assert.deepEqual([more, asked()], [[], 2]);
    if (sent(first) !== null) assert.notEqual(sent(first), sent(second));
  });

test('headers by a function are asked of the latest one, at the next connection', async (t) => {
  const { server, stream, asked, give } = await openStreams(t, { token: 'one' });
  await stream.opened();
  await give({ token: 'two' });
  await aWhile();
  assert.equal(asked(), 1);
  await stream.reconnect();
  await server.waitFor(URL_PATH, { count: 2 });
  assert.deepEqual(
    server.requestsTo(URL_PATH).map(({ headers }) => headers['x-token']),
    ['one', 'two'],
  );
});

test('where to go on from is sent with the first connection', async (t) => {
  const { server, stream } = await openStreams(t, { options: { lastEventId: '41' } });
  await stream.opened();
  assert.equal(server.requestsTo(URL_PATH)[0].headers['last-event-id'], '41');
});

test('another URL is another stream, which has no message yet; null is none', async (t) => {
  const other = new EventFeed();
  const { server, feed, stream, asked, give } = await openStreams(
    t,
    {},
    {
      ready: (server) => server.on('/api/other', other.stream),
    },
  );
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });

  await give({ url: '/api/other' });
  await stream.shows({ status: 'open', lastMessage: null });
  await until(() => feed.connections === 0 && other.connections === 1);
  other.send('2');
  await stream.shows({ lastMessage: 2 });

  await give({ url: null });
  await stream.shows({ status: 'closed', isConnected: false, error: null, lastMessage: null });
  await until(() => other.connections === 0);
  other.send('3');

  await give({ url: '/api/other' });
  await stream.shows({ status: 'open', lastMessage: null });
  await until(() => other.connections === 1);
  other.send('4');
  await stream.shows({ lastMessage: 4 });
  assert.deepEqual([asked(), server.requestsTo('/api/other').length], [1, 2]);
});

test('a component that begins without a URL asks for nothing', async (t) => {
  const { stream, asked, give } = await openStreams(t, { url: null });
  await stream.shows({ status: 'closed' });
  assert.deepEqual(await stream.stats(), { lastEventId: '', received: 0, duplicates: 0, lastByteAt: null });
  await aWhile();
  assert.equal(asked(), 0);
  await give({});
  await stream.opened();
  assert.equal(asked(), 1);
});
