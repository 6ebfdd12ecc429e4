/**
 * Event streams: what the engine decides is done here. Connect, read, poll, share with other tabs, and tell the class.
 */
import { decode, readBody } from './body.js';
import type { Settings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import { KINDS, kindOfStatus, StabilityError } from './errors.js';
import { type Lines, QUEUED_MAX } from './event-source.js';
import { type Emit, readBatch } from './message.js';
import { openFallback, openNative } from './native.js';
import { nextTask } from './next-task.js';
import { orAbort, type Requests, Unsendable } from './request.js';
import type { Runtime } from './runtime.js';
import {
  ABORTED,
  closedBy,
  FIRE,
  type Load,
  newStream,
  numbersOf,
  type Shown,
  STATUS,
  type Stream,
  type StreamHost,
} from './stream.js';
import { isRefused, parsePoll, pollOf, request, secretOf } from './stream-request.js';
import { type Group, HERE, joinGroup, LOAD, nameOf, type Word } from './tabs.js';
import type { SessionState, Store } from './types.js';
import { CLOSED, GAP, NEW, OPEN, POLLING, REPEATED, WHOLE } from './wire.js';

/** A follower wants a new connection. */
const AGAIN = 'again';

/**
 * A stream that brings more than can be read gives way to the rest of the page so often, and is read in such pieces: Chromium hands over
 * 2 MB at once, which may be 350,000 events and a page that stands still for a second.
 */
const GIVE_WAY_EVERY_MS = 40;
const PIECE_BYTES = 32_768;

/** A longer id is not polled with, as no stream asks with one: servers refuse such requests, and would for ever. */
const ID_MAX = 4_096;

/** Two tabs that both believe to have missed something take the connection from each other so often in a minute, and no more. */
const MISSES_MAX = 3;
const MISSES_MS = 60_000;

const encoder = new TextEncoder();
/** Opens streams. */
export function createStreams(
  settings: Settings,
  requests: Requests,
  runtime: () => Runtime,
  diagnostics: DiagnosticsLog,
  session: Store<SessionState>,
) {
  const streams = new Map<number, Stream>();
  /** Groups that are left in a moment. */
  const leaving = new Set<() => void>();
  let lastId = 0;
  let disposed = false;
  let unwatch: (() => void) | undefined;

  // ---------------------------------------------------------------- one stream, from its beginning

  const open: Lines['open'] = (url, options, sink) => {
    const stream = newStream(url, options, sink);
    enter(stream);
    return {
      close() {
        runtime().engine()?.closeStream(stream.id);
        forget(stream.id, stream);
      },
      reconnect() {
        if (stream.native) stream.native.reconnect();
        else if (stream.role === 'follower' && stream.state?.status !== 'paused') post(stream, AGAIN);
        else runtime().engine()?.again(stream.id);
      },
      stats() {
        if (stream.native) return stream.native.stats();
        // While a chunk is handed over, the engine is ahead of the page.
        return {
          lastEventId: (!stream.handing && reached(stream.id)) || stream.lastEventId,
          received: stream.received,
          duplicates: stream.repeated,
          lastByteAt: stream.lastByteAt,
        };
      },
    };
  };

  function enter(stream: Stream): void {
    const id = (stream.id = ++lastId);
    streams.set(id, stream);
    begin(id, stream);
  }

  async function begin(id: number, stream: Stream): Promise<void> {
    // Nothing is told before the constructor returned.
    const name = await (stream.options.shared && settings.tabs
      ? nameOf(settings.name, () => secretOf(requests, session, stream))
      : undefined);
    if (!streams.has(id)) return;
    if (disposed) return show(id, stream, ABORTED, 2);
    stream.begun = true;
    if (name) {
      stream.group = joinGroup(
        name,
        (held) => runtime().engine()?.locked(id, held),
        (word) => heard(id, stream, word),
      );
      unwatch ??= session.subscribe(regroup);
      regroup(); // somebody else may have come meanwhile
      if (!streams.has(id)) return;
    }
    if (runtime().failed()) return fall(id, stream);
    if (runtime().engine()) return attach(id, stream);
    runtime().start();
    // A module that is slow to come shall not hold the page's events.
    stream.late = setTimeout(() => {
      // Where the server refuses it, the engine will do better.
      stream.native = openNative(stream.url, stream.options, stream.sink, () => {
        dismiss(stream);
        if (runtime().failed()) forget(id, stream);
        return streams.has(id);
      });
    }, settings.startTimeoutMs);
  }

  /** Somebody else is here: what was shared with the tabs of the one before begins anew, and is shared with those of this one. */
  function regroup(): void {
    const { userKey } = session.getSnapshot();
    each((id, stream) => {
      if (!stream.group || stream.userKey === userKey || !requests.isTrusted(stream.url)) return;
      dismiss(stream);
      detach(stream);
      streams.delete(id);
      runtime().engine()?.closeStream(id);
      const { url, options, sink, opened, received, repeated, state } = stream;
      const lastEventId = stream.userKey === null ? stream.lastEventId : '';
      const fresh = newStream(url, options, sink);
      enter(Object.assign(stream, fresh, { opened, received, repeated, state, lastEventId }));
    });
  }

  function attach(id: number, stream: Stream): void {
    if (stream.sink.closed) return forget(id, stream);
    clearTimeout(stream.late);
    const { url, options, group } = stream;
    dismiss(stream);
    stream.role = group ? 'follower' : 'single';
    runtime()
      .engine()!
      .openStream(
        id,
        numbersOf(options, requests.isTrusted(url)),
        encoder.encode(stream.lastEventId),
        group?.me ?? 0,
      );
  }

  /** The native stream has done its part: what it reached is where the next one goes on. */
  function dismiss(stream: Stream): void {
    if (!stream.native) return;
    const { lastEventId, received } = stream.native.stats();
    stream.native.close();
    Object.assign(stream, { lastEventId, received, native: null });
    stream.sink.onType = undefined;
  }

  /** There will be no engine. */
  function fall(id: number, stream: Stream): void {
    if (stream.sink.closed) return forget(id, stream);
    if (stream.native) return;
    detach(stream);
    const { url, options, sink, lastEventId } = stream;
    stream.native = openFallback(url, { ...options, lastEventId }, sink, () => {
      forget(id, stream);
      return false;
    });
  }

  function detach(stream: Stream): void {
    clearTimeout(stream.late);
    stream.connection.abort();
    stream.poll.abort();
    stream.group?.leave();
  }

  function forget(id: number, stream: Stream): void {
    detach(stream);
    stream.native?.close();
    streams.delete(id);
  }

  // ---------------------------------------------------------------- bytes

  async function pump(id: number, stream: Stream, connection: number): Promise<void> {
    const { signal } = stream.connection;
    let left = new Uint8Array();
    let gaveWayAt = Date.now();
    const hold = (held: boolean) => runtime().engine()?.hold(id, held);
    hold(false); // the connection before this one may have ended while it was held
    try {
      const reader = stream.response?.body?.getReader();
      while (reader) {
        // A loop that takes its time here must not hold the events of other tabs back.
        const room = stream.followed ? boundQueue(id, stream) : stream.sink.room();
        const pause = Date.now() - gaveWayAt > GIVE_WAY_EVERY_MS ? nextTask() : room;
        if (pause) {
          hold(true);
          await Promise.race([pause, new Promise<void>((go) => (stream.letGo = go))]);
          if (signal.aborted) break;
          hold(false);
          gaveWayAt = Date.now();
          continue;
        }
        if (!left.length) {
          const { done, value } = await reader.read();
          if (done) break;
          left = value;
        }
        if (signal.aborted) break;
        feed(id, stream, connection, left.subarray(0, PIECE_BYTES));
        left = left.subarray(PIECE_BYTES);
      }
    } catch {} // it broke, which is an end like any other
    if (!signal.aborted) runtime().engine()?.broken(id, connection);
  }

  /** A stream that cannot be held back ends rather than lose events, or keep them without bound. */
  function boundQueue(id: number, stream: Stream): undefined {
    if (stream.sink.queued <= QUEUED_MAX) return;
    stream.followed = false; // the others go on without this tab
    show(id, stream, closedBy('queueFull'), 2);
    runtime().engine()?.closeStream(id);
  }

  function feed(id: number, stream: Stream, connection: number, chunk: Uint8Array): void {
    const engine = runtime().engine();
    stream.lastByteAt = Date.now();
    if (!engine?.feed(id, connection, chunk)) return;
    const at = engine.batch(id);
    const memory = runtime().memory();
    if (engine !== runtime().engine() || !memory) return; // it trapped
    const [text, records, words, repeated] = new Uint32Array(memory.buffer, at, 4);
    stream.repeated = repeated!;
    const batch = new Uint32Array(memory.buffer, records, words);
    deliver(id, stream, (emit) => readBatch(memory, text!, batch, stream.lastEventId, emit));
  }

  /** Hands events to the page. Tabs that listen are told first: what the engine says of how far this one has come is then true of all. */
  function deliver(id: number, stream: Stream, read: (emit: Emit) => unknown): void {
    if (!stream.followed || stream.role !== 'leader') {
      read((...event) => hand(stream, ...event));
      return;
    }
    const events: Parameters<Emit>[] = [];
    read((...event) => events.push(event) > 0);
    const before = stream.told;
    let last = stream.lastEventId;
    const told = events.flatMap(([type, data, eventId]) => {
      const own = eventId === last ? null : eventId;
      last = eventId;
      return [type, data, own];
    });
    const lastId = reached(id) ?? last;
    if (told.length || lastId !== before)
      post(stream, { events: told, before, lastId, origin: stream.origin });
    stream.told = lastId;
    for (const event of events) if (!hand(stream, ...event)) return;
  }

  /** False: the page closed the stream. */
  function hand(stream: Stream, ...[type, data, eventId]: Parameters<Emit>): boolean {
    stream.received++;
    stream.lastEventId = eventId;
    stream.handing = true;
    const goesOn = stream.sink.message(type, data, eventId, stream.origin);
    stream.handing = false;
    return goesOn;
  }

  /** How far a stream has come; undefined where the engine does not have it. */
  function reached(id: number): string | undefined {
    const bytes = runtime().engine()?.lastId(id);
    return bytes && decode(bytes);
  }

  /** What the engine says of an event that came another way than by this tab's connection: REPEATED, NEW or GAP. */
  function admit(
    id: number,
    stream: Stream,
    type: string,
    data: string,
    eventId: string | null,
    follows: boolean,
  ): number {
    const kind = type === 'message' ? '' : type;
    const verdict = runtime()
      .engine()
      ?.admit(id, eventId !== null, eventId ?? '', kind, data, follows);
    if (verdict === REPEATED) stream.repeated++;
    return verdict ?? GAP;
  }

  // ---------------------------------------------------------------- other tabs

  function post({ group, epoch }: Stream, load: Load | typeof AGAIN): void {
    group?.post({ epoch, says: LOAD, visible: false, value: 0, load });
  }

  function heard(id: number, stream: Stream, { from, epoch, says, visible, value, load }: Word): void {
    const engine = runtime().engine();
    if (!stream.followed) stream.told = reached(id) ?? '';
    stream.followed = true;
    stream.letGo?.();
    if (load === AGAIN) {
      if (stream.role === 'leader') engine?.again(id);
      return;
    }
    if (!engine?.heard(id, from, epoch, says, visible, value) || engine !== runtime().engine()) return;
    if (!load || stream.role !== 'follower') return;
    const { shown, fire, before, lastId, origin, events, at: place } = load as Load;
    if (typeof origin === 'string') stream.origin = origin;
    if (Array.isArray(shown) && shown.length === 6 && shown.every(Number.isFinite) && STATUS[shown[0]]) {
      const isOpen = (status: number) => status === OPEN || status === POLLING;
      const opens = isOpen(shown[0]) && !isOpen(stream.shown[0]);
      show(id, stream, shown, opens ? 1 : fire === 2 ? 2 : 0);
      if (shown[0] === CLOSED) return engine.closeStream(id);
      // What the server asked of one tab, it asked of all.
      const [, , nextRetryAt, , , retryAfterMs] = shown;
      engine.restFor(
        id,
        isOpen(shown[0]) ? -1 : retryAfterMs < 0 ? 0 : Math.max(0, nextRetryAt - Date.now()),
      );
    }
    let mine = reached(id) ?? '';
    stream.misses = stream.misses.filter((at) => Date.now() - at < MISSES_MS);
    const gaveUp = stream.misses.length >= MISSES_MAX;
    if (typeof place === 'string' && engine.lags(id, encoder.encode(place))) {
      if (!gaveUp) return missed(id, stream);
      // Nobody can tell who is ahead, so this tab goes on from where the leader is.
      engine.reached(id, encoder.encode(place));
    }
    let expected = typeof before === 'string' ? before : mine;
    if (Array.isArray(events)) {
      stream.lastByteAt = Date.now();
      for (let at = 0; at + 2 < events.length; at += 3) {
        const [type, data, given] = events.slice(at, at + 3);
        if (typeof type !== 'string' || typeof data !== 'string') break;
        const own = typeof given === 'string' ? given : null;
        const verdict = admit(id, stream, type, data, own, gaveUp || expected === mine);
        if (verdict === GAP) return missed(id, stream);
        if (own !== null) expected = mine = own;
        if (verdict === NEW && !hand(stream, type, data, own ?? stream.lastEventId)) return;
      }
    }
    if (typeof lastId === 'string' && (expected === mine || !mine)) {
      stream.lastEventId = lastId;
      engine.reached(id, encoder.encode(lastId));
    }
    boundQueue(id, stream);
  }

  /** The lock could reach another tab before the last word does, and that tab would ask the server once more. */
  function leaveSoon(group: Group, ms: number): void {
    const leave = (): void => {
      clearTimeout(timer);
      leaving.delete(leave);
      globalThis.removeEventListener?.('pagehide', leave);
      group.leave();
    };
    const timer = setTimeout(leave, ms);
    leaving.add(leave);
    globalThis.addEventListener?.('pagehide', leave);
  }

  function missed(id: number, stream: Stream): void {
    stream.misses.push(Date.now());
    runtime().engine()?.missed(id);
  }

  // ---------------------------------------------------------------- how it stands

  function show(id: number, stream: Stream, shown: Shown, fire: number): void {
    const { sink, url, options, role } = stream;
    const [code, attempts, nextRetryAt, end, status, retryAfterMs] = shown;
    const before = stream.shown;
    stream.shown = shown;
    if (end !== before[3] || status !== before[4] || attempts !== before[1]) {
      const kind = end === 1 ? kindOfStatus(status) : KINDS[end - 2];
      stream.error = kind
        ? new StabilityError(kind, {
            status,
            method: options.method,
            url: url.href,
            attempts,
            retryAfterMs: retryAfterMs < 0 ? null : retryAfterMs,
            requestId: (status && stream.response?.headers.get('x-request-id')) || null,
            cause: status ? undefined : stream.cause,
          })
        : null;
    }
    if (fire === 1) stream.opened++;
    const name = STATUS[code] ?? 'closed';
    diagnostics.emit('stream', {
      id,
      url: url.href,
      status: name,
      attempts,
      role,
      reason: stream.error?.kind ?? null,
    });
    if (fire) diagnostics.count(fire === 1 ? 'streamsOpened' : 'streamErrors');
    if (stream.followed && role === 'leader') post(stream, { shown, fire });
    if (code === CLOSED) {
      const { group } = stream;
      if (stream.followed && role === 'leader' && group && settings.tabs) {
        leaveSoon(group, settings.tabs.heartbeatMs);
        stream.group = undefined;
      }
      forget(id, stream);
    }
    stream.state = {
      status: name,
      isConnected: code === OPEN || code === POLLING,
      attempts,
      nextRetryAt: nextRetryAt < 0 ? null : nextRetryAt,
      role,
      error: stream.error,
      reconnects: Math.max(0, stream.opened - 1),
    };
    sink.state(stream.state, FIRE[fire]);
  }

  /** Does something to a stream that is still there. */
  const to =
    <A extends unknown[]>(act: (stream: Stream, ...args: A) => void) =>
    (id: number, ...args: A): void => {
      const stream = streams.get(id);
      if (stream) act(stream, ...args);
    };

  const host: StreamHost = {
    async connect(id, connection, lastId) {
      const stream = streams.get(id);
      if (!stream) return null;
      const { url } = stream;
      stream.connection.abort();
      stream.connection = new AbortController();
      const { signal } = stream.connection;
      stream.cause = stream.response = undefined;
      if (!lastId.length && reached(id)) diagnostics.emit('idDropped', { id });
      diagnostics.count('streamConnections');
      diagnostics.emit('connect', { id, url: url.href, connection });
      try {
        requests.resolve(url);
      } catch (error) {
        stream.cause = error;
        return undefined; // it never can
      }
      const ask = async (): Promise<Response> => {
        const response = await request(requests, url, stream.options, lastId, connection, signal);
        stream.origin = new URL(response.url || url).origin;
        return (stream.response = response);
      };
      try {
        return await ask();
      } catch (error) {
        if (signal.aborted) return null;
        const unsent = error instanceof Unsendable;
        stream.cause = unsent ? error.cause : error;
        if (unsent) return false; // a token may not be had yet
      }
      // Once in a stream's life: what an outage costs shall not double.
      if (connection > 1 || !(await isRefused(url, stream.options, signal))) return null;
      // It may have come back between the two.
      return ask().catch(() => undefined);
    },
    pump: (id, connection) => to((stream) => void pump(id, stream, connection))(id),
    disconnect: to((stream) => stream.connection.abort()),
    async pollEvents(id) {
      const stream = streams.get(id);
      if (!stream?.options.poll) return null;
      stream.poll = new AbortController();
      try {
        if (!stream.followed) await orAbort(stream.poll.signal, stream.sink.room());
        const signal = AbortSignal.any([stream.poll.signal, AbortSignal.timeout(settings.api.timeoutMs)]);
        const url = requests.resolve(stream.options.poll.url);
        const lastId = reached(id);
        if (lastId && lastId.length <= ID_MAX) url.searchParams.set('lastEventId', lastId);
        const response = await request(requests, url, pollOf(stream.options), undefined, 1, signal);
        if (response.status !== 200) {
          stream.poll.abort();
          return response;
        }
        const [end, bytes] = await readBody(response, settings.api.maxBodyBytes, undefined, signal);
        if (end !== WHOLE) return null;
        stream.origin = new URL(response.url || url).origin;
        stream.polled = parsePoll(bytes);
        return stream.polled && response;
      } catch {
        return null;
      }
    },
    dropPoll: to((stream) => stream.poll.abort()),
    takePoll: (id) =>
      to((stream) => {
        const { polled } = stream;
        stream.polled = undefined;
        stream.lastByteAt = Date.now();
        deliver(id, stream, (emit) => {
          let last = stream.lastEventId;
          for (const { id: eventId, event, data } of polled?.events ?? []) {
            const own = eventId?.includes('\0') ? null : (eventId ?? null);
            const type = event || 'message';
            if (data.length > stream.options.maxEventBytes) {
              diagnostics.emit('skipped', { id, reason: 'tooLarge' });
              continue;
            }
            if (admit(id, stream, type, data, own, true) !== NEW) continue;
            last = own ?? last;
            if (!emit(type, data, last)) return;
          }
          if (polled?.lastEventId) runtime().engine()?.reached(id, encoder.encode(polled.lastEventId));
        });
      })(id),
    show(id, ...args) {
      const stream = streams.get(id);
      const fire = args.pop()!;
      if (stream) show(id, stream, args as unknown as Shown, fire);
    },
    lock: to((stream, steal) => {
      // Who is stolen from may be thawed later, and wants to have heard all that was said meanwhile.
      stream.followed ||= steal;
      stream.group?.lock(steal);
    }),
    unlock: to((stream) => stream.group?.unlock()),
    post: to((stream, epoch, says, visible, value) => {
      const load: Load | undefined = says === HERE ? { at: stream.told } : undefined;
      stream.group?.post({ epoch, says, visible, value, load });
    }),
    role(id, leads, epoch) {
      const stream = streams.get(id);
      if (!stream) return;
      stream.role = leads ? 'leader' : 'follower';
      stream.epoch = epoch;
      stream.told = reached(id) ?? '';
      const { state, role } = stream;
      if (state) stream.sink.state((stream.state = { ...state, role }));
    },
    joined(id) {
      const stream = streams.get(id);
      if (stream) post(stream, { shown: stream.shown, before: '', lastId: stream.told });
    },
    left: to((stream) => stream.group?.leave()),
  };

  /** Those that have not begun will look by themselves. */
  const each = (act: (id: number, stream: Stream) => void): void => {
    for (const [id, stream] of [...streams]) if (stream.begun) act(id, stream);
  };

  return {
    host,
    lines: {
      open,
      resolve: (url) => new URL(url, requests.base()),
      defaults: settings.events,
    } satisfies Lines,
    /** The engine runs, for the first time or again. */
    ran: () => each(attach),
    /** The module trapped: what it had is nobody's, until it runs again. */
    trapped: () => each((_, stream) => detach(stream)),
    /** There will be no engine. */
    failed: () => each(fall),
    dispose(): void {
      disposed = true;
      unwatch?.();
      for (const leave of leaving) leave();
      for (const [id, stream] of [...streams]) {
        stream.followed = false; // the others go on without this tab
        show(id, stream, ABORTED, 0);
      }
    },
  };
}

/** What opens streams. */
export type Streams = ReturnType<typeof createStreams>;
