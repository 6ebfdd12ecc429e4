import { createStore } from '../parts/store.js';

const routeOf = ({ origin, pathname }) => origin + pathname.split('/', 3).join('/');

/**
 * How the breakers stand, by their URL: an origin's, or a route's.
 *
 * @type {import('../parts/store.js').Store<Record<string, { state: 'closed' | 'open' | 'half-open', at: number, until: number | null }>>}
 */
export const breakers = createStore({});

/** What `client.on` tells. A breaker that was never heard of is closed. */
export function hear(event) {
  const known = breakers.get();
  if (event.type === 'breaker') {
    const url = event.url.replace(/\/$/, '');
    breakers.set({ ...known, [url]: { state: event.state, at: event.at, until: null } });
  } else if (event.type === 'request') {
    const url = new URL(event.url);
    const closed = { state: 'closed', at: event.at, until: null };
    const both = { [url.origin]: closed, [routeOf(url)]: closed };
    if (Object.keys(both).some((name) => !known[name])) breakers.set({ ...both, ...known });
  }
}

/** A call that was not sent knows how long its breaker stays open. @param {{ kind: string, url: string, retryAfterMs: number | null }} error */
export function notSent({ kind, url: at, retryAfterMs }) {
  if (kind !== 'circuitOpen' || retryAfterMs === null) return;
  const known = breakers.get();
  const url = new URL(at);
  const open = [routeOf(url), url.origin].find((name) => known[name]?.state === 'open');
  if (open) breakers.set({ ...known, [open]: { ...known[open], until: Date.now() + retryAfterMs } });
}
