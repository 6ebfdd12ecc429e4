import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { run, until } from '../harness/browser.mjs';
import { open } from './pages.mjs';
import { ends, lastIds, listen, openStream, QUICK, requestsTo, stays, URL_PATH } from './streams.mjs';
import { allHeard, openTabs, roles, send } from './tabs.mjs';

const MB = 1 << 20;
const TYPE = { 'Content-Type': 'text/event-stream' };

/** An answer that says all of this, as fast as it is read, and stays open. @param {Iterable<string | Uint8Array>} pieces */
const floods = (pieces) => ({
  headers: TYPE,
  /** @param {import('../server/types.mjs').LiveBody} body */
  async stream(body) {
    for (const piece of pieces) await body.write(piece);
    await new Promise((resolve) => body.signal.addEventListener('abort', resolve, { once: true }));
  },
});

/** A page of its own, in which `moduleBytes()` tells how much memory the module has. @param {import('node:test').TestContext} t */
async function openWatched(t) {
  return open(t, { events: QUICK }, { beforeLoad: (page) => page.addInitScript(watchModule) });
}

/* Runs in the page. */
function watchModule() {
  /** @type {WebAssembly.Memory[]} */
  const memories = [];
  const note = (/** @type {any} */ made) => {
    for (const value of Object.values((made.instance ?? made).exports))
      if (value instanceof WebAssembly.Memory) memories.push(value);
    return made;
  };
  const { Instance, instantiate } = WebAssembly;
  WebAssembly.Instance = new Proxy(Instance, { construct: (...args) => note(Reflect.construct(...args)) });
  WebAssembly.instantiate = async (/** @type {[any]} */ ...args) => note(await instantiate(...args));
  /** @type {any} */ (window).moduleBytes = () =>
    memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
}

/** @param {import('playwright-core').Page} page */
const moduleBytes = (page) => run(page, () => /** @type {any} */ (window).moduleBytes());

// ---------------------------------------------------------------- what a stream says

test('a line of 64 MB is not kept, and the stream goes on', async (t) => {
  const { server, page } = await openWatched(t);
  const before = await moduleBytes(page);
  assert.ok(before > 0);
  const x = 'x'.repeat(MB);
  server.on(URL_PATH, floods(['data: ', ...Array(64).fill(x), '\n\ndata: after\n\n']));
  const stream = await listen(page);
  assert.deepEqual(await stream.heard(1, 60_000), ['after']);
  const { status, error } = await stream.state();
  assert.deepEqual([status, error.kind], ['open', 'tooLarge']);
  assert.ok((await moduleBytes(page)) - before < 48 * MB, 'an event of 8 MB fits, and no more');
});

test('a million empty events leave the page its turns', async (t) => {
  const { server, page } = await open(t, { events: QUICK });
  const some = 'data:\n\n'.repeat(100_000);
  server.on(URL_PATH, floods([...Array(10).fill(some), 'data: end\n\n']));
  await run(
    page,
    (url) => {
      const seen = (window.flood = { count: 0, between: 0, most: 0, over: false });
      const source = window.app.events(url);
      source.onmessage = ({ data }) => {
        seen.count++;
        seen.between++;
        if (data) seen.over = true;
      };
      setInterval(() => {
        seen.most = Math.max(seen.most, seen.between);
        seen.between = 0;
      });
    },
    URL_PATH,
  );
  await until(() => run(page, () => window.flood.over), 60_000);
  const { count, most } = await run(page, () => window.flood);
  assert.equal(count, 1_000_001);
  assert.ok(most < 200_000, `${most} events came without a turn of the page's`);
});

test('ids of 100 KB are told to the page, and not to the server', async (t) => {
  const { server, page } = await openWatched(t);
  const ids = [...Array(200).keys()].map((i) => `${i}${'i'.repeat(100_000)}`);
  const text = ids.map((id, i) => `id: ${id}\ndata: ${i}\n\n`).join('');
  server.on(URL_PATH, [ends(text), stays('id: 1\ndata: end\n\n')]);
  const stream = await run(
    page,
    (url) =>
      new Promise((resolve) => {
        const lengths = [];
        window.app.events(url).onmessage = ({ data, lastEventId }) => {
          if (data === 'end') resolve(lengths);
          else lengths.push(lastEventId.length);
        };
      }),
    URL_PATH,
  );
  assert.deepEqual(
    stream,
    ids.map((id) => id.length),
  );
  assert.deepEqual(lastIds(server), [null, null]);
  assert.ok((await moduleBytes(page)) < 24 * MB);
});

