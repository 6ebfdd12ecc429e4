/**
 * The browser's storages: there may be none, they may be full, and they may be forbidden here.
 */

/** What `act` gives; undefined where no storage lets it. */
export function atStorage<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
