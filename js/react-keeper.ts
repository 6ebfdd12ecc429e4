/**
 * What is between a component and its draft: what is an edit and what is not, and what becomes of what is restored.
 */
import { createExcluder } from './draft-fields.js';
import { IDLE } from './draft-off.js';
import { createListeners, isolate } from './store.js';
import type { Draft, DraftOptions, DraftState, SessionState, Stability, Store } from './types.js';
import type { AutoSave, AutoSaveOptions } from './types-react.js';

/** A composition that has not ended by then is not waited for. */
const COMPOSES_MS = 30_000;

/** The draft of one component. */
export interface Keeper<T> {
  state: Store<DraftState<T>>;
  methods: Pick<AutoSave<T>, 'clearDraft' | 'restoreDraft' | 'flush' | 'resolve'>;
  /** Opens it, and restores. Returns what closes it. */
  open(): () => void;
  /** What the component holds now. */
  give(data: T): void;
  /** The component is there. Returns what says that it is not. */
  mount(): () => void;
}

/** One component that holds a draft. */
interface Holder {
  isMounted: boolean;
  now(): unknown;
}

/** A draft, who holds it, and whose it is. */
interface Entry {
  draft: Draft<unknown>;
  holders: Set<Holder>;
  owner: string | null;
}

const entries = new WeakMap<Stability, Map<string, Entry>>();

/**
 * Takes hold of a draft. A component that takes the place of another one begins with a draft of its own, since what that one held is not on the
 * page any more; and so does another person.
 */
function hold(
  client: Stability,
  key: string,
  owner: string | null,
  holder: Holder,
  open: () => Draft<unknown>,
): Entry {
  let drafts = entries.get(client);
  if (!drafts) entries.set(client, (drafts = new Map()));
  let entry = drafts.get(key);
  const isLive = entry && [...entry.holders].some(({ isMounted }) => isMounted);
  const isAnothers = owner && entry?.owner && entry.owner !== owner;
  if (entry && (!isLive || isAnothers)) {
    entry.draft.dispose();
    entry = undefined;
  }
  entry ??= { draft: open(), holders: new Set(), owner };
  entry.owner ??= owner;
  drafts.set(key, entry);
  entry.holders.add(holder);
  return entry;
}

/** The last one who lets go of it disposes of it, and what is pending is saved. */
function letGo(client: Stability, key: string, entry: Entry, holder: Holder): void {
  entry.holders.delete(holder);
  if (entry.holders.size) return;
  const drafts = entries.get(client);
  if (drafts?.get(key) === entry) drafts.delete(key);
  entry.draft.dispose();
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Text = string | undefined;

/** What two of are compared by: an app may change in place what it holds. What cannot be written is never another one. */
function textBy(write: (data: unknown) => Text): (data: unknown) => Text {
  return (data) => {
    try {
      return write(data);
    } catch (error) {
      return `${error}`;
    }
  };
}

const textOf = textBy(JSON.stringify);

function parse(text: Text): unknown {
  try {
    return JSON.parse(text!);
  } catch {
    return undefined;
  }
}

/** What is kept of data, as a draft keeps it. */
type Saved = (data: unknown) => Text;

/** What was restored, and in it, as they are held, the fields that are kept nowhere. */
function withSecrets(held: unknown, kept: unknown, restored: unknown): unknown {
  if (!isPlain(held) || !isPlain(kept) || !isPlain(restored)) return restored;
  const all = new Map(Object.entries(restored));
  for (const [name, value] of Object.entries(held)) {
    const isKept = Object.hasOwn(kept, name);
    if (isKept && all.has(name)) all.set(name, withSecrets(value, kept[name], all.get(name)));
    if (!isKept && !all.has(name)) all.set(name, value);
  }
  return Object.fromEntries(all);
}

/** The fields of `data` that differ from what they were. */
function changedSince(before: Text, data: Record<string, unknown>, savedOf: Saved): Record<string, unknown> {
  const was = (parse(before) ?? {}) as Record<string, unknown>;
  const is = (parse(savedOf(data)) ?? {}) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(data).filter(([name]) => textOf(is[name]) !== textOf(was[name])));
}

