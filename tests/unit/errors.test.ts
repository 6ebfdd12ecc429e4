import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareUrl, formatError, KINDS, kindOfStatus, StabilityError, unwrap } from '../../js/errors.js';
import type { ApiResult, ErrorKind } from '../../js/types.js';
import { seeded } from './seeded.js';

test('the kinds keep the order that the Rust side counts them in', () => {
  assert.deepEqual(KINDS, [
    'network',
    'offline',
    'timeout',
    'aborted',
    'unauthenticated',
    'authUnknown',
    'forbidden',
    'notFound',
    'conflict',
    'outdated',
    'invalid',
    'rateLimited',
    'unavailable',
    'server',
    'circuitOpen',
    'queueFull',
    'tooLarge',
    'parse',
    'runtime',
  ]);
});

test('every status has one kind', () => {
  const expected: Record<number, ErrorKind> = {
    400: 'invalid',
    401: 'unauthenticated',
    402: 'invalid',
    403: 'forbidden',
    404: 'notFound',
    405: 'invalid',
    408: 'timeout',
    409: 'conflict',
    410: 'notFound',
    412: 'conflict',
    413: 'tooLarge',
    415: 'invalid',
    418: 'invalid',
    422: 'invalid',
    425: 'unavailable',
    426: 'outdated',
    428: 'invalid',
    429: 'rateLimited',
    451: 'invalid',
    500: 'server',
    501: 'server',
    502: 'unavailable',
    503: 'unavailable',
    504: 'unavailable',
    505: 'server',
    507: 'server',
    511: 'server',
    599: 'server',
    600: 'invalid',
    304: 'invalid',
  };
  for (const [status, kind] of Object.entries(expected))
    assert.equal(kindOfStatus(Number(status)), kind, status);
});

test('an error carries what the contract names, and nothing is undefined', () => {
  const error = new StabilityError('network');
  assert.ok(error instanceof Error && error instanceof StabilityError);
  assert.deepEqual(
    { ...error },
    {
      name: 'StabilityError',
      kind: 'network',
      status: 0,
      method: '',
      url: '',
      attempts: 0,
      retryable: true,
      retryAfterMs: null,
      requestId: null,
      body: null,
    },
  );
  assert.equal('cause' in error, false);

  const cause = new TypeError('reset');
  const full = new StabilityError('unavailable', {
    status: 503,
    method: 'GET',
    url: 'https://x/api',
    attempts: 4,
    retryAfterMs: 12_000,
    requestId: 'r1',
    body: { code: 'busy' },
    cause,
  });
  assert.equal(full.name, 'StabilityError');
  assert.equal(full.message, 'GET https://x/api: 503 unavailable after 4 requests');
  assert.equal(String(full), 'StabilityError: GET https://x/api: 503 unavailable after 4 requests');
  assert.deepEqual(
    [full.status, full.retryAfterMs, full.requestId, full.body, full.cause],
    [503, 12_000, 'r1', { code: 'busy' }, cause],
  );
});

test('its message is for developers: what was asked, what came, how often', () => {
  const say = (...args: ConstructorParameters<typeof StabilityError>): string =>
    new StabilityError(...args).message;
  assert.equal(
    say('network', { method: 'POST', url: 'https://x/api', attempts: 1 }),
    'POST https://x/api: network after 1 request',
  );
  assert.equal(say('circuitOpen', { method: 'GET', url: 'https://x/api' }), 'GET https://x/api: circuitOpen');
  assert.equal(
    say('notFound', { method: 'GET', url: '/api', status: 404, attempts: 1 }),
    'GET /api: 404 notFound after 1 request',
  );
  assert.equal(say('runtime'), 'evenkeel: runtime');
});

test('retryable says whether trying again later makes sense', () => {
  const retryable = KINDS.filter((kind) => new StabilityError(kind).retryable);
  assert.deepEqual(retryable, [
    'network',
    'offline',
    'timeout',
    'authUnknown',
    'rateLimited',
    'unavailable',
    'server',
    'circuitOpen',
    'queueFull',
  ]);
  for (const status of [500, 507]) assert.equal(new StabilityError('server', { status }).retryable, true);
  for (const status of [501, 505]) assert.equal(new StabilityError('server', { status }).retryable, false);
});

test('no query string, fragment or credential is kept in a URL', () => {
  const cases: Array<[string, string]> = [
    ['https://x/api?token=secret#secret', 'https://x/api'],
    ['https://user:secret@x:8443/api', 'https://x:8443/api'],
    ['https:user:secret@x/api', 'https://x/api'],
    ['https:\\\\user:secret@x\\api', 'https://x/api'],
    [' ht\ntps://user:secret@x/api', 'https://x/api'],
    ['//user:secret@x/api', 'http://x/api'],
    ['/api/items?token=secret', '/api/items'],
    ['api/items#secret', '/api/items'],
    ['/users/@ann', '/users/@ann'],
    ['data:text/plain,secret', 'data:…'],
    ['blob:https://x/secret', 'blob:…'],
    ['https://user:secret@[bad/api?token=secret', '[bad/api'],
    ['https://[bad?mail=a@b&token=secret', 'https://[bad'],
  ];
  for (const [url, bare] of cases) {
    assert.equal(bareUrl(url), bare, url);
    const error = new StabilityError('network', { method: 'GET', url });
    assert.doesNotMatch(error.url + error.message, /secret/, url);
  }
});

test('every kind has a wording, with a next step, short and without a full stop at the end', () => {
  for (const kind of KINDS) {
    const text = formatError(new StabilityError(kind));
    assert.match(text, /^[A-Z][^~{}<>]+\. Please [^~]+[a-z]$/, `${kind}: ${text}`);
    assert.ok(text.length <= 100, text);
    assert.equal(
      /try again/.test(text),
      new StabilityError(kind).retryable,
      `${kind}: trying again is advised where it makes sense`,
    );
  }
});

