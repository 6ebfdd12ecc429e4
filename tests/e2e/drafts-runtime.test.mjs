import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, pass, row, SAVE, SLOW, saves } from './drafts.mjs';
import { held } from './held.mjs';

/** Does not let WebAssembly be compiled. */
const POLICY = {
  'Content-Security-Policy': "default-src 'self' http://127.0.0.1:*; script-src 'self'; img-src data:",
};

/** The module was given up, or runs. @param {import('./drafts.mjs').DraftTab} tab @param {string} status */
const runtime = (tab, status) =>
  until(() => run(tab.page, (status) => window.app.runtime.getSnapshot().status === status, status));

// ---------------------------------------------------------------- without WebAssembly

test('where WebAssembly is blocked what is typed is kept on the device, and comes back', async (t) => {
  const { server, tab } = await openDrafts(t, { headers: POLICY, drafts: { debounceMs: 200 } });
  await runtime(tab, 'failed');
  await tab.type({ text: 'a' });
  await tab.type({ text: 'Dear Ben' });
  const { error } = await tab.is('offline', 'device');
  assert.equal(error.kind, 'runtime');
  assert.ok((await tab.device()).includes('Dear Ben'));
  await tab.reload();
  const { data, source } = await tab.restore();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'device']);
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});

test('where WebAssembly is blocked a draft without an endpoint is saved as ever', async (t) => {
  const { tab } = await openDrafts(t, { headers: POLICY, drafts: { endpoint: false } });
  await runtime(tab, 'failed');
  await tab.type({ text: 'Dear Ben' });
  const { error, isSaving } = await tab.is('saved', 'device');
  assert.deepEqual([error, isSaving], [null, false]);
});

test('where WebAssembly is blocked the last key before a reload is not lost', async (t) => {
  const { tab } = await openDrafts(t, { headers: POLICY, drafts: SLOW });
  await runtime(tab, 'failed');
  await tab.type({ text: 'Dear Ben' });
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
});

test('where WebAssembly is blocked every verb settles, and what was cleared does not come back', async (t) => {
  const { tab } = await openDrafts(t, { headers: POLICY, drafts: SLOW });
  await runtime(tab, 'failed');
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.flush()).status, 'idle');
  await tab.type({ text: 'Dear Ben' });
  assert.equal((await tab.flush()).savedTo, 'device');
  assert.equal(await tab.restore(), null, 'it is what was given last');
  assert.ok((await tab.resolve('mine')).status);
  await tab.clear();
  assert.equal((await tab.state()).status, 'idle');
  assert.ok(!(await tab.device()).includes('Dear Ben'));
  await tab.type({ text: 'Dear Bea' });
  await tab.clear();
  await pass(200);
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await tab.type({ text: 'anew' });
  await tab.dispose();
  await until(async () => (await tab.device()).includes('anew'));
});

test('what was kept where WebAssembly was blocked is sent by a page in which it runs', async (t) => {
  const { server, tab, add } = await openDrafts(t, { headers: POLICY });
  await runtime(tab, 'failed');
  await tab.type({ text: 'Dear Ben' });
  await tab.keeps('Dear Ben');
  await tab.page.close();
  await add({ headers: {} });
  await until(() => row(server));
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('what is typed while the module loads is kept when the page is left, and sent when it runs', async (t) => {
  let isSlow = true;
  const { server, tab } = await openDrafts(t, {
    beforeLoad: (page) => page.route('**/*.wasm', (route) => (isSlow ? undefined : route.continue())),
    settled: false,
    config: { startTimeoutMs: 60_000 },
    made: () => ({ userKey: () => 'ada' }),
  });
  await tab.type({ text: 'Dear Ben' });
  isSlow = false;
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'Dear Ben' });
  await until(() => row(server));
});

// ---------------------------------------------------------------- traps

/** A page whose module can be made to trap: the next so many calls of an export that `window.trapIn` matches do. @param {import('node:test').TestContext} t @param {any} [how] */
const openTrapped = (t, how) =>
  openDrafts(t, {
    ...how,
    beforeLoad: (page) =>
      page.addInitScript(() => {
        const { Instance } = WebAssembly;
        window.traps = 0;
        window.trapIn = /./;
        window.instances = 0;
        WebAssembly.Instance = class {
          constructor(module, imports) {
            const { exports } = new Instance(module, imports);
            window.instances++;
            this.exports = { ...exports };
            for (const [name, value] of Object.entries(exports)) {
              if (typeof value !== 'function') continue;
              this.exports[name] = (...args) => {
                if (window.traps > 0 && window.trapIn.test(name)) {
                  window.traps--;
                  throw new WebAssembly.RuntimeError('unreachable');
                }
                return value(...args);
              };
            }
          }
        };
      }),
  });

