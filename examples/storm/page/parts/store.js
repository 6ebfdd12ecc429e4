import { useSyncExternalStore } from 'react';

/**
 * A value outside of the components that show it.
 *
 * @template T
 * @typedef {{ get(): T, set(value: T): void, subscribe(listener: () => void): () => void }} Store
 */

/** @template T @param {T} value @returns {Store<T>} */
export function createStore(value) {
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** @template T @param {Store<T>} store */
export const useStore = (store) => useSyncExternalStore(store.subscribe, store.get);