test('what the server asked for is told in the unit that a person would use, rounded up', () => {
  const told = (retryAfterMs: number | null): string =>
    formatError(new StabilityError('rateLimited', { status: 429, retryAfterMs }));
  assert.equal(told(12_000), 'Too many requests. Please try again in 12 seconds');
  const cases: Array<[number | null, string]> = [
    [1, '1 second'],
    [999, '1 second'],
    [1_000, '1 second'],
    [1_001, '2 seconds'],
    [11_001, '12 seconds'],
    [60_000, '60 seconds'],
    [90_000, '90 seconds'],
    [90_001, '2 minutes'],
    [120_000, '2 minutes'],
    [120_001, '3 minutes'],
    [90 * 60_000, '90 minutes'],
    [90 * 60_000 + 1, '2 hours'],
    [36 * 3_600_000, '36 hours'],
    [36 * 3_600_000 + 1, '2 days'],
    [7 * 86_400_000, '7 days'],
    [null, 'a moment'],
    [0, 'a moment'],
  ];
  for (const [ms, span] of cases) assert.equal(told(ms), `Too many requests. Please try again in ${span}`);
});

test('a status that no later try can change is not advised to be tried again', () => {
  for (const status of [501, 505])
    assert.doesNotMatch(formatError(new StabilityError('server', { status, retryAfterMs: 5_000 })), /again/);
});

test('wording can be replaced by kind, by a string or a function', () => {
  const error = new StabilityError('conflict', { status: 409 });
  assert.equal(formatError(error, { conflict: 'Schon geändert' }), 'Schon geändert');
  assert.equal(formatError(error, { conflict: (e) => `Status ${e.status}` }), 'Status 409');
  assert.equal(formatError(error, { conflict: '' }), '');
  assert.equal(formatError(error, { network: 'other' }), formatError(error));
});

test('wording never throws, whatever it is given', () => {
  const odd = (fields: object): StabilityError => fields as StabilityError;
  const usual = formatError(new StabilityError('conflict'));
  assert.equal(
    formatError(new StabilityError('conflict'), {
      conflict: () => {
        throw new Error('boom');
      },
    }),
    usual,
  );
  assert.equal(formatError(new StabilityError('conflict'), { conflict: () => undefined as never }), usual);
  assert.equal(formatError(new StabilityError('conflict'), { conflict: 5 as never }), usual);
  for (const messages of [null, 5, 'x', []])
    assert.equal(formatError(new StabilityError('conflict'), messages as never), usual);
  for (const kind of ['toString', '__proto__', 'constructor', 'nope', undefined, null, 5, {}]) {
    assert.match(formatError(odd({ kind }), { toString: () => 'no' } as never), /^Something went wrong/);
  }
  assert.equal(
    formatError(odd({ kind: 'rateLimited', retryAfterMs: 12_000 })),
    'Too many requests. Please try again in 12 seconds',
  );
  for (const retryAfterMs of [NaN, Infinity, -Infinity, -1, 1e300, Number.MAX_VALUE, '5', {}, undefined]) {
    assert.doesNotMatch(formatError(odd({ kind: 'rateLimited', retryAfterMs })), /NaN|Infinity|-|e\+|object/);
  }
});

test('wording says nothing of URL, header or body, over 5,000 random errors', () => {
  const random = seeded(1);
  for (let i = 0; i < 5_000; i++) {
    const kind = KINDS[Math.floor(random() * KINDS.length)]!;
    const error = new StabilityError(kind, {
      status: Math.floor(random() * 600),
      method: 'SECRET',
      url: 'https://secret.example/secret',
      requestId: 'secret',
      body: { message: 'secret' },
      cause: new Error('secret'),
      attempts: Math.floor(random() * 30),
      retryAfterMs: (random() - 0.2) * 10 ** (random() * 14),
    });
    const text = formatError(error);
    assert.doesNotMatch(text, /secret/i);
    assert.ok(text.length > 20 && text.length <= 100, text);
    assert.doesNotMatch(
      text,
      /\b1 (second|minute|hour|day)s|\b0 |\b([2-9]|\d\d+) (second|minute|hour|day)(?!s)|\.\d/,
      text,
    );
    const wait = / in (\d+) (second|minute|hour|day)/.exec(text);
    if (wait) {
      const ms = Number(wait[1]) * { second: 1e3, minute: 6e4, hour: 36e5, day: 864e5 }[wait[2] as 'second'];
      assert.ok(ms >= error.retryAfterMs!, `${text} is not before ${error.retryAfterMs}`);
      assert.ok(ms < error.retryAfterMs! * 1.7 + 1_000, `${text} is not long after ${error.retryAfterMs}`);
    }
  }
});

test('unwrap gives the data, or throws the error itself', async () => {
  const meta = { attempts: 1, durationMs: 1, fromCache: 'no', shared: false, queued: false } as const;
  const success: ApiResult<number> = {
    ok: true,
    data: 5,
    error: null,
    status: 200,
    headers: new Headers(),
    meta,
  };
  assert.equal(await unwrap(success), 5);
  assert.equal(await unwrap(Promise.resolve(success)), 5);
  const error = new StabilityError('notFound', { status: 404 });
  const failure: ApiResult<number> = { ok: false, data: null, error, status: 404, headers: null, meta };
  await assert.rejects(unwrap(failure), (thrown) => thrown === error);
  await assert.rejects(unwrap(Promise.resolve(failure)), (thrown) => thrown === error);
});
