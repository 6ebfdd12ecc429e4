import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { hide, launchBrowser, run, show, until } from '../harness/browser.mjs';
import { People } from '../server/fault-server.mjs';
import { GENERATIONS, hold, openReact, pass, WITHOUT_WASM } from './pages.mjs';

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 */

const SESSION = '/api/auth/session';
const ADA = { user: { id: 'ada', name: 'Ada' } };
const BEN = { user: { id: 'ben', name: 'Ben' } };
/** Doubts that are settled quickly, and tabs that notice each other. */
const config = { session: { confirmAfterMs: 40 }, tabs: { heartbeatMs: 100, takeoverMs: 500 } };

const keeping = await launchBrowser({ after }, { bfcache: true });

/** What can be seen of the protected part, in one look. @param {Page} page */
const seen = (page) =>
  run(page, () => {
    const visible = (/** @type {string} */ id) =>
      Boolean(document.getElementById(id)?.getClientRects().length) && id;
    return ['letter', 'fallback', 'signedOut', 'dialog'].map(visible).filter(Boolean).join(' and ');
  });

/** @param {Page} page @param {string} what */
const sees = (page, what) => until(async () => (await seen(page)) === what);

/** @param {Page} page */
const status = (page) => page.locator('#person').textContent();

/** What was typed into the letter. @param {Page} page */
const typed = (page) => page.locator('#text').inputValue();

/** How often a letter was begun. @param {Page} page @returns {Promise<number>} */
const begun = (page) => run(page, () => window.mounts ?? 0);

/** @param {import('node:test').TestContext} t @param {Partial<import('./pages.mjs').How>} [how] */
const open = (t, how) =>
  openReact(t, {
    app: 'person',
    props: (evenkeel) => ({
      client: (window.own = evenkeel.createStability({
        session: { confirmAfterMs: 40 },
        tabs: { heartbeatMs: 100, takeoverMs: 500 },
      })),
    }),
    ...how,
  });

/** @param {Page} page */
const verify = (page) => run(page, () => window.own.session.verify());

for (const react of GENERATIONS) {
  const it = `React ${react}`;

  test(`${it}: the fallback is shown until the server has answered, then the children`, async (t) => {
    let answer = () => {};
    const { page, server } = await open(t, {
      react,
      strict: true,
      props: { config },
      says: ADA,
      ready: (server) => (answer = hold(server, SESSION)),
    });
    await server.waitFor(SESSION);
    assert.equal(await seen(page), 'fallback');
    answer();
    await sees(page, 'letter');
    assert.match(`${await page.locator('#letter').textContent()}`, /Letter of Ada/);
  });

  test(`${it}: while the session cannot be verified, what was typed stays`, async (t) => {
    const { page, server } = await open(t, { react, says: ADA });
    await sees(page, 'letter');
    await page.fill('#text', 'Dear Sir');
    for (const fault of ['broken', 'html', 'offline']) {
      if (fault === 'offline') await page.context().setOffline(true);
      else server.session = fault;
      await verify(page);
      assert.equal(await status(page), 'unknown Ada', fault);
      assert.equal(await seen(page), 'letter');
      assert.equal(await typed(page), 'Dear Sir');
      server.session = ADA;
      await page.context().setOffline(false);
      await until(() => run(page, () => window.own.connection.getSnapshot().status !== 'offline'));
      await verify(page);
      assert.equal(await status(page), 'authenticated Ada');
    }
    assert.equal(await typed(page), 'Dear Sir');
    assert.equal(await begun(page), 1);
  });

  test(`${it}: a page that is gone back to shows nothing until the session was verified, and then what was typed`, async (t) => {
    let answer = () => {};
    const { page, server } = await comeBack(t, (server) => (answer = hold(server, SESSION)), { react });
    await server.waitFor(SESSION);
    assert.deepEqual(await looks(page), ['fallback']);
    answer();
    await sees(page, 'letter');
    assert.deepEqual(await looks(page), ['fallback', 'Letter of Ada']);
    assert.equal(await typed(page), 'Dear Sir');
    assert.equal(await begun(page), 1);
    assert.equal(server.requestsTo(SESSION).length, 1);
  });

  test(`${it}: a page that is gone back to after a sign-out never shows what was protected`, async (t) => {
    const { page } = await comeBack(t, (_, context) => context.clearCookies(), { react });
    await sees(page, 'signedOut');
    assert.deepEqual(await looks(page), ['fallback', 'signedOut']);
    assert.equal(await page.locator('#letter').count(), 0);
  });

  test(`${it}: a page that is gone back to by another person shows theirs, and never the first one's`, async (t) => {
    const { page } = await comeBack(t, (server, context) => signIn(context, server.origin, 'ben'), { react });
    await sees(page, 'letter');
    assert.deepEqual(await looks(page), ['fallback', 'Letter of Ben']);
    assert.equal(await typed(page), '');
  });
}

