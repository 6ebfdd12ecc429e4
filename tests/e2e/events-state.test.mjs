import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { open } from './pages.mjs';
import {
  arrived,
  connections,
  EXACT,
  ends,
  listen,
  openStream,
  QUICK,
  quiet,
  requestsTo,
  stays,
  URL_PATH,
} from './streams.mjs';

const FIRST = 'id: 1\ndata: a\n\n';

test('the state tells the life of a stream, and is the same object until it changes', async (t) => {
  const { page, stream } = await openStream(
    t,
    { ...EXACT, stableMs: 600_000 },
    { script: [503, ends(FIRST), stays('data: b\n\n')] },
  );
  await run(page, () => {
    window.same = [];
    const { state } = window.stream.source;
    const look = () => {
      const [first, second] = [state.getSnapshot(), state.getSnapshot()];
      window.same.push(first === second);
    };
    look();
    window.stream.source.addEventListener('message', look);
    window.stream.unsubscribe = state.subscribe(look);
  });
  await stream.heard(2);
  const states = await stream.states();
  const story = states.map(({ status, attempts, reconnects }) => `${status} ${attempts} ${reconnects}`);
  assert.deepEqual(story, [
    'waiting 1 0',
    'connecting 1 0',
    'open 1 0',
    'waiting 2 0',
    'connecting 2 0',
    'open 2 1',
  ]);
  assert.ok(states.every(({ role }) => role === 'single'));
  assert.ok(states.every(({ status, nextRetryAt }) => (status === 'waiting') === (nextRetryAt !== null)));
  assert.ok(states.every(({ status, isConnected }) => (status === 'open') === isConnected));
  assert.ok((await run(page, () => window.same)).every(Boolean));
  const server = await run(page, () => window.stream.source.state.getServerSnapshot());
  assert.deepEqual([server.status, server.isConnected, server.error], ['connecting', false, null]);
});

test('events change nothing in the state, and who unsubscribed hears no more', async (t) => {
  const { page, stream } = await openStream(
    t,
    {},
    { script: { ...stays(''), pieces: [1, 2, 3, 4].map(() => ({ data: FIRST, afterMs: 50 })) } },
  );
  await stream.opened();
  const before = (await stream.states()).length;
  await run(page, () => {
    window.calls = 0;
    window.stream.source.state.subscribe(() => window.calls++)();
  });
  await stream.heard(4);
  assert.equal((await stream.states()).length, before);
  await stream.close();
  assert.equal(await run(page, () => window.calls), 0);
});

test('stats tell how far it is', async (t) => {
  const before = Date.now();
  const { stream } = await openStream(t, {}, { script: [ends(FIRST), stays(`${FIRST}id: 2\ndata: b\n\n`)] });
  await stream.heard(2);
  const { lastEventId, received, duplicates, lastByteAt } = await stream.stats();
  assert.deepEqual([lastEventId, received, duplicates], ['2', 2, 1]);
  assert.ok(lastByteAt >= before && lastByteAt <= Date.now());
});

test('before the first byte there is nothing to tell', async (t) => {
  const { stream } = await openStream(t, { firstByteMs: 600_000 }, { script: 'hang' });
  assert.deepEqual(await stream.stats(), { lastEventId: '', received: 0, duplicates: 0, lastByteAt: null });
  const { status, attempts, error, reconnects, nextRetryAt } = await stream.state();
  assert.deepEqual([status, attempts, error, reconnects, nextRetryAt], ['connecting', 0, null, 0, null]);
});

test('the class stands in for EventSource, also without a client, and is an EventTarget', async (t) => {
  const { server, page } = await open(t, {}, { fresh: true });
  server.on('/api/plain', stays(FIRST));
  const seen = await run(page, async () => {
    window.app.dispose();
    globalThis.EventSource = window.evenkeel.ResilientEventSource;
    const source = new EventSource('/api/plain', { withCredentials: true });
    const event = await new Promise((resolve) => (source.onmessage = resolve));
    const seen = [
      event.data,
      source instanceof EventTarget,
      source instanceof EventSource,
      source.withCredentials,
      source.url === `${location.origin}/api/plain`,
      [EventSource.CONNECTING, EventSource.OPEN, EventSource.CLOSED],
      [source.CONNECTING, source.OPEN, source.CLOSED, source.readyState],
      String(source),
      event instanceof MessageEvent,
    ];
    source.close();
    return seen;
  });
  assert.deepEqual(seen, [
    'a',
    true,
    true,
    true,
    true,
    [0, 1, 2],
    [0, 1, 2, 1],
    '[object EventSource]',
    true,
  ]);
});

test('a source without a client belongs to the one that the page has', async (t) => {
  const { server, page } = await open(t, { baseUrl: '/api/base/', events: QUICK }, { fresh: true });
  server.on('/api/base/events', stays(FIRST));
  await run(page, () => {
    window.own = new window.evenkeel.ResilientEventSource('events');
  });
  await until(() => connections(server, '/api/base/events') === 1);
  await page.evaluate('window.app.dispose()');
  await until(() => connections(server, '/api/base/events') === 0);
  assert.equal(await run(page, () => window.own.readyState), 2);
});

