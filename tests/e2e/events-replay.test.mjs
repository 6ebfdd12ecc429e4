import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../harness/browser.mjs';
import { ends, lastIds, listen, openStream, requestsTo, stays } from './streams.mjs';

/** @param {string} id @param {string} [data] */
const event = (id, data = id) => `id: ${id}\ndata: ${data}\n\n`;
const OLD = event('1', 'a') + event('2', 'b');

test('events that a server sends again after a reconnect are dropped', async (t) => {
  const { stream } = await openStream(t, {}, { script: [ends(OLD), stays(OLD + event('3', 'c'))] });
  assert.deepEqual(await stream.heard(3), ['a', 'b', 'c']);
  const { duplicates, received, lastEventId } = await stream.stats();
  assert.deepEqual([duplicates, received, lastEventId], [2, 3, '3']);
});

test('only until the first event with a new id: a server that reuses ids loses nothing', async (t) => {
  const { stream } = await openStream(
    t,
    {},
    { script: [ends(OLD), stays(event('1', 'a') + event('9', 'new') + OLD)] },
  );
  assert.deepEqual(await stream.heard(5), ['a', 'b', 'new', 'a', 'b']);
  assert.equal((await stream.stats()).duplicates, 1);
});

test('what differs in id, type or data is no repetition', async (t) => {
  for (const again of ['id: 1\ndata: other\n\n', 'id: 1\nevent: message2\ndata: a\n\n', 'data: a\n\n']) {
    const { stream } = await openStream(
      t,
      {},
      { script: [ends(event('1', 'a')), stays(again + event('2', 'end'))], types: ['message2'] },
    );
    assert.equal((await stream.heard(3)).length, 3, again);
    assert.equal((await stream.stats()).duplicates, 0);
    await stream.close();
  }
});

test('within a connection nothing is dropped', async (t) => {
  const { stream } = await openStream(t, {}, { script: stays(OLD + OLD + event('2', 'b')) });
  assert.deepEqual(await stream.heard(5), ['a', 'b', 'a', 'b', 'b']);
});

test('events without an id are never dropped', async (t) => {
  const { stream } = await openStream(
    t,
    {},
    { script: [ends('data: a\n\n'), ends('data: a\n\n'), stays('data: a\n\n')] },
  );
  assert.deepEqual(await stream.heard(3), ['a', 'a', 'a']);
});

for (const [what, options] of /** @type {Array<[string, any]>} */ ([
  ['dedupeIds 0', { dedupeIds: 0 }],
  ['strict', { strict: true }],
])) {
  test(`with ${what} every event is delivered, replayed or not`, async (t) => {
    const { stream } = await openStream(t, options, { script: [ends(OLD), stays(OLD + event('3', 'c'))] });
    assert.deepEqual(await stream.heard(5), ['a', 'b', 'a', 'b', 'c']);
  });
}

test('only the newest dedupeIds events are remembered', async (t) => {
  const { stream } = await openStream(
    t,
    { dedupeIds: 2 },
    { script: [ends(OLD + event('3', 'c')), stays(event('2', 'b') + event('3', 'c') + event('4', 'd'))] },
  );
  assert.deepEqual(await stream.heard(4), ['a', 'b', 'c', 'd']);
  const forgotten = await openStream(
    t,
    { dedupeIds: 1 },
    { script: [ends(OLD + event('3', 'c')), stays(event('2', 'b') + event('3', 'c') + event('4', 'd'))] },
  );
  assert.deepEqual(await forgotten.stream.heard(6), ['a', 'b', 'c', 'b', 'c', 'd']);
});

test('reconnect() brings no event twice', async (t) => {
  const { stream } = await openStream(t, {}, { script: [stays(OLD), stays(OLD + event('3', 'c'))] });
  await stream.heard(2);
  await stream.reconnect();
  assert.deepEqual(await stream.heard(3), ['a', 'b', 'c']);
});

