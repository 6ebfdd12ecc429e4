import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, until } from '../harness/browser.mjs';
import { quiet } from './streams.mjs';
import { checks, loads, openVersions, pass } from './versions.mjs';

test('a new version reaches an open page by exactly one reload, after the app made itself ready', async (t) => {
  const { server, tab } = await openVersions(t, {
    made: () => ({
      async beforeReload() {
        window.say('getting ready');
        await new Promise((resolve) => setTimeout(resolve, 100));
        window.say('ready');
        sessionStorage.setItem('kept', 'by the app');
      },
    }),
  });
  await run(tab.page, () => {
    window.app.version.subscribe(() => window.say(window.app.version.getSnapshot().status));
  });
  server.version = 'v2';
  await tab.get('/api/version');
  await tab.isOf('v2');
  assert.equal(loads(server), 1);
  assert.deepEqual(tab.said, ['updateAvailable', 'getting ready', 'ready', 'reloading']);
  assert.equal(await run(tab.page, () => sessionStorage.getItem('kept')), 'by the app');
  assert.equal((await tab.check()).status, 'current');
  assert.ok(await quiet(() => loads(server), 600));
});

test('a deploy after the deploy is reloaded for, too', async (t) => {
  const { server, tab } = await openVersions(t);
  for (const version of ['v2', 'v3', 'v4']) {
    server.version = version;
    await tab.check();
    await tab.isOf(version);
  }
  assert.equal(loads(server), 3);
});

for (const [what, beforeReload] of /** @type {Array<[string, () => object]>} */ ([
  ['throws', () => ({ beforeReload: () => decodeURIComponent('%') })],
  ['rejects', () => ({ beforeReload: () => Promise.reject(new URIError('malformed')) })],
  ['never ends', () => ({ beforeReload: () => new Promise(() => {}) })],
])) {
  test(`a beforeReload that ${what} does not keep the page from its reload`, async (t) => {
    const { server, tab } = await openVersions(t, { made: beforeReload });
    server.version = 'v2';
    await tab.check();
    await tab.isOf('v2');
    assert.equal(loads(server), 1);
    assert.ok(tab.page.problems.every(({ text }) => text.includes('malformed')));
    tab.page.problems.length = 0;
  });
}

test('a reload of its own is called in place of the browser’s, once', async (t) => {
  const { server, tab } = await openVersions(t, { made: () => ({ reload: () => window.say('reload') }) });
  server.version = 'v2';
  await tab.check();
  await until(() => tab.said.includes('reload'));
  assert.equal((await tab.state()).status, 'reloading');
  await tab.check();
  await pass(700);
  assert.deepEqual([loads(server), tab.said.filter((what) => what === 'reload').length], [0, 1]);
});

test('a version that is rolled back before the page was reloaded is forgotten', async (t) => {
  const { server, tab } = await openVersions(t, { version: { idleMs: 5_000 } });
  await tab.use();
  server.version = 'v2';
  assert.equal((await tab.check()).status, 'updateAvailable');
  server.version = 'v1';
  const { status, latest } = await tab.check();
  assert.deepEqual([status, latest], ['current', 'v1']);
  await pass(5_300);
  assert.equal(loads(server), 0);
});

test('nothing is reloaded while the person types or moves the pointer, and it is soon after', async (t) => {
  const { server, tab } = await openVersions(t, { version: { idleMs: 3_000 } });
  await tab.use();
  server.version = 'v2';
  await tab.check();
  const started = Date.now();
  let stopped = started;
  for (let n = 0; stopped - started < 7_000; n++) {
    stopped = Date.now();
    if (n % 2) await tab.page.keyboard.press('Shift');
    else await tab.page.mouse.move(10 + n, 20);
    await pass(200);
    assert.equal(loads(server), 0, `after ${Date.now() - started} ms of input`);
  }
  await until(() => loads(server) === 1);
  const after = server.requestsTo('/app')[0].at - stopped;
  assert.ok(after >= 2_880, `${after} ms after the last input`);
  await tab.isOf('v2');
});

test('pages that learn of a deploy in one moment are reloaded over spreadMs', async (t) => {
  const { server, tabs } = await openVersions(t, { count: 4, version: { spreadMs: 1_500 } });
  server.version = 'v2';
  await Promise.all(tabs.map((tab) => tab.check()));
  for (const tab of tabs) await tab.isOf('v2');
  const times = server.requestsTo('/app').map(({ at }) => at);
  assert.equal(times.length, 4, 'each once');
  assert.ok(
    Math.max(...times) - Math.min(...times) > 60,
    `within ${Math.max(...times) - Math.min(...times)} ms`,
  );
});