/** The next call traps, and a fresh instance takes over. @param {import('./drafts.mjs').DraftTab} tab */
async function trap(tab) {
  const before = await run(tab.page, async () => {
    const before = window.instances;
    window.trapIn = /^call$/;
    window.traps = 1;
    await window.app.api.get('/api/version');
    return before;
  });
  await until(() => run(tab.page, (before) => window.instances > before, before));
}

test('what was typed before a trap and not yet saved is saved by the next instance', async (t) => {
  const { server, tab } = await openTrapped(t, { drafts: SLOW });
  await tab.type({ text: 'Dear Ben' });
  await pass(100);
  await trap(tab);
  const { status, savedTo } = await tab.flush();
  assert.deepEqual([status, savedTo], ['saved', 'server']);
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('a draft goes on after a trap, on top of what it saved before, without a conflict', async (t) => {
  const { server, tab } = await openTrapped(t);
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  const { rev } = row(server);
  await trap(tab);
  await tab.type({ text: 'Dear Bea' });
  await until(() => row(server).data.text === 'Dear Bea');
  await tab.is('saved', 'server');
  assert.equal(saves(server).at(-1).headers['if-match'], `"${rev}"`);
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

test('a trap during a save loses nothing and makes no conflict', async (t) => {
  const { server, tab } = await openTrapped(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'Dear Ben' });
  await server.waitFor(SAVE);
  await trap(tab);
  save.release();
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Bea' });
  await until(() => row(server)?.data.text === 'Dear Bea');
  await tab.is('saved', 'server');
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

for (const name of ['openDraft', 'draft']) {
  test(`a trap in ${name} itself costs nothing that was typed, and the page no error`, async (t) => {
    const { server, tab } = await openTrapped(t);
    await run(
      tab.page,
      async ({ key, name }) => {
        await window.app.ready;
        window.trapIn = new RegExp(`^${name}$`);
        window.traps = 1;
        window.draft(key).update({ text: 'Dear Ben' });
      },
      { key: KEY, name },
    );
    await tab.type({ text: 'Dear Ben, how are you?' });
    await tab.is('saved', 'server');
    assert.deepEqual(row(server).data, { text: 'Dear Ben, how are you?' });
    await runtime(tab, 'running');
    assert.equal(await run(tab.page, () => window.instances), 2);
  });
}

test('what waits for an answer of a trapped instance is answered all the same', async (t) => {
  const { server, tab } = await openTrapped(t, { drafts: SLOW });
  const read = held('pass');
  server.on('GET /api/drafts', read.step);
  server.on(SAVE, { pass: true, delayMs: 500 });
  await run(
    tab.page,
    (key) => {
      const draft = window.draft(key);
      draft.update({ text: 'Dear Ben' });
      window.flushed = draft.flush();
      const other = window.draft('other');
      window.restored = other.restore();
      const third = window.draft('third');
      third.update({ text: 'sent' });
      window.cleared = third.clear();
    },
    KEY,
  );
  await server.waitFor('GET /api/drafts');
  await trap(tab);
  read.release();
  const settled = await run(tab.page, () => {
    const late = new Promise((resolve) => setTimeout(resolve, 8_000, 'late'));
    return Promise.all(
      [window.flushed, window.restored, window.cleared].map((waiting) =>
        Promise.race([waiting.then(() => 'settled'), late]),
      ),
    );
  });
  assert.deepEqual(settled, ['settled', 'settled', 'settled']);
  await tab.is('saved', 'server');
});

test('a conflict is still one after a trap, and nothing is sent', async (t) => {
  const { server, tab } = await openTrapped(t);
  server.drafts.put('ada', KEY, { data: { text: 'theirs' } });
  await tab.type({ text: 'mine' });
  await tab.is('conflict');
  await trap(tab);
  await tab.type({ text: 'mine, too' });
  const { conflict } = await tab.is('conflict');
  assert.deepEqual(conflict.theirs, { text: 'theirs' });
  await pass(500);
  assert.deepEqual(row(server).data, { text: 'theirs' });
  const { status } = await tab.resolve('mine');
  assert.equal(status, 'saved');
  assert.deepEqual(row(server).data, { text: 'mine, too' });
});

test('a module that traps again and again is given up, and the device keeps what is typed', async (t) => {
  const { tab } = await openTrapped(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await run(tab.page, async () => {
    window.trapIn = /./;
    window.traps = 1_000;
    for (let i = 0; i < 6; i++) await window.app.api.get('/api/version');
  });
  await runtime(tab, 'failed');
  await tab.type({ text: 'Dear Ben' });
  const { status, error } = await tab.when(({ savedTo }) => savedTo === 'device');
  assert.deepEqual([status, error.kind], ['offline', 'runtime']);
  await tab.keeps('Dear Ben');
  await tab.type({ text: 'the last key' });
  await hide(tab.page);
  assert.ok((await tab.device()).includes('the last key'));
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'the last key' });
});
