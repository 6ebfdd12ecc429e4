/**
 * The public types. Every duration is in milliseconds and ends in `Ms`; every moment is epoch milliseconds.
 */
import type { StabilityError } from './errors.js';
import type { EventSourceBase as ResilientEventSource } from './event-source.js';
import type { Draft, DraftOptions, DraftsConfig } from './types-drafts.js';
import type { EventsConfig, EventsOptions } from './types-events.js';
import type { SessionConfig, SessionKeeper } from './types-session.js';
import type { VersionConfig, VersionSync } from './types-version.js';

export type * from './types-drafts.js';
export type * from './types-events.js';
export type * from './types-session.js';
export type * from './types-version.js';

// ---------------------------------------------------------------- foundation

/** A value to watch. `getSnapshot()` returns the identical object until something changes, as React's useSyncExternalStore asks. */
export interface Store<T> {
  /** The value now: immutable, and the identical object until something changes. */
  getSnapshot(): T;
  /** What is rendered on a server and during hydration. */
  getServerSnapshot(): T;
  /** Calls `onChange` after each change. Returns the function that ends it, which is safe to call twice. */
  subscribe(onChange: () => void): () => void;
}

/** What `createStability` takes. Everything may be left out; what is wrong is a TypeError or RangeError at once. */
export interface StabilityConfig {
  /** Namespaces storage, locks and channels, so that two apps on one origin do not meet. 1 to 64 characters. Default `'evenkeel'`. */
  name?: string;
  /** Where the .wasm comes from. Default: the file beside the module, found by every bundler through `new URL`. */
  wasm?: string | URL | Response | Promise<Response> | BufferSource | WebAssembly.Module;
  /** Relative request URLs are resolved against it. Default: the document's base URI. */
  baseUrl?: string;
  /** Calls made while the module is still loading wait this long, then go out through the plain path. Default 3_000. */
  startTimeoutMs?: number;
  /** What of a URL diagnostics may keep. Default: origin and path, long or random-looking segments replaced by `…`. */
  redactUrl?: (url: string) => string;
  /** The API client's defaults. */
  api?: ApiConfig;
  /** Left out or false: off, no request is made. `{}`: on, verified at once. */
  session?: SessionConfig | false;
  /** Left out or false: off. */
  version?: VersionConfig | false;
  /** Left out: the defaults, used from the first draft on. false: drafts keep nothing. */
  drafts?: DraftsConfig | false;
  /** The defaults of event streams. */
  events?: EventsConfig;
  /** How the state of the connection is judged. */
  connection?: ConnectionConfig;
  /** How tabs notice each other: a leader that is silent for takeoverMs is replaced. false: each tab works alone. Defaults 1_000, 5_000. */
  tabs?: { heartbeatMs?: number; takeoverMs?: number } | false;
  /** What a person should be told, already worded: wire it to a toast library. */
  onNotice?: (notice: Notice) => void;
}

/** What `createStability` returns. */
export interface Stability {
  /** Settles when the WebAssembly module runs; rejects with a StabilityError of kind `'runtime'` when it cannot. Unobserved, a rejection is not an unhandled one. */
  readonly ready: Promise<void>;
  /** Whether the WebAssembly module runs. Where it failed, `api` goes on through plain `fetch`. */
  readonly runtime: Store<RuntimeState>;
  /** Requests with retries, breaker, budget, queue and single flight. */
  readonly api: ApiClient;
  /** Who is signed in. */
  readonly session: SessionKeeper;
  /** Whether this page is of the version that the server runs. */
  readonly version: VersionSync;
  /** Whether the server can be reached. */
  readonly connection: Store<ConnectionState>;
  /**
   * Opens an event stream: an EventSource that survives what goes wrong on its way.
   *
   * @throws DOMException `SyntaxError` on a URL that cannot be parsed; TypeError or RangeError on a wrong option.
   */
  events(url: string | URL, options?: EventsOptions): ResilientEventSource;
  /**
   * What somebody types, kept until it is submitted. The same object for the same key until it is disposed; later options are not looked at.
   *
   * @throws TypeError or RangeError on a wrong key or option.
   */
  draft<T>(key: string, options?: DraftOptions<T>): Draft<T>;
  /** Every state change, request, retry, save and reload, for Sentry, OpenTelemetry or a log. Returns the function that ends it. */
  on(listener: (event: DiagnosticEvent) => void): () => void;
  /** The newest events and all counters, small enough to attach to a support ticket. Holds no bodies, tokens or query strings. */
  diagnostics(): Diagnostics;
  /** Ends timers, requests, streams, drafts, locks, channels and listeners. What was typed is kept on this device first. Safe to call twice. */
  dispose(): void;
}

