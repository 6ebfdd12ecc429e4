import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { openDrafts as openDraftsServer } from '../server/drafts.mjs';
import { CLEAR, DRAFTS, openDrafts, pass, READ, row, SAVE, saves } from './drafts.mjs';
import { serve } from './pages.mjs';

/** Reads, saves and clears once. @param {import('./drafts.mjs').DraftTab} tab @param {import('../server/fault-server.mjs').FaultServer} server */
async function doAll(tab, server) {
  await tab.restore();
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  await tab.clear();
  await server.waitFor(CLEAR); // for which clear() waits only for a while
}

/** The three requests. @param {import('../server/fault-server.mjs').FaultServer} server */
const all = (server) => [READ, SAVE, CLEAR].map((matcher) => server.requestsTo(matcher)[0]);

test('every request says whose it is, of which version the page is, and what the app says of itself', async (t) => {
  const { server, context, tab } = await openDrafts(t, {
    config: {
      version: { current: 'v1', pollMs: false },
      api: { csrf: { cookie: 'csrf', header: 'X-CSRF-Token' }, headers: { 'X-Tenant': 'a' } },
    },
  });
  await context.addCookies([{ name: 'csrf', value: 'token', url: server.origin }]);
  await doAll(tab, server);
  const requests = all(server);
  assert.ok(requests.every(Boolean));
  for (const { method, headers } of requests) {
    assert.equal(headers['x-expected-user'], 'ada', method);
    assert.equal(headers['x-app-version'], 'v1', method);
    assert.equal(headers['x-tenant'], 'a', method);
    assert.equal(headers['x-csrf-token'], method === 'GET' ? undefined : 'token', method);
    assert.match(headers.cookie, /authjs/);
  }
  for (const request of requests) assert.deepEqual(request.query, [['key', 'letter']]);
  const [read, , clear] = requests;
  assert.equal(clear.headers['if-match'], undefined, 'clearing wins');
  assert.equal(clear.body, '');
  assert.equal(read.headers['if-none-match'], undefined);
});

test('a user key that is no ASCII arrives as UTF-8', async (t) => {
  const { server, tab } = await openDrafts(t, {
    session: false,
    server: { trusting: true },
    made: () => ({ userKey: () => 'zoë@例え.jp' }),
  });
  await doAll(tab, server);
  for (const { headers } of all(server))
    assert.equal(Buffer.from(headers['x-expected-user'], 'latin1').toString(), 'zoë@例え.jp');
  assert.equal(server.drafts.rows()[0].owner, 'zoë@例え.jp');
});

test('userKey goes before the session, and is asked anew', async (t) => {
  const { server, tab } = await openDrafts(t, {
    server: { trusting: true },
    made: () => ({ userKey: () => localStorage.getItem('who') }),
  });
  await tab.type({ text: 'nobody’s' }, 'first');
  await tab.keeps('nobody’s');
  await pass(300);
  assert.equal(saves(server).length, 0);
  await run(tab.page, () => localStorage.setItem('who', 'grace'));
  await tab.type({ text: 'Dear Ben' }, 'second');
  await tab.is('saved', 'server', 'second');
  assert.deepEqual(row(server, 'second', 'grace').data, { text: 'Dear Ben' });
});

test('what userKey says that is no key is nobody, and that it threw is the app’s to know', async (t) => {
  const { server, tab } = await openDrafts(t, {
    server: { trusting: true },
    made: () => ({
      userKey() {
        throw new URIError('in userKey');
      },
    }),
  });
  await tab.type({ text: 'Dear Ben' });
  await tab.keeps('Dear Ben');
  await pass(300);
  assert.equal(server.requestsTo(DRAFTS).length, 0);
  await until(() => tab.page.problems.length);
  assert.ok(tab.page.problems.every(({ text }) => text.includes('in userKey')));
  tab.page.problems.length = 0;
});

/** The drafts of another origin. @param {import('node:test').TestContext} t */
async function stranger(t) {
  const server = await serve(t, { cors: true });
  server.drafts = openDraftsServer({ trusting: true });
  return server;
}

const OWN = { version: { current: 'v1', pollMs: false } };
const OWN_API = { csrf: { cookie: 'csrf', header: 'X-CSRF-Token' }, headers: { 'X-Tenant': 'a' } };

