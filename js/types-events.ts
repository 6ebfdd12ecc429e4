/**
 * The public types of event streams. Every duration is in milliseconds and ends in `Ms`; every moment is epoch milliseconds.
 */
import type { StabilityError } from './errors.js';
import type { HeadersConfig } from './types.js';

/** The defaults of every stream; one stream may say otherwise. */
export interface EventsConfig {
  /** The wait before reconnecting is drawn from 0 to min(maxMs, baseMs · 2ⁿ), on top of what the server asked for. Defaults 1_000, 30_000, `'full'`. */
  backoff?: { baseMs?: number; maxMs?: number; jitter?: 'full' | 'none' };
  /** Until the response headers. Default 10_000. */
  firstByteMs?: number;
  /** A connection that lived as long resets the backoff. Default 10_000. */
  stableMs?: number;
  /**
   * When a stable connection ends, the first wait is drawn from here, since a restarted server loses all its streams in the same moment;
   * not where the server asked for another, or this device woke or changed network. Default 10_000.
   */
  spreadMs?: number;
  /**
   * Silence that long means dead; every byte counts, comments too. Doubles up to 10 min for a stream that is quiet again after it; stands still
   * while the iterator holds the stream back. Default 75_000.
   */
  watchdogMs?: number;
  /** A larger event is skipped without being buffered, and the stream goes on. Default 8 MiB. */
  maxEventBytes?: number;
  /** Delivered events remembered for the replay after a reconnect, 0 to 65_536; 0 turns it off. Default 1_024. */
  dedupeIds?: number;
}

/** What one stream may say. */
export interface EventsOptions extends EventsConfig {
  /** Cookies also to other origins. Default false. */
  withCredentials?: boolean;
  /** Sent with every connection; a function is asked each time. */
  headers?: HeadersConfig;
  /** Default `'GET'`. */
  method?: 'GET' | 'POST';
  /** With method POST only. */
  body?: string;
  /** Where to go on from: sent as Last-Event-ID with the first connection. The native fallback cannot send it. */
  lastEventId?: string;
  /**
   * One connection for all tabs that ask for the same URL, method, headers, body and credentials as the same user under the same `name`: the
   * leader tab holds it, the others receive from the moment they join. Exact hand-over needs ids on the events. Not with `strict`. Default false.
   */
  shared?: boolean;
  /** Closes while the page is hidden for longer than this, and resumes from the last id when it is visible. Not with `strict`. Default false. */
  pauseHiddenAfterMs?: number | false;
  /**
   * Used when streaming does not get through (twice in a row no headers in firstByteMs, or no byte in watchdogMs): GET with the stream's headers
   * and credentials, its own query kept, `lastEventId` added when there is one; answers PollResponse. The stream is tried on beside it.
   * Not with `strict`. `intervalMs` is 5_000 by default. Default false.
   */
  poll?: { url: string | URL; intervalMs?: number } | false;
  /** Exactly the WHATWG behaviour: only network errors and the end of the response reconnect, every other status is final. Default false. */
  strict?: boolean;
}

/** What the polled URL answers, as JSON. */
export interface PollResponse {
  /** What came after the `lastEventId` that was asked with, in order; the newest few, or none, where none was given. */
  events: Array<{ id?: string; event?: string; data: string }>;
  /** Where the next poll goes on from. */
  lastEventId: string;
}

/** What a stream is doing. `readyState` is OPEN for `'open'` and `'polling'`, CLOSED for `'closed'`, CONNECTING for the rest. */
export type EventsStatus = 'connecting' | 'open' | 'waiting' | 'polling' | 'paused' | 'closed';

/** The state of a stream. */
export interface EventsState {
  /** What the stream is doing. */
  status: EventsStatus;
  /** Events arrive: from a stream, by polling, or from the leader tab. */
  isConnected: boolean;
  /** Failures in a row; 0 once the connection is stable. */
  attempts: number;
  /** When it is tried again, epoch milliseconds; null while nothing is waited for. */
  nextRetryAt: number | null;
  /** With `shared`: whether this tab holds the connection. */
  role: 'single' | 'leader' | 'follower';
  /** Why it is not open, or was closed for good; null once open, and after close() or a 204. */
  error: StabilityError | null;
  /** Successful re-openings. */
  reconnects: number;
}

/** Figures of a stream, at the moment of asking. Not in the state, which would otherwise change with every event. */
export interface EventsStats {
  /** Of the newest event that had one; '' while there is none. */
  lastEventId: string;
  /** Events delivered. */
  received: number;
  /** Replayed events that were dropped. */
  duplicates: number;
  /** When the newest byte came, epoch milliseconds; null before the first one. */
  lastByteAt: number | null;
}