/** The state of the WebAssembly module; `error` is of kind `'runtime'` when it failed. */
export interface RuntimeState {
  /** `'failed'`: the page goes on through plain `fetch`. */
  status: 'starting' | 'running' | 'failed';
  /** Why it failed; null otherwise. */
  error: StabilityError | null;
}

// ---------------------------------------------------------------- errors and notices

/** What went wrong. */
export type ErrorKind =
  /** The request did not reach the server, or the connection broke. */
  | 'network'
  /** Known to be offline. */
  | 'offline'
  /** One attempt's, or the whole call's, time ran out; 408. */
  | 'timeout'
  /** The caller's signal, dispose(), or an account switch that ended the old user's requests. */
  | 'aborted'
  /** 401, and the session endpoint confirmed that nobody is signed in. */
  | 'unauthenticated'
  /** 401, but the session could not be verified; nobody is logged out. */
  | 'authUnknown'
  /** 403; 401 again although the session was just confirmed. */
  | 'forbidden'
  /** 404, 410. */
  | 'notFound'
  /** 409, 412. */
  | 'conflict'
  /** 426: the server refuses this page's version; version sync takes over. */
  | 'outdated'
  /** 400, 422 and other 4xx; with status 0: a URL, header or body that cannot be sent, or a hook that threw (`cause`). */
  | 'invalid'
  /** 429. */
  | 'rateLimited'
  /** 425, 502, 503, 504. */
  | 'unavailable'
  /** Other 5xx. */
  | 'server'
  /** Not sent: the circuit breaker is open. */
  | 'circuitOpen'
  /** Not sent: dropped from the bounded queue. */
  | 'queueFull'
  /** 413, or a response body over maxBodyBytes. */
  | 'tooLarge'
  /** A body that is not what was asked for. */
  | 'parse'
  /** The WebAssembly module is not available. */
  | 'runtime';

/** Something a person should be told. */
export interface Notice {
  /** `'warning'`: passes by itself; `'error'`: something did not work. */
  level: 'info' | 'warning' | 'error';
  /** The failure's kind, or what else happened. */
  kind:
    | ErrorKind
    | 'retrying'
    | 'updateAvailable'
    | 'signedOut'
    | 'accountChanged'
    | 'draftConflict'
    | 'draftRestored'
    | 'backOnline';
  /** Worded for a person; holds no URL and nothing that the server said. */
  message: string;
  /** Equal ids replace each other (sonner's `toast(message, { id })`), so that a storm of failures shows one toast. */
  id: string;
  /** The failure that it is about, or null. */
  error: StabilityError | null;
}

// ---------------------------------------------------------------- API client

/** Headers for every request, or a function that is asked for them each time. */
export type HeadersConfig =
  | Record<string, string>
  | (() => Record<string, string> | Promise<Record<string, string>>);

