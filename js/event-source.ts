/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The public class: an EventSource as the WHATWG describes it, in front of whatever brings the events.
 */
import type { EventsSettings, Settings } from './config.js';
import { checkEvents } from './config.js';
import { createQueue, type EventQueue } from './event-queue.js';
import { createMessageEvent } from './message.js';
import { createStore } from './store.js';
import type { EventsOptions, EventsState, EventsStats, Stability, Store } from './types.js';

/** What a stream tells the class. @internal */
export interface Sink {
  /** A new state, and the event that goes with it, if any. After `'closed'`, and after close(), nothing is heard any more. */
  state(next: EventsState, fire?: 'open' | 'error'): void;
  /** One event; false: closed meanwhile, drop the rest. */
  message(type: string, data: string, lastEventId: string, origin: string): boolean;
  /** Types that somebody listens to now or ever did. */
  readonly types: Set<string>;
  /** Told of types that come anew: the native fallback listens by type. */
  onType: ((type: string) => void) | undefined;
  /** The iterator holds the stream back: settles when it wants more; undefined: go on at once. */
  room(): Promise<void> | undefined;
  /** Nothing is heard any more. */
  readonly closed: boolean;
  /** Events that wait for the iterator. A stream that cannot be held back closes when they are too many: see QUEUED_MAX. */
  readonly queued: number;
}

/** What the class asks of a stream. @internal */
export interface Line {
  /** Asked once, and not after the stream closed by itself. */
  close(): void;
  /** Not asked after close(). */
  reconnect(): void;
  stats(): EventsStats;
}

/** Opens a stream. Calls nothing of the sink before it returned. @internal */
export type OpenLine = (url: URL, options: EventsSettings, sink: Sink) => Line;

/** What a client gives to its streams. @internal */
export interface Lines {
  open: OpenLine;
  /** Absolute, against baseUrl or the document; throws where it cannot be parsed. */
  resolve(url: string | URL): URL;
  defaults: Settings['events'];
}

/** So many events may wait for the iterator of a stream that cannot be held back: the native one, a follower's. One more closes it with `'queueFull'`. @internal */
export const QUEUED_MAX = 10_000;

/** The page's clients that were not disposed of, the oldest first. */
const living = new Set<Stability>();
const linesOf = new WeakMap<Stability, Lines>();

/** Makes a client known to the class. @internal */
export function introduce(stability: Stability, lines: Lines): void {
  linesOf.set(stability, lines);
}

/** In a browser: streams that name no client may have this one. Returns what ends that. @internal */
export function offer(stability: Stability): () => void {
  if (globalThis.document || 'importScripts' in globalThis) living.add(stability);
  return () => living.delete(stability);
}

/** The class of a package's entry: `EventSourceBase` with that entry's way to make a client. @internal */
export type EventSourceClass = new (
  url: string | URL,
  options?: EventsOptions & { stability?: Stability },
) => EventSourceBase;

/** How a stream stands that was just made. @internal */
export const CONNECTING: EventsState = {
  status: 'connecting',
  isConnected: false,
  attempts: 0,
  nextRetryAt: null,
  role: 'single',
  error: null,
  reconnects: 0,
};

const READY_STATES = ['CONNECTING', 'OPEN', 'CLOSED'] as const;
type Handler = (this: EventSource, event: Event) => unknown;

