import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withCounts } from '../e2e/counts.mjs';
import { run, until } from '../harness/browser.mjs';
import { GENERATIONS, hold, openReact, pass, shows, text } from './pages.mjs';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 */

const SESSION = '/api/auth/session';
const ADA = { user: { id: 'ada', name: 'Ada' } };
const BEN = { user: { id: 'ben', name: 'Ben' } };
/** Tabs that notice each other quickly, and a person who is asked for often. */
const config = {
  session: { confirmAfterMs: 40, activeMs: 300 },
  tabs: { heartbeatMs: 100, takeoverMs: 500 },
};
const calm = { ...config, session: { confirmAfterMs: 40 } };

const HOOKS = [
  'useStability',
  'useApi',
  'useActivity',
  'useSession',
  'useVersion',
  'useConnection',
  'useAutoSave',
  'useFormAutoSave',
  'useResilientSSE',
  'RequireSession',
];

/** How often each client was disposed of, the oldest first. @param {Page} page @returns {Promise<number[]>} */
const disposals = (page) =>
  run(page, () => (window.clients ?? []).map((/** @type {any} */ { disposals }) => disposals));

/** What is held of locks and waited for, and what of timers, channels and listeners is not over. @param {Page} page */
const held = (page) =>
  run(page, async () => {
    const { held, pending } = await navigator.locks.query();
    return { ...window.alive(), locks: held.length + pending.length };
  });

/** The same, once it changes no more: React puts timers away when it has time. @param {Page} page @param {(page: Page) => Promise<object>} [of] */
async function settled(page, of = held) {
  let before = '';
  let since = Date.now();
  await until(async () => {
    const now = JSON.stringify(await of(page));
    if (now !== before) [before, since] = [now, Date.now()];
    return Date.now() - since > 500;
  });
  return JSON.parse(before);
}

/** What React says of errors that the app catches, and nothing else. @param {import('../harness/page.mjs').WatchedPage} page @param {RegExp} what */
async function forgive(page, what) {
  await pass(200);
  for (const { text } of page.problems.splice(0))
    if (!text.startsWith('The above error occurred')) assert.match(text, what);
}

test('a config makes one client, which all below it share', async (t) => {
  const { page, server, show } = await openReact(t, {
    app: 'provider',
    props: { config: calm },
    says: ADA,
  });
  await shows(page, 'authenticated Ada');
  await shows(page, 'authenticated Ada', 'again');
  assert.equal(await text(page, 'same'), 'true');
  await show({ other: 1 });
  assert.deepEqual(await disposals(page), [0]);
  assert.equal(server.requestsTo(SESSION).length, 1);
  assert.equal(server.requestsTo(/\.wasm$/).length, 1);
});

for (const react of GENERATIONS) {
  const it = `React ${react}`;

  test(`${it}: of a render that is thrown away nothing is left, and nothing was asked`, async (t) => {
    const counts = [];
    for (const without of [true, false]) {
      const { page, server, show } = await openReact(t, {
        react,
        app: 'provider',
        component: 'NeverMounted',
        props: { config: { ...config, baseUrl: 'https://elsewhere.invalid/' }, without },
        beforeLoad: withCounts,
      });
      await shows(page, 'waiting 0');
      for (let turn = 1; turn <= 3; turn++) {
        await show({ turn });
        await shows(page, `waiting ${turn}`);
      }
      counts.push(await settled(page));
      const asked = server.requests.map(({ path }) => path).filter((path) => !/\.js$|^\/page/.test(path));
      assert.deepEqual(asked, []);
      assert.deepEqual(await run(page, () => ({ ...localStorage, ...sessionStorage })), {});
      // And it is not the one that streams find which name none.
      server.feed('/api/events');
      await run(page, () => void new window.evenkeel.ResilientEventSource('/api/events'));
      await server.waitFor('/api/events');
    }
    assert.deepEqual(counts[1], counts[0]);
  });

  test(`${it}: StrictMode mounts twice, and there is one question, one lock, one of each timer`, async (t) => {
    const counts = [];
    for (const strict of [false, true]) {
      const { page, server } = await openReact(t, {
        react,
        strict,
        app: 'provider',
        props: { config: calm },
        says: ADA,
        beforeLoad: withCounts,
      });
      await shows(page, 'authenticated Ada');
      // A client looks once what earlier pages left, a while after it began.
      await until(() => run(page, () => window.brief() === 0));
      const { channels, locks, listeners, timers } = await settled(page);
      counts.push({ channels, locks, listeners, timers });
      assert.equal(server.requestsTo(SESSION).length, 1);
      assert.equal(server.requestsTo(/\.wasm$/).length, 1);
      assert.deepEqual(await disposals(page), [0]);
    }
    assert.deepEqual(counts[1], counts[0]);
    assert.ok(counts[0].locks > 0 && counts[0].channels > 0, 'there is something to count');
  });

  test(`${it}: after unmounting the client is disposed of once, and the page is as before`, async (t) => {
    const { page, server, show, unmount } = await openReact(t, {
      react,
      strict: react === 19,
      app: 'provider',
      props: { shown: false, config },
      says: ADA,
      beforeLoad: withCounts,
    });
    await shows(page, 'gone');
    const before = await settled(page);
    await show({ shown: true });
    await shows(page, 'authenticated Ada');
    await until(() => server.requestsTo(SESSION).length >= 2);
    await show({ shown: false });
    await until(async () => `${await disposals(page)}` === '1');
    assert.deepEqual(await settled(page), before);
    const asked = server.requestsTo(SESSION).length;
    await pass(700);
    assert.equal(server.requestsTo(SESSION).length, asked, 'nobody is asked for any more');
    await show({ shown: true });
    await shows(page, 'authenticated Ada');
    await unmount();
    await until(async () => `${await disposals(page)}` === '1,1');
    assert.equal((await settled(page)).locks, 0);
  });

  test(`${it}: a client of the app's own is never disposed of`, async (t) => {
    const { page, server, show, unmount } = await openReact(t, {
      react,
      strict: true,
      app: 'provider',
      props: (evenkeel) => ({ client: (window.own = evenkeel.createStability({ session: {} })) }),
      says: ADA,
    });
    await shows(page, 'authenticated Ada');
    assert.equal(await run(page, () => window.clients[0].client === window.own), true);
    await show({ shown: false });
    await pass(100);
    await show({ shown: true });
    await unmount();
    await pass(100);
    assert.deepEqual(await disposals(page), [0]);
    server.on('/api/x', { body: 'still there' });
    assert.equal((await run(page, () => window.own.api.get('/api/x'))).data, 'still there');
  });

  test(`${it}: a hook without a provider says that it needs one`, async (t) => {
    const { page, show } = await openReact(t, {
      react,
      app: 'provider',
      component: 'Bare',
      props: { hook: HOOKS[0] },
    });
    for (const hook of HOOKS) {
      await show({ hook });
      await until(async () =>
        `${await text(page, 'error')}`.startsWith(`Error: evenkeel: ${hook} needs a StabilityProvider`),
      );
    }
    await forgive(page, /StabilityProvider/);
  });
}

