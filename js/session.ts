/**
 * Who is signed in: what the app is shown and told of it, and what goes to the server and to other tabs. When to ask, whom to believe, and when
 * a session is over is the engine's to say.
 */
import { createAuthBridge } from './auth-bridge.js';
import type { Settings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import { StabilityError } from './errors.js';
import type { Notices } from './notices.js';
import { createPeople, readPerson } from './people.js';
import type { Requests } from './request.js';
import type { Runtime } from './runtime.js';
import { askSession, beside, type Found, readSession, type SessionSettings } from './session-request.js';
import { signOutAtServer } from './sign-out.js';
import { atStorage } from './storage.js';
import { createListeners, createStore, reading } from './store.js';
import { type Group, joinGroup, nameOf, type Word } from './tabs.js';
import type { SessionKeeper, SessionState, User } from './types.js';
import { join, settle, type Waiting } from './wait.js';
import {
  AHEAD_MS,
  ANSWERED,
  BY_SIGN_OUT,
  CANNOT_TELL,
  GROUP,
  IN,
  LOADING,
  NOBODY,
  NONE,
  NOTHING,
  NUDGED,
  OUT,
  SIGN_OUT,
  SIGNED_OUT,
  UNKNOWN,
  VERDICT,
  VERDICT_UNKNOWN,
  VERIFY,
  WORDS,
  WORDS_END,
} from './wire.js';

/** What the Rust side calls for the session. */
export interface SessionHost {
  showSession(status: number, user: number, leads: boolean): void;
  toldSession(what: number, a: number, b: number): void;
  postSession(turn: number, says: number, value: number, user: number, expires: number): void;
}

/** What it calls for the session's tabs. */
export interface GroupHost {
  lock(steal: boolean): void;
  unlock(): void;
  post(epoch: number, says: number, visible: boolean, value: number): void;
  left(): void;
}

// By the numbers of the Rust side.
const STATUS = ['loading', 'authenticated', 'signedOut', 'unknown'] as const;

/** Why it ended, and what a person is told who did not ask for it. */
const ENDS = [
  ['expired', 'warning', 'You were signed out. Please sign in again'],
  ['signOut'],
  ['otherTab', 'info', 'You signed out in another tab'],
] as const;

const stateOf = (code: number, person: Found, leads: boolean): SessionState => ({
  status: STATUS[code]!,
  user: (person?.user ?? null) as User | null,
  userKey: person?.key ?? null,
  expires: person?.expires ?? null,
  role: leads ? 'leader' : 'follower',
});

/** Keeps the session of one client. */
export function createSession(
  settings: Settings,
  requests: Requests,
  runtime: () => Runtime,
  notices: Notices,
  diagnostics: DiagnosticsLog,
) {
  const { api, tabs } = settings;
  const session = settings.session as SessionSettings;
  // Two of one name may keep sessions of two endpoints.
  const mark = `evenkeel:1:${settings.name}:session:${session && session.endpoint}`;
  const people = createPeople();
  const onEnd = createListeners<[reason: (typeof ENDS)[number][0]]>();
  const onSwitch = createListeners<[change: { from: string | null; to: string | null }]>();
  const disposal = new AbortController();
  const life = disposal.signal;

  let code = session ? LOADING : UNKNOWN;
  let shown = NONE;
  let leads = false;
  let lastVerifiedAt: number | null = null;
  /** What the mark said, or would say now. */
  let lived: boolean | undefined;
  let group: Group | undefined;
  /** The turn of the newest verdict. Without one, as 0, comes what a server rendered: it may have lain in a cache. */
  let newest = 1;
  let used = false;
  /** There is no engine, and it is not to be waited for. */
  let alone = false;
  let late: ReturnType<typeof setTimeout> | undefined;
  /** The question of a page without an engine. */
  let checking: AbortController | undefined;
  /** Those who want a verdict. */
  const waiting: Waiting = [];
  /** Somebody signs out; the server has been asked. */
  let leaving: Promise<void> | undefined;
  let asked = false;
  let left!: (error?: StabilityError) => void;

  if (session) begun(session.initialSession);
  const state = createStore(snapshot(), undefined, use);
  const bridge =
    session && session.bridgeNextAuth
      ? createAuthBridge(
          settings.name,
          () => beside(requests.resolve(session.endpoint), '').href,
          (out) => {
            // Who signs out here knows.
            if (!leaving && !(out && code === OUT)) tell(NUDGED);
          },
        )
      : undefined;

  const engine = () => runtime().engine();
  const tell = (what: number, a = 0, b = 0, c = 0): void => engine()?.session(what, a, b, c);

  // ---------------------------------------------------------------- how it stands

  /** Who the server rendered for. */
  function readRendered(body: unknown): Found {
    try {
      return session && body !== undefined ? readSession(session, body) : undefined;
    } catch {
      return undefined; // then it says nothing
    }
  }

  function begun(body: unknown): void {
    const found = readRendered(body);
    if (found) shown = people.meet(found, NONE);
    if (found !== undefined) code = found ? IN : OUT;
  }

  function snapshot(): SessionState {
    return stateOf(code, people.at(shown), leads);
  }

  function show(status = code, user = shown): void {
    // An engine that begins knows nothing yet; this page may.
    if (status !== LOADING) [code, shown] = [status, user];
    state.set(snapshot());
  }

  function shows(status: number, user: number): void {
    show(status, user);
    const { status: name, role } = state.getSnapshot();
    diagnostics.emit('session', { status: name, role });
  }

  const verified = (): void => void (lastVerifiedAt = Date.now());

  /** Where there is no storage, every visit is the first. */
  function hasLived(): boolean {
    lived ??= atStorage(() => localStorage.getItem(mark)) === '1';
    return lived;
  }

  function setMark(alive: boolean): void {
    lived = alive;
    atStorage(() => (alive ? localStorage.setItem(mark, '1') : localStorage.removeItem(mark)));
  }

  function end(why: number): void {
    const [reason, level, message] = ENDS[why]!;
    verified();
    show(OUT, NONE);
    diagnostics.emit('signedOut', { reason });
    onEnd.tell(reason);
    if (message) notices.say('signedOut', level, message);
  }

  function change(from: number, to: number): void {
    const keys = { from: people.at(from)?.key ?? null, to: people.at(to)?.key ?? null };
    show(IN, to);
    diagnostics.emit('accountChanged');
    onSwitch.tell(keys);
    notices.say('accountChanged', 'warning', 'You are signed in as somebody else now');
  }

  // ---------------------------------------------------------------- the server

  async function question(signal: AbortSignal): Promise<[found: Found, retryAfterMs: number]> {
    diagnostics.count('sessionRequests');
    const answer = await askSession(session, requests, signal);
    const [found] = answer;
    if (signal.aborted) return answer;
    diagnostics.emit('ping', { found: found ? 'user' : found === null ? 'nobody' : 'unknown' });
    if (found) verified();
    return answer;
  }

  /** Asks for the engine, and tells it. */
  async function ask(signal: AbortSignal): Promise<number> {
    if (leaving) return NOTHING;
    const [found, retryAfterMs] = await question(signal);
    if (signal.aborted) return NOTHING;
    const user = found ? people.meet(found, shown) : found === null ? NOBODY : CANNOT_TELL;
    tell(ANSWERED, user, found?.expires ?? NONE, retryAfterMs);
    show(); // the same person may have another name now, or more time
    return NOTHING;
  }

  /** Asks without an engine: once, so that nobody who was signed in is signed out. */
  async function check(): Promise<void> {
    if (checking) return;
    const control = new AbortController();
    checking = control;
    const [found] = await question(AbortSignal.any([control.signal, life]));
    if (checking !== control) return;
    checking = undefined;
    if (found) {
      if (!hasLived()) setMark(true);
      shows(IN, people.meet(found, shown));
    } else shows(found === null && !hasLived() && shown < 0 ? OUT : UNKNOWN, shown);
    settle(waiting);
  }

  /** Nothing is out that could revive the cookie. */
  async function leave(): Promise<void> {
    if (!leaving || asked) return;
    asked = true;
    const error = await signOutAtServer(session, api, requests, life);
    const done = left; // whoever hears of it may sign out once more
    leaving = undefined;
    asked = false;
    tell(SIGNED_OUT, +!error);
    if (!error && code !== OUT) {
      setMark(false);
      end(BY_SIGN_OUT);
      bridge?.tell();
    }
    done(error);
    if (alone && waiting.length) check();
  }

  // ---------------------------------------------------------------- with and without an engine

  /** The app wants to know. */
  function use(): void {
    if (!session || used || life.aborted) return;
    used = true;
    runtime().start();
    if (runtime().failed()) goAlone();
    else if (!engine()) late = setTimeout(goAlone, settings.startTimeoutMs);
  }

  function goAlone(): void {
    alone = true;
    if (leaving) leave();
    else if (waiting.length || code !== IN) check();
  }

  const keeper: SessionKeeper = {
    ...reading(state),
    get lastVerifiedAt() {
      return lastVerifiedAt;
    },
    async verify() {
      if (session && !life.aborted) {
        use();
        const told = join(waiting);
        tell(VERIFY);
        if (alone && !leaving) check();
        await told;
      }
      return state.getSnapshot();
    },
    async signOut() {
      if (!session) throw new StabilityError('invalid', { cause: new TypeError('evenkeel: session is off') });
      if (life.aborted) throw new StabilityError('aborted');
      use();
      if (!leaving) {
        leaving = new Promise((resolve, reject) => {
          left = (error) => (error ? reject(error) : resolve());
        });
        checking = checking?.abort() as undefined;
        tell(SIGN_OUT);
        if (alone) leave();
      }
      return leaving;
    },
    onSignedOut(listener) {
      use();
      return onEnd.add(listener);
    },
    onAccountChanged(listener) {
      use();
      return onSwitch.add(listener);
    },
  };

  // ---------------------------------------------------------------- other tabs

  function heard({ from, epoch, says, visible, value, load }: Word): void {
    if (says < WORDS) {
      engine()?.heard(GROUP, from, epoch, says, visible, value);
      return;
    }
    if (says > WORDS_END) return;
    const isNews =
      says === VERDICT && value < VERDICT_UNKNOWN && epoch >= newest && epoch < Date.now() + AHEAD_MS;
    if (isNews) {
      newest = epoch;
      verified();
    }
    const person = says === VERDICT ? readPerson(load) : undefined;
    const user = person ? people.meet(person, shown, isNews) : NONE;
    engine()?.sessionHeard(epoch, says, value, user, person?.expires ?? NONE);
    show();
  }

  /** What is told, by the numbers of the Rust side. */
  const told: Array<(a: number, b: number) => void> = [
    (verdict) => {
      if (verdict < VERDICT_UNKNOWN) verified();
      settle(waiting);
    },
    end,
    change,
    (alive) => setMark(alive > 0),
    leave,
    () => bridge?.tell(),
    (at) => diagnostics.emit('nextPing', { dueAt: at < 0 ? null : at }),
  ];

  return {
    keeper,
    /** The page is there. */
    begin: use,
    rendered(body: unknown): SessionState | undefined {
      const found = readRendered(body);
      return found === undefined ? found : stateOf(found ? IN : OUT, found, false);
    },
    welcome(body: unknown): void {
      if (code !== LOADING || engine()) return;
      begun(body);
      if (code !== LOADING) queueMicrotask(show); // who watches may be in the middle of a render
    },
    host: {
      showSession(status, user, leadsNow) {
        leads = leadsNow;
        shows(status, user);
      },
      toldSession: (what, a, b) => told[what]?.(a, b),
      postSession(turn, says, value, user, expires) {
        if (says === VERDICT && value < VERDICT_UNKNOWN) newest = Math.max(newest, turn);
        const person = people.at(user);
        const load = person && { ...person, expires: expires < 0 ? null : expires };
        const word = { epoch: turn, says, visible: false, value };
        try {
          group?.post({ ...word, load });
        } catch {
          // Functions cannot be sent, say. What is left of a person without them is better than nobody.
          group?.post({ ...word, load: JSON.parse(JSON.stringify(load)) });
        }
      },
    } satisfies SessionHost,
    group: {
      lock: (steal) => group?.lock(steal),
      unlock: () => group?.unlock(),
      post: (epoch, says, visible, value) => group?.post({ epoch, says, visible, value }),
      left: () => group?.leave(),
    } satisfies GroupHost,
    ask,
    /** Finds out whether tabs can meet; before the engine begins. */
    async prepare(): Promise<void> {
      if (!session || !tabs || group) return;
      const secret = async () =>
        JSON.stringify(['session', requests.resolve(session.endpoint).href, api.credentials]);
      const name = await nameOf(settings.name, secret).catch(() => undefined);
      if (!name || life.aborted) return;
      group = joinGroup(name, (held) => engine()?.locked(GROUP, held), heard);
    },
    /** What an engine begins with, in its order: also one that takes the place of another. */
    numbers(): number[] {
      const { activeMs, idleMs, idleAfterMs, stopAfterIdleMs } = session;
      // The next engine takes for granted what it begins with.
      if (code === UNKNOWN && shown >= 0) waiting.push(() => {});
      return [
        ...[activeMs, idleMs, idleAfterMs, stopAfterIdleMs === false ? NONE : stopAfterIdleMs],
        ...[+hasLived(), shown, people.at(shown)?.expires ?? NONE, group?.me ?? 0],
      ];
    },
    ran(): void {
      clearTimeout(late);
      alone = false;
      checking = checking?.abort() as undefined;
      bridge?.open();
      if (leaving) tell(SIGN_OUT);
      if (waiting.length) tell(VERIFY);
    },
    trapped: () => group?.leave(),
    /** There will be no engine. */
    failed(): void {
      clearTimeout(late);
      if (used) goAlone();
    },
    dispose(): void {
      disposal.abort();
      clearTimeout(late);
      bridge?.close();
      group?.leave();
      settle(waiting);
      if (leaving) left(new StabilityError('aborted'));
    },
  };
}
