import assert from 'node:assert/strict';
import { test } from 'node:test';
import { booted, run, until } from '../harness/browser.mjs';
import { GENERATIONS, openReact, pass, shows, text, WITHOUT_WASM } from './pages.mjs';

/** @typedef {import('playwright-core').Page} Page */

const SESSION = '/api/auth/session';
const ADA = { user: { id: 'ada', name: 'Ada' } };
const BEN = { user: { id: 'ben', name: 'Ben' } };
const config = { session: { confirmAfterMs: 40 }, tabs: { heartbeatMs: 100, takeoverMs: 500 } };

/** All that the page ever showed at `#person` and instead of the letter, one after another. @param {Page} page */
const noteFrames = (page) =>
  page.addInitScript(() => {
    /** @type {string[]} */
    const frames = [];
    const look = () => {
      const person = document.getElementById('person');
      // What comes after the app: a browser may take a document in piece by piece.
      if (!person || !document.getElementById('props')) return;
      const now = `${person.textContent}${document.getElementById('fallback') ? ' (fallback)' : ''}`;
      if (frames.at(-1) !== now) frames.push(now);
    };
    Object.assign(window, { frames });
    new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
  });

/** @param {Page} page @returns {Promise<string[]>} */
const frames = (page) => run(page, () => window.frames);

/** What the server sends as the first paint of `#person`. @param {string} html */
const first = (html) => /<output id="person">([^<]*)</.exec(html)?.[1];

/** @param {string} url */
const html = async (url) => (await fetch(url)).text();

for (const react of GENERATIONS) {
  const it = `React ${react}`;

  test(`${it}: a session that the server rendered with is in the first paint, and nothing is asked for it`, async (t) => {
    const { page, server, url } = await openReact(t, {
      react,
      strict: true,
      app: 'person',
      props: { config, initialSession: { ...ADA, expires: '2099-01-01T00:00:00.000Z' } },
      ssr: true,
      says: ADA,
      beforeLoad: noteFrames,
    });
    const sent = await html(url);
    assert.equal(first(sent), 'authenticated Ada');
    assert.match(sent, /Letter of <!-- -->Ada|Letter of Ada/);
    await page.fill('#text', 'Dear Sir');
    await pass(700);
    assert.deepEqual(await frames(page), ['authenticated Ada'], 'no spinner, at no time');
    assert.equal(server.requestsTo(SESSION).length, 0);
    assert.equal(await page.locator('#text').inputValue(), 'Dear Sir', 'what the server sent is kept');
  });

  test(`${it}: people who are rendered for at the same time, by a module with one client, never meet`, async (t) => {
    let turns = 0;
    const { page, server, url } = await openReact(t, {
      react,
      app: 'shared',
      ssr: (request) => {
        const name = request.queryValue('name');
        return {
          turn: ++turns,
          ...(name ? { initialSession: { user: { id: name, name } } } : {}),
          ...(request.queryValue('nobody') ? { initialSession: null } : {}),
        };
      },
      says: ADA,
    });
    const names = ['Ada', 'Ben', 'Cleo', 'Dan'];
    const [nobody, unknown, ...sent] = await Promise.all(
      ['?nobody=1', '', ...names.map((name) => `?name=${name}`)].map((query) => html(url + query)),
    );
    for (const [i, name] of names.entries()) {
      for (const id of ['person', 'late'])
        assert.match(sent[i], new RegExp(`<output id="${id}">authenticated ${name}<`));
      assert.match(sent[i], new RegExp(`<output id="whole">${name} starting<`));
      for (const other of names.filter((other) => other !== name)) assert.ok(!sent[i].includes(other));
    }
    assert.equal(first(nobody), 'signedOut');
    assert.equal(first(unknown), 'loading');
    assert.equal(first(await html(url)), 'loading', 'who comes later is nobody that was there before');
    const { status, user } = globalThis.shared.session.getSnapshot();
    assert.deepEqual([status, user], ['loading', null], 'nothing is kept of them');

    // In the page the client is one person's, and is told.
    await shows(page, 'authenticated Ada');
    await page.addInitScript(() => void (window.frames = []));
    server.clear();
    await page.goto(`${url}?name=Ben`);
    await booted(page);
    for (const id of ['person', 'late']) await shows(page, 'authenticated Ben', id);
    await pass(500);
    assert.equal(await run(page, () => window.shared.session.getSnapshot().user.name), 'Ben');
    assert.equal(server.requestsTo(SESSION).length, 0);
  });

  test(`${it}: what hydrates late is hydrated as it was rendered, though more is known by then`, async (t) => {
    const { page } = await openReact(t, {
      react,
      app: 'shared',
      ssr: () => ({ turn: 1, initialSession: { user: { id: 'ada', name: 'Ada' } } }),
      says: BEN,
      beforeLoad: (page) =>
        page.addInitScript(() => {
          window.whenLate = new Promise((resolve) => (window.beLate = resolve));
        }),
    });
    assert.equal(await text(page), 'authenticated Ada');
    await run(page, () => window.shared.session.verify());
    await shows(page, 'authenticated Ben');
    assert.equal(await text(page, 'late'), 'authenticated Ada', 'nothing of it runs yet');
    assert.equal(await text(page, 'whole'), 'Ada starting');
    await run(page, () => window.beLate());
    await shows(page, 'authenticated Ben', 'late');
    await shows(page, 'Ben running', 'whole');
  });
}