test('unmounted and mounted again in one task, it is another client, and the first is disposed of', async (t) => {
  const { page, show } = await openReact(t, {
    app: 'provider',
    props: { config: calm, name: 'one' },
    says: ADA,
  });
  await shows(page, 'authenticated Ada');
  await show({ name: 'two' });
  await until(async () => `${await disposals(page)}` === '1,0');
  await shows(page, 'authenticated Ada');
});

test('another client in its place is what everybody has from then on', async (t) => {
  const { page, server, show } = await openReact(t, {
    app: 'provider',
    props: (evenkeel) => ({ client: (window.own = evenkeel.createStability({ session: {} })) }),
    says: ADA,
  });
  await shows(page, 'authenticated Ada');
  server.session = BEN;
  await show((/** @type {any} */ evenkeel) => ({
    client: evenkeel.createStability({ name: 'other', session: {} }),
  }));
  for (const id of ['person', 'again']) await shows(page, 'authenticated Ben', id);
  assert.deepEqual(await disposals(page), [0, 0]);
});

test('hooks take the nearest provider', async (t) => {
  const { page } = await openReact(t, {
    app: 'provider',
    component: 'Nested',
    props: { outer: { name: 'outer', session: {} }, inner: { name: 'inner' } },
    says: ADA,
  });
  await shows(page, 'authenticated Ada');
  await shows(page, 'unknown', 'again');
});

test('a component that waits for something hides the app, and its client lives on', async (t) => {
  const { page, server, show } = await openReact(t, {
    strict: true,
    app: 'provider',
    component: 'Pausing',
    props: { config: calm },
    says: ADA,
  });
  await shows(page, 'authenticated Ada');
  await show({ waits: true });
  await shows(page, 'one moment', 'waiting');
  await pass(100);
  await show({ waits: false });
  await until(async () => (await page.locator('#waiting').count()) === 0);
  await shows(page, 'authenticated Ada');
  assert.deepEqual(await disposals(page), [0]);
  assert.equal(server.requestsTo(SESSION).length, 1);
});

test('unmounted before the module has come, nothing is begun when it does', async (t) => {
  let come = () => {};
  const { page, server, show } = await openReact(t, {
    strict: true,
    app: 'provider',
    props: { shown: false, config },
    says: ADA,
    beforeLoad: withCounts,
    ready: (server) => (come = hold(server, /\.wasm$/)),
  });
  await shows(page, 'gone');
  const before = await settled(page);
  await show({ shown: true });
  await server.waitFor(/\.wasm$/);
  await shows(page, 'loading');
  await show({ shown: false });
  await until(async () => `${await disposals(page)}` === '1');
  come();
  await pass(300);
  assert.deepEqual(await settled(page), before);
  assert.equal(server.requestsTo(SESSION).length, 0);
});

// ---------------------------------------------------------------- what is said