test('who is signed out sees what is for them', async (t) => {
  const { page } = await open(t, { says: null });
  await sees(page, 'signedOut');
  assert.equal(await begun(page), 0);
});

test('a session that was never verified, and cannot be, shows the fallback', async (t) => {
  const { page, server } = await open(t, { says: 'broken' });
  await until(async () => (await status(page)) === 'unknown');
  assert.equal(await seen(page), 'fallback');
  assert.equal(await begun(page), 0);
  server.session = ADA;
  await verify(page);
  await sees(page, 'letter');
});

test('when the session ends, the children are gone, and another sign-in begins anew', async (t) => {
  const { page, server } = await open(t, { says: ADA });
  await sees(page, 'letter');
  await page.fill('#text', 'Dear Sir');
  server.session = null;
  await verify(page);
  await sees(page, 'signedOut');
  assert.equal(await page.locator('#letter').count(), 0);
  server.session = ADA;
  await verify(page);
  await sees(page, 'letter');
  assert.equal(await typed(page), '');
});

test('another person gets children of their own', async (t) => {
  const { page, server } = await open(t, { says: ADA });
  await sees(page, 'letter');
  await page.fill('#text', 'Dear Sir');
  server.session = BEN;
  await verify(page);
  await until(async () => /Letter of Ben/.test(`${await page.locator('#letter').textContent()}`));
  assert.equal(await typed(page), '');
  assert.equal(await begun(page), 2);
});

test('the same person by another name keeps theirs', async (t) => {
  const { page, server } = await open(t, { says: ADA });
  await sees(page, 'letter');
  await page.fill('#text', 'Dear Sir');
  server.session = { user: { id: 'ada', name: 'Ada L.' } };
  await verify(page);
  await until(async () => (await status(page)) === 'authenticated Ada L.');
  assert.equal(await typed(page), 'Dear Sir');
  assert.equal(await begun(page), 1);
});

test('without fallback and signedOut there is nothing to see', async (t) => {
  let answer = () => {};
  const { page, server } = await open(t, {
    component: 'Plain',
    says: null,
    ready: (server) => (answer = hold(server, SESSION)),
  });
  await until(async () => (await page.locator('#root').textContent()) === 'loading');
  answer();
  await until(async () => (await page.locator('#root').textContent()) === 'signedOut');
  server.session = ADA;
  await verify(page);
  await sees(page, 'letter');
});

test('a session that names nobody is one too', async (t) => {
  const { page, server } = await open(t, {
    props: (evenkeel) => ({
      client: (window.own = evenkeel.createStability({
        session: { parse: ({ lasts }) => (lasts ? { user: null, expires: Date.now() + lasts } : null) },
      })),
    }),
    says: { lasts: 3_600_000 },
  });
  await sees(page, 'letter');
  await page.fill('#text', 'Dear Sir');
  server.session = 'broken';
  await verify(page);
  assert.equal(await status(page), 'unknown');
  assert.equal(await typed(page), 'Dear Sir');
});

test('with the session off it stays with the fallback', async (t) => {
  const { page, server } = await openReact(t, { app: 'person', props: { config: {} } });
  await sees(page, 'fallback');
  await pass(200);
  assert.deepEqual([await seen(page), await status(page)], ['fallback', 'unknown']);
  assert.equal(server.requestsTo(SESSION).length, 0);
});

// ---------------------------------------------------------------- back and forward

test('a page that is gone back to stays hidden while nobody can say who is signed in', async (t) => {
  /** @type {any} */
  let fault;
  const { page, server } = await comeBack(t, (server) => (fault = server.on(SESSION, 503)));
  await until(async () => (await status(page)) === 'unknown Ada');
  await pass(200);
  assert.deepEqual(await looks(page), ['fallback']);
  fault.off();
  await sees(page, 'letter');
  assert.deepEqual(await looks(page), ['fallback', 'Letter of Ada']);
  assert.equal(await typed(page), 'Dear Sir');
  assert.ok(server.requestsTo(SESSION).length >= 2);
});

test('without WebAssembly, too, a page that is gone back to is shown once the server can be asked', async (t) => {
  /** @type {any} */
  let fault;
  const { page } = await comeBack(t, (server) => (fault = server.on(SESSION, 503)), {
    headers: WITHOUT_WASM,
  });
  await until(async () => (await status(page)) === 'unknown Ada');
  assert.deepEqual(await looks(page), ['fallback']);
  fault.off();
  await hide(page);
  await show(page);
  await sees(page, 'letter');
  assert.equal(await typed(page), 'Dear Sir');
});

