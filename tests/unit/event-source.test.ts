import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkConfig, type EventsSettings } from '../../js/config.js';
import { StabilityError } from '../../js/errors.js';
import { EventSourceBase, introduce, offer, type Sink } from '../../js/event-source.js';
import type { EventsOptions, EventsState, Stability } from '../../js/types.js';

/** A stream as the class sees it: what was asked of it, and what it can say. */
interface Stream {
  url: URL;
  settings: EventsSettings;
  sink: Sink;
  asked: string[];
}

const ORIGIN = 'https://feed.example.com';
const STATE: EventsState = {
  status: 'connecting',
  isConnected: false,
  attempts: 0,
  nextRetryAt: null,
  role: 'single',
  error: null,
  reconnects: 0,
};
const OPEN: EventsState = { ...STATE, status: 'open', isConnected: true };
const CLOSED: EventsState = { ...STATE, status: 'closed' };
const STATS = { lastEventId: '7', received: 3, duplicates: 1, lastByteAt: 5 };

/** A client whose streams are in the hands of the test. */
function clientOf(streams: Stream[], config = {}) {
  const stability = {} as Stability;
  introduce(stability, {
    open(url, settings, sink) {
      const asked: string[] = [];
      streams.push({ url, settings, sink, asked });
      return {
        close: () => void asked.push('close'),
        reconnect: () => void asked.push('reconnect'),
        stats: () => STATS,
      };
    },
    resolve: (url) => new URL(url, 'https://app.example.com/deep/page?q=1'),
    defaults: checkConfig(config).events,
  });
  return { stability, leave: offer(stability) };
}

/** The streams of clients that were made because the page had none, a list for each. */
let made: Stream[][] = [];
class TestEventSource extends EventSourceBase {
  constructor(...args: [url: string | URL, options?: EventsOptions & { stability?: Stability }]) {
    super(() => {
      const streams: Stream[] = [];
      made.push(streams);
      return clientOf(streams).stability;
    }, args);
  }
}

/** A stream, the source in front of it, and what the source fires. */
function given(options: EventsOptions = {}, url: string | URL = '/feed') {
  const streams: Stream[] = [];
  const { stability } = clientOf(streams);
  const source = new TestEventSource(url, { ...options, stability });
  const stream = streams[0]!;
  const fired: string[] = [];
  const watch = (...types: string[]): void => {
    for (const type of types)
      source.addEventListener(type, (event: Event) =>
        fired.push(event instanceof MessageEvent ? `${event.type} ${event.data}` : event.type),
      );
  };
  const say = (data: string, type = 'message', id = ''): boolean =>
    stream.sink.message(type, data, id, ORIGIN);
  return { source, ...stream, fired, watch, say };
}

/** What a listener throws is reported as an uncaught error: here it is caught. */
function uncaught(t: TestContext): unknown[] {
  const errors: unknown[] = [];
  t.mock.method(process, 'nextTick', (job: () => void) => {
    try {
      job();
    } catch (error) {
      errors.push(error);
    }
  });
  return errors;
}

// ---------------------------------------------------------------- the interface

test('the URL is resolved, and what is no URL is a SyntaxError at once', () => {
  assert.equal(given({}, 'feed').source.url, 'https://app.example.com/deep/feed');
  assert.equal(given({}, '').source.url, 'https://app.example.com/deep/page?q=1');
  assert.equal(given({}, new URL('https://x.example/a#b')).source.url, 'https://x.example/a#b');
  for (const [value, path] of [
    [1, '1'],
    [null, 'null'],
    [undefined, 'undefined'],
    [{ toString: () => 'own' }, 'own'],
  ] as Array<[never, string]>)
    assert.equal(new TestEventSource(value).url, `https://app.example.com/deep/${path}`);

  for (const wrong of ['http://this is invalid/', 'https://', '//']) {
    assert.throws(
      () => new TestEventSource(wrong),
      (error) => error instanceof DOMException && error.name === 'SyntaxError' && error.code === 12,
    );
  }
});

