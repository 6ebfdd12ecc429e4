import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { quiet } from './streams.mjs';
import { checks, loads, openVersions, pass } from './versions.mjs';

test('a page that comes back old is not reloaded again: the person is asked', async (t) => {
  const { server, tab } = await openVersions(t, { serves: () => 'v1', version: { pollMs: 200 } });
  server.version = 'v2';
  await until(() => loads(server) === 1);
  const { latest } = await tab.is('blocked', 'loopGuard');
  assert.equal(latest, 'v2');
  await until(() => tab.offers === 1);
  assert.ok(await quiet(() => loads(server), 1_500));
  assert.equal(loads(server), 1);
  await tab.apply();
  await until(() => loads(server) === 2);
  await tab.is('blocked', 'loopGuard');
});

test('a page that comes back old finds that out by itself, once', async (t) => {
  const { server, tab } = await openVersions(t, { serves: () => 'v1', version: { pollMs: false } });
  server.version = 'v2';
  await tab.check();
  await until(() => loads(server) === 1);
  await tab.is('blocked', 'loopGuard');
  await until(() => tab.offers === 1);
  server.clear();
  await tab.page.reload();
  await tab.started();
  assert.ok(await quiet(() => checks(server), 1_000));
  assert.equal(checks(server), 0, 'the person knows');
});

test('after loopGuardMs it is tried again, once', async (t) => {
  const { server, tab } = await openVersions(t, {
    serves: () => 'v1',
    version: { pollMs: 200, loopGuardMs: 6_000 },
  });
  server.version = 'v2';
  await until(() => loads(server) === 1);
  await tab.is('blocked', 'loopGuard');
  const notes = await run(tab.page, () => sessionStorage.getItem('evenkeel:1:evenkeel:versions'));
  const first = new Map(JSON.parse(notes)).get('v2'); // when it was reloaded for that
  await until(() => loads(server) === 2, 20_000);
  const [, second] = server.requestsTo('/app').map(({ at }) => at);
  assert.ok(second - first >= 5_980, `after ${second - first} ms`);
  await tab.is('blocked', 'loopGuard');
});

test('a rolling deploy that alternates reloads each tab once at most', async (t) => {
  let asked = 0;
  const { server, tabs } = await openVersions(t, {
    count: 2,
    serves: () => (asked++ % 2 ? 'v2' : 'v1'),
    version: { pollMs: 150 },
  });
  const flip = setInterval(() => {
    server.version = server.version === 'v1' ? 'v2' : 'v1';
  }, 70);
  t.after(() => clearInterval(flip));
  const end = Date.now() + 5_000;
  while (Date.now() < end) {
    for (const tab of tabs) await tab.get('/api/x', { dedupe: false });
    await pass(60);
  }
  // With the two by which they were opened: one may have been reloaded before the other was there.
  assert.ok(asked <= 4, `${asked} loads of two tabs`);
});

for (const [what, without] of /** @type {Array<[string, () => void]>} */ ([
  [
    'throws',
    () =>
      Object.defineProperty(window, 'sessionStorage', {
        get() {
          throw new DOMException('denied', 'SecurityError');
        },
      }),
  ],
  [
    'is full',
    () => {
      Storage.prototype.setItem = () => {
        throw new DOMException('full', 'QuotaExceededError');
      };
    },
  ],
  [
    'forgets',
    () => {
      Storage.prototype.setItem = () => {};
    },
  ],
])) {
  test(`where sessionStorage ${what} nothing is reloaded by itself: the person is asked, and may`, async (t) => {
    const { server, tab } = await openVersions(t, { beforeLoad: (page) => page.addInitScript(without) });
    server.version = 'v2';
    await tab.check();
    await tab.is('blocked', 'storage');
    await until(() => tab.offers === 1);
    await hide(tab.page);
    await pass(700);
    await show(tab.page);
    assert.equal(loads(server), 0);
    await tab.apply();
    await tab.isOf('v2');
    assert.equal(loads(server), 1);
  });
}

test('nonsense in sessionStorage is no licence to reload', async (t) => {
  const { server, tab } = await openVersions(t);
  for (const nonsense of ['{', '[[1,2]]', '{"v2":1}', 'null', '[["v2","soon"]]']) {
    await run(
      tab.page,
      (nonsense) => sessionStorage.setItem('evenkeel:1:evenkeel:versions', nonsense),
      nonsense,
    );
    await tab.page.reload();
    await tab.isOf('v1');
    server.version = 'v2';
    server.clear();
    await tab.check();
    await tab.is('blocked', 'storage');
    await pass(200);
    assert.equal(loads(server), 0, nonsense);
    server.version = 'v1';
    await tab.check();
  }
  await tab.page.reload(); // what was nonsense was replaced
  await tab.isOf('v1');
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
});

test('a person who declines the browser’s question is not asked again and again', async (t) => {
  const { server, tab } = await openVersions(t, { made: () => ({ reload: () => window.say('reload') }) });
  server.version = 'v2';
  await tab.check();
  await until(() => tab.said.includes('reload'));
  await until(async () => (await tab.state()).status === 'blocked', 30_000);
  assert.equal((await tab.state()).blockedBy, 'loopGuard');
  await tab.check();
  await pass(500);
  assert.equal(tab.said.filter((what) => what === 'reload').length, 1);
  assert.ok(checks(server) >= 2);
});
