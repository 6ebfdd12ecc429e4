import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeze, hide, launchBrowser, run, show, until } from '../harness/browser.mjs';
import { QUICK, quiet, requestsTo } from './streams.mjs';
import { allHeard, openTabs, roles, SHARED, send, TABS } from './tabs.mjs';

/** Tabs that take none for gone that is only slow. */
const PATIENT = { events: QUICK, tabs: { ...TABS, takeoverMs: 30_000 } };

/** Somebody else than before has the connection. @param {any[]} tabs @param {any} before */
const newLeader = (tabs, before) =>
  until(async () => {
    const now = await roles(tabs);
    return now.leader !== before && now;
  });

for (const [what, go] of /** @type {Array<[string, (tab: any) => Promise<any>]>} */ ([
  ['closes its stream', ({ stream }) => stream.close()],
  ['disposes of its client', ({ page }) => page.evaluate('window.app.dispose()')],
  ['is closed', ({ page }) => page.close()],
  ['goes elsewhere', ({ page }) => page.goto('about:blank')],
  ['crashes', ({ page }) => crash(page)],
])) {
  test(`a leader that ${what} is replaced at once, and no event is missed or told twice`, async (t) => {
    const { server, feed, tabs } = await openTabs(t, 3, { config: PATIENT });
    const { leader, followers } = await roles(tabs);
    const first = send(feed, 10);
    await allHeard(tabs, first);
    await go(leader);
    await until(() => feed.connections === 0 || requestsTo(server).length > 1);
    const between = send(feed, 10);
    await roles(followers);
    const after = send(feed, 10);
    await allHeard(followers, [...first, ...between, ...after]);
    await until(() => feed.connections === 1);
    assert.equal(requestsTo(server)[1].headers['last-event-id'], '10');
    for (const { page } of tabs) page.problems.length = 0; // a crash is told
  });
}

/** @param {import('playwright-core').Page} page */
async function crash(page) {
  const crashed = page.waitForEvent('crash');
  const devtools = await page.context().newCDPSession(page);
  devtools.send('Page.crash').catch(() => {});
  await crashed;
}

test('a leader that stands still is replaced, and has missed nothing when it goes on', async (t) => {
  const { feed, tabs } = await openTabs(t, 3, { options: { ...SHARED, watchdogMs: 700 } });
  feed.heartbeatMs = 100;
  const { leader, followers } = await roles(tabs);
  const first = send(feed, 5);
  await allHeard(tabs, first);
  const thaw = await freeze(leader.page);
  const second = send(feed, 5);
  await allHeard(followers, [...first, ...second]);
  await roles(followers);
  const third = send(feed, 5);
  await allHeard(followers, [...first, ...second, ...third]);
  await thaw();
  await roles(tabs); // it may lead again: that is how a tab fetches what it missed
  const fourth = send(feed, 5);
  await allHeard(tabs, [...first, ...second, ...third, ...fourth]);
  await until(() => feed.connections === 1);
});

test('a follower that stands still for a while misses nothing', async (t) => {
  const { feed, tabs } = await openTabs(t, 2);
  const { leader, followers } = await roles(tabs);
  const first = send(feed, 5);
  await allHeard(tabs, first);
  const thaw = await freeze(followers[0].page);
  const second = send(feed, 20);
  await allHeard([leader], [...first, ...second]);
  await thaw(); // Chromium keeps no message for a page that a debugger holds
  await allHeard(tabs, [...first, ...second]);
  await until(() => feed.connections === 1);
});

test('a leader that is hidden hands over to a tab that is seen', async (t) => {
  const { feed, tabs } = await openTabs(t, 3);
  const { leader } = await roles(tabs);
  const first = send(feed, 5);
  await allHeard(tabs, first);
  await hide(leader.page);
  const { leader: next } = await newLeader(tabs, leader);
  const second = send(feed, 5);
  await allHeard(tabs, [...first, ...second]);
  await until(() => feed.connections === 1);
  await show(leader.page);
  await hide(next.page);
  await newLeader(tabs, next);
  const third = send(feed, 5);
  await allHeard(tabs, [...first, ...second, ...third]);
  await until(() => feed.connections === 1);
});

test('where all tabs are hidden, the leader stays', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 2, { config: PATIENT });
  const { leader, followers } = await roles(tabs);
  await run(leader.page, () => {
    new BroadcastChannel('after').onmessage = () => Object.assign(window, { hasHeard: true });
  });
  await hide(followers[0].page);
  // What is said later is heard later: the leader knows by then.
  await run(followers[0].page, async () => {
    await new Promise((go) => setTimeout(go, 50));
    new BroadcastChannel('after').postMessage('');
  });
  await until(() => run(leader.page, () => window.hasHeard));
  await hide(leader.page);
  assert.ok(await quiet(() => requestsTo(server).length, 1_500));
  await allHeard(tabs, send(feed, 5));
});