test('without an argument, or without new, it is a TypeError', () => {
  const Loose = TestEventSource as unknown as { new (): unknown; (url: string): unknown };
  assert.throws(() => new Loose(), TypeError);
  assert.throws(() => Loose('/feed'), TypeError);
});

test('an option that is wrong, or a stability that is none, is a TypeError at once', () => {
  const wrong = (options: unknown) => () => new TestEventSource('/feed', options as EventsOptions);
  assert.throws(wrong({ watchdog: 5 }), /evenkeel: options.watchdog is not an option of this version/);
  assert.throws(wrong({ shared: 'yes' }), TypeError);
  assert.throws(wrong(5), /evenkeel: options must be an object, got 5/);
  assert.throws(wrong({ stability: {} }), /options.stability must be what createStability returned/);
  assert.equal(new TestEventSource('/feed', null as never).readyState, 0);
});

test('the options and the client’s defaults reach the stream together', () => {
  const streams: Stream[] = [];
  const { stability } = clientOf(streams, { events: { firstByteMs: 7, backoff: { baseMs: 5 } } });
  new TestEventSource('/feed', { backoff: { maxMs: 9 }, withCredentials: true, stability });
  assert.equal(streams[0]!.settings.firstByteMs, 7);
  assert.deepEqual(streams[0]!.settings.backoff, { baseMs: 5, maxMs: 9, jitter: 'full' });
  assert.equal(streams[0]!.settings.withCredentials, true);
  assert.ok(!('stability' in streams[0]!.settings));
});

test('the ready states stand on the class, on its prototype and on each source, and cannot be changed', () => {
  const { source } = given();
  for (const owner of [TestEventSource, TestEventSource.prototype, source] as const) {
    assert.deepEqual([owner.CONNECTING, owner.OPEN, owner.CLOSED], [0, 1, 2]);
    assert.throws(() => Object.assign(owner, { OPEN: 5 }), TypeError);
  }
  const { OPEN } = Object.getOwnPropertyDescriptors(EventSourceBase);
  assert.deepEqual(OPEN, { value: 1, writable: false, enumerable: true, configurable: false });
});

test('it stands in for EventSource, for the compiler too', () => {
  const asNative: EventSource = given({ withCredentials: true }).source;
  const Class: typeof EventSource = TestEventSource;
  assert.equal(asNative.withCredentials, true);
  assert.equal(given().source.withCredentials, false);
  assert.ok(asNative instanceof Class);
  assert.ok(asNative instanceof EventTarget);
  assert.equal(Object.prototype.toString.call(asNative), '[object EventSource]');
  for (const name of ['url', 'withCredentials', 'readyState', 'state'])
    assert.throws(() => Object.assign(asNative, { [name]: 1 }), TypeError);
});

test('readyState is what the status means, before the event is fired', () => {
  const { source, sink } = given();
  const seen: string[] = [];
  for (const type of ['open', 'error']) {
    source.addEventListener(type, (event: Event) => {
      seen.push(`${event.type} ${source.readyState} ${source.state.getSnapshot().status}`);
      assert.equal(event.constructor, Event);
      assert.deepEqual([event.bubbles, event.cancelable], [false, false]);
    });
  }
  assert.equal(source.readyState, 0);
  const expected = { open: 1, connecting: 0, waiting: 0, polling: 1, paused: 0, closed: 2 } as const;
  for (const [status, readyState] of Object.entries(expected)) {
    sink.state({ ...STATE, status: status as EventsState['status'] });
    assert.equal(source.readyState, readyState, status);
    if (status === 'connecting') sink.state(OPEN, 'open');
    if (status === 'polling') sink.state({ ...STATE, status: 'waiting' }, 'error');
  }
  assert.deepEqual(seen, ['open 1 open', 'error 0 waiting']);
});

