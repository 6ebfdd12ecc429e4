/** Streams where the page is not an ordinary one: rendered by a server, hidden for a while, without WebAssembly, or one of several tabs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { GENERATIONS } from './pages.mjs';
import { aWhile, openStreams, ShownStream, URL_PATH } from './streams.mjs';

/** Does not let WebAssembly be compiled. */
const POLICY = {
  'Content-Security-Policy': "default-src 'self' http://127.0.0.1:*; script-src 'self'; img-src data:",
};
const SHARED = { says: 'heard', options: { shared: true } };

for (const react of GENERATIONS) {
  test(`React ${react}: a server renders 'connecting', asks for nothing, and the page goes on from there`, async (t) => {
    const { url, server, feed, stream, asked } = await openStreams(t, [{}, { name: 'none', url: null }], {
      react,
      strict: true,
      ssr: true,
    });
    await stream.opened();
    server.clear();
    const html = (await (await fetch(url)).text()).replaceAll('&quot;', '"');
    const [first, none] = [...html.matchAll(/<output [^>]*>([^<]+)/g)].map(([, text]) => JSON.parse(text));
    assert.deepEqual([first.status, first.isConnected, first.lastMessage], ['connecting', false, null]);
    assert.equal(none.status, 'closed');
    await aWhile();
    assert.deepEqual([asked(), feed.connections], [0, 1]);
    feed.send('1');
    await stream.shows({ lastMessage: 1 });
  });

  test(`React ${react}: where WebAssembly is blocked the native stream is behind the hook`, async (t) => {
    const { page, server, feed, stream, asked, unmount } = await openStreams(
      t,
      [
        { says: 'heard', options: { event: 'order' } },
        { name: 'posting', url: '/api/posts', options: { method: 'POST', body: '{}' } },
      ],
      { react, headers: POLICY },
    );
    await stream.opened();
    await new ShownStream(page, 'posting').shows({ status: 'closed', error: 'runtime' });
    assert.equal(await run(page, () => window.app.runtime.getSnapshot().status), 'failed');
    feed.send({ event: 'order', data: '{"n":1}' });
    await stream.shows({ lastMessage: { n: 1 } });
    await stream.reconnect();
    // The first one is gone: it could tell nobody what is sent now.
    await until(() => server.requestsTo(URL_PATH)[0].closedEarlyAt !== null);
    await until(() => asked() === 2 && feed.connections === 1);
    feed.send({ event: 'order', data: '2' });
    await stream.shows({ status: 'open', lastMessage: 2 });
    assert.deepEqual(await stream.messages(2), [{ n: 1 }, 2]);
    await unmount();
    await until(() => feed.connections === 0);
    assert.ok(page.problems.every(({ text }) => /Content.Security.Policy/i.test(text)));
    page.problems.length = 0;
  });
}

test('within an Activity that is hidden there is no stream; shown again, it is opened again', async (t) => {
  const { feed, stream, asked, give } = await openStreams(
    t,
    { says: 'heard', isHidden: false },
    { strict: true },
  );
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  await give({ says: 'heard', isHidden: true });
  await until(() => feed.connections === 0);
  feed.send('2');
  await give({ says: 'heard', isHidden: false });
  await stream.opened();
  feed.send('3');
  await stream.shows({ lastMessage: 3 });
  assert.deepEqual(await stream.messages(2), [1, 3]);
  assert.deepEqual([asked(), feed.connections], [2, 1]);
});

test('components of two tabs share one connection, and the second takes it over when the first unmounts', async (t) => {
  const first = await openStreams(t, SHARED);
  const { server, context, feed } = first;
  await first.stream.opened();
  await first.stream.shows({ role: 'leader' });
  const second = await openStreams(t, SHARED, { server, context, feed });
  await second.stream.shows({ status: 'open', role: 'follower' });
  feed.send('1');
  for (const { stream } of [first, second]) await stream.shows({ lastMessage: 1 });
  assert.equal(server.requestsTo(URL_PATH).length, 1);

  await first.unmount();
  feed.send('2');
  await second.stream.shows({ status: 'open', role: 'leader' });
  feed.send('3');
  await second.stream.shows({ lastMessage: 3 });
  assert.deepEqual(await second.stream.messages(3), [1, 2, 3]);
  await until(() => feed.connections === 1);
});

test('components of one page that share a stream have one connection', async (t) => {
  const { page, feed, stream, asked, give } = await openStreams(t, [SHARED, { ...SHARED, name: 'b' }], {
    strict: true,
  });
  const other = new ShownStream(page, 'b');
  await stream.opened();
  await other.shows({ status: 'open' });
  feed.send('1');
  for (const one of [stream, other]) await one.shows({ lastMessage: 1 });
  assert.equal(asked(), 1);
  await give({ ...SHARED, name: 'b' });
  await until(() => feed.connections === 1);
  feed.send('2');
  await other.shows({ status: 'open', lastMessage: 2 });
  assert.deepEqual(await other.messages(2), [1, 2]);
});
