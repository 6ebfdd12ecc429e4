/**
 * Auth.js' own ways to say that a session may have changed: its SessionProviders, here and in all tabs, ask anew when we say so, and we ask
 * when they do. Version 5 says it on a BroadcastChannel, and listens to anything there; version 4 says it by the storage event of one key.
 */

const CHANNEL = 'next-auth';
const KEY = 'nextauth.message';

/** The endpoints that sign in and out. Where no page is left for it, Auth.js tells its own page nothing; but the requests can be seen. */
const SIGNS = /^(callback\/|(signout))/;

/** A page that loads asks by itself, and so does its SessionProvider, which then says so: for so long that is no news. */
const LOADS_MS = 5_000;

interface Message {
  event?: unknown;
  data?: { from?: unknown; trigger?: unknown } | null;
}

/**
 * The bridge of one client, closed.
 *
 * @param folder the address of Auth.js' endpoints, without their names.
 * @param onNews somebody else says that something may have changed; `out`: that somebody signed out.
 */
export function createAuthBridge(app: string, folder: () => string, onNews: (out: boolean) => void) {
  // Tabs that run this library have another way to tell each other, and would ask again and again.
  const from = `evenkeel:${app}`;
  let life: AbortController | undefined;
  let channel: BroadcastChannel | undefined;
  let observer: PerformanceObserver | undefined;
  let openedAt = 0;

  function heard(message: Message | null): void {
    const { event, data } = message ?? {};
    if (event !== 'session' || data?.from === from) return;
    const out = data?.trigger === 'signout';
    if (out || performance.now() > openedAt + LOADS_MS) onNews(out);
  }

  function openChannel(): BroadcastChannel {
    channel ??= new BroadcastChannel(CHANNEL);
    channel.onmessage = ({ data }) => heard(data);
    return channel;
  }

  /** An open one can keep the page out of the back/forward cache. */
  function closeChannel(): void {
    channel?.close();
    channel = undefined;
  }

  function watch(): void {
    const base = folder();
    observer = new PerformanceObserver((list) => {
      for (const { name } of list.getEntries()) {
        const signs = name.startsWith(base) && SIGNS.exec(name.slice(base.length));
        if (signs) onNews(Boolean(signs[2]));
      }
    });
    observer.observe({ type: 'resource' });
  }

  return {
    /** Listens, until it is closed. */
    open(): void {
      if (life) return;
      life = new AbortController();
      openedAt = performance.now();
      const { signal } = life;
      const stored = ({ key, newValue }: StorageEvent): void => {
        if (key !== KEY) return;
        try {
          heard(JSON.parse(newValue ?? 'null'));
        } catch {} // anybody may write there
      };
      for (const [type, heard] of [
        ['storage', stored],
        ['pagehide', closeChannel],
        ['pageshow', openChannel],
      ] as const)
        globalThis.addEventListener?.(type, heard as EventListener, { signal });
      try {
        openChannel();
        watch();
      } catch {} // then what changed is noticed with the next ping
    },
    /** Something changed: every SessionProvider of this origin asks once. */
    tell(): void {
      const message = {
        event: 'session',
        data: { trigger: 'getSession', from },
        timestamp: Date.now() / 1_000,
      };
      try {
        openChannel().postMessage(message);
        if (!life) closeChannel();
        const newValue = JSON.stringify(message);
        // For this page; what is stored fires it in the others, and need not stay.
        dispatchEvent(new StorageEvent('storage', { key: KEY, newValue }));
        localStorage.setItem(KEY, newValue);
        localStorage.removeItem(KEY);
      } catch {} // storage may be full or forbidden
    },
    close(): void {
      life?.abort();
      life = undefined;
      closeChannel();
      observer?.disconnect();
    },
  };
}
