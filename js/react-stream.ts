/**
 * An event stream that is open while a component is mounted.
 */
import { useEffect, useState } from 'react';
import { StabilityError } from './errors.js';
import { CONNECTING } from './event-source.js';
import { useLease } from './react-lease.js';
import { type Shared, useShared } from './react-provider.js';
import { useLatest, useView } from './react-tracking.js';
import { createStore } from './store.js';
import type { EventsOptions, EventsState, EventsStats, Stability } from './types.js';
import type { ResilientSSE, ResilientSSEOptions } from './types-react.js';

/** A component that shows the newest message renders at most once in this time: more often nobody can see. */
const PACE_MS = 16;
/** Its readyState. */
const CLOSED = 2;

type Shown<M> = EventsState & { lastMessage: M | null };

const connecting: Shown<never> = { ...CONNECTING, lastMessage: null };
const closed: Shown<never> = { ...connecting, status: 'closed' };
const noStats: EventsStats = { lastEventId: '', received: 0, duplicates: 0, lastByteAt: null };

/**
 * Keeps an event stream open; null: none, and the status is `'closed'`. It is opened anew when the URL or an option changes by value; new
 * functions, `event`, `parse` and `lastEventId` change nothing of the connection.
 */
// biome-ignore lint/suspicious/noExplicitAny: the app knows what its server sends
export function useResilientSSE<M = any>(
  url: string | URL | null,
  options: ResilientSSEOptions<M> = {},
): ResilientSSE<M> {
  const shared = useShared('useResilientSSE');
  const latest = useLatest(options);
  const [feed] = useState(() => createFeed<M>(() => latest.current));
  const asked = url === null ? null : JSON.stringify([`${url}`, settingsOf(options)]);
  const initial = asked === null ? closed : connecting;
  const { event = 'message' } = options;
  useLease(asked, shared, () => feed.open(shared, `${url}`, asked!));
  useEffect(() => feed.mount(), [feed]);
  useEffect(() => feed.hear(event), [feed, event]);
  return useView(
    {
      subscribe: feed.subscribe,
      getSnapshot: () => (feed.of() === asked ? feed.getSnapshot() : initial),
      getServerSnapshot: () => initial,
    },
    feed.methods,
  );
}

/** What the connection is made with. */
function settingsOf<M>({
  event,
  parse,
  onMessage,
  lastEventId,
  ...settings
}: ResilientSSEOptions<M>): EventsOptions {
  return settings;
}

/** The stream of one component. */
function createFeed<M>(options: () => ResilientSSEOptions<M>) {
  const store = createStore<Shown<M>>(closed);
  let source: ReturnType<Stability['events']> | undefined;
  let opened: string | undefined;
  let type = 'message';
  /** Of a message that could not be read. */
  let unread: StabilityError | null = null;
  let newest: M | null = null;
  let soon: ReturnType<typeof setTimeout> | undefined;
  let isLate = false;
  /** Opens it, also where it was closed for good. */
  let connect = (): void => {};
  let isMounted = false;
  /** For whom it is, as soon as that is known, and who is here. */
  let owner: string | null = null;
  let whose = (): string | null => null;

  /** What was another person's is not shown to whoever is here. One that is closed stays whose it was. */
  function meet(): void {
    const here = whose();
    if (here === null) return;
    if (owner !== null && owner !== here) newest = unread = null;
    if (source?.readyState !== CLOSED) owner = here;
  }

  function show(): void {
    if (!source) return;
    const state = source.state.getSnapshot();
    store.set({ ...state, error: state.error ?? unread, lastMessage: newest });
  }

  /** At once, and then not before the page has had time to paint. All that come in one task are one. */
  function showSoon(): void {
    isLate = true;
    if (soon !== undefined) return;
    const next = (): void => {
      soon = isLate ? setTimeout(next, PACE_MS) : undefined;
      if (isLate) show();
      isLate = false;
    };
    soon = setTimeout(next, PACE_MS);
    queueMicrotask(() => {
      isLate = false;
      show();
    });
  }

  function read(event: MessageEvent): void {
    if (!isMounted) return;
    const { parse, onMessage } = options();
    let message = event.data;
    try {
      if (parse !== 'text') message = JSON.parse(message);
    } catch (cause) {
      if (parse === 'json') {
        unread = new StabilityError('parse', { url: source!.url, method: 'GET', cause });
        return showSoon();
      }
    }
    unread = null;
    newest = message;
    showSoon();
    onMessage?.(message, event);
  }

  return {
    ...store,
    /** What is open now. */
    of: () => opened,
    open({ client, session }: Shared, url: string, asked: string): () => void {
      owner = null;
      whose = () => session.getSnapshot().userKey;
      let end = (): void => {};
      const stop = (): void => {
        end();
        source?.close();
      };
      connect = () => {
        const { lastEventId } = options();
        const here = whose();
        const isSame = owner === here; // whom nobody knew is not taken for the one who comes
        const reached = isSame ? source?.stats().lastEventId : '';
        if (!isSame) newest = unread = null;
        const settings = settingsOf(options());
        if (reached || lastEventId !== undefined) settings.lastEventId = reached || lastEventId;
        // It may be another function in each render.
        if (settings.headers instanceof Function)
          settings.headers = () => {
            const { headers = {} } = options();
            return headers instanceof Function ? headers() : headers;
          };
        stop();
        owner = here ?? owner;
        source = client.events(url, settings);
        source.addEventListener(type, read);
        end = source.state.subscribe(show);
        show();
      };
      opened = asked;
      newest = unread = null;
      connect();
      const endSession = session.subscribe(() => {
        meet();
        show();
        // Whoever was signed out and signs in again goes on.
        const { status, error } = source!.state.getSnapshot();
        const isLost = status === 'closed' && error?.kind === 'unauthenticated';
        if (isLost && session.getSnapshot().status === 'authenticated') connect();
      });
      return () => {
        endSession();
        stop();
        clearTimeout(soon);
        soon = source = opened = undefined;
        connect = () => {};
      };
    },
    /** The component is there. Returns what says that it is not. */
    mount(): () => void {
      isMounted = true;
      return () => {
        isMounted = false;
      };
    },
    /** Hears events of another type. */
    hear(event: string): void {
      if (event === type) return;
      source?.removeEventListener(type, read);
      type = event;
      source?.addEventListener(type, read);
    },
    methods: {
      stats: (): EventsStats => source?.stats() ?? noStats,
      reconnect: (): void => (source?.readyState === CLOSED ? connect() : source?.reconnect()),
    },
  };
}