/** What was restored, but for what was changed meanwhile. Undefined: nothing of it. */
function merge<T>(base: Text, held: T, restored: T, savedOf: Saved): T | undefined {
  const text = savedOf(held);
  const data = withSecrets(held, parse(text), restored) as T;
  if (text === base) return data;
  if (isPlain(held) && isPlain(data)) return { ...data, ...changedSince(base, held, savedOf) };
  return undefined;
}

/** No field was changed on both sides. */
function isClean(base: Text, held: unknown, restored: unknown, savedOf: Saved): boolean {
  if (!isPlain(held) || !isPlain(restored)) return false;
  const theirs = changedSince(base, restored, savedOf);
  return Object.entries(changedSince(base, held, savedOf)).every(
    ([name, value]) => !Object.hasOwn(theirs, name) || textOf(value) === textOf(theirs[name]),
  );
}

/** Watches for compositions. The function that it returns settles when none is on, and ends the watching. */
function watchComposing(): () => Promise<void> {
  const control = new AbortController();
  let isOn = false;
  let over: (() => void) | undefined;
  const hear = (type: string, on: boolean): void =>
    addEventListener(
      type,
      () => {
        isOn = on;
        if (!on) over?.();
      },
      { capture: true, signal: control.signal },
    );
  hear('compositionstart', true);
  hear('compositionend', false);
  return async () => {
    let late: ReturnType<typeof setTimeout> | undefined;
    if (isOn)
      await new Promise<void>((done) => {
        over = () => setTimeout(done); // its last input comes after it
        late = setTimeout(done, COMPOSES_MS);
      });
    clearTimeout(late);
    control.abort();
  };
}

/**
 * Keeps what one component holds under one key.
 *
 * @param session who is here.
 * @param options the newest ones.
 * @param initial what it is no edit to hold: what there was before anybody changed anything, and more.
 * @param now what it holds now.
 * @param apply shows it what it should hold.
 */
