/** Streams in components: from the first message to the last. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { GENERATIONS } from './pages.mjs';
import { aWhile, openStreams, ShownStream, URL_PATH } from './streams.mjs';

for (const react of GENERATIONS) {
  test(`React ${react}: a stream opens with its component, shows the last message, and is closed with it`, async (t) => {
    const { feed, stream, asked, give } = await openStreams(t, { says: 'heard' }, { react });
    assert.equal((await stream.statuses())[0], 'connecting');
    await stream.opened();
    const { lastMessage } = await stream.shows({ status: 'open', isConnected: true, error: null });
    assert.equal(lastMessage, null);
    feed.send('{"order":1}');
    await stream.shows({ lastMessage: { order: 1 } });
    feed.send('{"order":2}');
    await stream.shows({ lastMessage: { order: 2 } });
    assert.deepEqual(await stream.heard(), [
      ['heard', { order: 1 }, 'message'],
      ['heard', { order: 2 }, 'message'],
    ]);
    await give([]);
    await until(() => feed.connections === 0);
    assert.equal(asked(), 1);
  });

  test(`React ${react}: in StrictMode there is one connection, and each message is heard once`, async (t) => {
    const { page, feed, stream, asked, give } = await openStreams(t, [], { react, strict: true });
    await until(() => run(page, () => window.app?.ready.then(() => true)));
    await run(page, () => {
      const { events } = window.app;
      window.made = 0;
      window.app.events = (...args) => {
        window.made++;
        return events(...args);
      };
    });
    await give({ says: 'heard' });
    await stream.opened();
    feed.send('1');
    await stream.shows({ lastMessage: 1 });
    await aWhile();
    assert.deepEqual(await stream.messages(1), [1]);
    assert.deepEqual([asked(), feed.connections], [1, 1]);
    assert.equal(await run(page, () => window.made), 1);
  });
}

test('data that is JSON is given as such, and all else as text', async (t) => {
  const { feed, stream } = await openStreams(t, { says: 'heard' });
  await stream.opened();
  for (const data of ['{"a":[1]}', '5', 'true', 'null', '"quoted"', 'plain text', '{"cut":', ''])
    feed.send(data);
  assert.deepEqual(await stream.messages(8), [
    { a: [1] },
    5,
    true,
    null,
    'quoted',
    'plain text',
    '{"cut":',
    '',
  ]);
  assert.equal((await stream.shows({ lastMessage: '' })).error, null);
});

test('text is given as it is', async (t) => {
  const { feed, stream } = await openStreams(t, { says: 'heard', options: { parse: 'text' } });
  await stream.opened();
  feed.send('{"a":1}');
  feed.send('two\nlines');
  assert.deepEqual(await stream.messages(2), ['{"a":1}', 'two\nlines']);
});

test('where JSON is expected, what is none is no message: it is an error until the next good one', async (t) => {
  const { feed, stream } = await openStreams(t, { says: 'heard', options: { parse: 'json' } });
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1, error: null });
  feed.send('<html>');
  const { status, isConnected } = await stream.shows({ lastMessage: 1, error: 'parse' });
  assert.deepEqual([status, isConnected], ['open', true]);
  feed.send('2');
  await stream.shows({ lastMessage: 2, error: null });
  assert.deepEqual(await stream.messages(2), [1, 2]);
  const { received } = await stream.stats();
  assert.equal(received, 3);
});

test('events of the type that is asked for are heard, and no others', async (t) => {
  const { feed, stream, asked, give } = await openStreams(t, {
    says: 'heard',
    options: { event: 'order' },
  });
  await stream.opened();
  feed.send('"a message"');
  feed.send({ event: 'order', data: '1' });
  await stream.shows({ lastMessage: 1 });
  await give({ says: 'heard', options: { event: 'bill' } });
  feed.send({ event: 'order', data: '2' });
  feed.send({ event: 'bill', data: '3' });
  await stream.shows({ lastMessage: 3 });
  await give({ says: 'heard' });
  feed.send('4');
  await stream.shows({ lastMessage: 4 });
  assert.deepEqual(await stream.heard(), [
    ['heard', 1, 'order'],
    ['heard', 3, 'bill'],
    ['heard', 4, 'message'],
  ]);
  assert.equal(asked(), 1);
});

test('the last message stays over a reconnect, and reconnect() and stats() are those of the stream', async (t) => {
  const { feed, stream, asked } = await openStreams(t);
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  await stream.reconnect();
  await stream.shows({ status: 'open', reconnects: 1, lastMessage: 1 });
  assert.equal(asked(), 2);
  const { lastEventId, received, lastByteAt } = await stream.stats();
  assert.deepEqual([lastEventId, received, lastByteAt > 0], ['1', 1, true]);
});

test('a component that lives through a restart of the server says so, and misses nothing', async (t) => {
  const { server, feed, stream } = await openStreams(t, { says: 'heard' });
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  await server.refuse();
  await stream.shows({ status: 'waiting', isConnected: false, error: 'network', lastMessage: 1 });
  feed.send('2');
  await server.accept();
  const { reconnects } = await stream.shows({
    status: 'open',
    isConnected: true,
    error: null,
    lastMessage: 2,
  });
  assert.equal(reconnects, 1);
  assert.deepEqual(await stream.messages(2), [1, 2]);
});

for (const [status, shown] of /** @type {const} */ ([
  [404, { status: 'closed', error: 'notFound' }],
  [204, { status: 'closed', error: null }],
  [503, { status: 'waiting', error: 'unavailable' }],
]))
  test(`${status} is shown as ${shown.error ?? 'an end'}`, async (t) => {
    const slow = { session: false, version: false, events: { backoff: { baseMs: 60_000, jitter: 'none' } } };
    const { stream } = await openStreams(t, {}, { script: status, props: { config: slow, streams: [{}] } });
    await stream.shows(shown);
  });

