/**
 * The requests of event streams, and of the polls in their place.
 */
import { decode } from './body.js';
import type { EventsSettings } from './config.js';
import { orAbort, type Plan, type Requests, Unsendable } from './request.js';
import type { Stream } from './stream.js';
import type { PollResponse, SessionState, Store } from './types.js';

const headersOf = ({ headers }: EventsSettings) => (typeof headers === 'function' ? headers() : headers);

/** In a header each character stands for a byte. */
const asHeader = (id: Uint8Array): string => String.fromCharCode(...new TextEncoder().encode(decode(id)));

/** A stream's options as they are for its polls. */
export const pollOf = (options: EventsSettings): EventsSettings => ({
  ...options,
  method: 'GET',
  body: undefined,
});

/**
 * Asks for a stream from `lastId` on, or where that is undefined, polls. `attempt` counts from 1. Rejects with what the app's functions
 * throw, as Unsendable, and with what `fetch` rejects with.
 */
export async function request(
  requests: Requests,
  url: URL,
  options: EventsSettings,
  lastId: Uint8Array | undefined,
  attempt: number,
  signal: AbortSignal,
): Promise<Response> {
  const { method, body, withCredentials, strict } = options;
  let plan: Plan;
  try {
    const headers = new Headers(await orAbort(signal, headersOf(options)));
    if (!headers.has('accept')) headers.set('accept', lastId ? 'text/event-stream' : 'application/json');
    if (lastId?.length) headers.set('last-event-id', asHeader(lastId));
    plan = requests.plan(
      method,
      url,
      undefined,
      {
        headers: headers as unknown as Record<string, string>,
        credentials: withCredentials ? 'include' : 'same-origin',
      },
      { cache: 'no-store', ...(body !== undefined && { body }) },
    );
    if (strict)
      plan.trusted = false; // nothing is added to what the specification sends
    else if (plan.trusted && attempt === 1) plan.standing = await orAbort(signal, requests.standing());
  } catch (cause) {
    throw new Unsendable(cause);
  }
  return requests.send(plan, attempt, signal);
}

/**
 * Whether another origin answers, and keeps its answers from this page: to `fetch` that is a network that fails. The specification tells
 * them apart, and gives up where the server does not let the page in.
 */
export async function isRefused(url: URL, options: EventsSettings, signal: AbortSignal): Promise<boolean> {
  const { method, headers, withCredentials, strict } = options;
  if (!strict || method !== 'GET' || headers || url.origin === globalThis.location?.origin) return false;
  const answered = new AbortController();
  try {
    await fetch(url, {
      mode: 'no-cors',
      cache: 'no-store',
      credentials: withCredentials ? 'include' : 'same-origin',
      signal: AbortSignal.any([signal, answered.signal]),
    });
    answered.abort(); // it may be a stream that never ends
    return true;
  } catch {
    return false;
  }
}

/** Waits until it is known who is signed in, for a while. */
async function whoIs(session: Store<SessionState>, ms: number): Promise<string | null> {
  await new Promise<void>((go) => {
    const timer = setTimeout(go, ms);
    const end = session.subscribe(look);
    look();
    function look() {
      if (session.getSnapshot().status === 'loading') return;
      end();
      clearTimeout(timer);
      go();
    }
  });
  return session.getSnapshot().userKey;
}

/** What makes one stream equal another tab's: all that its answers depend on. Where headers cannot be had now, it equals none. */
export async function secretOf(
  requests: Requests,
  session: Store<SessionState>,
  stream: Stream,
): Promise<string> {
  const { url, options } = stream;
  const { method, body, withCredentials, firstByteMs } = options;
  const signal = AbortSignal.timeout(firstByteMs);
  const trusted = requests.isTrusted(url);
  try {
    if (trusted) stream.userKey = await whoIs(session, firstByteMs);
    const standing = trusted && (await orAbort(signal, requests.standing()));
    const own = await orAbort(signal, headersOf(options));
    const headers = [standing || undefined, own].map((given) => [...new Headers(given)]);
    return JSON.stringify([url.href, method, headers, body, withCredentials, stream.userKey]);
  } catch {
    return crypto.randomUUID();
  }
}

/** The answer of a poll; undefined for what is none. */
export function parsePoll(bytes: Uint8Array): PollResponse | undefined {
  try {
    const body = JSON.parse(decode(bytes)) as PollResponse;
    const isText = (value: unknown) => value === undefined || value === null || typeof value === 'string';
    const fits =
      isText(body.lastEventId) &&
      body.events.every(({ id, event, data }) => isText(id) && isText(event) && typeof data === 'string');
    return fits ? body : undefined;
  } catch {
    return;
  }
}
