import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig, checkEvents, checkFetch, checkPages, checkRequest } from '../../js/config.js';

const DEFAULT_API = {
  retries: 3,
  timeoutMs: 30_000,
  deadlineMs: 90_000,
  backoff: { baseMs: 300, factor: 2, maxMs: 30_000, jitter: 'full' },
  retryStatuses: [408, 425, 429, 500, 502, 503, 504],
  retryBudget: { capacity: 30, cost: 1, refund: 0.2 },
  breaker: { consecutive: 5, ratio: 0.5, minimum: 10, windowMs: 30_000, openMs: 5_000, maxOpenMs: 60_000 },
  maxConcurrent: 16,
  rateLimit: { perSecond: 50, burst: 100 },
  maxQueued: 512,
  maxBodyBytes: 33_554_432,
  trustedOrigins: [],
  credentials: 'same-origin',
  csrf: false,
};
const DEFAULT_EVENTS = {
  backoff: { baseMs: 1_000, maxMs: 30_000, jitter: 'full' },
  firstByteMs: 10_000,
  stableMs: 10_000,
  spreadMs: 10_000,
  watchdogMs: 75_000,
  maxEventBytes: 8_388_608,
  dedupeIds: 1_024,
} as const;
const DEFAULTS = {
  name: 'evenkeel',
  startTimeoutMs: 3_000,
  api: DEFAULT_API,
  session: false,
  version: false,
  connection: { degradedAfterFailures: 2, probeMs: 10_000 },
  drafts: {
    endpoint: '/api/drafts',
    debounceMs: 2_000,
    maxWaitMs: 10_000,
    ttlMs: 604_800_000,
    maxBytes: 1_048_576,
  },
  tabs: { heartbeatMs: 1_000, takeoverMs: 5_000 },
  events: DEFAULT_EVENTS,
};

/** The configuration in which `value` stands at `path`. */
const at = (path: string, value: unknown): Record<string, unknown> =>
  path
    .split('.')
    .reduceRight<unknown>(
      (inside, name) =>
        name === 'version' && path !== 'version'
          ? { version: { current: '1', ...(inside as object) } }
          : { [name]: inside },
      value,
    ) as Record<string, unknown>;

/** What is used for it. */
const used = (path: string, value: unknown): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (inside, name) => (inside as Record<string, unknown>)[name],
      checkConfig(at(path, value)),
    );

