import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventsSettings } from '../../js/config.js';
import type { Sink } from '../../js/event-source.js';
import type { EventsState } from '../../js/types.js';

/** A browser's EventSource in the hands of the test. */
class FakeNative extends EventTarget {
  static made: FakeNative[] = [];
  readyState = 0;
  constructor(
    readonly url: string | URL,
    readonly init: EventSourceInit,
  ) {
    super();
    FakeNative.made.push(this);
  }
  close(): void {
    this.readyState = 2;
  }
  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }
  fail(readyState: 0 | 2): void {
    this.readyState = readyState;
    this.dispatchEvent(new Event('error'));
  }
  say(data: string, type = 'message', lastEventId = ''): void {
    this.dispatchEvent(new MessageEvent(type, { data, lastEventId, origin: 'https://feed.example.com' }));
  }
}

// It is taken at import, and what stands there later is not looked at.
Object.assign(globalThis, { EventSource: FakeNative });
const { openFallback, openNative } = await import('../../js/native.js');
const { checkConfig, checkEvents } = await import('../../js/config.js');
const { QUEUED_MAX } = await import('../../js/event-source.js');
Object.assign(globalThis, {
  EventSource: class {
    constructor() {
      assert.fail('the one that came later is used');
    }
  },
});

const URL_OF_FEED = new URL('https://feed.example.com/feed?token=secret');
const settingsOf = (options: object = {}): EventsSettings => checkEvents(options, checkConfig({}).events);

type Told = [state: EventsState, fired?: 'open' | 'error'];

function sinkOf(types: string[] = []) {
  const states: Told[] = [];
  const heard: string[] = [];
  const sink = {
    types: new Set(types),
    onType: undefined as ((type: string) => void) | undefined,
    queued: 0,
    room: () => undefined,
    state: (...told: Told) => void states.push(told),
    message(...event: string[]): boolean {
      heard.push(event.join());
      return true;
    },
  };
  return { sink, states, heard };
}

function given(types: string[] = [], options: object = {}) {
  const told = sinkOf(types);
  const line = openNative(URL_OF_FEED, settingsOf(options), told.sink as Sink)!;
  return { ...told, line, native: FakeNative.made.at(-1)! };
}

test('headers and POST are more than the native one can do', () => {
  const { sink } = sinkOf();
  const before = FakeNative.made.length;
  for (const options of [{ headers: { 'X-A': '1' } }, { headers: () => ({}) }, { method: 'POST', body: 'x' }])
    assert.equal(openNative(URL_OF_FEED, settingsOf(options), sink as Sink), null);
  assert.equal(FakeNative.made.length, before);
});

test('where there can be no native one, the stream closes with one error of kind runtime', async () => {
  const { sink, states } = sinkOf();
  const line = openFallback(URL_OF_FEED, settingsOf({ headers: {}, lastEventId: '5' }), sink as Sink);
  assert.equal(states.length, 0);
  await Promise.resolve();
  assert.equal(states.length, 1);
  const [state, fired] = states[0]!;
  assert.equal(fired, 'error');
  assert.equal(state.status, 'closed');
  assert.equal(state.error?.kind, 'runtime');
  assert.equal(state.error?.url, 'https://feed.example.com/feed');
  line.reconnect();
  line.close();
  assert.deepEqual(line.stats(), { lastEventId: '5', received: 0, duplicates: 0, lastByteAt: null });
  assert.equal(states.length, 1);
});

test('it opens what was asked for, and says nothing before it is open', () => {
  const { native, states } = given([], { withCredentials: true });
  assert.equal(String(native.url), URL_OF_FEED.href);
  assert.deepEqual(native.init, { withCredentials: true });
  assert.equal(states.length, 0);
  native.open();
  assert.deepEqual(states, [
    [
      {
        status: 'open',
        isConnected: true,
        attempts: 0,
        nextRetryAt: null,
        role: 'single',
        error: null,
        reconnects: 0,
      },
      'open',
    ],
  ]);
});

test('a connection that breaks is connecting, counts its failures in a row, and counts as reopened once', () => {
  const { native, states } = given();
  native.open();
  native.fail(0);
  native.fail(0);
  native.open();
  assert.deepEqual(
    states.map(([{ status, attempts, reconnects, error }, fired]) => [
      status,
      attempts,
      reconnects,
      error?.kind,
      fired,
    ]),
    [
      ['open', 0, 0, undefined, 'open'],
      ['connecting', 1, 0, 'network', 'error'],
      ['connecting', 2, 0, 'network', 'error'],
      ['open', 0, 1, undefined, 'open'],
    ],
  );
});

test('one that gives up is closed, with an error that names no secret', () => {
  const { native, states } = given();
  native.fail(2);
  const [state, fired] = states.at(-1)!;
  assert.deepEqual([state.status, state.isConnected, fired], ['closed', false, 'error']);
  assert.equal(state.error?.kind, 'network');
  assert.doesNotMatch(state.error!.message, /secret/);
});

test('it hears messages and every type that is listened to, also one that comes later', () => {
  const { native, heard, sink } = given(['tick']);
  native.say('one');
  native.say('two', 'tick', '2');
  native.say('unheard', 'late');
  sink.onType!('late');
  sink.onType!('late');
  native.say('three', 'late', '3');
  const origin = 'https://feed.example.com';
  assert.deepEqual(heard, [`message,one,,${origin}`, `tick,two,2,${origin}`, `late,three,3,${origin}`]);
});

test('an event that the server calls open or error is a message, not a state', () => {
  const { native, heard, states } = given(['open', 'error']);
  native.say('a', 'open');
  native.say('b', 'error');
  assert.equal(heard.length, 2);
  assert.equal(states.length, 0);
});

test('it counts what came, and when', () => {
  const { native, line } = given([], { lastEventId: '1' });
  assert.deepEqual(line.stats(), { lastEventId: '1', received: 0, duplicates: 0, lastByteAt: null });
  const before = Date.now();
  native.open();
  native.say('one', 'message', '5');
  native.say('two', 'message', '6');
  const { lastByteAt, ...rest } = line.stats();
  assert.deepEqual(rest, { lastEventId: '6', received: 2, duplicates: 0 });
  assert.ok(lastByteAt! >= before);
});

test('reconnect drops the connection and makes a new one that hears the same', () => {
  const { native, line, sink, states, heard } = given(['tick']);
  native.open();
  native.fail(0);
  sink.types.add('late');
  sink.onType!('late');
  line.reconnect();
  const next = FakeNative.made.at(-1)!;
  assert.notEqual(next, native);
  assert.equal(native.readyState, 2);
  const [state, fired] = states.at(-1)!;
  assert.deepEqual([state.status, state.attempts, fired], ['connecting', 0, undefined]);
  next.open();
  next.say('one', 'late');
  assert.equal(heard.length, 1);
  assert.equal(states.at(-1)![0].reconnects, 1);
});

test('close closes it', () => {
  const { native, line } = given();
  line.close();
  assert.equal(native.readyState, 2);
});

test('rather than lose an event that the iterator has no room for, it closes and says so', () => {
  const { native, sink, states } = given();
  sink.queued = QUEUED_MAX;
  native.say('the last that fits');
  assert.equal(states.length, 0);
  sink.queued++;
  native.say('one more');
  const [state, fired] = states.at(-1)!;
  assert.deepEqual([state.status, state.error?.kind, fired], ['closed', 'queueFull', 'error']);
  assert.equal(native.readyState, 2);
});