test('a stream that closes for good says so with one error, and nothing after it', () => {
  const { source, sink, fired, watch, say, asked } = given();
  watch('open', 'error', 'message');
  sink.state(OPEN, 'open');
  const error = new StabilityError('forbidden', { status: 403 });
  sink.state({ ...CLOSED, error }, 'error');
  assert.equal(source.readyState, 2);

  sink.state(OPEN, 'open');
  assert.equal(say('late'), false);
  source.reconnect();
  source.close();
  assert.deepEqual(fired, ['open', 'error']);
  assert.equal(source.state.getSnapshot().error, error);
  assert.deepEqual(asked, []);
});

test('the state is a store: identical until it changes, and a watcher may close the stream before its event', () => {
  const { source, sink, fired, watch } = given();
  watch('open');
  assert.deepEqual(source.state.getSnapshot(), STATE);
  assert.deepEqual(source.state.getServerSnapshot(), STATE);
  const before = source.state.getSnapshot();
  sink.state({ ...STATE });
  assert.equal(source.state.getSnapshot(), before);
  source.state.subscribe(() => source.close());
  sink.state(OPEN, 'open');
  assert.equal(source.readyState, 2);
  assert.deepEqual(fired, []);
});

test('stats and reconnect are the stream’s; after close() it is not asked to reconnect', () => {
  const { source, asked } = given();
  assert.equal(source.stats(), STATS);
  source.reconnect();
  source.close();
  source.reconnect();
  source.close();
  assert.deepEqual(asked, ['reconnect', 'close']);
  assert.equal(source.stats(), STATS);
});

// ---------------------------------------------------------------- events

test('a message carries data, id, origin and type to those who listen', () => {
  const { source, say } = given();
  const events: MessageEvent[] = [];
  source.onmessage = (event) => events.push(event);
  source.addEventListener('tick', (event) => events.push(event));
  assert.equal(say('one', 'message', '1'), true);
  assert.equal(say('two', 'tick', '2'), true);
  assert.deepEqual(
    events.map(({ type, data, lastEventId, origin, target }) => [type, data, lastEventId, origin, target]),
    [
      ['message', 'one', '1', ORIGIN, source],
      ['tick', 'two', '2', ORIGIN, source],
    ],
  );
});

test('a server may call its events open and error: they are messages', () => {
  const { fired, watch, say, source } = given();
  watch('open', 'error');
  say('a', 'open');
  say('b', 'error');
  assert.deepEqual(fired, ['open a', 'error b']);
  assert.equal(source.readyState, 0);
});

test('no object is made of an event that nobody listens to', (t) => {
  const { source, say, sink } = given();
  const dispatch = t.mock.method(source, 'dispatchEvent');
  t.mock.method(process, 'emitWarning', () => {}); // of Node, about a listener that is null
  say('one');
  source.removeEventListener('message', () => {});
  source.addEventListener('message', null as never);
  source.onmessage = null;
  say('two', 'tick');
  sink.message({ toString: () => assert.fail('an event was made') } as never, '', '', ORIGIN);
  assert.deepEqual([...sink.types], []);
  source[Symbol.asyncIterator]();
  say('for the iterator', 'tick');
  assert.equal(dispatch.mock.callCount(), 0);
  source.addEventListener('tick', () => {});
  say('three', 'tick');
  assert.equal(dispatch.mock.callCount(), 1);
});

test('the stream is told of each new type once, whatever its name is made from', () => {
  const { source, sink } = given();
  source.addEventListener('early', () => {});
  const told: string[] = [];
  sink.onType = (type) => told.push(type);
  source.onmessage = () => {};
  source.addEventListener('tick', () => {});
  source.addEventListener('tick', { handleEvent() {} });
  source.addEventListener(5 as never, () => {});
  assert.deepEqual(told, ['message', 'tick', '5']);
  assert.deepEqual([...sink.types], ['early', 'message', 'tick', '5']);
});

