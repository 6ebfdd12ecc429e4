/**
 * The plain path: one fetch in place of the engine, with the same outcome.
 */
import { isHtml, readBody } from './body.js';
import type { Settings } from './config.js';
import { kindOfStatus } from './errors.js';
import { bind, type Call, type Outcome, TELLS_OF_RESPONSE } from './flight.js';
import { orAbort } from './request.js';
import type { ErrorKind } from './types.js';
import { LATE } from './wait.js';
import { TOO_LARGE, WHOLE } from './wire.js';

/** One fetch: query, headers, credentials, CSRF, hooks, timeout and abort work; retries, queues and sharing do not. */
export async function plain(
  call: Call,
  send: () => Promise<Response | null | undefined>,
  api: Settings['api'],
  timeoutMs: number,
  deadlineMs: number,
  wantsData: boolean,
): Promise<Outcome> {
  const control = (call.control = new AbortController());
  const late = () => control.abort(LATE);
  let silence = setTimeout(late, Math.min(timeoutMs, deadlineMs));
  const deadline = setTimeout(late, Math.max(0, deadlineMs));
  const outcome = (kind: ErrorKind | null, retryAfterMs: number | null = null): Outcome => {
    const { response, bytes, cause } = call;
    return {
      kind,
      response:
        kind === null || kind === kindOfStatus(response?.status ?? 0) || TELLS_OF_RESPONSE.test(kind)
          ? response
          : null,
      bytes,
      cause,
      attempts: call.plan.sent,
      retryAfterMs,
      shared: false,
    };
  };
  const broken = (): Outcome =>
    outcome(
      control.signal.reason === LATE
        ? 'timeout'
        : control.signal.aborted
          ? 'aborted'
          : globalThis.navigator?.onLine === false
            ? 'offline'
            : 'network',
    );
  try {
    const sent = await orAbort(control.signal, send()); // a stand-in for fetch may know nothing of signals
    if (sent === undefined) return outcome('invalid');
    if (!sent) return broken();
    const { status } = sent;
    const kind = status < 400 ? null : status === 401 ? 'authUnknown' : kindOfStatus(status);
    const asked = Number(sent.headers.get('retry-after') ?? NaN) * 1_000;
    if (!kind && wantsData && isHtml(sent)) {
      control.abort();
      return outcome('parse');
    }
    if (!call.streams) {
      const restart = () => {
        clearTimeout(silence);
        silence = setTimeout(late, timeoutMs);
      };
      restart();
      const [end, bytes] = await readBody(sent, api.maxBodyBytes, restart, api.onResponse && control.signal);
      call.bytes = bytes;
      if (!kind && end !== WHOLE) return end === TOO_LARGE ? outcome('tooLarge') : broken();
    } else bind(call);
    return outcome(kind, asked >= 0 ? asked : null);
  } catch {
    return broken();
  } finally {
    clearTimeout(silence);
    clearTimeout(deadline);
  }
}
