import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { quiet } from './streams.mjs';
import { checks, loads, openVersions, pass, VERSION } from './versions.mjs';

/** Does not let WebAssembly be compiled. */
const POLICY = {
  'Content-Security-Policy':
    "default-src 'self' http://127.0.0.1:*; script-src 'self'; img-src data:; style-src 'unsafe-inline'",
};
const CHUNK = '/assets/gone.js';

/** A module that traps in the next call of an export that `window.trapIn` matches. @param {import('playwright-core').Page} page */
const withTraps = (page) =>
  page.addInitScript(() => {
    const { Instance } = WebAssembly;
    window.trapIn = null;
    window.instances = 0;
    WebAssembly.Instance = class {
      constructor(module, imports) {
        window.instances++;
        const { exports } = new Instance(module, imports);
        this.exports = { ...exports };
        for (const [name, value] of Object.entries(exports)) {
          if (typeof value !== 'function') continue;
          this.exports[name] = (...args) => {
            if (window.trapIn?.test(name)) {
              window.trapIn = null;
              throw new WebAssembly.RuntimeError('unreachable');
            }
            return value(...args);
          };
        }
      }
    };
  });

/** Traps now. @param {any} page */
const trap = (page) =>
  run(page, async () => {
    window.trapIn = /^call$/;
    await window.app.api.get('/api/trap');
  });

test('after dispose nothing is asked, listened to or reloaded', async (t) => {
  const { server, tab } = await openVersions(t, { version: { pollMs: 150 } });
  server.version = 'v2';
  server.on(VERSION, 'hang');
  await until(() => checks(server) === 1);
  const settled = await run(tab.page, async () => {
    const { version } = window.app;
    const checked = version.check();
    const applied = version.applyUpdate();
    version.guard(() => import('/assets/gone.js')).catch(() => window.say('rejected'));
    await new Promise((resolve) => setTimeout(resolve, 200));
    window.app.dispose();
    const timer = new Promise((resolve) => setTimeout(resolve, 3_000, 'still waits'));
    return [
      await Promise.race([timer, checked.then(({ status }) => status)]),
      await Promise.race([timer, applied.then(() => 'settled')]),
      await Promise.race([timer, version.check().then(({ status }) => status)]),
      await Promise.race([timer, version.applyUpdate().then(() => 'settled')]),
    ];
  });
  assert.deepEqual(settled, ['current', 'settled', 'current', 'settled']);
  await until(() => tab.said.includes('rejected'));
  server.clear();
  await run(tab.page, () => {
    dispatchEvent(new Event('online'));
    dispatchEvent(
      Object.assign(new Event('vite:preloadError', { cancelable: true }), {
        payload: new TypeError('Failed to fetch dynamically imported module: /a.js'),
      }),
    );
  });
  assert.ok(await quiet(() => checks(server), 500));
  assert.deepEqual([checks(server), loads(server)], [0, 0]);
});

test('dispose while a reload is on its way ends it', async (t) => {
  const { server, tab } = await openVersions(t, { version: { idleMs: 4_000 } });
  await tab.use();
  server.version = 'v2';
  await run(tab.page, async () => {
    await window.app.version.check();
    window.app.dispose();
  });
  await pass(4_500);
  assert.equal(loads(server), 0);
});

test('a trap forgets nothing: what is known, what is held, and what was reloaded for', async (t) => {
  const { server, tab } = await openVersions(t, { beforeLoad: withTraps, serves: () => 'v1' });
  await run(tab.page, () => {
    window.release = window.app.version.hold();
  });
  server.version = 'v2';
  await tab.check();
  await tab.is('blocked', 'hold');
  await trap(tab.page);
  await until(() => run(tab.page, () => window.instances === 2));
  await tab.is('blocked', 'hold');
  assert.ok(await quiet(() => loads(server), 600), 'the hold stands');
  await tab.isOld();
  await tab.do(() => window.release());
  await until(() => loads(server) === 1);
  await tab.isOf('v1');
  await tab.check();
  await tab.is('blocked', 'loopGuard');
  await trap(tab.page);
  await tab.is('blocked', 'loopGuard');
  assert.ok(await quiet(() => loads(server), 600));
  assert.equal(tab.offers, 2, 'once on each page');
});

