import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { DRAFTS, openDrafts, PATIENCE_MS, pass, quiet, row, SAVE, saves, sent, signIn } from './drafts.mjs';
import { held } from './held.mjs';
import { gaps } from './pages.mjs';

/** Of each save. @param {import('../server/fault-server.mjs').FaultServer} server */
const saveIds = (server) => saves(server).map((request) => request.json().saveId);

/** Everything that makes a page try again. @param {import('./drafts.mjs').DraftTab} tab */
async function nudge(tab) {
  await tab.flush();
  await run(tab.page, () => void dispatchEvent(new Event('online')));
  await hide(tab.page);
  await show(tab.page);
}

const HTML = { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html><title>Not here</title>' };

// ---------------------------------------------------------------- it was not lost

test('a save whose answer was lost is repeated with the same saveId, and is no conflict', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.on(SAVE, [{ pass: true, cut: 'beforeHeaders' }, 'pass']);
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  const ids = saveIds(server);
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
  const { rev } = row(server);
  await tab.type({ text: 'Dear Bea' });
  await until(() => saves(server).length === 3);
  await tab.is('saved', 'server');
  assert.equal(saves(server)[2].headers['if-match'], `"${rev}"`);
  assert.ok(!(await tab.statuses()).includes('conflict'));
  assert.deepEqual(
    tab.said.filter((kind) => kind === 'draftConflict'),
    [],
  );
});

test('what was typed after a save whose answer was lost is saved on top of it, without a conflict', async (t) => {
  const { server, tab } = await openDrafts(t);
  const lost = held({ pass: true, cut: 'beforeHeaders' });
  server.on(SAVE, [lost.step, 'pass']);
  await tab.type({ text: 'a' });
  await server.waitFor(SAVE);
  await tab.type({ text: 'ab' });
  await tab.keeps('ab');
  lost.release();
  await until(() => row(server)?.data.text === 'ab', PATIENCE_MS);
  await tab.is('saved', 'server');
  assert.ok(!(await tab.statuses()).includes('conflict'));
  assert.equal(new Set(saveIds(server)).size, 2);
  assert.equal(
    server.requestsTo(SAVE).filter(({ status }) => status === 412).length,
    1,
    'it was told, and went on',
  );
});

test('a copy at the server that says the same, made elsewhere, is taken over and sent no more', async (t) => {
  const { server, tab } = await openDrafts(t);
  const rev = server.drafts.put('ada', 'letter', { data: { to: 'Ben', text: 'Dear Ben' } });
  await tab.type({ text: 'Dear Ben', to: 'Ben' });
  await tab.is('saved', 'server');
  assert.equal(saves(server).length, 1);
  assert.equal(row(server).rev, rev);
  await tab.type({ text: 'Dear Bea', to: 'Ben' });
  await until(() => saves(server).length === 2);
  await tab.is('saved', 'server');
  assert.equal(saves(server)[1].headers['if-match'], `"${rev}"`);
});

test('another text at the server is a conflict: both are kept, and nothing is sent until somebody decides', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts.put('ada', 'letter', { data: { text: 'from my telephone' } });
  const { savedAt } = row(server);
  await tab.type({ text: 'Dear Ben' });
  const { conflict, error, isSaving } = await tab.is('conflict');
  assert.deepEqual(conflict, {
    mine: { text: 'Dear Ben' },
    theirs: { text: 'from my telephone' },
    theirsUpdatedAt: new Date(savedAt).toISOString(),
  });
  assert.equal(isSaving, false);
  await tab.type({ text: 'Dear Bea' });
  await tab.keeps('Dear Bea');
  await nudge(tab);
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.equal(saves(server).length, 1);
  const now = await tab.when(({ conflict }) => conflict?.mine.text === 'Dear Bea');
  assert.equal(now.status, 'conflict');
  assert.deepEqual(row(server).data, { text: 'from my telephone' });
  assert.deepEqual(
    tab.said.filter((kind) => kind === 'draftConflict'),
    ['draftConflict'],
    `${error?.kind}`,
  );
  const resolved = await tab.resolve('mine');
  assert.deepEqual([resolved.status, resolved.savedTo, resolved.conflict], ['saved', 'server', null]);
  assert.deepEqual(row(server).data, { text: 'Dear Bea' });
});

