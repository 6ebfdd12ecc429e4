/**
 * What an effect opened stays open over the moment between an effect's end and its next beginning: StrictMode, Fast Refresh and keys that
 * come back take no second connection, lock or timer.
 */
import { useEffect, useRef } from 'react';

interface Lease {
  key: unknown;
  of: unknown;
  close: () => void;
  ends?: ReturnType<typeof setTimeout>;
}

/**
 * Keeps one thing open while the component is mounted. It is closed a task after that, and at once where another one takes its place.
 *
 * @param key what it is opened by; null: nothing is to be open.
 * @param of what it is opened of.
 * @param open returns what closes it.
 */
export function useLease(key: unknown, of: unknown, open: () => () => void): void {
  const held = useRef<Lease | undefined>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: how it is opened is looked up when it is
  useEffect(() => {
    let lease = held.current;
    clearTimeout(lease?.ends);
    if (lease && (lease.key !== key || lease.of !== of)) {
      held.current = undefined;
      lease.close();
      lease = undefined;
    }
    if (key === null) return;
    const mine = lease ?? (held.current = { key, of, close: open() });
    return () => {
      mine.ends = setTimeout(() => {
        if (held.current === mine) held.current = undefined;
        mine.close();
      });
    };
  }, [key, of]);
}