test('`stability` says whose stream it is', async (t) => {
  const { server, page } = await open(t, { events: QUICK }, { fresh: true });
  server.on('/api/second/events', stays(FIRST));
  const origin = await run(page, () => {
    const stability = window.evenkeel.createStability({ baseUrl: '/api/second/' });
    window.own = new window.evenkeel.ResilientEventSource('events', { stability });
    return window.own.url;
  });
  assert.equal(origin, `${server.origin}/api/second/events`);
  await server.waitFor('/api/second/events');
});

test('dispose() closes all streams of the client, and no event follows', async (t) => {
  const { server, page, stream } = await openStream(t, QUICK, {
    script: stays(FIRST),
    page: { fresh: true },
  });
  server.on('/api/waiting', 503);
  const waiting = await listen(page, {}, { url: '/api/waiting', name: 'waiting' });
  await stream.heard(1);
  await until(async () => (await waiting.fired('error')) > 0);
  await page.evaluate('window.app.dispose()');
  const log = await stream.log();
  for (const one of [stream, waiting]) {
    const { status, error } = await one.closed();
    assert.deepEqual([status, error.kind], ['closed', 'aborted']);
    assert.equal(await one.readyState(), 2);
  }
  await until(() => connections(server) === 0);
  await arrived(page);
  server.clear();
  assert.ok(await quiet(() => server.requests.length, 300));
  assert.deepEqual(await stream.log(), log);
});

test('a disposed client opens no stream', async (t) => {
  const { server, page } = await open(t, { events: QUICK }, { fresh: true });
  server.on(URL_PATH, stays(FIRST));
  await page.evaluate('window.app.dispose()');
  await listen(page, {}, {}).catch(() => null);
  assert.ok(await quiet(() => requestsTo(server).length, 300));
  assert.equal(requestsTo(server).length, 0);
});

test('diagnostics tell of connections and ends, with no id, query or data in them', async (t) => {
  const { server, page, stream } = await openStream(
    t,
    {
      headers: { Authorization: 'Bearer SECRET-1' },
      method: 'POST',
      body: 'SECRET-2',
      lastEventId: 'SECRET-3',
    },
    {
      script: [ends('id: SECRET-4\nevent: SECRET-5\ndata: SECRET-6\n\n'), 503, 404],
      url: `${URL_PATH}?token=SECRET-7`,
    },
  );
  await stream.closed();
  const diagnostics = await run(page, () => window.app.diagnostics());
  assert.doesNotMatch(JSON.stringify(diagnostics), /SECRET|%53ECRET/);
  const told = diagnostics.events.filter(({ type }) => type === 'stream');
  const story = told.map(({ status, reason }) => `${status} ${reason}`);
  assert.deepEqual(
    story.filter((text) => /^(open|closed)/.test(text)),
    ['open null', 'closed notFound'],
  );
  assert.ok(told.some(({ reason }) => reason === 'unavailable'));
  assert.ok(told.every(({ url }) => url === server.origin + URL_PATH));
  assert.deepEqual([told.at(-1).status, told.at(-1).reason], ['closed', 'notFound']);
  const { streamConnections, streamsOpened } = diagnostics.counters;
  assert.deepEqual([streamConnections, streamsOpened], [3, 1]);
  assert.doesNotMatch(JSON.stringify(await stream.state()), /SECRET/);
});

test('the defaults of the client hold for its streams, and a stream may say otherwise', async (t) => {
  const { server, page, stream } = await openStream(
    t,
    {},
    {
      config: { events: { ...QUICK, watchdogMs: 250 } },
      script: stays(FIRST),
    },
  );
  server.on('/api/patient', stays(FIRST));
  const patient = await listen(page, { watchdogMs: 60_000 }, { url: '/api/patient', name: 'patient' });
  await server.waitFor(URL_PATH, { count: 3 });
  await patient.opened();
  assert.equal(requestsTo(server, '/api/patient').length, 1);
  assert.deepEqual((await stream.faults())[0], ['timeout', 0]);
});

test('a bad option throws at once, and is named', async (t) => {
  const { page } = await open(t, {});
  const bad = [
    { watchdogMs: -1 },
    { method: 'PUT' },
    { body: 'x' },
    { maxEventBytes: 'much' },
    { backoff: { baseMs: Number.NaN } },
    { nonsense: 1 },
  ];
  for (const options of bad) {
    const error = await run(
      page,
      (options) => {
        try {
          window.app.events('/api/events', options).close();
        } catch (error) {
          return error;
        }
      },
      options,
    );
    assert.match(`${error?.name}`, /^(Type|Range)Error$/, JSON.stringify(options));
    assert.match(error.message, new RegExp(Object.keys(options)[0]));
  }
});

test('a page may be opened with a stream that is asked for before the module runs', async (t) => {
  const { server } = await open(t, {}, { fresh: true });
  server.on(URL_PATH, stays(FIRST));
  const module = held({ pass: true });
  server.on(/\.wasm/, module.step);
  const { browser } = await import('./tabs.mjs');
  const page = await openPage(t, { browser, server, config: { events: QUICK, startTimeoutMs: 60_000 } });
  const stream = await listen(page);
  module.release();
  await stream.heard(1);
  assert.deepEqual(await stream.log(), [
    ['open', 1],
    ['message', 'a'],
  ]);
});