function thrown(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

test('what is left out has the default of the contract', () => {
  assert.deepEqual(checkConfig(undefined), DEFAULTS);
  assert.deepEqual(checkConfig({}), DEFAULTS);
  assert.deepEqual(
    checkConfig({
      api: undefined,
      session: undefined,
      version: undefined,
      connection: undefined,
      name: undefined,
    }),
    DEFAULTS,
  );
  assert.deepEqual(
    checkConfig({
      api: {
        backoff: undefined,
        retryBudget: undefined,
        breaker: undefined,
        rateLimit: undefined,
        csrf: undefined,
      },
    }),
    DEFAULTS,
  );
  assert.deepEqual(checkConfig({ session: {} }).session, {
    endpoint: '/api/auth/session',
    confirmations: 3,
    confirmAfterMs: 2_000,
    verifyTimeoutMs: 10_000,
    activeMs: 300_000,
    idleMs: 900_000,
    idleAfterMs: 300_000,
    stopAfterIdleMs: 28_800_000,
    bridgeNextAuth: true,
  });
  assert.deepEqual(checkConfig({ version: { current: 'abc' } }).version, {
    current: 'abc',
    header: 'X-App-Version',
    endpoint: '/api/version',
    pollMs: 300_000,
    onMismatch: 'reload',
    trustedOrigins: [],
    idleMs: 3_000,
    spreadMs: 10_000,
    loopGuardMs: 600_000,
    flushTimeoutMs: 5_000,
    recoverChunkErrors: true,
  });
  assert.deepEqual(checkConfig({ api: { backoff: { factor: 3 } } }).api.backoff, {
    baseMs: 300,
    factor: 3,
    maxMs: 30_000,
    jitter: 'full',
  });
});

test('false turns off, and stays false', () => {
  const off = checkConfig({
    api: {
      retryBudget: false,
      breaker: false,
      rateLimit: false,
      csrf: false,
      cache: false,
      offlineQueue: false,
    },
    session: false,
    version: false,
    drafts: false,
    tabs: false,
  });
  assert.deepEqual(off, {
    ...DEFAULTS,
    api: { ...DEFAULT_API, retryBudget: false, breaker: false, rateLimit: false },
    drafts: false,
    tabs: false,
  });
  for (const path of ['version.endpoint', 'version.pollMs', 'session.stopAfterIdleMs'])
    assert.equal(used(path, false), false, path);
});

test('what is given is used', () => {
  const fn = (): never => {
    throw new Error('not called');
  };
  const given: Array<[string, unknown]> = [
    ['name', 'шоп'],
    ['baseUrl', 'https://api.example.com/v1/'],
    ['baseUrl', '/v1/'],
    ['baseUrl', '../v1'],
    ['startTimeoutMs', 0],
    ['redactUrl', fn],
    ['onNotice', fn],
    ['wasm', '/a.wasm'],
    ['wasm', new URL('https://x/a.wasm')],
    ['wasm', new Response()],
    ['wasm', Promise.resolve(new Response())],
    ['wasm', new ArrayBuffer(8)],
    ['wasm', new Uint8Array(8)],
    ['wasm', new DataView(new ArrayBuffer(8))],
    ['wasm', new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))],
    ['api.retries', 0],
    ['api.retries', 20],
    ['api.timeoutMs', 1],
    ['api.deadlineMs', 2 ** 31 - 1],
    ['api.backoff.baseMs', 0],
    ['api.backoff.factor', 1],
    ['api.backoff.maxMs', 0],
    ['api.backoff.jitter', 'none'],
    ['api.retryStatuses', []],
    ['api.retryStatuses', [100, 599]],
    ['api.retryBudget.capacity', 0.5],
    ['api.retryBudget.refund', 0],
    ['api.breaker.ratio', 1],
    ['api.breaker.ratio', 0.001],
    ['api.rateLimit.perSecond', 0.5],
    ['api.maxConcurrent', 1],
    ['api.maxQueued', 0],
    ['api.maxBodyBytes', 1],
    ['api.headers', {}],
    ['api.headers', { 'X-Tenant': 'a b', Empty: '' }],
    ['api.headers', fn],
    ['api.headers', async () => ({})],
    ['api.credentials', 'include'],
    ['api.credentials', 'omit'],
    ['api.csrf', { cookie: '__Host-csrf', header: 'X-CSRF' }],
    ['api.auditCacheControl', false],
    ['api.onRequest', fn],
    ['api.onResponse', fn],
    ['session.endpoint', 'https://auth.example.com/session'],
    ['session.confirmations', 1],
    ['session.confirmAfterMs', 0],
    ['session.identify', fn],
    ['session.parse', fn],
    ['session.signOut', fn],
    ['session.signOut', async () => {}],
    ['session.bridgeNextAuth', false],
    ['session.stopAfterIdleMs', 1],
    // What the server rendered with is looked at where the session is read, as an answer would be.
    ['session.initialSession', { user: { id: 'ada' }, expires: '2026-11-21T12:00:00Z' }],
    ['session.initialSession', null],
    ['session.initialSession', 'anything'],
    ['version.current', '1.2.3 (build 5)'],
    ['version.header', 'X-V'],
    ['version.endpoint', '/v'],
    ['version.pollMs', 1],
    ['version.onMismatch', 'reload'],
    ['version.onMismatch', 'prompt'],
    ['version.onMismatch', 'ignore'],
    ['version.onMismatch', fn],
    ['version.beforeReload', fn],
    ['version.beforeReload', async () => {}],
    ['version.reload', fn],
    ['version.recoverChunkErrors', false],
    ['connection.degradedAfterFailures', 1],
    ['connection.probeMs', 1],
    ['events.backoff.jitter', 'none'],
    ['events.maxEventBytes', 1],
  ];
  for (const [path, value] of given) assert.deepEqual(used(path, value), value, path);
  assert.equal(used('api.timeoutMs', 1_000.5), 1_000.5, 'a duration may have a fraction');
  for (const path of ['api.trustedOrigins', 'version.trustedOrigins'])
    assert.deepEqual(used(path, ['https://A.example.com:443', 'http://b.example.com:8080/']), [
      'https://a.example.com',
      'http://b.example.com:8080',
    ]);
});

const MS_FROM_0 = [
  'startTimeoutMs',
  'api.backoff.baseMs',
  'api.backoff.maxMs',
  'session.confirmAfterMs',
  'version.idleMs',
  'version.spreadMs',
  'events.spreadMs',
];
const MS_FROM_1 = [
  'api.timeoutMs',
  'api.deadlineMs',
  'api.breaker.windowMs',
  'api.breaker.openMs',
  'api.breaker.maxOpenMs',
  'session.verifyTimeoutMs',
  'session.activeMs',
  'session.idleMs',
  'session.idleAfterMs',
  'version.loopGuardMs',
  'version.flushTimeoutMs',
  'connection.probeMs',
  'tabs.heartbeatMs',
  'tabs.takeoverMs',
  'events.backoff.baseMs',
  'events.backoff.maxMs',
  'events.firstByteMs',
  'events.stableMs',
  'events.watchdogMs',
];
const WHOLE: Array<[string, number, number]> = [
  ['api.retries', 0, 20],
  ['api.breaker.consecutive', 1, 2 ** 31 - 1],
  ['api.breaker.minimum', 1, 2 ** 31 - 1],
  ['api.maxConcurrent', 1, 2 ** 31 - 1],
  ['api.rateLimit.burst', 1, 2 ** 31 - 1],
  ['api.maxQueued', 0, 2 ** 31 - 1],
  ['api.maxBodyBytes', 1, 2 ** 31 - 1],
  ['session.confirmations', 1, 10],
  ['connection.degradedAfterFailures', 1, 2 ** 31 - 1],
  ['events.maxEventBytes', 1, 2 ** 31 - 1],
  ['events.dedupeIds', 0, 65_536],
];
const AMOUNTS: Array<[string, number, number]> = [
  ['api.backoff.factor', 1, 2 ** 31 - 1],
  ['api.retryBudget.capacity', 0, 2 ** 31 - 1],
  ['api.retryBudget.cost', 0, 2 ** 31 - 1],
  ['api.retryBudget.refund', 0, 2 ** 31 - 1],
  ['api.breaker.ratio', 0.001, 1],
  ['api.rateLimit.perSecond', 0.001, 2 ** 31 - 1],
];