test('a hidden tab does not wait for a pause', async (t) => {
  const { server, tab } = await openVersions(t, { version: { idleMs: 60_000 } });
  server.version = 'v2';
  await tab.use();
  await tab.check();
  assert.ok(await quiet(() => loads(server), 400));
  await hide(tab.page);
  await tab.isOf('v2');
  assert.equal(loads(server), 1);
});

test('three tabs, one of them hidden, each reload once', async (t) => {
  const { server, tabs } = await openVersions(t, { count: 3, version: { pollMs: 300 } });
  await hide(tabs[2].page);
  server.version = 'v2';
  await tabs[2].get('/api/x'); // a hidden page polls nothing, and hears of it by what it sends
  for (const tab of tabs) await tab.isOf('v2');
  await pass(800);
  assert.equal(loads(server), 3);
});

test('no cookie is touched and nobody is logged out by a reload', async (t) => {
  const { server, context, tab } = await openVersions(t, {
    config: { session: { confirmAfterMs: 40 } },
  });
  server.session = { user: { id: 'ada' } };
  // The page's own first question may have been answered before she was there.
  const isIn = () =>
    run(tab.page, async () => (await window.app.session.verify()).status === 'authenticated');
  await until(isIn);
  await context.addCookies([{ name: 'own', value: 'kept', url: server.origin }]);
  const before = (await context.cookies()).map(({ name }) => name).sort();
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  assert.ok(await isIn());
  assert.deepEqual((await context.cookies()).map(({ name }) => name).sort(), before);
});

// ---------------------------------------------------------------- applyUpdate

test('applyUpdate() with nothing newer only checks', async (t) => {
  const { server, tab } = await openVersions(t, { version: { onMismatch: 'prompt' } });
  await tab.apply();
  assert.deepEqual([checks(server), loads(server)], [1, 0]);
  server.version = 'v2';
  await tab.apply();
  await pass(500);
  assert.deepEqual([(await tab.state()).status, loads(server)], ['updateAvailable', 0]);
});

test('applyUpdate() reloads at once, though the person is active, with the app made ready, once for two clicks', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: { onMismatch: 'prompt', idleMs: 60_000, spreadMs: 60_000 },
    made: () => ({ beforeReload: () => window.say('ready') }),
  });
  server.version = 'v2';
  await tab.check();
  await tab.use();
  await tab.do(() => {
    window.app.version.applyUpdate();
    window.app.version.applyUpdate();
  });
  await tab.isOf('v2');
  await pass(300);
  assert.deepEqual([loads(server), tab.said.filter((what) => what === 'ready').length], [1, 1]);
});

for (const [what, how, block] of /** @type {Array<[string, object, (page: any) => Promise<unknown>]>} */ ([
  ['a hold', {}, (page) => run(page, () => void window.app.version.hold())],
  [
    'a field that is being changed',
    { html: '<input id="field">' },
    (page) => page.click('#field').then(() => page.keyboard.type('half a sen')),
  ],
  ['a request that goes on and on', {}, (page) => run(page, () => void window.app.api.post('/api/hang', {}))],
  ['a dismissal', {}, (page) => run(page, () => window.app.version.dismiss())],
])) {
  test(`applyUpdate() goes on past ${what}`, async (t) => {
    const { server, tab } = await openVersions(t, { ...how, version: { onMismatch: 'prompt' } });
    server.on('/api/hang', 'hang');
    server.version = 'v2';
    await tab.check();
    await block(tab.page);
    await tab.apply();
    await tab.isOf('v2');
    assert.equal(loads(server), 1);
  });
}

test('applyUpdate() gives what is being sent a moment to arrive', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: { onMismatch: 'prompt', flushTimeoutMs: 5_000 },
  });
  server.on('/api/save', { status: 204, delayMs: 700 });
  server.version = 'v2';
  await tab.check();
  await tab.do(() => {
    window.app.api.post('/api/save', { text: 'mine' });
    window.app.version.applyUpdate();
  });
  await tab.isOf('v2');
  const [saved] = server.requestsTo('POST /api/save');
  const [load] = server.requestsTo('/app');
  assert.equal(saved.closedEarlyAt, null, 'it was let finish');
  assert.ok(saved.endedAt && saved.endedAt <= load.at);
});
