import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, run, until } from '../harness/browser.mjs';
import { asked, BEN, browser, openSessions, PATIENT_TABS, pass, roles } from './sessions.mjs';
import { quiet } from './streams.mjs';

/** Tabs, and a page beside them that talks as Auth.js' own code does: v5 on a channel, v4 by a storage key. @param {any} t @param {number} count @param {object} [session] */
async function beside(t, count, session) {
  const opened = await openSessions(t, count, { session, tabs: PATIENT_TABS });
  await roles(opened.tabs);
  const other = await openPage(t, { browser, server: opened.server, context: opened.context });
  await run(other, () => {
    window.heard = [];
    window.channel = new BroadcastChannel('next-auth');
    window.channel.onmessage = ({ data }) => window.heard.push(data.event);
    addEventListener('storage', ({ key, newValue }) => {
      if (key === 'nextauth.message' && newValue) window.heard.push(JSON.parse(newValue).event);
    });
  });
  opened.server.clear();
  return { ...opened, other };
}

const heard = (/** @type {any} */ page) => run(page, () => window.heard.length);

const SAYS = /** @type {Array<[string, () => void]>} */ ([
  ['v5', () => window.channel.postMessage({ event: 'session', data: { trigger: 'signout' } })],
  [
    'v4',
    () =>
      localStorage.setItem(
        'nextauth.message',
        JSON.stringify({
          event: 'session',
          data: { trigger: 'signout' },
          timestamp: Math.floor(Date.now() / 1_000),
        }),
      ),
  ],
]);

for (const [version, say] of SAYS) {
  test(`what Auth.js ${version} says of a session is one check for all tabs`, async (t) => {
    const { server, tabs, other } = await beside(t, 3);
    server.session = BEN;
    await run(other, say);
    for (const tab of tabs) await tab.is('authenticated', 'ben');
    await until(() => quiet(() => asked(server), 1_100));
    assert.ok(asked(server) <= 2, `${asked(server)} requests of three tabs`);
  });

  test(`a hundred words of Auth.js ${version} are no storm`, async (t) => {
    const { server, tabs, other } = await beside(t, 2);
    await other.evaluate(`for (let n = 0; n < 100; n++) (${say})()`);
    await pass(1_500);
    assert.ok(asked(server) <= 6, `${asked(server)} requests`);
    for (const tab of tabs) assert.equal((await tab.state()).status, 'authenticated');
  });
}

test('what a SessionProvider says while its page loads is no news, and later it is', async (t) => {
  const { server, tabs, other, add } = await beside(t, 1);
  const provider = () => window.channel.postMessage({ event: 'session', data: { trigger: 'getSession' } });
  await tabs[0].page.close();
  tabs.length = 0;
  // Said by the page that loads, as soon as there is a client that listens: however slow the test is, that is no later.
  const tab = await add({
    beforeLoad: (page) =>
      page.addInitScript(() => {
        window.said = 0;
        const channel = new BroadcastChannel('next-auth');
        const saying = setInterval(() => {
          if (window.app?.runtime.getSnapshot().status !== 'running') return;
          channel.postMessage({ event: 'session', data: { trigger: 'getSession' } });
          if (++window.said === 3) clearInterval(saying);
        }, 100);
      }),
  });
  await until(() => run(tab.page, () => window.said === 3));
  assert.ok(await quiet(() => asked(server), 1_100));
  assert.equal(asked(server), 1, 'its own question');
  await pass(5_000);
  server.session = BEN;
  await run(other, provider);
  await tab.is('authenticated', 'ben');
});

test('Auth.js hears of a change once, not of each ping, and there is no echo', async (t) => {
  const { server, tabs, other } = await beside(t, 3, { activeMs: 300 });
  await until(() => asked(server) >= 4);
  assert.equal(await heard(other), 0, 'pings are no news');
  server.session = BEN;
  for (const tab of tabs) await tab.is('authenticated', 'ben');
  await until(async () => (await heard(other)) > 0);
  const count = asked(server);
  const begun = Date.now();
  await pass(1_500);
  assert.ok((await heard(other)) <= 2, `${await heard(other)} words: one for v5, one for v4`);
  const [more, intervals] = [asked(server) - count, (Date.now() - begun) / 300];
  assert.ok(more <= intervals + 1, `${more} requests in ${intervals} intervals`);
});

test('garbage on the channel and under the key does no harm', async (t) => {
  const { tabs, other } = await beside(t, 2);
  await run(other, () => {
    for (const word of [null, 7, 'x', [], {}, { event: 7 }, { event: 'session' }, { data: null }])
      window.channel.postMessage(word);
    for (const text of ['', '{', 'null', '7', '[]', '{"event":"session"}', '{"timestamp":-1}', '\0'])
      localStorage.setItem('nextauth.message', text);
    localStorage.clear();
  });
  await pass(1_500);
  for (const tab of tabs) assert.deepEqual([(await tab.state()).userKey, await tab.ended()], ['ada', []]);
});

test('with `bridgeNextAuth: false` nothing is posted, and nothing heard', async (t) => {
  const { server, tabs, other } = await beside(t, 1, { bridgeNextAuth: false });
  for (const [, say] of SAYS) await run(other, say);
  assert.ok(await quiet(() => asked(server), 600));
  assert.equal(asked(server), 0);
  const before = await heard(other);
  server.session = BEN;
  await tabs[0].verify();
  await pass(300);
  assert.equal(await heard(other), before);
});

test('the bridge is closed with the client', async (t) => {
  const { server, tabs, other } = await beside(t, 1);
  await run(tabs[0].page, () => window.app.dispose());
  await pass(1_100);
  server.clear();
  for (const [, say] of SAYS) await run(other, say);
  assert.ok(await quiet(() => asked(server), 500));
  assert.equal(asked(server), 0);
});