test('an endpoint of a trusted origin gets what the app’s own does, without its CSRF token', async (t) => {
  const api = await stranger(t);
  const { server, tab } = await openDrafts(t, {
    drafts: { endpoint: `${api.origin}${DRAFTS}` },
    config: {
      ...OWN,
      api: { ...OWN_API, headers: {}, trustedOrigins: [api.origin], credentials: 'include' },
    },
  });
  await doAll(tab, api);
  for (const { headers } of all(api)) {
    assert.equal(headers['x-expected-user'], 'ada');
    assert.equal(headers['x-app-version'], 'v1');
  }
  assert.deepEqual(server.requestsTo(DRAFTS), []);
});

test('an endpoint of an origin that nobody trusts gets the draft, and nothing that is the app’s', async (t) => {
  const api = await stranger(t);
  const { tab, server } = await openDrafts(t, {
    drafts: { endpoint: `${api.origin}${DRAFTS}` },
    config: { ...OWN, api: OWN_API },
  });
  await doAll(tab, api);
  for (const { headers } of all(api)) {
    assert.equal(headers['x-tenant'], undefined);
    assert.equal(headers['x-app-version'], undefined);
    assert.equal(headers['x-csrf-token'], undefined);
    assert.equal(headers.cookie, undefined);
  }
  // Nor does its 401 make the app ask its own server who is signed in.
  server.clear();
  api.on(SAVE, 401);
  await tab.type({ text: 'Dear Bea' });
  await api.waitFor((request) => request.method === 'POST' && request.body.includes('Bea'));
  await pass(500);
  assert.equal(server.requestsTo('/api/auth/session').length, 0);
  assert.notEqual((await tab.state()).status, 'saved');
});

test('a relative endpoint is of the baseUrl, and keeps its own query', async (t) => {
  const { server, tab } = await openDrafts(t, {
    drafts: { endpoint: 'drafts?tenant=a' },
    config: { baseUrl: '/base/' },
  });
  server.on('/base/drafts', { body: { rev: 7, updatedAt: '2026-11-21T00:00:00Z' } });
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  const [request] = server.requestsTo('/base/drafts');
  assert.deepEqual(request.query, [
    ['tenant', 'a'],
    ['key', 'letter'],
  ]);
});

test('neither key nor data nor person is in a diagnostic or on the console, whatever goes wrong', async (t) => {
  const key = 'letter-to-my-lover';
  const { server, context, tab } = await openDrafts(t, {
    config: { version: { current: 'v1', pollMs: false, onMismatch: 'ignore' } },
  });
  server.on(SAVE, [
    500,
    { pass: true, cut: 'beforeHeaders' },
    { status: 503, retryAfter: '1' },
    401,
    'pass',
    422,
    'pass',
  ]);
  await run(tab.page, () => {
    window.events = [];
    window.app.on((event) => window.events.push(event));
  });
  await tab.restore(key);
  await tab.type({ text: 'Dearest Rosalind' }, key);
  for (let i = 0; i < 4; i++) await tab.flush(key);
  await tab.is('saved', 'server', key);
  await tab.type({ text: 'My Rosalind' }, key);
  await tab.is('error', undefined, key);
  server.drafts.put('ada', key, { data: { text: 'Rosalind, from elsewhere' } });
  await tab.type({ text: 'Our Rosalind' }, key);
  await tab.is('conflict', undefined, key);
  await tab.resolve('mine', key);
  await context.setOffline(true);
  await tab.type({ text: 'Rosalind offline' }, key);
  await tab.is('offline', undefined, key);
  await context.setOffline(false);
  await tab.is('saved', 'server', key);
  await tab.clear(key);
  const said = JSON.stringify([
    await run(tab.page, () => window.events),
    await tab.diagnostics(),
    tab.page.messages.filter(({ text }) => !text.startsWith('Failed to load resource')),
    tab.said,
  ]);
  assert.ok((await run(tab.page, () => window.events)).some(({ type }) => type === 'draft'));
  for (const secret of ['Rosalind', 'lover', '"ada"', '=ada']) assert.ok(!said.includes(secret), secret);
  const { counters } = await tab.diagnostics();
  assert.ok(counters.draftSaves >= 3 && counters.draftConflicts === 1, JSON.stringify(counters));
});
