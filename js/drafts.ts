/**
 * All drafts of one client: which there are, whose they are, what happens when the page goes, and what earlier pages left.
 */
import { checkDraft, type DraftSettings, type Settings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import { openDraft } from './draft.js';
import { createAlone } from './draft-alone.js';
import type { DraftHome, DraftLine, UserKey, Whose } from './draft-line.js';
import { createNothing } from './draft-off.js';
import { createDraftRequests } from './draft-requests.js';
import { createDraftStore } from './draft-store.js';
import { createTail } from './draft-tail.js';
import { createLeft, type User } from './drafts-left.js';
import type { Notices } from './notices.js';
import { isDevelopment, type Requests, uuid } from './request.js';
import type { Runtime } from './runtime.js';
import { atStorage } from './storage.js';
import { report } from './store.js';
import type { SessionKeeper } from './types.js';
import type { Draft, DraftOptions } from './types-drafts.js';
import { AHEAD_MS, NOBODYS } from './wire.js';

/** What the Rust side calls for drafts. */
export interface DraftHost {
  showDraft(draft: number, ...shown: Parameters<DraftLine['show']>): void;
  toldDraft(draft: number, ...words: Parameters<DraftLine['told']>): void;
}

/** Other tabs have so long to say what they have open. */
const WHO_MS = 300;
const OPEN_MAX = 1_000;
/** Whoever is more than that is on this device only: a `userKey` that is never the same twice names nobody. */
const USERS_MAX = 1_000;

/** So many paths are told of, each once. */
const ABSENT_MAX = 20;

/** FNV-1a, of 32 bits. */
function markOf(text: string): string {
  let mark = 0x811c9dc5;
  for (const one of text) mark = Math.imul(mark ^ one.codePointAt(0)!, 0x01000193);
  return (mark >>> 0).toString(36);
}

/** Keeps the drafts of one client. */
export function createDrafts(
  settings: Settings,
  requests: Requests,
  runtime: () => Runtime,
  session: SessionKeeper,
  notices: Notices,
  diagnostics: DiagnosticsLog,
) {
  const config = settings.drafts;
  const on = config && globalThis.document;
  const prefix = `evenkeel:1:${settings.name}:`;
  const mark = `${prefix}drafts`;
  const disposal = new AbortController();
  const { signal } = disposal;
  const lines = new Map<number, DraftLine>();
  /** By key, those that the app holds; and where drafts are off, what it holds in their place. */
  const held = new Map<string, DraftLine | { draft: Draft<unknown> }>();
  /** What is brought to the server for nobody who sees it. */
  const hidden = new Map<string, DraftLine>();
  /** The engine knows users by their place here. */
  const users: User[] = [];
  const absent = new Set<string>();
  let lastId = 0;
  let newest = 0;
  let listening = false;
  let begun = false;
  let gone = false;
  let warned = false;
  let threw = false;
  let tabId: string | undefined;
  let met: unknown;
  let latest: string | undefined;
  let channel: BroadcastChannel | undefined;
  let alone: ReturnType<typeof createAlone> | undefined;
  let late: ReturnType<typeof setTimeout> | undefined;
  const store = createDraftStore(settings.name);
  const tail = createTail(settings.name);

  const host: DraftHost = {
    showDraft: (id, ...shown) => lines.get(id)?.show(...shown),
    toldDraft: (id, ...words) => lines.get(id)?.told(...words),
  };

  // ---------------------------------------------------------------- whose they are

  function whose(userKey: UserKey): Whose {
    if (userKey) {
      let key: unknown = null;
      try {
        key = userKey();
      } catch (error) {
        if (!threw) report(error);
        threw = true;
      }
      return typeof key === 'string' && key ? key : null;
    }
    if (!settings.session) return null;
    const { status, userKey: key } = session.getSnapshot();
    if (status === 'loading' || (status === 'unknown' && key === null)) return undefined;
    return status === 'signedOut' ? null : key;
  }

  function numberOf(user: string, userKey: UserKey): number {
    meet(user);
    const known = users.findIndex(([one]) => one === user);
    if (known >= 0) return known;
    if (users.length >= USERS_MAX) return NOBODYS;
    users.push([user, userKey]);
    left.soon();
    return users.length - 1;
  }

  function look(again: boolean): void {
    for (const line of [...lines.values()]) line.look(again);
    const userKey = config ? config.userKey : undefined;
    const user = whose(userKey);
    if (user) numberOf(user, userKey);
    left.soon();
  }

  function tab(): string {
    const name = `${prefix}tab`;
    tabId ??= atStorage(() => sessionStorage.getItem(name)) ?? undefined;
    if (tabId === undefined) {
      const id = (tabId = uuid());
      atStorage(() => sessionStorage.setItem(name, id));
    }
    return tabId;
  }

  /** Whom this tab knew first, and whom last, by marks that tell them apart and name nobody. */
  function people(): [first?: string, last?: string] {
    met ??= atStorage(() => JSON.parse(sessionStorage.getItem(`${prefix}people`)!)) ?? [];
    return Array.isArray(met) ? (met as [string?, string?]) : [];
  }

  /** Each edit asks whose it is: nearly always theirs who was met last. */
  function meet(user: string): void {
    if (user === latest) return;
    latest = user;
    const [first, last] = people();
    const who = markOf(tab() + user);
    if (who === last) return;
    met = [first ?? who, who];
    atStorage(() => sessionStorage.setItem(`${prefix}people`, JSON.stringify(met)));
  }

  // ---------------------------------------------------------------- one of them

  function heardOf(stamp: number): void {
    if (stamp < Date.now() + AHEAD_MS) newest = Math.max(newest, stamp);
  }

  const home: DraftHome = {
    requests: createDraftRequests(settings, requests, signal),
    store,
    tail,
    notices,
    diagnostics,
    engine: () => runtime().engine() ?? alone,
    start() {
      runtime().start();
      if (runtime().failed()) goAlone();
      else if (!runtime().engine()) late ??= setTimeout(goAlone, settings.startTimeoutMs);
    },
    whose,
    numberOf,
    tab,
    pending() {
      const [first, last = ''] = people();
      return `t:${tab()}?${last === first ? '' : last}`;
    },
    stamp() {
      heardOf(Number(atStorage(() => localStorage.getItem(mark))));
      return (newest = Math.max(Date.now(), newest + 1));
    },
    heardOf,
    mark: () => atStorage(() => localStorage.setItem(mark, `${newest}`)),
    isGone: () => gone,
    isAbsent: (endpoint) => absent.has(endpoint),
    lacks(endpoint) {
      if (absent.has(endpoint) || absent.size >= ABSENT_MAX) return;
      absent.add(endpoint);
      diagnostics.emit('draftsAbsent', { url: endpoint });
    },
    tellCleared(owner, key, from) {
      for (const line of lines.values()) if (line.key === key && line.id !== from) line.checkCleared(owner);
      channel?.postMessage({ says: 'cleared', owner, key });
    },
    leftOut(name) {
      if (warned || !isDevelopment()) return;
      warned = true;
      console.warn(`evenkeel: drafts leave out '${name}' and the like; see exclude and excludeDefaults`);
    },
    free(line) {
      if (held.get(line.key) === line) held.delete(line.key);
    },
    close(line) {
      lines.delete(line.id);
      if (hidden.get(line.key) === line) hidden.delete(line.key);
      if (line.isLeft()) left.again(line);
    },
    async clearLate(key, options) {
      const { draft } = open(key, options, endpointOf(options.endpoint), true);
      const cleared = draft.clear();
      draft.dispose();
      await cleared;
    },
  };

  function endpointOf(endpoint: string | false): string | null {
    try {
      const { href } = requests.resolve(endpoint || '');
      return endpoint ? href : null;
    } catch {
      return null;
    }
  }

  function open(key: string, options: DraftSettings, endpoint: string | null, unseen: boolean): DraftLine {
    begin();
    const before = [...lines.values()].filter((line) => line.key === key).at(-1);
    const line = openDraft(home, ++lastId, key, options, endpoint, before?.settled(), unseen);
    lines.set(line.id, line);
    home.start();
    line.begin();
    return line;
  }

  // ---------------------------------------------------------------- the page

  /** Before the engine does: what it says of a page that goes is said of one that is known to go, and is kept. */
  function listen(): void {
    if (listening || !on) return;
    listening = true;
    const hear = (type: string, heard: () => void): void =>
      globalThis.addEventListener(type, heard, { capture: true, signal });
    const keep = (): void => {
      for (const line of lines.values()) line.keep();
    };
    hear('visibilitychange', () => (document.visibilityState === 'hidden' ? keep() : look(false)));
    hear('online', left.soon);
    hear('pagehide', () => {
      gone = true;
      keep();
      // An open one can keep the page out of the back/forward cache.
      channel?.close();
      channel = undefined;
    });
    hear('pageshow', () => {
      gone = false;
      if (begun) join();
    });
  }

  /** The first draft, or the first thing that an earlier page left. */
  function begin(): void {
    if (begun) return;
    begun = true;
    listen();
    join();
    watch();
    left.soon();
  }

  function join(): void {
    if (!settings.tabs || channel || !globalThis.BroadcastChannel) return;
    channel = atStorage(() => new BroadcastChannel(mark));
    if (!channel) return;
    channel.onmessage = ({ data }) => {
      // Anybody may say so. Of a clear what the device has is believed; and what is open elsewhere is left alone for a while.
      const { says, owner, key } = (data ?? {}) as Record<string, unknown>;
      if (typeof owner !== 'string') return;
      for (const line of lines.values()) {
        if (says === 'cleared' && line.key === key) line.checkCleared(owner);
        if (says === 'who' && line.owner() === owner)
          channel?.postMessage({ says: 'open', owner, key: line.key });
      }
      if (says === 'open' && typeof key === 'string' && elsewhere.size < OPEN_MAX) elsewhere.add(key);
    };
  }

  let watching = false;
  /** Who is signed in decides. */
  function watch(): void {
    if (watching) return;
    watching = true;
    const ends = [
      session.subscribe(() => look(session.getSnapshot().status === 'authenticated')),
      session.onSignedOut(async (reason) => {
        if (reason === 'expired' || !(await mayHold())) return;
        for (const [user] of users) {
          store.forgetClean(`u:${user}`).catch(() => {}); // what the server has, its owner may find again
          tail.forgetClean(`u:${user}`);
        }
      }),
    ];
    signal.addEventListener('abort', () => {
      for (const end of ends) end();
    });
    look(false);
  }

  // ---------------------------------------------------------------- what earlier pages left

  /** Whether there may be something. A browser that was killed has lost what was marked just before. */
  async function mayHold(): Promise<boolean> {
    if (atStorage(() => localStorage.getItem(mark))) return true;
    try {
      return (await indexedDB.databases()).some(({ name }) => `${name}:` === prefix);
    } catch {
      return false; // it is not there, or not allowed here
    }
  }

  /** What other tabs said that they have open, since they were asked. */
  let elsewhere = new Set<string>();

  const left = createLeft({
    store,
    tail,
    requests,
    signal,
    users,
    isHere: ([user, userKey]) => whose(userKey) === user,
    mayHold,
    isAbsent: home.isAbsent,
    async openElsewhere(owner) {
      join();
      elsewhere = new Set();
      channel?.postMessage({ says: 'who', owner });
      await new Promise((go) => setTimeout(go, WHO_MS));
      return elsewhere;
    },
    // That of another user may be held as well.
    isOpen: (owner, key) =>
      [...lines.values()].some((line) => {
        const its = line.owner();
        return line.key === key && (its === owner || its[0] !== 'u');
      }),
    open(key, options, endpoint) {
      const line = open(key, options, endpoint, true);
      hidden.set(key, line);
      return line;
    },
  });

  // ---------------------------------------------------------------- with and without an engine

  function goAlone(): void {
    if (alone || signal.aborted || runtime().engine()) return;
    alone = createAlone(host);
    for (const line of [...lines.values()]) line.begin();
  }

  return {
    draft<T>(key: string, options?: DraftOptions<T>): Draft<T> {
      const checked = checkDraft(key, options, config);
      let line = held.get(key);
      if (!line) {
        if (on && !signal.aborted) {
          hidden.get(key)?.draft.dispose();
          hidden.delete(key);
          line = open(key, checked, endpointOf(checked.endpoint), false);
        } else {
          const nothing = createNothing<unknown>(
            key,
            () => diagnostics.emit('draftNotKept'),
            () => held.delete(key),
          );
          line = { draft: nothing };
        }
        held.set(key, line);
      }
      return line.draft as Draft<T>;
    },
    host,
    /** The page is there: what was left on it may have an owner, and other tabs may leave something, that has to go with its owner. */
    begin(): void {
      if (on && settings.session && !signal.aborted) watch();
    },
    listen,
    ran(): void {
      clearTimeout(late);
      alone?.stop();
      alone = undefined;
      for (const line of [...lines.values()]) line.begin();
    },
    /** There will be no engine. */
    failed(): void {
      clearTimeout(late);
      if (lines.size) goAlone();
    },
    dispose(): void {
      if (signal.aborted) return;
      for (const line of lines.values()) line.end();
      disposal.abort();
      clearTimeout(late);
      left.stop();
      alone?.stop();
      channel?.close();
      channel = undefined; // what was cleared a moment ago is told by the device alone
      store.close();
    },
  };
}