test('close() in a listener ends everything at once, in the middle of a batch too', () => {
  const { source, sink, fired, watch, say, asked } = given();
  watch('message', 'error', 'open');
  source.addEventListener('message', ({ data }) => {
    if (data === 'two') source.close();
    assert.equal(source.readyState, data === 'two' ? 2 : 0);
  });
  assert.equal(say('one'), true);
  assert.equal(say('two'), false);
  assert.equal(say('three'), false);
  sink.state(CLOSED, 'error');
  assert.deepEqual(fired, ['message one', 'message two']);
  assert.deepEqual(asked, ['close']);
  assert.deepEqual(source.state.getSnapshot(), CLOSED);
});

test('what close() leaves is a stream that is closed, and nothing of what it was waiting for', () => {
  const { source, sink } = given();
  sink.state({ ...OPEN, reconnects: 2 }, 'open');
  source.close();
  assert.deepEqual(source.state.getSnapshot(), { ...CLOSED, reconnects: 2 });

  const other = given();
  other.sink.state({ ...STATE, status: 'waiting', nextRetryAt: 5, error: new StabilityError('network') });
  other.source.close();
  assert.deepEqual(other.source.state.getSnapshot(), CLOSED);
});

test('a stream that closes while it tells an event drops the rest', () => {
  const { source, sink, say } = given();
  source.onmessage = () => sink.state(CLOSED);
  assert.equal(say('one'), false);
});

test('a listener that throws is reported, and keeps nobody from hearing', (t) => {
  const errors = uncaught(t);
  const { source, fired, watch, say } = given();
  source.onmessage = () => {
    throw new Error('boom');
  };
  watch('message');
  say('one');
  say('two');
  assert.deepEqual(fired, ['message one', 'message two']);
  assert.equal(errors.length, 2);
});

test('a handler is null until it is set, objects are kept, and everything else is null', (t) => {
  const errors = uncaught(t);
  const { source, sink, say } = given();
  for (const name of ['onopen', 'onmessage', 'onerror'] as const) {
    assert.equal(source[name], null);
    const handler = (): void => {};
    source[name] = handler;
    assert.equal(source[name], handler);
    for (const nothing of [5, 'text', true, undefined, null]) {
      source[name] = handler;
      source[name] = nothing as never;
      assert.equal(source[name], null);
    }
    const object = { handleEvent: () => assert.fail('it is kept, not called') };
    source[name] = object as never;
    assert.equal(source[name], object);
  }
  say('one');
  sink.state(OPEN, 'open');
  assert.deepEqual(errors, []);
  assert.deepEqual(Object.keys(source), []);
});

test('a handler has the place among the listeners where it was first set, until it is null again', () => {
  const { source, say } = given();
  const heard: string[] = [];
  const hear = (name: string) => () => void heard.push(name);
  source.onmessage = hear('handler, first');
  source.addEventListener('message', hear('listener'));
  source.onmessage = hear('handler, second');
  say('');
  assert.deepEqual(heard.splice(0), ['handler, second', 'listener']);
  source.onmessage = null;
  say('');
  assert.deepEqual(heard.splice(0), ['listener']);
  source.onmessage = hear('handler, third');
  say('');
  assert.deepEqual(heard, ['listener', 'handler, third']);
});

test('a handler is called with the source as this, and what it returns means nothing', () => {
  const { source, sink } = given();
  let seen: unknown;
  source.onopen = function () {
    seen = this;
    return false;
  };
  sink.state(OPEN, 'open');
  assert.equal(seen, source);
});

test('a listener can be removed, and one with `once` hears one event', () => {
  const { source, say } = given();
  const heard: string[] = [];
  const listener = ({ data }: MessageEvent): void => void heard.push(data);
  source.addEventListener('message', listener);
  source.addEventListener('message', ({ data }) => heard.push(`once ${data}`), { once: true });
  say('1');
  source.removeEventListener('message', listener);
  say('2');
  assert.deepEqual(heard, ['1', 'once 1']);
});

test('using closes, where the runtime knows it', () => {
  const { source, asked } = given();
  if (Symbol.dispose) source[Symbol.dispose]();
  else assert.ok(!('undefined' in source));
  assert.deepEqual(asked, Symbol.dispose ? ['close'] : []);
});