// ---------------------------------------------------------------- not as it is

for (const [status, kind] of /** @type {Array<[number, string]>} */ ([
  [400, 'invalid'],
  [413, 'tooLarge'],
  [422, 'invalid'],
  [428, 'invalid'],
])) {
  test(`what the server refuses with ${status} is sent again when the data changes, not before`, async (t) => {
    const { server, tab } = await openDrafts(t);
    server.on(SAVE, [{ status, body: { code: 'no' } }, 'pass']);
    await tab.type({ text: 'Dear Ben' });
    const { error, savedTo, isSaving } = await tab.is('error');
    assert.deepEqual(
      [error.name, error.kind, error.status, isSaving],
      ['StabilityError', kind, status, false],
    );
    assert.equal(savedTo, 'device');
    await nudge(tab);
    await tab.type({ text: 'Dear Ben' });
    assert.ok(await quiet(() => saves(server).length, 1_500));
    assert.equal(saves(server).length, 1);
    assert.equal((await tab.state()).status, 'error');
    assert.ok((await tab.device()).includes('Dear Ben'));
    await tab.type({ text: 'Dear Bea' });
    assert.equal((await tab.is('saved', 'server')).error, null);
    assert.deepEqual(sent(server), [{ text: 'Dear Ben' }, { text: 'Dear Bea' }]);
  });
}

// ---------------------------------------------------------------- who asks

test('a 401 with a session that lives is no end of it: the session is asked, and it is sent again', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.on(SAVE, [401, 'pass']);
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  assert.equal(server.requestsTo('/api/auth/session').length, 1);
  assert.equal(saves(server).length, 2);
  const [first, second] = saveIds(server);
  assert.equal(first, second);
  assert.equal(await run(tab.page, () => window.app.session.getSnapshot().status), 'authenticated');
});

test('a 401 again and again with a session that lives freezes after a few, and nobody is logged out', async (t) => {
  const { server, tab } = await openDrafts(t);
  const rule = server.on(SAVE, 401);
  await tab.type({ text: 'Dear Ben' });
  await until(() => rule.taken === 4);
  await tab.is('frozen');
  assert.ok(rule.taken <= 5, `sent ${rule.taken} times`);
  assert.ok(await quiet(() => saves(server).length, 800));
  assert.equal(await run(tab.page, () => window.app.session.getSnapshot().status), 'authenticated');
  assert.ok((await tab.device()).includes('Dear Ben'));
  rule.off();
  await tab.type({ text: 'Dear Bea' });
  await tab.keeps('Dear Bea');
  await tab.is('frozen');
  await run(tab.page, () => window.app.session.verify());
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Bea' });
});

test('a page to sign in on, where there was an endpoint, freezes, and the same person goes on', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'Dear' });
  await tab.is('saved', 'server');
  await context.clearCookies();
  const page = server.on(DRAFTS, { status: 200, ...HTML });
  await tab.type({ text: 'Dear Ben' });
  await tab.is('frozen');
  await until(() => run(tab.page, () => window.app.session.getSnapshot().status === 'signedOut'));
  await tab.keeps('Dear Ben');
  page.off();
  await signIn(context, server, 'ada');
  await run(tab.page, () => window.app.session.verify());
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('a 401 with a session that cannot be asked freezes: the device goes on, nothing is sent, and all of it once it can', async (t) => {
  const { server, tab } = await openDrafts(t);
  const session = server.on('/api/auth/session', 500);
  const refusal = server.on(SAVE, 401);
  await tab.type({ text: 'Dear Ben' });
  const frozen = await tab.is('frozen');
  assert.deepEqual([frozen.isSaving, frozen.savedTo], [false, 'device']);
  const before = saves(server).length;
  await tab.type({ text: 'Dear Bea' });
  await tab.keeps('Dear Bea');
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.equal(saves(server).length, before);
  assert.equal((await tab.state()).status, 'frozen');
  refusal.off();
  session.off();
  await run(tab.page, () => window.app.session.verify());
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'Dear Bea' });
});

