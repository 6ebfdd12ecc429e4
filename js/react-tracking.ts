/**
 * Views of what a store holds. A view notes which fields are read of it, so that a component renders again for those and for no others.
 */
import { useInsertionEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { Store } from './types.js';

/** Makes views of snapshots that have the same fields: the identical view while nothing that was ever read differs. `extra` stands in each. */
export function createViews<T extends object, X extends object>(extra: X): (snapshot: T) => T & X {
  const read = new Set<keyof T>();
  let seen: { snapshot: T } | undefined;
  let view: T & X;
  return (snapshot) => {
    if (seen && [...read].every((name) => Object.is(seen!.snapshot[name], snapshot[name]))) {
      seen.snapshot = snapshot; // what was not read yet is read as it is now
      return view;
    }
    const mine = { snapshot };
    seen = mine;
    view = { ...extra } as T & X;
    for (const name of Object.keys(snapshot) as Array<keyof T>)
      Object.defineProperty(view, name, {
        enumerable: true,
        get() {
          read.add(name);
          return mine.snapshot[name];
        },
      });
    return view;
  };
}

const NOTHING = {};

/** What a store holds, and besides it `extra`. The component renders again when what it read changes. */
export function useView<T extends object, X extends object = typeof NOTHING>(
  { subscribe, getSnapshot, getServerSnapshot }: Store<T>,
  extra: X = NOTHING as X,
): T & X {
  const viewOf = useMemo(() => createViews<T, X>(extra), [extra]);
  return useSyncExternalStore(
    subscribe,
    () => viewOf(getSnapshot()),
    () => viewOf(getServerSnapshot()),
  );
}

/** What a component was given last, for what runs later than its render. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
