import { useCallback } from 'react';
import { createStore, useStore } from './store.js';

/**
 * What the page takes along when it is reloaded into another version: each part of it says what it would lose.
 *
 * @typedef {{ from: string, at: number, parts: Record<string, any> }} Carried
 */
const KEY = 'storm:carried';
const TIMES = 'storm:carried-times';
const FRESH_MS = 60_000; // older than that it is no reload, but a tab that was brought back

/** @type {Map<string, () => unknown>} */ const parts = new Map();
/** @type {Map<string, import('./store.js').Store<any>>} */ const stores = new Map();

/** What an earlier version of the page left, and nothing where there was none. @type {Carried | null} */
export const carried = take();

/** How often this tab was carried over. */
export const timesCarried = Number(read(TIMES)) + (carried ? 1 : 0);
if (carried) write(TIMES, String(timesCarried));

/** From now on `save` is asked before a reload. Returns what it gave before the last one, if there was one. @param {string} part @param {() => unknown} save */
export function carry(part, save) {
  parts.set(part, save);
  return carried?.parts[part];
}

/**
 * As useState, with a state that is carried over, and that all who name the part share.
 *
 * @template T @param {string} part @param {T} initial where nothing was carried over
 * @returns {[T, (next: T | ((now: T) => T)) => void]}
 */
export function useCarried(part, initial) {
  let store = stores.get(part);
  if (!store) {
    store = createStore(carried?.parts[part] ?? initial);
    stores.set(part, store);
    parts.set(part, store.get);
  }
  const { get, set } = store;
  const change = useCallback((next) => set(typeof next === 'function' ? next(get()) : next), [get, set]);
  return [useStore(store), change];
}

/** For `beforeReload`. @param {string} from the version that goes */
export function pack(from) {
  const saved = [...parts].map(([part, save]) => [part, save()]);
  write(KEY, JSON.stringify({ from, at: Date.now(), parts: Object.fromEntries(saved) }));
}

/** @returns {Carried | null} */
function take() {
  const found = read(KEY);
  write(KEY, null);
  try {
    const given = JSON.parse(found ?? 'null');
    return given && Date.now() - given.at < FRESH_MS ? given : null;
  } catch {
    return null;
  }
}

function read(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null; // storage is blocked: nothing is carried, and everything else works
  }
}

function write(key, text) {
  try {
    if (text === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {}
}
