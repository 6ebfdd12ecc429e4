import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { listen, QUICK, quiet, requestsTo, stays, URL_PATH } from './streams.mjs';
import { allHeard, CALM, openTabs as openAny, POLL_PATH, roles, SHARED, send } from './tabs.mjs';

const config = { events: QUICK, tabs: CALM };
/** @type {typeof openAny} */
const openTabs = (t, count, how) => openAny(t, count, { config, ...how });

test('three tabs have one connection, and all hear all of it', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 3);
  const { leader } = await roles(tabs);
  const expected = send(feed, 50);
  await allHeard(tabs, expected);
  assert.equal(feed.connections, 1);
  assert.equal(requestsTo(server).length, 1, 'the first tab was not disturbed');
  assert.equal(leader, tabs[0]);
  for (const { stream } of tabs) {
    assert.deepEqual((await stream.log())[0], ['open', 1]);
    const { status, attempts, error } = await stream.state();
    assert.deepEqual([status, attempts, error], ['open', 0, null]);
    const { received, lastEventId, lastByteAt } = await stream.stats();
    assert.deepEqual([received, lastEventId, lastByteAt > 0], [50, '50', true]);
  }
});

test('a follower hears types, ids and origin as the leader does', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 2, { options: SHARED });
  await roles(tabs);
  for (const { page } of tabs)
    await run(page, () => {
      window.seen = [];
      for (const type of ['named', 'message'])
        window.stream.source.addEventListener(type, (event) => {
          const { type, data, lastEventId, origin } = event;
          window.seen.push({ type, data, lastEventId, origin, is: event instanceof MessageEvent });
        });
    });
  feed.send({ event: 'named', data: 'a\nb' });
  feed.sendRaw('data: without an id\n\n');
  feed.sendRaw('id\ndata: forgotten\n\n');
  feed.send({ id: 'ü', data: '😀' });
  const seen = [];
  for (const { page } of tabs)
    seen.push(await until(() => run(page, () => window.seen.length === 4 && window.seen)));
  assert.deepEqual(seen[0], seen[1]);
  assert.deepEqual(
    seen[1].map(({ type, lastEventId, origin, is }) => [type, lastEventId, origin === server.origin, is]),
    [
      ['named', '1', true, true],
      ['message', '1', true, true],
      ['message', '', true, true],
      ['message', 'ü', true, true],
    ],
  );
});

test('followers see errors, waits and the opening after them as the leader does', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 3, {
    config: { events: { backoff: { baseMs: 200, maxMs: 200, jitter: 'none' }, spreadMs: 20 }, tabs: CALM },
  });
  await roles(tabs);
  const fault = server.on(URL_PATH, [503, 503]);
  feed.cut();
  await until(() => fault.taken >= 2);
  for (const { stream } of tabs) {
    const { attempts, isConnected, error } = await stream.is('waiting');
    assert.ok(attempts >= 1);
    assert.deepEqual([isConnected, error.name], [false, 'StabilityError']);
  }
  fault.off();
  for (const { stream } of tabs) {
    await stream.opened(2);
    const log = await stream.log();
    assert.deepEqual(log[0], ['open', 1]);
    assert.deepEqual(log.at(-1), ['open', 1]);
    assert.ok(
      log.slice(1, -1).length >= 3 &&
        log.slice(1, -1).every(([type, state]) => type === 'error' && state === 0),
    );
    assert.ok((await stream.errors()).some(({ kind, status }) => kind === 'unavailable' && status === 503));
    const { reconnects, error } = await stream.state();
    assert.deepEqual([reconnects, error], [1, null]);
  }
  assert.equal(feed.connections, 1);
});

for (const [status, kind] of /** @type {Array<[number, string | null]>} */ ([
  [404, 'notFound'],
  [204, null],
])) {
  test(`${status} closes the stream in all tabs, and nobody asks again`, async (t) => {
    // The last word has so long to come to the others before the lock does.
    const tabs500 = { heartbeatMs: 500, takeoverMs: 30_000 };
    const { server, feed, tabs } = await openTabs(t, 3, { config: { events: QUICK, tabs: tabs500 } });
    await roles(tabs);
    const refusal = server.on(URL_PATH, status);
    feed.end();
    for (const { stream } of tabs) {
      const { error } = await stream.closed();
      assert.equal(error?.kind ?? null, kind);
      assert.deepEqual((await stream.log()).at(-1), ['error', 2]);
    }
    assert.ok(await quiet(() => requestsTo(server).length, 1_200));
    assert.equal(refusal.taken, 1);
  });
}

