import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { booted, hide, launchBrowser, run, show, until } from '../harness/browser.mjs';
import { KEY, leaveOpened, openDrafts, pass, row, SAVE, SLOW, saves, sent, signIn } from './drafts.mjs';

/** @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer */
/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

/** One that keeps the pages that were left. */
const keeping = await launchBrowser({ after }, { bfcache: true });

/** Two tabs of one person, with the same text in both. @param {import('node:test').TestContext} t @param {any} [how] */
async function openTwo(t, how) {
  const opened = await openDrafts(t, { count: 2, ...how });
  const [one, two] = opened.tabs;
  await one.type({ text: 'Dear' });
  await one.is('saved');
  await two.restore();
  await two.is('saved');
  opened.server.clear();
  return { ...opened, one, two };
}

/** Both typed, and the second one came too late. @param {import('node:test').TestContext} t @param {any} [how] */
async function openConflict(t, how) {
  const opened = await openTwo(t, how);
  const { server, one, two } = opened;
  await one.type({ text: 'Dear Ben' });
  await one.is('saved', 'server');
  await two.type({ text: 'Dear Cy' });
  await two.is('conflict');
  server.clear();
  return opened;
}

/** @param {any} conflict */
const sides = ({ mine, theirs }) => [mine.text, theirs && theirs.text];

/** @param {DraftTab[]} tabs */
async function neverInConflict(...tabs) {
  for (const tab of tabs) {
    assert.ok(!(await tab.statuses()).includes('conflict'));
    assert.ok(!tab.said.includes('draftConflict'));
  }
}

test('tabs that save one after another, each on what it has restored, have no conflict', async (t) => {
  const { server, one, two } = await openTwo(t);
  for (const [i, tab] of [two, one, two, one].entries()) {
    const { data } = await tab.restore();
    await tab.type({ text: `${data.text}, ${i}` });
    await tab.is('saved', 'server');
    await until(() => row(server)?.data.text.endsWith(`${i}`));
  }
  assert.deepEqual(row(server)?.data, { text: 'Dear, 0, 1, 2, 3' });
  await neverInConflict(one, two);
});

test('a tab goes on with its own saves, whatever came late of them, and has no conflict', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 0 } });
  server.on(SAVE, [
    { pass: true, delayMs: 300 },
    { pass: true, cut: 'beforeHeaders' },
    { pass: true, delayMs: 200 },
    503,
    { pass: true, cutAfterBytes: 4 },
    'pass',
  ]);
  for (let i = 0; i < 12; i++) {
    await tab.type({ text: `word ${i}` });
    await pass(120);
  }
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'word 11' });
  await neverInConflict(tab);
});

test('the same text in two tabs is no conflict, and both go on from it', async (t) => {
  const { server, one, two } = await openTwo(t);
  await one.type({ text: 'Dear Ben', to: 1 });
  await one.is('saved', 'server');
  await two.type({ to: 1, text: 'Dear Ben' });
  await two.is('saved', 'server');
  await two.type({ to: 1, text: 'Dear Ben,' });
  await two.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { to: 1, text: 'Dear Ben,' });
  await neverInConflict(one, two);
});

