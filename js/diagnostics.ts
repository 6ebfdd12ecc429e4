/**
 * Diagnostics: what happened lately, small enough for a support ticket, with nothing secret in it.
 */
import { bareUrl } from './errors.js';
import { createListeners } from './store.js';
import type { DiagnosticEvent, Diagnostics } from './types.js';

const EVENTS_MAX = 200;
const COUNTERS_MAX = 100;
const TEXT_MAX = 200;

/** A path segment that may be a secret or a person: long, hex, mixed as random ids are, 7 digits, an e-mail address, a parameter. */
const PRIVATE = /.{20}|^[\da-fA-F-]{12,}$|^(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{10}|\d{7}|[@=]|%40|%3[dD]/;

/** Origin and path only, with what looks private in the path replaced. */
export function redactUrl(url: string): string {
  const bare = bareUrl(url);
  const host = bare[0] === '/' ? 0 : 2;
  return bare
    .split('/')
    .map((part, i) => (i > host && PRIVATE.test(part) ? '…' : part))
    .join('/');
}

interface Entry {
  at: number;
  type: string;
  detail: Record<string, unknown>;
  event: DiagnosticEvent | undefined;
}

/**
 * Keeps the newest 200 events, and counters.
 *
 * @param version evenkeel's own.
 * @param redact what of a URL is kept; where it throws, or gives no string, the default is used.
 */
export function createDiagnostics(version: string, redact: (url: string) => string = redactUrl) {
  const entries: Entry[] = [];
  const counters = new Map<string, number>();
  const listeners = createListeners<[DiagnosticEvent]>();

  function redacted(url: string): string {
    try {
      const kept = redact(url);
      if (typeof kept === 'string') return kept;
    } catch {} // then the default
    return redactUrl(url);
  }

  /** Made when somebody reads it: most events are never read, and to redact a URL takes longer than to send the request. */
  function eventOf(entry: Entry): DiagnosticEvent {
    if (entry.event) return entry.event;
    const event: DiagnosticEvent = { at: entry.at, type: entry.type };
    for (const [name, value] of Object.entries(entry.detail)) {
      if (name in event) continue;
      if (typeof value === 'string') {
        const text = name === 'url' ? redacted(value) : value.replace(/\w+:\/\/\S+/g, redacted);
        event[name] = text.slice(0, TEXT_MAX);
      } else if (value === null || /^(number|boolean)$/.test(typeof value)) event[name] = value;
    }
    entry.event = Object.freeze(event);
    return event;
  }

  return {
    /** Hears every event from now on. */
    on: listeners.add,
    /** Numbers, booleans, null and strings are kept; strings are cut, and URLs in them redacted. `url` may be relative. */
    emit(type: string, detail: Record<string, unknown> = {}): void {
      const entry: Entry = { at: Date.now(), type, detail, event: undefined };
      entries.push(entry);
      if (entries.length > EVENTS_MAX) entries.shift();
      if (listeners.any()) listeners.tell(eventOf(entry));
    },
    /** Adds to a counter; the names are bounded, a new one beyond is not kept. */
    count(name: string, n = 1): void {
      const before = counters.get(name);
      if (before !== undefined || counters.size < COUNTERS_MAX) counters.set(name, (before ?? 0) + n);
    },
    snapshot: (): Diagnostics => ({
      version,
      events: entries.map(eventOf),
      counters: Object.fromEntries(counters),
    }),
  };
}

/** What `createDiagnostics` returns. */
export type DiagnosticsLog = ReturnType<typeof createDiagnostics>;
