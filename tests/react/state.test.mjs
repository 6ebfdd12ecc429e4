import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { GENERATIONS, hold, openReact, pass, shows, text, WITHOUT_WASM } from './pages.mjs';

/** @typedef {import('playwright-core').Page} Page */

const ADA = { user: { id: 'ada', name: 'Ada' }, expiresInMs: 3_600_000 };
const BEN = { user: { id: 'ben', name: 'Ben' }, expiresInMs: 3_600_000 };
const tabs = { heartbeatMs: 100, takeoverMs: 500 };
const config = { session: { confirmAfterMs: 40 }, version: { current: 'v1', onMismatch: 'ignore' }, tabs };
/** A client of the app's own, which the page has as `window.own`. */
const withOwn = (/** @type {any} */ evenkeel) => ({
  client: (window.own = evenkeel.createStability({
    session: { confirmAfterMs: 40 },
    version: {
      current: 'v1',
      onMismatch: 'prompt',
      reload: () => (window.reloads = (window.reloads ?? 0) + 1),
    },
    tabs: { heartbeatMs: 100, takeoverMs: 500 },
    api: { retries: 0 },
  })),
});

/** How often each component was rendered. @param {Page} page @returns {Promise<Record<string, number>>} */
const renders = (page) => run(page, () => ({ ...window.renders }));

/** Who was rendered meanwhile, and how often. @param {Page} page @param {() => Promise<unknown>} act */
async function renderedBy(page, act) {
  const before = await renders(page);
  await act();
  await quiet(page);
  const after = await renders(page);
  const more = Object.keys(after).map((name) => [name, after[name] - (before[name] ?? 0)]);
  return Object.fromEntries(more.filter(([, times]) => times));
}

/** Nothing is rendered any more. @param {Page} page */
async function quiet(page) {
  for (let before = ''; ; ) {
    const now = JSON.stringify(await renders(page));
    if (now === before) return;
    before = now;
    await pass(150);
  }
}

for (const react of GENERATIONS) {
  const it = `React ${react}`;

  test(`${it}: a component is rendered again for what it reads, and for nothing else`, async (t) => {
    const { page, server } = await openReact(t, { react, app: 'state', props: withOwn, says: ADA });
    await shows(page, 'authenticated', 'status');
    await shows(page, 'running', 'anyRuntime');
    await quiet(page);
    const names = async (/** @type {() => Promise<unknown>} */ act) =>
      Object.keys(await renderedBy(page, act)).sort();

    // More time for the same person.
    const before = await text(page, 'expires');
    assert.deepEqual(
      await names(async () => {
        await pass(5);
        await run(page, () => window.own.session.verify());
      }),
      ['anyExpires', 'expires', 'spread'],
    );
    assert.notEqual(await text(page, 'expires'), before);

    // The same person by another name.
    server.session = { ...ADA, user: { ...ADA.user, name: 'Ada L.' } };
    assert.deepEqual(await names(() => run(page, () => window.own.session.verify())), [
      'anyExpires',
      'expires',
      'spread',
      'user',
    ]);
    assert.equal(await text(page, 'user'), 'Ada L.');

    // A call.
    server.on('/api/x', { delayMs: 100, body: 'x' });
    assert.deepEqual(await renderedBy(page, () => run(page, () => window.own.api.get('/api/x'))), {
      pending: 2,
      anyPending: 2,
    });

    // Another version.
    server.version = 'v2';
    assert.deepEqual(await names(() => run(page, () => window.own.version.check())), [
      'anyLatest',
      'anyVersion',
      'latest',
      'versionStatus',
    ]);
    assert.equal(await text(page, 'latest'), 'v2');

    // The network.
    const goOffline = async () => {
      await page.context().setOffline(true);
      await shows(page, 'offline', 'anyConnection');
    };
    assert.deepEqual(await names(goOffline), ['anyConnection', 'connection']);
    await page.context().setOffline(false);
    await shows(page, 'online', 'anyConnection');
    await quiet(page);

    // The end.
    server.session = null;
    const ended = await names(() => run(page, () => window.own.session.verify()));
    for (const name of ['status', 'user', 'spread', 'anyStatus']) assert.ok(ended.includes(name), name);
    for (const name of ['connection', 'api', 'nothing', 'unread', 'latest', 'pending'])
      assert.ok(!ended.includes(name), name);
    const { api, nothing, unread } = await renders(page);
    assert.deepEqual({ api, nothing, unread }, { api: 1, nothing: 1, unread: 1 });
  });

  test(`${it}: what is read first in a handler is right at once, and counts from then on`, async (t) => {
    for (const hook of /** @type {const} */ (['session', 'stability'])) {
      const { page, server } = await openReact(t, {
        react,
        app: 'state',
        component: 'ReadsLater',
        props: withOwn,
        says: ADA,
      });
      await run(page, () => window.own.session.verify());
      await quiet(page);
      const read = () =>
        run(
          page,
          (hook) => {
            const { session, stability } = window.later;
            return (hook === 'session' ? session : stability.session).status;
          },
          hook,
        );
      const before = (await renders(page)).later;
      assert.equal(await read(), 'authenticated', hook);
      server.session = null;
      await run(page, () => window.own.session.verify());
      await until(async () => (await renders(page)).later > before);
      assert.equal(await read(), 'signedOut', hook);
    }
  });

  test(`${it}: what only an effect reads renders the component, and the effect runs again`, async (t) => {
    for (const reads of ['session', 'stability']) {
      const { page, server } = await openReact(t, {
        react,
        app: 'state',
        component: 'ReadsLater',
        props: withOwn,
        says: ADA,
      });
      await run(page, (reads) => window.show({ reads }), reads);
      await until(() => run(page, () => window.inEffect === 'authenticated'));
      server.session = null;
      await run(page, () => window.own.session.verify());
      await until(() => run(page, () => window.inEffect === 'signedOut'));
    }
  });

  test(`${it}: what changes in the middle of a transition is torn by no commit`, async (t) => {
    const { page, server } = await openReact(t, {
      react,
      production: true,
      app: 'state',
      component: 'Transitions',
      props: withOwn,
    });
    server.on('/api/x', 'hang');
    await run(page, () => window.own.ready);
    let calls = 0;
    for (const hook of ['useActivity', 'useStability']) {
      calls += 4;
      await run(
        page,
        async (hook) => {
          window.transitionTo(hook);
          for (let i = 0; i < 4; i++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            window.own.api.get('/api/x', { dedupe: false });
          }
        },
        hook,
      );
      const last = `${hook}: ${calls}`;
      await until(() => run(page, (last) => document.querySelector('.slow')?.textContent === last, last));
      // Rows that are there would begin the transition of the next ones anew.
      await run(page, () => window.transitionTo(null));
      await until(async () => (await page.locator('.slow').count()) === 0);
    }
    for (const shown of await run(page, () => window.commits))
      assert.ok(shown.length <= 1, `in one commit rows show ${shown}`);
  });

  test(`${it}: who is unmounted listens to nothing`, async (t) => {
    const { page, server, show } = await openReact(t, {
      react,
      strict: true,
      app: 'state',
      // A client whose stores count who listens.
      props: (evenkeel) => {
        const own = evenkeel.createStability({ session: { confirmAfterMs: 40 } });
        window.listeners = 0;
        window.most = 0;
        const counted = (/** @type {any} */ store) => ({
          ...store,
          subscribe(/** @type {() => void} */ listener) {
            const end = store.subscribe(listener);
            window.most = Math.max(window.most, ++window.listeners);
            return () => {
              window.listeners--;
              end();
            };
          },
        });
        const { api, session, version, connection, runtime } = own;
        const stores = { session, version, connection, runtime };
        const client = { ...own, api: { ...api, activity: counted(api.activity) } };
        for (const [name, store] of Object.entries(stores)) client[name] = counted(store);
        window.own = own;
        return { client };
      },
      says: ADA,
    });
    await shows(page, 'authenticated', 'status');
    const most = await run(page, () => window.most);
    assert.ok(most >= 15, `${most} listened`);
    await show({ shown: false });
    await until(() => run(page, () => window.listeners === 0));
    server.session = BEN;
    assert.deepEqual(await renderedBy(page, () => run(page, () => window.own.session.verify())), {});
    await show({ shown: true });
    await shows(page, 'Ben', 'user');
  });
}

