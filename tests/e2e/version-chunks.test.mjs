import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { checks, loads, openVersions, pass } from './versions.mjs';

/** Nothing is reloaded but for an error: who is active is waited for. */
const WAITS = { onMismatch: 'reload', spreadMs: 60_000 };
const CHUNK = '/assets/reports-1a2b3c.js';

const MESSAGES = [
  ['TypeError', 'Failed to fetch dynamically imported module: http://x/assets/a.js'],
  ['TypeError', 'error loading dynamically imported module: http://x/assets/a.js'],
  ['TypeError', 'Importing a module script failed.'],
  ['ChunkLoadError', 'Loading chunk 12 failed.\n(error: http://x/12.js)'],
  ['ChunkLoadError', 'Loading CSS chunk 12 failed.\n(error: http://x/12.css)'],
  ['ChunkLoadError', 'Failed to load chunk /_next/static/chunks/a.js from module 1'],
  ['Error', 'Unable to preload CSS for http://x/assets/a.css'],
];

for (const [name, message] of MESSAGES) {
  test(`“${message.split('\n')[0]}” reported by an error boundary reloads after a deploy, without waiting for its turn`, async (t) => {
    const { server, tab } = await openVersions(t, { version: WAITS });
    server.version = 'v2';
    await tab.do(
      ({ name, message }) => window.app.version.reportChunkError(Object.assign(new Error(message), { name })),
      { name, message },
    );
    await tab.isOf('v2');
    assert.equal(loads(server), 1);
  });
}

test('the reason is the chunk error, and many errors at once are one check and one reload', async (t) => {
  const { server, tab } = await openVersions(t, {
    version: WAITS,
    made: () => ({ reload: () => window.say('reload') }),
  });
  server.version = 'v2';
  await run(tab.page, () => {
    for (let n = 0; n < 20; n++)
      window.app.version.reportChunkError(
        new TypeError(`Failed to fetch dynamically imported module: /${n}.js`),
      );
  });
  const { reason, latest } = await until(async () => {
    const state = await tab.state();
    return state.status !== 'current' && state;
  });
  assert.deepEqual([reason, latest], ['chunkError', 'v2']);
  await until(() => tab.said.includes('reload'));
  await pass(400);
  assert.deepEqual([checks(server), tab.said.filter((what) => what === 'reload').length], [1, 1]);
});

test('another error is none of a chunk', async (t) => {
  const { server, tab } = await openVersions(t);
  server.version = 'v2';
  await run(tab.page, () => {
    for (const error of [new Error('no'), new TypeError('Failed to fetch'), null, 'chunk', { message: 7 }])
      window.app.version.reportChunkError(error);
  });
  await pass(300);
  assert.deepEqual([checks(server), loads(server)], [0, 0]);
});

test('a chunk that is gone after a deploy: `guard` waits for the reload, and no error is seen', async (t) => {
  const { server, tab } = await openVersions(t, { version: WAITS });
  server.version = 'v2';
  await tab.do((chunk) => {
    window.app.version
      .guard(() => import(chunk))
      .then(
        () => window.say('loaded'),
        () => window.say('failed'),
      );
  }, CHUNK);
  await tab.isOf('v2');
  assert.deepEqual([loads(server), server.requestsTo(CHUNK).length], [1, 1]);
  assert.deepEqual(tab.said, []);
});

test('a chunk that is answered with the app’s page after a deploy is gone, too', async (t) => {
  const { server, tab } = await openVersions(t, { version: WAITS });
  server.on(CHUNK, { headers: { 'Content-Type': 'text/html' }, body: '<!doctype html>' });
  server.version = 'v2';
  await tab.do((chunk) => {
    window.app.version.guard(() => import(chunk)).catch(() => window.say('failed'));
  }, CHUNK);
  await tab.isOf('v2');
  tab.page.problems.length = 0; // Chromium names the wrong type
  assert.deepEqual(tab.said, []);
});

test('a chunk that is gone though nothing was deployed: `guard` rejects with its error', async (t) => {
  const { server, tab } = await openVersions(t);
  const error = await run(
    tab.page,
    (chunk) => window.app.version.guard(() => import(chunk)).catch((error) => error),
    CHUNK,
  );
  assert.equal(error.name, 'TypeError');
  assert.match(error.message, /dynamically imported module/);
  await pass(300);
  assert.deepEqual([checks(server), loads(server), (await tab.state()).status], [1, 0, 'current']);
});

test('offline, a chunk error surfaces, and nothing is reloaded', async (t) => {
  const { server, context, tab } = await openVersions(t);
  server.version = 'v2';
  await context.setOffline(true);
  const error = await run(
    tab.page,
    (chunk) => window.app.version.guard(() => import(chunk)).catch((error) => error),
    CHUNK,
  );
  assert.match(error.message, /dynamically imported module/);
  await pass(500);
  assert.deepEqual([loads(server), (await tab.state()).status], [0, 'current']);
});

test('`guard` hands on what it is given: a module, another error, a throw', async (t) => {
  const { server, tab } = await openVersions(t);
  server.on('/assets/good.js', {
    headers: { 'Content-Type': 'text/javascript' },
    body: 'export const a = 1',
  });
  const outcomes = await run(tab.page, async () => {
    const { version } = window.app;
    const name = (/** @type {Promise<any>} */ promise) =>
      promise.then(
        (value) => value?.a ?? value,
        (error) => error.message,
      );
    return [
      await name(version.guard(() => import('/assets/good.js'))),
      await name(version.guard(async () => 'any value')),
      await name(version.guard(async () => undefined)),
      await name(version.guard(() => Promise.reject(new Error('another')))),
      await name(
        version.guard(() => {
          throw new Error('at once');
        }),
      ),
    ];
  });
  assert.deepEqual(outcomes, [1, 'any value', undefined, 'another', 'at once']);
  assert.equal(checks(server), 0);
});