test('what an Activity hid when the page was left is not shown before the session was verified', async (t) => {
  let answer = () => {};
  const { page, server, show } = await comeBack(t, (server) => (answer = hold(server, SESSION)), {
    component: 'Hideable',
    leave: ({ show }) => show({ mode: 'hidden' }),
  });
  await server.waitFor(SESSION);
  await show({ mode: 'visible' });
  await sees(page, 'fallback');
  assert.deepEqual((await looks(page)).filter(Boolean), ['fallback']);
  answer();
  await sees(page, 'letter');
  assert.equal(await typed(page), 'Dear Sir');
});

test('a dialog that is elsewhere on the page is hidden with the app, and shown with it', async (t) => {
  let answer = () => {};
  const { page, server } = await comeBack(t, (server) => (answer = hold(server, SESSION)), {
    component: 'WithDialog',
  });
  await server.waitFor(SESSION);
  assert.deepEqual(await looks(page), ['fallback']);
  answer();
  await sees(page, 'letter and dialog');
  assert.equal(await run(page, () => document.getElementById('dialog').style.display), 'flex');
});

test('where nobody has to be signed in, a page that is gone back to is as it was', async (t) => {
  const { page, server } = await comeBack(t, (server) => server.on(SESSION, { pass: true, delayMs: 500 }), {
    component: 'WithDialog',
    props: { requires: false, config: { session: {} } },
  });
  await server.waitFor(SESSION);
  assert.deepEqual(await looks(page), ['Letter of and dialog']);
});

test('unmounted while it is hidden, or given another client, it complains of nothing', async (t) => {
  const { page, server, unmount, show } = await comeBack(t, (server) => server.on(SESSION, 'hang'));
  await server.waitFor(SESSION);
  await show((/** @type {any} */ evenkeel) => ({
    client: evenkeel.createStability({ name: 'other', session: {} }),
  }));
  await pass(200);
  await unmount();
  await pass(200);
  assert.deepEqual(page.problems, []);
});

test('twice back and forward is as once', async (t) => {
  const { page, server } = await comeBack(t, () => {});
  await sees(page, 'letter');
  await page.goto(`${server.origin}/elsewhere`);
  server.on(SESSION, { pass: true, delayMs: 300 });
  await page.goBack({ waitUntil: 'commit' });
  await until(() => run(page, () => window.returns === 2).catch(() => false));
  await sees(page, 'letter');
  assert.deepEqual(await looks(page), ['fallback', 'Letter of Ada']);
  assert.equal(await typed(page), 'Dear Sir');
});

/**
 * Ada types, goes elsewhere, and comes back by the browser's button, to a page that was kept.
 * @param {import('node:test').TestContext} t
 * @param {(server: FaultServer, context: import('playwright-core').BrowserContext) => unknown} meanwhile
 * @param {Partial<import('./pages.mjs').How> & { leave?: (opened: Awaited<ReturnType<typeof open>>) => unknown }} [how] `leave`: before they go
 */
async function comeBack(t, meanwhile, { leave, ...how } = {}) {
  let origin = '';
  const opened = await open(t, {
    ...how,
    from: keeping,
    ready(server) {
      origin = server.origin;
      server.people = new People({ ada: ADA, ben: BEN });
      server.page('/elsewhere', '<!doctype html><link rel="icon" href="data:,"><p>elsewhere');
    },
    async beforeLoad(page) {
      await page.addInitScript(noteLooks);
      await signIn(page.context(), origin, 'ada');
    },
  });
  const { page, server, context, url } = opened;
  await page.locator('#letter').waitFor();
  await page.fill('#text', 'Dear Sir');
  await leave?.(opened);
  await page.goto(`${server.origin}/elsewhere`);
  await meanwhile(server, context);
  server.clear();
  await page.goBack({ waitUntil: 'commit' });
  await until(() => page.url() === url && run(page, () => window.looks.length > 0).catch(() => false));
  return opened;
}

/** Signs in as a page of its own does. @param {import('playwright-core').BrowserContext} context @param {string} origin @param {string} name */
async function signIn(context, origin, name) {
  await context.request.post(`${origin}/api/auth/callback/credentials`, { form: { name } });
}

/** What could be seen since the page was gone back to, one after another. @param {Page} page @returns {Promise<string[]>} */
const looks = (page) => run(page, () => window.looks);

/* Runs in the page. */
function noteLooks() {
  /** @type {string[]} */
  window.looks = [];
  const look = () => {
    const visible = ['letter', 'fallback', 'signedOut', 'dialog']
      .map((id) => document.getElementById(id))
      .filter((element) => element?.getClientRects().length)
      .map((element) => (element?.id === 'letter' ? element.textContent?.trim() : element?.id));
    const now = visible.join(' and ');
    if (window.looks.at(-1) !== now) window.looks.push(now);
  };
  // Before the library hears of it: what is there is what the browser shows first.
  addEventListener(
    'pageshow',
    ({ persisted }) => {
      if (!persisted) return;
      window.returns = (window.returns ?? 0) + 1;
      window.looks = [];
      look();
      new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
    },
    true,
  );
}
