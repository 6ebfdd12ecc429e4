/**
 * One question to an endpoint of the app: the same for the engine and for a page without one.
 */
import { DRAIN_BYTES, decode, isHtml, readBody } from './body.js';
import { orAbort, type Requests } from './request.js';
import { WHOLE } from './wire.js';

/** Sends one request. Rejects where no response came before the signal aborts. */
export async function sendOnce(
  requests: Requests,
  signal: AbortSignal,
  url: string | URL,
  method = 'GET',
  headers?: Record<string, string>,
  body?: BodyInit,
  keepalive = false,
): Promise<Response> {
  signal.throwIfAborted();
  const plan = requests.plan(method, url, undefined, { headers, keepalive }, { cache: 'no-store', body });
  plan.standing = plan.trusted ? await orAbort(signal, requests.standing()) : undefined;
  return orAbort(signal, requests.send(plan, 1, signal));
}

/** What a body says; undefined: no JSON. */
export type Said = Record<string, unknown> | null | undefined;

/** As sendOnce, and what its body says. Rejects too where the body breaks off. */
export async function exchange(
  ...[requests, signal, ...asked]: Parameters<typeof sendOnce>
): Promise<[response: Response, said: Said]> {
  const response = await sendOnce(requests, signal, ...asked);
  return [response, await readSaid(response, signal)];
}

/** Reads a body to its end, up to `limit` bytes. Rejects where it breaks off, or is longer. */
export async function readSaid(response: Response, signal: AbortSignal, limit = DRAIN_BYTES): Promise<Said> {
  const [end, bytes] = await readBody(response, limit, undefined, signal);
  if (end !== WHOLE) throw new TypeError('the body broke off');
  let said: Said;
  try {
    said = isHtml(response) ? undefined : JSON.parse(decode(bytes));
  } catch {} // then it says nothing
  return said;
}

/** So long the server asks to wait; -1: it does not say. */
export function retryAfterMs(headers: Headers): number {
  const after = headers.get('retry-after') ?? '';
  const waits = [
    headers.get('retry-after-ms') || NaN,
    after ? 1_000 * +after : NaN,
    Date.parse(after) - Date.now(),
  ];
  return waits.map(Number).find((ms) => ms >= 0) ?? -1;
}
