/**
 * A value to watch: immutable snapshots, the identical one until something changes.
 */
import type { Store } from './types.js';

/** Makes an uncaught error of what the app threw. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Runs what the app gave us. What it throws is reported, and stops nothing here. */
export function isolate(run: () => void): void {
  try {
    run();
  } catch (error) {
    report(error);
  }
}

/** Listeners, each heard until it ends, also when the same function was given twice. Those that end while others are told are not told any more. */
export function createListeners<A extends unknown[]>() {
  const entries = new Set<[(...args: A) => void]>();
  return {
    add(listener: (...args: A) => void): () => void {
      const entry: [typeof listener] = [listener];
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    any: (): boolean => entries.size > 0,
    tell(...args: A): void {
      for (const entry of [...entries]) if (entries.has(entry)) isolate(() => entry[0](...args));
    },
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && Object.is(a[key], b[key]))
  );
}

/**
 * A store. `set` with a value that is shallowly equal changes nothing and tells nobody.
 *
 * @param server what is rendered on a server and during hydration; default: `initial`.
 * @param onFirst called once, at the first subscription.
 */
export function createStore<T>(
  initial: T,
  server: T = initial,
  onFirst?: () => void,
): Store<T> & { set(next: T): void } {
  const listeners = createListeners<[]>();
  let now = initial;
  return {
    getSnapshot: () => now,
    getServerSnapshot: () => server,
    subscribe(onChange) {
      const end = listeners.add(onChange);
      const first = onFirst;
      onFirst = undefined;
      first?.();
      return end;
    },
    set(next) {
      if (equal(now, next)) return;
      now = next;
      listeners.tell();
    },
  };
}

/** What the app is given of a store: it is set by nobody else. */
export const reading = <T>({ getSnapshot, getServerSnapshot, subscribe }: Store<T>): Store<T> => ({
  getSnapshot,
  getServerSnapshot,
  subscribe,
});
