/**
 * One draft at the server: what is asked, and how what stands there relates to what the page holds.
 */
import type { DraftDevice } from './draft-device.js';
import type { DraftContext } from './draft-line.js';
import { isOwn, type Lineage } from './draft-records.js';
import type { Answer } from './draft-requests.js';
import type { Other } from './draft-text.js';
import type { StabilityError } from './errors.js';
import {
  ABSENT,
  GONE,
  NEWER,
  NONE,
  OTHER_USER,
  READ,
  SENT,
  SENT_ABSENT,
  SENT_ACCEPTED,
  SENT_LATER,
  SENT_OTHER_USER,
  SENT_REFUSED,
  SENT_STALE,
  SENT_UNAUTHORIZED,
  STANDS,
  TOMBSTONE,
  UNAUTHORIZED,
  UNKNOWN_THERE,
  UNREACHABLE,
} from './wire.js';

/** What stands in the way of reading, by what is sent for it. */
const REMOTES: Partial<Record<number, number>> = {
  [SENT_UNAUTHORIZED]: UNAUTHORIZED,
  [SENT_OTHER_USER]: OTHER_USER,
  [SENT_ABSENT]: ABSENT,
};

/** Nothing is asked yet. */
export function createServer(
  { home, key, options, endpoint, text, answerer, asker }: DraftContext,
  device: DraftDevice,
) {
  const { requests, diagnostics } = home;
  /** The newest question and upload; what comes of earlier ones says nothing. */
  let asked = NONE;
  let newest = NONE;
  /** What stands there is what the page holds, or is in it. */
  let matches = false;

  function met({ sent, error }: Answer): void {
    server.error = error;
    if (sent === SENT_ABSENT) home.lacks(endpoint!);
  }

  /** What stands there, beside a text that was made from those of `lineage`. */
  function compare({ copy, rev }: Answer, mine: string | undefined, lineage: Lineage): number {
    const theirs = copy && text.ofCopy(copy);
    server.theirs = theirs;
    matches = false;
    if (!copy && rev > 0) return TOMBSTONE;
    if (!copy) {
      // It lost what it once had.
      device.localIsDirty = true;
      if (!text.submitted) text.doubt();
      return UNKNOWN_THERE;
    }
    // One that cannot be migrated is as good as none.
    if (!theirs) return copy.schemaVersion > options.schemaVersion ? NEWER : TOMBSTONE;
    const same = mine !== undefined && text.isSame(theirs.text, mine);
    const own = mine !== undefined && isOwn(copy.saveId, lineage);
    matches = same || own;
    return STANDS + Number(same) + 2 * Number(own);
  }

  const server = {
    /** The server's copy, as it was last seen. */
    theirs: undefined as Other | undefined,
    savedAt: null as Date | null,
    /** Why the last request did not do what it was to do. */
    error: undefined as StabilityError | undefined,

    /** What stands there becomes what the page holds, unless somebody `typed`; then it is part of that, if it matches. */
    take(typed: boolean, joins: boolean): void {
      const theirs = server.theirs!;
      if (!typed) text.take(theirs, joins);
      if (typed && !matches) return;
      text.learn(theirs);
      text.confirm(theirs.text);
      text.base = theirs.rev;
      server.savedAt = theirs.updatedAt;
    },
    /** A question that is still out says nothing any more. */
    hush: (): void => void (asked = NONE),
    /** Neither does anything that was sent. */
    forget(): void {
      newest = asked = NONE;
      server.theirs = undefined;
    },

    async read(number: number): Promise<void> {
      const answer = answerer();
      const user = asker();
      asked = number;
      if (user === undefined) return answer(READ, number, OTHER_USER);
      const said = await requests.read(endpoint!, key, user);
      await device.loading;
      if (asked !== number) return;
      met(said);
      const { sent, rev, waitMs } = said;
      let remote = REMOTES[sent] ?? UNREACHABLE;
      if (sent === SENT_ACCEPTED || sent === SENT_STALE) {
        const { local } = device;
        remote = text.isTyped()
          ? compare(said, text.get(), text.lineage())
          : compare(said, local?.text, local?.lineage ?? {});
      }
      answer(READ, number, remote, remote === UNREACHABLE ? waitMs : rev);
    },

    async send(number: number, base: number, lastWords: boolean): Promise<void> {
      const answer = answerer();
      const user = asker();
      newest = number;
      const { written } = device;
      if (user === undefined) return answer(SENT, number, SENT_OTHER_USER);
      if (!written) return;
      // The same was typed again while it was on its way, and its answer is here. Of last words the device says so.
      const isRefused = text.refused?.[0] === written.saveId;
      if (isRefused || text.isConfirmed(written.text)) {
        if (lastWords) return;
        return answer(SENT, number, isRefused ? SENT_REFUSED + text.refused![1] : SENT_ACCEPTED, base);
      }
      const { text: data, saveId } = written;
      const { stored } = text;
      const takeBack = text.doubt();
      const json = `{"data":${data},"schemaVersion":${options.schemaVersion},"saveId":"${saveId}"}`;
      const said = await requests.save(endpoint!, key, user, json, base, lastWords, home.isGone());
      if (newest !== number) return;
      if (!said) {
        takeBack();
        return answer(SENT, number, SENT_LATER);
      }
      met(said);
      const { sent, rev, waitMs } = said;
      if (sent >= SENT_REFUSED && sent < SENT_LATER) text.refused = [saveId, sent - SENT_REFUSED];
      if (sent !== SENT_ACCEPTED && sent !== SENT_STALE && sent < SENT_LATER) takeBack();
      if (sent === SENT_STALE) {
        const remote = compare(said, data, text.lineage());
        if (matches) server.take(true, true);
        return answer(SENT, number, sent + remote, rev);
      }
      if (sent === SENT_ACCEPTED) {
        diagnostics.count('draftSaves');
        text.base = rev;
        text.confirm(data);
        text.settled = Math.max(text.settled, stored);
        server.savedAt = new Date();
      }
      answer(SENT, number, sent, sent < SENT_LATER ? rev : waitMs);
    },

    async clear(number: number): Promise<void> {
      const answer = answerer();
      const user = asker();
      if (user === undefined) return answer(GONE, number, SENT_OTHER_USER);
      const stamp = device.tombstone?.stamp;
      const told = stamp && !device.isFresh(stamp) ? await device.revOf(stamp) : undefined;
      if (told !== undefined) {
        device.told = stamp!;
        return answer(GONE, number, SENT_ACCEPTED, told);
      }
      const said = await requests.clear(endpoint!, key, user);
      met(said);
      const { sent, rev, waitMs } = said;
      // Before the engine, which sends on top of it.
      if (stamp && (sent === SENT_ACCEPTED || sent === SENT_ABSENT))
        device.heard(stamp, rev > 0 ? rev : undefined);
      if (stamp && sent < SENT_LATER && sent !== SENT_UNAUTHORIZED && sent !== SENT_OTHER_USER)
        device.told = stamp;
      answer(GONE, number, sent, sent < SENT_LATER ? rev : waitMs);
    },
  };
  return server;
}

/** One draft at the server. */
export type DraftServer = ReturnType<typeof createServer>;