test('a number out of bounds is a RangeError that names option, value and bounds; what is no number is a TypeError', () => {
  const rows = [
    ...WHOLE.map((row) => [...row, 'whole number'] as const),
    ...AMOUNTS.map((row) => [...row, 'number'] as const),
    ...MS_FROM_0.map((path) => [path, 0, 2 ** 31 - 1, 'number'] as const),
    ...MS_FROM_1.map((path) => [path, 1, 2 ** 31 - 1, 'number'] as const),
  ];
  for (const [path, min, max, what] of rows) {
    const out: unknown[] = [min - 0.5, max + 1, -1, NaN, Infinity, -Infinity];
    if (what === 'whole number') out.push(min + 0.5);
    for (const value of out) {
      const error = thrown(() => checkConfig(at(path, value)));
      assert.equal(error.message, `evenkeel: ${path} must be a ${what} from ${min} to ${max}, got ${value}`);
      assert.ok(error instanceof RangeError);
    }
    const wrong: Array<[unknown, string]> = [
      ['5', "'5'"],
      [null, 'null'],
      [true, 'true'],
      [{}, 'object'],
      [[], 'array'],
      [() => 1, 'function'],
      [5n, '5'],
      [Symbol('s'), 'symbol'],
      [new Date(), 'date'],
    ];
    for (const [value, shown] of wrong) {
      const error = thrown(() => checkConfig(at(path, value)));
      assert.equal(error.message, `evenkeel: ${path} must be a ${what} from ${min} to ${max}, got ${shown}`);
      assert.ok(error instanceof TypeError);
    }
    for (const value of [min, max]) assert.equal(used(path, value), value);
  }
  assert.equal(
    thrown(() => checkConfig({ api: { retries: -1 } })).message,
    'evenkeel: api.retries must be a whole number from 0 to 20, got -1',
  );
});

