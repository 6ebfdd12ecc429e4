/**
 * The API client: verbs whose failures are values, and a drop-in for fetch.
 */
import { drainBody, isHtml, parseBody, parseErrorBody, validate } from './body.js';
import type { Ask, Calls } from './calls.js';
import { checkFetch, checkRequest } from './config.js';
import { type ErrorFields, StabilityError } from './errors.js';
import type { Outcome } from './flight.js';
import type { Notices } from './notices.js';
import { createPages } from './pages.js';
import type { Plan, Requests } from './request.js';
import type {
  ApiActivity,
  ApiClient,
  ApiFailure,
  ApiResult,
  FetchInit,
  RequestOptions,
  ResultMeta,
  Store,
} from './types.js';

const NONE: RequestOptions = {};

/** The verbs, `fetch` and `pages` on top of calls. */
export function createApi(
  requests: Requests,
  calls: () => Calls,
  notices: Notices,
  activity: Store<ApiActivity>,
  nextLink: (header: string) => string | undefined,
): ApiClient {
  const meta = (started: number, attempts = 0, shared = false): ResultMeta => ({
    attempts,
    durationMs: performance.now() - started,
    fromCache: 'no',
    shared,
    queued: false,
  });

  function failed(
    error: StabilityError,
    headers: Headers | null,
    meta: ResultMeta,
    notify = true,
  ): ApiFailure {
    if (notify) notices.failure(error);
    return { ok: false, data: null, error, status: error.status, headers, meta };
  }

  async function request(
    method: string,
    url: string | URL,
    body?: unknown,
    given?: RequestOptions,
  ): Promise<ApiResult<any>> {
    const started = performance.now();
    let options = NONE;
    let plan: Plan;
    try {
      method = method.toUpperCase();
      options = checkRequest(given);
      plan = requests.plan(method, url, body, options);
    } catch (cause) {
      const error = new StabilityError('invalid', { method: textOf(method), url: textOf(url), cause });
      return failed(error, null, meta(started), options.notify);
    }
    const { parse = 'auto', schema } = options;
    const streams = parse === 'stream';
    const wantsData = method !== 'HEAD' && (parse === 'auto' || parse === 'json');
    const outcome = await calls().make(plan, {
      options,
      streams,
      wantsData,
      share: sharing(method, options, streams ? 'stream' : '', plan),
    });
    const { kind, response, shared, attempts } = outcome;
    // What would have been streamed is an error: its body is for the error.
    if (streams && kind && response?.body && !outcome.bytes && !response.bodyUsed)
      outcome.bytes = await errorBytes(response, options.timeoutMs);
    const { bytes } = outcome;
    const error = kind && errorOf(kind, method, plan.url, outcome);
    if (error)
      return failed(error, response && response.headers, meta(started, attempts, shared), options.notify);
    const { status, headers } = response!;
    const fields: ErrorFields = {
      method,
      url: plan.url,
      status,
      attempts,
      requestId: headers.get('x-request-id'),
    };
    try {
      let data: unknown = null;
      // Said by the engine, unless an equal call that wanted text shares the request.
      if (wantsData && isHtml(response!)) throw new TypeError('HTML in place of data');
      if (streams) data = handOn(response!, options.signal, outcome.copied).body;
      else if (method !== 'HEAD') data = parseBody(bytes!, response!, parse);
      if (schema) data = await validate(schema, data, fields);
      return {
        ok: true,
        data,
        error: null,
        status,
        headers: shared ? new Headers(headers) : headers,
        meta: meta(started, attempts, shared),
      };
    } catch (cause) {
      const error =
        cause instanceof StabilityError ? cause : new StabilityError('parse', { ...fields, cause });
      return failed(error, headers, meta(started, attempts, shared), options.notify);
    }
  }

  async function fetchLike(input: RequestInfo | URL, init?: FetchInit): Promise<Response> {
    const started = input instanceof Request ? input : undefined;
    let plan: Plan;
    let ask: Ask;
    try {
      const options = checkFetch(init) as FetchInit & RequestOptions;
      const own = fetchOwn(options);
      const method = (init?.method ?? started?.method ?? 'GET').toUpperCase();
      const priority = /^(critical|normal|background)$/.test(options.priority ?? '')
        ? options.priority
        : undefined;
      const signal = init?.signal === undefined ? started?.signal : (init.signal ?? undefined);
      if (signal && !('addEventListener' in signal))
        throw new TypeError('init.signal must be an AbortSignal');
      const asked = {
        ...options,
        priority,
        signal,
        credentials: init?.credentials ?? undefined,
        headers: init?.headers ?? undefined,
      } as RequestOptions;
      plan = requests.plan(method, started?.url ?? (input as string | URL), undefined, asked, own, started);
      // What else fetch was told (its cache mode, say) makes it another request.
      const plainly = Object.keys(own).every((name) => /^(method|headers|credentials|signal)$/.test(name));
      const { redirect, mode, cache, integrity, referrer } = started ?? {};
      const modes = `fetch ${[redirect, mode, cache, integrity, referrer]}`;
      const share = plainly && !started?.body ? sharing(method, asked, modes, plan) : '';
      ask = { options: asked, streams: true, wantsData: false, share };
    } catch (cause) {
      throw cause instanceof TypeError ? cause : new TypeError('Failed to fetch', { cause });
    }
    const outcome = await calls().make(plan, ask);
    const { kind, response, bytes } = outcome;
    const error = kind && errorOf(kind, plan.method, plan.url, outcome);
    if (error && ask.options.notify !== false) notices.failure(error);
    if (response)
      return kind && (bytes || response.bodyUsed)
        ? rebuilt(response, bytes)
        : handOn(response, ask.options.signal, outcome.copied);
    if (kind === 'aborted')
      throw outcome.cause ?? new DOMException('The client was disposed of', 'AbortError');
    if (kind === 'timeout') throw new DOMException('The operation timed out', 'TimeoutError');
    throw new TypeError('Failed to fetch', { cause: error });
  }

  const verb = (method: string) => (url: string | URL, options?: RequestOptions) =>
    request(method, url, undefined, options);
  const write = (method: string) => (url: string | URL, body?: unknown, options?: RequestOptions) =>
    request(method, url, body, options);
  const api = {
    get: verb('GET'),
    head: verb('HEAD'),
    post: write('POST'),
    put: write('PUT'),
    patch: write('PATCH'),
    delete: verb('DELETE'),
    request,
    fetch: fetchLike,
    activity,
  };
  return { ...api, pages: createPages(api.get, requests, nextLink) };
}