test('what the server says is another person’s is frozen, and nothing of it is written for them', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await context.request.post(`${server.origin}/api/auth/callback/credentials`, { form: { name: 'ben' } });
  await tab.type({ text: 'Dear Ben' });
  await tab.is('frozen');
  await until(() => run(tab.page, () => window.app.session.getSnapshot().userKey === 'ben'));
  await tab.type({ text: 'a secret of Ada’s' });
  await tab.flush();
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.deepEqual(server.drafts.rows(), []);
  for (const { headers } of server.requestsTo(DRAFTS)) assert.equal(headers['x-expected-user'], 'ada');
  assert.equal((await tab.state()).status, 'frozen');
});

// ---------------------------------------------------------------- no such endpoint

for (const [what, answer] of /** @type {Array<[string, any]>} */ ([
  ['404 without a revision', { status: 404, body: { code: 'notFound' } }],
  ['404 as a page', { status: 404, ...HTML }],
  ['404 and nothing else', 404],
  ['403', 403],
  ['405', 405],
  ['200 and a page', { status: 200, ...HTML }],
])) {
  test(`an endpoint that answers ${what} does not exist: this device only, said once`, async (t) => {
    const { server, tab } = await openDrafts(t);
    server.on(DRAFTS, answer);
    await tab.type({ text: 'Dear Ben' });
    const { error } = await tab.is('saved', 'device');
    assert.equal(error, null);
    await tab.type({ text: 'Dear Bea' });
    await tab.keeps('Dear Bea');
    await tab.is('saved', 'device');
    await tab.type({ text: 'Another' }, 'another');
    await tab.is('saved', 'device', 'another');
    await nudge(tab);
    assert.equal(await tab.restore('another'), null);
    assert.ok(await quiet(() => server.requestsTo(DRAFTS).length, 500));
    assert.equal(saves(server).length, 1);
    const { events } = await tab.diagnostics();
    assert.equal(events.filter(({ type }) => type === 'draftsAbsent').length, 1);
    assert.ok((await tab.device()).includes('Another'));
    assert.deepEqual(tab.said, []);
  });
}

// ---------------------------------------------------------------- not now

for (const [status, kind] of /** @type {Array<[number, string]>} */ ([
  [429, 'rateLimited'],
  [503, 'unavailable'],
])) {
  test(`a ${status} is waited out as told, whatever is typed or done meanwhile`, async (t) => {
    const { server, tab } = await openDrafts(t);
    server.on(SAVE, [{ status, retryAfter: '2' }, 'pass']);
    // All in one breath of the page: the wait is short.
    const [{ error, savedTo }, flushed] = await run(tab.page, async () => {
      const draft = window.draft('letter');
      const told = new Promise((resolve) => {
        const end = draft.subscribe(() => {
          const state = draft.getSnapshot();
          if (state.status !== 'offline') return;
          end();
          resolve(state);
        });
      });
      draft.update({ text: 'Dear Ben' });
      const state = await told;
      const flushed = await draft.flush();
      draft.update({ text: 'Dear Bea' });
      return [state, flushed];
    });
    assert.deepEqual(
      [error.kind, error.status, error.retryAfterMs, savedTo],
      [kind, status, 2_000, 'device'],
    );
    const told = saves(server)[0];
    assert.equal(flushed.status, 'offline');
    await tab.keeps('Dear Bea');
    await nudge(tab);
    await until(() => row(server)?.data.text === 'Dear Bea', PATIENCE_MS);
    await tab.is('saved', 'server');
    const [, again] = saves(server);
    const waited = again.at - told.at;
    assert.ok(waited >= 1_995 && waited < 10_000, `waited ${waited} ms`);
    assert.deepEqual(sent(server), [{ text: 'Dear Ben' }, { text: 'Dear Bea' }]);
  });
}

