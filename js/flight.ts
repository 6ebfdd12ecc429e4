/**
 * A call on its way, and how it ends: what the engine's path and the plain one share.
 */
import type { Plan } from './request.js';
import type { ErrorKind } from './types.js';

/** How a call ended, before its body is parsed. */
export interface Outcome {
  /** null: well. */
  kind: ErrorKind | null;
  response: Response | null;
  bytes: Uint8Array | undefined;
  cause: unknown;
  attempts: number;
  retryAfterMs: number | null;
  shared: boolean;
  /** Several callers read copies of the body. */
  copied?: boolean | undefined;
}

/** One request on its way; the record of the call that began it. */
export interface Flight {
  plan: Plan;
  control: AbortController;
  /** The caller's, where it reads the body itself: such a body outlives its call. */
  signal: AbortSignal | undefined;
  /** Other callers read copies of the body. */
  copied?: boolean;
  response: Response | null;
  bytes: Uint8Array | undefined;
  cause: unknown;
}

/** A call, from its beginning to its outcome. */
export interface Call extends Flight {
  /** Why its caller aborted it. */
  reason: unknown;
  /** A body is being let go. */
  drains: boolean;
  /** It was let go. */
  drained: Promise<void>;
  notify: boolean;
  streams: boolean;
  settle(outcome: Outcome): void;
}

/** What is said of a response, without being its status. */
export const TELLS_OF_RESPONSE = /^(unauthenticated|authUnknown|forbidden|tooLarge|parse)$/;

/** A body that its caller reads ends with the caller's signal, and with its reason. */
export function bind({ signal, control, response }: Flight): void {
  if (!signal || !response?.body) return;
  // The signal may live as long as the page: it holds no controller, the body does.
  controllers.set(response.body, control);
  const held = new WeakRef(control);
  signal.addEventListener('abort', () => held.deref()?.abort(signal.reason), { once: true });
}
const controllers = new WeakMap<ReadableStream, AbortController>();

/** Ends a call for a reason that is no response's. */
export const endWithout = (call: Call, kind: ErrorKind, cause?: unknown): void =>
  call.settle({
    kind,
    response: null,
    bytes: undefined,
    cause,
    attempts: call.plan.sent,
    retryAfterMs: null,
    shared: false,
  });
