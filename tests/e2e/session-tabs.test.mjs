import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  ADA,
  asked,
  askedAfter,
  openSessions,
  PATIENT,
  pass,
  QUICK,
  roles,
  SESSION,
  signInAs,
  TABS,
} from './sessions.mjs';
import { quiet } from './streams.mjs';

const PINGS = { activeMs: 400, idleMs: 400 };

for (const count of [1, 3]) {
  test(`${count} open tab${count > 1 ? 's ask' : ' asks'} for the session once in an interval`, async (t) => {
    const { server, tabs } = await openSessions(t, count, {
      config: { session: { ...QUICK, ...PINGS }, tabs: PATIENT },
    });
    await roles(tabs);
    server.clear();
    await until(() => asked(server) >= 9, 30_000);
    const gaps = askedAfter(server);
    assert.ok(
      gaps.every((gap) => gap >= 395),
      `asked after ${gaps.join(', ')} ms`,
    );
    for (const tab of tabs) assert.deepEqual(await tab.statuses(), ['loading', 'authenticated']);
  });
}

test('what one tab learns all of them know: who it is, since when, and until when', async (t) => {
  const { server, tabs } = await openSessions(t, 3, {
    says: { ...ADA, expiresInMs: 3_600_000 },
    config: { session: QUICK, tabs: PATIENT },
  });
  await roles(tabs);
  server.session = { user: { id: 'ada', name: 'Ada Lovelace' }, expiresInMs: 7_200_000 };
  server.clear();
  await tabs[1].verify();
  const [request] = server.requestsTo(SESSION);
  for (const tab of tabs) {
    const state = await until(async () => {
      const state = await tab.state();
      return state.user.name === 'Ada Lovelace' && state;
    });
    assert.deepEqual([state.status, state.userKey], ['authenticated', 'ada']);
    const answeredAt = state.expires - 7_200_000;
    assert.ok(answeredAt >= request.at && answeredAt <= Date.now());
    const verifiedAt = await run(tab.page, () => window.app.session.lastVerifiedAt);
    assert.ok(verifiedAt >= request.at - 20 && verifiedAt <= Date.now() + 20);
    assert.deepEqual(await tab.changes(), [], 'it is the same person');
  }
  assert.equal(asked(server), 1);
});

test('what somebody does in one tab keeps the session of all awake', async (t) => {
  const { server, tabs } = await openSessions(t, 3, {
    config: { session: { ...QUICK, activeMs: 200, idleAfterMs: 1_500, idleMs: 60_000 }, tabs: PATIENT },
  });
  const { leader, followers } = await roles(tabs);
  await until(() => quiet(() => asked(server), 1_000)); // idle
  server.clear();
  await until(async () => {
    await followers[1].use();
    return asked(server) >= 3;
  });
  assert.equal((await leader.state()).role, 'leader');
});

test('tabs do not chatter: between two pings next to nothing is posted', async (t) => {
  const { tabs } = await openSessions(t, 4, {
    session: { activeMs: 60_000, idleMs: 60_000 },
    beforeLoad: (page) =>
      page.addInitScript(() => {
        window.posted = 0;
        const { postMessage } = BroadcastChannel.prototype;
        BroadcastChannel.prototype.postMessage = function (message) {
          window.posted++;
          postMessage.call(this, message);
        };
      }),
  });
  await roles(tabs);
  const posted = async () =>
    (await Promise.all(tabs.map(({ page }) => run(page, () => window.posted)))).reduce((a, b) => a + b, 0);
  // In eight heartbeats, once they know each other.
  await until(async () => {
    const before = await posted();
    await pass(2_000);
    return (await posted()) - before <= 2;
  }, 15_000);
});