test('what onMessage throws is an uncaught error of the app, and the stream goes on', async (t) => {
  const { page, feed, stream } = await openStreams(t, { says: 'heard', throws: 'not mine' });
  await stream.opened();
  feed.send('1');
  feed.send('2');
  await stream.shows({ lastMessage: 2, status: 'open', error: null });
  assert.deepEqual(await stream.messages(2), [1, 2]);
  await until(() => page.problems.length === 2);
  assert.ok(page.problems.every(({ type, text }) => type === 'uncaught' && text.includes('not mine')));
  page.problems.length = 0;
});

test('after unmounting nothing is heard, said or asked for', async (t) => {
  const { page, server, feed, stream, unmount } = await openStreams(t, { says: 'heard' });
  await stream.opened();
  const sending = setInterval(() => feed.send('1'), 2);
  t.after(() => clearInterval(sending));
  await stream.messages(20);
  await unmount();
  await until(() => feed.connections === 0);
  const [heard, { length: requests }] = [await stream.heard(), server.requests];
  await run(page, () => window.seen.a.stream.reconnect());
  await aWhile();
  assert.equal((await stream.heard()).length, heard.length);
  assert.equal(server.requests.length, requests);
});

test('two streams of one component tree are each their own', async (t) => {
  const { page, server, feed, stream, give } = await openStreams(t, [{}, { name: 'b', url: '/api/other' }], {
    ready: (server) => server.on('/api/other', 404),
  });
  await stream.opened();
  await new ShownStream(page, 'b').shows({ status: 'closed', error: 'notFound' });
  await give({ name: 'b', url: '/api/other' });
  await until(() => feed.connections === 0);
  assert.equal(server.requestsTo('/api/other').length, 1);
});

test('a stream belongs to the client of its provider: with another client it is opened anew', async (t) => {
  const { server, feed, stream, show } = await openStreams(
    t,
    {},
    {
      props: (evenkeel) => ({
        client: evenkeel.createStability({ session: false, version: false }),
        streams: [{}],
      }),
    },
  );
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  await show((evenkeel) => ({
    client: evenkeel.createStability({
      session: false,
      version: false,
      api: { headers: { 'X-Tenant': 'two' } },
    }),
  }));
  await server.waitFor(({ headers }) => headers['x-tenant'] === 'two');
  await stream.shows({ status: 'open', lastMessage: null });
  await until(() => feed.connections === 1);
  assert.equal(server.requestsTo(URL_PATH).length, 2);
});

test('a wrong option is an error of the app, which names it', async (t) => {
  const { page, asked } = await openStreams(t, { options: { watchdogMs: -1 } });
  await until(() => page.problems.length > 0);
  assert.match(page.problems[0].text, /evenkeel: (options\.)?watchdogMs must be/);
  await aWhile(); // React says more of it
  assert.equal(asked(), 0);
  page.problems.length = 0;
});
