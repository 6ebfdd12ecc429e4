/**
 * Errors: one class with a kind, what a person is told about each kind, and nothing secret in either.
 */
import type { ApiResult, ErrorKind } from './types.js';

/** What a person is told. `Please try again` at the end is completed with when. The order of the kinds is shared with the Rust side, which sends indices. */
const WORDING: Record<ErrorKind, string> = {
  network: 'The server cannot be reached. Please check your connection and try again',
  offline: 'You are offline. Please check your connection and try again',
  timeout: 'The server took too long to answer. Please try again',
  aborted: 'This was cancelled. Please start again if you still need it',
  unauthenticated: 'You are signed out. Please sign in again',
  authUnknown: 'We could not confirm that you are signed in. Please try again',
  forbidden: 'You do not have access to this. Please ask an administrator if you need it',
  notFound: 'This could not be found. Please check whether it was moved or removed',
  conflict: 'This was changed in the meantime. Please check the latest version and try again',
  outdated: 'This page is out of date. Please reload it to continue',
  invalid: 'This could not be accepted. Please check what you entered and try again',
  rateLimited: 'Too many requests. Please try again',
  unavailable: 'The service is unavailable at the moment. Please try again',
  server: 'Something went wrong on the server. Please try again',
  circuitOpen: 'The service is having problems. Please try again',
  queueFull: 'Too much is going on at once. Please try again',
  tooLarge: 'This is too large. Please try something smaller',
  parse: 'The server sent an unexpected answer. Please contact support if it happens again',
  runtime: 'Something went wrong on this page. Please reload it and try again',
};

/** Every kind, in the order that the Rust side counts them in. */
export const KINDS = Object.keys(WORDING) as readonly ErrorKind[];

const RETRYABLE = /^(network|offline|timeout|authUnknown|rateLimited|unavailable|server|circuitOpen|queueFull)$/;

const BY_STATUS: Record<number, ErrorKind> = {
  401: 'unauthenticated', 403: 'forbidden', 404: 'notFound', 408: 'timeout', 409: 'conflict', 410: 'notFound', 412: 'conflict', 413: 'tooLarge',
  425: 'unavailable', 426: 'outdated', 429: 'rateLimited', 502: 'unavailable', 503: 'unavailable', 504: 'unavailable',
};

/** The kind of a response that is no success. What a 401 means is settled by the session; until then it is 'unauthenticated'. */
export const kindOfStatus = (status: number): ErrorKind =>
  BY_STATUS[status] ?? (status >= 500 && status < 600 ? 'server' : 'invalid');

/** A URL without query string, fragment and credentials. What is no http(s) URL keeps its scheme only: a data: URL is a body. */
export function bareUrl(url: string): string {
  try {
    const { protocol, origin, pathname } = new URL(url, 'http://-');
    return /^http/.test(protocol) ? origin.replace('http://-', '') + pathname : protocol + '…';
  } catch {
    return url.replace(/[?#][^]*/, '').replace(/^[^]*@/, '');
  }
}

/** What a StabilityError is made from; what is left out is 0, '' or null. */
export interface ErrorFields {
  status?: number;
  method?: string;
  url?: string;
  attempts?: number;
  retryAfterMs?: number | null;
  requestId?: string | null;
  body?: unknown;
  cause?: unknown;
}

/** A failure of the API client or the runtime. */
export class StabilityError extends Error {
  override readonly name = 'StabilityError';
  /** What went wrong. */
  readonly kind: ErrorKind;
  /** The response's status; 0 where no response came. */
  readonly status: number;
  /** The request's method, '' where there was no request. */
  readonly method: string;
  /** Without query string, fragment and credentials. */
  readonly url: string;
  /** How many requests were sent. */
  readonly attempts: number;
  /** Whether trying again later makes sense. */
  readonly retryable: boolean;
  /** What the server, the breaker or the queue asked for; null when nothing. */
  readonly retryAfterMs: number | null;
  /** The response's X-Request-Id. */
  readonly requestId: string | null;
  /** The parsed error body, when there was one. */
  readonly body: unknown;

  constructor(kind: ErrorKind, fields: ErrorFields = {}) {
    const { status = 0, method = '', attempts = 0, retryAfterMs = null, requestId = null, body = null } = fields;
    const url = fields.url ? bareUrl(fields.url) : '';
    super(
      `${`${method} ${url}`.trim() || 'evenkeel'}: ${status ? status + ' ' : ''}${kind}${attempts ? ` after ${attempts} request${attempts > 1 ? 's' : ''}` : ''}`,
      'cause' in fields ? { cause: fields.cause } : undefined,
    );
    this.kind = kind;
    this.status = status;
    this.method = method;
    this.url = url;
    this.attempts = attempts;
    this.retryable = RETRYABLE.test(kind) && status !== 501 && status !== 505;
    this.retryAfterMs = retryAfterMs;
    this.requestId = requestId;
    this.body = body;
  }
}

/** '12 seconds', rounded up. Minutes, hours and days are used above one and a half of them. */
function span(ms: number): string {
  let n = ms / 1_000;
  let unit = 'second';
  for (const [size, next] of [[60, 'minute'], [60, 'hour'], [24, 'day']] as const) {
    if (n <= size * 1.5) break;
    n /= size;
    unit = next;
  }
  n = Math.ceil(n);
  return `${n} ${unit}${n > 1 ? 's' : ''}`;
}

/**
 * What a person is told, with a next step: `Too many requests. Please try again in 12 seconds`. Holds no URL, header or body. Never throws.
 *
 * @param messages other wording by kind: a string, or a function of the error.
 */
export function formatError(error: StabilityError, messages?: Partial<Record<ErrorKind, string | ((error: StabilityError) => string)>>): string {
  const { kind, retryAfterMs: wait, status } = error;
  const known = Object.hasOwn(WORDING, kind);
  if (known) {
    try {
      const own = messages?.[kind];
      const text = typeof own === 'function' ? own(error) : own;
      if (typeof text === 'string') return text;
    } catch {} // then the default wording
  }
  if (status === 501 || status === 505) return 'The server cannot do this. Please contact support if you need it';
  const text = known ? WORDING[kind] : 'Something went wrong. Please try again';
  return /Please try again$/.test(text) ? text + (wait! > 0 && wait! < 1e10 ? ` in ${span(wait!)}` : ' later') : text;
}

/** The data, or throws the error: for a query function. */
export async function unwrap<T>(result: ApiResult<T> | Promise<ApiResult<T>>): Promise<T> {
  const settled = await result;
  if (settled.ok) return settled.data;
  throw settled.error;
}