test('every other wrong option is named with its path and what is allowed', () => {
  const cases: Array<[string, unknown, ErrorConstructor, RegExp]> = [
    ['name', '', RangeError, /must be 1 to 64 characters, got ''$/],
    ['name', 'x'.repeat(65), RangeError, /must be 1 to 64 characters, got string$/],
    ['name', 5, TypeError, /must be 1 to 64 characters, got 5$/],
    ['wasm', 5, TypeError, /must be a URL, Response, buffer or WebAssembly.Module, got 5$/],
    ['wasm', {}, TypeError, /got object$/],
    ['wasm', [1], TypeError, /got array$/],
    ['wasm', null, TypeError, /got null$/],
    ['baseUrl', 'ftp://x', RangeError, /must be an http\(s\) URL, got 'ftp:\/\/x'$/],
    ['baseUrl', 'http://', RangeError, /http\(s\) URL/],
    ['baseUrl', new URL('https://x'), TypeError, /got url$/],
    ['redactUrl', 'x', TypeError, /must be a function, got 'x'$/],
    ['onNotice', {}, TypeError, /must be a function, got object$/],
    ['api', null, TypeError, /must be an object, got null$/],
    ['api', true, TypeError, /must be an object, got true$/],
    ['api', [], TypeError, /must be an object, got array$/],
    ['api', new Map(), TypeError, /must be an object, got map$/],
    ['api.backoff', false, TypeError, /must be an object, got false$/],
    ['api.backoff.jitter', 'half', RangeError, /must be one of full\|none, got 'half'$/],
    ['api.backoff.jitter', 1, TypeError, /must be one of full\|none, got 1$/],
    ['api.retryStatuses', 500, TypeError, /must be an array, got 500$/],
    ['api.retryBudget', true, TypeError, /must be an object or false, got true$/],
    ['api.retryBudget', null, TypeError, /must be an object or false, got null$/],
    ['api.breaker', 5, TypeError, /must be an object or false, got 5$/],
    ['api.rateLimit', 'no', TypeError, /must be an object or false, got 'no'$/],
    ['api.headers', [], TypeError, /must be an object or a function, got array$/],
    ['api.headers', 'Authorization: secret', TypeError, /must be an object or a function, got string$/],
    ['api.headers', new Headers(), TypeError, /must be an object or a function, got headers$/],
    ['api.trustedOrigins', 'https://x', TypeError, /must be an array, got 'https:\/\/x'$/],
    ['api.credentials', 'yes', RangeError, /must be one of same-origin\|include\|omit, got 'yes'$/],
    ['api.credentials', true, TypeError, /must be one of/],
    ['api.csrf', true, TypeError, /must be an object or false, got true$/],
    ['api.auditCacheControl', 'yes', TypeError, /must be true or false, got 'yes'$/],
    ['api.onRequest', true, TypeError, /must be a function, got true$/],
    ['api.onResponse', null, TypeError, /must be a function, got null$/],
    ['session', true, TypeError, /must be an object or false, got true$/],
    ['session.endpoint', false, TypeError, /must be an http\(s\) URL, got false$/],
    ['session.endpoint', 'mailto:a', RangeError, /must be an http\(s\) URL/],
    ['session.identify', 'id', TypeError, /must be a function/],
    ['session.parse', {}, TypeError, /must be a function/],
    ['session.signOut', '/sign-out', TypeError, /must be a function, got '\/sign-out'$/],
    ['session.bridgeNextAuth', 'yes', TypeError, /must be true or false, got 'yes'$/],
    ['session.stopAfterIdleMs', true, TypeError, /must be a number from 1 to 2147483647 or false, got true$/],
    ['session.stopAfterIdleMs', 0, RangeError, /must be a number from 1 to 2147483647 or false, got 0$/],
    ['version', 'abc', TypeError, /must be an object or false, got 'abc'$/],
    ['version.current', '', RangeError, /must be 1 to 128 printable ASCII characters, got ''$/],
    ['version.current', 'x'.repeat(129), RangeError, /1 to 128/],
    ['version.current', ' 1', RangeError, /1 to 128/],
    ['version.current', '1\n2', RangeError, /1 to 128/],
    ['version.current', 'é', RangeError, /1 to 128/],
    ['version.current', 5, TypeError, /got 5$/],
    ['version.current', undefined, TypeError, /got undefined$/],
    ['version.header', 'X App', RangeError, /must be a legal name/],
    ['version.header', '', RangeError, /must be a legal name/],
    ['version.endpoint', true, TypeError, /must be an http\(s\) URL or false, got true$/],
    ['version.pollMs', true, TypeError, /must be a number from 1 to 2147483647 or false, got true$/],
    ['version.pollMs', 0, RangeError, /must be a number from 1 to 2147483647 or false, got 0$/],
    [
      'version.onMismatch',
      'ask',
      RangeError,
      /must be one of reload\|prompt\|ignore or a function, got 'ask'$/,
    ],
    [
      'version.onMismatch',
      false,
      TypeError,
      /must be one of reload\|prompt\|ignore or a function, got false$/,
    ],
    ['version.beforeReload', 'flush', TypeError, /must be a function, got 'flush'$/],
    ['version.reload', true, TypeError, /must be a function, got true$/],
    ['version.recoverChunkErrors', 0, TypeError, /must be true or false, got 0$/],
    ['version.trustedOrigins', 'https://x', TypeError, /must be an array, got 'https:\/\/x'$/],
    ['connection', false, TypeError, /must be an object, got false$/],
    ['tabs', true, TypeError, /must be an object or false, got true$/],
    ['events', false, TypeError, /must be an object, got false$/],
    ['events.backoff', false, TypeError, /must be an object, got false$/],
  ];
  for (const [path, value, kind, message] of cases) {
    const error = thrown(() => checkConfig(at(path, value)));
    assert.ok(error instanceof kind, `${path}: ${error}`);
    assert.ok(error.message.startsWith(`evenkeel: ${path} must be `), error.message);
    assert.match(error.message, message);
  }
  for (const config of [null, 5, 'x', [], true])
    assert.match(
      thrown(() => checkConfig(config)).message,
      /^evenkeel: the configuration must be an object, got /,
    );
});

