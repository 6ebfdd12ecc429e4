import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDrafts } from './drafts.mjs';
import { People } from './fault-server.mjs';
import { start } from './wire.mjs';

const ADA = { user: { id: 'ada' } };
const WEEK_MS = 7 * 86_400_000;

/** A server with Ada signed in. @param {import('node:test').TestContext} t @param {import('./drafts.mjs').DraftsOptions} [options] */
async function open(t, options) {
  const server = await start(t);
  server.session = ADA;
  server.drafts = openDrafts(options);
  return { server, drafts: server.drafts, ...asker(server.origin) };
}

/** What a page asks of a server's drafts. @param {string} origin @param {Record<string, string>} [always] headers of all requests */
function asker(origin, always = {}) {
  /** @param {string} method @param {string} key @param {Record<string, string>} [headers] @param {string} [body] */
  const ask = async (method, key, headers, body) => {
    const answer = await fetch(`${origin}/api/drafts?key=${encodeURIComponent(key)}`, {
      method,
      headers: { ...always, ...headers },
      body,
    });
    const text = await answer.text();
    const { status } = answer;
    return {
      status,
      headers: answer.headers,
      etag: answer.headers.get('etag'),
      body: text && JSON.parse(text),
    };
  };
  return {
    ask,
    read: (/** @type {string} */ key, /** @type {Record<string, string>} */ headers = {}) =>
      ask('GET', key, headers),
    /** @param {string} key @param {any} data @param {string} saveId @param {number | null} base the revision; null for the first @param {Record<string, string>} [headers] */
    save: (key, data, saveId, base, headers) =>
      ask('POST', key, { ...matching(base), ...headers }, JSON.stringify({ data, schemaVersion: 1, saveId })),
    clear: (/** @type {string} */ key, /** @type {Record<string, string>} */ headers = {}) =>
      ask('DELETE', key, headers),
  };
}

