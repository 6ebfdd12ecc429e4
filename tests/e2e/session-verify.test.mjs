import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { answered } from './pages.mjs';
import { ADA, allHeard, openSessions, PATIENT, QUICK, roles, SESSION } from './sessions.mjs';

/** Nobody asks because the machine is slow, or gives a question up. */
const COUNTED = { session: { ...QUICK, verifyTimeoutMs: 60_000 }, tabs: PATIENT };

test('verify() of many callers and tabs is one request, and all hear the same', async (t) => {
  const { server, tabs } = await openSessions(t, 3, { config: COUNTED });
  await roles(tabs);
  server.clear();
  const answer = held('pass');
  server.on(SESSION, answer.step);
  for (const { page } of tabs)
    await run(page, () => {
      const { session } = window.app;
      Object.assign(window, { answers: Promise.all([session.verify(), session.verify()]) });
    });
  await server.waitFor(SESSION);
  await allHeard(tabs);
  answer.release();
  const answers = await Promise.all(tabs.map(({ page }) => run(page, () => window.answers)));
  for (const { status, userKey } of answers.flat())
    assert.deepEqual([status, userKey], ['authenticated', 'ada']);
  assert.equal(server.requestsTo(SESSION).length, 1);
});

for (const [what, script] of /** @type {Array<[string, any]>} */ ([
  ['still signed in', { says: ADA, kind: null, requests: 1 }],
  ['signed out', { says: null, kind: 'unauthenticated', requests: 3 }],
  ['not to be told', { says: 'broken', kind: 'authUnknown', requests: 1 }],
])) {
  test(`401s in two tabs at once ask the session once for both: ${what}`, async (t) => {
    const { server, tabs } = await openSessions(t, 2, { config: COUNTED });
    await roles(tabs);
    server.session = script.says;
    server.clear();
    const answer = held('pass');
    server.on(SESSION, answer.step);
    server.on('/api/a', [401, { body: 'a' }]);
    server.on('/api/b', [401, { body: 'b' }]);
    const calls = Promise.all([tabs[0].get('/api/a'), tabs[1].get('/api/b')]);
    const first = await server.waitFor(SESSION);
    for (const { page } of tabs) await answered(page, 401);
    await allHeard(tabs);
    answer.release();
    const results = await calls;
    assert.deepEqual(
      results.map(({ error }) => error?.kind ?? null),
      [script.kind, script.kind],
    );
    if (!script.kind)
      assert.deepEqual(
        results.map(({ data }) => data),
        ['a', 'b'],
      );
    // What cannot be told is asked again by itself, after half a second.
    const again = script.says === 'broken' ? Number(first.endedAt) + 450 : Infinity;
    assert.equal(server.requestsTo(SESSION).filter(({ at }) => at < again).length, script.requests);
    for (const tab of tabs) assert.deepEqual(await tab.ended(), script.says === null ? ['expired'] : []);
  });
}