test('a session of nobody is rendered as one, and what says nothing as a page that does not know yet', async (t) => {
  for (const [initialSession, status] of /** @type {Array<[any, string]>} */ ([
    [null, 'signedOut'],
    [{}, 'signedOut'],
    [undefined, 'loading'],
    ['nonsense', 'loading'],
  ])) {
    const { page, server, url } = await openReact(t, {
      app: 'person',
      props: { config, initialSession },
      ssr: true,
      says: null,
      beforeLoad: noteFrames,
    });
    assert.equal(first(await html(url)), status, JSON.stringify(initialSession));
    await shows(page, 'signedOut');
    await pass(500);
    assert.equal(server.requestsTo(SESSION).length, 1, 'somebody may have signed in since');
    assert.deepEqual(
      await frames(page),
      status === 'loading' ? ['loading (fallback)', 'signedOut'] : ['signedOut'],
    );
  }
});

test('a session that the app cannot read says nothing, and throws from no render', async (t) => {
  const { page, url } = await openReact(t, {
    app: 'person',
    props: () => ({
      initialSession: { user: { id: 'ada' } },
      config: {
        session: {
          parse() {
            throw new Error('not of this shape');
          },
        },
      },
    }),
    ssr: true,
    says: ADA,
  });
  assert.equal(first(await html(url)), 'loading');
  await shows(page, 'unknown');
});

test('to render on a server asks and starts nothing', async (t) => {
  const { server, url, page } = await openReact(t, {
    app: 'state',
    component: 'All',
    props: { config: { ...config, version: { current: 'v1' } } },
    ssr: true,
    says: ADA,
  });
  await until(async () => /authenticated/.test(`${await text(page, 'whole')}`));
  await page.close();
  server.clear();
  for (let i = 0; i < 3; i++)
    assert.match(await html(url), /<output id="whole">starting 0 loading {2}current {2}online</);
  await pass(300);
  assert.deepEqual([...new Set(server.requests.map(({ path }) => path))], [new URL(url).pathname]);
});

test('with the session off, a session that is handed in says nothing, and nothing throws', async (t) => {
  const { page, url } = await openReact(t, {
    app: 'person',
    props: { config: {}, initialSession: ADA },
    ssr: true,
  });
  assert.equal(first(await html(url)), 'unknown');
  assert.equal(await text(page), 'unknown');
});

test('who is signed in now is found out with the first check, whoever it was rendered for', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'person',
    props: (evenkeel) => ({
      initialSession: { user: { id: 'ada', name: 'Ada' } },
      client: (globalThis.own = evenkeel.createStability({
        session: { confirmAfterMs: 40 },
        tabs: { heartbeatMs: 100, takeoverMs: 500 },
      })),
    }),
    ssr: true,
    says: BEN,
    beforeLoad: noteFrames,
  });
  assert.equal(await text(page), 'authenticated Ada');
  await run(page, () => window.own.session.verify());
  await shows(page, 'authenticated Ben');
  server.session = null;
  await run(page, () => window.own.session.verify());
  await shows(page, 'signedOut');
  assert.deepEqual(await frames(page), ['authenticated Ada', 'authenticated Ben', 'signedOut']);
});

test('with WebAssembly blocked, a session that the server rendered with is believed too', async (t) => {
  const { page, server } = await openReact(t, {
    app: 'person',
    props: { config: { ...config, startTimeoutMs: 200 }, initialSession: ADA },
    ssr: true,
    says: ADA,
    headers: WITHOUT_WASM,
    beforeLoad: noteFrames,
  });
  await pass(700);
  assert.deepEqual(await frames(page), ['authenticated Ada']);
  assert.equal(server.requestsTo(SESSION).length, 0);
});
