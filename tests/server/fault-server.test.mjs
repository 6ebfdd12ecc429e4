import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { retryAfter, SESSION_COOKIE, startFaultServer } from './fault-server.mjs';
import { dateForms } from './retry-after.mjs';

/** @param {import('node:test').TestContext} t @param {Parameters<typeof startFaultServer>[0]} [options] */
async function start(t, options) {
  const server = await startFaultServer(options);
  t.after(() => server.close());
  return server;
}

/**
 * What the wire carries, as bytes (`isWhole`: with the end of a chunked body), until the server closes the connection or `untilBytes` of a body have come.
 * @param {import('./fault-server.mjs').FaultServer} server @param {string} target @param {{ method?: string, headers?: string, untilBytes?: number }} [options]
 */
async function raw(server, target, { method = 'GET', headers = '', untilBytes = Infinity } = {}) {
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  const state = { socket, head: '', body: Buffer.alloc(0), isWhole: false, ended: false, reset: false };
  let all = Buffer.alloc(0);
  await new Promise((resolve) => {
    socket.on('data', (chunk) => {
      all = Buffer.concat([all, chunk]);
      const at = all.indexOf('\r\n\r\n');
      if (at < 0) return;
      state.head = all.subarray(0, at).toString();
      state.body = all.subarray(at + 4);
      state.isWhole = state.body.subarray(-5).toString() === '0\r\n\r\n';
      if (/transfer-encoding: chunked/i.test(state.head)) state.body = dechunked(state.body);
      if (state.body.length >= untilBytes) resolve(undefined);
    });
    socket.on('end', () => (state.ended = true));
    socket.on('error', (error) => (state.reset = /** @type {any} */ (error).code === 'ECONNRESET'));
    socket.on('close', resolve);
  });
  return state;
}

/** As much of a chunked body as there is. @param {Buffer} bytes */
function dechunked(bytes) {
  let body = Buffer.alloc(0);
  for (;;) {
    const line = bytes.indexOf('\r\n');
    if (line < 0) return body;
    const size = parseInt(bytes.subarray(0, line).toString(), 16);
    body = Buffer.concat([body, bytes.subarray(line + 2, line + 2 + size)]);
    bytes = bytes.subarray(line + 2 + size + 2);
  }
}

test('steps are taken one for each request, and the last one again and again', async (t) => {
  const server = await start(t);
  const script = server.on('/api/x', [503, { status: 200, body: { n: 1 } }, 404]);
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await fetch(`${server.origin}/api/x`)).status);
  assert.deepEqual(statuses, [503, 200, 404, 404]);
  assert.equal(script.taken, 4);
  script.off();
  server.on('/api/x', [500], { then: { body: { ok: true } } });
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
  const status = async (/** @type {string} */ target, /** @type {RequestInit} */ init = {}) => (await fetch(server.origin + target, init)).status;
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
  server.on('/api/echo', async (request) => ({ body: { ...request.json(), via: request.queryValue('via'), method: request.method } }));
  const answer = await fetch(`${server.origin}/api/echo?via=test`, { method: 'PUT', body: '{"a":1}' });
  assert.deepEqual(await answer.json(), { a: 1, via: 'test', method: 'PUT' });
});

test("'pass' lays faults over what would have been answered", async (t) => {
  const server = await start(t);
  server.on('/api/version', [{ pass: true, headers: { 'X-App-Version': 'v9' } }, { pass: true, status: 503 }, 'pass']);
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
  assert.deepEqual([text.headers.get('etag'), text.headers.getSetCookie(), text.headers.get('cache-control')], ['"1"', ['a=1', 'b=2'], null]);
  assert.equal(await text.text(), 'text');
  for (const _ of ['bytes', 'base64']) {
    assert.deepEqual(new Uint8Array(await (await fetch(`${server.origin}/api/x`)).arrayBuffer()), Uint8Array.of(0, 255));
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
  server.on('/api/x', { pieces: [{ data: 'a' }, { data: 'bc', afterMs: 30 }, { data: { base64: 'ZA==' }, afterMs: 30 }] });
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
    await assert.rejects(async () => (await fetch(`${server.origin}/api/x`)).text(), `after ${cutAfterBytes}`);
  }
  server.on('/api/x', { cutAfterBytes: 0 });
  await assert.rejects(async () => (await fetch(`${server.origin}/api/x`)).text(), 'an empty body');
  server.on('/api/x', { pieces: [{ data: 'abc' }, { data: 'def' }], cutAfterBytes: 4 });
  const dripped = await raw(server, '/api/x');
  assert.equal(dripped.body.toString(), 'abcd');
  assert.equal(dripped.isWhole, false);
  assert.equal(server.requests.every((request) => request.endedAt !== null && request.closedEarlyAt === null), true);
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
  const gone = await server.waitFor((request) => request.path === '/api/stall' && request.closedEarlyAt !== null);
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
    retryAfter.seconds(3), retryAfter.ms(250), retryAfter.imfFixdate(3_000), retryAfter.rfc850(3_000), retryAfter.asctime(2_001),
    'soon', [retryAfter.seconds(9), retryAfter.ms(1)],
  ];
  server.on('/api/x', forms.map((form) => ({ status: 503, retryAfter: form, dateSkewMs: 3_600_000 })));
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
  const version = async (/** @type {string} */ target) => (await fetch(server.origin + target)).headers.get('x-app-version');
  assert.deepEqual([await version('/api/none'), await version('/api/version'), await version('/')], ['v2', 'v2', null]);
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
  await assert.rejects(fetch(`${origin}/api/x`), (error) => /** @type {any} */ (error).cause.code === 'ECONNREFUSED');
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
  await fetch(`${server.origin}/api/x?a=1&a=2`, { method: 'POST', body: 'é'.repeat(600_000), headers: { 'X-Y': 'z' } });
  const [request] = server.requestsTo('POST /api/x');
  assert.ok(request.at >= before && request.at <= Date.now());
  assert.deepEqual(request.query, [['a', '1'], ['a', '2']]);
  assert.deepEqual([request.url, request.headers['x-y'], request.status], ['/api/x?a=1&a=2', 'z', 404]);
  assert.deepEqual([request.bodyBytes, request.body.length], [1_200_000, 524_288]);
  server.clear();
  assert.equal(server.requests.length, 0);
  await assert.rejects(server.waitFor('/api/x', { timeoutMs: 20 }), /0 of 1 requests matched \/api\/x within 20 ms/);
});