/** @param {number | null} base @returns {Record<string, string>} */
const matching = (base) => (base === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${base}"` });

test('what is saved is read as it was, with its revision and without a cache', async (t) => {
  const { read, save } = await open(t);
  const none = await read('form');
  assert.deepEqual([none.status, none.body, none.etag], [404, { rev: 0 }, null]);

  const before = Date.now();
  const first = await save('form', { text: 'Grüße 🎉' }, 'w.1', null);
  assert.equal(first.status, 200);
  assert.deepEqual(Object.keys(first.body).sort(), ['rev', 'updatedAt']);
  assert.equal(first.etag, `"${first.body.rev}"`);
  assert.ok(first.body.rev >= before && Date.parse(first.body.updatedAt) >= before);

  const { status, body, etag, headers } = await read('form');
  assert.equal(status, 200);
  assert.deepEqual(body, {
    key: 'form',
    ...first.body,
    data: { text: 'Grüße 🎉' },
    schemaVersion: 1,
    saveId: 'w.1',
  });
  assert.equal(etag, first.etag);
  assert.equal(headers.get('cache-control'), 'no-store, no-cache, must-revalidate');
  assert.equal(headers.get('pragma'), 'no-cache');
  assert.equal(headers.get('x-app-version'), 'v1');

  const second = await save('form', ['other'], 'w.2', first.body.rev);
  assert.equal(second.status, 200);
  assert.ok(second.body.rev > first.body.rev);
  assert.deepEqual((await read('form')).body.data, ['other']);
  assert.equal((await read('another form')).status, 404);
});

test('who names another revision is given the copy that stands, and nothing is written', async (t) => {
  const { read, save } = await open(t);
  const { rev } = (await save('form', 'mine', 'w.1', null)).body;
  await save('form', 'theirs', 'v.1', rev);
  const current = (await read('form')).body;
  const { key: _key, ...copy } = current;
  for (const base of [rev, rev - 1, null]) {
    const refused = await save('form', 'late', 'w.2', base);
    assert.deepEqual([refused.status, refused.body], [412, copy]);
  }
  assert.deepEqual((await read('form')).body, current);
  const none = { rev: 0, data: null, schemaVersion: null, saveId: null, updatedAt: null };
  for (const base of [0, rev]) {
    const refused = await save('unknown', 'text', 'w.3', base);
    assert.deepEqual([refused.status, refused.body], [412, none]);
  }
});

test('a save that takes nothing for granted is refused', async (t) => {
  const { ask, drafts } = await open(t);
  const body = JSON.stringify({ data: 'text', schemaVersion: 1, saveId: 'w.1' });
  for (const headers of [{}, { 'If-None-Match': '"1"' }]) {
    const refused = await ask('POST', 'form', headers, body);
    assert.deepEqual([refused.status, refused.body], [428, { code: 'preconditionRequired' }]);
  }
  assert.deepEqual(drafts.rows(), []);
});

test('a save repeated with its id is the same save', async (t) => {
  const { read, save } = await open(t);
  const first = await save('form', 'mine', 'w.1', null);
  const written = (await read('form')).body;
  for (const base of [null, first.body.rev - 1, first.body.rev]) {
    const repeated = await save('form', 'mine', 'w.1', base);
    assert.deepEqual([repeated.status, repeated.body, repeated.etag], [200, first.body, first.etag]);
  }
  assert.deepEqual((await read('form')).body, written);
});

test('an answer that was lost was a save nevertheless', async (t) => {
  const { server, read, save, drafts } = await open(t);
  server.on('POST /api/drafts', [
    { pass: true, cut: 'beforeHeaders' },
    { pass: true, cutAfterBytes: 3 },
    { pass: true, hang: true },
    { pass: true, status: 502, body: '<!doctype html>' },
    { pass: true, delayMs: 30 },
    'pass',
  ]);
  const lost = save('form', 'mine', 'w.1', null);
  await assert.rejects(lost);
  await server.waitFor('POST /api/drafts');
  const [{ rev }] = drafts.rows();
  await assert.rejects(save('form', 'mine', 'w.1', null));
  const hanging = save('form', 'mine', 'w.1', null).catch(() => 'refused');
  await server.waitFor('POST /api/drafts', { count: 3 });
  assert.equal((await fetch(`${server.origin}/api/drafts?key=form`, { method: 'POST' })).status, 502);
  assert.equal((await save('form', 'mine', 'w.1', null)).body.rev, rev);
  assert.equal((await save('form', 'mine', 'w.1', null)).body.rev, rev);
  assert.equal((await read('form')).body.rev, rev);
  await server.refuse();
  assert.equal(await hanging, 'refused');
});

test('a cleared draft leaves a tombstone, which stands in the way of what does not know it', async (t) => {
  const { read, save, clear, drafts } = await open(t);
  const { rev } = (await save('form', 'mine', 'w.1', null)).body;
  const cleared = await clear('form');
  assert.deepEqual([cleared.status, cleared.body], [204, '']);
  const tombstone = Number(JSON.parse(cleared.etag ?? ''));
  assert.ok(tombstone > rev);
  const gone = await read('form');
  assert.deepEqual([gone.status, gone.body], [404, { rev: tombstone }]);

  for (const base of [rev, null]) {
    const late = await save('form', 'late', 'w.1', base);
    assert.equal(late.status, 412);
    const { updatedAt, ...copy } = late.body;
    assert.deepEqual(copy, { rev: tombstone, data: null, schemaVersion: null, saveId: null });
    assert.ok(Date.parse(updatedAt));
  }
  assert.equal(drafts.rows()[0].data, null);

  const made = await save('form', 'new', 'w.2', tombstone);
  assert.equal(made.status, 200);
  assert.ok(made.body.rev > tombstone);
  assert.equal((await read('form')).body.data, 'new');
});

test('clearing what is not there leaves a tombstone too, and clearing twice is clearing once', async (t) => {
  const { read, save, clear } = await open(t);
  const { etag } = await clear('form');
  assert.equal((await clear('form')).etag, etag);
  const { rev } = (await read('form')).body;
  assert.equal(`"${rev}"`, etag);
  assert.equal((await save('form', 'late', 'w.1', null)).status, 412);
  assert.equal((await save('form', 'new', 'w.2', rev)).status, 200);
});

test('a clear that names a revision is refused where another stands', async (t) => {
  const { read, save, clear } = await open(t);
  const { rev } = (await save('form', 'mine', 'w.1', null)).body;
  const refused = await clear('form', matching(rev - 1));
  assert.deepEqual([refused.status, refused.body.rev, refused.body.data], [412, rev, 'mine']);
  assert.equal((await read('form')).status, 200);
  assert.equal((await clear('form', matching(rev))).status, 204);
  assert.equal((await clear('form', matching(rev))).status, 412);
  assert.equal((await clear('unknown', matching(rev))).status, 412);
  assert.equal((await read('unknown')).body.rev, 0);
});

test('drafts and tombstones stand for a week from the last save, and no revision comes again', async (t) => {
  let now = Date.now();
  const { read, save, clear, drafts } = await open(t, { now: () => now });
  const first = (await save('form', 1, 'w.1', null)).body;
  await save('idle', 1, 'w.1', null);
  now += WEEK_MS - 1;
  const second = (await save('form', 2, 'w.2', first.rev)).body;
  assert.equal((await read('idle')).status, 200);
  now += 1;
  assert.deepEqual((await read('idle')).body, { rev: 0 });
  assert.equal((await read('form')).body.data, 2);
  assert.deepEqual(
    drafts.rows().map(({ key }) => key),
    ['form'],
  );

  const tombstone = Number(JSON.parse((await clear('form')).etag ?? ''));
  now += WEEK_MS - 1;
  assert.deepEqual((await read('form')).body, { rev: tombstone });
  now += 1;
  assert.deepEqual((await read('form')).body, { rev: 0 });
  assert.equal((await save('form', 3, 'w.3', tombstone)).status, 412);

  const third = (await save('form', 3, 'w.3', null)).body;
  now -= 2 * WEEK_MS; // a clock that was set back
  const fourth = (await save('form', 4, 'w.4', third.rev)).body;
  assert.ok(fourth.rev > third.rev && third.rev > tombstone && tombstone > second.rev);
});

test('everybody has drafts of their own, and nobody has none', async (t) => {
  const server = await start(t);
  server.people = new People({ ada: ADA, ben: { user: { email: 'ben@bäckerei.test' } } });
  server.drafts = openDrafts();
  const cookieOf = (/** @type {string} */ name) => (server.people?.cookieOf(name) ?? '').split(';')[0];
  const [ada, ben] = ['ada', 'ben'].map((name) => asker(server.origin, { Cookie: cookieOf(name) }));
  await ada.save('form', 'of Ada', 'w.1', null);
  assert.equal((await ben.read('form')).status, 404);
  await ben.save('form', 'of Ben', 'w.1', null);
  assert.equal((await ada.read('form')).body.data, 'of Ada');

  server.people.forget();
  for (const nobody of [ada, asker(server.origin)]) {
    for (const answer of [
      await nobody.read('form'),
      await nobody.save('form', 1, 'w.2', null),
      await nobody.clear('form'),
    ])
      assert.deepEqual([answer.status, answer.body], [401, { code: 'unauthenticated' }]);
  }
  server.people = null;
  for (const session of [null, {}, 'broken', 500]) {
    server.session = session;
    assert.equal((await asker(server.origin).read('form')).status, 401);
  }
  assert.equal(server.drafts.rows().length, 2);
});

test('whoever expects to be another is told so, and nothing is read or written', async (t) => {
  const { server, read, save, clear, drafts } = await open(t);
  drafts.put('ada', 'form', { data: 'of Ada' });
  drafts.put('ben', 'form', { data: 'of Ben' });
  const before = drafts.rows();
  const asBen = { 'X-Expected-User': 'ben' };
  for (const answer of [
    await read('form', asBen),
    await save('form', 1, 'w.1', null, asBen),
    await clear('form', asBen),
  ])
    assert.deepEqual([answer.status, answer.body], [409, { code: 'otherUser' }]);
  assert.deepEqual(drafts.rows(), before);
  assert.equal((await read('form', { 'X-Expected-User': 'ada' })).body.data, 'of Ada');
  server.session = { user: { sub: 'bäcker' } };
  assert.equal(
    (await read('form', { 'X-Expected-User': Buffer.from('bäcker').toString('latin1') })).status,
    404,
  );
});

test('without sessions whoever asks is whom they expect to be', async (t) => {
  const { read, save, drafts } = await open(t, { trusting: true });
  assert.equal((await read('form')).status, 401);
  assert.equal((await save('form', 1, 'w.1', null, { 'X-Expected-User': 'carl' })).status, 200);
  assert.equal(drafts.rows()[0].owner, 'carl');
});

test('what is no draft is refused with a reason', async (t) => {
  const { ask, drafts } = await open(t, { bytesMax: 100 });
  const post = async (/** @type {unknown} */ body, key = 'form') => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await ask('POST', key, { 'If-None-Match': '*' }, text);
    return [answer.status, answer.body.code];
  };
  const draft = { data: 1, schemaVersion: 1, saveId: 'w.1' };
  assert.deepEqual(await post('{'), [400, 'badJson']);
  assert.deepEqual(await post(''), [400, 'badJson']);
  assert.deepEqual(await post(draft, ''), [400, 'badKey']);
  for (const wrong of [
    null,
    [],
    'text',
    { ...draft, data: null },
    { ...draft, data: undefined },
    { ...draft, schemaVersion: '1' },
    { ...draft, saveId: '' },
    { ...draft, saveId: undefined },
  ])
    assert.deepEqual(await post(JSON.stringify(wrong)), [422, 'badDraft']);
  assert.deepEqual(await post({ ...draft, data: 'é'.repeat(50) }), [413, 'tooLarge']);
  assert.equal((await ask('PUT', 'form')).status, 405);
  assert.deepEqual(drafts.rows(), []);
  assert.deepEqual(await post({ ...draft, data: 'é'.repeat(20) }), [200, undefined]);
});