/** `EventTarget`, with the types that `EventSource` has for it. */
interface EventSourceTarget extends EventTarget {
  removeEventListener<K extends keyof EventSourceEventMap>(
    type: K,
    listener: (this: EventSource, event: EventSourceEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: (this: EventSource, event: MessageEvent) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** An EventSource that survives what goes wrong between a page and its server. */
export class EventSourceBase extends (EventTarget as new () => EventSourceTarget) implements EventSource {
  /** `readyState` before the first connection, and between two. */
  declare static readonly CONNECTING: 0;
  /** `readyState` while events may arrive. */
  declare static readonly OPEN: 1;
  /** `readyState` of a stream that is over. */
  declare static readonly CLOSED: 2;
  /** As the class's own. */
  declare readonly CONNECTING: 0;
  /** As the class's own. */
  declare readonly OPEN: 1;
  /** As the class's own. */
  declare readonly CLOSED: 2;
  /** As `addEventListener('open', …)`. */
  declare onopen: EventSource['onopen'];
  /** As `addEventListener('message', …)`: events without a type of their own. */
  declare onmessage: EventSource['onmessage'];
  /** As `addEventListener('error', …)`. Fired before each wait, and when the stream is closed for good. */
  declare onerror: EventSource['onerror'];
  /** As close(), for `using`; where the runtime has Symbol.dispose. */
  declare [Symbol.dispose]: () => void;

  #url: string;
  #withCredentials: boolean;
  #readyState: 0 | 1 | 2 = 0;
  /** close() was called. */
  #closed = false;
  #state = createStore(CONNECTING);
  #handlers: Record<string, { value: object; listener: (event: Event) => void }> = {};
  #queue: EventQueue | undefined;
  #sink: Sink;
  #line: Line;

  static {
    READY_STATES.forEach((name, value) => {
      for (const owner of [EventSourceBase, EventSourceBase.prototype])
        Object.defineProperty(owner, name, { value, enumerable: true });
    });
    for (const type of ['open', 'message', 'error'])
      Object.defineProperty(EventSourceBase.prototype, `on${type}`, {
        get(this: EventSourceBase) {
          return this.#handlers[type]?.value ?? null;
        },
        set(this: EventSourceBase, value: unknown) {
          this.#handle(type, value);
        },
        enumerable: true,
        configurable: true,
      });
    Object.defineProperty(EventSourceBase.prototype, Symbol.toStringTag, {
      value: 'EventSource',
      configurable: true,
    });
    // Not every runtime has it.
    if (Symbol.dispose)
      Object.defineProperty(EventSourceBase.prototype, Symbol.dispose, {
        value(this: EventSourceBase) {
          this.close();
        },
        writable: true,
        configurable: true,
      });
  }

  /** @param make a client for a page that has none. @param args what the public constructor was given. */
  constructor(
    make: () => Stability,
    args: [url: string | URL, options?: EventsOptions & { stability?: Stability }],
  ) {
    if (!args.length) throw new TypeError('evenkeel: an event stream needs a URL');
    super();
    const lines = linesOf.get(args[1]?.stability ?? living.values().next().value ?? make());
    if (!lines) throw new TypeError('evenkeel: options.stability must be what createStability returned');
    const settings = checkEvents(args[1], lines.defaults);
    let url: URL;
    try {
      url = lines.resolve(args[0]);
    } catch {
      throw new DOMException('evenkeel: the URL of the event stream cannot be parsed', 'SyntaxError');
    }
    this.#url = url.href;
    this.#withCredentials = settings.withCredentials;
    this.#sink = this.#listen();
    this.#line = lines.open(url, settings, this.#sink);
  }

  /** Absolute. */
  get url(): string {
    return this.#url;
  }

  /** Whether cookies go to other origins too. */
  get withCredentials(): boolean {
    return this.#withCredentials;
  }

  /** CONNECTING, OPEN or CLOSED. OPEN also while polling, CONNECTING also while waiting and paused. */
  get readyState(): 0 | 1 | 2 {
    return this.#readyState;
  }

  /** More than `readyState` tells: why it waits, until when, and whether another tab holds the connection. */
  get state(): Store<EventsState> {
    return this.#state;
  }

  /** Figures, at this moment. */
  stats(): EventsStats {
    return this.#line.stats();
  }

  /** Ends the stream at once: no event follows. Safe to call twice. */
  close(): void {
    this.#closed = true;
    this.#queue?.end(true);
    if (this.#readyState === 2) return;
    this.#readyState = 2;
    this.#line.close();
    const now = this.#state.getSnapshot();
    this.#state.set({ ...now, status: 'closed', isConnected: false, nextRetryAt: null, error: null });
  }

  /** Connects now, with a fresh backoff; while open, drops the connection and makes a new one. After close() it does nothing. */
  reconnect(): void {
    if (this.#readyState !== 2) this.#line.reconnect();
  }

  /**
   * Events of every type, in order, read from the network as fast as they are consumed. Leaving the loop closes the stream. When the stream is
   * closed for good with an error, the loop throws that StabilityError after the last event; after close(), or a 204, it just ends.
   *
   * A stream that cannot be held back (another tab's, or the native one where WebAssembly is blocked) closes with an error of kind
   * `'queueFull'` rather than lose events, once 10,000 wait. The native one hears only `message` and the types that have listeners.
   *
   * @throws TypeError the second time: a stream has one iterator.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageEvent> {
    if (this.#queue) throw new TypeError('evenkeel: an event stream has one iterator');
    this.#queue = createQueue(() => this.close());
    if (this.#readyState === 2) this.#queue.end(this.#closed, this.#state.getSnapshot().error);
    return this.#queue.iterator;
  }

  override addEventListener<K extends keyof EventSourceEventMap>(
    type: K,
    listener: (this: EventSource, event: EventSourceEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: (this: EventSource, event: MessageEvent) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(...args: unknown[]): void {
    super.addEventListener(...(args as [string, EventListener])); // throws where too few are given
    const { types, onType } = this.#sink;
    const type = `${args[0]}`;
    if (!args[1] || types.has(type)) return;
    types.add(type);
    onType?.(type);
  }

  /** An event handler IDL attribute: objects are kept, all else is null; its place among the listeners is that of when it was last null. */
  #handle(type: string, value: unknown): void {
    const handler = this.#handlers[type];
    if ((typeof value !== 'object' && typeof value !== 'function') || !value) {
      if (handler) this.removeEventListener(type, handler.listener);
      delete this.#handlers[type];
    } else if (handler) handler.value = value;
    else {
      const added = {
        value: value as object,
        listener: (event: Event): void => {
          if (typeof added.value === 'function') (added.value as Handler).call(this, event);
        },
      };
      this.#handlers[type] = added;
      this.addEventListener(type, added.listener);
    }
  }

  #listen(): Sink {
    const source = this;
    const types = new Set<string>();
    return {
      types,
      onType: undefined,
      state(next, fire) {
        if (source.#readyState === 2) return;
        const { status, error } = next;
        source.#readyState = status === 'closed' ? 2 : status === 'open' || status === 'polling' ? 1 : 0;
        if (status === 'closed') source.#queue?.end(false, error);
        source.#state.set(next);
        // Who watches the state may have closed the stream.
        if (fire && !source.#closed) source.dispatchEvent(new Event(fire));
      },
      message(type, data, lastEventId, origin) {
        if (source.#readyState === 2) return false;
        const heard = types.has(type);
        if (heard || source.#queue) {
          const event = createMessageEvent(type, data, lastEventId, origin);
          source.#queue?.push(event);
          if (heard) source.dispatchEvent(event);
        }
        return source.readyState !== 2;
      },
      room: () => source.#queue?.room(),
      get closed() {
        return source.#readyState === 2;
      },
      get queued() {
        return source.#queue?.size() ?? 0;
      },
    };
  }
}
