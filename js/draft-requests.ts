/**
 * What goes to the drafts' endpoint, and what its answers mean, in the numbers of the Rust side.
 */
import { isHtml } from './body.js';
import type { Settings } from './config.js';
import { readSaid, retryAfterMs, type Said, sendOnce } from './endpoint.js';
import { KINDS, kindOfStatus, StabilityError } from './errors.js';
import { type Requests, Unsendable } from './request.js';
import type { ErrorKind } from './types.js';
import {
  NONE,
  SENT_ABSENT,
  SENT_ACCEPTED,
  SENT_LATER,
  SENT_OTHER_USER,
  SENT_OUTDATED,
  SENT_REFUSED,
  SENT_STALE,
  SENT_UNAUTHORIZED,
} from './wire.js';

/** Browsers let so much outlive a page, of all its requests together, headers aside: 64 KiB. */
const KEPT_ALIVE_MAX = 60_000;

/** The restore of a page waits for an answer, and does not for ever. */
const READ_MS = 10_000;

/** The server's copy, its data as it came. */
export interface Copy {
  rev: number;
  data: unknown;
  schemaVersion: number;
  saveId: string;
  updatedAt: Date;
}

/** What the server says. */
export interface Answer {
  /** One of the SENT numbers; SENT_STALE: `copy`, or its absence, says what is there in place of what was asked. */
  sent: number;
  /** NONE: it names none. */
  rev: number;
  copy: Copy | undefined;
  /** Why it is not as it was asked. */
  error: StabilityError | undefined;
  /** So long the server asks to wait; NONE: it does not say. */
  waitMs: number;
}

const encoder = new TextEncoder();

/** In UTF-8; what is surely short enough is not measured. */
export const isLonger = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && encoder.encode(text).length > bytes;

/** In a header each character stands for a byte. */
const asHeader = (text: string): string => String.fromCharCode(...encoder.encode(text));

const isRev = (rev: unknown): rev is number => Number.isSafeInteger(rev) && (rev as number) >= 0;

function copyOf(said: Said): Copy | undefined {
  const { rev, data, schemaVersion, saveId, updatedAt } = (said ?? {}) as Partial<Copy>;
  const at = new Date(updatedAt as Date);
  const fits =
    isRev(rev) &&
    (data ?? null) !== null &&
    Number.isInteger(schemaVersion) &&
    typeof saveId === 'string' &&
    at.getTime() >= 0;
  return fits ? { rev, data, schemaVersion: schemaVersion!, saveId, updatedAt: at } : undefined;
}

