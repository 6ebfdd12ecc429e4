/** How often a component with a stream renders. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { GENERATIONS } from './pages.mjs';
import { aWhile, openStreams } from './streams.mjs';

const EVENTS = 1_000;
/** What a person can see: no more often does the last message change. */
const PACE_MS = 16;

for (const react of GENERATIONS) {
  test(`React ${react}: a thousand events at once are a few renders, the last of which is right, and all are heard`, async (t) => {
    const { feed, stream } = await openStreams(t, { says: 'heard' }, { react });
    await stream.opened();
    const before = await stream.renders();
    feed.sendRaw(Array.from({ length: EVENTS }, (_, n) => `data: ${n}\n\n`).join(''));
    await stream.shows({ lastMessage: EVENTS - 1 });
    const messages = await stream.messages(EVENTS);
    assert.deepEqual(
      messages,
      messages.map((_, n) => n),
    );
    assert.equal(messages.length, EVENTS);
    const renders = (await stream.renders()) - before;
    assert.ok(renders <= 10, `${renders} renders`);
  });
}

test('a thousand events one by one are no more renders than there is time to see', async (t) => {
  const { feed, stream } = await openStreams(t, { says: 'heard' });
  await stream.opened();
  const before = await stream.renders();
  const begun = Date.now();
  // They come until it has been rendered so often: whoever looks can follow.
  let isOver = false;
  const followed = until(async () => (await stream.renders()) >= before + 10)
    .then(
      () => true,
      () => false,
    )
    .finally(() => (isOver = true));
  let sent = 0;
  while (sent < EVENTS || !isOver) {
    feed.send(`${sent++}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(await followed, 'nobody could follow');
  await stream.shows({ lastMessage: sent - 1 });
  const took = Date.now() - begun;
  assert.equal((await stream.messages(sent)).length, sent);
  const renders = (await stream.renders()) - before;
  assert.ok(renders <= took / PACE_MS + 5, `${renders} renders in ${took} ms`);
});

test('a message after a quiet time is shown at once: it waits for no timer', async (t) => {
  const { page, feed, stream } = await openStreams(t);
  await stream.opened();
  await run(page, () => {
    window.setTimeout = () => 0;
  });
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
});

test('a component that reads the status does not render for messages, until it reads them too', async (t) => {
  const { page, feed, stream } = await openStreams(t, { reads: ['status'], says: 'heard' });
  await stream.opened();
  const before = await stream.renders();
  for (let n = 1; n <= 20; n++) {
    feed.send(`${n}`);
    await aWhile(20);
  }
  await stream.messages(20);
  await aWhile(50);
  assert.equal(await stream.renders(), before);

  const readInAHandler = await run(page, () => window.seen.a.stream.lastMessage);
  assert.equal(readInAHandler, 20);
  feed.send('21');
  await until(async () => (await stream.renders()) === before + 1);
});

test('a component that reads the last message does not render for the status', async (t) => {
  const { server, feed, stream, asked } = await openStreams(t, { reads: ['lastMessage'] });
  await until(() => feed.connections === 1);
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  const before = await stream.renders();
  await server.refuse();
  await server.accept();
  await until(() => asked() >= 2 && feed.connections === 1);
  await aWhile();
  assert.equal(await stream.renders(), before);
  feed.send('2');
  await stream.shows({ lastMessage: 2 });
  assert.equal(await stream.renders(), before + 1);
});

test('a message that says the same as the one before renders nothing', async (t) => {
  const { feed, stream } = await openStreams(t, { says: 'heard' });
  await stream.opened();
  feed.send('"same"');
  await stream.shows({ lastMessage: 'same' });
  const before = await stream.renders();
  await aWhile(50);
  feed.send('"same"');
  await stream.messages(2);
  await aWhile(50);
  assert.equal(await stream.renders(), before);
});