test('drafts of a mebibyte are kept', async (t) => {
  const { read, save } = await open(t);
  const data = 'x'.repeat(1_048_574);
  assert.equal((await save('form', data, 'w.1', null)).status, 200);
  assert.equal((await read('form')).body.data, data);
});

test('a page elsewhere may ask, and reads the revision', async (t) => {
  const { server } = await open(t);
  server.cors = true;
  const preflight = await fetch(`${server.origin}/api/drafts?key=form`, {
    method: 'OPTIONS',
    headers: { Origin: 'http://app.test', 'Access-Control-Request-Method': 'DELETE' },
  });
  assert.equal(preflight.status, 204);
  assert.match(
    preflight.headers.get('access-control-allow-headers') ?? '',
    /If-Match, If-None-Match.*X-Expected-User/,
  );
  const { headers } = await asker(server.origin, { Origin: 'http://app.test' }).clear('form');
  assert.match(headers.get('access-control-expose-headers') ?? '', /ETag/);
});

test('a server without drafts, and one whose answers are scripted, knows no drafts', async (t) => {
  const { server, read, save, drafts } = await open(t);
  server.on('/api/drafts', { status: 404, headers: { 'Content-Type': 'text/html' }, body: '""' });
  assert.equal((await save('form', 1, 'w.1', null)).status, 404);
  assert.deepEqual(drafts.rows(), []);
  server.reset();
  server.session = ADA;
  assert.deepEqual((await read('form')).body, { rev: 0 });
  server.drafts = null;
  assert.deepEqual((await read('form')).body, { code: 'notFound' });
  drafts.close();
});

