/**
 * Options. One table says what each may be and what it is when left out; checking and defaults both come from it.
 *
 * What is wrong throws at once, a TypeError or a RangeError that names the option, the value given and what is allowed. Values are shown
 * short, and not at all where they may be secret.
 */
import type {
  ApiConfig,
  DraftOptions,
  EventsOptions,
  FetchInit,
  HeadersConfig,
  PageOptions,
  Priority,
  RequestOptions,
  SessionConfig,
  StabilityConfig,
  StandardSchemaV1,
} from './types.js';

type Mismatch = 'reload' | 'prompt' | 'ignore';

/** Checks a value and returns what is used in its place. `also` is what else is allowed, for the message. */
type Check<T> = (value: unknown, path: string, also?: string) => T;
type Checks = Record<string, Check<unknown>>;
type Checked<C extends Checks> = { [K in keyof C]: ReturnType<C[K]> };

// ---------------------------------------------------------------- what is said of a wrong one

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const isRecord = (value: unknown): value is Record<string, unknown> => tagOf(value) === 'Object';

/** Throws. Numbers and plain short strings are shown, of anything else what it is: headers, bodies and what holds @ ? # may be secret. */
function refuse(path: string, allowed: string, value: unknown, right?: boolean): never {
  const text = typeof value === 'string' && /^[\w ./:+-]{0,40}$/.test(value) && !/eaders|body/.test(path);
  const shown = text ? `'${value}'` : /^[nb]/.test(typeof value) ? value : tagOf(value).toLowerCase();
  throw new (right ? RangeError : TypeError)(`evenkeel: ${path} must be ${allowed}, got ${shown}`);
}

/** Throws on what is no object, and on names that no option has. Returns what the paths of its options begin with. */
function open(checks: Checks, value: unknown, path: string, also = ''): string {
  if (!isRecord(value)) refuse(path || 'the configuration', `an object${also}`, value);
  path += path && '.';
  for (const name in value)
    if (!Object.hasOwn(checks, name))
      throw new TypeError(`evenkeel: ${path}${name} is not an option of this version`);
  return path;
}

// ---------------------------------------------------------------- what a value may be

/** Stands for a default where there is none. */
const NEEDED = {} as never;

/** The right type, a test within it, and the default. */
const is =
  <T, D = T>(type: string, allowed: string, test?: (value: T) => unknown, standard?: D): Check<T | D> =>
  (value, path, also = '') => {
    if (value === undefined && standard !== NEEDED) return standard as D;
    const right = typeof value === type && value !== null;
    return right && (!test || test(value as T)) ? (value as T) : refuse(path, allowed + also, value, right);
  };

const number = (standard: number, min: number, max = 2 ** 31 - 1, what = '') =>
  is<number>(
    'number',
    `a ${what}number from ${min} to ${max}`,
    (n) => n >= min && n <= max && (!what || Number.isInteger(n)),
    standard,
  );
const whole = (standard: number, min = 1, max?: number) => number(standard, min, max, 'whole ');
/** A duration; it may have a fraction. The least is 1 where 0 would leave no time to do anything. */
const ms = (standard: number, min = 1) => number(standard, min);

const bool = is<boolean, undefined>('boolean', 'true or false');
const flag = (standard: boolean) => is<boolean>('boolean', 'true or false', undefined, standard);
const fn = <F>() => is<F, undefined>('function', 'a function');

const string = <D = string>(allowed: string, pattern: RegExp, standard?: D) =>
  is<string, D>('string', allowed, (text) => pattern.test(text), standard);
const oneOf = <T extends string, D = undefined>(values: string, standard?: D) =>
  string(`one of ${values}`, RegExp(`^(${values})$`), standard) as Check<T | D>;