test('a later config changes nothing, which a development build says once', async (t) => {
  for (const production of [false, true]) {
    const { page, show } = await openReact(t, {
      production,
      strict: true,
      app: 'provider',
      component: 'InPlace',
      says: ADA,
    });
    await shows(page, 'authenticated Ada');
    await show({ callbacks: 2 });
    await show({ retries: 3 });
    await pass(50);
    assert.deepEqual(page.problems, [], 'an equal object, and other functions, are no other config');
    for (const retries of [4, 5, 6]) await show({ retries });
    await pass(100);
    const said = page.problems.splice(0).map(({ text }) => text);
    assert.equal(said.length, production ? 0 : 1, `${said}`);
    if (!production) assert.match(said[0], /evenkeel: .*config/);
    assert.deepEqual(await disposals(page), [0]);
  }
});

test('who gives both a client and a config, or neither, is told so', async (t) => {
  for (const props of [
    () => ({}),
    (/** @type {any} */ evenkeel) => ({ config: {}, client: evenkeel.createStability() }),
  ]) {
    const { page } = await openReact(t, { app: 'provider', component: 'Caught', props });
    assert.match(/** @type {string} */ (await text(page, 'error')), /evenkeel: .*client.*config/);
    await forgive(page, /StabilityProvider/);
  }
});

test('a config that is wrong throws from the render, and says what is wrong; a right one works then', async (t) => {
  const { page, show } = await openReact(t, {
    app: 'provider',
    component: 'Caught',
    props: { config: { api: { retries: -1 } }, turn: 1 },
    says: ADA,
  });
  assert.match(/** @type {string} */ (await text(page, 'error')), /evenkeel: .*retries.*-1/);
  await forgive(page, /retries/);
  await show({ config: calm, turn: 2 });
  await shows(page, 'authenticated Ada');
});

// ---------------------------------------------------------------- what came with React 19

test('an Activity that hides keeps the client, and what is unmounted while it is hidden is disposed of', async (t) => {
  const { page, server, show, unmount } = await openReact(t, {
    strict: true,
    app: 'provider',
    component: 'Hideable',
    props: { config: calm },
    says: ADA,
    beforeLoad: withCounts,
  });
  await shows(page, 'authenticated Ada');
  await show({ mode: 'hidden' });
  await pass(200);
  server.session = BEN;
  await run(page, () => window.clients[0].client.session.verify());
  await show({ mode: 'visible' });
  await shows(page, 'authenticated Ben');
  assert.deepEqual(await disposals(page), [0]);
  server.on('/api/x', { body: 'works' });
  assert.equal((await run(page, () => window.clients[0].client.api.get('/api/x'))).data, 'works');

  await show({ mode: 'hidden' });
  await unmount();
  await until(async () => `${await disposals(page)}` === '1');
  assert.equal((await settled(page)).locks, 0);
});

test("an Activity keeps an app's own client", async (t) => {
  const { page, show } = await openReact(t, {
    app: 'provider',
    component: 'Hideable',
    props: (evenkeel) => ({ client: evenkeel.createStability({ session: {} }) }),
    says: ADA,
  });
  await shows(page, 'authenticated Ada');
  await show({ mode: 'hidden' });
  await pass(100);
  await show({ mode: 'visible' });
  await shows(page, 'authenticated Ada');
  assert.deepEqual(await disposals(page), [0]);
});

test('an Activity that begins hidden asks nothing until it is shown', async (t) => {
  const { page, server, show } = await openReact(t, {
    app: 'provider',
    component: 'Hideable',
    props: { config, mode: 'hidden' },
    says: ADA,
    beforeLoad: withCounts,
  });
  await pass(500);
  assert.equal(server.requestsTo(SESSION).length + server.requestsTo(/\.wasm$/).length, 0);
  assert.deepEqual(await disposals(page), []);
  await show({ mode: 'visible' });
  await shows(page, 'authenticated Ada');
  assert.deepEqual(await disposals(page), [0]);
});

test('an Activity that is never shown leaves nothing', async (t) => {
  const { page, server, show, unmount } = await openReact(t, {
    app: 'provider',
    component: 'Hideable',
    props: { config, shown: false, mode: 'hidden' },
    says: ADA,
    beforeLoad: withCounts,
  });
  await settled(page);
  await show({ shown: true });
  await pass(300);
  await unmount();
  const { locks, channels, timers } = await settled(page);
  assert.deepEqual([locks, channels, timers], [0, 0, 0]);
  assert.equal(server.requestsTo(SESSION).length + server.requestsTo(/\.wasm$/).length, 0);
});

test('once it is mounted, a stream that names no client is of the one of the provider', async (t) => {
  const { page, server } = await openReact(t, {
    strict: true,
    app: 'provider',
    props: { config: { ...calm, baseUrl: '/below/' } },
    says: ADA,
    ready: (server) => server.feed('/below/events'),
  });
  await shows(page, 'authenticated Ada');
  await run(page, () => void new window.evenkeel.ResilientEventSource('events'));
  await server.waitFor('/below/events');
});
