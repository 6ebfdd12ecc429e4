/**
 * What nobody holds any more and the server may not have: of earlier pages, and of drafts that were disposed of before they could be saved.
 * Once it is known who is here, theirs is brought to the server, opened or not.
 */
import { checkDraft, type DraftSettings } from './config.js';
import type { DraftLine, UserKey } from './draft-line.js';
import { isTombstone, type Stored } from './draft-records.js';
import type { DraftStore } from './draft-store.js';
import type { DraftTail } from './draft-tail.js';
import type { Requests } from './request.js';
import { report } from './store.js';

/** A user, and who says that it is them. */
export type User = readonly [user: string, userKey: UserKey];

/** Where it is looked for, and what may be done with it. */
export interface LeftHome {
  store: DraftStore;
  tail: DraftTail;
  requests: Pick<Requests, 'resolve' | 'isTrusted'>;
  signal: AbortSignal;
  /** All that were here. It grows. */
  users: readonly User[];
  isHere(user: User): boolean;
  /** Whether the device may hold something. */
  mayHold(): Promise<boolean>;
  /** There is no such endpoint. */
  isAbsent(endpoint: string): boolean;
  /** Which drafts of an owner other tabs have open. */
  openElsewhere(owner: string): Promise<ReadonlySet<string>>;
  isOpen(owner: string, key: string): boolean;
  /** Opens one that nobody sees. */
  open(key: string, options: DraftSettings, endpoint: string): DraftLine;
}

/** It is looked for after this time and up to as long again, so that all tabs do not at once; and so much of it. */
const SOON_MS = 1_000;
const LEFT_MAX = 50;
/** What could not be brought is tried again after longer and longer, up to this, and when something changes. */
const LATE_MS = 300_000;
/** The longest wait that a server can ask for. */
const TOLD_MAX_MS = 24 * 3_600_000;

const schemaOf = (stored: Stored): number => (isTombstone(stored) ? 0 : stored.schema);

/** Looks for nothing yet. */
export function createLeft(home: LeftHome) {
  const { store, tail, requests, signal, users } = home;
  /** Of whom nothing is left, as far as is known. */
  const brought = new Set<string>();
  let waitMs = SOON_MS;
  /** A server asked to be left alone until then, whatever changes. */
  let notBefore = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isBringing = false;
  let isBehind = false;

  function find(): void {
    if (signal.aborted || isBringing) return;
    clearTimeout(timer);
    const toldMs = Math.max(0, notBefore - performance.now());
    timer = setTimeout(bringAll, toldMs + waitMs * (1 + Math.random()));
  }

  async function bringAll(): Promise<void> {
    isBringing = true;
    isBehind = false;
    try {
      if (await home.mayHold()) {
        const now = Date.now();
        tail.sweep(now);
        await store.sweep(now).catch(() => {}); // the next page will
        waitMs = Math.min(waitMs * 4, LATE_MS);
        for (const user of users) await bring(user);
      }
    } catch (error) {
      report(error);
    }
    isBringing = false;
    if (isBehind) find();
    else waitMs = SOON_MS;
  }

  /** Where it is to go, if that may be asked. */
  function addressOf({ endpoint }: Stored): string | undefined {
    try {
      const url = requests.resolve(endpoint!);
      if (/^http/.test(url.protocol) && requests.isTrusted(url) && !home.isAbsent(url.href)) return url.href;
    } catch {} // it is no address
    return undefined;
  }

  async function bring(one: User): Promise<void> {
    const [user, userKey] = one;
    if (signal.aborted || brought.has(user) || !home.isHere(one)) return;
    const owner = `u:${user}`;
    brought.add(user);
    const elsewhere = await home.openElsewhere(owner);
    const left = new Map<string, Stored>();
    for (const found of [...(await store.list(owner).catch(() => [])), ...tail.take(owner)]) {
      const before = left.get(found.key);
      // What the newest release wrote goes first.
      if (!before || schemaOf(found) >= schemaOf(before)) left.set(found.key, found);
    }
    const all = [...left];
    // Beginning anywhere: what fails each time does not stand before the others each time.
    all.push(...all.splice(0, Math.random() * all.length));
    /** Where one could not be brought, others cannot. */
    const deaf = new Set<string>();
    for (const [key, stored] of all.slice(0, LEFT_MAX)) {
      const address = addressOf(stored);
      if (!address || home.isOpen(owner, key)) continue;
      // A tab that lives brings its own, when it may.
      if (elsewhere.has(key) || deaf.has(address)) {
        leave(user);
        continue;
      }
      if (signal.aborted || !home.isHere(one)) return void brought.delete(user);
      const options = {
        ...checkDraft(key, undefined, false),
        schemaVersion: schemaOf(stored),
        // It was written without what is not to be kept.
        excludeDefaults: false,
        userKey,
      };
      const line = home.open(key, options, address);
      await line.draft.restore();
      await line.draft.flush();
      if (line.isLeft()) {
        deaf.add(address);
        again(line);
      }
      line.draft.dispose();
    }
  }

  function leave(user: string): void {
    brought.delete(user);
    isBehind = true;
  }

  /** Nobody holds it any more, and it is not saved. */
  function again(line: DraftLine): void {
    const { error } = line.draft.getSnapshot();
    const toldMs = Math.min(error?.retryAfterMs ?? 0, TOLD_MAX_MS);
    if (toldMs) notBefore = Math.max(notBefore, performance.now() + toldMs);
    leave(line.owner().slice(2));
    find();
  }

  return {
    again,
    /** Something changed that may have stood in the way. */
    soon(): void {
      waitMs = SOON_MS;
      if (users.some((one) => !brought.has(one[0]) && home.isHere(one))) find();
    },
    stop: (): void => clearTimeout(timer),
  };
}
