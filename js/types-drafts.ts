/**
 * The public types of drafts. Every duration is in milliseconds and ends in `Ms`.
 */
import type { StabilityError } from './errors.js';
import type { Store } from './types.js';

/** How drafts are saved. */
export interface DraftsConfig {
  /** Where the server keeps them; false: this device only. Default `'/api/drafts'`. */
  endpoint?: string | false;
  /** Saved so long after the last change. Default 2_000. */
  debounceMs?: number;
  /** And at the latest so long after the first one. Default 10_000. */
  maxWaitMs?: number;
  /** What was not saved again for so long is not restored on this device. Default 7 days. */
  ttlMs?: number;
  /** Of the JSON text in UTF-8; over it: status `'error'`, kind `'tooLarge'`. Default 1 MiB. */
  maxBytes?: number;
  /**
   * Whose they are; null: nobody known. Default: the session's `userKey`. What nobody known types stays with this tab, and is never
   * uploaded; so does all where there is no session.
   */
  userKey?: () => string | null;
}

/** How one draft is saved. What is left out is as the configuration's `drafts` say. */
export interface DraftOptions<T> extends DraftsConfig {
  /** Of the data; a copy of a newer one is left alone. Default 1. */
  schemaVersion?: number;
  /** Makes data of an older schema into this one's; null, or where there is no such function: it is dropped. */
  migrate?: (data: unknown, from: number) => T | null;
  /**
   * Names at any depth, or dotted paths with `*` for array items: stored nowhere, and missing in what comes back. Besides them, unless
   * `excludeDefaults` is false: password, passwd, pwd, secret, cvv, cvc, ssn, cardNumber.
   */
  exclude?: string[];
  /** Whether names that are secret in most forms are left out too. Default true. */
  excludeDefaults?: boolean;
  /** Whether two versions say the same, so that nothing has to be saved. Default: equal JSON. */
  isEqual?: (a: T, b: T) => boolean;
}

/**
 * `'saved'` only when nothing is pending: on the server, or on the device with `endpoint: false`. `'offline'`: the device has it, the server
 * cannot be reached or asked to wait. `'frozen'`: its owner is not signed in any more; it is saved on the device until they are back.
 */
export type DraftStatus = 'idle' | 'dirty' | 'saving' | 'saved' | 'offline' | 'error' | 'conflict' | 'frozen';

/** How a draft stands. */
export interface DraftState<T> {
  /** What to show beside the form. */
  status: DraftStatus;
  /** Whether the status is `'saving'`. */
  isSaving: boolean;
  /** When what `savedTo` says was saved; null: never. */
  lastSaved: Date | null;
  /** Where the newest saved text is. */
  savedTo: 'nowhere' | 'device' | 'server';
  /** Why it is not where it should be, or null. */
  error: StabilityError | null;
  /** Two texts, of which the person has to choose. `theirs` is null when the draft was cleared elsewhere. */
  conflict: { mine: T; theirs: T | null; theirsUpdatedAt: Date | null } | null;
}

/** What there was before. */
export interface RestoredDraft<T> {
  /** Without the excluded fields. */
  data: T;
  /** When it was saved. */
  updatedAt: Date;
  /** A copy that is clean on the device and equal on the server has source `'server'`. */
  source: 'device' | 'server';
}

/** What somebody types, kept until it is submitted: on this device first, at the server second. */
export interface Draft<T> extends Store<DraftState<T>> {
  /** What it is called. */
  readonly key: string;
  /** What the form holds now; the data is read when it is saved. After `dispose()`: nothing but a diagnostic. */
  update(data: T): void;
  /** Saves now. Resolves with how it stands once that is done, or cannot be done now. Never rejects. */
  flush(): Promise<DraftState<T>>;
  /**
   * What the person had; null when it equals what was last given to `update`, or there is nothing, or it was cleared. Never applied for them.
   * Never rejects.
   */
  restore(): Promise<RestoredDraft<T> | null>;
  /**
   * After a successful submit: nothing saved before comes back, in no tab and from no server, also when the server hears of it later.
   * Another tab's unsaved edits become a conflict with `theirs: null`. Never rejects.
   */
  clear(): Promise<void>;
  /** Ends a conflict, and resolves as `flush` does. `'mine'`: what was typed here; `'theirs'`: the other; or what the person made of both. */
  resolve(choice: 'mine' | 'theirs' | { merged: T }): Promise<DraftState<T>>;
  /** Nobody holds it any more: what is pending is still saved, and the key is free at once. */
  dispose(): void;
}