test('what stands in a list or a record is named by its place', () => {
  const cases: Array<[unknown, string]> = [
    [{ retryStatuses: [500, 99] }, 'api.retryStatuses[1] must be a whole number from 100 to 599, got 99'],
    [{ retryStatuses: [600] }, 'api.retryStatuses[0] must be a whole number from 100 to 599, got 600'],
    [{ retryStatuses: ['500'] }, "api.retryStatuses[0] must be a whole number from 100 to 599, got '500'"],
    [
      { retryStatuses: new Array(1) },
      'api.retryStatuses[0] must be a whole number from 100 to 599, got undefined',
    ],
    [
      { trustedOrigins: ['x'] },
      "api.trustedOrigins[0] must be an origin such as 'https://api.example.com', got 'x'",
    ],
    [
      { trustedOrigins: [5] },
      "api.trustedOrigins[0] must be an origin such as 'https://api.example.com', got 5",
    ],
    [
      { trustedOrigins: ['https://x/path'] },
      "api.trustedOrigins[0] must be an origin such as 'https://api.example.com', got 'https://x/path'",
    ],
    [
      { trustedOrigins: ['*'] },
      "api.trustedOrigins[0] must be an origin such as 'https://api.example.com', got string",
    ],
    [
      { trustedOrigins: ['wss://x'] },
      "api.trustedOrigins[0] must be an origin such as 'https://api.example.com', got 'wss://x'",
    ],
    [
      { trustedOrigins: ['https://user:secret@x'] },
      "api.trustedOrigins[0] must be an origin such as 'https://api.example.com', got string",
    ],
    [{ csrf: { cookie: 'a' } }, 'api.csrf.header must be a legal name, got undefined'],
    [{ csrf: { cookie: 'a;b', header: 'X' } }, 'api.csrf.cookie must be a legal name, got string'],
    [{ csrf: { cookie: 5, header: 'X' } }, 'api.csrf.cookie must be a legal name, got 5'],
    [{ headers: { 'X-A': 5 } }, 'api.headers.X-A must be a legal header value, got 5'],
    [{ headers: { 'X-A': undefined } }, 'api.headers.X-A must be a legal header value, got undefined'],
    [{ headers: { 'X-A': 'secret\r\nX-B: 1' } }, 'api.headers.X-A must be a legal header value, got string'],
    [{ headers: { 'X-A': 'ŝecret' } }, 'api.headers.X-A must be a legal header value, got string'],
    [{ headers: { 'secret 1': 'a' } }, 'each name in api.headers must be a legal name, got string'],
    [{ headers: { '': 'a' } }, 'each name in api.headers must be a legal name, got string'],
  ];
  for (const [api, message] of cases)
    assert.equal(thrown(() => checkConfig({ api })).message, `evenkeel: ${message}`);
});

test('secrets are not echoed', () => {
  const cases: unknown[] = [
    { baseUrl: 'ftp://user:secret@x' },
    { baseUrl: 'ftp://x?token=secret' },
    { api: { headers: 'Bearer secret' } },
    { api: { headers: { Authorization: 'Bearer secret\n' } } },
    { api: { headers: ['secret'] } },
    { api: { trustedOrigins: ['https://x/?secret'] } },
    { api: { csrf: { cookie: { secret: 'secret' }, header: 'x' } } },
    { name: 'secret'.repeat(20) },
  ];
  for (const config of cases) assert.doesNotMatch(thrown(() => checkConfig(config)).message, /secret/);
});

test('an unknown option is refused by its path', () => {
  const cases: Array<[unknown, string]> = [
    [{ retries: 3 }, 'retries'],
    [{ api: { retrys: 3 } }, 'api.retrys'],
    [{ api: { retrys: undefined } }, 'api.retrys'],
    [{ api: { backoff: { jiter: 'full' } } }, 'api.backoff.jiter'],
    [{ api: { toString: 1 } }, 'api.toString'],
    [{ session: { url: '/x' } }, 'session.url'],
    [{ version: { current: '1', poll: 1 } }, 'version.poll'],
    [{ connection: { probe: 1 } }, 'connection.probe'],
    [{ events: { shared: true } }, 'events.shared'],
    [{ events: { backoff: { factor: 2 } } }, 'events.backoff.factor'],
    [{ tabs: { leader: true } }, 'tabs.leader'],
  ];
  for (const [config, path] of cases) {
    const error = thrown(() => checkConfig(config));
    assert.ok(error instanceof TypeError);
    assert.equal(error.message, `evenkeel: ${path} is not an option of this version`);
  }
});

test('what comes with a later version is refused rather than ignored', () => {
  const cases: Array<[string, unknown, RegExp]> = [
    ['api.cache', {}, /false or left out \(not in this version yet\), got object$/],
    ['api.cache', true, /false or left out \(not in this version yet\), got true$/],
    ['api.offlineQueue', { maxEntries: 5 }, /false or left out/],
  ];
  for (const [path, value, message] of cases) {
    const error = thrown(() => checkConfig(at(path, value)));
    assert.ok(
      error instanceof TypeError && error.message.startsWith(`evenkeel: ${path} must be `),
      error.message,
    );
    assert.match(error.message, message);
  }
});

