/**
 * Notices: a storm of failures tells a person one thing once.
 */
import { formatError, type StabilityError } from './errors.js';
import { isolate } from './store.js';
import type { Notice } from './types.js';

/** No kind of notice is told more often. */
export const APART_MS = 5_000;

const WORDING = { retrying: 'Still trying to reach the server…', backOnline: 'You are back online' };

/** What passes by itself is a warning, everything else an error. */
const PASSES = /^(offline|authUnknown|rateLimited|unavailable|circuitOpen|queueFull)$/;

/** Tells `onNotice`, at most once for each kind in five seconds. */
export function createNotices(onNotice: ((notice: Notice) => void) | undefined, now: () => number) {
  const told = new Map<string, number>();

  function tell(
    kind: Notice['kind'],
    level: Notice['level'],
    message: string,
    error: StabilityError | null,
  ): void {
    const at = now();
    // The distance rather than the difference: a clock that was set back must not silence anything for long.
    if (!onNotice || Math.abs(at - (told.get(kind) ?? -Infinity)) < APART_MS) return;
    told.set(kind, at);
    isolate(() => onNotice({ level, kind, message, id: `evenkeel:${kind}`, error }));
  }

  return {
    /** A call failed. Aborts, and what a form shows beside its fields (400, 422), are no news. */
    failure(error: StabilityError): void {
      const { kind, status } = error;
      if (kind !== 'aborted' && !(kind === 'invalid' && (status === 400 || status === 422))) {
        tell(kind, PASSES.test(kind) ? 'warning' : 'error', formatError(error), error);
      }
    },
    /** Something else happened. Only 'retrying' and 'backOnline' have a level and a wording of their own. */
    say(
      kind: Notice['kind'],
      level: Notice['level'] = 'info',
      message: string = WORDING[kind as keyof typeof WORDING],
    ): void {
      tell(kind, level, message, null);
    },
  };
}

/** What `createNotices` returns. */
export type Notices = ReturnType<typeof createNotices>;