test('no name of an event is more than a name', async (t) => {
  const names = ['open', 'error', '__proto__', 'constructor', 'toString', 'prototype', 'on', ' ', 'é😀'];
  const text = names.map((name) => `event: ${name}\ndata: ${name}\n\n`).join('');
  const { page, stream } = await openStream(t, {}, { script: stays(`${text}data: end\n\n`), types: names });
  assert.deepEqual(await stream.heard(names.length + 1), [...names, 'end']);
  assert.deepEqual(await stream.readyState(), 1);
  assert.deepEqual(await stream.errors(), []);
  assert.equal(await run(page, () => Object.keys(Object.prototype).length), 0);
});

test('a hundred thousand names of events are not kept', async (t) => {
  const text = [...Array(100_000).keys()].map((i) => `event: e${i}\ndata\n\n`).join('');
  const { server, page } = await openWatched(t);
  server.on(URL_PATH, floods([text, 'data: end\n\n']));
  const stream = await listen(page);
  await stream.heard(1, 60_000);
  assert.equal((await stream.stats()).received, 100_001);
  assert.ok((await moduleBytes(page)) < 12 * MB);
});

test('of bytes without sense the page hears what the native EventSource hears', async (t) => {
  const { server, page } = await open(t, { events: QUICK });
  // Many of those that mean something, between others of all kinds; the same ones each time.
  const parts = [
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    ':',
    ' ',
    'data',
    'data:',
    'id',
    'id: ',
    'retry:',
    'event',
    '\0',
    'é',
    '😀',
    '\ufeff',
  ];
  const bytes = [];
  let seed = 7;
  const next = (/** @type {number} */ below) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let i = 0; i < 60_000; i++) {
    if (next(4)) bytes.push(...Buffer.from(parts[next(parts.length)]));
    else bytes.push(next(256));
  }
  const whole = Uint8Array.from(bytes);
  const pieces = [...Array(40).keys()].map((i) =>
    whole.subarray((i * whole.length) / 40, ((i + 1) * whole.length) / 40),
  );
  server.on('/api/bytes', floods([...pieces, '\n\nevent: message\ndata: end\n\n']));
  const [ours, native] = await run(page, () =>
    Promise.all(
      [window.app.events('/api/bytes'), new EventSource('/api/bytes')].map(
        (source) =>
          new Promise((resolve) => {
            const heard = [];
            source.onmessage = ({ data, lastEventId }) => {
              heard.push([data, lastEventId]);
              if (data !== 'end') return;
              source.close();
              resolve(heard);
            };
          }),
      ),
    ),
  );
  assert.ok(native.length > 500, `${native.length} events`);
  assert.deepEqual(ours, native);
});

test('a server that asks for no wait at all, a thousand times, is still given a pause', async (t) => {
  const { server } = await openStream(t, {}, { script: ends('retry: 0\n\nretry: 1\n'.repeat(1_000)) });
  await server.waitFor(URL_PATH, { count: 4 });
  const [first, , , fourth] = requestsTo(server);
  assert.ok(fourth.at - first.at >= 280, `three waits took ${fourth.at - first.at} ms`);
});

// ---------------------------------------------------------------- what its headers say

for (const [name, step] of /** @type {const} */ ([
  ['a length that is too short', { headers: { ...TYPE, 'Content-Length': '5' }, body: 'data: a\n\n' }],
  [
    'a length that is never reached',
    { headers: { ...TYPE, 'Content-Length': '500' }, body: 'data\n', cutAfterBytes: 5 },
  ],
  ['an encoding that it has not', { headers: { ...TYPE, 'Content-Encoding': 'gzip' }, body: 'data: a\n\n' }],
])) {
  test(`${name} is a broken connection, and the next one is heard`, async (t) => {
    const { stream } = await openStream(t, {}, { script: [step, stays('data: good\n\n')] });
    assert.deepEqual(await stream.heard(1), ['good']);
    assert.ok((await stream.faults()).every(([kind]) => kind === 'network'));
  });
}

