/**
 * The draft that keeps nothing: where drafts are off, and on a server.
 */
import { createStore, reading } from './store.js';
import type { Draft, DraftState } from './types-drafts.js';

/** How a draft stands that nothing happened to. */
export const IDLE: DraftState<never> = {
  status: 'idle',
  isSaving: false,
  lastSaved: null,
  savedTo: 'nowhere',
  error: null,
  conflict: null,
};

/** `onUse` hears of an update that nobody keeps. */
export function createNothing<T>(key: string, onUse: () => void, onDispose: () => void): Draft<T> {
  const state = createStore<DraftState<T>>(IDLE);
  const now = async (): Promise<DraftState<T>> => IDLE;
  return {
    ...reading(state),
    key,
    update: onUse,
    flush: now,
    restore: async () => null,
    clear: async () => {},
    resolve: now,
    dispose: onDispose,
  };
}
