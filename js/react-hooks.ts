/**
 * How the client stands, for components.
 */
import { useMemo, useSyncExternalStore } from 'react';
import { type Shared, useShared } from './react-provider.js';
import { createViews, useView } from './react-tracking.js';
import type { ApiActivity, ApiClient, ConnectionState, SessionState, Store, VersionState } from './types.js';
import type { StabilityView } from './types-react.js';

/** Requests. Never renders again. */
export const useApi = (): ApiClient => useShared('useApi').client.api;

/** What is on its way, for one global loading bar. */
export const useActivity = (): ApiActivity => useView(useShared('useActivity').client.api.activity);

/** Who is signed in. */
export const useSession = (): SessionState => useView(useShared('useSession').session);

/** Whether this page is of the version that the server runs. */
export const useVersion = (): VersionState => useView(useShared('useVersion').client.version);

/** Whether the server can be reached. */
export const useConnection = (): ConnectionState => useView(useShared('useConnection').client.connection);

/** All of it. The component renders again only for what it reads: `const { session } = useStability()`, and of that `session.status`. */
export function useStability(): StabilityView {
  const shared = useShared('useStability');
  const whole = useMemo(() => createWhole(shared), [shared]);
  return useSyncExternalStore(whole.subscribe, whole.getSnapshot, whole.getServerSnapshot);
}

/** A part of what can be read: listened to from when it first is. */
interface Part {
  view(isServer: boolean): object;
  subscribe: Store<unknown>['subscribe'];
  end?: () => void;
}

function part<T extends object>({ getSnapshot, getServerSnapshot, subscribe }: Store<T>): Part {
  const viewOf = createViews<T, object>({});
  return { subscribe, view: (isServer) => viewOf(isServer ? getServerSnapshot() : getSnapshot()) };
}

/** Stores are listened to as they are read: to listen to one begins what it stands for. */
function createWhole({ client, session }: Shared) {
  const { api } = client;
  const parts = {
    session: part(session),
    version: part(client.version),
    connection: part(client.connection),
    runtime: part(client.runtime),
    activity: part(api.activity),
  };
  type Name = keyof typeof parts;
  const read = new Set<Name>();
  const constant = {
    client,
    api,
    signOut: () => client.session.signOut(),
    applyUpdate: () => client.version.applyUpdate(),
  };
  let changed: (() => void) | undefined;
  let view: StabilityView | undefined;
  /** Of the view: what it stands for, where that was read. */
  let seen: { isServer: boolean; views: Partial<Record<Name, object>> };

  function see(isServer: boolean): StabilityView {
    if (
      view &&
      [...read].every((name) => !seen.views[name] || parts[name].view(isServer) === seen.views[name])
    ) {
      seen.isServer = isServer;
      return view;
    }
    const mine: typeof seen = (seen = { isServer, views: {} });
    const of = (name: Name): object => {
      if (!read.has(name)) queueMicrotask(follow); // to listen may change something, which a render must not
      read.add(name);
      return (mine.views[name] ??= parts[name].view(mine.isServer));
    };
    view = { ...constant } as unknown as StabilityView;
    const getters: Record<string, () => unknown> = {
      session: () => of('session'),
      version: () => of('version'),
      connection: () => of('connection'),
      runtime: () => (of('runtime') as { status: unknown }).status,
      pending: () => (of('activity') as { pending: unknown }).pending,
    };
    for (const [name, get] of Object.entries(getters))
      Object.defineProperty(view, name, { enumerable: true, get });
    return view;
  }

  /** Listens to what was read since, in a render or later. */
  function follow(): void {
    if (!changed) return;
    for (const name of read) parts[name].end ??= parts[name].subscribe(changed);
    changed();
  }

  return {
    getSnapshot: () => see(false),
    getServerSnapshot: () => see(true),
    subscribe(onChange: () => void): () => void {
      changed = onChange;
      follow();
      return () => {
        changed = undefined;
        for (const one of Object.values(parts)) {
          one.end?.();
          one.end = undefined;
        }
      };
    },
  };
}