// ---------------------------------------------------------------- the iterator

test('the iterator gives events of every type in order, with or without listeners', async () => {
  const { source, sink, fired, watch, say } = given();
  watch('tick');
  say('before');
  const events = source[Symbol.asyncIterator]();
  say('one');
  say('two', 'tick', '2');
  sink.state(CLOSED, 'error');
  const seen: string[] = [];
  for await (const { type, data, lastEventId, origin } of { [Symbol.asyncIterator]: () => events })
    seen.push([type, data, lastEventId, origin].join());
  assert.deepEqual(seen, [`message,one,,${ORIGIN}`, `tick,two,2,${ORIGIN}`]);
  assert.deepEqual(fired, ['tick two']);
});

test('calls of next() at the same time are answered in order', async () => {
  const { source, sink, say } = given();
  const events = source[Symbol.asyncIterator]();
  const asked = [events.next(), events.next(), events.next(), events.next()];
  say('one');
  say('two');
  sink.state(CLOSED);
  assert.deepEqual(
    (await Promise.all(asked)).map(({ done, value }) => (done ? 'done' : value.data)),
    ['one', 'two', 'done', 'done'],
  );
});

test('the iterator holds the stream back until all that came was taken', async () => {
  const { source, sink, say } = given();
  assert.equal(sink.room(), undefined);
  const events = source[Symbol.asyncIterator]();
  assert.equal(sink.room(), undefined);
  say('one');
  say('two');
  assert.equal(sink.queued, 2);
  let isFree = false;
  const room = sink.room()!.then(() => {
    isFree = true;
  });
  await events.next();
  await new Promise(setImmediate);
  assert.equal(isFree, false);
  await events.next();
  await room;
  assert.equal(isFree, true);
  assert.equal(sink.room(), undefined);
  assert.equal(sink.queued, 0);

  // Again, with another promise.
  const next = events.next();
  say('three');
  assert.equal((await next).value.data, 'three');
  assert.equal(sink.room(), undefined);
  say('four');
  const second = sink.room();
  assert.ok(second);
  source.close();
  await second;
});

test('without an iterator nothing is kept and nothing is held back', () => {
  const { sink, say } = given();
  for (let n = 0; n < 100; n++) say(`${n}`);
  assert.equal(sink.queued, 0);
  assert.equal(sink.room(), undefined);
});

test('a second iterator is a TypeError', async () => {
  const { source } = given();
  source[Symbol.asyncIterator]();
  assert.throws(() => source[Symbol.asyncIterator](), TypeError);
});

test('leaving the loop closes the stream', async () => {
  const { source, asked, say, sink } = given();
  const loop = (async () => {
    for await (const event of source) return event.data;
  })();
  say('one');
  say('two');
  assert.equal(await loop, 'one');
  assert.equal(source.readyState, 2);
  assert.deepEqual(asked, ['close']);
  assert.equal(sink.queued, 0);
});

