import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfter } from './fault-server.mjs';
import { dateForms } from './retry-after.mjs';
import { raw, start } from './wire.mjs';

test('steps are taken one for each request, and the last one again and again', async (t) => {
  const server = await start(t);
  const script = server.on('/api/x', [503, { status: 200, body: { n: 1 } }, 404]);
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await fetch(`${server.origin}/api/x`)).status);
  assert.deepEqual(statuses, [503, 200, 404, 404]);
  assert.equal(script.taken, 4);
  script.off();
  server.on('/api/x', [500, { body: { ok: true } }]);
  assert.equal((await fetch(`${server.origin}/api/x`)).status, 500);
  const last = await fetch(`${server.origin}/api/x`);
  assert.equal(last.headers.get('content-type'), 'application/json');
  assert.deepEqual(await last.json(), { ok: true });
});

test('a script can be for a method, a prefix, a pattern, a condition; the newest that matches answers', async (t) => {
  const server = await start(t);
  server.on('/api/*', 500);
  server.on('POST /api/a', 201);
  server.on(/^\/api\/b\?q=\d$/, 202);
  server.on((request) => request.headers['x-special'] === 'yes', 203);
  const status = async (/** @type {string} */ target, /** @type {RequestInit} */ init = {}) =>
    (await fetch(server.origin + target, init)).status;
  assert.equal(await status('/api/a'), 500);
  assert.equal(await status('/api/a', { method: 'POST' }), 201);
  assert.equal(await status('/api/b?q=1'), 202);
  assert.equal(await status('/api/b?q=x'), 500);
  assert.equal(await status('/api/a', { headers: { 'X-Special': 'yes' } }), 203);
  assert.equal(await status('/elsewhere'), 404);
});

test('a misspelt step or matcher is refused when it is set', async (t) => {
  const server = await start(t);
  assert.throws(() => server.on('/x', /** @type {any} */ ({ delay: 5 })), /a step has no 'delay'/);
  assert.throws(() => server.on('/x', /** @type {any} */ ('hung')), /hung is no step/);
  assert.throws(() => server.on('/x', []), /has no steps/);
  assert.throws(() => server.on('x', 200), /no matcher/);
});

test('a function answers from the request', async (t) => {
  const server = await start(t);
  server.on('/api/echo', async (request) => ({
    body: { ...request.json(), via: request.queryValue('via'), method: request.method },
  }));
  const answer = await fetch(`${server.origin}/api/echo?via=test`, { method: 'PUT', body: '{"a":1}' });
  assert.deepEqual(await answer.json(), { a: 1, via: 'test', method: 'PUT' });
});

test("'pass' lays faults over what would have been answered", async (t) => {
  const server = await start(t);
  server.on('/api/version', [
    { pass: true, headers: { 'X-App-Version': 'v9' } },
    { pass: true, status: 503 },
    'pass',
  ]);
  const first = await fetch(`${server.origin}/api/version`);
  assert.equal(first.headers.get('x-app-version'), 'v9');
  assert.deepEqual(await first.json(), { version: 'v1' });
  assert.equal((await fetch(`${server.origin}/api/version`)).status, 503);
  assert.equal((await fetch(`${server.origin}/api/version`)).status, 200);
});

test('headers, bodies and bytes arrive as scripted', async (t) => {
  const server = await start(t);
  server.on('/api/x', [
    { headers: { ETag: '"1"', 'Set-Cookie': ['a=1', 'b=2'], 'Cache-Control': null }, body: 'text' },
    { body: Uint8Array.of(0, 255) },
    { body: { base64: 'AP8=' } },
    { body: null },
    { status: 204 },
    { status: 304, headers: { ETag: '"1"' } },
  ]);
  const text = await fetch(`${server.origin}/api/x`);
  assert.deepEqual(
    [text.headers.get('etag'), text.headers.getSetCookie(), text.headers.get('cache-control')],
    ['"1"', ['a=1', 'b=2'], null],
  );
  assert.equal(await text.text(), 'text');
  for (const _ of ['bytes', 'base64']) {
    assert.deepEqual(
      new Uint8Array(await (await fetch(`${server.origin}/api/x`)).arrayBuffer()),
      Uint8Array.of(0, 255),
    );
  }
  assert.equal(await (await fetch(`${server.origin}/api/x`)).json(), null);
  assert.equal((await fetch(`${server.origin}/api/x`)).status, 204);
  assert.equal((await fetch(`${server.origin}/api/x`)).status, 304);
});

