import { createStore } from '../parts/store.js';

const EVERY_MS = 1_000;

/**
 * How the demo's servers stand, asked again and again; null once the demo itself was stopped.
 *
 * @type {import('../parts/store.js').Store<{ connections: number, held: object | null, number: number, rollingForMs: number } | null>}
 */
export const standing = createStore(null);

async function ask() {
  const answer = await fetch('/standing').catch(() => null);
  standing.set(answer && (await answer.json()));
  setTimeout(ask, EVERY_MS);
}
ask();

/** Asks something of the demo itself, rather than of its API. @param {string} path @param {object} [given] */
export const steer = (path, given = {}) => fetch(path, { method: 'POST', body: JSON.stringify(given) });