export function createKeeper<T>(
  client: Stability,
  session: Store<SessionState>,
  key: string,
  options: () => AutoSaveOptions<T>,
  initial: () => T[],
  now: () => T,
  apply: (data: T) => void,
): Keeper<T> {
  const listeners = createListeners<[]>();
  const holder: Holder = { isMounted: false, now };
  const { exclude = [], excludeDefaults = true } = options();
  // What is wrong with them is told as the draft is opened, and not from a render.
  const names = [exclude].flat().filter((name) => typeof name === 'string');
  const savedOf = textBy(createExcluder(names, excludeDefaults).textOf);
  let entry: Entry | undefined;
  /** Once let go it is still there to be cleared. */
  let draft: Draft<T> | undefined;
  let owner: string | null = null;
  let isTyped = false;
  /** What restored data is merged against, what was held last, and what is no edit to hold next: as what there was at first, and what was offered. */
  let base: Text;
  let last: Text;
  let first: Text;
  let offered: Text;
  const spare = new Set<Text>();
  /** What was submitted. */
  let cleared: Text;
  /** What somebody else left here is not this person's. */
  let foreign: Text;

  /** Of the options those that a draft has; its functions are the newest ones. */
  function settings(): DraftOptions<T> {
    const { enabled, onRestore, ...given } = options();
    for (const name of ['migrate', 'isEqual', 'userKey'] as const)
      if (given[name])
        Reflect.set(given, name, (...args: unknown[]) => Reflect.apply(options()[name]!, undefined, args));
    return given;
  }

  function show(data: T): void {
    isolate(() => apply(data));
    give(now()); // a form has it by now
  }

  /** The app may show it at once, later, or not at all. What a form shows by then, as far as it can, is no edit. */
  function offer(data: T): void {
    spare.add((offered = savedOf(data)));
    isolate(() => apply(data));
    const shown = savedOf(now());
    if (shown !== last) spare.add((offered = shown));
    give(now());
  }

  const heldBy = (one: Holder = holder): T => parse(savedOf(one.now())) as T;

  async function restore(): Promise<void> {
    const mine = draft!;
    const composed = watchComposing();
    const found = await mine.restore();
    await composed();
    if (!entry || draft !== mine || !holder.isMounted) return;
    const held = now();
    give(held);
    // What another component typed under this key is restored to nobody: it is held already.
    const beside = [...entry.holders].find((one) => one !== holder && one.isMounted);
    const data = merge(base, held, found ? found.data : heldBy(beside), savedOf);
    if (data === undefined || (!found && savedOf(data) === savedOf(held))) return;
    if (!isTyped) return offer(data);
    const { conflict } = mine.getSnapshot();
    if (conflict?.theirs && isClean(base, held, conflict.theirs, savedOf)) {
      mine.resolve({ merged: data });
      offer(data);
    } else if (savedOf(data) !== savedOf(held)) show(data);
  }

  function give(data: T): void {
    const text = savedOf(data);
    if (!entry || text === last) return;
    const before = last;
    last = text;
    const isSpare = spare.has(text);
    if (!isSpare || text === offered) spare.clear();
    if (isSpare) return;
    isTyped = true;
    // An empty form came between: what was submitted may be typed anew.
    if (cleared !== undefined && before !== cleared) draft!.update(parse(before) as T);
    cleared = undefined;
    draft!.update(
      foreign !== undefined && isPlain(data) ? (changedSince(foreign, data, savedOf) as T) : data,
    );
  }

  /** Takes hold of the draft, and returns what lets it go. */
  function take(): () => void {
    owner = session.getSnapshot().userKey ?? owner;
    const open = (): Draft<unknown> => client.draft(key, settings()) as Draft<unknown>;
    const mine = hold(client, key, owner, holder, open);
    draft = mine.draft as Draft<T>;
    entry = mine;
    const end = draft.subscribe(listeners.tell);
    listeners.tell();
    give(now()); // what was changed before, or meanwhile
    restore();
    return () => {
      end();
      entry = undefined;
      letGo(client, key, mine, holder);
      listeners.tell();
    };
  }

  return {
    state: {
      subscribe: listeners.add,
      getSnapshot: () => (entry ? draft!.getSnapshot() : IDLE),
      getServerSnapshot: () => IDLE,
    },
    methods: {
      async clearDraft() {
        spare.clear();
        spare.add(first);
        cleared = last;
        await draft?.clear();
      },
      restoreDraft: async () => (entry && (await draft!.restore())?.data) ?? null,
      async flush() {
        if (!entry) return;
        give(now());
        await draft!.flush();
      },
      async resolve(choice) {
        if (!entry) return;
        const { conflict } = draft!.getSnapshot();
        const resolved = draft!.resolve(choice);
        const taken = choice === 'theirs' ? conflict?.theirs : Object(choice).merged;
        spare.clear();
        if (conflict && taken === null) spare.add(first);
        else if (conflict && taken !== undefined)
          offer(withSecrets(now(), parse(savedOf(now())), taken) as T);
        await resolved;
      },
    },
    mount() {
      holder.isMounted = true;
      return () => {
        holder.isMounted = false;
      };
    },
    open() {
      // Opened again it goes on from what it held.
      if (first === undefined) {
        const texts = initial().map(savedOf);
        first = last = texts[0];
        for (const text of texts) spare.add(text);
      }
      base = last;
      let release = take();
      const unwatch = session.subscribe(() => {
        const { userKey } = session.getSnapshot();
        if (!userKey || userKey === owner || options().userKey) return;
        if (owner) {
          release();
          isTyped = false;
          base = last = foreign = savedOf(now());
          spare.clear();
          release = take();
        }
        entry!.owner = owner = userKey;
      });
      return () => {
        unwatch();
        release();
      };
    },
    give,
  };
}
