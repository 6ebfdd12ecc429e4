/**
 * Requests: from what a caller asks to what `fetch` is given, in every attempt anew. The same for the engine and for the plain path.
 */
import { serialise } from './body.js';
import type { Settings } from './config.js';
import type { RequestOptions } from './types.js';

/** What is sent, settled once for all attempts of a call. */
export interface Plan {
  method: string;
  /** Absolute. */
  url: string;
  init: RequestInit;
  /** Given as a Request: each attempt sends a copy. */
  input: Request | undefined;
  /** Goes to the page's own origin, baseUrl's or a trusted one. */
  trusted: boolean;
  /** What its responses say of the version counts. */
  versioned: boolean;
  /** Carries cookies. */
  credentialed: boolean;
  /** Read twice without loss. */
  replayable: boolean;
  /** GET, HEAD or OPTIONS. */
  safe: boolean;
  /** The `headers` of the configuration as this call began; asked for again in each later attempt. */
  standing: Record<string, string> | undefined;
  /** How many requests went out. */
  sent: number;
}

const SAFE = /^(GET|HEAD|OPTIONS)$/;
const KNOWN = /^(GET|HEAD|OPTIONS|PUT|DELETE|POST|PATCH)$/;

export const uuid = (): string => {
  if (crypto.randomUUID) return crypto.randomUUID();
  // Pages without TLS have no randomUUID. RFC 9562, version 4.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  return Array.from(
    bytes,
    (byte, at) => (/^(4|6|8|10)$/.test(`${at}`) ? '-' : '') + byte.toString(16).padStart(2, '0'),
  ).join('');
};

/** The value of a cookie that script may read. */
function cookie(name: string): string | undefined {
  for (const pair of globalThis.document?.cookie.split('; ') ?? []) {
    if (pair.startsWith(`${name}=`)) return pair.slice(name.length + 1);
  }
  return undefined;
}

/** Of an absolute URL, what decides how it is asked. */
interface Address {
  href: string;
  trusted: boolean;
  versioned: boolean;
  /** The page's own origin. */
  own: boolean;
}

const ADDRESSES_MAX = 100;

