import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startFaultServer } from '../server/fault-server.mjs';
import {
  booted,
  closeTab,
  compose,
  crash,
  createProfile,
  freeze,
  hide,
  launchBrowser,
  openPage,
  run,
  show,
  until,
} from './browser.mjs';

const browser = await launchBrowser({ after });

/** @param {import('node:test').TestContext} t */
async function serve(t) {
  const server = await startFaultServer();
  t.after(() => server.close());
  return server;
}

test('a page has the package and an instance, and gives results as plain data', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server, config: { api: { retries: 0 } } });
  server.on('/api/x', [{ body: { a: [1, 2] } }, { status: 503, body: { code: 'down' } }]);
  const [good, bad] = [await call(page), await call(page)];
  assert.deepEqual([good.ok, good.data, good.error], [true, { a: [1, 2] }, null]);
  assert.equal(good.headers['x-app-version'], 'v1');
  const { name, kind, status, attempts, url, body } = bad.error;
  assert.deepEqual(
    [name, kind, status, attempts, body],
    ['StabilityError', 'unavailable', 503, 1, { code: 'down' }],
  );
  assert.match(url, /\/api\/x$/);
  assert.deepEqual(page.problems, []);
  await until(() => page.messages.length > 0);
  assert.equal(page.messages.length, 1, 'Chromium names the failed request');

  await page.reload();
  await booted(page);
  assert.equal(await run(page, () => typeof window.app), 'object');
});

/** @param {import('playwright-core').Page} page */
const call = (page) => run(page, (url) => window.app.api.get(url), '/api/x');

test('what goes wrong in a page is told', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server });
  assert.equal(await run(page, () => window.app), undefined);
  await run(page, () => {
    console.warn('a warning');
    console.log('no problem');
    setTimeout(() => {
      throw new Error('uncaught');
    });
    Promise.reject(new Error('unhandled'));
  });
  await until(() => page.problems.length === 3);
  assert.deepEqual(page.problems.map(({ type }) => type).sort(), ['uncaught', 'uncaught', 'warning']);
  assert.match(page.problems.map(({ text }) => text).join(), /unhandled/);
});

test('what is no plain data comes back as such', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server });
  const values = await run(page, () => {
    /** @type {any} */
    const circle = { n: 1 };
    circle.self = circle;
    return {
      circle,
      map: new Map([['a', 1]]),
      headers: new Headers({ A: 'b' }),
      bytes: Uint8Array.of(1, 2),
      date: new Date(0),
      url: new URL('http://a/'),
      none: undefined,
      big: 5n,
      skipped() {},
      error: new TypeError('bad', { cause: new DOMException('why', 'AbortError') }),
    };
  });
  assert.deepEqual(values, {
    circle: { n: 1, self: '[circular or too deep]' },
    map: { a: 1 },
    headers: { a: 'b' },
    bytes: [1, 2],
    date: '1970-01-01T00:00:00.000Z',
    url: 'http://a/',
    none: undefined,
    big: '5',
    error: { name: 'TypeError', message: 'bad', cause: { name: 'AbortError', message: 'why', code: 20 } },
  });
  assert.equal(await run(page, async (n) => n + 1, 1), 2);
  await assert.rejects(
    run(page, () => {
      throw new Error('in the page');
    }),
    /in the page/,
  );
});

test('a page under a strict policy can still be asked', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, {
    browser,
    server,
    config: () => ({ api: {} }),
    headers: { 'Content-Security-Policy': "default-src 'self'; img-src data:" },
  });
  assert.equal(await run(page, () => 1 + 1), 2);
});

test('two tabs of one person share storage and channels; two people do not', async (t) => {
  const server = await serve(t);
  const first = await openPage(t, { browser, server });
  const second = await openPage(t, { browser, server, context: first.context() });
  const other = await openPage(t, { browser, server });
  await run(first, () => localStorage.setItem('who', 'Ada'));
  await until(async () => (await run(second, () => localStorage.getItem('who'))) === 'Ada');
  assert.equal(await run(other, () => localStorage.getItem('who')), null);
});

test('a page that was left is kept and restored', async (t) => {
  const keeping = await launchBrowser(t, { bfcache: true });
  const server = await serve(t);
  server.page('/elsewhere', '<!doctype html><title>elsewhere</title>');
  const page = await openPage(t, {
    browser: keeping,
    server,
    beforeLoad: (page) =>
      page.addInitScript(() => {
        addEventListener('pageshow', (event) => {
          if (event.persisted) document.title = 'restored';
        });
      }),
  });
  await page.goto(`${server.origin}/elsewhere`);
  await page.goBack({ waitUntil: 'commit' }); // a restored page fires no load event
  await until(async () => (await page.title()) === 'restored');
});