/** The API client's configuration. */
export interface ApiConfig {
  /** Retries after the first attempt, 0 to 20. Default 3, so at most 4 requests. */
  retries?: number;
  /** Silence in one attempt: until the headers, and again between two pieces of the body. Default 30_000. */
  timeoutMs?: number;
  /** For the whole call, waits included. Default 90_000. */
  deadlineMs?: number;
  /** The wait before retry n is drawn from 0 to min(maxMs, baseMs · factorⁿ). Defaults 300, 2, 30_000, `'full'`. */
  backoff?: { baseMs?: number; factor?: number; maxMs?: number; jitter?: 'full' | 'none' };
  /** What is retried besides network failures and timeouts. Default 408, 425, 429, 500, 502, 503, 504. */
  retryStatuses?: number[];
  /** For each origin: a retry costs `cost`, a success gives `refund` back, up to `capacity`. Defaults 30, 1, 0.2. */
  retryBudget?: { capacity?: number; cost?: number; refund?: number } | false;
  /** Opens after `consecutive` failures, or a `ratio` of at least `minimum` within `windowMs`; for `openMs`, doubling up to `maxOpenMs`. Defaults 5, 0.5, 10, 30_000, 5_000, 60_000. */
  breaker?:
    | {
        consecutive?: number;
        ratio?: number;
        minimum?: number;
        windowMs?: number;
        openMs?: number;
        maxOpenMs?: number;
      }
    | false;
  /** Requests in flight for each origin. Default 16. */
  maxConcurrent?: number;
  /** A token bucket for each origin. Defaults 50, 100. */
  rateLimit?: { perSecond?: number; burst?: number } | false;
  /** Calls that may wait for a slot; the newest of the lowest priority beyond it fails with `'queueFull'`. Default 512. */
  maxQueued?: number;
  /** Of a response that is read for the caller; `parse: 'stream'` is not limited, and timed until its headers. Default 32 MiB. */
  maxBodyBytes?: number;
  /** Sent to the page's origin, baseUrl's and trustedOrigins, to nobody else; so are CSRF and the version header. */
  headers?: HeadersConfig;
  /** Absolute http(s) origins. Only they, and the page's own, are paged to by Link, cause session checks on 401, and feed version and breaker. */
  trustedOrigins?: string[];
  /** Default `'same-origin'`. */
  credentials?: RequestCredentials;
  /** Copies the cookie into the header on unsafe same-origin requests. Default false. */
  csrf?: { cookie: string; header: string } | false;
  /** The offline queue is not in this version yet. */
  offlineQueue?: false;
  /** The response cache is not in this version yet. */
  cache?: false;
  /** Warns on the console when a response to a credentialed request may be stored by a cache. Default: only in development builds. */
  auditCacheControl?: boolean;
  /** Sees, and may replace, each request. `attempt` counts from 1. What it throws becomes a failure of kind `'invalid'`. */
  onRequest?: (request: Request, context: { attempt: number }) => Request | void | Promise<Request | void>;
  /** Sees, and may replace, each response. What it throws becomes a failure of kind `'invalid'`. */
  onResponse?: (response: Response, request: Request) => Response | void | Promise<Response | void>;
}

/** critical goes before normal before background; background waits while the page is hidden, degraded or offline. */
export type Priority = 'critical' | 'normal' | 'background';

/** What one call may say. */
export interface RequestOptions {
  /** Added to, and stronger than, those of the configuration. */
  headers?: HeadersInit;
  /** Arrays repeat the key; null and undefined are left out. */
  query?: Record<string, string | number | boolean | null | undefined | Array<string | number | boolean>>;
  /** Ends the call at once, with a failure of kind `'aborted'`, also while it waits. */
  signal?: AbortSignal;
  /** As `api.timeoutMs`. */
  timeoutMs?: number;
  /** As `api.deadlineMs`. */
  deadlineMs?: number;
  /** As `api.retries`. */
  retries?: number;
  /** true makes one UUID for the call; it is sent as Idempotency-Key on every attempt, and makes POST and PATCH retryable. So does such a header. */
  idempotencyKey?: string | true;
  /** Default `'normal'`. */
  priority?: Priority;
  /** Shares one request with equal calls. Default true for GET and HEAD. */
  dedupe?: boolean;
  /** How the body is read; it types the data. Default `'auto'`: by the response's content type. */
  parse?: 'auto' | 'json' | 'text' | 'blob' | 'arrayBuffer' | 'stream' | 'none';
  /** Any Standard Schema (zod, valibot, arktype): the data is what it returns; a mismatch is kind `'parse'` with its issues as the cause. */
  schema?: StandardSchemaV1<unknown, any>;
  /** false: no notice for this call. Aborts and `'invalid'` with status 400 or 422 give none anyway. Default true. */
  notify?: boolean;
  /** As `api.credentials`. */
  credentials?: RequestCredentials;
  /** The offline queue is not in this version yet: a call that cannot be sent fails. */
  whenOffline?: 'fail';
  /** The request may outlive the page. Browsers allow 64 KiB for all of them together. */
  keepalive?: boolean;
}

