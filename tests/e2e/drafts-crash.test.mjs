import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { closeTab, crash, createProfile, until } from '../harness/browser.mjs';
import { openDrafts as openDraftsServer } from '../server/drafts.mjs';
import { KEY, openDrafts, PATIENCE_MS, pass, quiet, row, SAVE, saves, sent } from './drafts.mjs';

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {Parameters<typeof openDrafts>[1]} How
 */

/** What a browser that is killed may not have written yet. */
const WRITTEN_MS = 1_000;

/** Ada's browser, with a profile on the disk. @param {TestContext} t @param {How} [how] */
async function openProfile(t, how) {
  const opened = await openDrafts(t, { ...how, count: 0 });
  const profile = createProfile(t);
  /** A tab in a browser that was started for it. Who is signed in is forgotten with each. @param {object} [own] */
  async function start(own) {
    const context = await profile.start();
    await context.request.post(`${opened.server.origin}/api/auth/callback/credentials`, {
      form: { name: 'ada' },
    });
    return opened.add({ context, ...own });
  }
  return { ...opened, profile, start };
}

/** A folder of the test's own. @param {TestContext} t */
async function folderOf(t) {
  const folder = await mkdtemp(path.join(tmpdir(), 'drafts-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

// ---------------------------------------------------------------- the browser

/** Her browser was killed while only it had what she typed. `rule`: the server takes none of it yet. @param {TestContext} t */
async function openKilled(t) {
  const opened = await openProfile(t);
  const rule = opened.server.on(SAVE, 503);
  const first = await opened.start();
  await first.type({ text: 'Dear Ben' });
  await first.is('offline', 'device');
  await pass(WRITTEN_MS);
  await opened.profile.kill();
  return { ...opened, rule };
}

test('what the device had a second ago is there after the browser was killed', async (t) => {
  const { server, start, rule } = await openKilled(t);
  const again = await start();
  const { data, source } = await again.restore();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'device']);
  rule.off();
  await again.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('what stays on the device is there after the browser was killed', async (t) => {
  const { server, profile, start } = await openProfile(t, { drafts: { endpoint: false } });
  const first = await start();
  await first.type({ text: 'Dear Ben' });
  await first.is('saved', 'device');
  await pass(WRITTEN_MS);
  await profile.kill();

  const again = await start();
  const { data, source } = await again.restore();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'device']);
  await again.is('saved', 'device');
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});

test('somebody who types when the browser is killed loses what was typed since the last save, and no more', async (t) => {
  const { server, profile, start } = await openProfile(t, { drafts: { debounceMs: 200, maxWaitMs: 400 } });
  server.on(SAVE, 503);
  const first = await start();
  await first.open();
  const typing = first.typeOn({ everyMs: 50, forMs: 2 * PATIENCE_MS }).catch(() => null);
  const kept = await until(async () => {
    const word = wordIn(await first.device());
    return word >= 30 && word;
  }, PATIENCE_MS);
  await pass(WRITTEN_MS);
  await profile.kill();
  await typing;

  const again = await start();
  const { text } = (await again.restore()).data;
  assert.ok(wordIn(text) >= kept, `${text}, where the device had ${kept} a second before`);
});

/** The number of the last word that `typeOn` typed. @param {string} text */
const wordIn = (text) => Math.max(...[...text.matchAll(/word (\d+)/g)].map(([, n]) => Number(n)));

test('what a killed browser left is sent by the next page, whatever it opens', async (t) => {
  const { server, start, rule } = await openKilled(t);
  rule.off();
  server.clear();
  await start();
  await until(() => row(server), PATIENCE_MS);
  assert.deepEqual(sent(server), [{ text: 'Dear Ben' }]);
  assert.ok(await quiet(() => saves(server).length, 500));
});

test('a browser killed while it waited for an answer has no conflict with itself', async (t) => {
  const { server, profile, start } = await openProfile(t);
  server.on(SAVE, [{ pass: true, hang: true }, 'pass']);
  const first = await start();
  await first.type({ text: 'Dear Ben' });
  await until(() => row(server));
  await pass(WRITTEN_MS);
  await profile.kill();

  const again = await start();
  assert.deepEqual((await again.restore()).data, { text: 'Dear Ben' });
  await again.type({ text: 'Dear Ben, hello' });
  await again.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben, hello' });
  assert.ok(!(await again.statuses()).includes('conflict'));
});

test('what was submitted does not come back after the browser was killed', async (t) => {
  const { server, profile, start } = await openProfile(t);
  const first = await start();
  await first.type({ text: 'Dear Ben' });
  await first.is('saved', 'server');
  await first.clear();
  await pass(WRITTEN_MS);
  await profile.kill();

  const again = await start();
  assert.equal(await again.restore(), null);
  assert.equal((await again.state()).status, 'idle');
  assert.equal(row(server)?.data, null);
});

// ---------------------------------------------------------------- the page

test('what the device has is there in another tab when a page crashes', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  const rule = server.on(SAVE, 503);
  await tab.type({ text: 'Dear Ben' });
  await tab.is('offline', 'device');
  await crash(tab.page);
  assert.deepEqual(
    tab.page.problems.splice(0).map(({ type }) => type),
    ['crash'],
  );

  const other = await add();
  const { data, source } = await other.restore();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'device']);
  rule.off();
  await other.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('a crash does not take what another tab types', async (t) => {
  const { server, tab, add } = await openDrafts(t);
  const other = await add();
  await other.type({ text: 'a list' }, 'list');
  await tab.type({ text: 'Dear Ben' });
  await crash(tab.page);
  tab.page.problems.length = 0;
  await other.type({ text: 'a longer list' }, 'list');
  await other.is('saved', 'server', 'list');
  assert.deepEqual(row(server, 'list')?.data, { text: 'a longer list' });
});

