import { useNow } from '../parts/now.js';
import { useStore } from '../parts/store.js';
import { breakers } from './breaker-states.js';

const TICK_MS = 200;

export function Breakers() {
  const all = Object.entries(useStore(breakers));
  const now = useNow(all.some(([, { state }]) => state === 'open') ? TICK_MS : null);
  return (
    <section className="card fact" aria-labelledby="breakers-title">
      <h2 id="breakers-title">Circuit breakers</h2>
      <ul className="breakers" id="breakers">
        {all.map(([url, breaker]) => (
          <li key={url} data-state={breaker.state}>
            <span>{nameOf(new URL(url))}</span>
            <b>{breaker.state}</b>
            <time>{breaker.state === 'open' && leftOf(breaker, now)}</time>
          </li>
        ))}
      </ul>
    </section>
  );
}

const nameOf = ({ pathname, host }) => (pathname === '/' ? host : pathname);

/** How long it stays open where a call was told, else how long it has been. */
function leftOf({ at, until }, now) {
  if (until === null) return `for ${wholeSeconds(now - at)}`;
  return until > now ? `${wholeSeconds(until - now)} left` : 'probe due';
}

const wholeSeconds = (ms) => `${Math.max(0, Math.ceil(ms / 1_000))} s`;
