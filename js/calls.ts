/**
 * Calls: each goes through the engine, or through one plain fetch where there is no engine. Both end in the same outcome.
 */
import { drainBody, readBody } from './body.js';
import type { Settings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import { KINDS, kindOfStatus, type StabilityError } from './errors.js';
import { bind, type Call, endWithout, type Flight, type Outcome, TELLS_OF_RESPONSE } from './flight.js';
import type { Notices } from './notices.js';
import { plain } from './plain.js';
import { isPromise, type Plan, type Requests, Unsendable } from './request.js';
import type { Runtime } from './runtime.js';
import type { ErrorKind, RequestOptions } from './types.js';
import { LATE, withinMs } from './wait.js';
import {
  BROKEN,
  CANNOT_TELL,
  IDEMPOTENT,
  NOTHING,
  PROBE,
  REPLAYABLE,
  STREAMS,
  TRUSTED,
  WANTS_DATA,
  WRITES,
} from './wire.js';

/** What the Rust side calls for requests. */
export interface CallHost {
  readonly life: AbortSignal;
  send(flight: number, attempt: number): Promise<Response | null | undefined>;
  read(flight: number, attempt: number): Promise<number>;
  drain(flight: number): void;
  cancel(flight: number): void;
  settle(call: number, flight: number, end: number, retryAfterMs: number, shared: boolean): void;
  done(flight: number): void;
  retry(flight: number, waitMs: number): void;
  retrying(flight: number): void;
  breaker(flight: number, wholeOrigin: boolean, state: number): void;
  ask(question: number): Promise<number>;
  hush(question: number): void;
  connection(status: number, since: number): void;
  queued(calls: number): void;
}

/** What a caller wants of its call. */
export interface Ask {
  options: RequestOptions;
  /** The caller reads the body. */
  streams: boolean;
  /** HTML is not what was asked for. */
  wantsData: boolean;
  /** What may share a request with an equal one; empty: nothing. */
  share: string;
}

/** What the Rust side reads of a call too. */
const PRIORITY = { critical: 32, normal: 0, background: 64 };

/** The body of an error is waited for so long, when nothing else is. */
const DRAIN_MS = 1_000;

const BREAKER = ['closed', 'open', 'half-open'];

/** By its method, or by a key: clients that bring their own `fetch` give it as a header. */
const isIdempotent = ({ method, init }: Plan): boolean =>
  /^(GET|HEAD|OPTIONS|PUT|DELETE)$/.test(method) ||
  !!(init.headers as Headers | undefined)?.has('idempotency-key');

/** Makes calls. `told` hears of the connection and of how many calls wait, `asks` ask the app's endpoints: for the session, the probe, the version. */
export function createCalls(
  settings: Settings,
  requests: Requests,
  runtime: () => Runtime,
  notices: Notices,
  diagnostics: DiagnosticsLog,
  told: {
    pending(calls: number): void;
    queued(calls: number): void;
    connection(status: number, since: number): void;
  },
  asks: Array<(signal: AbortSignal) => Promise<number>>,
) {
  const { api, startTimeoutMs } = settings;
  const calls = new Map<number, Call>();
  const flights = new Map<number, Call>();
  const questions: AbortController[] = [];
  const disposal = new AbortController();
  let lastId = 0;
  let pending = 0;

  // ---------------------------------------------------------------- one attempt, in the engine and without

  async function send(id: number, flight: Flight, attempt: number): Promise<Response | null | undefined> {
    const { signal } = flight.control;
    flight.response = null;
    flight.bytes = flight.cause = undefined;
    diagnostics.count('requests');
    diagnostics.emit('request', { id, method: flight.plan.method, url: flight.plan.url, attempt });
    try {
      const response = await requests.send(flight.plan, attempt, signal);
      diagnostics.emit('response', { id, status: response.status, attempt });
      return (flight.response = response);
    } catch (error) {
      const thrown = error instanceof Unsendable;
      flight.cause = thrown ? error.cause : error;
      if (!signal.aborted)
        diagnostics.emit('failure', { id, attempt, reason: thrown ? 'unsendable' : 'network' });
      return thrown ? undefined : null;
    }
  }

  const host = (life: AbortSignal): CallHost => ({
    life,
    async send(id, attempt) {
      const flight = flights.get(id);
      if (!flight) return null;
      flight.control?.abort(); // the attempt before it, should its body still be on the way
      flight.control = new AbortController();
      flight.drains = false;
      return send(id, flight, attempt);
    },
    async read(id, attempt) {
      const flight = flights.get(id);
      const response = flight?.response;
      if (!response) return BROKEN;
      const onPiece = () => runtime().engine()?.progressed(id, attempt);
      const [end, bytes] = await readBody(
        response,
        api.maxBodyBytes,
        onPiece,
        api.onResponse && flight.control.signal,
      );
      if (flight.response === response) flight.bytes = bytes;
      return end;
    },
    drain(id) {
      const flight = flights.get(id);
      const response = flight?.response;
      if (!response) return;
      flight.drains = true;
      const read = drainBody(response).then(([, bytes]) => {
        if (flight.response === response) flight.bytes = bytes;
      });
      flight.drained = withinMs(DRAIN_MS, read).catch(() => {});
    },
    cancel(id) {
      flights.get(id)?.control?.abort(); // what was aborted at once was never sent
    },
    settle(id, flightId, end, retryAfterMs, shared) {
      const call = calls.get(id);
      const flight = flights.get(flightId);
      if (!call || !flight) return;
      const kind =
        end === 0 ? null : end === 1 ? kindOfStatus(flight.response?.status ?? 0) : KINDS[end - 2]!;
      const response = end < 2 || TELLS_OF_RESPONSE.test(kind!) ? flight.response : null;
      const cause = kind === 'aborted' ? call.reason : flight.cause;
      // Copies are made before anybody reads.
      const copy = shared && call.streams && response && !response.bodyUsed;
      if (copy) flight.copied = true;
      const outcome: Outcome = {
        kind,
        response: copy ? response.clone() : response,
        bytes: undefined,
        cause,
        attempts: flight.plan.sent,
        retryAfterMs: retryAfterMs < 0 ? null : retryAfterMs,
        shared,
        get copied() {
          return flight.copied;
        },
      };
      const tell = () => call.settle(Object.assign(outcome, { bytes: flight.bytes }));
      // What the error says may still be on its way, though it was decided meanwhile what it means.
      if (flight.drains && response) flight.drained.then(tell);
      else tell();
      if (id !== flightId) flights.delete(id); // a follower; of the flight itself the engine says when it is done
    },
    done(id) {
      const flight = flights.get(id);
      if (flight?.drains) flight.drained.then(() => flight.control.abort());
      else if (flight?.response && !flight.copied) bind(flight);
      flights.delete(id);
    },
    retry(id, waitMs) {
      diagnostics.count('retries');
      diagnostics.emit('retry', { id, waitMs, status: flights.get(id)?.response?.status ?? 0 });
    },
    retrying(id) {
      if (flights.get(id)?.notify) notices.say('retrying');
    },
    breaker(id, wholeOrigin, state) {
      const url = new URL(flights.get(id)!.plan.url);
      const route = wholeOrigin ? '' : url.pathname.split('/', 3).join('/');
      diagnostics.emit('breaker', {
        url: url.origin + route,
        scope: wholeOrigin ? 'origin' : 'route',
        state: BREAKER[state]!,
      });
    },
    async ask(question) {
      const control = (questions[question] = new AbortController());
      const stop = AbortSignal.any([control.signal, life]);
      await null;
      if (stop.aborted) return NOTHING;
      const answer = await asks[question]!(stop).catch(() => (question === PROBE ? CANNOT_TELL : NOTHING));
      if (stop.aborted) return NOTHING; // nobody waits for it, and the next question is not this one
      if (answer !== NOTHING) diagnostics.emit('check', { of: 'server', status: Math.max(0, answer) });
      return answer;
    },
    hush(question) {
      questions[question]?.abort();
    },
    queued: told.queued,
    connection: told.connection,
  });

  // ---------------------------------------------------------------- a call

  /** Sends what was planned, and settles once. Never rejects. */
  function make(plan: Plan, { options, streams, wantsData, share }: Ask): Promise<Outcome> {
    const id = ++lastId;
    const { signal } = options;
    const timeoutMs = options.timeoutMs ?? api.timeoutMs;
    const deadlineMs = options.deadlineMs ?? api.deadlineMs;
    const started = Date.now();
    told.pending(++pending);
    return new Promise((resolve) => {
      const call: Call = {
        plan,
        control: undefined as never,
        signal: streams ? signal : undefined,
        response: null,
        bytes: undefined,
        cause: undefined,
        reason: undefined,
        drains: false,
        drained: Promise.resolve(),
        notify: options.notify ?? true,
        streams,
        settle(outcome) {
          if (!calls.delete(id)) return;
          signal?.removeEventListener('abort', onAbort);
          told.pending(--pending);
          const { kind, response, attempts, shared } = outcome;
          const { method, url } = plan;
          const status = response?.status ?? 0;
          const durationMs = Date.now() - started;
          diagnostics.emit('call', { id, method, url, kind, status, attempts, shared, durationMs });
          diagnostics.count(kind ?? 'ok');
          if (shared) diagnostics.count('shared');
          resolve(outcome);
        },
      };
      const end = (kind: ErrorKind, cause?: unknown): void => endWithout(call, kind, cause);
      const onAbort = (): void => {
        const engine = runtime().engine();
        call.reason = signal?.reason;
        engine?.abort(id);
        if (!flights.has(id)) call.control?.abort(); // it goes without an engine
        end('aborted', call.reason);
      };
      const go = (): void => {
        if (!calls.has(id)) return;
        const left = deadlineMs - (Date.now() - started);
        if (left <= 0) return end('timeout', LATE);
        const engine = runtime().engine();
        if (!engine) {
          plain(call, () => send(id, call, 1), api, timeoutMs, left, wantsData).then(call.settle);
          return;
        }
        let key: string;
        try {
          key = share && shareKey(plan, share);
        } catch (cause) {
          return end('invalid', cause); // a name or a value in the configuration's headers
        }
        flights.set(id, call);
        const flags =
          (isIdempotent(plan) ? IDEMPOTENT : 0) |
          (plan.replayable ? REPLAYABLE : 0) |
          (plan.trusted ? TRUSTED : 0) |
          (streams ? STREAMS : 0) |
          (wantsData ? WANTS_DATA : 0) |
          (plan.safe ? 0 : WRITES) |
          PRIORITY[options.priority ?? 'normal'];
        engine.call(id, plan.url, key, flags, options.retries ?? api.retries, timeoutMs, left);
      };

      calls.set(id, call);
      if (disposal.signal.aborted) return end('aborted');
      if (signal?.aborted) return end('aborted', signal.reason);
      signal?.addEventListener('abort', onAbort);
      // Nearly always there is nothing to wait for.
      let standing: ReturnType<Requests['standing']>;
      try {
        standing = plan.trusted ? requests.standing() : undefined;
      } catch (cause) {
        return end('invalid', cause);
      }
      const headersCome = isPromise(standing)
        ? withinMs(Math.min(timeoutMs, deadlineMs), standing).then((headers) => {
            plan.standing = headers;
          })
        : void (plan.standing = standing);
      const engineComes =
        runtime().engine() || runtime().failed()
          ? undefined
          : withinMs(Math.min(startTimeoutMs, deadlineMs), runtime().start()).catch(() => {});
      if (!headersCome && !engineComes) return go();
      Promise.all([headersCome, engineComes]).then(go, (cause) =>
        end(cause === LATE ? 'timeout' : 'invalid', cause),
      );
    });
  }

  return {
    make,
    host,
    /** The module trapped: what was in flight fails, and what runs is ended. */
    trapped(error: StabilityError): void {
      for (const [id, call] of [...calls]) {
        if (!flights.has(id)) continue; // it waits for an engine, or goes without
        call.control?.abort();
        endWithout(call, 'runtime', error);
      }
      flights.clear();
    },
    dispose(): void {
      disposal.abort();
      for (const call of [...calls.values()]) {
        call.control?.abort();
        endWithout(call, 'aborted');
      }
      flights.clear();
    },
  };
}

/** Makes calls. */
export type Calls = ReturnType<typeof createCalls>;

/** The method, what makes one answer another one, and every header that the caller's answer may depend on. */
function shareKey(plan: Plan, share: string): string {
  let key = `${plan.method} ${share}\n`;
  for (const headers of [
    plan.standing && new Headers(plan.standing),
    plan.init.headers as Headers | undefined,
  ]) {
    if (headers) for (const [name, value] of headers) key += `${name}:${value}\n`;
  }
  return key;
}