test('pages that are told the same wait do not come back in the same moment', async (t) => {
  const { server, tabs, add, device } = await openDrafts(t);
  for (let i = 1; i < 4; i++) await add({ context: await device() });
  server.on(SAVE, (request) =>
    saves(server, request.queryValue('key')).length > 1 ? 'pass' : { status: 503, retryAfter: '1' },
  );
  await Promise.all(tabs.map((tab, i) => tab.type({ text: `page ${i}` }, `page ${i}`)));
  const waits = [];
  for (const [i, tab] of tabs.entries()) {
    await tab.is('saved', 'server', `page ${i}`);
    waits.push(...gaps(saves(server, `page ${i}`)));
  }
  assert.equal(waits.length, 4);
  assert.ok(Math.min(...waits) >= 995, `${waits}`);
  assert.ok(Math.max(...waits) - Math.min(...waits) > 30, `${waits}`);
});

test('a wait that the server asked of one tab is not cut short by another one', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  server.on(SAVE, [{ status: 503, retryAfter: '5' }, 'pass']);
  await tab.type({ text: 'Dear Ben' });
  assert.equal((await tab.was('offline')).savedTo, 'device');
  const [told] = saves(server);
  await add();
  await until(() => saves(server).length > 1, PATIENCE_MS);
  const [, again] = saves(server);
  assert.ok(again.at - told.at >= 4_995, `after ${again.at - told.at} ms`);
});

for (const [what, answer, kind] of /** @type {Array<[string, any, string]>} */ ([
  ['500', 500, 'server'],
  ['502', 502, 'unavailable'],
  ['504', 504, 'unavailable'],
  ['a connection that breaks', 'cut', 'network'],
  ['no answer', 'hang', 'timeout'],
  ['an answer that breaks off', { body: { rev: 5, updatedAt: '2026-01-01' }, cutAfterBytes: 9 }, 'network'],
  ['408', 408, 'timeout'],
  ['425', 425, 'unavailable'],
])) {
  test(`${what} is tried again until it is saved`, async (t) => {
    // Only what is about it times out soon: on a busy machine other answers take their time.
    const config = answer === 'hang' ? { api: { timeoutMs: 2_000 } } : undefined;
    const { server, tab } = await openDrafts(t, { config });
    server.on(SAVE, [answer, answer, 'pass']);
    await tab.type({ text: 'Dear Ben' });
    const { error, isSaving, savedTo } = await tab.was('offline');
    assert.deepEqual([error.kind, error.retryable, isSaving, savedTo], [kind, true, false, 'device']);
    assert.equal((await tab.is('saved', 'server')).error, null);
    assert.equal(saves(server).length, 3);
    assert.equal(new Set(saveIds(server)).size, 1);
    assert.ok(!(await tab.statuses()).includes('conflict'));
  });
}

test('a server that is down for long is asked a few times only', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.on(SAVE, 500);
  await tab.typeOn({ everyMs: 100, forMs: 6_000 });
  await tab.is('offline');
  // Full jitter over 1, 2, 4, 8 s … is rarely more than this in so long.
  assert.ok(saves(server).length >= 2 && saves(server).length <= 10, `${saves(server).length} requests`);
});

test('without a network the device has it, and it is sent soon after the network is back', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await context.setOffline(true);
  await tab.type({ text: 'Dear Ben' });
  const { error, savedTo } = await tab.is('offline');
  assert.deepEqual([error.kind, savedTo], ['offline', 'device']);
  assert.ok((await tab.device()).includes('Dear Ben'));
  await tab.type({ text: 'Dear Bea' });
  await tab.keeps('Dear Bea');
  assert.equal((await tab.flush()).status, 'offline');
  await run(tab.page, () =>
    addEventListener('online', () => Object.assign(window, { backAt: Date.now() }), { once: true }),
  );
  await context.setOffline(false);
  await tab.is('saved', 'server');
  const backAt = await run(tab.page, () => /** @type {any} */ (window).backAt);
  const tookMs = Number(saves(server).at(-1)?.at) - backAt;
  assert.ok(tookMs < 3_000, `${tookMs} ms after it was back`);
  assert.deepEqual(row(server).data, { text: 'Dear Bea' });
});

