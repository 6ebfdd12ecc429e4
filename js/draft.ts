/**
 * One draft: what the app does with it goes to the engine, and what the engine says of it is done by its parts.
 */
import type { DraftSettings } from './config.js';
import { createDevice } from './draft-device.js';
import { createExcluder } from './draft-fields.js';
import type { DraftContext, DraftHome, DraftLine, Tell, Whose } from './draft-line.js';
import { createRead, type Tombstone } from './draft-records.js';
import { createServer } from './draft-server.js';
import { createText } from './draft-text.js';
import { createView } from './draft-view.js';
import { reading } from './store.js';
import type { Draft, RestoredDraft } from './types-drafts.js';
import { join, settle, type Waiting } from './wait.js';
import {
  BY_CLEARING,
  BY_OTHER,
  BY_SERVER,
  CLEAR,
  CLEARED_ELSEWHERE,
  CLOSE,
  DRAFT_DIRTY,
  EDITED,
  FLUSH,
  IS_UNHEARD,
  IS_VOID,
  LOADED,
  NOBODYS,
  NONE,
  OWNED,
  PENDING,
  RESOLVE,
  RESTORE,
} from './wire.js';

/** What it is restored from, by the numbers of the Rust side. */
const DEVICE = 1;
const SERVER = 2;

/**
 * Opens one.
 *
 * @param endpoint absolute; null: this device only.
 * @param ready another of the same key has written what it had.
 * @param hidden nobody sees it: it is there to bring to the server what an earlier page left.
 */