test('delays come before the headers and before the body', async (t) => {
  const server = await start(t);
  server.on('/api/x', { delayMs: 60, bodyDelayMs: 80, body: 'late' });
  const started = performance.now();
  const answer = await fetch(`${server.origin}/api/x`);
  const headersMs = performance.now() - started;
  assert.equal(await answer.text(), 'late');
  assert.ok(headersMs >= 59, `${headersMs}`);
  assert.ok(performance.now() - started - headersMs >= 60);
});

test('a dripped body comes piece by piece', async (t) => {
  const server = await start(t);
  server.on('/api/x', {
    pieces: [{ data: 'a' }, { data: 'bc', afterMs: 30 }, { data: { base64: 'ZA==' }, afterMs: 30 }],
  });
  const answer = await fetch(`${server.origin}/api/x`);
  const pieces = [];
  for await (const chunk of answer.body ?? []) pieces.push(Buffer.from(chunk).toString());
  assert.deepEqual(pieces, ['a', 'bc', 'd']);
});

test('a body is cut after exactly so many bytes, 0 being after the headers', async (t) => {
  const server = await start(t);
  const body = 'x'.repeat(300_000);
  for (const cutAfterBytes of [0, 1, 100_001, 300_000, 400_000]) {
    server.on('/api/x', { body, cutAfterBytes });
    const answer = await raw(server, '/api/x');
    assert.match(answer.head, /^HTTP\/1.1 200/);
    assert.equal(answer.body.length, Math.min(cutAfterBytes, body.length));
    await assert.rejects(
      async () => (await fetch(`${server.origin}/api/x`)).text(),
      `after ${cutAfterBytes}`,
    );
  }
  server.on('/api/x', { cutAfterBytes: 0 });
  await assert.rejects(async () => (await fetch(`${server.origin}/api/x`)).text(), 'an empty body');
  server.on('/api/x', { pieces: [{ data: 'abc' }, { data: 'def' }], cutAfterBytes: 4 });
  const dripped = await raw(server, '/api/x');
  assert.equal(dripped.body.toString(), 'abcd');
  assert.equal(dripped.isWhole, false);
  assert.equal(
    server.requests.every((request) => request.endedAt !== null && request.closedEarlyAt === null),
    true,
  );
});

test("'cut' closes the connection instead of an answer, by FIN or by RST", async (t) => {
  const server = await start(t);
  server.on('/api/x', ['cut', { cut: 'beforeHeaders', reset: true }]);
  const fin = await raw(server, '/api/x');
  assert.deepEqual([fin.head, fin.ended, fin.reset], ['', true, false]);
  const rst = await raw(server, '/api/x');
  assert.deepEqual([rst.head, rst.ended, rst.reset], ['', false, true]);
  assert.equal(server.requests[0].status, null);
});

test('a stalled body and a request that hangs hold the connection until the client goes', async (t) => {
  const server = await start(t);
  server.on('/api/stall', { body: 'abcdef', stallAfterBytes: 4 });
  server.on('/api/hang', 'hang');
  const stalled = await raw(server, '/api/stall', { untilBytes: 4 });
  assert.equal(stalled.body.toString(), 'abcd');
  assert.match(stalled.head, /content-length: 6/i);
  stalled.socket.destroy();
  const gone = await server.waitFor(
    (request) => request.path === '/api/stall' && request.closedEarlyAt !== null,
  );
  assert.equal(gone.endedAt, null);

  const abort = new AbortController();
  const hung = fetch(`${server.origin}/api/hang`, { signal: abort.signal }).catch((error) => error.name);
  assert.equal((await server.waitFor('/api/hang')).closedEarlyAt, null);
  abort.abort();
  assert.equal(await hung, 'AbortError');
  await server.waitFor((request) => request.path === '/api/hang' && request.closedEarlyAt !== null);
});

