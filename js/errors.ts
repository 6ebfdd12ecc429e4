/**
 * Errors: one class with a kind, what a person is told of each kind, and nothing secret in either.
 */
import type { ApiResult, ErrorKind } from './types.js';

/** What a person is told. `~` stands for 'try again' with when; only what is worth trying again has it. The order is what the Rust side counts kinds in. */
const WORDING: Record<ErrorKind, string> = {
  network: 'The server cannot be reached. Please check your connection and~',
  offline: 'You are offline. Please check your connection and~',
  timeout: 'The server took too long to answer. Please~',
  aborted: 'This was cancelled. Please start again',
  unauthenticated: 'You are signed out. Please sign in again',
  authUnknown: 'Your sign-in could not be confirmed. Please~',
  forbidden: 'You do not have access to this. Please ask for it',
  notFound: 'This could not be found. Please check whether it still exists',
  conflict: 'This does not fit what is stored. Please check the latest version',
  outdated: 'This page is out of date. Please reload it',
  invalid: 'This could not be accepted. Please check what you entered',
  rateLimited: 'Too many requests. Please~',
  unavailable: 'The server is not available. Please~',
  server: 'Something went wrong on the server. Please~',
  circuitOpen: 'The server is having problems. Please~',
  queueFull: 'Too much at once. Please~',
  tooLarge: 'This is too large. Please try something smaller',
  parse: 'The server sent an unexpected answer. Please contact support',
  runtime: 'Something went wrong on this page. Please reload it',
};

/** Every kind, in the order of the contract with the Rust side. */
export const KINDS = Object.keys(WORDING) as readonly ErrorKind[];

const BY_STATUS: Record<number, ErrorKind> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'notFound',
  408: 'timeout',
  409: 'conflict',
  410: 'notFound',
  412: 'conflict',
  413: 'tooLarge',
  425: 'unavailable',
  426: 'outdated',
  429: 'rateLimited',
  502: 'unavailable',
  503: 'unavailable',
  504: 'unavailable',
};

/** The kind of a response that is no success. What a 401 means in the end is the session's to say. */
export const kindOfStatus = (status: number): ErrorKind =>
  BY_STATUS[status] ?? (status >= 500 && status < 600 ? 'server' : 'invalid');

/** A server that answers so will not answer otherwise later. */
const isFinal = (status: number): boolean => status === 501 || status === 505;

/** A URL without query string, fragment and credentials. What is no http(s) URL keeps its scheme only: a data: URL is a body. */
export function bareUrl(url: string): string {
  try {
    const { protocol, origin, pathname } = new URL(url, 'http://-');
    return /^http/.test(protocol) ? origin.replace('http://-', '') + pathname : `${protocol}…`;
  } catch {
    return url.replace(/[?#].*/s, '').replace(/^.*@/s, '');
  }
}

const count = (n: number, what: string): string => `${n} ${what}${n > 1 ? 's' : ''}`;

/** What a StabilityError is made from. */
export type ErrorFields = Partial<
  Pick<
    StabilityError,
    'status' | 'method' | 'url' | 'attempts' | 'retryAfterMs' | 'requestId' | 'body' | 'cause'
  >
>;

/** A failure of the API client or of the runtime. */
export class StabilityError extends Error {
  /** For code that cannot use `instanceof`: across frames, say. */
  declare readonly name: 'StabilityError';
  /** What went wrong. */
  declare readonly kind: ErrorKind;
  /** The response's status; 0 where no response came. */
  declare readonly status: number;
  /** The request's method; '' where there was no request. */
  declare readonly method: string;
  /** Without query string, fragment and credentials; '' where there was no request. */
  declare readonly url: string;
  /** How many requests were sent. */
  declare readonly attempts: number;
  /** Whether trying again later makes sense. */
  declare readonly retryable: boolean;
  /** What the server, the breaker or the queue asked for; null when nothing. */
  declare readonly retryAfterMs: number | null;
  /** The response's X-Request-Id. */
  declare readonly requestId: string | null;
  /** The parsed error body; null when there was none. */
  declare readonly body: unknown;
  /** What threw, or the issues of a schema. */
  declare readonly cause?: unknown;

  constructor(
    kind: ErrorKind,
    {
      status = 0,
      method = '',
      url = '',
      attempts = 0,
      retryAfterMs = null,
      requestId = null,
      body = null,
      cause,
    }: ErrorFields = {},
  ) {
    url = url && bareUrl(url);
    super(
      `${`${method} ${url}`.trim() || 'evenkeel'}: ${status ? `${status} ` : ''}${kind}${attempts ? ` after ${count(attempts, 'request')}` : ''}`,
    );
    const retryable = WORDING[kind].includes('~') && !isFinal(status);
    Object.assign(
      this,
      {
        name: 'StabilityError',
        kind,
        status,
        method,
        url,
        attempts,
        retryable,
        retryAfterMs,
        requestId,
        body,
      },
      cause !== undefined && { cause },
    );
  }
}

/** '12 seconds', rounded up; minutes, hours and days from one and a half of them. */
function span(ms: number): string {
  let n = ms / 1_000;
  let unit = 'second';
  for (const next of ['minute', 'hour', 'day']) {
    const size = next === 'day' ? 24 : 60;
    if (n <= size * 1.5) break;
    n /= size;
    unit = next;
  }
  return count(Math.ceil(n), unit);
}

/**
 * What a person is told, with a next step: `Too many requests. Please try again in 12 seconds`. Holds no URL, header or body. Never throws.
 *
 * @param messages other wording by kind: a string, or a function of the error.
 */
export function formatError(
  error: StabilityError,
  messages?: Partial<Record<ErrorKind, string | ((error: StabilityError) => string)>>,
): string {
  const { kind, status, retryAfterMs } = error;
  const known = KINDS.includes(kind);
  try {
    const own = known && messages?.[kind];
    const text = typeof own === 'function' ? own(error) : own;
    if (typeof text === 'string') return text;
  } catch {} // then as without it
  const wait = retryAfterMs! > 0 && retryAfterMs! < 1e10 ? span(retryAfterMs!) : 'a moment';
  return WORDING[!known ? 'server' : isFinal(status) ? 'parse' : kind].replace('~', ` try again in ${wait}`);
}

/** The data, or throws the error: for a query function. */
export async function unwrap<T>(result: ApiResult<T> | Promise<ApiResult<T>>): Promise<T> {
  const settled = await result;
  if (settled.ok) return settled.data;
  throw settled.error;
}
