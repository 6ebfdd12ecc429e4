import { useEffect, useState } from 'react';

/** The time, for what counts down. @param {number | null} everyMs null: it stands still */
export function useNow(everyMs) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyMs === null) return;
    setNow(Date.now());
    const ticking = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(ticking);
  }, [everyMs]);
  return now;
}

/** '14:03:27' */
export const clock = (at) => new Date(at).toLocaleTimeString('en-GB');

/** '12 s', '9:58'. */
export function span(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  if (seconds < 100) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
