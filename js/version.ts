/**
 * Version sync: what the engine decides about a new version is done here. Ask the endpoint, show, tell, reload.
 */
import { isChunkError, watchChunks } from './chunk-errors.js';
import type { Settings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import { exchange } from './endpoint.js';
import { nextTask } from './next-task.js';
import { APART_MS, type Notices } from './notices.js';
import { watchFields } from './presence.js';
import { cameBack, makeReady, recordVersions } from './reload.js';
import type { Requests } from './request.js';
import type { Runtime } from './runtime.js';
import { createStore, isolate, reading } from './store.js';
import type { VersionState, VersionSync } from './types-version.js';
import { createNames, isVersion, OWN, UNNAMED } from './version-names.js';
import { join, settle, type Waiting, withinMs } from './wait.js';
import {
  APPLY,
  CANNOT_TELL,
  CHECK,
  CHECKED,
  CHUNK_FAILED,
  DISMISS,
  HOLD,
  IGNORE,
  NOTHING,
  PREPARED,
  PROMPT,
  REFUSED,
  RELEASED,
  RELOAD,
  SEEN,
  UNRECORDED,
} from './wire.js';

/** What the Rust side calls for the version. */
export interface VersionHost {
  showVersion(status: number, latest: number, reason: number, blockedBy: number, dismissed: boolean): void;
  toldVersion(what: number, a: number, b: number): void;
}

// By the numbers of the Rust side.
const MODES = ['reload', 'prompt', 'ignore'];
const STATUS = ['current', 'updateAvailable', 'reloading', 'blocked'] as const;
const REASONS = ['mismatch', 'chunkError'] as const;
const BLOCKERS = ['drafts', 'requests', 'hold', 'loopGuard', 'storage'] as const;

/** A header that the endpoint contradicted is told again so often, for the engine to say when that is worth a question. */
const AGAIN_MS = 1_000;
/** A check without the engine, which has this bound itself. */
const CHECK_MS = 10_000;

/** Keeps a page in step with its server. */
export function createVersion(
  settings: Settings,
  requests: Requests,
  runtime: () => Runtime,
  notices: Notices,
  diagnostics: DiagnosticsLog,
) {
  const on = Boolean(settings.version);
  const config = (settings.version || {}) as Exclude<Settings['version'], false>;
  const { current = '', endpoint } = config;
  const initial: VersionState = {
    current,
    latest: null,
    status: 'current',
    reason: null,
    blockedBy: null,
    dismissed: false,
  };
  const start = (): Promise<void> | false => on && runtime().start();
  const store = createStore(initial, initial, () => void start());
  const { getSnapshot } = store;
  const disposal = new AbortController();
  const { signal } = disposal;
  let latest = -1;
  const names = createNames(current);

  /** The engine that runs has shown something. */
  let shown = false;
  /** It was told that somebody is in the middle of something. */
  let toldHeld = false;
  /** What the last response bore, and when the engine was told. */
  let seen = '';
  let seenAt = 0;
  let holds = 0;
  let guarded = 0;
  /** What happened before there was an engine. */
  let refused = false;
  let chunkFailed = false;
  /** The page was reloaded for another version, and is the old one still. */
  let isBack = false;
  const checks: Waiting = [];
  const applies: Waiting = [];
  /** Guarded imports that failed, until something changes. */
  const failures: Waiting = [];
  let checking = false;
  let noticed = -1;
  let saidAt = -Infinity;
  let soon: ReturnType<typeof setTimeout> | undefined;
  /** Chunk errors that were acted on: some are heard of twice. */
  const counted = new WeakSet<object>();

  /** Whether there is an engine to tell. */
  function tell(what: number, a = 0, b = 0): boolean {
    const engine = runtime().engine();
    if (on) engine?.version(what, a, b);
    return Boolean(engine);
  }

  /** What the app wants of a version. */
  function modeOf(number: number): number {
    if (number <= OWN) return RELOAD;
    const { onMismatch } = config;
    let wanted: string | undefined;
    isolate(() => {
      wanted = typeof onMismatch === 'function' ? onMismatch(names.nameOf(number)) : onMismatch;
    });
    const mode = MODES.indexOf(wanted!);
    return mode < 0 ? PROMPT : mode;
  }

  /** Whether somebody is in the middle of something. */
  let isHeld = (): boolean => false;

  /** The page is there: what is edited, or fails, before the engine runs is not heard of otherwise. */
  function begin(): void {
    if (!on || !globalThis.document) return;
    const isOwn = (url: URL): boolean =>
      requests.isTrusted(url) || config.trustedOrigins.includes(url.origin);
    // What a guarded import resolves to is handed on, and must not be nothing.
    const settled = (): boolean => !guarded && comes(true);
    if (config.recoverChunkErrors) watchChunks(signal, isOwn, (error) => fail(error, true), settled);
    isHeld = watchFields(signal, () => {
      if (toldHeld) tell(RELEASED);
      toldHeld = false;
    });
  }

  // ---------------------------------------------------------------- what is seen, and asked

  function saw(version: string | null, status: number): void {
    if (isVersion(version) && (version !== seen || isOpen(version))) {
      seen = version;
      seenAt = Date.now();
      tellSeen();
    }
    if (status === 426) refused = !tell(REFUSED, 0, modeOf(UNNAMED));
  }

  /** Neither this page's version nor what is known to be the latest. */
  const isOpen = (version: string): boolean =>
    version !== current && Math.abs(Date.now() - seenAt) >= AGAIN_MS && names.numberOf(version) !== latest;

  function tellSeen(): void {
    if (!seen) return;
    const number = names.numberOf(seen);
    // The page's own is news only where it contradicts what was seen before.
    if (number !== OWN || (!endpoint && latest > OWN)) tell(SEEN, number, modeOf(number));
  }

  /** Asks the endpoint, or where there is none, what was seen last. A number, or CANNOT_TELL. */
  async function look(stop: AbortSignal): Promise<number> {
    if (!endpoint) return seen ? names.numberOf(seen) : CANNOT_TELL;
    diagnostics.count('versionChecks');
    let found = CANNOT_TELL;
    try {
      const [{ status, headers }, body] = await exchange(requests, stop, endpoint);
      if (status === 426) found = names.numberOf(headers.get(config.header)) || UNNAMED;
      else if (status === 200 && isVersion(body?.version)) found = names.numberOf(body.version);
    } catch {} // then nothing can be told
    if (stop.aborted) return CANNOT_TELL;
    diagnostics.emit('check', { of: 'version', found: names.nameOf(found) || null });
    return found;
  }

  async function ask(stop: AbortSignal): Promise<number> {
    const found = await look(stop);
    if (!stop.aborted) tell(CHECKED, found, modeOf(found));
    return NOTHING;
  }

  async function check(): Promise<VersionState> {
    await answerTo(CHECK);
    return getSnapshot();
  }

  /** Tells the engine what makes it check, and waits until it has. */
  async function answerTo(what: number): Promise<void> {
    if (!on || signal.aborted) return;
    const checked = join(checks);
    if (!tell(what)) {
      chunkFailed ||= what === CHUNK_FAILED;
      // An engine that comes late is told by `ran`, and one that comes too late is not waited for.
      withinMs(settings.startTimeoutMs, runtime().start()).catch(() => {
        if (checks.length && !runtime().engine()) checkPlainly();
      });
    }
    await checked;
  }

  /** Without the engine. */
  function checkPlainly(): void {
    if (checking) return;
    checking = true;
    look(AbortSignal.any([signal, AbortSignal.timeout(CHECK_MS)])).then((found) => {
      checking = false;
      if (runtime().engine()) return; // it came meanwhile, and checks
      if (found !== CANNOT_TELL) showPlainly(found);
      settle(checks);
    });
  }

  // ---------------------------------------------------------------- what is shown

  function show(
    ...[status, number, reason, blockedBy, dismissed]: Parameters<VersionHost['showVersion']>
  ): void {
    if (signal.aborted) return;
    latest = number;
    const next: VersionState = {
      current,
      latest: names.nameOf(number) || null,
      status: STATUS[status]!,
      reason: REASONS[reason] ?? null,
      blockedBy: BLOCKERS[blockedBy] ?? null,
      dismissed,
    };
    diagnostics.emit('version', { ...next });
    store.set(next);
    if (number <= OWN) settle(applies); // there is nothing newer any more
    settle(failures);
  }

  /** Nobody reloads by itself without the engine, so the person is asked. */
  function showPlainly(number: number): void {
    const dismissed = number === latest && getSnapshot().dismissed;
    const isNewer = number > OWN && modeOf(number) !== IGNORE;
    show(+isNewer, number, isNewer ? 0 : -1, -1, dismissed);
    if (isNewer && runtime().failed() && !dismissed && noticed !== number) notice();
  }

  function notice(): void {
    noticed = latest;
    clearTimeout(soon);
    // A version that comes sooner than it may be told must not be lost.
    const wait = saidAt + APART_MS - Date.now();
    if (wait > 0 && wait <= APART_MS) {
      soon = setTimeout(() => {
        const { status, dismissed } = getSnapshot();
        if (status !== 'current' && !dismissed) notice();
      }, wait);
      return;
    }
    notices.say('updateAvailable', 'info', 'A new version is available. Please reload when you are ready');
    saidAt = Date.now();
  }

  // ---------------------------------------------------------------- the reload

  async function prepare(asked: boolean): Promise<void> {
    const engine = runtime().engine();
    await nextTask(); // what ended in this one is heard of by the page first
    const held = (toldHeld = !asked && isHeld());
    if (!held) await makeReady(config.beforeReload, config.flushTimeoutMs);
    if (engine === runtime().engine()) tell(PREPARED, held ? 0 : 1);
  }

  function reload(number: number, anyway: boolean): void {
    if (signal.aborted) return;
    const version = names.nameOf(number);
    // That of this page counts as used until now.
    if (!recordVersions(settings.name, current, version) && !anyway) {
      tell(UNRECORDED);
      return;
    }
    diagnostics.count('reloads');
    diagnostics.emit('reload', { version });
    isolate(config.reload ?? (() => location.reload()));
    settle(applies);
  }

  /** Without the engine: the person wants it. */
  async function applyPlainly(): Promise<void> {
    await makeReady(config.beforeReload, config.flushTimeoutMs);
    reload(latest, true);
  }

  // ---------------------------------------------------------------- chunk errors

  /** Ends with the check that it leads to. `once`: unless it was heard of already. */
  async function fail(error: unknown, once = false): Promise<void> {
    if (error instanceof Object) {
      if (once && counted.has(error)) return;
      counted.add(error);
    }
    diagnostics.count('chunkErrors');
    await answerTo(CHUNK_FAILED);
  }

  /** Whether a reload is on its way, or the person was asked, unless `unasked`. */
  function comes(unasked: boolean): boolean {
    const { status, blockedBy, dismissed } = getSnapshot();
    if (signal.aborted || runtime().failed()) return false;
    if (status === 'updateAvailable') return modeOf(latest) === RELOAD || !(unasked || dismissed);
    return status === 'reloading' || /drafts|requests|hold/.test(blockedBy ?? '');
  }

  async function guard<T>(load: () => Promise<T>): Promise<T> {
    let cause: unknown;
    start();
    guarded++;
    try {
      return await load();
    } catch (error) {
      cause = error;
    } finally {
      guarded--;
    }
    if (isChunkError(cause)) {
      const checked = fail(cause);
      if (!comes(false)) await checked;
      while (comes(false)) await join(failures);
    }
    throw cause;
  }

  // ---------------------------------------------------------------- what the page sees

  const sync: VersionSync = {
    ...reading(store),
    check,
    async applyUpdate() {
      const known = latest > OWN;
      // An engine that knows of nothing yet has to hear of it first.
      if (!known || (!shown && runtime().engine())) await check();
      if (!known || latest <= OWN || signal.aborted) return;
      const applied = join(applies);
      if ((!shown || !tell(APPLY)) && applies.length === 1) applyPlainly();
      return applied;
    },
    dismiss() {
      start();
      const now = getSnapshot();
      if (!tell(DISMISS) && now.status !== 'current') store.set({ ...now, dismissed: true });
      settle(failures);
    },
    hold() {
      let held = true;
      start();
      if (!holds++) tell(HOLD, 1);
      return () => {
        if (held && !--holds) tell(HOLD, 0);
        held = false;
      };
    },
    guard,
    reportChunkError(error) {
      if (isChunkError(error)) fail(error);
    },
  };

  function checked(): void {
    // The engine before this one may have known of something; this one found nothing.
    if (!shown && latest >= OWN) show(0, -1, -1, -1, false);
    settle(checks);
  }

  /** What the engine tells, by its numbers. */
  const told: Array<(a: number, b: number) => unknown> = [
    checked,
    notice,
    (asked) => prepare(asked === 1),
    (number, anyway) => reload(number, anyway === 1),
  ];

  return {
    sync,
    host: {
      showVersion(...state) {
        shown = true;
        show(...state);
      },
      toldVersion: (what, a, b) => void told[what]!(a, b),
    } satisfies VersionHost,
    begin,
    ask,
    saw,
    /** What the engine is started with. */
    numbers(): number[] {
      const { pollMs, idleMs, spreadMs, loopGuardMs, flushTimeoutMs } = config;
      isBack = cameBack(settings.name, current);
      const used = recordVersions(settings.name, current);
      return [
        +Boolean(endpoint),
        pollMs === false ? -1 : pollMs,
        ...[idleMs, spreadMs, loopGuardMs, flushTimeoutMs],
        used ? used.length : -1,
        ...(used ?? []).flatMap(([version, at]) => [names.numberOf(version), at]),
      ];
    },
    /** How often the engine wants to hear that somebody is active: more exactly while it waits for a pause. */
    paceMs: (): number => (getSnapshot().status === 'current' ? 1_000 : 100),
    /** The engine runs, for the first time or again. */
    ran(): void {
      if (holds) tell(HOLD, 1);
      tellSeen();
      if (refused) refused = !tell(REFUSED, 0, modeOf(UNNAMED));
      if (chunkFailed) chunkFailed = !tell(CHUNK_FAILED);
      if (isBack || checks.length || latest > OWN) tell(CHECK);
    },
    /** The module trapped: what it had decided is lost, and what the person wanted is done without it. */
    trapped(): void {
      shown = toldHeld = false;
      if (applies.length) applyPlainly();
    },
    /** There will be no engine. */
    failed(): void {
      if (latest > OWN) showPlainly(latest);
      if (checks.length) checkPlainly();
      settle(failures);
    },
    dispose(): void {
      disposal.abort();
      clearTimeout(soon);
      settle(checks);
      settle(applies);
      settle(failures);
    },
  };
}