test('64 MB of comments in 64 KB of gzip are read and not kept', async (t) => {
  const { server, page } = await openWatched(t);
  const body = gzipSync(`${`:${'x'.repeat(1_022)}\n`.repeat(65_536)}data: after\n\n`);
  assert.ok(body.length < 256 * 1024);
  server.on(URL_PATH, { headers: { ...TYPE, 'Content-Encoding': 'gzip' }, body, stallAfterBytes: Infinity });
  const stream = await listen(page);
  assert.deepEqual(await stream.heard(1, 60_000), ['after']);
  assert.ok((await moduleBytes(page)) < 12 * MB);
});

// ---------------------------------------------------------------- what polls say

const POLL = { url: '/api/poll', intervalMs: 30 };

/** A stream that is polled for, since streaming does not get through. @param {import('node:test').TestContext} t @param {any} script of the polls */
async function polled(t, script) {
  const { server, page } = await open(t, { events: QUICK });
  server.on('/api/blocked', 'hang');
  server.on(POLL.url, script);
  const options = { firstByteMs: 60, backoff: { baseMs: 10, maxMs: 40 }, poll: POLL };
  return { server, page, stream: await listen(page, options, { url: '/api/blocked', types: ['named'] }) };
}

const JUNK = [null, true, 7, 'text', [], [[]], {}, { length: 3 }];
const GOOD = { id: '1', event: 'named', data: 'a' };

test('polls whose answers are of a wrong shape bring nothing, and the next one is heard', async (t) => {
  const texts = JUNK.filter((value) => typeof value !== 'string' && value !== null);
  const answers = [
    ...JUNK,
    ...JUNK.filter((events) => JSON.stringify(events) !== '[]').map((events) => ({ events })),
    ...texts.flatMap((bad) => [
      { events: [GOOD, { ...GOOD, id: bad }] },
      { events: [GOOD, { ...GOOD, event: bad }] },
      { events: [GOOD], lastEventId: bad },
    ]),
    ...[...texts, null, undefined].map((bad) => ({ events: [GOOD, { ...GOOD, data: bad }] })),
  ].map((value) => ({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) }));
  const { server, stream } = await polled(t, [
    ...answers,
    { headers: { 'Content-Type': 'application/json' }, body: '{"events":[' },
    { headers: { 'Content-Type': 'application/json' }, body: Uint8Array.of(0xff, 0xfe, 0) },
    { body: { events: [{ id: 'z', data: 'good' }] } },
    { body: { events: [] } },
  ]);
  await until(async () => (await stream.data()).length > 0, 60_000);
  assert.deepEqual(await stream.events(), [{ type: 'message', data: 'good', id: 'z' }]);
  assert.ok(server.requestsTo(POLL.url).length >= answers.length + 3);
});

test('a poll of 100,000 events is heard whole and in order', async (t) => {
  const events = [...Array(100_000).keys()].map((i) => ({ id: `${i}`, data: `${i}` }));
  const { server, page } = await open(t, { events: QUICK });
  server.on('/api/blocked', 'hang');
  server.on(POLL.url, [{ body: { events, lastEventId: '99999' } }, { body: { events: [] } }]);
  await run(
    page,
    (poll) => {
      const seen = (window.flood = { last: -1, wrong: 0 });
      const options = { firstByteMs: 60, backoff: { baseMs: 10, maxMs: 40 }, poll };
      window.app.events('/api/blocked', options).onmessage = ({ data }) => {
        if (Number(data) !== ++seen.last) seen.wrong++;
      };
    },
    POLL,
  );
  await server.waitFor(POLL.url, { count: 2, timeoutMs: 60_000 });
  await until(() => run(page, () => window.flood.last >= 99_999), 60_000);
  assert.deepEqual(await run(page, () => window.flood), { last: 99_999, wrong: 0 });
  assert.equal(
    new URL(server.requestsTo(POLL.url)[1].url, server.origin).searchParams.get('lastEventId'),
    '99999',
  );
});

