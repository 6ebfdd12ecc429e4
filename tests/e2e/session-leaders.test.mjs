import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeze, hide, until } from '../harness/browser.mjs';
import { asked, askedAfter, BEN, openSessions, QUICK, roles } from './sessions.mjs';

const PINGS = { activeMs: 400, idleMs: 400 };
/** One that stands still is replaced, and none that a busy machine keeps waiting for a moment. */
const TABS = { heartbeatMs: 250, takeoverMs: 3_000 };

for (const [what, go] of /** @type {Array<[string, (tab: any) => Promise<unknown>]>} */ ([
  ['is closed', ({ page }) => page.close()],
  ['goes elsewhere', ({ page }) => page.goto('about:blank')],
  ['disposes of its client', ({ page }) => page.evaluate('window.app.dispose()')],
  ['stands still', ({ page }) => freeze(page)],
])) {
  test(`when the tab that asks for all ${what}, another one does`, async (t) => {
    const { server, tabs } = await openSessions(t, 3, { session: PINGS, tabs: TABS });
    const { leader, followers } = await roles(tabs);
    const thaw = await go(leader);
    const { leader: next } = await roles(followers);
    server.clear();
    await until(() => asked(server) >= 4);
    for (const gap of askedAfter(server)) assert.ok(gap >= 395, `asked after ${gap} ms`);
    for (const tab of followers) assert.equal((await tab.is('authenticated', 'ada')).status, 'authenticated');
    assert.ok(followers.includes(next));
    if (typeof thaw === 'function') await thaw();
    tabs.splice(0, tabs.length, ...followers);
  });
}

test('a leader that stood still leads no more when it goes on, and has heard all', async (t) => {
  const { server, tabs } = await openSessions(t, 3, { session: PINGS, tabs: TABS });
  const { leader, followers } = await roles(tabs);
  const thaw = await freeze(leader.page);
  await roles(followers);
  server.session = BEN;
  for (const tab of followers) await tab.is('authenticated', 'ben');
  await thaw();
  await leader.is('authenticated', 'ben');
  await roles(tabs);
  server.clear();
  await until(() => asked(server) >= 5);
  for (const gap of askedAfter(server)) assert.ok(gap >= 395, `asked after ${gap} ms`);
  for (const tab of tabs) assert.deepEqual(await tab.changes(), [{ from: 'ada', to: 'ben', now: 'ben' }]);
});

test('a tab that must know asks by itself when the one that asks for all stands still', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    config: { session: QUICK, tabs: { heartbeatMs: 200, takeoverMs: 60_000 } },
  });
  const { leader, followers } = await roles(tabs);
  const thaw = await freeze(leader.page);
  server.clear();
  server.on('/api/x', [401, { body: 'welcome' }]);
  assert.equal((await followers[0].get('/api/x')).data, 'welcome');
  assert.equal(asked(server), 1);
  await thaw();
});

test('a hidden tab gives the asking to one that is seen', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    session: { activeMs: 300, idleMs: 60_000 },
    tabs: TABS,
  });
  const { leader } = await roles(tabs);
  await hide(leader.page);
  server.clear();
  await until(() => asked(server) >= 4);
  const now = await roles(tabs);
  assert.notEqual(now.leader, leader);
});