/** For an error's fields: what was given in the place of a string may refuse to be one. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

/** What belongs to fetch and not to us. */
function fetchOwn(init: object): RequestInit {
  const own: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(init)) {
    if (!OURS.test(name) && value !== undefined) own[name] = value;
  }
  return own;
}
const OURS =
  /^(query|timeoutMs|deadlineMs|retries|idempotencyKey|priority|dedupe|parse|schema|notify|whenOffline)$/;

/** What tells apart calls that may share a request; '' for one that stays alone. */
function sharing(method: string, options: RequestOptions, modes: string, { init }: Plan): string {
  if (!(options.dedupe ?? true) || !/^(GET|HEAD)$/.test(method) || init.body || options.keepalive) return '';
  // A caller with other patience is no equal caller: it would get another's failure.
  return `${init.credentials} ${options.retries ?? ''} ${options.timeoutMs ?? ''} ${modes}`;
}

function errorOf(
  kind: NonNullable<Outcome['kind']>,
  method: string,
  url: string,
  outcome: Outcome,
): StabilityError {
  const { response, bytes, cause, attempts, retryAfterMs } = outcome;
  if (kind === 'runtime' && cause instanceof StabilityError)
    return new StabilityError(kind, { method, url, attempts, cause: cause.cause });
  return new StabilityError(kind, {
    method,
    url,
    attempts,
    retryAfterMs,
    ...(cause !== undefined && { cause }),
    ...(response && {
      status: response.status,
      requestId: response.headers.get('x-request-id'),
      body: parseErrorBody(bytes, response),
    }),
  });
}

/** A little of a body that would have been streamed, in bounded time. */
async function errorBytes(response: Response, timeoutMs = ERROR_BODY_MS): Promise<Uint8Array> {
  return (await drainBody(response, AbortSignal.timeout(timeoutMs)))[1];
}
const ERROR_BODY_MS = 5_000;

/** A response whose body was read for its error, made readable again. */
function rebuilt(response: Response, bytes: Uint8Array | undefined): Response {
  const { status, statusText, headers } = response;
  return dress(
    new Response(bytes?.length ? (bytes as Uint8Array<ArrayBuffer>) : null, { status, statusText, headers }),
    response,
  );
}

/** A response of the caller's own; where others read copies of it, its signal ends this one alone. */
function handOn(response: Response, signal: AbortSignal | undefined, copied: boolean | undefined): Response {
  return copied && signal && response.body
    ? dress(new Response(response.body.pipeThrough(new TransformStream(), { signal }), response), response)
    : response;
}

/** A Response made by script forgets where it came from. */
function dress(made: Response, { url, redirected, type }: Response): Response {
  for (const [name, value] of Object.entries({ url, redirected, type }))
    Object.defineProperty(made, name, { value });
  return made;
}
