/**
 * Drafts without the engine: this device only, saved as often as with it. It is told what the engine is told, and tells what it does.
 */
import type { DraftEngine } from './draft-line.js';
import type { DraftHost } from './drafts.js';
import { KINDS } from './errors.js';
import {
  BURIED,
  CLEAR,
  CLEARED_ELSEWHERE,
  CLOSE,
  DRAFT_DIRTY,
  DRAFT_ERROR,
  DRAFT_IDLE,
  DRAFT_OFFLINE,
  DRAFT_SAVED,
  DRAFT_SAVING,
  EDITED,
  FLUSH,
  HAS_TEXT,
  IS_CLEARED,
  IS_CLOSED,
  IS_FLUSHED,
  IS_RESTORED,
  IS_VOID,
  LOADED,
  NONE,
  OWNED,
  PENDING,
  RESOLVE,
  RESTORE,
  STORED,
  STORED_NOWHERE,
  STORED_REFUSED,
  TO_BURY,
  TO_LOAD,
  TO_STORE,
} from './wire.js';

/** What is there is whose it is; so long that is waited for. */
const OWNER_MS = 10_000;

/** On this device. */
const DEVICE = 1;
const RUNTIME = KINDS.indexOf('runtime');

interface Alone {
  debounceMs: number;
  maxWaitMs: number;
  /** There is a server, which cannot be reached from here. */
  waits: boolean;
  base: number;
  owner: number;
  /** Somebody waits for what is there. */
  restoring: boolean;
  edited: boolean;
  /** When the first edit was made that is not stored. */
  since: number;
  savedTo: number;
  storing: boolean;
  /** Somebody waits for it to rest. */
  flushing: boolean;
  closing: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  late: ReturnType<typeof setTimeout> | undefined;
}

/** What stands in for the engine, until it is stopped. */
export function createAlone({ showDraft, toldDraft }: DraftHost): DraftEngine & { stop(): void } {
  const drafts = new Map<number, Alone>();

  const show = (id: number, { savedTo }: Alone, status: number, kind = NONE): void =>
    showDraft(id, status, savedTo, kind, NONE, NONE);
  const say = (id: number, what: number, a = 0): void => toldDraft(id, what, a, 0, false);

  function store(id: number, draft: Alone): void {
    clearTimeout(draft.timer);
    if (draft.storing) return;
    if (!draft.edited) return rest(id, draft);
    draft.edited = false;
    draft.storing = true;
    draft.since = 0;
    show(id, draft, DRAFT_SAVING);
    say(id, TO_STORE, draft.base);
  }

  function stored(id: number, draft: Alone, outcome: number): void {
    draft.storing = false;
    if (outcome < STORED_NOWHERE) draft.savedTo = DEVICE;
    if (draft.edited) show(id, draft, DRAFT_DIRTY);
    else if (outcome >= STORED_REFUSED) show(id, draft, DRAFT_ERROR, outcome - STORED_REFUSED);
    else if (outcome === STORED_NOWHERE) show(id, draft, DRAFT_ERROR, RUNTIME);
    else show(id, draft, draft.waits ? DRAFT_OFFLINE : DRAFT_SAVED, draft.waits ? RUNTIME : NONE);
    if (draft.edited && (draft.flushing || draft.closing)) store(id, draft);
    else rest(id, draft);
  }

  function rest(id: number, draft: Alone): void {
    if (draft.flushing) say(id, IS_FLUSHED);
    draft.flushing = false;
    if (!draft.closing) return;
    drafts.delete(id);
    say(id, IS_CLOSED);
  }

  function edit(id: number, draft: Alone): void {
    const now = Date.now();
    if (!draft.edited) draft.since = now;
    draft.edited = true;
    if (!draft.storing) show(id, draft, DRAFT_DIRTY);
    clearTimeout(draft.timer);
    const wait = Math.min(draft.debounceMs, draft.since + draft.maxWaitMs - now);
    draft.timer = setTimeout(store, wait, id, draft);
  }

  function load(id: number, draft: Alone): void {
    clearTimeout(draft.late);
    draft.restoring = false;
    say(id, TO_LOAD);
  }

  const acts: Partial<Record<number, (id: number, draft: Alone, a: number) => void>> = {
    [EDITED]: edit,
    [FLUSH](id, draft) {
      draft.flushing = true;
      store(id, draft);
    },
    [RESOLVE]: (id, draft) => rest(id, Object.assign(draft, { flushing: true })),
    [OWNED](id, draft, owner) {
      draft.owner = owner;
      if (draft.restoring && owner !== PENDING) load(id, draft);
    },
    [RESTORE](id, draft) {
      draft.restoring = true;
      if (draft.owner === PENDING) draft.late = setTimeout(load, OWNER_MS, id, draft);
      else load(id, draft);
    },
    [LOADED]: (id, _, flags) => say(id, IS_RESTORED, Number((flags & (HAS_TEXT | IS_VOID)) === HAS_TEXT)),
    [STORED]: stored,
    [CLEAR](id, draft) {
      clearTimeout(draft.timer);
      draft.edited = false;
      say(id, TO_BURY);
    },
    [BURIED](id, draft) {
      if (!draft.edited) show(id, draft, DRAFT_IDLE);
      say(id, IS_CLEARED);
    },
    [CLEARED_ELSEWHERE](id, draft) {
      if (!draft.edited && !draft.storing) show(id, draft, DRAFT_IDLE);
    },
    [CLOSE](id, draft) {
      draft.closing = true;
      store(id, draft);
    },
  };

  return {
    openDraft(id, debounceMs, maxWaitMs, endpoint, owner, base, edited) {
      const draft: Alone = {
        debounceMs,
        maxWaitMs,
        waits: endpoint,
        base,
        owner,
        restoring: false,
        edited: false,
        since: 0,
        savedTo: 0,
        storing: false,
        flushing: false,
        closing: false,
        timer: undefined,
        late: undefined,
      };
      drafts.set(id, draft);
      if (edited) edit(id, draft);
    },
    draft(id, what, a) {
      const draft = drafts.get(id);
      if (draft) acts[what]?.(id, draft, a);
    },
    stop() {
      for (const { timer, late } of drafts.values()) {
        clearTimeout(timer);
        clearTimeout(late);
      }
      drafts.clear();
    },
  };
}