test('edits in both are a conflict in the later one, which keeps both texts and writes over nothing', async (t) => {
  const { server, one, two } = await openConflict(t);
  assert.deepEqual(sides((await two.state()).conflict), ['Dear Cy', 'Dear Ben']);
  assert.deepEqual([(await one.state()).status, one.said], ['saved', []]);
  await pass(700);
  assert.deepEqual(sent(server), []);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('edits in both, on this device only, are a conflict for the page that comes after them', async (t) => {
  const { server, one, two, add } = await openTwo(t, { drafts: { endpoint: false } });
  await one.type({ text: 'Dear Ben' });
  await one.is('saved', 'device');
  await two.type({ text: 'Dear Cy' });
  await two.is('saved', 'device');
  const three = await add();
  await three.restore();
  assert.deepEqual(sides((await three.is('conflict')).conflict), ['Dear Cy', 'Dear Ben']);
  const { status } = await three.resolve({ merged: { text: 'Dear Ben and Cy' } });
  assert.equal(status, 'saved');
  await one.page.close();
  await two.page.close();
  await three.reload();
  assert.deepEqual((await three.restore()).data, { text: 'Dear Ben and Cy' });
  assert.equal((await three.state()).conflict, null);
  assert.equal(server.requestsTo('/api/drafts').length, 0);
});

test('a conflict is told of once, however long it lasts', async (t) => {
  const { two } = await openConflict(t);
  for (const text of ['Dear Cy,', 'Dear Cy, hello']) {
    await two.type({ text });
    await two.when(({ conflict }) => conflict?.mine.text === text);
    await two.flush();
    await two.restore();
  }
  await until(() => two.said.length);
  assert.deepEqual(two.said, ['draftConflict']);
});

test('what is typed during a conflict is mine then, is kept on the device, and is not sent', async (t) => {
  const { server, two } = await openConflict(t);
  await two.type({ text: 'Dear Cy, hello' });
  const { conflict, savedTo } = await two.when(({ conflict }) => conflict?.mine.text === 'Dear Cy, hello');
  assert.deepEqual(conflict.theirs, { text: 'Dear Ben' });
  assert.notEqual(savedTo, 'server');
  await two.keeps('Dear Cy, hello');
  await pass(700);
  assert.deepEqual(sent(server), []);
});

for (const [choice, text] of /** @type {Array<[any, string]>} */ ([
  ['mine', 'Dear Cy'],
  ['theirs', 'Dear Ben'],
  [{ merged: { text: 'Dear both' } }, 'Dear both'],
])) {
  test(`whoever resolves with ${JSON.stringify(choice)} has that, and so has the next page`, async (t) => {
    const { server, one, two } = await openConflict(t);
    const { status, savedTo, conflict } = await two.resolve(choice);
    assert.deepEqual([status, savedTo, conflict], ['saved', 'server', null]);
    assert.deepEqual(row(server)?.data, { text });
    await one.page.close();
    await two.reload();
    const restored = await two.restore();
    assert.deepEqual([restored.data, restored.source], [{ text }, 'server']);
    assert.equal((await two.state()).conflict, null);
  });
}

test("after 'theirs' was chosen, giving it to update() saves nothing, and what is typed next goes on from it", async (t) => {
  const { server, two } = await openConflict(t);
  await two.resolve('theirs');
  await two.type({ text: 'Dear Ben' });
  await pass(500);
  assert.deepEqual(sent(server), []);
  await two.type({ text: 'Dear Ben, and Cy' });
  await two.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben, and Cy' });
});

test('with no conflict there is nothing to resolve: it settles at once and changes nothing', async (t) => {
  const { server, one } = await openTwo(t);
  for (const choice of /** @type {const} */ (['mine', 'theirs']))
    assert.equal((await one.resolve(choice)).status, 'saved');
  await pass(300);
  assert.deepEqual([sent(server), row(server)?.data], [[], { text: 'Dear' }]);
});

test('when the other one writes on while a person decides, there is a conflict again, with the newer text', async (t) => {
  const { server, one, two } = await openConflict(t);
  await one.type({ text: 'Dear Ben, hello' });
  await one.is('saved', 'server');
  await two.resolve('mine');
  assert.deepEqual(sides((await two.is('conflict')).conflict), ['Dear Cy', 'Dear Ben, hello']);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben, hello' });
  assert.equal((await two.resolve('mine')).status, 'saved');
  assert.deepEqual(row(server)?.data, { text: 'Dear Cy' });
});

test('a tab that is hidden saves at once', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  await tab.type({ text: 'last words' });
  await hide(tab.page);
  await server.waitFor(SAVE);
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'last words' });
  await show(tab.page);
  await pass(500);
  assert.equal(saves(server).length, 1);
});