test('another origin is let in as configured, and preflights are answered', async (t) => {
  const server = await start(t, { cors: { origin: ['http://app.test'], expose: ['ETag'] } });
  server.on('/api/x', 200);
  const preflight = (/** @type {string} */ origin) =>
    fetch(`${server.origin}/api/x`, { method: 'OPTIONS', headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' } });
  const allowed = await preflight('http://app.test');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'http://app.test');
  assert.equal(allowed.headers.get('access-control-allow-credentials'), 'true');
  assert.match(allowed.headers.get('access-control-allow-headers') ?? '', /Idempotency-Key/);
  assert.equal((await preflight('http://other.test')).headers.get('access-control-allow-origin'), null);
  const answer = await fetch(`${server.origin}/api/x`, { headers: { Origin: 'http://app.test' } });
  assert.equal(answer.headers.get('access-control-expose-headers'), 'ETag');
  assert.equal(server.requestsTo('/api/x').length, 1, 'preflights are not counted');
  assert.equal(server.requestsTo('OPTIONS /api/x').length, 2);
  server.cors = true;
  const open = await fetch(`${server.origin}/api/x`, { headers: { Origin: 'http://other.test' } });
  assert.match(open.headers.get('access-control-expose-headers') ?? '', /Retry-After/);
});

test('the session answers as NextAuth does: a rolling cookie, null, and faults', async (t) => {
  const server = await start(t);
  const session = () => fetch(`${server.origin}/api/auth/session`);
  assert.equal(await (await session()).json(), null);
  server.session = { user: { id: '1', name: 'Ada' }, expiresInMs: 60_000 };
  const [first, second] = [await session(), await session()];
  const body = await first.json();
  assert.equal(body.user.name, 'Ada');
  assert.ok(Math.abs(Date.parse(body.expires) - Date.now() - 60_000) < 5_000);
  assert.match(first.headers.get('cache-control') ?? '', /no-store, no-cache, must-revalidate/);
  assert.match(first.headers.getSetCookie()[0], new RegExp(`^${SESSION_COOKIE}=1; .*HttpOnly`));
  assert.match(second.headers.getSetCookie()[0], /=2;/);
  server.session = ['broken', 'html', 401, {}];
  assert.equal((await session()).status, 500);
  assert.match((await session()).headers.get('content-type') ?? '', /text\/html/);
  assert.equal((await session()).status, 401);
  assert.deepEqual([await (await session()).json(), await (await session()).json()], [{}, {}]);
});

test('sign-out needs the CSRF token and its cookie', async (t) => {
  const server = await start(t);
  server.session = { user: { id: '1' } };
  const csrf = await fetch(`${server.origin}/api/auth/csrf`);
  const { csrfToken } = await csrf.json();
  const signOut = async (/** @type {Record<string, string>} */ headers) =>
    (await (await fetch(`${server.origin}/api/auth/signout`, { method: 'POST', body: new URLSearchParams({ csrfToken, json: 'true' }), headers })).json()).url;
  assert.match(await signOut({}), /csrf=true/);
  assert.notEqual(server.session, null);
  assert.equal(await signOut({ Cookie: csrf.headers.getSetCookie()[0].split(';')[0] }), `${server.origin}/`);
  assert.equal(server.session, null);
});

test('folders are served with their types, and nothing beside them', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'fault-server-'));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(path.join(folder, 'pkg'));
  await mkdir(path.join(folder, 'pkg-secret'));
  await writeFile(path.join(folder, 'pkg-secret', 'key.txt'), 'secret');
  await writeFile(path.join(folder, 'secret.txt'), 'secret');
  await writeFile(path.join(folder, 'pkg', 'a.wasm'), 'wasm');
  await writeFile(path.join(folder, 'pkg', 'a.js'), 'js');
  await writeFile(path.join(folder, 'pkg', 'index.html'), '<p>');
  const server = await start(t);
  server.serve('/pkg/', path.join(folder, 'pkg'), { 'X-Folder': 'pkg' });
  server.page('/app', '<!doctype html>', { 'Content-Security-Policy': "default-src 'self'" });
  const wasm = await fetch(`${server.origin}/pkg/a.wasm?v=1`);
  assert.deepEqual([wasm.headers.get('content-type'), wasm.headers.get('x-folder'), await wasm.text()], ['application/wasm', 'pkg', 'wasm']);
  assert.match((await fetch(`${server.origin}/pkg/a.js`)).headers.get('content-type') ?? '', /javascript/);
  assert.match((await fetch(`${server.origin}/pkg/`)).headers.get('content-type') ?? '', /html/);
  const page = await fetch(`${server.origin}/app`);
  assert.equal(page.headers.get('content-security-policy'), "default-src 'self'");
  for (const target of ['/pkg/../secret.txt', '/pkg/%2e%2e/secret.txt', '/pkg/..%2fsecret.txt', '/pkg/%2e%2e%2fpkg-secret/key.txt', '/pkg/%00', '/pkg//etc/passwd', '/pkg/%ff', '/pkg/none']) {
    assert.match((await raw(server, target)).head, /^HTTP\/1.1 404/, target);
  }
});