/** What the data is for each `parse` that settles it. */
export interface ParsedBody {
  /** Decoded as UTF-8. */
  text: string;
  /** Of the response's content type. */
  blob: Blob;
  /** The bytes. */
  arrayBuffer: ArrayBuffer;
  /** null where the response has no body. */
  stream: ReadableStream<Uint8Array> | null;
  /** The body is read to its end and dropped. */
  none: null;
}

/** What a Standard Schema returns. */
export type SchemaOutput<S extends StandardSchemaV1> = NonNullable<S['~standard']['types']>['output'];

/** The outcome of a call: a failure is a value. Tell them apart by `ok`. */
export type ApiResult<T> = ApiSuccess<T> | ApiFailure;

/** The call succeeded. */
export interface ApiSuccess<T> {
  /** There is `data`. */
  ok: true;
  /** The body, read as `parse` says; what `schema` returned, where there is one. */
  data: T;
  /** There is none. */
  error: null;
  /** The response's status. */
  status: number;
  /** The response's headers. */
  headers: Headers;
  /** How it came about. */
  meta: ResultMeta;
}

/** The call failed. */
export interface ApiFailure {
  /** There is an `error`. */
  ok: false;
  /** There is none. */
  data: null;
  /** What went wrong: branch on its `kind`, show `formatError(error)`. */
  error: StabilityError;
  /** 0 where no response came. */
  status: number;
  /** null where no response came. */
  headers: Headers | null;
  /** How it came about. */
  meta: ResultMeta;
}

/** How a call came to its outcome. */
export interface ResultMeta {
  /** How many requests were sent. */
  attempts: number;
  /** From the call to its outcome. */
  durationMs: number;
  /** `'no'` while there is no cache. */
  fromCache: 'no' | 'fresh' | 'revalidated' | 'stale';
  /** A follower of another call's request. */
  shared: boolean;
  /** Stored on this device, to be sent later. */
  queued: boolean;
}

/** GET or DELETE. */
export interface ReadVerb {
  <S extends StandardSchemaV1>(
    url: string | URL,
    options: RequestOptions & { schema: S },
  ): Promise<ApiResult<SchemaOutput<S>>>;
  <P extends keyof ParsedBody>(
    url: string | URL,
    options: RequestOptions & { parse: P },
  ): Promise<ApiResult<ParsedBody[P]>>;
  <T = unknown>(url: string | URL, options?: RequestOptions): Promise<ApiResult<T>>;
}

/** POST, PUT or PATCH. Bodies: string, FormData, URLSearchParams, Blob, buffers and streams go as they are; everything else as JSON. */
export interface WriteVerb {
  <S extends StandardSchemaV1>(
    url: string | URL,
    body: unknown,
    options: RequestOptions & { schema: S },
  ): Promise<ApiResult<SchemaOutput<S>>>;
  <P extends keyof ParsedBody>(
    url: string | URL,
    body: unknown,
    options: RequestOptions & { parse: P },
  ): Promise<ApiResult<ParsedBody[P]>>;
  <T = unknown>(url: string | URL, body?: unknown, options?: RequestOptions): Promise<ApiResult<T>>;
}

/** Any method, the name of which comes first. Otherwise as `WriteVerb`. */
export interface AnyVerb {
  <S extends StandardSchemaV1>(
    method: string,
    url: string | URL,
    body: unknown,
    options: RequestOptions & { schema: S },
  ): Promise<ApiResult<SchemaOutput<S>>>;
  <P extends keyof ParsedBody>(
    method: string,
    url: string | URL,
    body: unknown,
    options: RequestOptions & { parse: P },
  ): Promise<ApiResult<ParsedBody[P]>>;
  <T = unknown>(
    method: string,
    url: string | URL,
    body?: unknown,
    options?: RequestOptions,
  ): Promise<ApiResult<T>>;
}

