import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { People, SESSION_COOKIE } from './fault-server.mjs';
import { raw, start } from './wire.mjs';

test('another origin is let in as configured, and preflights are answered', async (t) => {
  const server = await start(t, { cors: { origin: ['http://app.test'], expose: ['ETag'] } });
  server.on('/api/x', 200);
  const preflight = (/** @type {string} */ origin) =>
    fetch(`${server.origin}/api/x`, {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' },
    });
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
    (
      await (
        await fetch(`${server.origin}/api/auth/signout`, {
          method: 'POST',
          body: new URLSearchParams({ csrfToken, json: 'true' }),
          headers,
        })
      ).json()
    ).url;
  assert.match(await signOut({}), /csrf=true/);
  assert.notEqual(server.session, null);
  assert.equal(await signOut({ Cookie: csrf.headers.getSetCookie()[0].split(';')[0] }), `${server.origin}/`);
  assert.equal(server.session, null);
});

test('of several people each is who their cookie names, until cookies are forgotten', async (t) => {
  const server = await start(t);
  server.people = new People({
    ada: { user: { id: '1', name: 'Ada' }, expiresInMs: 60_000 },
    ben: { user: { id: '2', name: 'Ben' } },
  });
  const signIn = (/** @type {string} */ name) =>
    fetch(`${server.origin}/api/auth/callback/credentials`, {
      method: 'POST',
      body: new URLSearchParams({ name }),
    });
  const cookieIn = (/** @type {Response} */ answer) => answer.headers.getSetCookie()[0].split(';')[0];
  const session = (/** @type {string} */ Cookie) =>
    fetch(`${server.origin}/api/auth/session`, { headers: { Cookie } });

  assert.equal((await signIn('eve')).status, 401);
  assert.equal(await (await session(`${SESSION_COOKIE}=ada.forged.1`)).json(), null);
  const [ada, ben] = [cookieIn(await signIn('ada')), cookieIn(await signIn('ben'))];
  const first = await session(ada);
  assert.deepEqual((await first.clone().json()).user, { id: '1', name: 'Ada' });
  assert.notEqual(cookieIn(first), ada, 'it is signed anew');
  assert.equal((await (await session(cookieIn(first))).json()).user.name, 'Ada');
  assert.deepEqual(await (await session(ben)).json(), { user: { id: '2', name: 'Ben' } });

  server.people.forget();
  for (const cookie of [ada, ben, cookieIn(first)]) assert.equal(await (await session(cookie)).json(), null);
  assert.equal((await (await session(cookieIn(await signIn('ben')))).json()).user.name, 'Ben');
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
  assert.deepEqual(
    [wasm.headers.get('content-type'), wasm.headers.get('x-folder'), await wasm.text()],
    ['application/wasm', 'pkg', 'wasm'],
  );
  assert.match((await fetch(`${server.origin}/pkg/a.js`)).headers.get('content-type') ?? '', /javascript/);
  assert.match((await fetch(`${server.origin}/pkg/`)).headers.get('content-type') ?? '', /html/);
  const page = await fetch(`${server.origin}/app`);
  assert.equal(page.headers.get('content-security-policy'), "default-src 'self'");
  for (const target of [
    '/pkg/../secret.txt',
    '/pkg/%2e%2e/secret.txt',
    '/pkg/..%2fsecret.txt',
    '/pkg/%2e%2e%2fpkg-secret/key.txt',
    '/pkg/%00',
    '/pkg//etc/passwd',
    '/pkg/%ff',
    '/pkg/none',
  ]) {
    assert.match((await raw(server, target)).head, /^HTTP\/1.1 404/, target);
  }
});

test('an event feed streams, replays after the last id, is polled and is cut', async (t) => {
  const server = await start(t);
  const feed = server.feed('/api/events', { pollPath: '/api/events/poll', retryMs: 50 });
  const stream = await fetch(`${server.origin}/api/events`);
  assert.equal(stream.headers.get('content-type'), 'text/event-stream');
  const reader = /** @type {ReadableStream} */ (stream.body).pipeThrough(new TextDecoderStream()).getReader();
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
  const post = (/** @type {string} */ target, /** @type {unknown} */ body) =>
    fetch(server.origin + target, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(
    (
      await post('/__fault/script', [
        { match: 'POST /api/x', steps: [{ status: 503, retryAfter: { form: 'seconds', value: 2 } }, 201] },
        { match: { pattern: 'B$', flags: 'i' }, steps: 418 },
      ])
    ).status,
    200,
  );
  const refused = await post('/api/x', {});
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '2']);
  assert.equal((await post('/api/x', {})).status, 201);
  assert.equal((await fetch(`${server.origin}/b`)).status, 418);
  assert.equal((await post('/__fault/script', { match: '/api/x', steps: [{ wrong: 1 }] })).status, 400);
  await post('/__fault/state', { version: 'v7', session: { user: { id: '1' } } });
  assert.deepEqual(await (await fetch(`${server.origin}/api/auth/session`)).json(), { user: { id: '1' } });
  const records = await (await fetch(`${server.origin}/__fault/requests?match=/api/x`)).json();
  assert.deepEqual(
    records.map((/** @type {any} */ record) => [record.method, record.status]),
    [
      ['POST', 503],
      ['POST', 201],
    ],
  );
  await post('/__fault/reset', null);
  assert.deepEqual([server.requests.length, server.version, server.session], [0, 'v1', null]);
  await post('/__fault/state', { refuseForMs: 100 });
  const refusing = async () =>
    fetch(`${server.origin}/`).then(
      () => false,
      () => true,
    );
  while (!(await refusing())) await new Promise(setImmediate);
  while (await refusing()) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('it runs from the command line', async (t) => {
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('fault-server.mjs', import.meta.url)),
    '--port',
    '0',
  ]);
  t.after(() => child.kill());
  const [line] = await once(child.stdout, 'data');
  const version = await fetch(`${String(line).trim()}/api/version`);
  assert.deepEqual(await version.json(), { version: 'v1' });
});