test('junk is never accepted silently and never fails otherwise than with a named option', () => {
  const junk: unknown[] = [
    null,
    NaN,
    Infinity,
    -1,
    1e300,
    '',
    'x',
    '\0',
    Symbol('s'),
    5n,
    [],
    {},
    () => {},
    new Date(),
    new Map(),
    Object.create(null),
    true,
    [[[]]],
  ];
  const paths = [
    ...WHOLE.map(([path]) => path),
    ...AMOUNTS.map(([path]) => path),
    ...MS_FROM_0,
    ...MS_FROM_1,
    'name',
    'wasm',
    'baseUrl',
    'redactUrl',
    'onNotice',
    'api',
    'api.headers',
    'api.retryStatuses',
    'api.trustedOrigins',
    'api.credentials',
    'api.csrf',
    'api.cache',
    'api.offlineQueue',
    'api.auditCacheControl',
    'api.onRequest',
    'session',
    'session.endpoint',
    'session.parse',
    'session.signOut',
    'session.stopAfterIdleMs',
    'session.bridgeNextAuth',
    'version',
    'version.current',
    'version.header',
    'version.endpoint',
    'version.pollMs',
    'version.onMismatch',
    'version.trustedOrigins',
    'version.beforeReload',
    'version.recoverChunkErrors',
    'connection',
    'drafts',
    'drafts.endpoint',
    'drafts.debounceMs',
    'drafts.maxWaitMs',
    'drafts.ttlMs',
    'drafts.maxBytes',
    'drafts.userKey',
    'tabs',
    'events',
  ];
  for (const path of paths) {
    let refused = 0;
    for (const value of junk) {
      try {
        checkConfig(at(path, value));
      } catch (error) {
        refused++;
        assert.ok(error instanceof TypeError || error instanceof RangeError, path);
        assert.ok((error as Error).message.startsWith(`evenkeel: ${path}`), (error as Error).message);
        assert.ok((error as Error).message.length < 160);
      }
    }
    assert.ok(refused >= 9, `${path} refuses most junk`);
  }
});

test('a call without options costs nothing and gives an empty object', () => {
  assert.deepEqual(checkRequest(undefined), {});
  assert.deepEqual(checkFetch(undefined), {});
  assert.deepEqual(checkFetch(null), {});
});

test('good options of a call come back as they are', () => {
  const options = {
    headers: new Headers(),
    query: { a: 'x', b: 1, c: true, d: null, e: undefined, f: ['x', 1, false], g: [] },
    signal: new AbortController().signal,
    timeoutMs: 1.5,
    deadlineMs: 1,
    retries: 0,
    idempotencyKey: true,
    priority: 'critical',
    dedupe: false,
    parse: 'blob',
    schema: { '~standard': { version: 1, vendor: 'x', validate: (x: unknown) => x } },
    notify: false,
    credentials: 'omit',
    whenOffline: 'fail',
    keepalive: true,
  };
  assert.equal(checkRequest(options), options);
  assert.deepEqual(
    checkRequest(Object.fromEntries(Object.keys(options).map((name) => [name, undefined]))),
    Object.fromEntries(Object.keys(options).map((name) => [name, undefined])),
  );
  for (const headers of [{}, [['a', 'b']], new Headers()]) checkRequest({ headers });
  checkRequest({ idempotencyKey: crypto.randomUUID() });
  checkRequest({ schema: Object.assign(() => {}, { '~standard': { validate() {} } }) });
});

test('every wrong option of a call is named', () => {
  const cases: Array<[unknown, ErrorConstructor, string]> = [
    [null, TypeError, 'options must be an object, got null'],
    ['x', TypeError, "options must be an object, got 'x'"],
    [[], TypeError, 'options must be an object, got array'],
    [{ headers: 'a: secret' }, TypeError, 'options.headers must be Headers or an object, got string'],
    [{ headers: null }, TypeError, 'options.headers must be Headers or an object, got null'],
    [{ query: 'a=b' }, TypeError, 'options.query must be an object, got string'],
    [{ query: new URLSearchParams() }, TypeError, 'options.query must be an object, got urlsearchparams'],
    [
      { query: { at: new Date() } },
      TypeError,
      'options.query.at must be a string, number or boolean, or an array of them, got date',
    ],
    [
      { query: { a: NaN } },
      TypeError,
      'options.query.a must be a string, number or boolean, or an array of them, got NaN',
    ],
    [
      { query: { a: [1, null] } },
      TypeError,
      'options.query.a must be a string, number or boolean, or an array of them, got null',
    ],
    [
      { query: { a: [[1]] } },
      TypeError,
      'options.query.a must be a string, number or boolean, or an array of them, got array',
    ],
    [{ signal: {} }, RangeError, 'options.signal must be an AbortSignal, got object'],
    [{ signal: null }, TypeError, 'options.signal must be an AbortSignal, got null'],
    [{ signal: true }, TypeError, 'options.signal must be an AbortSignal, got true'],
    [{ timeoutMs: 0 }, RangeError, 'options.timeoutMs must be a number from 1 to 2147483647, got 0'],
    [{ timeoutMs: '5' }, TypeError, "options.timeoutMs must be a number from 1 to 2147483647, got '5'"],
    [{ deadlineMs: NaN }, RangeError, 'options.deadlineMs must be a number from 1 to 2147483647, got NaN'],
    [{ retries: 21 }, RangeError, 'options.retries must be a whole number from 0 to 20, got 21'],
    [{ retries: false }, TypeError, 'options.retries must be a whole number from 0 to 20, got false'],
    [
      { idempotencyKey: false },
      TypeError,
      'options.idempotencyKey must be 1 to 255 printable ASCII characters or true, got false',
    ],
    [
      { idempotencyKey: '' },
      RangeError,
      "options.idempotencyKey must be 1 to 255 printable ASCII characters or true, got ''",
    ],
    [
      { idempotencyKey: 'a\nb' },
      RangeError,
      'options.idempotencyKey must be 1 to 255 printable ASCII characters or true, got string',
    ],
    [
      { priority: 'high' },
      RangeError,
      "options.priority must be one of critical|normal|background, got 'high'",
    ],
    [{ dedupe: 1 }, TypeError, 'options.dedupe must be true or false, got 1'],
    [
      { parse: 'xml' },
      RangeError,
      "options.parse must be one of auto|json|text|blob|arrayBuffer|stream|none, got 'xml'",
    ],
    [{ schema: {} }, TypeError, 'options.schema must be a Standard Schema, got object'],
    [{ schema: null }, TypeError, 'options.schema must be a Standard Schema, got null'],
    [{ notify: 'no' }, TypeError, "options.notify must be true or false, got 'no'"],
    [
      { credentials: 'yes' },
      RangeError,
      "options.credentials must be one of same-origin|include|omit, got 'yes'",
    ],
    [{ keepalive: 1 }, TypeError, 'options.keepalive must be true or false, got 1'],
    [{ cache: {} }, TypeError, 'options.cache must be left out (not in this version yet), got object'],
    [{ cache: false }, TypeError, 'options.cache must be left out (not in this version yet), got false'],
    [
      { whenOffline: 'queue' },
      TypeError,
      "options.whenOffline must be fail or left out (not in this version yet), got 'queue'",
    ],
    [{ timeout: 5 }, TypeError, 'options.timeout is not an option of this version'],
    [{ constructor: 5 }, TypeError, 'options.constructor is not an option of this version'],
    [{ limit: 5 }, TypeError, 'options.limit is not an option of this version'],
  ];
  for (const [options, kind, message] of cases) {
    const error = thrown(() => checkRequest(options));
    assert.equal(error.message, `evenkeel: ${message}`);
    assert.ok(error instanceof kind);
  }
});