test('a poll of 40 MB is not taken, and the next one is', async (t) => {
  const big = JSON.stringify({ events: [{ id: 'big', data: 'x'.repeat(40 * MB) }] });
  const { stream } = await polled(t, [
    { body: big },
    { body: { events: [{ id: '1', data: 'good' }] } },
    { body: { events: [] } },
  ]);
  assert.deepEqual(await until(async () => (await stream.data()).length && stream.data(), 60_000), ['good']);
});

test('an id of 100 KB in a poll is not asked with', async (t) => {
  const id = 'i'.repeat(100_000);
  const { server, stream } = await polled(t, [
    { body: { events: [{ id, data: 'a' }], lastEventId: id } },
    { body: { events: [{ id: '2', data: 'b' }] } },
    { body: { events: [] } },
  ]);
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.ok(server.requestsTo(POLL.url).every(({ url }) => url.length < 100));
});

// ---------------------------------------------------------------- what the page itself says to the tabs

/* Runs in the page: says all that nobody would say, as a stranger and in the name of the tab that leads. */
async function babble() {
  const channel = new BroadcastChannel(window.channels.find((name) => name.startsWith('evenkeel:')));
  const { from, epoch } = await new Promise((resolve) => {
    channel.onmessage = ({ data }) => data.says === 2 && resolve(data);
  });
  channel.onmessage = null;
  const cyclic = { events: [] };
  cyclic.self = cyclic;
  cyclic.events.push(cyclic, cyclic, cyclic);
  const values = [
    ...[undefined, null, true, -1, 9, 0.5, NaN, Infinity, 2 ** 53, 1n, '', 'x'.repeat(1e6)],
    ...[[], {}, [null, null, null], cyclic, new Map([[1, 2]]), new Date(), new Uint8Array(9)],
    ...[new Error('x'), new Blob(['x'])],
  ];
  const loads = [
    ...values,
    ...['shown', 'fire', 'before', 'lastId', 'origin', 'events', 'at'].flatMap((field) =>
      values.filter((value) => typeof value !== 'string').map((value) => ({ [field]: value })),
    ),
    ...values.flatMap((value) => [
      { events: [value, 'forged', null] },
      { events: ['message', typeof value === 'string' ? null : value, null] },
      { shown: [value, 0, -1, 0, 0, -1] },
      { shown: [0, 0, -1, value, value, value], fire: value },
    ]),
  ];
  const strange = { from: 12_345, epoch: 0, says: 4, visible: true, value: 0 };
  const leading = { ...strange, from, epoch };
  const words = [
    ...values,
    ...[strange, leading].flatMap((word) => [
      ...Object.keys(word).flatMap((field) =>
        values.filter((value) => !Number.isSafeInteger(value)).map((value) => ({ ...word, [field]: value })),
      ),
      ...loads.map((load) => ({ ...word, load })),
    ]),
    ...[0, 1, 2, 3, 4, 5, 99].map((says) => ({ ...strange, says, load: cyclic })),
  ];
  let refused = 0;
  for (const word of [...words, () => {}, Symbol('x'), document.body]) {
    try {
      channel.postMessage(word);
    } catch {
      refused++; // it cannot be cloned
    }
  }
  channel.close();
  return [words.length, refused];
}

test('what is no word of the tabs changes nothing, whoever says it', async (t) => {
  const { feed, tabs } = await openTabs(t, 2, {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        const { BroadcastChannel } = window;
        window.channels = [];
        window.BroadcastChannel = class extends BroadcastChannel {
          /** @param {string} name */
          constructor(name) {
            super(name);
            window.channels.push(name);
          }
        };
      }),
  });
  await roles(tabs);
  const expected = send(feed, 2);
  await allHeard(tabs, expected);
  for (const { page } of tabs) {
    const [said, refused] = await run(page, babble);
    assert.ok(said > 400, `${said} words`);
    assert.equal(refused, 3);
  }
  expected.push(...send(feed, 2));
  await allHeard(tabs, expected);
  await roles(tabs);
  await until(() => feed.connections === 1);
});