test('Retry-After in all its forms is read against the Date of the answer', async (t) => {
  const server = await start(t);
  const forms = [
    retryAfter.seconds(3),
    retryAfter.ms(250),
    retryAfter.imfFixdate(3_000),
    retryAfter.rfc850(3_000),
    retryAfter.asctime(2_001),
    'soon',
    [retryAfter.seconds(9), retryAfter.ms(1)],
  ];
  server.on(
    '/api/x',
    forms.map((form) => ({ status: 503, retryAfter: form, dateSkewMs: 3_600_000 })),
  );
  const answers = [];
  for (const _ of forms) answers.push((await fetch(`${server.origin}/api/x`)).headers);
  assert.equal(answers[0].get('retry-after'), '3');
  assert.equal(answers[1].get('retry-after-ms'), '250');
  for (const headers of answers.slice(2, 5)) {
    const written = headers.get('retry-after') ?? '';
    const read = Date.parse(/GMT$/.test(written) ? written : `${written} GMT`);
    assert.equal(read - Date.parse(headers.get('date') ?? ''), 3_000, written);
  }
  assert.ok(Date.parse(answers[2].get('date') ?? '') - Date.now() > 3_590_000, 'the clock is ahead');
  assert.equal(answers[5].get('retry-after'), 'soon');
  assert.deepEqual([answers[6].get('retry-after'), answers[6].get('retry-after-ms')], ['9', '1']);
});

test('dates are written as RFC 9110 writes them', () => {
  const date = new Date('1994-11-06T08:49:37Z');
  assert.equal(dateForms.imfFixdate(date), 'Sun, 06 Nov 1994 08:49:37 GMT');
  assert.equal(dateForms.rfc850(date), 'Sunday, 06-Nov-94 08:49:37 GMT');
  assert.equal(dateForms.asctime(date), 'Sun Nov  6 08:49:37 1994');
});

test('Date can be overridden and left out', async (t) => {
  const server = await start(t);
  server.on('/api/x', [{ headers: { Date: 'yesterday' } }, { headers: { Date: null } }]);
  assert.equal((await fetch(`${server.origin}/api/x`)).headers.get('date'), 'yesterday');
  assert.equal((await fetch(`${server.origin}/api/x`)).headers.get('date'), null);
});

test('the version is on every answer under /api/ and nowhere else', async (t) => {
  const server = await start(t);
  server.page('/', '<!doctype html>');
  server.version = 'v2';
  const version = async (/** @type {string} */ target) =>
    (await fetch(server.origin + target)).headers.get('x-app-version');
  assert.deepEqual(
    [await version('/api/none'), await version('/api/version'), await version('/')],
    ['v2', 'v2', null],
  );
  server.version = null;
  assert.equal(await version('/api/none'), null);
});

test('connections are refused, and accepted again on the same port', async (t) => {
  const server = await start(t);
  const { origin } = server;
  server.on('/api/hang', 'hang');
  const hung = fetch(`${origin}/api/hang`).catch((error) => error.cause);
  await server.waitFor('/api/hang');
  await server.refuse();
  assert.match((await hung).code, /UND_ERR_SOCKET|ECONNRESET/);
  await assert.rejects(
    fetch(`${origin}/api/x`),
    (error) => /** @type {any} */ (error).cause.code === 'ECONNREFUSED',
  );
  await server.accept();
  assert.equal(server.origin, origin);
  assert.equal((await fetch(`${origin}/api/x`)).status, 404);
  assert.equal(server.requestsTo('/api/hang')[0].closedEarlyAt, null, 'it was the server that closed');
});

test('connections are fresh for each request, unless kept alive', async (t) => {
  const server = await start(t);
  assert.match((await raw(server, '/api/x')).head, /connection: close/i);
  server.keepAlive = true;
  const kept = await raw(server, '/api/version', { untilBytes: 10 });
  assert.match(kept.head, /connection: keep-alive/i);
  kept.socket.destroy();
});

test('requests are recorded with time, query, headers and body, bounded', async (t) => {
  const server = await start(t);
  const before = Date.now();
  await fetch(`${server.origin}/api/x?a=1&a=2`, {
    method: 'POST',
    body: 'é'.repeat(1_200_000),
    headers: { 'X-Y': 'z' },
  });
  const [request] = server.requestsTo('POST /api/x');
  assert.ok(request.at >= before && request.at <= Date.now());
  assert.deepEqual(request.query, [
    ['a', '1'],
    ['a', '2'],
  ]);
  assert.deepEqual([request.url, request.headers['x-y'], request.status], ['/api/x?a=1&a=2', 'z', 404]);
  assert.deepEqual([request.bodyBytes, request.body.length], [2_400_000, 1_048_576]);
  server.clear();
  assert.equal(server.requests.length, 0);
  await assert.rejects(
    server.waitFor('/api/x', { timeoutMs: 20 }),
    /0 of 1 requests matched \/api\/x within 20 ms/,
  );
});
