/**
 * The app's own endpoints, asked on behalf of the engine: is somebody signed in, is the server back?
 */
import { decode, drainBody, isHtml } from './body.js';
import type { Settings } from './config.js';
import { orAbort, type Requests } from './request.js';

/** The numbers of the Rust side: no answer or none that says anything; a clear answer that nobody is signed in; not asked. */
export const CANNOT_TELL = -1;
export const NOBODY = -2;
export const NOTHING = -3;

const SESSION = 0;

/** A number that stands for a user, without being a name: it is only ever compared. */
function standsFor(user: string): number {
  let hash = 0x811c9dc5;
  for (const char of user) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  return hash >>> 0;
}

interface Turn {
  control: AbortController;
  held: boolean;
}

/** A tab that waits this long for its turn to probe goes ahead: the one before it may hang. */
const TURN_MS = 60_000;

/** Asks one of them: the session for a user's number, the probe for a status. */
export function createAsk({ name, api, session, version }: Settings, requests: Requests) {
  const probeUrl = (version && version.endpoint) || (session && session.endpoint);
  let turn: Turn | undefined;

  /** The server is back, or nobody sees this tab: another one may probe. */
  function endTurn(): void {
    turn?.control.abort();
    turn = undefined;
  }

  /** Of all visible tabs one probes; the next has its turn when that one is done. Whether it is this tab's. */
  async function takeTurn(signal: AbortSignal): Promise<boolean> {
    const locks = globalThis.navigator?.locks;
    if (!locks) return true;
    if (turn) return turn.held;
    const control = new AbortController();
    const mine: Turn = { control, held: false };
    turn = mine;
    const stop = AbortSignal.any([signal, control.signal]);
    globalThis.document?.addEventListener('visibilitychange', endTurn, { signal: stop });
    globalThis.addEventListener('pagehide', endTurn, { signal: stop });
    await new Promise<void>((go) => {
      setTimeout(go, TURN_MS);
      const held = () => {
        go();
        return new Promise<void>((release) => stop.addEventListener('abort', () => release()));
      };
      locks.request(`${name}:probe`, { signal: stop }, held).catch(() => go());
    });
    mine.held = true;
    return !stop.aborted;
  }

  async function ask(question: number, signal: AbortSignal): Promise<number> {
    const url = question === SESSION ? session && session.endpoint : probeUrl;
    if (!url) return CANNOT_TELL;
    if (question !== SESSION && !(await takeTurn(signal))) return NOTHING;
    const stop = AbortSignal.any([signal, AbortSignal.timeout(api.timeoutMs)]);
    const plan = requests.plan('GET', url, undefined, {}, { cache: 'no-store' });
    plan.standing = plan.trusted ? await orAbort(stop, requests.standing()) : undefined;
    const response = await requests.send(plan, 1, stop);
    const [, bytes] = await drainBody(response, stop);
    return question === SESSION ? whoIs(response, bytes) : response.status;
  }

  function whoIs(response: Response, bytes: Uint8Array): number {
    const { status } = response;
    if (!session) return CANNOT_TELL;
    if (status === 401) return NOBODY;
    if (status !== 200 || isHtml(response)) return CANNOT_TELL;
    // Throws what is no JSON, and what the app's own functions throw: then nothing can be told either.
    const body: unknown = JSON.parse(decode(bytes));
    const found = session.parse ? session.parse(body) : isSession(body) ? body : null;
    if (!found) return body === null || session.parse || isEmpty(body) ? NOBODY : CANNOT_TELL;
    const user = session.identify ? session.identify(body) : defaultKey(body);
    return standsFor(`${user ?? ''}`);
  }

  return {
    ask,
    canProbe: Boolean(probeUrl),
    endTurn,
  };
}

type Body = { user?: { id?: unknown; sub?: unknown; email?: unknown } };

const isSession = (body: unknown): boolean => Boolean((body as Body | null)?.user);
const isEmpty = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && !Object.keys(body).length;
const defaultKey = (body: unknown): unknown => {
  const user = (body as Body).user;
  return user?.id ?? user?.sub ?? user?.email;
};
