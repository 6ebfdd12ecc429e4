/**
 * The browser's own EventSource in place of the engine, where WebAssembly is blocked.
 */
import type { EventsSettings } from './config.js';
import { StabilityError } from './errors.js';
import { type Line, type OpenLine, QUEUED_MAX, type Sink } from './event-source.js';
import type { ErrorKind, EventsState, EventsStats } from './types.js';

/** Taken at import: a page may put ours in its place later. */
const Native = globalThis.EventSource;

/** Told when a native stream is over by itself; true: something else goes on from there, and the stream is not closed. */
type GaveUp = () => boolean;

/** The native stream, or where there can be none, one that closes with kind `'runtime'`. */
export const openFallback = (...[url, settings, sink, gaveUp]: [...Parameters<OpenLine>, GaveUp?]): Line => {
  const line = openNative(url, settings, sink, gaveUp);
  if (line) return line;
  queueMicrotask(() => {
    gaveUp?.();
    sink.state(
      {
        status: 'closed',
        isConnected: false,
        attempts: 0,
        nextRetryAt: null,
        role: 'single',
        error: new StabilityError('runtime', { method: settings.method, url: url.href }),
        reconnects: 0,
      },
      'error',
    );
  });
  return {
    close() {},
    reconnect() {},
    stats: () => ({ lastEventId: settings.lastEventId, received: 0, duplicates: 0, lastByteAt: null }),
  };
};

/**
 * Opens a native EventSource; null where it cannot do what is asked: headers, POST, or no such class. It cannot send a first Last-Event-ID
 * either, and then starts at what is new.
 */
export function openNative(url: URL, settings: EventsSettings, sink: Sink, gaveUp?: GaveUp): Line | null {
  if (!Native || settings.headers || settings.method === 'POST') return null;
  const stats: EventsStats = {
    lastEventId: settings.lastEventId,
    received: 0,
    duplicates: 0,
    lastByteAt: null,
  };
  let source: EventSource;
  let opened = 0;
  let attempts = 0;

  function tell(status: EventsState['status'], kind: ErrorKind | null, fire?: 'open' | 'error'): void {
    sink.state(
      {
        status,
        isConnected: status === 'open',
        attempts,
        nextRetryAt: null,
        role: 'single',
        error: kind && new StabilityError(kind, { method: 'GET', url: url.href, attempts }),
        reconnects: Math.max(0, opened - 1),
      },
      fire,
    );
  }

  /** Servers may call an event `open` or `error` too: such a one has data. */
  function hear(event: Event): void {
    if (event instanceof MessageEvent) {
      const { type, data, lastEventId, origin } = event;
      stats.lastByteAt = Date.now();
      stats.lastEventId = lastEventId;
      stats.received++;
      if (!sink.message(type, data, lastEventId, origin) || sink.queued <= QUEUED_MAX) return;
      source.close();
      gaveUp?.();
      tell('closed', 'queueFull', 'error');
    } else if (event.type === 'open') {
      stats.lastByteAt = Date.now();
      opened++;
      attempts = 0;
      tell('open', null, 'open');
    } else {
      attempts++;
      // It does not say why it gave up; the server's refusal looks like a network that fails.
      const over = source.readyState === 2 && !gaveUp?.();
      tell(over ? 'closed' : 'connecting', 'network', 'error');
    }
  }

  const listen = (type: string): void => source.addEventListener(type, hear);

  function connect(): void {
    source = new Native(url, { withCredentials: settings.withCredentials });
    for (const type of new Set(['open', 'error', 'message', ...sink.types])) listen(type);
  }

  connect();
  sink.onType = listen;
  return {
    close: () => source.close(),
    reconnect(): void {
      source.close();
      attempts = 0;
      connect();
      tell('connecting', null);
    },
    stats: () => ({ ...stats }),
  };
}