test('an event feed streams, replays after the last id, is polled and is cut', async (t) => {
  const server = await start(t);
  const feed = server.feed('/api/events', { pollPath: '/api/events/poll', retryMs: 50 });
  const stream = await fetch(`${server.origin}/api/events`);
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, 'retry: 50\n\n');
  while (feed.connections === 0) await new Promise(setImmediate);
  feed.send({ event: 'note', data: 'a\nb' });
  assert.equal((await reader.read()).value, 'id: 1\nevent: note\ndata: a\ndata: b\n\n');
  feed.cut();
  await reader.read().catch(() => {}); // undici takes a chunked body that breaks off for a whole one; browsers do not
  while (feed.connections > 0) await new Promise(setImmediate);
  feed.send('missed');
  const again = await raw(server, '/api/events', { headers: 'Last-Event-ID: 1\r\n', untilBytes: 25 });
  assert.equal(again.body.toString(), 'retry: 50\n\nid: 2\ndata: missed\n\n');
  again.socket.destroy();
  const polled = await fetch(`${server.origin}/api/events/poll?lastEventId=1`);
  assert.deepEqual(await polled.json(), { events: [{ id: '2', data: 'missed' }], lastEventId: '2' });
});

test('a page steers the server over HTTP', async (t) => {
  const server = await start(t);
  const post = (/** @type {string} */ target, /** @type {unknown} */ body) => fetch(server.origin + target, { method: 'POST', body: JSON.stringify(body) });
  assert.equal((await post('/__fault/script', [{ match: 'POST /api/x', steps: [{ status: 503, retryAfter: { form: 'seconds', value: 2 } }, 201] }, { match: { pattern: 'B$', flags: 'i' }, steps: 418 }])).status, 200);
  const refused = await post('/api/x', {});
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '2']);
  assert.equal((await post('/api/x', {})).status, 201);
  assert.equal((await fetch(`${server.origin}/b`)).status, 418);
  assert.equal((await post('/__fault/script', { match: '/api/x', steps: [{ wrong: 1 }] })).status, 400);
  await post('/__fault/state', { version: 'v7', session: { user: { id: '1' } } });
  assert.deepEqual(await (await fetch(`${server.origin}/api/auth/session`)).json(), { user: { id: '1' } });
  const records = await (await fetch(`${server.origin}/__fault/requests?match=/api/x`)).json();
  assert.deepEqual(records.map((/** @type {any} */ record) => [record.method, record.status]), [['POST', 503], ['POST', 201]]);
  await post('/__fault/reset', null);
  assert.deepEqual([server.requests.length, server.version, server.session], [0, 'v1', null]);
  await post('/__fault/state', { refuseForMs: 100 });
  const refusing = async () => fetch(`${server.origin}/`).then(() => false, () => true);
  while (!(await refusing())) await new Promise(setImmediate);
  while (await refusing()) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('it runs from the command line', async (t) => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('fault-server.mjs', import.meta.url)), '--port', '0']);
  t.after(() => child.kill());
  const [line] = await once(child.stdout, 'data');
  const version = await fetch(`${String(line).trim()}/api/version`);
  assert.deepEqual(await version.json(), { version: 'v1' });
});
