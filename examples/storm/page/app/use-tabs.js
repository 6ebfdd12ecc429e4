import { useEffect, useState } from 'react';
import { standing } from '../weather/standing.js';

const NAME = 'a tab with the storm';

/** How many tabs have this page open: each holds a lock that all may hold. */
export function useTabs() {
  const [tabs, setTabs] = useState(1);
  useEffect(() => {
    const life = new AbortController();
    const { signal } = life;
    const until = (release) => {
      if (signal.aborted) release();
      signal.addEventListener('abort', release);
      addEventListener('pagehide', release, { once: true, signal });
    };
    const hold = () =>
      navigator.locks.request(NAME, { mode: 'shared', signal }, () => new Promise(until)).catch(() => {}); // it was given up
    const count = async () => {
      const { held } = await navigator.locks.query();
      setTabs(held.filter(({ name }) => name === NAME).length);
    };
    hold();
    addEventListener('pageshow', ({ persisted }) => persisted && hold(), { signal });
    const end = standing.subscribe(count);
    return () => {
      end();
      life.abort();
    };
  }, []);
  return tabs;
}
