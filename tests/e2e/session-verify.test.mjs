import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { ADA, asked, openSessions, QUICK, roles, SESSION } from './sessions.mjs';

test('verify() of many callers and tabs is one request, and all hear the same', async (t) => {
  const { server, tabs } = await openSessions(t, 3);
  await roles(tabs);
  server.clear();
  server.on(SESSION, { pass: true, delayMs: 500 });
  const answers = await Promise.all(
    tabs.map(({ page }) =>
      run(page, () => Promise.all([window.app.session.verify(), window.app.session.verify()])),
    ),
  );
  for (const { status, userKey } of answers.flat())
    assert.deepEqual([status, userKey], ['authenticated', 'ada']);
  assert.equal(asked(server), 1);
});

for (const [what, script] of /** @type {Array<[string, any]>} */ ([
  ['still signed in', { says: ADA, kind: null, requests: 1 }],
  ['signed out', { says: null, kind: 'unauthenticated', requests: 3 }],
  ['not to be told', { says: 'broken', kind: 'authUnknown', requests: 1 }],
])) {
  test(`401s in two tabs at once ask the session once for both: ${what}`, async (t) => {
    const { server, tabs } = await openSessions(t, 2, { session: { ...QUICK, verifyTimeoutMs: 9_000 } });
    await roles(tabs);
    server.session = script.says;
    server.clear();
    server.on(SESSION, [{ pass: true, delayMs: 500 }, 'pass']);
    server.on('/api/a', [401, { body: 'a' }]);
    server.on('/api/b', [401, { body: 'b' }]);
    const results = await Promise.all([tabs[0].get('/api/a'), tabs[1].get('/api/b')]);
    assert.deepEqual(
      results.map(({ error }) => error?.kind ?? null),
      [script.kind, script.kind],
    );
    if (!script.kind)
      assert.deepEqual(
        results.map(({ data }) => data),
        ['a', 'b'],
      );
    assert.equal(asked(server), script.requests);
    for (const tab of tabs) assert.deepEqual(await tab.ended(), script.says === null ? ['expired'] : []);
  });
}