const eventsOf = (options: unknown, config = {}) =>
  checkEvents(options, checkConfig({ events: config }).events);
const STREAM = {
  ...DEFAULT_EVENTS,
  withCredentials: false,
  method: 'GET',
  lastEventId: '',
  shared: false,
  pauseHiddenAfterMs: false,
  poll: false,
  strict: false,
};

test('a stream without options has every default', () => {
  for (const options of [undefined, null, {}, { backoff: undefined, poll: undefined, stability: {} }])
    assert.deepEqual(eventsOf(options), STREAM);
});

test('a stream’s own options are stronger than the configuration’s, backoff field by field', () => {
  const config = { backoff: { baseMs: 5, jitter: 'none' }, watchdogMs: 7, dedupeIds: 0, spreadMs: 0 };
  assert.deepEqual(eventsOf({}, config), {
    ...STREAM,
    ...config,
    backoff: { ...STREAM.backoff, ...config.backoff },
  });
  assert.deepEqual(
    eventsOf({ backoff: { baseMs: 6, maxMs: undefined }, watchdogMs: undefined, dedupeIds: 1_024 }, config),
    {
      ...STREAM,
      backoff: { baseMs: 6, maxMs: 30_000, jitter: 'none' },
      watchdogMs: 7,
      spreadMs: 0,
    },
  );
  assert.deepEqual(eventsOf({ backoff: {} }, config).backoff, { baseMs: 5, maxMs: 30_000, jitter: 'none' });
  // What one stream says stays with it.
  assert.deepEqual(eventsOf({}), STREAM);
});

test('good options of a stream are used', () => {
  const headers = async () => ({ Authorization: 'Bearer x' });
  for (const options of [
    { headers },
    { headers: { 'X-Tenant': 'a' } },
    { method: 'POST', body: '{"since":5}' },
    { method: 'POST', shared: true },
    { withCredentials: true, shared: true, lastEventId: 'größe 5' },
    { pauseHiddenAfterMs: 0 },
    { strict: true, withCredentials: true, shared: false, poll: false },
    { poll: { url: '/poll?a=1', intervalMs: 1 } },
  ])
    assert.deepEqual(eventsOf(options), { ...STREAM, ...options });
  for (const url of ['/poll', new URL('https://x.example/poll')])
    assert.deepEqual(eventsOf({ poll: { url } }).poll, { url: String(url), intervalMs: 5_000 });
});

