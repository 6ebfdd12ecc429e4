import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { quiet } from './streams.mjs';
import { loads, openVersions, pass } from './versions.mjs';

test('what beforeReload sends is waited for', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: { flushTimeoutMs: 5_000 },
    made: () => ({
      beforeReload() {
        window.app.api.post('/api/flush', { last: 'words' });
      },
    }),
  });
  server.on('/api/flush', { status: 204, delayMs: 600 });
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  const flushed = server.requestsTo('POST /api/flush');
  assert.ok(flushed.length >= 1);
  assert.ok(flushed.every(({ closedEarlyAt }) => closedEarlyAt === null));
  assert.equal(loads(server), 1);
});

test('a hold that is taken while the page is being made ready is kept', async (t) => {
  const { server, tab } = await openVersions(t, {
    made: () => ({
      beforeReload() {
        window.release ??= window.app.version.hold();
      },
    }),
  });
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'hold');
  assert.ok(await quiet(() => loads(server), 500));
  await tab.do(() => window.release());
  await tab.isOf('v2');
});

test('a write that waits for its next try is unsafe, too', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: { flushTimeoutMs: 200 },
    config: { api: { backoff: { baseMs: 6_000, jitter: 'none' } } },
  });
  server.on('/api/save', [503, 204]);
  await run(
    tab.page,
    () => void window.app.api.post('/api/save', { text: 'mine' }, { idempotencyKey: true }),
  );
  await server.waitFor('POST /api/save');
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'requests');
  await server.waitFor('POST /api/save', { count: 2, timeoutMs: 20_000 });
  await tab.isOf('v2');
  assert.equal(server.requestsTo('POST /api/save').length, 2);
});

test('api.fetch that writes is unsafe, and aborting it lets the reload go on', async (t) => {
  const { server, tab } = await openVersions(t, { version: { flushTimeoutMs: 200 } });
  server.on('/api/save', 'hang');
  await run(tab.page, () => {
    window.control = new AbortController();
    window.app.api
      .fetch('/api/save', { method: 'PUT', body: 'x', signal: window.control.signal })
      .catch(() => {});
  });
  await server.waitFor('PUT /api/save');
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'requests');
  await tab.do(() => window.control.abort());
  await tab.isOf('v2');
});

test('a notice whose button says yes at once', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: { onMismatch: 'prompt', idleMs: 60_000 },
  });
  await run(tab.page, () => {
    const { say } = window;
    window.say = (/** @type {string} */ kind) => {
      say(kind);
      if (kind === 'updateAvailable') window.app.version.applyUpdate();
    };
  });
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  assert.equal(loads(server), 1);
});

test('a reload of its own that throws is reported, and not called again by itself', async (t) => {
  const { server, tab } = await openVersions(t, {
    made: () => ({
      reload() {
        window.say('reload');
        throw new Error("the app's own");
      },
    }),
  });
  server.version = 'v2';
  await tab.check();
  await until(() => tab.said.includes('reload'));
  await pass(1_000);
  assert.equal(tab.said.filter((what) => what === 'reload').length, 1);
  assert.ok(tab.page.problems.every(({ text }) => text.includes("the app's own")));
  tab.page.problems.length = 0;
});

test('a newer version takes the place of the one that was waited for', async (t) => {
  const { server, tab } = await openVersions(t);
  await run(tab.page, () => {
    window.release = window.app.version.hold();
  });
  for (const version of ['v2', 'v3', 'v4']) {
    server.version = version;
    assert.equal((await tab.check()).latest, version);
    await tab.is('blocked', 'hold');
  }
  await tab.do(() => window.release());
  await tab.isOf('v4');
  assert.equal(loads(server), 1);
});

test('a page that was opened from another one reloads for itself', async (t) => {
  const { server, context, tab } = await openVersions(t);
  const opened = context.waitForEvent('page');
  await run(tab.page, () => void window.open('/app?opened'));
  const second = await opened;
  await second.exposeFunction('say', () => {});
  await until(() => second.evaluate('window.app !== undefined').catch(() => false));
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  await second.evaluate('window.app.version.check()').catch(() => {});
  await until(async () => (await second.evaluate('window.deployed').catch(() => null)) === 'v2');
  assert.equal(server.requestsTo('/app').length, 3, 'two reloads, and the opening');
});

test('a deploy that is found by a session ping, with everything on, carries the page over', async (t) => {
  const { server, tab } = await openVersions(t, {
    config: { session: { activeMs: 300, confirmAfterMs: 40 }, tabs: { heartbeatMs: 250, takeoverMs: 750 } },
  });
  server.session = { user: { id: 'ada' } };
  await run(tab.page, () => window.app.session.verify());
  server.version = 'v2';
  await tab.isOf('v2');
  await until(() => tab.do(() => window.app.session.getSnapshot().userKey === 'ada'));
  assert.equal(loads(server), 1);
});