test('another device saves and clears', async (t) => {
  const { server, read, save, drafts } = await open(t);
  const rev = drafts.put('ada', 'form', { data: 'theirs', schemaVersion: 3, saveId: 'v.1' });
  assert.deepEqual((await read('form')).body.schemaVersion, 3);
  assert.equal((await save('form', 'mine', 'w.1', rev)).status, 200);
  assert.equal(drafts.clear('ada', 'form'), (await read('form')).body.rev);

  const steer = async (/** @type {object} */ given) =>
    (await fetch(`${server.origin}/__fault/drafts`, { method: 'POST', body: JSON.stringify(given) })).json();
  const { rev: put } = await steer({ owner: 'ada', key: 'form', data: 'again' });
  assert.deepEqual((await read('form')).body.rev, put);
  const { rev: cleared } = await steer({ owner: 'ada', key: 'form' });
  assert.deepEqual(await (await fetch(`${server.origin}/__fault/drafts`)).json(), drafts.rows());
  assert.deepEqual((await read('form')).body, { rev: cleared });
});

test('a server that starts again on the same file has lost nothing', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'drafts-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'drafts.sqlite');
  const { server, read, save, clear, drafts } = await open(t, { file });
  const { rev } = (await save('form', 'text', 'w.1', null)).body;
  await clear('sent');
  const rows = drafts.rows();

  await server.refuse();
  drafts.close();
  assert.ok(existsSync(file));
  server.drafts = openDrafts({ file });
  await server.accept();
  assert.deepEqual(server.drafts.rows(), rows);
  assert.equal((await read('form')).body.rev, rev);
  assert.equal((await save('form', 'text', 'w.1', rev - 1)).status, 200, 'it knows a repeat');
  assert.equal((await save('sent', 'late', 'w.2', null)).status, 412, 'it knows what was cleared');
});

test('a killed server has whatever it had said was saved', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'drafts-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'drafts.sqlite');
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('fault-server.mjs', import.meta.url)),
    ...['--port', '0', '--drafts', file],
  ]);
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const { save } = asker(String(line).trim(), { 'X-Expected-User': 'ada' });
  /** @type {number | null} */
  let rev = null;
  for (let n = 1; n <= 20; n++) rev = (await save('form', { n }, `w.${n}`, rev)).body.rev;
  const last = save('form', { n: 21 }, 'w.21', rev).catch(() => null);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const answered = await last;

  const drafts = openDrafts({ file });
  t.after(() => drafts.close());
  const [row] = drafts.rows();
  if (answered || row.data.n === 21) assert.equal(row.saveId, 'w.21');
  else assert.deepEqual([row.rev, row.data, row.saveId], [rev, { n: 20 }, 'w.20']);
});

test('a database of its own is gone with the server', async (t) => {
  const { server, drafts } = await open(t);
  assert.ok(existsSync(drafts.file));
  await server.close();
  assert.ok(!existsSync(path.dirname(drafts.file)));
});
