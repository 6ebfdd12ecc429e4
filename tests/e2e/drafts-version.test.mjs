import assert from 'node:assert/strict';
import { test } from 'node:test';
import { booted, hide, run, until } from '../harness/browser.mjs';
import { openDrafts, pass, quiet, row, SAVE, SLOW, saves } from './drafts.mjs';
import { held } from './held.mjs';

const APP = '/app';
/** Reloads that do not let themselves be waited for. */
const VERSION = { idleMs: 50, spreadMs: 50, flushTimeoutMs: 400, pollMs: false };

/** @param {import('node:test').TestContext} t @param {any} [how] */
async function openApp(t, { version = {}, drafts = SLOW, ...how } = {}) {
  const opened = await openDrafts(t, {
    path: APP,
    drafts,
    version: { ...VERSION, ...version },
    ...how,
  });
  const { server, tab } = opened;
  await run(tab.page, () => {
    window.isFirst = true;
  });
  return {
    ...opened,
    /** A new version is deployed, and the page hears of it. */
    async deploy() {
      server.version = 'v2';
      leave(tab, () => window.app.version.check());
    },
    version: () => run(tab.page, () => window.app.version.getSnapshot()),
    loads: () => server.requestsTo(APP).length,
    /** The page was loaded anew: the server has seen it, and the first one is gone. */
    async loaded() {
      await until(() => server.requestsTo(APP).length > 0);
      await until(() => tab.page.evaluate(() => !window.isFirst).catch(() => false));
      await booted(tab.page);
    },
  };
}

/** Does what may end the page, and waits for nothing that it gives. @param {import('./drafts.mjs').DraftTab} tab @param {() => unknown} fn runs in the page */
const leave = (tab, fn) => void tab.page.evaluate(`void (${fn})()`).catch(() => {});

/** Blocked by that. @param {() => Promise<any>} version @param {string} blockedBy */
const isBlocked = (version, blockedBy) =>
  until(async () => {
    const state = await version();
    return state.status === 'blocked' && state.blockedBy === blockedBy && state;
  });

test('a reload for a new version saves what was typed first, and happens once', async (t) => {
  const { server, tab, deploy, loaded, loads } = await openApp(t, { version: { flushTimeoutMs: 8_000 } });
  await tab.type({ text: 'Dear Ben' });
  await deploy();
  await loaded();
  const [save] = saves(server);
  const [load] = server.requestsTo(APP);
  assert.ok(save.endedAt && save.endedAt <= load.at);
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
  assert.ok(await quiet(loads, 800));
  assert.equal(loads(), 1);
  assert.ok(!tab.said.includes('updateAvailable'), 'nobody was bothered');
  assert.equal((await tab.restore()).data.text, 'Dear Ben');
});

test('a draft without an endpoint is saved on the device, and then the page is reloaded', async (t) => {
  const { server, tab, deploy, loaded } = await openApp(t, { drafts: { ...SLOW, endpoint: false } });
  await tab.type({ text: 'Dear Ben' });
  await deploy();
  await loaded();
  assert.equal((await tab.restore()).data.text, 'Dear Ben');
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});

test('drafts that are saved keep nobody from a reload', async (t) => {
  const { server, tab, deploy, loaded } = await openApp(t);
  await tab.type({ text: 'Dear Ben' });
  await tab.flush();
  server.clear();
  await deploy();
  await loaded();
  assert.equal(saves(server).length, 0);
});

test('a draft that the server does not take blocks the reload and offers it, and is let go once it is saved', async (t) => {
  const { server, tab, deploy, version, loaded, loads } = await openApp(t);
  const fault = server.on(SAVE, 500);
  await tab.type({ text: 'Dear Ben' });
  await deploy();
  const { latest } = await isBlocked(version, 'drafts');
  assert.equal(latest, 'v2');
  await until(() => tab.said.includes('updateAvailable'));
  assert.ok(await quiet(loads, 600));
  fault.off();
  await loaded();
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
  assert.ok(await quiet(loads, 800));
  assert.equal(loads(), 1);
});

