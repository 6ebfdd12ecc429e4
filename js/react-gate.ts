/**
 * A page that comes back from the back/forward cache shows what it showed when it was left, to whoever sits there now. What is protected is hidden as
 * it is left, and shown again once the session was verified.
 */
import { createListeners } from './store.js';
import type { SessionState, Store } from './types.js';

/** Somebody is signed in; or was, when it could last be told. */
export function isConfirmed(state: SessionState): boolean {
  const { status } = state;
  if (status !== 'unknown') return status === 'authenticated';
  return state.user !== null || state.userKey !== null || state.expires !== null;
}

const isKnown = ({ status }: SessionState): boolean => status === 'authenticated' || status === 'signedOut';

/** While it cannot be verified it is tried again, ever more rarely. */
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 60_000;

/** Marks what `RequireSession` hides. */
export const PROTECTED = 'data-evenkeel-protected';

/** What components put elsewhere on the page, as dialogs are, is beside the app, and hidden with it. Returns what shows it again. */
function hideBeside(): () => void {
  if (!document.querySelector(`[${PROTECTED}]`)) return () => {};
  const beside = [...document.body.children].filter(
    (element): element is HTMLElement =>
      element instanceof HTMLElement &&
      element.style.display !== 'none' &&
      !element.matches(`[${PROTECTED}]`) &&
      !element.querySelector(`[${PROTECTED}]`),
  );
  const before = beside.map(({ style }) => style.display);
  for (const { style } of beside) style.setProperty('display', 'none', 'important');
  return () => {
    for (const [at, { style }] of beside.entries()) style.display = before[at]!;
  };
}

/** A store that holds true while nothing must be seen, and what watches the page for it. */
export function createGate(session: Store<SessionState>, ask: () => Promise<SessionState>) {
  const listeners = createListeners<[]>();
  let isShut = false;
  let turn = 0;
  let showBeside: (() => void) | undefined;
  let goOn = (): void => {};

  function set(shut: boolean): void {
    turn++;
    goOn();
    goOn = () => {};
    if (isShut === shut) return;
    isShut = shut;
    showBeside?.();
    showBeside = shut ? hideBeside() : undefined;
    listeners.tell();
  }

  /** Settles after that time, or when it is worth another look. */
  function pause(ms: number): Promise<void> {
    return new Promise((done) => {
      goOn = () => {
        clearTimeout(late);
        unwatch();
        removeEventListener('online', goOn);
        done();
      };
      const late = setTimeout(goOn, ms);
      const unwatch = session.subscribe(() => isKnown(session.getSnapshot()) && goOn());
      addEventListener('online', goOn);
    });
  }

  /** Until it is known who is here. */
  async function verify(): Promise<void> {
    const mine = turn;
    for (let pauseMs = PAUSE_MS; mine === turn; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
      const state = await ask();
      if (mine !== turn) return;
      if (isKnown(state)) return set(false);
      await pause(pauseMs);
    }
  }

  const store: Store<boolean> = {
    getSnapshot: () => isShut,
    getServerSnapshot: () => false,
    subscribe: listeners.add,
  };
  return {
    ...store,
    /** Returns what ends it. */
    watch(): () => void {
      const control = new AbortController();
      const { signal } = control;
      const hide = ({ persisted }: PageTransitionEvent): void => {
        if (persisted && isConfirmed(session.getSnapshot())) set(true);
      };
      addEventListener('pagehide', hide, { signal });
      addEventListener('pageshow', ({ persisted }) => void (persisted && isShut && verify()), { signal });
      // Whoever hears of it goes too.
      return () => {
        control.abort();
        turn++;
        goOn();
        showBeside?.();
      };
    },
  };
}
