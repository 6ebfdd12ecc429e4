/**
 * One draft on this device: written to the database, and where that fails or the page goes to the tail; read, and buried.
 */
import type { DraftContext } from './draft-line.js';
import {
  choose,
  type DraftRecord,
  isOwn,
  isTombstone,
  type Read,
  type Removal,
  type Stored,
  type Tombstone,
} from './draft-records.js';
import { isLonger } from './draft-requests.js';
import type { Other, Written } from './draft-text.js';
import { KINDS, StabilityError } from './errors.js';
import { report } from './store.js';
import {
  BURIED,
  HAS_CHANGES,
  HAS_OTHER,
  HAS_TEXT,
  IS_UNHEARD,
  IS_VOID,
  LOADED,
  STORED,
  STORED_DIRTY,
  STORED_NOWHERE,
  STORED_REFUSED,
  STORED_SAME,
} from './wire.js';

/** So long a server keeps a draft. */
const WEEK_MS = 7 * 24 * 3_600_000;

/**
 * Nothing is read or written yet.
 *
 * @param ready another draft of the same key has written what it had.
 * @param onWrite the newest text is another.
 * @param onCleared somebody may have cleared it since the page's text was begun.
 */
export function createDevice(
  { home, id, key, options, endpoint, hidden, text, answerer, owner, owners, writes, asker }: DraftContext,
  read: Read,
  ready: Promise<void> | undefined,
  onWrite: () => void,
  onCleared: (tombstone: Tombstone) => void,
) {
  const { store, tail } = home;
  const { schemaVersion, ttlMs, maxBytes } = options;
  let queue: Promise<unknown> = Promise.resolve();
  /** This page's record in the database, or else in the tail; and what lies in the tail besides. */
  let last: DraftRecord | undefined;
  /** What is to be written, or was: the newest. */
  let queued: { record: DraftRecord; isKept?: boolean } | undefined;
  let tailed: DraftRecord | undefined;
  /** What this page's text holds, or was made from: of no more use once that is written. */
  const absorbed: Removal[] = [];
  let localRecords: Removal[] = [];
  let localRecord: DraftRecord | undefined;
  let localIsVoid = false;
  /** What was written of the newest text first. To write more of the same makes it no younger. */
  let first: DraftRecord | undefined;
  let otherRecord: Removal | undefined;
  /** The stamp of a tombstone that was made just now. */
  let fresh = 0;
  let loads = 0;

  /** One after another. */
  const then = (work: () => Promise<void>): void => void (queue = queue.then(work).catch(report));

  function remove(records: Removal[]): void {
    if (!records.length) return;
    tail.remove(records);
    store.remove(records).catch(() => {}); // they come back as what they are
  }

  async function find(): Promise<Stored[]> {
    const found = owners().map((one) => store.list(one, key).catch(() => []));
    return [...(await Promise.all(found)).flat(), ...owners().flatMap((one) => tail.take(one, key))];
  }

  function recordOf(written: Written, dirty: boolean): DraftRecord {
    const now = Date.now();
    const { at, expires } = first?.text === written.text ? first : { at: now, expires: now + ttlMs };
    return {
      v: 1,
      owner: writes(),
      key,
      writer: text.writer(),
      stamp: home.stamp(),
      since: text.since,
      text: written.text,
      schema: schemaVersion,
      base: text.base < 0 ? null : text.base,
      dirty,
      saveId: written.saveId,
      lineage: text.lineage(),
      at,
      expires,
      endpoint,
    };
  }

  const isQueued = (record: DraftRecord): boolean =>
    (['text', 'dirty', 'base', 'owner', 'since'] as const).every(
      (name) => queued?.record[name] === record[name],
    );

  /** It was submitted; or the server has it, and who it belongs to is not here any more. */
  const isDoneWith = (): boolean => text.submitted || (endpoint !== null && asker() === undefined);

  async function put(record: DraftRecord, edits: number): Promise<boolean> {
    home.mark();
    try {
      const cleared = await store.put(record);
      text.kept = Math.max(text.kept, edits);
      // The page may have been about to go while it was written.
      if (tailed && (tailed.stamp <= record.stamp || edits === text.edits)) {
        tail.remove([tailed]);
        tailed = undefined;
      }
      if (cleared > device.clearedAt) await device.checkCleared();
    } catch (cause) {
      // The page may have put something newer there, when it was about to go.
      const isPast = tailed && tailed.stamp > record.stamp;
      if (!isPast && !tail.write(record)) {
        const full = (cause as DOMException | undefined)?.name === 'QuotaExceededError';
        device.error = new StabilityError(full ? 'tooLarge' : 'runtime', { cause });
        return false;
      }
      if (!isPast) tailed = record;
    }
    device.error = undefined;
    device.savedAt = new Date(record.at);
    // It may go by another name now, or be another's.
    if (last && (last.writer !== record.writer || last.owner !== record.owner)) absorbed.push(last);
    last = first = record;
    // It may have been found out meanwhile whose it is.
    if (record.owner === writes()) remove(absorbed.splice(0));
    else absorbed.push(record);
    return true;
  }

  function tombOf(owner: string, stamp: number, unheard: boolean, rev?: number): Tombstone {
    const at = Date.now();
    return {
      v: 1,
      owner,
      key,
      writer: '',
      stamp,
      tomb: true,
      unheard,
      rev,
      at,
      // As long as the server keeps what was cleared.
      expires: at + Math.max(ttlMs, WEEK_MS),
      endpoint,
    };
  }

  /** At once, as the page may go before the database has it. */
  function place(tombs: Tombstone[]): void {
    home.mark();
    for (const tomb of tombs) {
      tail.bury(tomb);
      tail.write(tomb);
      then(() => move(tomb));
    }
  }

  async function move(tomb: Tombstone): Promise<void> {
    await store.bury(tomb).then(
      () => tail.remove([tomb]),
      () => {}, // it stays in the tail
    );
    home.tellCleared(tomb.owner, key, id);
  }

  const device = {
    /** What is here of it, as it was last read. */
    local: undefined as Other | undefined,
    localIsDirty: false,
    /** Another text, that is dirty and different. */
    other: undefined as Other | undefined,
    tombstone: undefined as Tombstone | undefined,
    /** The stamp of the newest clearing that the person knows of. */
    clearedAt: 0,
    /** The stamp of the clearing of this page. */
    buriedAt: 0,
    /** The stamp of the newest clearing of which this page need not tell the server any more. */
    told: 0,
    savedAt: null as Date | null,
    /** What was written last, if it could be. */
    written: undefined as Written | undefined,
    /** Why it was not written. */
    error: undefined as StabilityError | undefined,
    /** What is being read is here. */
    loading: undefined as Promise<void> | undefined,

    load(): void {
      const answer = answerer();
      loads++;
      device.loading = (async () => {
        await ready;
        // The page before may have been cut off.
        for (const one of owners().flatMap((one) => tail.take(one, key)))
          if (isTombstone(one)) await move(one);
        const found = await find();
        for (const { stamp } of found) home.heardOf(stamp);
        const typed = text.isTyped();
        const held = text.get();
        // Beside what somebody types, only what that was not made from says anything.
        const counts = (one: Stored): boolean =>
          !typed || isTombstone(one) || !(one.writer === text.writer() || isOwn(one.saveId, text.lineage()));
        const chosen = choose(found.filter(counts), Date.now(), schemaVersion, read);
        // Whoever opens it may be able to migrate what is of no use here.
        if (!hidden) remove(chosen.drop);
        const { local, tombstone } = chosen;
        const stamp = tombstone?.stamp ?? 0;
        const isVoid = typed ? text.since < stamp : chosen.isVoid;
        if (!isVoid) text.since = Math.max(text.since, stamp);
        device.clearedAt = Math.max(device.clearedAt, stamp);
        device.tombstone = tombstone;
        device.local = local && text.ofRecord(local);
        device.localIsDirty = local?.record.dirty ?? false;
        localRecord = local?.record;
        localIsVoid = chosen.isVoid;
        const isBeside = typed && local && !(held !== undefined && text.isSame(device.local!.text, held));
        const other = !isBeside ? chosen.other : device.localIsDirty && !chosen.isVoid ? local : undefined;
        device.other = other && text.ofRecord(other);
        otherRecord = other?.record;
        localRecords = isBeside ? [] : chosen.absorbed;
        // Nothing is sent before the server has heard of a clear: it may have, though nobody was here to note that.
        const isHeard = found.some((one) => !isTombstone(one) && one.since >= stamp && one.base !== null);
        if (isHeard) device.told = stamp;
        // What was begun after a clear that the server knows of goes on from there.
        const isAfter = local && local.record.base === null && local.record.since >= stamp;
        const base = (isAfter ? tombstone?.rev : undefined) ?? device.local?.rev;
        loads--;
        answer(
          LOADED,
          (local ? HAS_TEXT : 0) +
            (device.localIsDirty ? HAS_CHANGES : 0) +
            (other ? HAS_OTHER : 0) +
            (isVoid ? IS_VOID : 0) +
            (tombstone?.unheard && !isHeard ? IS_UNHEARD : 0),
          base,
        );
      })();
    },
    /** Nobody waits to be told what is here. */
    isRead: (): boolean => !loads,
    /** What was read becomes what the page holds. */
    takeLocal(): void {
      const local = device.local!;
      text.take(local, false);
      first = localRecord;
      // A text from before a clear stays one, until somebody decides otherwise.
      const { since } = localRecord!;
      text.since = localIsVoid ? since : Math.max(since, device.tombstone?.stamp ?? 0);
      if (!device.localIsDirty) text.confirm(local.text);
      device.savedAt = local.updatedAt;
      device.absorbLocal();
    },
    absorbLocal: (): void => void absorbed.push(...localRecords),
    /** Somebody typed on: what was read is another text beside theirs. */
    leaveLocal(): void {
      localRecords = [];
      if (device.other) return;
      device.other = device.local;
      otherRecord = localRecord;
    },
    absorbOther: (): void => void (otherRecord && absorbed.push(otherRecord)),
    /** Another tab took this page's record away. */
    lose: (): void => void (last = queued = undefined),

    write(base: number): void {
      const answer = answerer();
      // In the order of what was asked.
      const say = (outcome: number): void => then(async () => answer(STORED, outcome));
      const refuse = (kind: 'invalid' | 'tooLarge', cause?: unknown): void => {
        device.error = new StabilityError(kind, { cause });
        say(STORED_REFUSED + KINDS.indexOf(kind));
      };
      text.base = base;
      device.written = undefined;
      if (!text.has) return say(STORED_SAME);
      let written: Written;
      try {
        written = text.write();
      } catch (cause) {
        return refuse('invalid', cause);
      }
      if (isLonger(written.text, maxBytes)) return refuse('tooLarge');
      device.written = written;
      onWrite();
      const same = text.isConfirmed(written.text);
      const { edits, since, refused } = text;
      text.stored = edits;
      if (same) text.settled = edits;
      const isRefused = refused?.[0] === written.saveId;
      const outcome = same ? STORED_SAME : isRefused ? STORED_REFUSED + refused[1] : STORED_DIRTY;
      if (same && isDoneWith()) {
        text.kept = edits;
        device.drop();
        return say(outcome);
      }
      const record = recordOf(written, !same || !endpoint);
      const isNews = !isQueued(record);
      const mine = isNews ? { record, isKept: false } : queued!;
      queued = mine;
      then(async () => {
        if (isNews) mine.isKept = await put(record, edits);
        else if (mine.isKept && !tailed) text.kept = Math.max(text.kept, edits);
        const { isKept } = mine;
        if (!isKept && queued === mine) queued = undefined;
        if (isNews && isKept && !endpoint && since === text.since) {
          if (!same) home.diagnostics.count('draftSaves');
          text.confirm(written.text);
          text.settled = Math.max(text.settled, edits);
        }
        answer(STORED, isKept ? outcome : STORED_NOWHERE);
      });
    },
    /** At once, while there is no time for the database. */
    keep(): void {
      if (text.edits <= text.kept) return;
      try {
        const written = text.write();
        const same = text.isConfirmed(written.text);
        if ((same && isDoneWith()) || isLonger(written.text, maxBytes)) return;
        const record = recordOf(written, !same || !endpoint);
        home.mark();
        if (tail.write(record)) tailed = record;
      } catch {} // it is no JSON
    },
    /** What the page holds is written no more. */
    drop(): void {
      queued = undefined;
      then(async () => {
        remove([...absorbed.splice(0), ...[last, tailed].filter((one) => one !== undefined)]);
        last = tailed = undefined;
      });
    },

    bury(): void {
      const answer = answerer();
      const tombs = owners().map((one) => tombOf(one, device.clearedAt, !!endpoint && one[0] === 'u'));
      device.tombstone = tombs.at(-1);
      fresh = device.buriedAt = device.clearedAt;
      queued = undefined;
      then(async () => {
        last = tailed = undefined;
        absorbed.length = 0;
      });
      place(tombs);
      then(async () => answer(BURIED));
    },
    /** Who cleared it is known now. */
    buryAgain(): void {
      const { tombstone, buriedAt } = device;
      if (tombstone?.stamp !== buriedAt) return;
      const tomb = (device.tombstone = tombOf(owner(), buriedAt, !!endpoint));
      place([tomb]);
    },
    /** Which revision the server made this clearing, where another tab has told it. */
    async revOf(stamp: number): Promise<number | undefined> {
      for (const one of await find()) if (isTombstone(one) && one.stamp === stamp && one.rev) return one.rev;
      return undefined;
    },
    /** Nobody else can have told it, and whoever submits may leave at once. */
    isFresh(stamp: number): boolean {
      const is = fresh === stamp;
      fresh = 0;
      return is;
    },
    /** The server was told of this clearing, and made it that revision; undefined: it knows of none. */
    heard(stamp: number, rev: number | undefined): void {
      // Whose it is may have become known since.
      const tomb = tombOf(owner(), stamp, false, rev);
      if (device.tombstone?.stamp === stamp) device.tombstone = tomb;
      tail.write(tomb); // before anything is sent on top of it
      then(() => move(tomb));
    },
    /** Another draft of the key may have been cleared. */
    async checkCleared(): Promise<void> {
      for (const one of await find()) if (isTombstone(one) && one.owner === owner()) onCleared(one);
    },
    async settled(): Promise<void> {
      await queue;
      await queue; // what the engine had to say of it
    },
  };
  return device;
}

/** One draft on this device. */
export type DraftDevice = ReturnType<typeof createDevice>;