test('throw() closes the stream and rejects with what was thrown', async () => {
  const { source, asked } = given();
  const events = source[Symbol.asyncIterator]();
  const boom = new Error('boom');
  await assert.rejects(events.throw!(boom), boom);
  assert.deepEqual(asked, ['close']);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test('close() ends the loop at once and drops what waits', async () => {
  const { source, say } = given();
  const events = source[Symbol.asyncIterator]();
  say('one');
  source.close();
  assert.equal((await events.next()).done, true);

  const other = given();
  const waiting = other.source[Symbol.asyncIterator]().next();
  other.source.close();
  assert.equal((await waiting).done, true);
});

test('a stream that closes with an error gives what came before, throws it once, and is done', async () => {
  const { source, sink, say } = given();
  const events = source[Symbol.asyncIterator]();
  const error = new StabilityError('forbidden', { status: 403 });
  say('one');
  const held = sink.room();
  sink.state({ ...CLOSED, error }, 'error');
  await held;
  assert.equal(sink.room(), undefined);
  assert.equal((await events.next()).value.data, 'one');
  await assert.rejects(events.next(), error);
  assert.equal((await events.next()).done, true);
});

test('who waits for the next event when the stream closes with an error is told it', async () => {
  const { source, sink } = given();
  const events = source[Symbol.asyncIterator]();
  const waiting = [events.next(), events.next()];
  const error = new StabilityError('unauthenticated');
  sink.state({ ...CLOSED, error }, 'error');
  await assert.rejects(waiting[0]!, error);
  assert.equal((await waiting[1])!.done, true);
});

test('close() after the stream closed by itself still drops what waits', async () => {
  const { source, sink, say } = given();
  const events = source[Symbol.asyncIterator]();
  say('one');
  sink.state({ ...CLOSED, error: new StabilityError('parse') }, 'error');
  source.close();
  assert.equal((await events.next()).done, true);
});

test('a loop that begins after the end has nothing to do, or throws why', async () => {
  const closed = given();
  closed.source.close();
  for await (const _ of closed.source) assert.fail('it is closed');

  const ended = given();
  ended.sink.state(CLOSED, 'error');
  for await (const _ of ended.source) assert.fail('it has ended');

  const both = given();
  both.sink.state({ ...CLOSED, error: new StabilityError('parse') }, 'error');
  both.source.close();
  for await (const _ of both.source) assert.fail('it is closed');

  const failed = given();
  const error = new StabilityError('parse');
  failed.sink.state({ ...CLOSED, error }, 'error');
  await assert.rejects(failed.source[Symbol.asyncIterator]().next(), error);
});

test('many events wait and are taken in order', async () => {
  const { source, sink, say } = given();
  const events = source[Symbol.asyncIterator]();
  for (let n = 0; n < 50_000; n++) say(`${n}`);
  assert.equal(sink.queued, 50_000);
  for (let n = 0; n < 50_000; n++) assert.equal((await events.next()).value.data, `${n}`);
  assert.equal(sink.queued, 0);
});

// ---------------------------------------------------------------- whose it is

test('a client’s streams are of the public class; where no module can run, and no native one, they say so', async () => {
  const { createStability, ResilientEventSource } = await import('../../js/index.js');
  const app = createStability();
  const ours = app.events('https://feed.example.com/feed', { withCredentials: true });
  const own = new ResilientEventSource('https://feed.example.com/feed', { stability: app });
  const closed = [ours, own].map(async (source) => {
    assert.ok(source instanceof ResilientEventSource);
    assert.equal(source.readyState, 0);
    await new Promise((resolve) => source.addEventListener('error', resolve));
    assert.equal(source.readyState, 2);
    assert.equal(source.state.getSnapshot().error?.kind, 'runtime');
  });
  await Promise.all(closed);
  assert.deepEqual([ours.withCredentials, own.withCredentials], [true, false]);
  assert.throws(() => app.events('/no-page-to-resolve-it'), { name: 'SyntaxError' });
  app.dispose();
});

test('on a server no client is remembered', () => {
  const streams: Stream[] = [];
  clientOf(streams);
  made = [];
  new TestEventSource('/feed');
  new TestEventSource('/feed');
  assert.equal(streams.length, 0);
  assert.equal(made.length, 2);
});

test('on a page, a source without a client belongs to the oldest that was not disposed of', (t) => {
  Object.assign(globalThis, { document: {} });
  t.after(() => Reflect.deleteProperty(globalThis, 'document'));
  made = [];
  const [first, second]: [Stream[], Stream[]] = [[], []];
  const one = clientOf(first);
  const two = clientOf(second);
  new TestEventSource('/feed');
  assert.equal(first.length, 1);
  one.leave();
  new TestEventSource('/feed');
  assert.equal(second.length, 1);
  two.leave();
  new TestEventSource('/feed');
  new TestEventSource('/feed'); // the page has one now
  assert.deepEqual([first.length, second.length], [1, 1]);
  assert.deepEqual(
    made.map((streams) => streams.length),
    [2],
  );
});