test('what is typed in a tab that hid and was shown again is no conflict with its own last words', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  server.on(SAVE, [{ pass: true, delayMs: 600 }, 'pass']);
  await tab.type({ text: 'last words' });
  await hide(tab.page);
  await server.waitFor(SAVE);
  await show(tab.page);
  await tab.type({ text: 'last words, and more' });
  await tab.flush();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'last words, and more' });
  await neverInConflict(tab);
});

test('a tab that stood still goes on with what it had, and meets what came meanwhile as a conflict', async (t) => {
  const { server, one, two } = await openTwo(t, { drafts: { debounceMs: 2_000, maxWaitMs: 2_000 } });
  // In one go, so that it is not saved before it stands still.
  const devtools = await two.page.context().newCDPSession(two.page);
  await devtools.send('Debugger.enable');
  const paused = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
  const expression = `window.draft('${KEY}').update({ text: 'Dear Cy' }); debugger;`;
  const typed = devtools.send('Runtime.evaluate', { expression });
  await paused;
  await one.type({ text: 'Dear Ben' });
  await one.is('saved', 'server');
  await devtools.send('Debugger.resume');
  await typed;
  await devtools.detach();
  assert.deepEqual(sides((await two.is('conflict')).conflict), ['Dear Cy', 'Dear Ben']);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

/** Leaves the page, which is kept. @param {FaultServer} server @param {DraftTab} tab */
async function leave(server, tab) {
  await run(tab.page, () => {
    window.isKept = true;
  });
  await tab.page.goto(`${server.origin}/api/version`);
}

/** @param {DraftTab} tab */
async function comeBack(tab) {
  await tab.page.goBack({ waitUntil: 'commit' });
  await booted(tab.page);
  assert.equal(await run(tab.page, () => window.isKept), true, 'it came from the back/forward cache');
}

test('a page that was left and comes back from the cache has saved its last words, and goes on', async (t) => {
  const { server, tab } = await openDrafts(t, { from: keeping, drafts: SLOW });
  await tab.type({ text: 'last words' });
  await leave(server, tab);
  await until(() => row(server)?.data.text === 'last words');
  await comeBack(tab);
  await tab.type({ text: 'last words, and more' });
  await tab.flush();
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'last words, and more' });
  await neverInConflict(tab);
});

test('a page in the cache does not bring back what another one cleared meanwhile', async (t) => {
  const { server, tab, add } = await openDrafts(t, { from: keeping });
  await tab.type({ text: 'submitted' });
  await tab.is('saved', 'server');
  await leave(server, tab);
  const other = await add();
  await other.clear();
  server.clear();
  await comeBack(tab);
  await tab.type({ text: 'submitted' });
  await pass(700);
  assert.deepEqual(sent(server), []);
  assert.equal(await tab.restore(), null);
  assert.equal(row(server)?.data, null);
});

test('a page in the cache whose last words were not heard meets what another one saved meanwhile as a conflict', async (t) => {
  const { server, tab, add } = await openDrafts(t, { from: keeping });
  await tab.type({ text: 'Dear' });
  await tab.is('saved', 'server');
  const down = server.on(SAVE, 503);
  await tab.type({ text: 'Dear Cy' });
  await tab.is('offline', 'device');
  await leave(server, tab);
  server.drafts?.put('ada', KEY, { data: { text: 'Dear Ben' } });
  const other = await add({ opens: KEY });
  await other.restore();
  assert.deepEqual(sides((await other.is('conflict')).conflict), ['Dear Cy', 'Dear Ben']);
  down.off(); // its last words have come by now
  await comeBack(tab);
  assert.deepEqual(sides((await tab.is('conflict')).conflict), ['Dear Cy', 'Dear Ben']);
  assert.deepEqual(row(server)?.data, { text: 'Dear Ben' });
});