/** Builds and sends requests as the configuration says. `saw` hears which version answers, and with which status. */
export function createRequests(
  { baseUrl, api, version }: Settings,
  onCacheable: (url: string) => void,
  saw: (version: string | null, status: number) => void,
) {
  const pageBase = (): string | undefined => globalThis.document?.baseURI ?? globalThis.location?.href;
  const pageOrigin = globalThis.location?.origin;
  const base = (): string | undefined =>
    baseUrl === undefined ? pageBase() : new URL(baseUrl, pageBase()).href;
  const trusted = new Set([pageOrigin, ...api.trustedOrigins]);
  if (baseUrl !== undefined) {
    try {
      trusted.add(new URL(base()!).origin);
    } catch {} // relative, and no page: no URL of this client will parse
  }

  const resolve = (url: string | URL): URL => {
    const resolved = new URL(url, base());
    if (!/^(https?|data|blob):/.test(resolved.protocol))
      throw new TypeError(`${resolved.protocol} cannot be fetched`);
    if (resolved.username || resolved.password)
      throw new TypeError('a URL with credentials cannot be fetched');
    return resolved;
  };
  /** Pages ask for the same few addresses again and again, and to parse one takes as long as all the rest of a call. */
  const known = new Map<string, Address>();
  function addressOf(to: string | URL, query: RequestOptions['query']): Address {
    const name = query || typeof to !== 'string' ? undefined : `${base()} ${to}`;
    const found = name === undefined ? undefined : known.get(name);
    if (found) return found;
    const url = resolve(to);
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== null && one !== undefined) url.searchParams.append(name, `${one}`);
      }
    }
    const trusted = isTrusted(url);
    const versioned = version && (trusted || version.trustedOrigins.includes(url.origin));
    const address = { href: url.href, trusted, versioned, own: url.origin === pageOrigin };
    if (name !== undefined) {
      if (known.size >= ADDRESSES_MAX) known.clear();
      known.set(name, address);
    }
    return address;
  }
  const isTrusted = (url: URL): boolean => trusted.has(url.origin);

  const standing = (): Record<string, string> | undefined | Promise<Record<string, string>> =>
    typeof api.headers === 'function' ? api.headers() : api.headers;

  /** Throws what cannot be sent: a URL, header or body. */
  function plan(
    method: string,
    to: string | URL,
    body: unknown,
    options: RequestOptions,
    own?: RequestInit,
    input?: Request,
  ): Plan {
    const { href, trusted, versioned, own: sameOrigin } = addressOf(to, options.query);
    const credentials = options.credentials ?? input?.credentials ?? api.credentials;
    const credentialed = credentials === 'include' || (credentials === 'same-origin' && sameOrigin);
    const safe = SAFE.test(method);
    const init: RequestInit & { duplex?: 'half' } = { ...own, method, credentials };
    if (credentialed && !own?.cache && (input?.cache ?? 'default') === 'default') init.cache = 'no-store';
    if (options.keepalive) init.keepalive = true;
    let type: string | undefined;
    if (own) init.body = own.body ?? null;
    else if (body !== undefined) [init.body, type] = serialise(body);
    const streams = init.body instanceof ReadableStream;
    if (streams) init.duplex = 'half';
    // What fetch refuses by itself would look like a server that cannot be reached.
    if (streams && (init.body as ReadableStream).locked) throw new TypeError('the stream is read elsewhere');
    if (!KNOWN.test(method) || (safe && init.body)) new Request(href, init);

    const headers = options.headers ?? input?.headers;
    const key = options.idempotencyKey;
    if (headers || type || key) {
      init.headers = new Headers(headers);
      if (type && !init.headers.has('content-type')) init.headers.set('content-type', type);
      if (key) init.headers.set('idempotency-key', key === true ? uuid() : key);
    }
    return {
      method,
      url: href,
      init,
      input,
      trusted,
      versioned,
      credentialed,
      replayable: !streams,
      safe,
      standing: undefined,
      sent: 0,
    };
  }

  /** Adds what is sent to trusted origins only. What the caller set is stronger. */
  function address(
    init: RequestInit,
    { safe, trusted }: Plan,
    standing: Record<string, string> | undefined,
  ): void {
    const csrf = safe ? undefined : api.csrf && cookie(api.csrf.cookie);
    if (!trusted || !(standing || version || csrf)) return;
    const headers = new Headers(standing);
    if (version) headers.set(version.header, version.current);
    if (csrf) headers.set((api.csrf as { header: string }).header, csrf);
    if (init.headers) for (const [name, value] of init.headers as Headers) headers.set(name, value);
    init.headers = headers;
  }

  /** Sends one attempt, hooks and all. Rejects with what a hook threw, wrapped, or with what `fetch` rejects with. */
  async function send(plan: Plan, attempt: number, signal: AbortSignal): Promise<Response> {
    let request: Request | undefined;
    const init: RequestInit = { ...plan.init, signal };
    try {
      address(init, plan, attempt > 1 && plan.trusted ? await orAbort(signal, standing()) : plan.standing);
      if (plan.input) {
        request = new Request(plan.input.clone(), init);
        // Only for a query of its own: this makes a stream of the body, which browsers send over HTTP/2 alone.
        if (request.url !== plan.url) request = new Request(plan.url, request);
      } else if (api.onRequest || api.onResponse) request = new Request(plan.url, init);
      if (api.onRequest)
        request = returned(await orAbort(signal, api.onRequest(request!, { attempt })), request!, Request);
    } catch (cause) {
      throw signal.aborted ? cause : new Unsendable(cause);
    }
    signal.throwIfAborted();
    plan.sent++;
    let response = await (request ? fetch(request, { signal }) : fetch(plan.url, init));
    if (typeof response?.headers?.get !== 'function')
      throw new Unsendable(new TypeError('what stands in for fetch returned no Response'));
    // What stands before a server that is down knows nothing of versions.
    if (version && plan.versioned && response.status >= 200 && response.status < 500)
      saw(response.headers.get(version.header), response.status);
    if (plan.credentialed) audit(response, plan.url);
    if (api.onResponse) {
      try {
        response = returned(await orAbort(signal, api.onResponse(response, request!)), response, Response);
      } catch (cause) {
        throw signal.aborted ? cause : new Unsendable(cause);
      }
    }
    return response;
  }

  const audits = api.auditCacheControl ?? isDevelopment();
  function audit(response: Response, url: string): void {
    if (!audits || response.type === 'opaque') return;
    const policy = response.headers.get('cache-control') ?? '';
    // `private, no-cache` is for a user's own answers with an ETag: kept by this browser alone, and asked about each time.
    if (!/\bno-store\b/i.test(policy) && !(/\bprivate\b/i.test(policy) && /\bno-cache\b/i.test(policy)))
      onCacheable(url);
  }

  return { plan, send, standing, base, resolve, isTrusted };
}

/** What builds and sends requests. */
export type Requests = ReturnType<typeof createRequests>;

/** A request that cannot be sent as it is, or a hook that threw. Another attempt would meet the same. */
export class Unsendable {
  constructor(readonly cause: unknown) {}
}

/** What a hook gave in place of what it was given; nothing leaves that as it is. */
function returned<T>(given: unknown, before: T, kind: abstract new (...args: never) => T): T {
  if (given === undefined || given === null) return before;
  if (!(given instanceof kind)) throw new TypeError(`a hook must return a ${kind.name} or nothing`);
  return given;
}

export const isPromise = <T>(value: unknown): value is Promise<T> =>
  typeof (value as Promise<T> | undefined)?.then === 'function';

/** Rejects when the signal aborts first: what the app gave us may never end. */
export function orAbort<T>(signal: AbortSignal, pending: T | Promise<T>): T | Promise<T> {
  if (!isPromise<T>(pending)) return pending;
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    pending.then(resolve, reject);
  });
}

declare const process: { env: { NODE_ENV?: string } };

export function isDevelopment(): boolean {
  try {
    // Bundlers put the value here; without one there is no `process` in a browser.
    return process.env.NODE_ENV === 'development';
  } catch {
    return false;
  }
}
