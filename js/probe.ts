/**
 * The probe: is the server back? Asked of the app's own endpoint, on behalf of the engine.
 */
import { drainBody } from './body.js';
import type { Settings } from './config.js';
import { sendOnce } from './endpoint.js';
import type { Requests } from './request.js';
import { CANNOT_TELL, NOTHING } from './wire.js';

interface Turn {
  control: AbortController;
  held: boolean;
}

/** A tab that waits this long for its turn to probe goes ahead: the one before it may hang. */
const TURN_MS = 60_000;

/** Asks for the status that the server answers with. */
export function createProbe({ name, api, session, version }: Settings, requests: Requests) {
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

  async function probe(signal: AbortSignal): Promise<number> {
    if (!probeUrl) return CANNOT_TELL;
    if (!(await takeTurn(signal))) return NOTHING;
    const stop = AbortSignal.any([signal, AbortSignal.timeout(api.timeoutMs)]);
    const response = await sendOnce(requests, stop, probeUrl);
    await drainBody(response, stop);
    return response.status;
  }

  return {
    probe,
    canProbe: Boolean(probeUrl),
    endTurn,
  };
}
