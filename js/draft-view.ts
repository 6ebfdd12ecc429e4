/**
 * One draft as the app sees it.
 */
import type { DraftDevice } from './draft-device.js';
import type { DraftContext, Shown } from './draft-line.js';
import { IDLE } from './draft-off.js';
import type { DraftServer } from './draft-server.js';
import type { Other } from './draft-text.js';
import { KINDS, StabilityError } from './errors.js';
import { createStore } from './store.js';
import type { DraftState } from './types-drafts.js';
import { BY_CLEARING, BY_OTHER, BY_SERVER, DRAFT_SAVING, NONE } from './wire.js';

// By the numbers of the Rust side.
const STATUS = ['idle', 'dirty', 'saving', 'saved', 'offline', 'error', 'conflict', 'frozen'] as const;
const PLACES = ['nowhere', 'device', 'server'] as const;

/** Where nobody sees it, nobody is told. */
export function createView<T>(
  { home, hidden, text }: DraftContext,
  device: DraftDevice,
  server: DraftServer,
) {
  const state = createStore<DraftState<T>>(IDLE);
  const { getSnapshot } = state;
  let shown: Shown = [0, 0, NONE, NONE, NONE];
  let conflict:
    | { of: string | undefined; with: Other | undefined; is: DraftState<T>['conflict'] }
    | undefined;

  /** The same one as long as it says the same. */
  function errorOf(kind: number, retryAfterMs: number): StabilityError | null {
    if (kind < 0) return null;
    const name = KINDS[kind]!;
    // What was met says more than that something could not be reached, or written.
    const met = name === 'network' ? server.error : name === 'runtime' ? device.error : undefined;
    const is = met ?? [device.error, server.error].find((one) => one?.kind === name);
    if (is) return is;
    const wait = retryAfterMs < 0 ? null : retryAfterMs;
    const { error } = getSnapshot();
    if (error?.kind === name && error.retryAfterMs === wait) return error;
    return new StabilityError(name, { retryAfterMs: wait });
  }

  function conflictOf(code: number): DraftState<T>['conflict'] {
    if (code < 0) {
      conflict = undefined;
      return null;
    }
    if (!conflict && !hidden) {
      home.diagnostics.count('draftConflicts');
      home.notices.say(
        'draftConflict',
        'warning',
        'This was changed elsewhere too. Please choose what to keep',
      );
    }
    // What earlier pages left may be in conflict before anything of it is restored.
    if (device.local && (code === BY_CLEARING ? !text.isTyped() : !text.has)) device.takeLocal();
    const theirs = view.against();
    const mine = text.written()?.text ?? text.get();
    if (!conflict || conflict.of !== mine || conflict.with !== theirs) {
      const is = {
        mine: (mine === undefined ? null : JSON.parse(mine)) as T,
        theirs: (theirs?.data ?? null) as T | null,
        theirsUpdatedAt: theirs?.updatedAt ?? null,
      };
      conflict = { of: mine, with: theirs, is };
    }
    return conflict.is;
  }

  function refresh(): void {
    const [code, place, kind, retryAfterMs, against] = shown;
    const was = getSnapshot();
    const status = STATUS[code]!;
    const savedTo = PLACES[place]!;
    if (status !== was.status || savedTo !== was.savedTo) home.diagnostics.emit('draft', { status, savedTo });
    state.set({
      status,
      isSaving: code === DRAFT_SAVING,
      lastSaved: [null, device.savedAt, server.savedAt][place] ?? null,
      savedTo,
      error: errorOf(kind, retryAfterMs),
      conflict: conflictOf(against),
    });
  }

  const view = {
    state,
    show(...now: Shown): void {
      shown = now;
      refresh();
    },
    /** Without the engine. */
    showStatus: (status: number): void => view.show(status, shown[1], NONE, NONE, NONE),
    /** The newest text is another, which a conflict shows. */
    wrote(): void {
      if (conflict) refresh();
    },
    /** What it is in conflict with; negative: nothing. */
    conflict: (): number => shown[4],
    /** The text of that; undefined: it was cleared. */
    against: (): Other | undefined =>
      shown[4] === BY_SERVER ? server.theirs : shown[4] === BY_OTHER ? device.other : undefined,
  };
  return view;
}