test('a server that comes back is found without a word of the network', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await server.refuse();
  await tab.type({ text: 'Dear Ben' });
  const { error } = await tab.was('offline');
  assert.equal(error.kind, 'network');
  await server.accept();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('a server that was started anew takes the next save as the one after the last', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  const { rev } = row(server);
  const { Drafts } = await import('../server/drafts.mjs');
  const again = new Drafts({ file: server.drafts.file });
  const old = server.drafts;
  t.after(() => old.close());
  await server.refuse();
  server.drafts = again;
  await server.accept();
  await tab.type({ text: 'Dear Ben' });
  await until(() => row(server)?.data.text === 'Dear Ben');
  await tab.is('saved', 'server');
  assert.equal(saves(server).at(-1)?.headers['if-match'], `"${rev}"`);
});

// ---------------------------------------------------------------- nonsense

for (const [what, body] of /** @type {Array<[string, any]>} */ ([
  ['no JSON', 'saved!'],
  ['nothing', undefined],
  ['null', null],
  ['no revision', {}],
  ['a revision that is none', { rev: 'abc', updatedAt: '2026-11-21T00:00:00Z' }],
  ['a revision below 0', { rev: -3, updatedAt: '2026-11-21T00:00:00Z' }],
  ['a revision with a fraction', { rev: 1.5, updatedAt: '2026-11-21T00:00:00Z' }],
])) {
  test(`a 200 that says ${what} is not believed, and is no conflict later`, async (t) => {
    const { server, tab } = await openDrafts(t);
    server.on(SAVE, [
      { pass: true, status: 200, body: what === 'null' ? 'null' : body, headers: { ETag: null } },
      'pass',
    ]);
    await tab.type({ text: 'Dear Ben' });
    const { error } = await tab.was('offline');
    assert.equal(error.kind, 'parse');
    await tab.is('saved', 'server');
    assert.equal(new Set(saveIds(server)).size, 1);
    await tab.type({ text: 'Dear Bea' });
    await until(() => row(server).data.text === 'Dear Bea');
    await tab.is('saved', 'server');
    assert.ok(!(await tab.statuses()).includes('conflict'));
  });
}

for (const [what, body] of /** @type {Array<[string, any]>} */ ([
  ['no JSON', 'conflict!'],
  ['nothing of use', { data: { text: 'x' } }],
  ['a revision that is none', { rev: {}, data: 1, schemaVersion: 1, saveId: 's', updatedAt: 1 }],
])) {
  test(`a 412 that says ${what} is tried again, not at once and not for ever at once`, async (t) => {
    const { server, tab } = await openDrafts(t);
    server.on(SAVE, [{ status: 412, body }, { status: 412, body }, 'pass']);
    await tab.type({ text: 'Dear Ben' });
    await tab.is('saved', 'server');
    assert.ok(saves(server).length <= 3);
    assert.ok(!(await tab.statuses()).includes('conflict'));
  });
}

test('a server that says 412 to every request is asked a few times only', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.on(SAVE, {
    status: 412,
    body: { rev: 0, data: null, schemaVersion: null, saveId: null, updatedAt: null },
  });
  await tab.type({ text: 'Dear Ben' });
  await tab.is('offline');
  await pass(500);
  assert.ok(saves(server).length <= 8, `${saves(server).length} requests`);
  assert.ok((await tab.device()).includes('Dear Ben'));
});

// ---------------------------------------------------------------- too old

test('a page that is too old for the server saves to the device only, and asks for its version', async (t) => {
  const { server, tab } = await openDrafts(t, {
    config: { version: { current: 'v1', onMismatch: 'ignore', pollMs: false } },
  });
  server.on(SAVE, 426);
  await tab.type({ text: 'Dear Ben' });
  const { error, savedTo } = await tab.is('error');
  assert.deepEqual([error.kind, error.status, savedTo], ['outdated', 426, 'device']);
  await server.waitFor('/api/version');
  await tab.type({ text: 'Dear Bea' });
  await tab.keeps('Dear Bea');
  await nudge(tab);
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.equal(saves(server).length, 1);
  assert.equal((await tab.state()).status, 'error');
});