// ---------------------------------------------------------------- the server

test('a server that starts again on its database has lost nothing, and pages go on', async (t) => {
  const file = path.join(await folderOf(t), 'drafts.sqlite');
  const { server, tab } = await openDrafts(t, { server: { file } });
  await tab.type({ text: 'Dear' });
  await tab.is('saved', 'server');
  const before = row(server);

  await server.refuse();
  server.drafts?.close();
  await tab.type({ text: 'Dear Ben' });
  await tab.is('offline', 'device');
  server.drafts = openDraftsServer({ file });
  assert.deepEqual(row(server), before);
  await server.accept();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
  assert.ok(!(await tab.statuses()).includes('conflict'));
});

/** A server of drafts alone, as a process that can be killed. @param {TestContext} t @param {string} file @param {number} [port] */
async function spawnServer(t, file, port = 0) {
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('../server/fault-server.mjs', import.meta.url)),
    ...['--port', String(port), '--drafts', file],
  ]);
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const origin = String(line).trim();
  return {
    origin,
    port: Number(new URL(origin).port),
    /** @returns {Promise<any[]>} */
    rows: async () => (await fetch(`${origin}/__fault/drafts`)).json(),
    /** @returns {Promise<any[]>} */
    saves: async () => (await fetch(`${origin}/__fault/requests?match=/api/drafts`)).json(),
    /** @param {object} step of each save */
    script: (step) =>
      fetch(`${origin}/__fault/script`, {
        method: 'POST',
        body: JSON.stringify({ match: 'POST /api/drafts', steps: step }),
      }),
    async kill() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

for (const [when, step, isWritten] of /** @type {const} */ ([
  ['before it had written', { hang: true }, false],
  ['after it had written, before it said so', { pass: true, hang: true }, true],
])) {
  test(`a server killed while saving, ${when}, has the text once it is back, and no conflict`, async (t) => {
    const file = path.join(await folderOf(t), 'drafts.sqlite');
    const killed = await spawnServer(t, file);
    const { origin } = killed;
    const { tab } = await openDrafts(t, {
      drafts: { endpoint: `${origin}/api/drafts` },
      config: { api: { trustedOrigins: [origin] } },
    });
    await tab.type({ text: 'Dear' });
    await tab.is('saved', 'server');
    await killed.script(step);
    await tab.type({ text: 'Dear Ben' });
    await until(async () => (await killed.saves()).filter(({ method }) => method === 'POST').length === 2);
    assert.equal((await killed.rows())[0].data.text === 'Dear Ben', isWritten);
    await killed.kill();
    await tab.is('offline', 'device');

    const again = await spawnServer(t, file, killed.port);
    await tab.is('saved', 'server');
    const [{ owner, key, data }, ...others] = await again.rows();
    assert.deepEqual([owner, key, data, others], ['ada', KEY, { text: 'Dear Ben' }, []]);
    assert.ok(!(await tab.statuses()).includes('conflict'));
    await closeTab(tab.page);
  });
}