test('with a prompt, `guard` waits until the person declines', async (t) => {
  const { server, tab } = await openVersions(t, { version: { onMismatch: 'prompt' } });
  server.version = 'v2';
  await tab.do((chunk) => {
    window.app.version.guard(() => import(chunk)).catch(() => window.say('failed'));
  }, CHUNK);
  await tab.is('updateAvailable');
  await until(() => tab.offers === 1);
  await pass(300);
  assert.ok(!tab.said.includes('failed'));
  await run(tab.page, () => window.app.version.dismiss());
  await until(() => tab.said.includes('failed'));
  assert.equal(loads(server), 0);
});

test('with ignore, and where the loop guard stands, `guard` rejects', async (t) => {
  const { server, tab } = await openVersions(t, { version: { onMismatch: 'ignore' } });
  server.version = 'v2';
  const gone = () =>
    run(tab.page, (chunk) => window.app.version.guard(() => import(chunk)).catch(({ name }) => name), CHUNK);
  assert.equal(await gone(), 'TypeError');

  const old = await openVersions(t, { serves: () => 'v1' });
  old.server.version = 'v2';
  await old.tab.isOld();
  await old.tab.check();
  await until(() => loads(old.server) === 1);
  await old.tab.isOf('v1');
  await old.tab.check();
  await old.tab.is('blocked', 'loopGuard');
  assert.equal(
    await run(
      old.tab.page,
      (chunk) => window.app.version.guard(() => import(chunk)).catch(({ name }) => name),
      CHUNK,
    ),
    'TypeError',
  );
});

for (const [what, fail] of /** @type {Array<[string, () => void]>} */ ([
  ['an import that nobody caught', () => void import('/assets/gone.js')],
  [
    "Vite's event",
    () =>
      void dispatchEvent(
        Object.assign(new Event('vite:preloadError', { cancelable: true }), {
          payload: new TypeError('Failed to fetch dynamically imported module: /assets/gone.js'),
        }),
      ),
  ],
  [
    'a script that could not be loaded',
    () =>
      void document.head.append(Object.assign(document.createElement('script'), { src: '/assets/gone.js' })),
  ],
  [
    'a style sheet that could not be loaded',
    () =>
      void document.head.append(
        Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/assets/gone.css' }),
      ),
  ],
])) {
  test(`${what} is heard of: after a deploy one reload, without one nothing`, async (t) => {
    const { server, tab } = await openVersions(t, { version: WAITS });
    await run(tab.page, fail);
    await until(() => checks(server) === 1);
    await pass(300);
    assert.deepEqual([(await tab.state()).status, loads(server)], ['current', 0]);
    server.version = 'v2';
    await pass(1_000);
    await tab.do(fail);
    await tab.isOf('v2');
    assert.equal(loads(server), 1);
    tab.page.problems.length = 0; // what nobody caught is told
  });
}

test("Vite's event is prevented only when a mismatch is known, and only for a chunk", async (t) => {
  const { server, tab } = await openVersions(t, {
    made: () => ({ reload: () => window.say('reload') }),
    version: { idleMs: 60_000 },
  });
  const prevented = (/** @type {string} */ message) =>
    run(
      tab.page,
      (message) =>
        !dispatchEvent(
          Object.assign(new Event('vite:preloadError', { cancelable: true }), {
            payload: new Error(message),
          }),
        ),
      message,
    );
  const gone = 'Failed to fetch dynamically imported module: /a.js';
  await tab.use();
  assert.equal(await prevented(gone), false);
  await tab.check(); // which that led to
  server.version = 'v2';
  await tab.check();
  await tab.is('updateAvailable');
  assert.equal(await prevented('x is not a function'), false);
  assert.equal(await prevented(gone), true);
});

test('with `recoverChunkErrors: false` nothing is listened to, and `guard` works', async (t) => {
  const { server, tab } = await openVersions(t, { version: { ...WAITS, recoverChunkErrors: false } });
  server.version = 'v2';
  await run(tab.page, () => void import('/assets/gone.js').catch(() => {}));
  await run(
    tab.page,
    () => void Promise.reject(new TypeError('Failed to fetch dynamically imported module: /a.js')),
  );
  await pass(400);
  assert.deepEqual([checks(server), loads(server)], [0, 0]);
  tab.page.problems.length = 0;
  await tab.do((chunk) => void window.app.version.guard(() => import(chunk)), CHUNK);
  await tab.isOf('v2');
});

test('with the version off, `guard` passes on, and the rest does nothing', async (t) => {
  const { server, tab } = await openVersions(t);
  const seen = await run(tab.page, async () => {
    window.app.dispose();
    const app = window.evenkeel.createStability();
    const { version } = app;
    const release = version.hold();
    release();
    version.dismiss();
    version.reportChunkError(new TypeError('Failed to fetch dynamically imported module: /a.js'));
    await version.applyUpdate();
    const seen = [
      await version.check(),
      await version.guard(async () => 5),
      await version.guard(() => import('/assets/gone.js')).catch(({ name }) => name),
    ];
    app.dispose();
    return seen;
  });
  assert.deepEqual(seen, [
    { current: '', latest: null, status: 'current', reason: null, blockedBy: null, dismissed: false },
    5,
    'TypeError',
  ]);
  assert.equal(checks(server), 0);
});