test('every wrong option of a stream is named, and what does not go together too', () => {
  const cases: Array<[unknown, ErrorConstructor, string]> = [
    ['x', TypeError, "options must be an object, got 'x'"],
    [{ withCredentials: 1 }, TypeError, 'options.withCredentials must be true or false, got 1'],
    [{ headers: new Headers() }, TypeError, 'options.headers must be an object or a function, got headers'],
    [
      { headers: { Authorization: 'a\nb' } },
      RangeError,
      'options.headers.Authorization must be a legal header value, got string',
    ],
    [{ method: 'PUT' }, RangeError, "options.method must be one of GET|POST, got 'PUT'"],
    [{ method: 'POST', body: {} }, TypeError, 'options.body must be a string, got object'],
    [{ lastEventId: 5 }, TypeError, 'options.lastEventId must be a string without line breaks, got 5'],
    [
      { lastEventId: 'a\nb' },
      RangeError,
      'options.lastEventId must be a string without line breaks, got string',
    ],
    [
      { lastEventId: '\0' },
      RangeError,
      'options.lastEventId must be a string without line breaks, got string',
    ],
    [{ shared: 'yes' }, TypeError, "options.shared must be true or false, got 'yes'"],
    [
      { pauseHiddenAfterMs: true },
      TypeError,
      'options.pauseHiddenAfterMs must be a number from 0 to 2147483647 or false, got true',
    ],
    [{ poll: true }, TypeError, 'options.poll must be an object or false, got true'],
    [{ poll: {} }, TypeError, 'options.poll.url must be an http(s) URL, got undefined'],
    [{ poll: { url: 'ftp://x' } }, RangeError, "options.poll.url must be an http(s) URL, got 'ftp://x'"],
    [
      { poll: { url: '/p', intervalMs: 0 } },
      RangeError,
      'options.poll.intervalMs must be a number from 1 to 2147483647, got 0',
    ],
    [{ poll: { url: '/p', every: 5 } }, TypeError, 'options.poll.every is not an option of this version'],
    [{ strict: 1 }, TypeError, 'options.strict must be true or false, got 1'],
    [
      { dedupeIds: 65_537 },
      RangeError,
      'options.dedupeIds must be a whole number from 0 to 65536, got 65537',
    ],
    [{ backoff: { factor: 3 } }, TypeError, 'options.backoff.factor is not an option of this version'],
    [{ watchdog: 5 }, TypeError, 'options.watchdog is not an option of this version'],
    [{ body: 'pin=1234' }, RangeError, "options.body must be left out with method 'GET', got string"],
    [{ body: 'secret' }, RangeError, "options.body must be left out with method 'GET', got string"],
    [{ body: '' }, RangeError, "options.body must be left out with method 'GET', got string"],
    [{ strict: true, shared: true }, RangeError, 'options.shared must be left out with strict, got true'],
    [
      { strict: true, pauseHiddenAfterMs: 0 },
      RangeError,
      'options.pauseHiddenAfterMs must be left out with strict, got 0',
    ],
    [
      { strict: true, poll: { url: '/p' } },
      RangeError,
      'options.poll must be left out with strict, got object',
    ],
  ];
  for (const [options, kind, message] of cases) {
    const error = thrown(() => eventsOf(options));
    assert.equal(error.message, `evenkeel: ${message}`);
    assert.ok(error instanceof kind, message);
  }
});

test('pages need a limit, and know their own options besides a call’s', () => {
  const options = { limit: 10, maxPages: 5, by: 'link', items: () => [], next: () => null, retries: 1 };
  assert.equal(checkPages(options), options);
  const cases: Array<[unknown, string]> = [
    [undefined, 'options.limit must be a whole number from 1 to 2147483647, got undefined'],
    [{}, 'options.limit must be a whole number from 1 to 2147483647, got undefined'],
    [{ limit: 0 }, 'options.limit must be a whole number from 1 to 2147483647, got 0'],
    [{ limit: 1.5 }, 'options.limit must be a whole number from 1 to 2147483647, got 1.5'],
    [{ limit: 1, maxPages: 0 }, 'options.maxPages must be a whole number from 1 to 2147483647, got 0'],
    [{ limit: 1, by: 'offset' }, "options.by must be one of cursor|page|link, got 'offset'"],
    [{ limit: 1, items: 'items' }, "options.items must be a function, got 'items'"],
    [{ limit: 1, next: 5 }, 'options.next must be a function, got 5'],
    [{ limit: 1, pages: 5 }, 'options.pages is not an option of this version'],
  ];
  for (const [given, message] of cases)
    assert.equal(thrown(() => checkPages(given)).message, `evenkeel: ${message}`);
});

test('fetch takes all that window.fetch takes, and refuses wrong options of ours', () => {
  const init = {
    method: 'POST',
    body: 'x',
    mode: 'cors',
    cache: 'no-store',
    priority: 'high',
    signal: null,
    window: null,
    next: { revalidate: 5 },
    retries: 1,
  };
  assert.equal(checkFetch(init), init);
  const request = new Request('https://x', { method: 'POST' });
  assert.equal(checkFetch(request), request);
  assert.equal(
    thrown(() => checkFetch({ retries: -1 })).message,
    'evenkeel: init.retries must be a whole number from 0 to 20, got -1',
  );
  assert.equal(
    thrown(() => checkFetch({ timeoutMs: 'x' })).message,
    "evenkeel: init.timeoutMs must be a number from 1 to 2147483647, got 'x'",
  );
  assert.equal(
    thrown(() => checkFetch({ whenOffline: 'queue' })).message,
    "evenkeel: init.whenOffline must be fail or left out (not in this version yet), got 'queue'",
  );
});