test('a tab that joins late hears what comes from then on', async (t) => {
  const { feed, tabs, add } = await openTabs(t, 2);
  await roles(tabs);
  const before = send(feed, 5);
  await allHeard(tabs, before);
  const late = await add();
  await roles([...tabs, late]);
  const after = send(feed, 5);
  await allHeard([late], after);
  await allHeard(tabs, [...before, ...after]);
  assert.equal(feed.connections, 1);
});

test('a follower that closes is heard of no more, and the others go on', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 3);
  const { leader, followers } = await roles(tabs);
  const first = send(feed, 3);
  await allHeard(tabs, first);
  await followers[0].stream.close();
  const second = send(feed, 3);
  await allHeard([leader, followers[1]], [...first, ...second]);
  assert.deepEqual(await followers[0].stream.data(), first);
  assert.equal((await followers[0].stream.state()).status, 'closed');
  assert.equal(requestsTo(server).length, 1);
});

test('reconnect() of a follower renews the one connection', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 2);
  const { followers } = await roles(tabs);
  await allHeard(tabs, send(feed, 2));
  await followers[0].stream.reconnect();
  await server.waitFor(URL_PATH, { count: 2 });
  await until(() => feed.connections === 1);
  assert.equal(requestsTo(server)[1].headers['last-event-id'], '2');
  feed.send('after');
  for (const { stream } of tabs) assert.equal((await stream.heard(3))[2], 'after');
});

test('the followers of a leader that polls are connected too', async (t) => {
  const { feed, tabs } = await openTabs(t, 2, {
    options: { ...SHARED, firstByteMs: 150, poll: { url: POLL_PATH, intervalMs: 60 } },
    script: 'hang',
  });
  for (const { stream } of tabs) await stream.is('polling');
  await allHeard(tabs, send(feed, 5));
});

test('a loop in a follower that falls far behind ends with queueFull rather than lose events', async (t) => {
  const { feed, tabs } = await openTabs(t, 2);
  const { followers } = await roles(tabs);
  const [{ page, stream }] = followers;
  await run(page, () => {
    window.iterator = window.stream.source[Symbol.asyncIterator]();
  });
  for (let i = 0; i < 20; i++) feed.sendRaw('data: x\n\n'.repeat(1_000));
  const { error } = await stream.closed();
  assert.equal(error.kind, 'queueFull');
  const got = await run(page, async () => {
    let count = 0;
    try {
      for await (const _ of window.iterator) count++;
    } catch ({ kind }) {
      return [count, kind];
    }
  });
  assert.ok(got[0] >= 10_000 && got[0] <= 20_000, `${got}`);
  assert.equal(got[1], 'queueFull');
});

test('two streams of one page share too', async (t) => {
  const { feed, tabs } = await openTabs(t, 1);
  const [{ page, stream }] = tabs;
  const second = await listen(page, SHARED, { name: 'second' });
  await roles([
    { page, stream },
    { page, stream: second },
  ]);
  const expected = send(feed, 5);
  assert.deepEqual(await stream.heard(5), expected);
  assert.deepEqual(await second.heard(5), expected);
  assert.equal(feed.connections, 1);
});

for (const [what, mine, theirs] of /** @type {Array<[string, any, any]>} */ ([
  [
    'other headers',
    { ...SHARED, headers: { Authorization: 'a' } },
    { ...SHARED, headers: { Authorization: 'b' } },
  ],
  ['other credentials', SHARED, { ...SHARED, withCredentials: true }],
  ['another body', { ...SHARED, method: 'POST', body: 'a' }, { ...SHARED, method: 'POST', body: 'b' }],
  ['another method', SHARED, { ...SHARED, method: 'POST' }],
  ['no wish to share', SHARED, {}],
])) {
  test(`streams with ${what} are not shared`, async (t) => {
    const { feed, tabs, add } = await openTabs(t, 1, { options: mine });
    tabs.push(await add(theirs));
    await until(() => feed.connections === 2);
    for (const { stream } of tabs) {
      await stream.opened();
      assert.notEqual((await stream.state()).role, 'follower');
    }
    const expected = send(feed, 3);
    await allHeard(tabs, expected);
    assert.ok(await quiet(() => feed.connections, 300));
  });
}

test('streams of other names, and of other headers that the client adds, are not shared', async (t) => {
  const { feed, add } = await openTabs(t, 1);
  await add(SHARED, { ...config, name: 'other' });
  await add(SHARED, { ...config, api: { headers: { 'X-Tenant': 'b' } } });
  await until(() => feed.connections === 3);
});