for (const [what, without] of /** @type {Array<[string, () => void]>} */ ([
  ['locks', () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })],
  ['channels', () => Reflect.deleteProperty(globalThis, 'BroadcastChannel')],
  [
    'channels that may be used',
    () => {
      globalThis.BroadcastChannel = /** @type {any} */ (
        class {
          constructor() {
            throw new DOMException('not here', 'SecurityError');
          }
        }
      );
    },
  ],
  ['digests', () => Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })],
])) {
  test(`without ${what} each tab works alone`, async (t) => {
    const { server, tabs } = await openSessions(t, 2, {
      session: { activeMs: 400, idleMs: 400 },
      beforeLoad: (page) => page.addInitScript(without),
    });
    for (const tab of tabs) assert.equal((await tab.is('authenticated', 'ada')).role, 'leader');
    server.clear();
    await until(() => asked(server) >= 6);
    server.session = null;
    for (const tab of tabs) {
      await tab.is('signedOut');
      await until(async () => (await tab.ended()).length > 0);
      assert.deepEqual(await tab.ended(), ['expired']);
    }
  });
}

test('with `tabs: false` each tab works alone', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    config: { session: { ...QUICK, activeMs: 400 }, tabs: false },
  });
  for (const tab of tabs) assert.equal((await tab.state()).role, 'leader');
  server.clear();
  await Promise.all(tabs.map((tab) => tab.verify()));
  assert.ok(asked(server) >= 2);
});

test('apps of two names on one origin know nothing of each other', async (t) => {
  const { server, tabs, add } = await openSessions(t, 1);
  const other = await add({ config: { name: 'other', session: QUICK, tabs: TABS } });
  for (const tab of [...tabs, other]) await roles([tab]);
  server.session = null;
  assert.equal((await other.verify()).status, 'signedOut');
  assert.equal((await tabs[0].state()).status, 'authenticated');
  assert.equal(await tabs[0].mark(), '1');
});

test('a person who signs in anew in one tab is there in all', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    signedIn: 'ada',
    config: { session: QUICK, tabs: PATIENT },
  });
  await roles(tabs);
  server.people?.forget();
  await tabs[0].verify();
  for (const tab of tabs) await tab.is('signedOut', null);
  assert.equal(await signInAs(tabs[1], 'ada'), 200);
  server.clear();
  assert.equal((await tabs[1].verify()).status, 'authenticated');
  for (const tab of tabs) {
    await tab.is('authenticated', 'ada');
    assert.deepEqual([await tab.ended(), await tab.changes()], [['expired'], []]);
  }
  assert.equal(server.requestsTo(SESSION).length, 1);
});

test('what else is posted on the channel does no harm', async (t) => {
  const { server, tabs, add } = await openSessions(t, 2, {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        window.channels = new Set();
        const Native = BroadcastChannel;
        globalThis.BroadcastChannel = class extends Native {
          constructor(name) {
            super(name);
            if (name.startsWith('evenkeel')) window.channels.add(name);
          }
        };
      }),
  });
  await roles(tabs);
  await run(tabs[0].page, () => {
    const loads = [undefined, null, 7, 'x', [], {}, { key: 5 }, { key: 'x'.repeat(100_000), user: {} }];
    const words = [null, 'text', 7, [], {}, { from: 1 }, { from: Number.NaN }];
    for (let says = 0; says < 40; says++)
      for (const load of loads)
        for (const epoch of [0, -1, 1.5, Number.MAX_SAFE_INTEGER])
          words.push({ from: 5, epoch, turn: epoch, says, visible: true, value: says % 3, load });
    for (const name of window.channels) {
      const channel = new BroadcastChannel(name);
      for (const word of words) channel.postMessage(word);
      channel.close();
    }
  });
  for (const tab of tabs) assert.equal((await tab.verify()).status, 'authenticated');
  assert.equal((await tabs[0].state()).userKey, 'ada');
  const late = await add();
  await late.is('authenticated', 'ada');
  await roles([...tabs, late]);
  assert.ok(asked(server) < 30, `${asked(server)} requests`);
});