test('a frozen page stands still until it is thawed', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server });
  server.on('/api/tick', 204);
  await run(page, () => void setInterval(() => fetch('/api/tick'), 10));
  await server.waitFor('/api/tick', { count: 3 });
  const thaw = await freeze(page);
  // What had been sent by then may still arrive.
  await until(async () => {
    const before = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return server.requests.length === before;
  });
  server.clear();
  await thaw();
  await server.waitFor('/api/tick', { count: 3 });
});

test('a page can be hidden and shown', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server });
  await run(page, () => {
    /** @type {unknown[]} */
    const seen = [];
    Object.assign(window, { seen });
    addEventListener('visibilitychange', () => seen.push(document.visibilityState, document.hidden));
  });
  await hide(page);
  await show(page);
  assert.deepEqual(await run(page, () => /** @type {any} */ (window).seen), [
    'hidden',
    true,
    'visible',
    false,
  ]);
});

test('a tab that is closed hears it once, and its last words arrive', async (t) => {
  const server = await serve(t);
  server.on('/api/last', 204);
  const keeper = await openPage(t, { browser, server });
  const page = await openPage(t, { browser, server, context: keeper.context() });
  await run(page, () => {
    for (const type of ['beforeunload', 'pagehide', 'visibilitychange', 'unload'])
      addEventListener(type, () => {
        localStorage.setItem('heard', `${localStorage.getItem('heard') ?? ''}${type} `);
        fetch('/api/last', { method: 'POST', keepalive: true });
      });
  });
  await closeTab(page);
  await server.waitFor('/api/last', { count: 3 });
  const heard = () => run(keeper, () => localStorage.getItem('heard'));
  await until(async () => `${await heard()}`.endsWith('unload '));
  assert.equal(await heard(), 'pagehide visibilitychange unload ');
});

test('a page that crashes says nothing, and the tabs beside it stay', async (t) => {
  const server = await serve(t);
  const keeper = await openPage(t, { browser, server });
  const page = await openPage(t, { browser, server, context: keeper.context() });
  const store = () => {
    localStorage.setItem('before', '1');
    addEventListener('pagehide', () => localStorage.setItem('after', '1'));
  };
  await run(page, store);
  await crash(page);
  assert.deepEqual(
    page.problems.map(({ type }) => type),
    ['crash'],
  );
  await until(() => run(keeper, () => localStorage.length > 0));
  assert.deepEqual(await run(keeper, () => ({ ...localStorage })), { before: '1' });
});

test('a profile outlives its browser, closed or killed', async (t) => {
  const server = await serve(t);
  const profile = createProfile(t);
  const open = async () => openPage(t, { server, context: await profile.start() });
  const kept = (/** @type {import('playwright-core').Page} */ page) => run(page, () => ({ ...localStorage }));

  const first = await open();
  await run(first, () => {
    addEventListener('pagehide', () => localStorage.setItem('closed', '1'));
    return window.cookieStore.set({ name: 'who', value: 'ada', expires: Date.now() + 1_000_000 });
  });
  await profile.close();

  const second = await open();
  assert.deepEqual(await kept(second), { closed: '1' });
  assert.equal(await run(second, () => document.cookie), 'who=ada');
  await run(second, async () => {
    addEventListener('pagehide', () => localStorage.setItem('killed', '1'));
    await new Promise((resolve) => {
      const opening = indexedDB.open('a');
      opening.onupgradeneeded = () => opening.result.createObjectStore('b').put('stored', 'c');
      opening.onsuccess = resolve;
    });
  });
  await profile.kill();

  const third = await open();
  assert.deepEqual(await kept(third), { closed: '1' });
  const databases = await run(third, () => indexedDB.databases());
  assert.deepEqual(databases, [{ name: 'a', version: 1 }]);
});

test('text is composed as an input method does', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server, html: '<input autofocus>' });
  const input = page.locator('input');
  await input.focus();
  await run(page, () => {
    /** @type {string[]} */
    const heard = [];
    Object.assign(window, { heard });
    for (const type of ['compositionstart', 'input', 'compositionend'])
      addEventListener(type, (event) => heard.push(`${type} ${/** @type {any} */ (event).isComposing}`));
  });
  const composing = await compose(page, 'に', 'にほ');
  assert.equal(await input.inputValue(), 'にほ');
  await composing.commit('日本');
  assert.equal(await input.inputValue(), '日本');
  assert.deepEqual(await run(page, () => /** @type {any} */ (window).heard), [
    'compositionstart undefined',
    'input true',
    'input true',
    'input true',
    'compositionend undefined',
  ]);
  await (await compose(page, 'x')).cancel();
  assert.equal(await input.inputValue(), '日本');
});

test('a condition that never holds is given up with its wording', async () => {
  await assert.rejects(
    until(() => 1 > 2, 60),
    /not within 60 ms: \(\) => 1 > 2/,
  );
});
