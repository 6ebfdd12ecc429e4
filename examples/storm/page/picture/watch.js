import { carried, carry, pack } from '../parts/carry.js';
import { createStore } from '../parts/store.js';
import { numberOf, VERSION } from '../settings.js';
import { Calls } from './calls.js';

const TOLD_MAX = 8;

/** What became of each call, for the time line. */
export const calls = new Calls();
const before = carry('calls', calls.save);
if (before) calls.restore(before);
if (carried) calls.mark(`version ${numberOf(VERSION)} runs`, 'good');

/** What the person was told, the newest first. @type {import('../parts/store.js').Store<Array<{ key: number, at: number, level: string, message: string }>>} */
export const told = createStore(carry('told', () => told.get()) ?? []);

/** A configuration whose client is watched: what the pictures of this page need, and other pages do not. @param {any} config */
export const watched = (config) => ({
  ...config,
  api: { ...config.api, onRequest: calls.sent, onResponse: calls.seen },
  version: { ...config.version, beforeReload: () => pack(VERSION) },
  onNotice(notice) {
    const { level, message } = notice;
    const [newest] = told.get();
    const line = { key: (newest?.key ?? 0) + 1, at: Date.now(), level, message };
    told.set([line, ...told.get()].slice(0, TOLD_MAX));
    config.onNotice(notice);
  },
});
