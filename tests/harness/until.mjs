import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 25;

/**
 * Waits for a condition: what `look` returns first that is truthy.
 * @template T
 * @param {() => T | Promise<T>} look
 * @param {number} [timeoutMs]
 * @returns {Promise<T>}
 */
export async function until(look, timeoutMs = 30_000) {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() >= giveUpAt) throw new Error(`not within ${timeoutMs} ms: ${look}`);
    await wait(LOOK_EVERY_MS);
  }
}
