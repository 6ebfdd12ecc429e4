/**
 * One event stream: its record, and how the Rust side and other tabs are told of it.
 */
import type { EventsSettings } from './config.js';
import { KINDS, type StabilityError } from './errors.js';
import type { Sink } from './event-source.js';
import type { openNative } from './native.js';
import type { Group } from './tabs.js';
import type { ErrorKind, EventsState, EventsStatus, PollResponse } from './types.js';
import { CLOSED } from './wire.js';

/** What the Rust side calls for streams, and for the tabs that share one. */
export interface StreamHost {
  /** null: no answer; false: a function of the app threw; undefined: it never can. */
  connect(
    stream: number,
    connection: number,
    lastId: Uint8Array,
  ): Promise<Response | null | false | undefined>;
  pump(stream: number, connection: number): void;
  disconnect(stream: number): void;
  pollEvents(stream: number): Promise<Response | null | undefined>;
  dropPoll(stream: number): void;
  takePoll(stream: number): void;
  show(stream: number, ...shown: [...Shown, fire: number]): void;
  lock(group: number, steal: boolean): void;
  unlock(group: number): void;
  post(group: number, epoch: number, says: number, visible: boolean, value: number): void;
  role(group: number, leads: boolean, epoch: number): void;
  joined(group: number): void;
  left(group: number): void;
}

/** How a stream stands, in the numbers of the Rust side; negative: none. */
export type Shown = [
  status: number,
  attempts: number,
  nextRetryAt: number,
  end: number,
  httpStatus: number,
  retryAfterMs: number,
];

/** What the leader tells the other tabs: how it stands, how far it has come, and events, each as type, data and its id where that is a new one. */
export interface Load {
  shown?: Shown;
  fire?: number;
  /** The last event id before the events, and after them. */
  before?: string;
  lastId?: string;
  origin?: string;
  events?: Array<string | null>;
  /** The last event id, with every sign of life: who lost messages finds out. */
  at?: string;
}

export const STATUS = [
  'connecting',
  'open',
  'waiting',
  'polling',
  'paused',
  'closed',
] as const satisfies EventsStatus[];
export const closedBy = (kind: ErrorKind): Shown => [CLOSED, 0, -1, 2 + KINDS.indexOf(kind), 0, -1];
export const ABORTED = closedBy('aborted');
export const FIRE = [undefined, 'open', 'error'] as const;

/** A stream on its way. */
export interface Stream {
  /** What the Rust side knows it by. */
  id: number;
  url: URL;
  options: EventsSettings;
  sink: Sink;
  /** Its group is known, if it has one. */
  begun: boolean;
  /** Until something else brings the events. */
  late: ReturnType<typeof setTimeout> | undefined;
  /** What brings them while there is no engine. */
  native: ReturnType<typeof openNative>;
  connection: AbortController;
  poll: AbortController;
  polled: PollResponse | undefined;
  response: Response | undefined;
  origin: string;
  cause: unknown;
  shown: Shown;
  error: StabilityError | null;
  opened: number;
  lastEventId: string;
  received: number;
  repeated: number;
  lastByteAt: number | null;
  group: Group | undefined;
  /** For whom it is shared; null where that does not matter, or is not known. */
  userKey: string | null;
  role: EventsState['role'];
  epoch: number;
  /** Other tabs listen. */
  followed: boolean;
  /** Reads on, whatever the reader does. */
  letGo: (() => void) | undefined;
  /** A chunk is being handed to the page. */
  handing: boolean;
  /** The last event id that they know of. */
  told: string;
  /** When it found lately that it had missed something that the others were told. */
  misses: number[];
  /** What the class was told. */
  state: EventsState | undefined;
}

/** One that has not begun. */
export const newStream = (url: URL, options: EventsSettings, sink: Sink): Stream => ({
  id: 0,
  url,
  options,
  sink,
  begun: false,
  late: undefined,
  native: null,
  connection: new AbortController(),
  poll: new AbortController(),
  polled: undefined,
  response: undefined,
  origin: url.origin,
  cause: undefined,
  shown: [0, 0, -1, 0, 0, -1],
  error: null,
  opened: 0,
  lastEventId: options.lastEventId,
  received: 0,
  repeated: 0,
  lastByteAt: null,
  group: undefined,
  userKey: null,
  role: 'single',
  epoch: 0,
  followed: false,
  letGo: undefined,
  handing: false,
  told: '',
  misses: [],
  state: undefined,
});

/** What the Rust side opens a stream with: numbers in its order. */
export function numbersOf(options: EventsSettings, trusted: boolean): Float64Array {
  const { backoff, pauseHiddenAfterMs, poll, strict } = options;
  return Float64Array.of(
    ...[backoff.baseMs, backoff.maxMs, +(backoff.jitter === 'full'), options.firstByteMs],
    ...[options.stableMs, options.spreadMs, options.watchdogMs, options.maxEventBytes],
    ...[options.dedupeIds, pauseHiddenAfterMs === false ? -1 : pauseHiddenAfterMs],
    ...[poll ? poll.intervalMs : -1, +strict, +trusted],
  );
}