/** Asks the drafts' endpoints of one client. */
export function createDraftRequests({ api }: Settings, requests: Requests, life: AbortSignal) {
  let keptAlive = 0;
  /** The endpoints that were there. */
  const known = new Set<string>();

  /** Never rejects. `user`: for whom; nothing is read or written for anybody else. */
  async function ask(
    endpoint: string,
    key: string,
    user: string,
    method = 'GET',
    headers: Record<string, string> = {},
    body?: Uint8Array<ArrayBuffer>,
    keepalive = false,
  ): Promise<Answer> {
    const url = new URL(endpoint);
    url.searchParams.set('key', key);
    const bound = AbortSignal.timeout(method === 'GET' ? Math.min(READ_MS, api.timeoutMs) : api.timeoutMs);
    const signal = AbortSignal.any([life, bound]);
    const expected = { 'X-Expected-User': asHeader(user), ...headers };
    const fail = (kind: ErrorKind, status = 0, waitMs = NONE, cause?: unknown): StabilityError =>
      new StabilityError(kind, {
        method,
        url: endpoint,
        status,
        attempts: 1,
        retryAfterMs: waitMs < 0 ? null : waitMs,
        cause,
      });
    const answer: Answer = {
      sent: SENT_ACCEPTED,
      rev: NONE,
      copy: undefined,
      error: undefined,
      waitMs: NONE,
    };
    const later = (error: StabilityError): Answer => {
      const sent =
        (error.retryable || error.kind === 'parse' ? SENT_LATER : SENT_REFUSED) + KINDS.indexOf(error.kind);
      return { ...answer, sent, error };
    };
    let response: Response;
    let said: Said;
    try {
      response = await sendOnce(requests, signal, url, method, expected, body, keepalive);
      said = await readSaid(response, signal, api.maxBodyBytes);
    } catch (cause) {
      const kind =
        cause instanceof Unsendable
          ? 'invalid'
          : bound.aborted
            ? 'timeout'
            : globalThis.navigator?.onLine === false
              ? 'offline'
              : 'network';
      return later(fail(kind, 0, NONE, cause instanceof Unsendable ? cause.cause : cause));
    }
    const { status, ok } = response;
    const copy = (answer.copy = copyOf(said));
    // A proxy that packs an answer makes its tag a weak one.
    const tag = Number(/^(?:W\/)?"(\d+)"$/.exec(response.headers.get('etag') ?? '')?.[1] ?? NaN);
    const rev = (answer.rev = [said?.rev, tag].find(isRev) ?? NONE);
    answer.waitMs = retryAfterMs(response.headers);
    const error = ok ? undefined : fail(kindOfStatus(status), status, answer.waitMs);
    const is = (sent: number): Answer => ({ ...answer, sent, error });
    const isPage = ok && isHtml(response);
    // The app's session says nothing of an origin that is not the app's. A page where there was an endpoint before, or to which the
    // request was sent on, is where people sign in, or a portal's.
    if (status === 401 || (isPage && (response.redirected || known.has(endpoint))))
      return requests.isTrusted(url) ? is(SENT_UNAUTHORIZED) : later(fail('authUnknown', status));
    if (status === 409 && said?.code === 'otherUser') return is(SENT_OTHER_USER);
    if (status === 426) return is(SENT_OUTDATED);
    if (isPage || status === 403 || status === 405 || (status === 404 && !isRev(said?.rev)))
      return is(SENT_ABSENT);
    const reads = method === 'GET';
    const isGone = isRev(said?.rev) && (said?.data ?? null) === null;
    const isDone = method === 'DELETE' ? ok || status === 404 : ok && (reads ? copy : rev >= 0);
    if (isDone || status === 404 || ((status === 412 || (ok && reads)) && (copy || isGone))) {
      known.add(endpoint);
      return is(isDone ? SENT_ACCEPTED : SENT_STALE);
    }
    return later(error && status !== 412 ? error : fail('parse', status));
  }

  return {
    /** The server's copy: SENT_ACCEPTED with it, SENT_STALE without one. */
    read: (endpoint: string, key: string, user: string) => ask(endpoint, key, user),
    /**
     * Saves on top of `base`; NONE: only where there is nothing.
     *
     * @param lastWords the page may go at any moment.
     * @param gone it does. What cannot outlive it is not sent.
     */
    async save(
      endpoint: string,
      key: string,
      user: string,
      json: string,
      base: number,
      lastWords: boolean,
      gone: boolean,
    ): Promise<Answer | undefined> {
      const body = encoder.encode(json);
      const fits = lastWords && keptAlive + body.length <= KEPT_ALIVE_MAX;
      if (gone && !fits) return undefined;
      const match: Record<string, string> = base < 0 ? { 'If-None-Match': '*' } : { 'If-Match': `"${base}"` };
      if (fits) keptAlive += body.length;
      const headers = { 'Content-Type': 'application/json', ...match };
      const answer = await ask(endpoint, key, user, 'POST', headers, body, fits);
      if (fits) keptAlive -= body.length;
      return answer;
    },
    /** Clears, whatever is there: SENT_ACCEPTED with the tombstone's revision. */
    async clear(endpoint: string, key: string, user: string): Promise<Answer> {
      // Whoever submits leaves the page, often at once.
      const answer = await ask(endpoint, key, user, 'DELETE', {}, undefined, true);
      if (answer.sent !== SENT_ACCEPTED || answer.rev >= 0) return answer;
      // Another origin may not show its tag.
      const { sent, rev } = await ask(endpoint, key, user);
      return { ...answer, rev: sent === SENT_STALE ? rev : 0 };
    },
  };
}

/** What asks the drafts' endpoints of one client. */
export type DraftRequests = ReturnType<typeof createDraftRequests>;
