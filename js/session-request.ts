/**
 * The session endpoint: is somebody signed in, and who? One request, the same for the engine and for a page without one.
 */
import type { Settings } from './config.js';
import { exchange, retryAfterMs } from './endpoint.js';
import type { Requests } from './request.js';

/** A checked session configuration. */
export type SessionSettings = Exclude<Settings['session'], false>;

/** Somebody who is signed in. Of a body nothing else is kept: it may hold tokens. */
export interface Person {
  /** null: the server does not say who it is. */
  key: string | null;
  user: unknown;
  /** Epoch milliseconds. */
  expires: number | null;
}

/** Who is signed in; null: clearly nobody; undefined: it cannot be told. */
export type Found = Person | null | undefined;

/** Another endpoint in the same folder. */
export function beside(endpoint: URL, name: string): URL {
  const url = new URL(endpoint);
  url.pathname = url.pathname.replace(/[^/]*\/?$/, name);
  return url;
}

/** Asks. Never rejects; `retryAfterMs` is negative where the server says nothing. */
export async function askSession(
  session: SessionSettings,
  requests: Requests,
  signal: AbortSignal,
): Promise<[found: Found, retryAfterMs: number]> {
  try {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(session.verifyTimeoutMs)]);
    const [{ status, headers }, body] = await exchange(requests, stop, session.endpoint);
    if (status === 401) return [null, -1];
    if (status === 200 && body !== undefined) return [readSession(session, body), -1];
    if (status === 429 || status === 503) return [undefined, retryAfterMs(headers)];
  } catch {} // no answer, or a function of the app threw
  return [undefined, -1];
}

type Identity = { id?: unknown; sub?: unknown; email?: unknown } | null | undefined;
type Body = { user?: Identity; expires?: unknown } | null;

/** Who a body says is signed in. Throws what the app's functions throw. */
export function readSession({ parse, identify }: SessionSettings, body: unknown): Found {
  const given = body as Body;
  const session = parse ? parse(body) : given?.user && given;
  if (!session) return parse || /^(null|{})$/.test(JSON.stringify(body)) ? null : undefined;
  const { id, sub, email } = given?.user ?? (session.user as Identity) ?? {};
  const key = identify ? identify(body) : (id ?? sub ?? email);
  return {
    // Of a user that is a text, `sub` is a function.
    key: typeof key === 'string' || typeof key === 'number' ? `${key}` : null,
    user: session.user,
    expires: momentOf(session.expires),
  };
}

function momentOf(expires: unknown): number | null {
  const at = new Date(expires as string | number).getTime();
  return at > 0 ? at : null; // null and undefined are the epoch and no date
}