test('who waits for a check while the module traps is answered all the same', async (t) => {
  const { server, tab } = await openVersions(t, { beforeLoad: withTraps });
  const lost = held('pass');
  t.after(() => lost.release());
  server.on(VERSION, [lost.step, 'pass']);
  const checked = tab.check();
  await server.waitFor(VERSION);
  await trap(tab.page);
  assert.equal((await checked).status, 'current');
});

test('with WebAssembly blocked a mismatch is offered and never reloaded for by itself; the person may', async (t) => {
  const { server, tab } = await openVersions(t, {
    headers: POLICY,
    made: () => ({ beforeReload: () => window.say('ready') }),
  });
  assert.equal((await tab.check()).status, 'current');
  server.version = 'v2';
  const { status, latest } = await tab.check();
  assert.deepEqual([status, latest], ['updateAvailable', 'v2']);
  await until(() => tab.offers === 1);
  await pass(500);
  assert.equal(loads(server), 0);
  await tab.apply();
  await tab.isOf('v2');
  assert.ok(tab.said.includes('ready'));
  assert.equal((await tab.check()).status, 'current');
});

test('with WebAssembly blocked `guard` rejects, whatever was deployed', async (t) => {
  const { server, tab } = await openVersions(t, { headers: POLICY });
  const gone = () =>
    run(tab.page, (chunk) => window.app.version.guard(() => import(chunk)).catch(({ name }) => name), CHUNK);
  assert.equal(await gone(), 'TypeError');
  server.version = 'v2';
  assert.equal(await gone(), 'TypeError');
  assert.equal(loads(server), 0);
  assert.equal(await run(tab.page, () => window.app.version.guard(async () => 5)), 5);
});

test('looking at the version starts nothing, and asking does', async (t) => {
  const { server, tab } = await openVersions(t);
  const before = await run(tab.page, () => {
    window.app.dispose();
    window.app = window.evenkeel.createStability({ version: { current: 'v1' } });
    const { version, runtime } = window.app;
    const [first, second] = [version.getSnapshot(), version.getSnapshot()];
    return [
      first.status,
      version.getServerSnapshot().current,
      first === second,
      runtime.getSnapshot().status,
    ];
  });
  assert.deepEqual(before, ['current', 'v1', true, 'starting']);
  server.version = 'v2';
  assert.ok(await quiet(() => server.requests.length, 300));
  assert.equal((await tab.check()).latest, 'v2');
});

test('listeners that throw keep the others, and the reload, from nothing', async (t) => {
  const { server, tab } = await openVersions(t);
  await run(tab.page, () => {
    window.app.version.subscribe(() => {
      throw new Error("the app's own");
    });
    window.app.version.subscribe(() => window.say('told'));
  });
  server.version = 'v2';
  await tab.check();
  await tab.isOf('v2');
  assert.ok(tab.said.includes('told'));
  assert.ok(tab.page.problems.every(({ text }) => text.includes("the app's own")));
  tab.page.problems.length = 0;
});

test('apps of two names on one page reload for themselves and keep a record each', async (t) => {
  const { server, tab } = await openVersions(t, { made: () => ({ reload: () => window.say('own') }) });
  await run(tab.page, () => {
    window.other = window.evenkeel.createStability({
      name: 'other',
      version: { current: 'v1', idleMs: 0, spreadMs: 0, reload: () => window.say('other') },
    });
    return window.other.ready;
  });
  server.version = 'v2';
  await run(tab.page, () => Promise.all([window.app.version.check(), window.other.version.check()]));
  await until(() => tab.said.includes('own') && tab.said.includes('other'));
  assert.deepEqual(await run(tab.page, () => Object.keys(sessionStorage).sort()), [
    'evenkeel:1:evenkeel:versions',
    'evenkeel:1:other:versions',
  ]);
  await run(tab.page, () => window.other.dispose());
});
