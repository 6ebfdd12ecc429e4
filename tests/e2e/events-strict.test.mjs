import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open, serve } from './pages.mjs';
import {
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

const STRICT = { strict: true };
const FIRST = 'id: 1\ndata: a\n\n';

/** A page whose `EventSource` is ours, and strict. @param {import('node:test').TestContext} t */
async function openReplaced(t) {
  const opened = await open(t, { events: QUICK });
  opened.server.on(URL_PATH, stays(FIRST));
  await run(opened.page, () => {
    const native = window.EventSource;
    window.EventSource = class extends window.evenkeel.ResilientEventSource {
      constructor(...args) {
        super(...(args.length ? [args[0], { ...args[1], strict: true }] : []));
      }
    };
    window.putBack = () => (window.EventSource = native);
  });
  t.after(() => run(opened.page, () => window.putBack()));
  return opened;
}

// ---------------------------------------------------------------- in the place of EventSource

test('code that was written for EventSource finds what it looks for', async (t) => {
  const { page } = await openReplaced(t);
  const found = await run(
    page,
    (url) => {
      const source = new EventSource(url);
      EventSource.prototype.added = () => 'by the page';
      const found = {
        constants: [EventSource, EventSource.prototype, source].map((at) => [
          at.CONNECTING,
          at.OPEN,
          at.CLOSED,
        ]),
        handlers: ['onopen', 'onmessage', 'onerror'].map((name) => [
          name in EventSource.prototype,
          source[name],
        ]),
        kinds: [source instanceof EventSource, source instanceof EventTarget, String(source)],
        added: source.added(),
      };
      source.close();
      return found;
    },
    URL_PATH,
  );
  assert.deepEqual(found, {
    constants: Array(3).fill([0, 1, 2]),
    handlers: Array(3).fill([true, null]),
    kinds: [true, true, '[object EventSource]'],
    added: 'by the page',
  });
});

test('a URL is what its text says, against the page', async (t) => {
  const { server, page } = await openReplaced(t);
  const urls = await run(page, () =>
    ['', 1, null, { toString: () => 'api/x?y#z' }, new URL('http://other.invalid/')].map((given) => {
      const source = new EventSource(given);
      source.close();
      return source.url;
    }),
  );
  const base = new URL(page.url());
  assert.deepEqual(urls, [
    base.href,
    ...['/1', '/null', '/api/x?y#z'].map((path) => server.origin + path),
    'http://other.invalid/',
  ]);
});

test('too few arguments are a TypeError', async (t) => {
  const { page } = await openReplaced(t);
  const names = await run(
    page,
    (url) => {
      const source = new EventSource(url);
      const acts = [
        () => new EventSource(),
        () => source.addEventListener(),
        () => source.addEventListener('message'),
        () => source.removeEventListener('message'),
        () => source.dispatchEvent(),
      ];
      const names = acts.map((act) => {
        try {
          act();
          return null;
        } catch (error) {
          return error.name;
        }
      });
      source.close();
      return names;
    },
    URL_PATH,
  );
  assert.deepEqual(names, Array(5).fill('TypeError'));
});

test('close() in the first moment sends nothing, and no event comes', async (t) => {
  const { server, page } = await openReplaced(t);
  server.clear();
  await run(
    page,
    (url) => {
      window.heard = [];
      const source = new EventSource(url);
      for (const type of ['open', 'error', 'message']) source[`on${type}`] = () => window.heard.push(type);
      source.close();
    },
    URL_PATH,
  );
  assert.ok(await quiet(() => requestsTo(server).length, 200));
  assert.deepEqual([requestsTo(server).length, await run(page, () => window.heard)], [0, []]);
});

// ---------------------------------------------------------------- answers

for (const type of [
  'text/event-stream;',
  'text/event-stream; charset=windows-1252',
  'TEXT/Event-Stream;x="y"',
])
  test(`an answer of type ${type} is a stream, and is UTF-8`, async (t) => {
    const { stream } = await openStream(t, STRICT, {
      script: stays('data: ok…\n\n', { headers: { 'Content-Type': type } }),
    });
    assert.deepEqual(await stream.heard(1), ['ok…']);
  });

for (const type of [
  'text/event-streams',
  'text/event-stream2; a',
  'text/plain',
  'text/event+stream',
  'x',
  null,
])
  test(`an answer of type ${type} is none, and closes`, async (t) => {
    const { server, stream } = await openStream(t, STRICT, {
      script: stays(FIRST, { headers: { 'Content-Type': type } }),
    });
    assert.equal((await stream.closed()).error.kind, 'parse');
    assert.deepEqual(await stream.log(), [['error', 2]]);
    await until(() => connections(server) === 0);
  });

for (const status of [204, 205, 210, 299, 404, 410, 503])
  test(`a first answer of ${status} closes with one error`, async (t) => {
    const body = status === 204 || status === 205 ? {} : { body: FIRST };
    const { server, stream } = await openStream(t, STRICT, {
      script: { status, headers: { 'Content-Type': 'text/event-stream' }, ...body },
    });
    await stream.closed();
    assert.deepEqual(await stream.log(), [['error', 2]]);
    assert.equal(requestsTo(server).length, 1);
  });

for (const status of [301, 302, 303, 307, 308])
  test(`a redirect by ${status} is followed`, async (t) => {
    const { server, page } = await open(t, { events: QUICK });
    server.on(URL_PATH, { status, headers: { Location: '/api/moved' } });
    server.on('/api/moved', stays(FIRST));
    const stream = await listen(page, STRICT);
    assert.deepEqual(await stream.heard(1), ['a']);
    assert.deepEqual(await stream.errors(), []);
  });

// ---------------------------------------------------------------- from one connection to the next

test('the reconnection time is kept, and only digits change it', async (t) => {
  const { server, stream } = await openStream(t, STRICT, {
    script: [ends('retry: 400\nretry: 1x\nretry: -1\nretry\nretry: 1e1\ndata: a\n\n'), stays('data: b\n\n')],
  });
  await stream.heard(2);
  const [first, second] = requestsTo(server);
  assert.ok(second.at - first.at >= 395, `${second.at - first.at} ms`);
  const [wait] = await stream.waits();
  assert.ok(wait < 900, `${wait} ms`);
});

test('an id holds until another comes, an empty one ends it, and one with NUL is none', async (t) => {
  const text =
    'id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\nid\ndata: d\n\nid: 3…\ndata: e\n\nid: \0\0\ndata: f\n\n';
  const { server, stream } = await openStream(t, STRICT, {
    script: [ends(`retry: 100\n${text}`), stays('data: g\n\n')],
  });
  await stream.heard(7);
  assert.deepEqual(
    (await stream.events()).map(({ data, id }) => data + id),
    ['a1', 'b1', 'c2', 'd', 'e3…', 'f3…', 'g3…'],
  );
  assert.deepEqual(lastIds(server), [null, '3…']);
});

// ---------------------------------------------------------------- other origins

test('another origin that does not let the page in closes the stream', async (t) => {
  const other = await serve(t);
  other.on(URL_PATH, stays(FIRST));
  const { page } = await open(t, { events: QUICK });
  const stream = await listen(page, STRICT, { url: other.origin + URL_PATH });
  assert.equal((await stream.closed()).error.kind, 'invalid');
  assert.deepEqual(await stream.log(), [['error', 2]]);
  await until(() => connections(other) === 0);
  assert.ok(requestsTo(other).length <= 3);
  assert.ok(await quiet(() => requestsTo(other).length, 300));
  page.problems.length = 0; // Chromium's word on CORS
});

test('another origin that is down is asked again', async (t) => {
  const other = await serve(t, { cors: true });
  other.on(URL_PATH, ['cut', 'cut', 'cut', 'cut', stays(FIRST)]);
  const { page } = await open(t, { events: QUICK });
  const stream = await listen(page, STRICT, { url: other.origin + URL_PATH });
  assert.deepEqual(await stream.heard(1), ['a']);
  assert.ok((await stream.faults()).every(([kind]) => kind === 'network'));
});

test('another origin that comes back a moment later is not given up', async (t) => {
  const other = await serve(t, { cors: true });
  let requests = 0;
  other.on(URL_PATH, () => (++requests === 1 ? 'cut' : stays(FIRST)));
  const { page } = await open(t, { events: QUICK });
  const stream = await listen(page, STRICT, { url: other.origin + URL_PATH });
  assert.deepEqual(await stream.heard(1), ['a']);
  assert.equal(await stream.readyState(), 1);
  await until(() => connections(other) === 1);
});