const token = (standard: string = NEEDED) => string('a legal name', /^[\w!#$%&'*+.^`|~-]+$/, standard);
const headerValue = string('a legal header value', /^[^\0\r\n\u0100-\uffff]*$/, NEEDED);
/** A header value that arrives as it was sent. */
const ascii = (max: number) =>
  string(`1 to ${max} printable ASCII characters`, RegExp(`^(?=.{1,${max}}$)[!-~]+( +[!-~]+)*$`), NEEDED);

const parse = (text: string, base?: string) => {
  try {
    return new URL(text, base);
  } catch {
    return;
  }
};
const isHttp = /^https?:/;
/** Relative ones are resolved when there is a document. */
const url = <D = undefined>(standard?: D) =>
  is<string, D>('string', 'an http(s) URL', (text) => isHttp.test(`${parse(text, 'http://-')}`), standard);
const absolute = url<never>(NEEDED);
const urlOrText: Check<string> = (value, path) => absolute(tagOf(value) === 'URL' ? `${value}` : value, path);
const origin = is<string>(
  'string',
  "an origin such as 'https://api.example.com'",
  (text) => {
    const url = parse(text);
    return url && isHttp.test(text) && url.href === `${url.origin}/`;
  },
  NEEDED,
);

const list =
  <T>(item: Check<T>, standard: T[]): Check<T[]> =>
  (value = standard, path) =>
    Array.isArray(value)
      ? Array.from(value, (one, i) => item(one, `${path}[${i}]`))
      : refuse(path, 'an array', value);
const origins = list((value, path) => new URL(origin(value, path)).origin, []);

const headers: Check<HeadersConfig | undefined> = (value, path) => {
  if (!isRecord(value)) return is<HeadersConfig>('function', 'an object or a function')(value, path);
  for (const name in value) headerValue(value[name], `${path}.${token()(name, `each name in ${path}`)}`);
  return value as HeadersConfig;
};

const off =
  <T>(check: Check<T>, standard?: false): Check<T | false> =>
  (value = standard, path) =>
    value === false ? value : check(value, path, ' or false');

/** What comes with a later version is refused rather than ignored. */
const later =
  (allowed?: unknown): Check<undefined> =>
  (value, path) =>
    value === undefined || value === allowed
      ? undefined
      : refuse(
          path,
          `${allowed === undefined ? '' : `${allowed} or `}left out (not in this version yet)`,
          value,
        );

/** An object of options: unknown names are refused, and what is left out gets its default. */
const group =
  <C extends Checks>(checks: C): Check<Checked<C>> =>
  (value = {}, path, also) => {
    const prefix = open(checks, value, path, also);
    const settings: Record<string, unknown> = {};
    for (const name in checks) {
      const used = checks[name]!((value as Record<string, unknown>)[name], prefix + name);
      if (used !== undefined) settings[name] = used;
    }
    return settings as Checked<C>;
  };

// ---------------------------------------------------------------- the tables

const jitter = oneOf<'full' | 'none', 'full'>('full|none', 'full');

const api = {
  retries: whole(3, 0, 20),
  timeoutMs: ms(30_000),
  deadlineMs: ms(90_000),
  backoff: group({
    baseMs: ms(300, 0),
    factor: number(2, 1),
    maxMs: ms(30_000, 0),
    jitter,
  }),
  retryStatuses: list(whole(NEEDED, 100, 599), [408, 425, 429, 500, 502, 503, 504]),
  retryBudget: off(group({ capacity: number(30, 0), cost: number(1, 0), refund: number(0.2, 0) })),
  breaker: off(
    group({
      consecutive: whole(5),
      ratio: number(0.5, 0.001, 1),
      minimum: whole(10),
      windowMs: ms(30_000),
      openMs: ms(5_000),
      maxOpenMs: ms(60_000),
    }),
  ),
  maxConcurrent: whole(16),
  rateLimit: off(group({ perSecond: number(50, 0.001), burst: whole(100) })),
  maxQueued: whole(512, 0),
  maxBodyBytes: whole(32 * 2 ** 20),
  headers,
  trustedOrigins: origins,
  credentials: oneOf<RequestCredentials, 'same-origin'>('same-origin|include|omit', 'same-origin'),
  csrf: off(group({ cookie: token(), header: token() }), false),
  offlineQueue: later(false),
  cache: later(false),
  auditCacheControl: bool,
  onRequest: fn<NonNullable<ApiConfig['onRequest']>>(),
  onResponse: fn<NonNullable<ApiConfig['onResponse']>>(),
};

const events = {
  backoff: group({ baseMs: ms(1_000), maxMs: ms(30_000), jitter }),
  firstByteMs: ms(10_000),
  stableMs: ms(10_000),
  spreadMs: ms(10_000, 0),
  watchdogMs: ms(75_000),
  maxEventBytes: whole(8 * 2 ** 20),
  dedupeIds: whole(1_024, 0, 65_536),
};

const drafts = {
  endpoint: off(url('/api/drafts')),
  debounceMs: ms(2_000, 0),
  maxWaitMs: ms(10_000, 0),
  ttlMs: number(604_800_000, 1, 1e12),
  maxBytes: whole(2 ** 20),
  userKey: fn<() => string | null>(),
};

const configuration = group({
  name: string('1 to 64 characters', /^.{1,64}$/s, 'evenkeel'),
  wasm: (value, path) =>
    (/.Array|Buffer|View|URL|Response|Promise|y.Module/.test(tagOf(value))
      ? value
      : is('string', 'a URL, Response, buffer or WebAssembly.Module')(
          value,
          path,
        )) as StabilityConfig['wasm'],
  baseUrl: url<undefined>(),
  startTimeoutMs: ms(3_000, 0),
  redactUrl: fn<NonNullable<StabilityConfig['redactUrl']>>(),
  onNotice: fn<NonNullable<StabilityConfig['onNotice']>>(),
  api: group(api),
  session: off(
    group({
      endpoint: url('/api/auth/session'),
      confirmations: whole(3, 1, 10),
      confirmAfterMs: ms(2_000, 0),
      verifyTimeoutMs: ms(10_000),
      activeMs: ms(300_000),
      idleMs: ms(900_000),
      idleAfterMs: ms(300_000),
      stopAfterIdleMs: off(ms(28_800_000)),
      initialSession: (value) => value,
      identify: fn<NonNullable<SessionConfig['identify']>>(),
      parse: fn<NonNullable<SessionConfig['parse']>>(),
      signOut: fn<() => Promise<void>>(),
      bridgeNextAuth: flag(true),
    }),
    false,
  ),
  version: off(
    group({
      current: ascii(128),
      header: token('X-App-Version'),
      endpoint: off(url('/api/version')),
      pollMs: off(ms(300_000)),
      onMismatch: (value = 'reload', path) =>
        typeof value === 'function'
          ? (value as (latest: string) => Mismatch)
          : oneOf<Mismatch>('reload|prompt|ignore')(value, path, ' or a function')!,
      trustedOrigins: origins,
      idleMs: ms(3_000, 0),
      spreadMs: ms(10_000, 0),
      loopGuardMs: ms(600_000),
      flushTimeoutMs: ms(5_000),
      beforeReload: fn<() => void | Promise<void>>(),
      reload: fn<() => void>(),
      recoverChunkErrors: flag(true),
    }),
    false,
  ),
  connection: group({ degradedAfterFailures: whole(2), probeMs: ms(10_000) }),
  drafts: off(group(drafts)),
  tabs: off(group({ heartbeatMs: ms(1_000), takeoverMs: ms(5_000) })),
  events: group(events),
});

/** The configuration with every default filled in. */
export type Settings = ReturnType<typeof configuration>;

/** Throws on what is wrong, and fills in what is left out. */
export const checkConfig = (config: unknown): Settings => configuration(config, '');

const stream = group({
  ...events,
  withCredentials: flag(false),
  headers,
  method: oneOf<'GET' | 'POST', 'GET'>('GET|POST', 'GET'),
  body: is<string, undefined>('string', 'a string'),
  lastEventId: string('a string without line breaks', /^[^\0\r\n]*$/, ''),
  shared: flag(false),
  pauseHiddenAfterMs: off(ms(NEEDED, 0), false),
  poll: off(group({ url: urlOrText, intervalMs: ms(5_000) }), false),
  strict: flag(false),
  stability: () => undefined, // the class looks at it
} satisfies Record<keyof EventsOptions | 'stability', Check<unknown>>);

/** A stream's options with every default filled in. */
export type EventsSettings = ReturnType<typeof stream>;

/** Where nothing was given, the default of the configuration stands. */
function inherit<T extends object>(settings: T, given: Partial<T> | undefined, defaults: Partial<T>): void {
  for (const name in defaults) {
    const standard = defaults[name]!;
    if (given?.[name] === undefined) settings[name] = standard;
    else if (typeof standard === 'object') inherit(settings[name] as object, given[name]!, standard);
  }
}

/** Throws on what is wrong with a stream's options, and fills in what is left out: the configuration's, `backoff` field by field. */
export function checkEvents(options: unknown, defaults: Settings['events']): EventsSettings {
  const settings = stream(options ?? {}, 'options');
  inherit<Partial<EventsSettings>>(settings, (options ?? {}) as Partial<EventsSettings>, defaults);
  const conflicts = [
    ...(settings.method === 'GET' ? (['body'] as const) : []),
    ...(settings.strict ? (['shared', 'pauseHiddenAfterMs', 'poll'] as const) : []),
  ];
  for (const name of conflicts) {
    const value = settings[name];
    if (value !== undefined && value !== false)
      refuse(`options.${name}`, `left out with ${name === 'body' ? "method 'GET'" : 'strict'}`, value, true);
  }
  return settings;
}

const draft = group({
  ...drafts,
  schemaVersion: whole(1, 0),
  migrate: fn<NonNullable<DraftOptions<unknown>['migrate']>>(),
  exclude: list(string('names, or dotted paths', /^[^.]+(\.[^.]+)*$/, NEEDED), []),
  excludeDefaults: flag(true),
  isEqual: fn<NonNullable<DraftOptions<unknown>['isEqual']>>(),
} satisfies Record<keyof DraftOptions<unknown>, Check<unknown>>);

const draftKey = string('1 to 256 characters', /^.{1,256}$/s, NEEDED);

/** A draft's options with every default filled in. */
export type DraftSettings = ReturnType<typeof draft>;

/** Throws on what is wrong with a draft's key or options, and fills in what is left out: the configuration's. */
export function checkDraft(key: unknown, options: unknown, defaults: Settings['drafts']): DraftSettings {
  draftKey(key, 'key');
  const settings = draft(options ?? {}, 'options');
  if (defaults) inherit<Partial<DraftSettings>>(settings, options as Partial<DraftSettings>, defaults);
  return settings;
}

const call = {
  headers: is('object', 'Headers or an object'),
  query(value, path) {
    if (!isRecord(value)) refuse(path, 'an object', value);
    for (const name in value) {
      for (const one of [value[name] ?? ''].flat()) {
        if (!/^[sb]/.test(typeof one) && !Number.isFinite(one))
          refuse(`${path}.${name}`, 'a string, number or boolean, or an array of them', one);
      }
    }
  },
  signal: is<object>(
    'object',
    'an AbortSignal',
    (signal) => 'aborted' in signal && 'addEventListener' in signal,
  ),
  timeoutMs: api.timeoutMs,
  deadlineMs: api.deadlineMs,
  retries: api.retries,
  idempotencyKey: (value, path) => value === true || ascii(255)(value, path, ' or true'),
  priority: oneOf<Priority>('critical|normal|background'),
  dedupe: bool,
  parse: oneOf('auto|json|text|blob|arrayBuffer|stream|none'),
  schema: (value, path) =>
    typeof (value as Partial<StandardSchemaV1> | null)?.['~standard']?.validate === 'function' ||
    refuse(path, 'a Standard Schema', value),
  notify: bool,
  credentials: api.credentials,
  cache: later(),
  whenOffline: later('fail'),
  keepalive: bool,
} satisfies Record<keyof RequestOptions | 'cache', Check<unknown>>;

const page = {
  ...call,
  limit: whole(NEEDED),
  maxPages: whole(NEEDED),
  by: oneOf('cursor|page|link'),
  items: fn(),
  next: fn(),
} satisfies Record<keyof PageOptions<unknown>, Check<unknown>>;

/** Throws on what is wrong with a call's options, and returns them; an empty object where there are none. Only what is given is looked at. */
export function checkRequest(options?: unknown, checks: Checks = call): RequestOptions {
  if (options === undefined) return {};
  const path = open(checks, options, 'options');
  for (const name in options as object) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) checks[name]!(value, path + name);
  }
  return options as RequestOptions;
}

/** As checkRequest, for pages. */
export function checkPages<T>(options: unknown): PageOptions<T> {
  const checked = checkRequest(options, page) as PageOptions<T>;
  page.limit(checked.limit, 'options.limit');
  return checked;
}

/** As checkRequest, for fetch: what is fetch's own is left to it, and so are names that nobody knows, as fetch ignores them. */
export function checkFetch(init: unknown): FetchInit {
  const given = (init ?? {}) as Record<string, unknown>;
  for (const name in call) {
    if (given[name] !== undefined && !/^(headers|signal|priority|credentials|cache|keepalive)$/.test(name))
      call[name as keyof typeof call](given[name], `init.${name}`);
  }
  return given;
}
