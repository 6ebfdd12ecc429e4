import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDiagnostics, redactUrl } from '../../js/diagnostics.js';
import { seeded } from './seeded.js';

test('the newest 200 events are kept, in order', () => {
  const log = createDiagnostics('1.2.3');
  for (let i = 0; i < 1_000; i++) log.emit('request', { i });
  const { version, events } = log.snapshot();
  assert.equal(version, '1.2.3');
  assert.deepEqual(
    events.map((event) => event.i),
    Array.from({ length: 200 }, (_, i) => 800 + i),
  );
  assert.ok(events.every((event) => event.type === 'request' && Math.abs(event.at - Date.now()) < 60_000));
});

test('a snapshot does not change afterwards, nor can it change the log', () => {
  const log = createDiagnostics('1');
  log.emit('a');
  log.count('n');
  const before = log.snapshot();
  log.emit('b');
  log.count('n');
  assert.deepEqual([before.events.length, before.counters.n], [1, 1]);
  before.events.length = 0;
  assert.throws(() => {
    log.snapshot().events[0]!.type = 'x';
  }, TypeError);
  assert.deepEqual(
    log.snapshot().events.map((event) => event.type),
    ['a', 'b'],
  );
});

test('counters add up, and their names are bounded', () => {
  const log = createDiagnostics('1');
  log.count('requests');
  log.count('requests', 4);
  log.count('__proto__');
  for (let i = 0; i < 1_000; i++) log.count(`name ${i}`);
  log.count('requests');
  const { counters } = log.snapshot();
  assert.equal(Object.keys(counters).length, 100);
  assert.equal(counters.requests, 6);
  assert.deepEqual(Object.getOwnPropertyDescriptor(counters, '__proto__')?.value, 1);
});

test('listeners hear every event until they end, and one that throws stops nobody', (t) => {
  const later: Array<() => void> = [];
  t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => later.push(job));
  const log = createDiagnostics('1');
  const heard: string[] = [];
  log.on(() => {
    throw new Error('boom');
  });
  const off = log.on((event) => heard.push(event.type));
  log.emit('a');
  off();
  off();
  log.emit('b');
  assert.deepEqual(heard, ['a']);
  assert.equal(later.length, 2);
  assert.throws(later[0]!, /boom/);
});

test('details are numbers, booleans, null and short strings; nothing else is kept', () => {
  const log = createDiagnostics('1');
  log.emit('request', {
    n: 1,
    yes: true,
    none: null,
    text: 'x'.repeat(5_000),
    body: { password: 'secret' },
    list: ['secret'],
    fn: () => 'secret',
    symbol: Symbol('secret'),
    big: 1n,
    missing: undefined,
    at: 5,
    type: 'forged',
    toString: 'forged',
    ['__proto__']: 'forged',
  });
  const event = log.snapshot().events[0]!;
  assert.deepEqual(Object.keys(event), ['at', 'type', 'n', 'yes', 'none', 'text']);
  assert.equal(event.type, 'request');
  assert.notEqual(event.at, 5);
  assert.equal((event.text as string).length, 200);
});

test('of a URL only origin and path are kept, without what looks private', () => {
  const cases: Array<[string, string]> = [
    ['https://api.example.com/api/items?q=secret#secret', 'https://api.example.com/api/items'],
    ['https://user:secret@x:8443/api', 'https://x:8443/api'],
    ['/api/items/42', '/api/items/42'],
    ['/api/orders/1234567', '/api/orders/…'],
    ['/api/orders/123456/lines', '/api/orders/123456/lines'],
    ['/api/users/3f2504e0-4f89-41d3-9a0c-0305e82c3301/name', '/api/users/…/name'],
    ['/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0', '/reset/…'],
    ['/files/deadbeefcafe', '/files/…'],
    ['/u/ann@example.com', '/u/…'],
    ['/u/ann%40example.com', '/u/…'],
    ['/invite/Xk29fQpLmZ', '/invite/…'],
    ['/api/session;jsessionid=AB12', '/api/…'],
    [
      'https://averylonghostnamewithmanyletters.example.com/v1/items',
      'https://averylonghostnamewithmanyletters.example.com/v1/items',
    ],
    ['https://x', 'https://x/'],
    ['data:text/plain,secret', 'data:…'],
    ['', '/'],
  ];
  for (const [url, kept] of cases) assert.equal(redactUrl(url), kept, url);
});

test('no secret survives in a URL, over 5,000 random ones', () => {
  const random = seeded(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const word = (alphabet: string, length: number): string =>
    Array.from({ length }, () => pick([...alphabet])).join('');
  const secrets = [
    () => word('0123456789abcdef', 16 + Math.floor(random() * 40)),
    () =>
      word(
        'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
        20 + Math.floor(random() * 60),
      ),
    () => word('0123456789', 7 + Math.floor(random() * 10)),
    () => `${word('abcdefghij', 6)}@${word('klmnop', 5)}.example`,
    () => crypto.randomUUID(),
  ];
  for (let i = 0; i < 5_000; i++) {
    const secret = pick(secrets)();
    const path = `/${pick(['api', 'v1/items', 'a/b/c'])}`;
    const url = pick([
      () => `https://x.example${path}/${secret}`,
      () => `https://x.example${path}/${secret}/edit?a=1`,
      () => `https://x.example${path}?token=${secret}`,
      () => `${path}?a=b&c=${secret}#d`,
      () => `${path}#${secret}`,
      () => `https://u:${encodeURIComponent(secret)}@x.example${path}`,
      () => `https://${encodeURIComponent(secret)}@x.example${path}/z`,
      () => `${path}/${secret}`,
    ])();
    const kept = redactUrl(url);
    assert.ok(!kept.includes(secret), `${url} → ${kept}`);
    assert.ok(kept.includes(path), `${url} → ${kept}`);
    const log = createDiagnostics('1');
    log.emit('request', { url, message: `failed to fetch https://x.example/?k=${secret} twice` });
    assert.ok(!JSON.stringify(log.snapshot()).includes(secret), url);
  }
});

test('redactUrl may be replaced; where it throws or gives no string, the default holds', () => {
  const kept = (redact: (url: string) => string): unknown => {
    const log = createDiagnostics('1', redact);
    log.emit('request', { url: 'https://x/api?token=secret' });
    return log.snapshot().events[0]!.url;
  };
  assert.equal(
    kept(() => 'mine'),
    'mine',
  );
  assert.equal(
    kept(() => {
      throw new Error('boom');
    }),
    'https://x/api',
  );
  assert.equal(
    kept(() => undefined as never),
    'https://x/api',
  );
});
