/**
 * A draft that is kept while a component is mounted.
 */
import { useEffect, useMemo } from 'react';
import { createKeeper, type Keeper } from './react-keeper.js';
import { useLease } from './react-lease.js';
import { useShared } from './react-provider.js';
import { useLatest, useView } from './react-tracking.js';
import type { AutoSave, AutoSaveOptions } from './types-react.js';

/**
 * Saves `data` as it changes, under `key`, and brings back what the person had: once mounted, to `onRestore`. The first `data` is no edit. What
 * is pending when the component goes, or the key changes, is still saved. Components with the same key share one draft.
 */
export function useAutoSave<T>(key: string, data: T, options: AutoSaveOptions<T> = {}): AutoSave<T> {
  const { client, session } = useShared('useAutoSave');
  const { enabled = true } = options;
  const latest = useLatest({ data, options });
  const keeper = useMemo(() => {
    const now = (): T => latest.current.data;
    const apply = (given: T): void => latest.current.options.onRestore?.(given);
    return createKeeper<T>(
      client,
      session,
      key,
      () => latest.current.options,
      () => [now()],
      now,
      apply,
    );
  }, [client, session, key, latest]);
  useKept(keeper, enabled);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was not heard while it was off is given then
  useEffect(() => keeper.give(data), [keeper, data, enabled]);
  return useView(keeper.state, keeper.methods);
}

/** Keeps a draft open while the component is mounted. @internal */
export function useKept<T>(keeper: Keeper<T>, enabled: boolean, open = keeper.open): void {
  useEffect(() => keeper.mount(), [keeper]);
  useLease(enabled || null, keeper, open);
}
