import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { gaps } from './pages.mjs';
import { checks, loads, openVersions, pass, VERSION } from './versions.mjs';

/** Nothing is reloaded, so that what is known can be looked at. */
const ASKS = { onMismatch: 'prompt' };

for (const [what, step] of /** @type {Array<[string, any]>} */ ([
  ['fails', 500],
  ['is not there', 404],
  ['is cut off', 'cut'],
  ['answers with a page', { headers: { 'Content-Type': 'text/html' }, body: '<p>' }],
  ['answers no JSON', { body: '{"version":' }],
  ['names no version', { body: { version: '' } }],
  ['names a number', { body: { version: 2 } }],
  ['names null', { body: null }],
  ['names something endless', { body: { version: 'v'.repeat(5_000) } }],
])) {
  test(`an endpoint that ${what} changes nothing, and check() settles`, async (t) => {
    const { server, tab } = await openVersions(t);
    server.on(VERSION, step);
    const { status, latest } = await tab.check();
    assert.deepEqual([status, latest, loads(server)], ['current', null, 0]);
  });
}

test('offline, check() settles with what is known', async (t) => {
  const { context, tab } = await openVersions(t);
  await context.setOffline(true);
  assert.equal((await tab.check()).status, 'current');
});

test('prompt tells the person once for each version, and dismiss() keeps it from being told again', async (t) => {
  const { server, tab } = await openVersions(t, { version: ASKS });
  server.version = 'v2';
  for (let n = 0; n < 3; n++) await tab.check();
  assert.deepEqual([(await tab.state()).status, tab.offers], ['updateAvailable', 1]);
  await run(tab.page, () => window.app.version.dismiss());
  assert.equal((await tab.state()).dismissed, true);
  await tab.check();
  assert.equal((await tab.state()).dismissed, true);
  server.version = 'v3';
  const { latest, dismissed } = await tab.check();
  assert.deepEqual([latest, dismissed], ['v3', false]);
  await until(() => tab.offers === 2, 20_000); // told no sooner than five seconds after the first
  assert.equal(loads(server), 0);
});

test('ignore shows what is the latest, and does nothing', async (t) => {
  const { server, tab } = await openVersions(t, { version: { onMismatch: 'ignore' } });
  server.version = 'v2';
  const { status, latest } = await tab.check();
  assert.deepEqual([status, latest], ['current', 'v2']);
  await pass(500);
  assert.deepEqual([loads(server), tab.offers], [0, 0]);
});

test('a function decides for each version, and what it gets wrong is a prompt', async (t) => {
  const { server, tab } = await openVersions(t, {
    made: () => ({
      onMismatch: (/** @type {string} */ latest) => {
        window.say(`asked about ${latest}`);
        if (latest === 'v3') throw new Error("the app's own");
        return latest === 'v2' ? 'ignore' : latest === 'v4' ? 'no such thing' : 'reload';
      },
    }),
  });
  const stand = async (/** @type {string} */ version) => {
    server.version = version;
    return (await tab.check())?.status;
  };
  assert.equal(await stand('v2'), 'current');
  assert.equal(await stand('v3'), 'updateAvailable');
  assert.equal(await stand('v4'), 'updateAvailable');
  await until(() => tab.offers === 2, 20_000);
  assert.equal(loads(server), 0);
  await stand('v5');
  await tab.isOf('v5');
  for (const version of ['v2', 'v3', 'v4', 'v5']) assert.ok(tab.said.includes(`asked about ${version}`));
  assert.ok(tab.page.problems.every(({ text }) => text.includes("the app's own")));
  tab.page.problems.length = 0;
});

test('a 426 is `outdated`, and hands over to a check', async (t) => {
  const { server, tab } = await openVersions(t, { version: ASKS });
  server.on('/api/x', { status: 426, headers: { 'X-App-Version': null } });
  server.version = 'v2';
  const { error } = await tab.get('/api/x');
  assert.equal(error.kind, 'outdated');
  assert.equal((await tab.is('updateAvailable')).latest, 'v2');
});

test('a 426 that the endpoint contradicts is no loop', async (t) => {
  const { server, tab } = await openVersions(t);
  server.on('/api/x', 426);
  for (let n = 0; n < 20; n++) {
    assert.equal((await tab.get('/api/x')).error.kind, 'outdated');
    await pass(50);
  }
  assert.deepEqual([(await tab.state()).status, loads(server)], ['current', 0]);
  // However long that took: after a second, after two more, and so on.
  const after = gaps(server.requestsTo(VERSION));
  assert.ok(checks(server) >= 1 && after.every((ms, i) => ms >= 2 ** i * 995), `checked after ${after} ms`);
});

test('without an endpoint a 426 is a new version without a name', async (t) => {
  const { server, tab } = await openVersions(t, { version: { ...ASKS, endpoint: false } });
  server.on('/api/x', { status: 426, headers: { 'X-App-Version': null } });
  await tab.get('/api/x');
  const { status, reason, blockedBy } = await tab.is('updateAvailable');
  await until(() => tab.offers > 0);
  assert.deepEqual([status, reason, blockedBy, tab.offers], ['updateAvailable', 'mismatch', null, 1]);
});
