/**
 * Waiting for what may never come: for a while, or until it is told.
 */

/** Why what took too long was ended. */
export const LATE = new DOMException('The time is up', 'TimeoutError');

/** Rejects with LATE when the promise takes longer. */
export function withinMs<T>(ms: number, pending: PromiseLike<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, ms, LATE);
    const over = (): void => clearTimeout(timer);
    pending.then(resolve, reject);
    pending.then(over, over);
  });
}

/** Those who wait to be told. */
export type Waiting = Array<() => void>;

/** Resolves once they are told. */
export const join = (waiting: Waiting): Promise<void> => new Promise((resolve) => waiting.push(resolve));

/** Tells all of them. */
export function settle(waiting: Waiting): void {
  for (const go of waiting.splice(0)) go();
}