test('equal headers are one stream, in whatever order and case they stand', async (t) => {
  const { feed, tabs, add } = await openTabs(t, 1, {
    options: { ...SHARED, headers: { 'X-A': '1', 'X-B': '2' } },
  });
  tabs.push(await add({ ...SHARED, headers: { 'x-b': '2', 'x-a': '1' } }));
  await roles(tabs);
  assert.equal(feed.connections, 1);
});

for (const [what, without] of /** @type {Array<[string, () => void]>} */ ([
  ['locks', () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })],
  ['channels', () => Reflect.deleteProperty(globalThis, 'BroadcastChannel')],
])) {
  test(`without ${what} each tab works alone`, async (t) => {
    const { feed, tabs } = await openTabs(t, 2, { beforeLoad: (page) => page.addInitScript(without) });
    await until(() => feed.connections === 2);
    await allHeard(tabs, send(feed, 3));
    for (const { stream } of tabs) assert.equal((await stream.state()).role, 'single');
  });
}

test('with `tabs: false` each tab works alone', async (t) => {
  const { feed, tabs } = await openTabs(t, 2, { config: { events: QUICK, tabs: false } });
  await until(() => feed.connections === 2);
  await allHeard(tabs, send(feed, 3));
  assert.equal((await tabs[1].stream.state()).role, 'single');
});

test('what else is posted on the channel does no harm', async (t) => {
  const { server, feed, tabs, add } = await openTabs(t, 3, {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        window.channels = new Set();
        const Native = BroadcastChannel;
        globalThis.BroadcastChannel = class extends Native {
          constructor(name) {
            super(name);
            window.channels.add(name);
          }
        };
      }),
  });
  await roles(tabs);
  const first = send(feed, 3);
  await allHeard(tabs, first);
  await run(tabs[1].page, () => {
    const load = { events: ['message', 'forged without a place', null], before: 'nowhere', lastId: 'x' };
    const words = [
      null,
      'text',
      7,
      [],
      {},
      { from: 1 },
      { from: -1, epoch: 1, says: 4, visible: true, value: 0, load },
      { from: 1.5, epoch: 1, says: 4, visible: true, value: 0, load },
      { from: 5, epoch: Number.NaN, says: 4, visible: true, value: 0, load },
      { from: 5, epoch: 0, says: 4, visible: true, value: 0, load: { events: [1, 2, 3], shown: [5, 5] } },
      {
        from: 5,
        epoch: 0,
        says: 4,
        visible: true,
        value: 0,
        load: { events: 'no', shown: ['a'], at: 7, origin: 7 },
      },
      { from: 5, epoch: 0, says: 99, visible: true, value: 0 },
      { from: 5, epoch: 0, says: 4, visible: true, value: 0, load: 'again and again' },
      ...[0, 1, 2, 3, 4, 5, 6].map((says) => ({ from: 6, epoch: 0, says, visible: true, value: 0 })),
    ];
    for (const name of window.channels) {
      const channel = new BroadcastChannel(name);
      for (const word of words) channel.postMessage(word);
      channel.close();
    }
  });
  const second = send(feed, 3);
  await allHeard(tabs, [...first, ...second]);
  await roles(tabs);
  const late = await add();
  await roles([...tabs, late]);
  assert.equal(feed.connections, 1);
  assert.ok(requestsTo(server).length <= 3, `${requestsTo(server).length} connections`);
});

test('when nobody listens any more, nothing is held', async (t) => {
  const { feed, tabs, context } = await openTabs(t, 3);
  await roles(tabs);
  for (const { stream } of tabs) await stream.close();
  await until(() => feed.connections === 0);
  const [page] = context.pages();
  const locks = await until(async () => {
    const { held, pending } = await run(page, () => navigator.locks.query());
    return held.length + pending.length === 0 && 'none';
  });
  assert.equal(locks, 'none');
});

test('a stream that says little is followed all the same', async (t) => {
  const patient = { heartbeatMs: 100, takeoverMs: 2_000 };
  const { tabs } = await openTabs(t, 2, {
    script: stays(':\n\n'),
    config: { events: QUICK, tabs: patient },
  });
  await roles(tabs);
  assert.ok(await quiet(async () => (await tabs[1].stream.states()).length, 4_000));
  assert.equal((await tabs[1].stream.state()).role, 'follower');
});