/** What `fetch` takes: everything that window.fetch takes, and the options of a call. */
export interface FetchInit
  extends Omit<RequestInit, keyof RequestOptions>,
    Omit<RequestOptions, 'priority' | 'signal'> {
  /** Ours, or what window.fetch takes, which says nothing about ours. */
  priority?: Priority | RequestPriority;
  /** Ends the call at once: it rejects with the signal's reason. */
  signal?: AbortSignal | null;
}

/** The API client. The verbs never throw and never reject: a failure is a value. */
export interface ApiClient {
  /** Shares one request with equal calls. */
  readonly get: ReadVerb;
  /** The response's headers only. */
  head(url: string | URL, options?: RequestOptions): Promise<ApiResult<null>>;
  /** Retried with an idempotency key only. */
  readonly post: WriteVerb;
  /** Retried as GET is. */
  readonly put: WriteVerb;
  /** Retried with an idempotency key only. */
  readonly patch: WriteVerb;
  /** Retried as GET is. */
  readonly delete: ReadVerb;
  /** Any other method. */
  readonly request: AnyVerb;
  /**
   * A drop-in for window.fetch with all of the above, for TanStack Query, SWR, openapi-fetch, axios' fetch adapter: resolves to the last
   * Response whatever its status, rejects with AbortError, TimeoutError or TypeError as fetch does.
   */
  fetch(input: RequestInfo | URL, init?: FetchInit): Promise<Response>;
  /**
   * Pages one after another, never more than `limit` items each (a longer answer is split): by `?cursor=`, by `?page=` from 1 until a page is
   * short, or by the Link header's rel="next"; `?limit=` is sent along. Throws the StabilityError of a page that fails.
   */
  pages<T = unknown>(url: string | URL, options: PageOptions<T>): AsyncIterable<T[]>;
  /** For one global loading bar. */
  readonly activity: Store<ApiActivity>;
}

/** What the API client is busy with. */
export interface ApiActivity {
  /** Calls not settled, waits included. */
  pending: number;
  /** Those of them that wait for a slot. */
  queued: number;
  /** Calls stored on this device, to be sent later. */
  offline: number;
}

/** What `pages` takes. */
export interface PageOptions<T> extends RequestOptions {
  /** The most items in a page, at least 1. */
  limit: number;
  /** Default 1_000. */
  maxPages?: number;
  /** Default `'cursor'`. */
  by?: 'cursor' | 'page' | 'link';
  /** Default: the body when it is an array, else its `items`, `data` or `results`. */
  items?: (body: any) => T[];
  /** The next cursor; null ends. Default: the body's `nextCursor` or `next_cursor`. */
  next?: (body: any, headers: Headers) => string | number | null;
}

/** The field's common schema interface (standardschema.dev). */
export interface StandardSchemaV1<In = unknown, Out = In> {
  /** What the schema's library fills in: how it validates, and the types that it has before and after. */
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: In; readonly output: Out } | undefined;
  };
}

// ---------------------------------------------------------------- connection, diagnostics

/** How the state of the connection is judged. */
export interface ConnectionConfig {
  /** So many failures in a row make it `'degraded'`. Default 2. */
  degradedAfterFailures?: number;
  /** Between two probes of the version endpoint, or else the session's, while it is degraded. Default 10_000. */
  probeMs?: number;
}

/** The connection to the server, and since when it is so. */
export interface ConnectionState {
  /** `'degraded'`: requests fail, though the device has a network. */
  status: 'online' | 'degraded' | 'offline';
  /** Epoch milliseconds. */
  since: number;
}

/** Something that happened. Details are numbers, booleans, null and short strings. */
export interface DiagnosticEvent {
  /** Epoch milliseconds. */
  at: number;
  /** `'request'`, `'response'`, `'retry'`, `'breaker'` and so on. */
  type: string;
  [detail: string]: unknown;
}

/** The newest 200 events and all counters. */
export interface Diagnostics {
  /** evenkeel's own version. */
  version: string;
  /** The newest is the last. */
  events: DiagnosticEvent[];
  /** By name; at most 100 names. */
  counters: Record<string, number>;
}