test('a save that takes longer than flushTimeoutMs blocks the reload until it has ended', async (t) => {
  const { server, tab, deploy, version, loaded, loads } = await openApp(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'Dear Ben' });
  await deploy();
  await isBlocked(version, 'drafts');
  assert.ok(await quiet(loads, 400));
  save.release();
  await loaded();
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('a conflict blocks the reload, until it is resolved', async (t) => {
  const { server, tab, deploy, version, loaded, loads } = await openApp(t);
  server.drafts.put('ada', 'letter', { data: { text: 'theirs' } });
  await tab.type({ text: 'mine' });
  await tab.flush();
  await tab.is('conflict');
  await deploy();
  await isBlocked(version, 'drafts');
  assert.ok(await quiet(loads, 600));
  leave(tab, () => window.draft('letter').resolve('mine'));
  await loaded();
  assert.deepEqual(row(server).data, { text: 'mine' });
});

test('a text that the server refuses blocks the reload, until it is changed', async (t) => {
  const { server, tab, deploy, version, loaded, loads } = await openApp(t);
  server.on(SAVE, [422, 'pass']);
  await tab.type({ text: 'Dear Ben' });
  await tab.flush();
  await tab.is('error');
  await deploy();
  await isBlocked(version, 'drafts');
  assert.ok(await quiet(loads, 600));
  leave(tab, () => {
    window.draft('letter').update({ text: 'Dear Bea' });
    window.draft('letter').flush();
  });
  await loaded();
  assert.deepEqual(row(server).data, { text: 'Dear Bea' });
});

test('a draft that waits for nobody blocks no reload: cleared, disposed of, or kept on the device where there is no endpoint', async (t) => {
  const { server, tab, deploy, loaded } = await openApp(t);
  server.on((request) => request.method === 'POST' && request.queryValue('key') === 'cleared', 500);
  await tab.type({ text: 'sent' }, 'cleared');
  await tab.flush('cleared');
  await tab.clear('cleared');
  server.on((request) => request.method === 'POST' && request.queryValue('key') === 'nowhere', 404);
  await tab.type({ text: 'kept here' }, 'nowhere');
  await tab.flush('nowhere');
  await tab.type({ text: 'done' }, 'disposed');
  await tab.flush('disposed');
  await tab.dispose('disposed');
  await deploy();
  await loaded();
});

test('a hidden page saves and is reloaded', async (t) => {
  const { server, tab, deploy, loaded } = await openApp(t, { version: { idleMs: 60_000 } });
  await tab.type({ text: 'Dear Ben' });
  await hide(tab.page);
  await deploy();
  await loaded();
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});

test('applyUpdate() saves what was typed, and reloads', async (t) => {
  const { server, tab, deploy, loaded, loads } = await openApp(t, {
    version: { onMismatch: 'prompt', flushTimeoutMs: 5_000 },
  });
  server.on(SAVE, { pass: true, delayMs: 500 });
  await deploy();
  await until(() => tab.said.includes('updateAvailable'));
  await tab.type({ text: 'Dear Ben' });
  await pass(200);
  assert.equal(loads(), 0);
  leave(tab, () => window.app.version.applyUpdate());
  await loaded();
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
  assert.ok(saves(server)[0].endedAt <= server.requestsTo(APP)[0].at);
});

test('applyUpdate() to a server that takes no drafts reloads all the same, and the device brings the text back', async (t) => {
  const { server, tab, deploy, loaded } = await openApp(t, { version: { onMismatch: 'prompt' } });
  // The next page is told at once: what it finds of this one stays on the device, and hangs nowhere.
  const fault = server.on(SAVE, () => (server.requestsTo(APP).length ? 503 : 'hang'));
  await tab.type({ text: 'Dear Ben' });
  await deploy();
  await until(() => tab.said.includes('updateAvailable'));
  leave(tab, () => window.app.version.applyUpdate());
  await loaded();
  await tab.settled();
  const { data, source } = await tab.restore();
  fault.off();
  assert.deepEqual([data, source], [{ text: 'Dear Ben' }, 'device']);
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'Dear Ben' });
});
