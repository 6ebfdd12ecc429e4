/**
 * What the parts of a draft, and the drafts of one client, know of each other.
 */
import type { DraftSettings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import type { DraftRequests } from './draft-requests.js';
import type { DraftStore } from './draft-store.js';
import type { DraftTail } from './draft-tail.js';
import type { DraftText } from './draft-text.js';
import type { Notices } from './notices.js';
import type { Draft } from './types-drafts.js';

/** What drafts tell: the engine, or who stands in for it. */
export interface DraftEngine {
  openDraft(
    id: number,
    debounceMs: number,
    maxWaitMs: number,
    endpoint: boolean,
    owner: number,
    base: number,
    edited: boolean,
  ): void;
  draft(id: number, what: number, a: number, b: number, c: number): void;
}

/** Who says whose a draft is. */
export type UserKey = (() => string | null) | undefined;

/** Whose a draft is; null: nobody's; undefined: it is being found out. */
export type Whose = string | null | undefined;

/** What all drafts of a client have in common. */
export interface DraftHome {
  requests: DraftRequests;
  store: DraftStore;
  tail: DraftTail;
  notices: Notices;
  diagnostics: DiagnosticsLog;
  engine(): DraftEngine | undefined;
  /** Something is there for the engine to do. */
  start(): void;
  whose(userKey: UserKey): Whose;
  /** The number that the engine knows a user by. */
  numberOf(user: string, userKey: UserKey): number;
  /** This tab's id. */
  tab(): string;
  /** As which lies what is typed in this tab before it is known by whom: taken for the one's whom the tab knew last. */
  pending(): string;
  /** Later than all that was heard of, in any tab. */
  stamp(): number;
  heardOf(stamp: number): void;
  /** The device may hold something from now on. */
  mark(): void;
  /** The page is gone, or about to be. */
  isGone(): boolean;
  /** There is no such endpoint: what is opened from now on is kept on this device, for a later page to bring there. */
  isAbsent(endpoint: string): boolean;
  lacks(endpoint: string): void;
  /** Tells this page's other drafts and the other tabs. */
  tellCleared(owner: string, key: string, from: number): void;
  /** A field with such a name is left out. */
  leftOut(name: string): void;
  /** Its key is free. */
  free(line: DraftLine): void;
  /** Nothing more is to be done for it. */
  close(line: DraftLine): void;
  /** Clears what was disposed of. */
  clearLate(key: string, options: DraftSettings): Promise<void>;
}

/** How the engine shows a draft, in its numbers. */
export type Shown = [status: number, savedTo: number, kind: number, retryAfterMs: number, conflict: number];

/** A draft, as those of one client see each other. */
export interface DraftLine {
  readonly id: number;
  readonly key: string;
  readonly draft: Draft<unknown>;
  /** As which it lies on the device. */
  owner(): string;
  /** There is an engine, perhaps a new one. */
  begin(): void;
  show(...shown: Shown): void;
  told(what: number, a: number, b: number, lastWords: boolean): void;
  /** Who is signed in may have changed; `again`: it was found out anew. */
  look(again: boolean): void;
  /** Writes what is not in the database where it can be written at once. */
  keep(): void;
  /** The server may not have what it holds, or not know that it was cleared, and nobody has to decide anything. */
  isLeft(): boolean;
  /** Another one may have cleared it. */
  checkCleared(owner: string): void;
  /** What was to be written before this moment is written. */
  settled(): Promise<void>;
  /** The client ends. */
  end(): void;
}

/** Tells the engine. */
export type Tell = (what: number, a?: number, b?: number, c?: number) => void;

/** What the parts of one draft have in common. */
export interface DraftContext {
  home: DraftHome;
  id: number;
  key: string;
  options: DraftSettings;
  /** Absolute; null: this device only. */
  endpoint: string | null;
  /** Nobody sees it: it is there to bring to the server what was left. */
  hidden: boolean;
  text: DraftText;
  /** Tells the engine that is there now, and no later one. */
  answerer(): Tell;
  /** As which it lies on the device. */
  owner(): string;
  /** As which all it may lie there. */
  owners(): string[];
  /** As which its text is written: what nobody known typed stays theirs until it is typed on. */
  writes(): string;
  /** For whom the server may be asked now; undefined: for nobody. */
  asker(): string | undefined;
}