test('a leader that pauses while hidden lets another go on, and follows when it is seen again', async (t) => {
  const { feed, tabs } = await openTabs(t, 2, { options: { ...SHARED, pauseHiddenAfterMs: 50 } });
  const { leader, followers } = await roles(tabs);
  await allHeard(tabs, send(feed, 3));
  await hide(leader.page);
  await leader.stream.is('paused');
  await roles(followers);
  send(feed, 3);
  await followers[0].stream.heard(6);
  await show(leader.page);
  await roles(tabs);
  send(feed, 3);
  await followers[0].stream.heard(9);
  await until(async () => (await leader.stream.data()).includes('event 8'));
  const heard = await leader.stream.data();
  assert.deepEqual(heard, [...new Set(heard)], 'nothing twice');
  await until(() => feed.connections === 1);
});

for (const role of /** @type {const} */ (['leader', 'follower'])) {
  test(`a ${role} that comes back from the back/forward cache misses nothing`, async (t) => {
    const from = await launchBrowser(t, { bfcache: true });
    const { server, feed, tabs } = await openTabs(t, 2, { from });
    server.page('/elsewhere', '<!doctype html><title>elsewhere</title>');
    const { leader, followers } = await roles(tabs);
    const [tab, other] = role === 'leader' ? [leader, followers[0]] : [followers[0], leader];
    const first = send(feed, 5);
    await allHeard(tabs, first);
    await run(tab.page, () => {
      addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
    });
    await tab.page.goto(`${server.origin}/elsewhere`);
    await roles([other]);
    const second = send(feed, 5);
    await allHeard([other], [...first, ...second]);
    await tab.page.goBack({ waitUntil: 'commit' });
    assert.ok(await until(() => run(tab.page, () => window.persisted).catch(() => false)));
    await roles(tabs);
    const third = send(feed, 5);
    await allHeard(tabs, [...first, ...second, ...third]);
    await until(() => feed.connections === 1);
  });
}

test('a trap of the leader’s module loses no tab an event', async (t) => {
  const { feed, tabs } = await openTabs(t, 2, {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        const { Instance } = WebAssembly;
        window.traps = 0;
        WebAssembly.Instance = class {
          constructor(module, imports) {
            const { exports } = new Instance(module, imports);
            this.exports = { ...exports };
            for (const [name, value] of Object.entries(exports)) {
              if (typeof value !== 'function') continue;
              this.exports[name] = (...args) => {
                if (window.traps > 0 && /^feed$/.test(name)) {
                  window.traps--;
                  throw new WebAssembly.RuntimeError('unreachable');
                }
                return value(...args);
              };
            }
          }
        };
      }),
  });
  const { leader } = await roles(tabs);
  const first = send(feed, 5);
  await allHeard(tabs, first);
  await run(leader.page, () => {
    window.traps = 1;
  });
  const second = send(feed, 5);
  await until(() => run(leader.page, () => window.traps === 0));
  await allHeard(tabs, [...first, ...second]);
  await roles(tabs);
  const third = send(feed, 5);
  await allHeard(tabs, [...first, ...second, ...third]);
  await until(() => feed.connections === 1);
});

test('tabs that come and go under a steady feed hear each event once, in order', async (t) => {
  const { feed, tabs, add } = await openTabs(t, 3, { config: { events: QUICK, tabs: TABS } });
  await roles(tabs);
  const ticker = setInterval(() => send(feed, 1), 10);
  t.after(() => clearInterval(ticker));
  for (let round = 0; round < 5; round++) {
    const { leader } = await roles(tabs);
    if (round === 2) feed.cut();
    if (round === 3) await hide(leader.page);
    else {
      await leader.page.close();
      tabs.splice(tabs.indexOf(leader), 1);
      tabs.push(await add());
    }
    await roles(tabs);
  }
  clearInterval(ticker);
  const last = `event ${feed.events.length - 1}`;
  for (const { stream } of tabs) {
    const data = await until(async () => {
      const data = await stream.data();
      return data.at(-1) === last && data;
    });
    const from = Number(data[0].split(' ')[1]);
    assert.deepEqual(
      data,
      [...Array(feed.events.length - from).keys()].map((i) => `event ${from + i}`),
    );
  }
  await until(() => feed.connections === 1);
});