export function openDraft<T>(
  home: DraftHome,
  id: number,
  key: string,
  options: DraftSettings,
  endpoint: string | null,
  ready: Promise<void> | undefined,
  hidden: boolean,
): DraftLine {
  const { userKey } = options;
  const { diagnostics } = home;
  const excluder = createExcluder(options.exclude, options.excludeDefaults, home.leftOut);
  const read = createRead(options.schemaVersion, options.migrate, excluder.strip);
  const text = createText(options, excluder, read, home.stamp());

  /** The engine that is told; what an earlier one asked for is nothing to it. */
  let turn = 0;
  /** Whose it is, and who is here. */
  let user = home.whose(userKey);
  let seen = user;
  /** As the engine was told. */
  let owned = NONE;
  let dead = false;
  let ended = false;
  let restored: RestoredDraft<T> | null = null;
  const flushes: Waiting = [];
  const restores: Waiting = [];
  const clears: Waiting = [];

  const tell: Tell = (what, a = 0, b = 0, c = NONE) => home.engine()?.draft(id, what, a, b, c);

  // ---------------------------------------------------------------- whose it is

  const numberOf = (who: Whose): number =>
    who === undefined ? PENDING : who === null ? NOBODYS : home.numberOf(who, userKey);

  function see(): void {
    const now = home.whose(userKey);
    if (now !== undefined) seen = now;
    if (typeof user === 'string' || seen === user) return;
    const wasUnknown = user === undefined;
    if (user === null) text.guests = text.edits;
    user = seen;
    if (wasUnknown && typeof user === 'string') device.buryAgain();
  }

  function look(again = false): void {
    see();
    const number = numberOf(seen);
    if ((again || number !== owned) && home.engine()) tell(OWNED, (owned = number));
  }

  /** What was typed before it was known who types is of the next one who is known. */
  const unknown = home.pending;
  const guest = (): string => `t:${home.tab()}`;
  const owner = (): string => (user === undefined ? unknown() : user === null ? guest() : `u:${user}`);
  const writes = (): string => (text.guests && text.guests === text.edits ? guest() : owner());
  const isAnothers = (): boolean => typeof user === 'string' && typeof seen === 'string' && seen !== user;

  const context: DraftContext = {
    home,
    id,
    key,
    options,
    endpoint,
    hidden,
    text,
    answerer() {
      const mine = turn;
      return (...words) => {
        if (mine === turn && !ended) tell(...words);
      };
    },
    owner,
    owners: () => [...new Set([unknown(), writes(), owner()])],
    writes,
    asker() {
      look();
      return typeof user === 'string' && seen === user ? user : undefined;
    },
  };
  const device = createDevice(context, read, ready, () => view.wrote(), hearCleared);
  const server = createServer(context, device);
  const view = createView<T>(context, device, server);
  const { getSnapshot } = view.state;

  // ---------------------------------------------------------------- clearing and restoring

  /** What the page held until then is done with. */
  function submit(stamp: number): void {
    text.submit(stamp);
    device.clearedAt = stamp;
    device.local = device.other = undefined;
    server.forget();
  }

  /** Unless somebody typed since, what the page holds is done with. */
  function hearCleared(tombstone: Tombstone): void {
    const { stamp, unheard } = tombstone;
    if (stamp <= device.clearedAt || !home.engine() || ended) return;
    const isNews = stamp > text.since;
    device.clearedAt = stamp;
    device.tombstone = tombstone;
    if (isNews) {
      device.lose(); // so that it is written again, if it is still wanted
      tell(CLEARED_ELSEWHERE);
      const { status } = getSnapshot();
      if (status === 'idle' || (view.conflict() !== BY_CLEARING && !text.isTyped())) submit(stamp);
    }
    if (unheard) tellUnheard(isNews && text.isTyped());
  }

  /** The server has to hear of a clear before anything else. A restore that is under way says so itself. */
  function tellUnheard(isVoid: boolean): void {
    if (device.isRead() && !restores.length) tell(LOADED, IS_UNHEARD + (isVoid ? IS_VOID : 0));
  }

  /** What was found is for whoever asked, and, unless somebody typed, what the page holds from now on. */
  function restore(source: number): void {
    const from = source === DEVICE ? device.local : source === SERVER ? server.theirs : undefined;
    const held = text.get();
    const typed = text.isTyped();
    const isKnown = text.edits > 0 && held !== undefined && from && text.isSame(held, from.text);
    restored =
      from && !isKnown
        ? { data: from.data as T, updatedAt: from.updatedAt, source: source === DEVICE ? 'device' : 'server' }
        : null;
    if (source === SERVER && from) {
      if (!typed) device.absorbLocal();
      server.take(typed, false);
      if (!typed) text.since = device.tombstone?.stamp ?? 0;
    } else if (from && typed) device.leaveLocal();
    else if (from) device.takeLocal();
    server.hush();
    if (restored && !hidden) {
      diagnostics.count('draftRestores');
      if (source === DEVICE && device.localIsDirty)
        home.notices.say('draftRestored', 'info', 'What you typed here before was kept');
    }
    settle(restores);
  }

  // ---------------------------------------------------------------- what the app does

  function rest(what: number, choice = 0): Promise<void> {
    look();
    home.start();
    const done = join(flushes);
    tell(what, choice);
    return done;
  }

  const draft: Draft<T> = {
    ...reading(view.state),
    key,
    update(data) {
      if (dead || ended) return diagnostics.emit('draftDisposed');
      look();
      text.give(data);
      home.start();
      tell(EDITED);
      if (!home.engine()) view.showStatus(DRAFT_DIRTY);
    },
    async flush() {
      if (!dead && !ended) await rest(FLUSH);
      return getSnapshot();
    },
    async restore() {
      if (dead || ended) return null;
      look();
      home.start();
      const done = join(restores);
      if (restores.length === 1) tell(RESTORE);
      await done;
      return restored;
    },
    async clear() {
      if (ended) return;
      if (dead) return home.clearLate(key, options);
      look();
      if (isAnothers()) return diagnostics.emit('draftOfAnother');
      home.start();
      const isUnderWay = clears.length > 0 && !text.isDirty();
      if (!isUnderWay) submit(home.stamp());
      const done = join(clears);
      if (!isUnderWay) tell(CLEAR);
      await done;
    },
    async resolve(choice) {
      if (dead || ended) return getSnapshot();
      const takes = choice === 'theirs';
      if (!takes && choice !== 'mine' && !(choice && 'merged' in Object(choice)))
        throw new TypeError("evenkeel: choice must be 'mine', 'theirs' or { merged }");
      look();
      if (view.conflict() >= 0 && !isAnothers()) {
        const code = view.conflict();
        const against = view.against();
        if (!takes) {
          if (typeof choice === 'object') text.give(choice.merged);
          // It is wanted, whatever was submitted.
          if (text.submitted) text.doubt();
          if (against) text.learn(against);
        } else if (!against) submit(device.clearedAt);
        else if (code === BY_SERVER) server.take(false, true);
        else text.take(against, true);
        text.since = Math.max(text.since, device.clearedAt);
        if (code === BY_OTHER) device.absorbOther();
      }
      await rest(RESOLVE, Number(takes));
      return getSnapshot();
    },
    dispose() {
      if (dead) return;
      dead = true;
      home.free(line);
      restored = null;
      tell(CLOSE);
      if (!home.engine()) settle(flushes);
      settle(restores);
    },
  };

  // ---------------------------------------------------------------- what the engine says

  /** By its numbers. */
  const tasks: Array<(a: number, b: number, lastWords: boolean) => unknown> = [
    device.load,
    server.read,
    device.write,
    server.send,
    device.bury,
    server.clear,
    restore,
    () => settle(flushes),
    () => settle(clears),
    () => {
      device.absorbLocal();
      device.drop();
      if (!text.submitted) submit(Math.max(text.since, device.clearedAt));
    },
    () => {
      settle(flushes);
      settle(clears);
      home.close(line);
    },
  ];

  const line: DraftLine = {
    id,
    key,
    draft: draft as Draft<unknown>,
    begin() {
      const engine = home.engine();
      if (!engine || ended) return;
      const { debounceMs, maxWaitMs } = options;
      const isSent = endpoint !== null && !home.isAbsent(endpoint);
      const edited = text.isDirty();
      turn++;
      see();
      owned = numberOf(seen);
      const carries = edited && !clears.length;
      engine.openDraft(id, debounceMs, maxWaitMs, isSent, owned, text.base, carries);
      if (clears.length) tell(CLEAR);
      else if (device.tombstone?.unheard && device.tombstone.stamp === device.buriedAt)
        tell(LOADED, IS_UNHEARD);
      if (edited && !carries) tell(EDITED);
      if (restores.length) tell(RESTORE);
      if (flushes.length) tell(FLUSH);
      if (dead) tell(CLOSE);
    },
    show(...shown) {
      if (!ended) view.show(...shown);
    },
    told(what, ...words) {
      if (!ended) tasks[what]!(...words);
    },
    owner,
    look,
    keep: device.keep,
    isLeft() {
      if (endpoint === null || typeof user !== 'string') return false;
      const isUnsaved = /^(dirty|saving|offline|frozen)$/.test(getSnapshot().status);
      const { tombstone } = device;
      return isUnsaved || (!!tombstone?.unheard && tombstone.stamp !== device.told);
    },
    checkCleared(whose) {
      if (context.owners().includes(whose)) device.checkCleared();
    },
    settled: device.settled,
    end() {
      device.keep();
      ended = true;
      settle(flushes);
      settle(restores);
      settle(clears);
    },
  };
  return line;
}