test('a feed that is cut again and again tells each event once, in order', async (t) => {
  const { server, stream } = await openStream(t, {}, { script: 404, url: '/api/feed-none' });
  const feed = server.feed('/api/feed', { heartbeatMs: 200 });
  const heard = await listen(stream.page, {}, { url: '/api/feed', name: 'fed' });
  await heard.opened();
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 20; i++) feed.send(`${round * 20 + i}`);
    if (round % 3 === 0) feed.end();
    else if (round % 3 === 1) feed.cut();
    feed.send(`between ${round}`); // while nobody listens
    await until(async () => feed.connections === 1 && (await heard.data()).includes(`between ${round}`));
  }
  const data = await heard.heard(210);
  assert.deepEqual(
    data,
    [...Array(10).keys()].flatMap((round) => [
      ...[...Array(20).keys()].map((i) => `${round * 20 + i}`),
      `between ${round}`,
    ]),
  );
});

test('`lastEventId` is where the first connection goes on from', async (t) => {
  const { server, stream } = await openStream(
    t,
    { lastEventId: 'start' },
    { script: [ends('data: a\n\n'), stays(event('2'))] },
  );
  await stream.heard(2);
  assert.deepEqual(lastIds(server), ['start', 'start']);
  assert.deepEqual(
    (await stream.events()).map(({ id }) => id),
    ['start', '2'],
  );
});

test('an id is sent as UTF-8, byte for byte', async (t) => {
  const ids = ['ü', '漢字 — ☃', '😀', 'a b', '%C3', '"quoted"'];
  const { server, stream } = await openStream(
    t,
    {},
    { script: [...ids.map((id) => ends(event(id))), stays(':\n\n')] },
  );
  await until(() => requestsTo(server).length === ids.length + 1);
  assert.deepEqual(lastIds(server), [null, ...ids]);
  assert.deepEqual(
    (await stream.events()).map(({ id }) => id),
    ids,
  );
});

test('an id that cannot stand in a header is told to the page, not to the server, and does not loop', async (t) => {
  for (const id of ['\u0001', 'a\u001fb', '\u007f']) {
    const { server, stream } = await openStream(
      t,
      {},
      { script: [ends(event(id, 'a')), stays(event('2', 'b'))] },
    );
    assert.deepEqual(await stream.heard(2), ['a', 'b']);
    assert.equal((await stream.events())[0].id, id);
    assert.deepEqual(lastIds(server), [null, null]);
    await stream.close();
  }
});

test('an id with NUL is ignored, and an empty one forgets the last', async (t) => {
  const { server, stream } = await openStream(
    t,
    {},
    { script: [ends(`${event('1')}id: a\0b\ndata: 2\n\n`), ends('id\ndata: 3\n\n'), stays(':\n\n')] },
  );
  await until(() => requestsTo(server).length === 3);
  assert.deepEqual(lastIds(server), [null, '1', null]);
  assert.deepEqual(
    (await stream.events()).map(({ id }) => id),
    ['1', '1', ''],
  );
});

test('an id of an event that was cut off is not taken for read', async (t) => {
  const { server, stream } = await openStream(
    t,
    {},
    { script: [ends(`${event('1')}id: 2\ndata: half\n`), stays(event('2'))] },
  );
  assert.deepEqual(await stream.heard(2), ['1', '2']);
  assert.deepEqual(lastIds(server), [null, '1']);
});

test('an id alone, without data, is where the stream goes on from', async (t) => {
  const { server } = await openStream(t, {}, { script: [ends('id: 7\n\n'), stays(':\n\n')] });
  await until(() => requestsTo(server).length === 2);
  assert.deepEqual(lastIds(server), [null, '7']);
});

test('a server that refuses an id that is too long for it is asked without, sooner or later', async (t) => {
  const { server, stream } = await openStream(
    t,
    {},
    { script: [ends(event('x'.repeat(12_000), 'a')), stays(event('2', 'b'))] },
  );
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.equal(requestsTo(server).length, 2);
});
