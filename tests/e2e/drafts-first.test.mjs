import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';
import { startFaultServer } from '../server/fault-server.mjs';

const browser = await launchBrowser({ after });
const QUICK = { debounceMs: 50, maxWaitMs: 500 };
const ADA = { user: { id: 'ada' } };

/** A page whose person is signed in, with a drafts server. @param {import('node:test').TestContext} t @param {any} [config] @param {Record<string, string>} [headers] */
async function given(t, config = {}, headers = undefined) {
  const server = await startFaultServer();
  t.after(() => server.close());
  server.drafts = openDrafts();
  server.session = ADA;
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await openPage(t, {
    browser,
    server,
    context,
    config: { session: {}, drafts: QUICK, ...config },
    headers,
  });
  return { server, context, page };
}

/** The draft, without what cannot leave the page. @param {any} page */
const state = (page) =>
  run(page, () => {
    const state = window.app.draft('meal').getSnapshot();
    return { ...state, error: state.error?.kind ?? null };
  });

/** The draft, once it is so. @param {any} page @param {string} status */
const is = (page, status) =>
  until(async () => {
    const now = await state(page);
    return now.status === status && now;
  });

/** The person types; how it stands then. @param {any} page @param {object} data @returns {Promise<string>} */
const type = (page, data) =>
  run(
    page,
    (data) => {
      const draft = window.app.draft('meal');
      draft.update(data);
      return draft.getSnapshot().status;
    },
    data,
  );

/** @param {any} page */
const restore = (page) => run(page, () => window.app.draft('meal').restore());

/** @param {any} page */
async function reload(page) {
  await page.reload();
  await until(() => run(page, () => Boolean(window.app)));
}

/** What stands at the server. @param {any} server */
const rows = (server) =>
  server.drafts.rows().map((/** @type {any} */ { key, owner, data }) => ({ key, owner, data }));

test('what is typed is saved at the server, and says so', async (t) => {
  const { server, page } = await given(t);
  assert.equal((await state(page)).status, 'idle');
  assert.equal(await type(page, { title: 'Soup', password: 'secret' }), 'dirty');
  const saved = await is(page, 'saved');
  assert.equal(saved.savedTo, 'server');
  assert.deepEqual(rows(server), [{ key: 'meal', owner: 'ada', data: { title: 'Soup' } }]);
});

test('the last keystroke before a reload comes back', async (t) => {
  const { server, page } = await given(t, { drafts: { debounceMs: 60_000, maxWaitMs: 60_000 } });
  await type(page, { title: 'Soup' });
  await reload(page);
  const restored = await restore(page);
  assert.deepEqual(restored.data, { title: 'Soup' });
  await is(page, 'saved');
  assert.equal(rows(server).length, 1);
});

test('what was cleared does not come back', async (t) => {
  const { server, page } = await given(t);
  await type(page, { title: 'Soup' });
  await is(page, 'saved');
  await run(page, () => window.app.draft('meal').clear());
  assert.equal((await state(page)).status, 'idle');
  await type(page, { title: 'Soup' });
  await is(page, 'idle');
  await reload(page);
  assert.equal(await restore(page), null);
  assert.deepEqual(rows(server), [{ key: 'meal', owner: 'ada', data: null }]);
  await type(page, { title: 'Stew' });
  await is(page, 'saved');
  assert.deepEqual(rows(server), [{ key: 'meal', owner: 'ada', data: { title: 'Stew' } }]);
});

for (const choice of ['mine', 'theirs', { merged: { title: 'Both' } }]) {
  test(`two devices make a conflict with both texts, and the person decides: ${JSON.stringify(choice)}`, async (t) => {
    const { server, page } = await given(t);
    await type(page, { title: 'Soup' });
    await is(page, 'saved');
    server.drafts.put('ada', 'meal', { data: { title: 'Salad' } });
    await type(page, { title: 'Stew' });
    const { conflict } = await is(page, 'conflict');
    assert.deepEqual([conflict.mine, conflict.theirs], [{ title: 'Stew' }, { title: 'Salad' }]);
    assert.deepEqual(rows(server)[0].data, { title: 'Salad' });
    const after = await run(page, (choice) => window.app.draft('meal').resolve(choice), choice);
    assert.equal(after.status, 'saved');
    const title = choice === 'mine' ? 'Stew' : choice === 'theirs' ? 'Salad' : 'Both';
    assert.deepEqual(rows(server)[0].data, { title });
  });
}

test('what an earlier page left dirty is brought to the server, opened or not', async (t) => {
  const { server, page } = await given(t, { drafts: { ...QUICK } });
  server.on('POST /api/drafts', [{ status: 503, headers: { 'Retry-After': '600' } }, 'pass']);
  await type(page, { title: 'Soup' });
  await is(page, 'offline');
  await reload(page);
  await until(() => rows(server).length);
  assert.deepEqual(rows(server), [{ key: 'meal', owner: 'ada', data: { title: 'Soup' } }]);
});

test('another person sees nothing of it', async (t) => {
  const { server, page } = await given(t);
  await type(page, { title: 'Soup' });
  await is(page, 'saved');
  server.session = { user: { id: 'ben' } };
  await run(page, () => window.app.session.verify());
  assert.equal((await state(page)).status, 'frozen');
  await reload(page);
  assert.equal(await restore(page), null);
});

test('without the engine it is kept on this device', async (t) => {
  const headers = { 'Content-Security-Policy': "script-src 'self' 'unsafe-inline'" };
  const { page } = await given(t, {}, headers);
  await type(page, { title: 'Soup' });
  const kept = await is(page, 'offline');
  assert.deepEqual([kept.savedTo, kept.error], ['device', 'runtime']);
  await reload(page);
  assert.deepEqual((await restore(page)).data, { title: 'Soup' });
  await run(page, () => window.app.draft('meal').clear());
  await reload(page);
  assert.equal(await restore(page), null);
});
