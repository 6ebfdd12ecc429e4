import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open } from './calls.mjs';
import { get, serve } from './pages.mjs';

const STORABLE = { body: 1, headers: { 'Cache-Control': 'max-age=3600' } };

const LAST = 'and that is all';

/** What the page warned of until now, taken off what would fail the test. @param {any} page @returns {Promise<string[]>} */
async function warnings(page) {
  await run(page, (last) => console.warn(last), LAST);
  await until(() => page.problems.at(-1)?.text === LAST);
  const said = page.problems.splice(0).map(({ text }) => text);
  return said.slice(0, -1);
}

test('a request with credentials goes past every cache, and what it brings is not stored', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [
    { ...STORABLE, body: 1 },
    { ...STORABLE, body: 2 },
  ]);
  assert.deepEqual([(await get(page, '/api/x')).data, (await get(page, '/api/x')).data], [1, 2]);
  for (const { headers } of server.requestsTo('/api/x'))
    assert.deepEqual([headers['cache-control'], headers.pragma], ['no-cache', 'no-cache']);
});

test('no-store is for requests with credentials, and what fetch was told is stronger', async (t) => {
  const other = await serve(t, { cors: true });
  const { page } = await open(t, () => {
    window.modes = [];
    return { api: { onRequest: (request) => void window.modes.push(request.cache) } };
  });
  const modes = await run(
    page,
    async (elsewhere) => {
      const { api } = window.app;
      await api.get('/api/same-origin');
      await api.post('/api/same-origin', {});
      await api.get('/api/omit', { credentials: 'omit' });
      await api.get(`${elsewhere}/api/elsewhere`);
      await api.get(`${elsewhere}/api/include`, { credentials: 'include' });
      await api.fetch('/api/fetch');
      await api.fetch('/api/own', { cache: 'force-cache' });
      return window.modes;
    },
    other.origin,
  );
  assert.deepEqual(modes, [
    'no-store',
    'no-store',
    'default',
    'default',
    'no-store',
    'no-store',
    'force-cache',
  ]);
});

test('a storable answer to a request with credentials is told on the console once, without its query', async (t) => {
  const { server, page } = await open(t, { api: { auditCacheControl: true } });
  server.on('/api/x', STORABLE);
  for (const query of ['?token=1', '?token=2', '']) await get(page, `/api/x${query}`);
  const [text, ...more] = await warnings(page);
  assert.deepEqual(more, []);
  assert.ok(text.includes(`${server.origin}/api/x`), text);
  assert.match(text, /Cache-Control/i);
  assert.doesNotMatch(text, /token/);
  const events = await run(page, () =>
    window.app.diagnostics().events.filter(({ type }) => type === 'cacheable'),
  );
  assert.deepEqual(
    events.map(({ url }) => url),
    [`${server.origin}/api/x`],
  );
});

test('so is an answer that says nothing of caches', async (t) => {
  const { server, page } = await open(t, { api: { auditCacheControl: true } });
  server.on('/api/x', { body: 1, headers: { 'Cache-Control': null } });
  await get(page, '/api/x');
  assert.equal((await warnings(page)).length, 1);
});

test('no-store, and private with no-cache, are well', async (t) => {
  const { server, page } = await open(t, { api: { auditCacheControl: true } });
  const policies = [
    'no-store',
    'no-store, no-cache, must-revalidate',
    'private, no-cache',
    'No-Cache, Private',
  ];
  for (const policy of policies) {
    server.on('/api/x', { body: 1, headers: { 'Cache-Control': policy } });
    await get(page, '/api/x');
  }
  server.on('/api/y', { body: 1, headers: { 'Cache-Control': 'private, max-age=60' } });
  await get(page, '/api/y');
  assert.deepEqual((await warnings(page)).length, 1, 'private alone is not');
});

test('an answer to a request without credentials may be stored', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await open(t, { api: { auditCacheControl: true } });
  server.on('/api/x', STORABLE);
  other.on('/api/x', STORABLE);
  await get(page, '/api/x', { credentials: 'omit' });
  await get(page, `${other.origin}/api/x`);
  assert.deepEqual(await warnings(page), []);
  await get(page, `${other.origin}/api/x`, { credentials: 'include' });
  assert.equal((await warnings(page)).length, 1);
});

test('at most twenty paths are told', async (t) => {
  const { server, page } = await open(t, { api: { auditCacheControl: true } });
  server.on('/api/*', STORABLE);
  await run(page, () => Promise.all(Array.from({ length: 25 }, (_, i) => window.app.api.get(`/api/${i}`))));
  assert.equal((await warnings(page)).length, 20);
});

for (const auditCacheControl of [undefined, false]) {
  test(`nothing is told with auditCacheControl: ${auditCacheControl} outside of a development build`, async (t) => {
    const { server, page } = await open(t, { api: { auditCacheControl } });
    server.on('/api/x', STORABLE);
    await get(page, '/api/x');
    assert.deepEqual(await warnings(page), []);
  });
}
