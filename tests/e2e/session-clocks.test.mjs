import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, launchBrowser, run, show, until } from '../harness/browser.mjs';
import { ADA, asked, openSessions, PATIENT_TABS, pass, SESSION } from './sessions.mjs';

/**
 * The clock of their device is so much ahead from now on, for all of them at once; what waits by timers waits as long as before.
 * @param {Array<import('./sessions.mjs').Tab>} tabs
 * @param {number} ms
 */
async function leap(tabs, ms) {
  for (const { page } of tabs)
    await run(
      page,
      (ms) => {
        const now = Date.now;
        const channel = new BroadcastChannel('clock');
        const set = () => {
          Date.now = () => now() + ms;
          channel.close();
        };
        channel.onmessage = set;
        window.leap = () => {
          channel.postMessage('now');
          set();
        };
      },
      ms,
    );
  await run(tabs[0].page, () => window.leap());
}

const ENDS = (/** @type {number} */ expiresInMs) => ({ ...ADA, expiresInMs });

for (const [what, ms] of /** @type {Array<[string, number]>} */ ([
  ['forward by a day', 86_400_000],
  ['back by a day', -86_400_000],
])) {
  test(`a clock that is set ${what} logs nobody out and makes no storm`, async (t) => {
    const { server, tabs } = await openSessions(t, 2, {
      session: { activeMs: 400, idleMs: 400 },
      says: ENDS(3_600_000),
      tabs: PATIENT_TABS,
    });
    await leap(tabs, ms);
    server.clear();
    const begun = Date.now();
    for (const tab of tabs) await tab.use();
    await pass(2_000);
    await until(() => asked(server) >= 2);
    const [count, pings] = [asked(server), (Date.now() - begun) / 400];
    assert.ok(count <= pings + 3, `${count} requests in the time of ${pings} pings`);
    for (const tab of tabs)
      assert.deepEqual([(await tab.state()).status, await tab.ended()], ['authenticated', []]);
  });
}

test('a laptop that slept asks once on waking, before anything is concluded', async (t) => {
  const { server, tabs } = await openSessions(t, 3, { says: ENDS(3_600_000), tabs: PATIENT_TABS });
  server.clear();
  await leap(tabs, 8 * 3_600_000);
  for (const tab of tabs) {
    await tab.use();
    await hide(tab.page);
    await show(tab.page);
  }
  await until(() => asked(server) >= 1);
  await pass(1_500);
  assert.ok(asked(server) <= 2, `${asked(server)} requests of three tabs`);
  for (const tab of tabs) assert.deepEqual(await tab.statuses(), ['loading', 'authenticated']);
});

test('a page that comes back from the back/forward cache verifies before anything is concluded', async (t) => {
  const from = await launchBrowser(t, { bfcache: true });
  const { server, tabs } = await openSessions(t, 1, { from });
  const [tab] = tabs;
  server.page('/elsewhere', '<!doctype html><title>elsewhere</title>');
  await run(tab.page, () => {
    addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
  });
  await tab.page.goto(`${server.origin}/elsewhere`);
  // A page in the cache holds no lock.
  await until(() =>
    run(tab.page, async () => {
      const { held, pending } = await navigator.locks.query();
      return held.length + pending.length === 0;
    }),
  );
  server.clear();
  server.session = { user: { id: 'ben', name: 'Ben' } };
  await tab.page.goBack({ waitUntil: 'commit' });
  await until(() => run(tab.page, () => window.persisted).catch(() => false));
  await tab.is('authenticated', 'ben');
  assert.equal(asked(server), 1);
  assert.deepEqual(await tab.changes(), [{ from: 'ada', to: 'ben', now: 'ben' }]);
  await until(async () => (await tab.state()).role === 'leader');
});

test('a question that hangs is given up, and the next ping is made all the same', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { activeMs: 300, verifyTimeoutMs: 2_000 } });
  const fault = server.on(SESSION, 'hang');
  await tabs[0].is('unknown', 'ada');
  fault.off();
  await tabs[0].is('authenticated', 'ada');
  server.clear();
  await until(() => asked(server) >= 3);
  assert.ok(server.requestsTo(SESSION).every(({ closedEarlyAt }) => closedEarlyAt === null));
});
