import { after } from 'node:test';
import { launchBrowser } from '../harness/browser.mjs';
import { Person } from './person.mjs';
import { startAuthServer } from './server.mjs';

export const ADA = 'ada@example.org';
export const BOB = 'bob@example.org';
/** @type {Array<import('./server.mjs').Generation>} */
export const GENERATIONS = [4, 5];
/** Only what a test does makes requests. */
export const CALM = { activeMs: 60_000, idleMs: 60_000, confirmAfterMs: 40 };
/** Pings by themselves. */
export const PINGING = { ...CALM, activeMs: 400, idleMs: 400 };

const browser = await launchBrowser({ after });

/**
 * A server with a real next-auth, and a person in front of it with a browser of their own.
 * @param {import('node:test').TestContext} t
 * @param {import('./server.mjs').Generation} generation
 * @param {Parameters<typeof startAuthServer>[1] & { as?: string | null }} [options] `as`: who is signed in, Ada by default
 */
export async function openPerson(t, generation, { as = ADA, ...options } = {}) {
  const person = new Person(await startAuthServer(generation, options), await browser.newContext());
  t.after(() => person.close());
  if (as) await person.signIn(as);
  return person;
}

/** @param {number} ms */
export const pass = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