test('with session and version off, both say so, and no request is made', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'state',
    component: 'All',
    props: { config: {} },
  });
  await shows(page, 'running 0 unknown  current  online', 'whole');
  assert.equal(server.requestsTo('/api/*').length, 0);
  assert.equal(
    await text(page, 'names'),
    'api,applyUpdate,client,connection,pending,runtime,session,signOut,version',
  );
});

test('useStability says all of it, and its functions are always the same', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'state',
    component: 'All',
    props: withOwn,
    says: ADA,
    ready: (server) => server.on(/\.wasm$/, { pass: true, delayMs: 300 }),
  });
  await shows(page, 'running 0 authenticated Ada current  online', 'whole');
  server.on('/api/x', { body: 'x' });
  const answer = hold(server, '/api/x');
  const call = run(page, () => window.stability.api.get('/api/x'));
  await shows(page, 'running 1 authenticated Ada current  online', 'whole');
  answer();
  await call;
  await shows(page, 'running 0 authenticated Ada current  online', 'whole');
  server.version = 'v2';
  await run(page, () => window.stability.client.version.check());
  await shows(page, 'running 0 authenticated Ada updateAvailable v2 online', 'whole');
  await run(page, () => window.stability.applyUpdate());
  await until(() => run(page, () => window.reloads === 1));
  assert.match(await run(page, () => window.wholes[0]), /^starting 0 loading {2}current/);
  assert.equal(await run(page, () => window.functions.size), 4);
});

test('a sign-out that the server refuses rejects, and one that it accepts is shown', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'state',
    component: 'All',
    props: { config: { session: { confirmAfterMs: 40 }, tabs } },
    says: ADA,
  });
  await shows(page, /authenticated Ada/, 'whole');
  const refusal = server.on('/api/auth/csrf', { body: { csrfToken: 'another' } });
  const signOut = () =>
    run(page, () =>
      window.stability.signOut().then(
        () => 'done',
        (/** @type {any} */ error) => error.kind,
      ),
    );
  assert.equal(await signOut(), 'forbidden');
  assert.match(`${await text(page, 'whole')}`, /authenticated Ada/);
  refusal.off();
  assert.equal(await signOut(), 'done');
  await shows(page, /signedOut {2}current/, 'whole');
});

test('with WebAssembly blocked, no render throws, the runtime says so, and calls and session work', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'state',
    component: 'All',
    props: { config: { ...config, startTimeoutMs: 200 } },
    says: ADA,
    headers: WITHOUT_WASM,
  });
  await shows(page, 'failed 0 authenticated Ada current  online', 'whole');
  server.on('/api/x', { body: { works: true } });
  assert.deepEqual((await run(page, () => window.stability.api.get('/api/x'))).data, { works: true });
});