test('a page that loads beside the one that left it dirty, and is closed then, uploads it once', async (t) => {
  const { server, tabs, add } = await openDrafts(t);
  await leaveOpened(server, tabs[0], { text: 'left' });
  const other = await add({ opens: KEY });
  await Promise.all([tabs[0].restore(), other.restore()]);
  await tabs[0].is('saved', 'server');
  await other.is('saved', 'server');
  assert.equal(
    new Set(saves(server).map((save) => save.json().saveId)).size,
    1,
    'it is one save, whoever sends it',
  );
  assert.deepEqual(row(server)?.data, { text: 'left' });
  await neverInConflict(tabs[0], other);
});

test('a page that comes back from the cache to another person sends nothing as theirs', async (t) => {
  const { server, context, tab } = await openDrafts(t, { from: keeping });
  await tab.type({ text: 'dear' });
  await tab.is('saved', 'server');
  await leave(server, tab);
  await signIn(context, server, 'ben');
  await comeBack(tab);
  await tab.type({ text: 'dear diary' });
  await tab.is('frozen');
  await tab.keeps('dear diary');
  await pass(700);
  assert.deepEqual([row(server)?.data, row(server, KEY, 'ben')], [{ text: 'dear' }, undefined]);
});

test('of three texts none is lost: what is decided later stands against what was decided first', async (t) => {
  const { server, tabs, add } = await openDrafts(t, { count: 3 });
  const down = server.on(SAVE, 503);
  for (const [i, text] of ['first', 'second', 'third'].entries()) {
    await tabs[i].type({ text });
    await tabs[i].is('offline', 'device');
  }
  for (const { page } of tabs) await page.close();
  const tab = await add({ opens: KEY });
  down.off(); // the last words of those that were closed have come by now
  await tab.restore();
  assert.deepEqual(sides((await tab.is('conflict')).conflict), ['third', 'second']);
  await tab.resolve({ merged: { text: 'third and second' } });
  await until(() => row(server)?.data.text === 'third and second');
  await tab.reload();
  await tab.restore();
  assert.deepEqual(sides((await tab.is('conflict')).conflict), ['first', 'third and second']);
  await tab.resolve({ merged: { text: 'all three' } });
  await until(() => row(server)?.data.text === 'all three');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'all three' });
  assert.equal((await tab.state()).conflict, null);
});

test('what a stranger says where tabs speak loses nothing', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await run(
    tab.page,
    (key) => {
      const channel = new BroadcastChannel('evenkeel:1:evenkeel:drafts');
      for (const stamp of [Number.NaN, -1, 1e300, 8.64e15, '7', null, {}])
        for (const owner of ['u:ada', 'u:ben', null, []])
          channel.postMessage({ says: 'cleared', owner, key, stamp });
      for (const word of [
        null,
        'cleared',
        7,
        [],
        { says: 'cleared' },
        { says: 'toString', owner: 'u:ada', key },
      ])
        channel.postMessage(word);
      channel.close();
    },
    KEY,
  );
  await pass(300);
  await tab.type({ text: 'ab' });
  const { status, conflict } = await tab.flush();
  if (status === 'conflict') assert.deepEqual(conflict.mine, { text: 'ab' });
  else assert.equal(status, 'saved');
  await tab.reload();
  await tab.restore();
  const state = await tab.state();
  assert.deepEqual(state.conflict?.mine ?? row(server)?.data, { text: 'ab' });
});

test('two apps of one origin, told apart by their names, know nothing of each other’s drafts', async (t) => {
  const { tab, add } = await openDrafts(t, { drafts: { endpoint: false } });
  const other = await add({ config: { name: 'other' } });
  await tab.type({ text: 'of one' });
  await tab.is('saved', 'device');
  assert.equal(await other.restore(), null);
  await other.type({ text: 'of the other' });
  await other.is('saved', 'device');
  await other.clear();
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'of one' });
});
