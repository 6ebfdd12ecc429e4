import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import {
  condition,
  KEY,
  leaveOpened,
  openDrafts,
  pass,
  READ,
  row,
  SAVE,
  SLOW,
  saves,
  sent,
} from './drafts.mjs';

test('where there is nothing, nothing is restored', async (t) => {
  const { server, tab } = await openDrafts(t);
  assert.equal(await tab.restore(), null);
  const { status, savedTo, lastSaved, error, conflict } = await tab.state();
  assert.deepEqual([status, savedTo, lastSaved, error, conflict], ['idle', 'nowhere', null, null, null]);
  assert.equal(server.requestsTo(READ).length, 1);
  assert.equal(server.requestsTo(READ)[0].queryValue('key'), KEY);
});

test('nothing is restored by itself', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'from there' } });
  await tab.open();
  await pass(500);
  assert.equal(server.requestsTo(READ).length, 0);
  assert.equal((await tab.state()).status, 'idle');
});

test('what equals what was last given to update() is not restored', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a', to: ['Ben', { name: 'Cy' }] } });
  const restored = await run(
    tab.page,
    (key) => {
      const draft = window.draft(key);
      draft.update({ to: ['Ben', { name: 'Cy' }], text: 'a' });
      return draft.restore(); // in one go: what is typed is not sent before
    },
    KEY,
  );
  assert.equal(restored, null);
  await tab.is('saved', 'server');
  assert.deepEqual(sent(server), []);
});

test("what the app's own comparison finds equal is not restored", async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a', scrolled: 400 } });
  await tab.page.evaluate(() => {
    const isEqual = (/** @type {any} */ one, /** @type {any} */ other) => one.text === other.text;
    window.draft('letter', { isEqual });
  });
  await tab.type({ text: 'a', scrolled: 0 });
  assert.equal(await tab.restore(), null);
  assert.equal((await tab.state()).conflict, null);
});

test('what was restored and is given to update() unchanged is not sent again', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a', to: 'Ben' } });
  const { data } = await tab.restore();
  await tab.type(data);
  await tab.is('saved', 'server');
  await pass(700);
  assert.deepEqual(sent(server), []);
});

test('what was restored from the device and is given to update() unchanged is sent once', async (t) => {
  const { server, tab } = await openDrafts(t);
  await leaveOpened(server, tab, { text: 'a' });
  const { data } = await tab.restore();
  await tab.type(data);
  await tab.is('saved', 'server');
  await pass(700);
  assert.deepEqual(sent(server), [{ text: 'a' }]);
});

test('a copy that is clean on the device and equal on the server has source server, and is saved there', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'a' });
  await tab.is('saved', 'server');
  await tab.reload();
  const restored = await tab.restore();
  assert.deepEqual([restored.data, restored.source], [{ text: 'a' }, 'server']);
  const { savedTo, lastSaved } = await tab.is('saved', 'server');
  assert.equal(savedTo, 'server');
  assert.equal(Date.parse(lastSaved), row(server)?.savedAt);
  assert.deepEqual(tab.said, [], 'no notice: nothing was in danger');
});

test('what only the device has is told of once, with when it was saved there', async (t) => {
  const { server, tab } = await openDrafts(t);
  const before = Date.now();
  await leaveOpened(server, tab, { text: 'a' });
  const after = Date.now();
  const { source, updatedAt } = await tab.restore();
  assert.equal(source, 'device');
  assert.ok(Date.parse(updatedAt) >= before && Date.parse(updatedAt) <= after, updatedAt);
  await until(() => tab.said.includes('draftRestored'));
  await tab.restore();
  assert.deepEqual(
    tab.said.filter((kind) => kind === 'draftRestored'),
    ['draftRestored'],
  );
});

test('several who ask at once get the same, by one request', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a' } });
  server.on(READ, { pass: true, delayMs: 200 });
  const all = await run(tab.page, () => {
    const draft = window.draft('letter');
    return Promise.all([draft.restore(), draft.restore(), draft.restore()]);
  });
  assert.equal(all[0].data.text, 'a');
  assert.deepEqual([all[1], all[2]], [all[0], all[0]]);
  assert.equal(server.requestsTo(READ).length, 1);
});

test('asked twice, it is restored twice, as the server has it then', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a' } });
  assert.deepEqual((await tab.restore()).data, { text: 'a' });
  assert.deepEqual((await tab.restore()).data, { text: 'a' });
  server.drafts?.put('ada', KEY, { data: { text: 'b' } });
  assert.deepEqual((await tab.restore()).data, { text: 'b' });
  assert.equal((await tab.state()).conflict, null);
});

test('what the app does to what it was given changes nothing that is kept', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a', to: ['Ben'] } });
  const again = await run(tab.page, async () => {
    const draft = window.draft('letter');
    const first = await draft.restore();
    first.data.text = 'spoilt';
    first.data.to.push('Cy');
    return (await draft.restore()).data;
  });
  assert.deepEqual(again, { text: 'a', to: ['Ben'] });
});

test('data of an older schema at the server is migrated, and saved as the newer one with the next change', async (t) => {
  const { server, tab } = await openDrafts(t);
  const rev = server.drafts?.put('ada', KEY, { data: { text: 'a' }, schemaVersion: 3 });
  await tab.page.evaluate(() => {
    const migrate = (/** @type {any} */ { text }, /** @type {number} */ from) => ({ pages: [text], from });
    window.draft('letter', { schemaVersion: 5, migrate });
  });
  const restored = await tab.restore();
  assert.deepEqual([restored.data, restored.source], [{ pages: ['a'], from: 3 }, 'server']);
  await tab.type({ pages: ['a', 'b'] });
  await tab.is('saved', 'server');
  assert.deepEqual([row(server)?.data, row(server)?.schemaVersion], [{ pages: ['a', 'b'] }, 5]);
  assert.equal(condition(server), `"${rev}"`);
});

for (const [how, migrate] of /** @type {Array<[string, string]>} */ ([
  ['gives null', '() => null'],
  ['is not there', 'undefined'],
])) {
  test(`of an older schema, where migrate ${how}, nothing comes back from the device`, async (t) => {
    const { server, tab } = await openDrafts(t, { drafts: { endpoint: false } });
    await tab.type({ text: 'of old' });
    await tab.is('saved', 'device');
    await tab.reload();
    await tab.page.evaluate(`void window.draft('letter', { schemaVersion: 2, migrate: ${migrate} })`);
    assert.equal(await tab.restore(), null);
    await until(async () => !(await tab.device()).includes('of old'));
    await tab.reload();
    assert.equal(await tab.restore(), null, 'it was dropped');
    assert.deepEqual(server.requestsTo('/api/drafts'), []);
  });
}

test('a migrate that throws restores nothing, and its error is reported', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { endpoint: false } });
  await tab.type({ text: 'of old' });
  await tab.is('saved', 'device');
  await tab.reload();
  await tab.page.evaluate(() => {
    const migrate = () => {
      throw new TypeError('no such page');
    };
    window.draft('letter', { schemaVersion: 2, migrate });
  });
  assert.equal(await tab.restore(), null);
  await until(() => tab.page.problems.some(({ text }) => text.includes('no such page')));
  tab.page.problems.length = 0;
  await tab.type({ text: 'anew' });
  await tab.is('saved', 'device');
});

test('data of a newer schema on the device is neither read nor dropped: the newer page finds it', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { endpoint: false } });
  await tab.open({ schemaVersion: 2 });
  await tab.type({ pages: ['of tomorrow'] });
  await tab.is('saved', 'device');
  await tab.reload();
  await tab.open({ schemaVersion: 1 });
  assert.equal(await tab.restore(), null);
  await tab.reload();
  await tab.open({ schemaVersion: 2 });
  assert.deepEqual((await tab.restore()).data, { pages: ['of tomorrow'] });
});

test('excluded fields are missing in what comes back, from the device and from the server', async (t) => {
  const { server, tab } = await openDrafts(t);
  const exclude = ['code', 'cards.*.pin'];
  await tab.open({ exclude });
  server.drafts?.put('ada', KEY, {
    data: { text: 'a', Password: 'x', at: { code: 'y', cards: 1 }, cards: [{ pin: 'z', name: 'n' }] },
  });
  const cleaned = { text: 'a', at: { cards: 1 }, cards: [{ name: 'n' }] };
  assert.deepEqual((await tab.restore()).data, cleaned);
  server.on(SAVE, 503);
  await tab.type({ text: 'b', password: 'x', at: { code: 'y' }, cards: [{ pin: 'z', name: 'n' }] });
  await tab.is('offline', 'device');
  await tab.reload(KEY, JSON.stringify({ exclude }));
  assert.deepEqual((await tab.restore()).data, { text: 'b', at: {}, cards: [{ name: 'n' }] });
});

test('with no endpoint it is restored from the device, and nobody is asked', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { endpoint: false } });
  const typedAt = await tab.type({ text: 'a' });
  const { lastSaved } = await tab.is('saved', 'device');
  await tab.reload();
  const restored = await tab.restore();
  assert.deepEqual([restored.data, restored.source], [{ text: 'a' }, 'device']);
  const updatedAt = Date.parse(restored.updatedAt);
  assert.ok(updatedAt >= typedAt && updatedAt <= Date.parse(lastSaved), restored.updatedAt);
  await tab.is('saved', 'device');
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});

test('a server that never answers is waited for within bounds, and what the device has is restored', async (t) => {
  const { server, tab } = await openDrafts(t, { config: { api: { timeoutMs: 800 } } });
  await leaveOpened(server, tab, { text: 'a' });
  server.on(READ, 'hang');
  const [{ data }, ms] = await run(
    tab.page,
    async (key) => {
      const began = performance.now();
      return [await window.draft(key).restore(), performance.now() - began];
    },
    KEY,
  );
  assert.deepEqual(data, { text: 'a' });
  assert.ok(ms < 7_000, `${ms} ms`);
});

test('a copy of the server that is none is not restored', async (t) => {
  const { server, tab } = await openDrafts(t);
  for (const body of [
    { rev: -1, data: { text: 'x' }, schemaVersion: 1, saveId: 'a.1' },
    { rev: 7, data: { text: 'x' }, schemaVersion: 'one', saveId: 'a.1' },
    { rev: 7, schemaVersion: 1 },
    [],
    'null',
    '{"rev":',
  ]) {
    server.on(READ, { body });
    assert.equal(await tab.restore(), null, JSON.stringify(body));
    assert.equal((await tab.state()).conflict, null);
  }
});

test('restore() after dispose() settles with nothing', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'a' } });
  const restored = await run(tab.page, async () => {
    const draft = window.app.draft('letter');
    const early = draft.restore();
    draft.dispose();
    return [await early, await draft.restore()];
  });
  assert.equal(restored[1], null);
});

test('what has been restored is on the device of this page, too: what is typed next goes on from it', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const rev = server.drafts?.put('ada', KEY, { data: { text: 'a' } });
  await tab.restore();
  await tab.type({ text: 'ab' });
  await tab.flush();
  assert.equal(condition(server), `"${rev}"`);
  assert.equal(saves(server).length, 1);
  assert.deepEqual(row(server)?.data, { text: 'ab' });
});

test('with no network it is restored from the device, and the server is asked later', async (t) => {
  const { server, context, tab } = await openDrafts(t);
  await leaveOpened(server, tab, { text: 'a' });
  await context.setOffline(true);
  assert.deepEqual((await tab.restore()).data, { text: 'a' });
  assert.equal((await tab.is('offline', 'device')).error.kind, 'offline');
  await context.setOffline(false);
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, { text: 'a' });
});

test('excluded fields are in neither side of a conflict, and in no merged text', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'theirs', password: 'hidden word' } });
  await tab.type({ text: 'mine', password: 'hidden word' });
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ text: 'mine' }, { text: 'theirs' }]);
  assert.equal((await tab.resolve({ merged: { text: 'both', password: 'hidden word' } })).status, 'saved');
  assert.deepEqual(row(server)?.data, { text: 'both' });
  assert.ok(!(await tab.device()).includes('hidden word'));
});

test('a save that meets a copy of an older schema has a conflict with it as this page takes it', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { text: 'theirs' }, schemaVersion: 1 });
  await tab.page.evaluate(() => {
    const migrate = (/** @type {any} */ { text }) => ({ pages: [text] });
    window.draft('letter', { schemaVersion: 2, migrate });
  });
  await tab.type({ pages: ['mine'] });
  const { conflict } = await tab.is('conflict');
  assert.deepEqual([conflict.mine, conflict.theirs], [{ pages: ['mine'] }, { pages: ['theirs'] }]);
  assert.equal((await tab.resolve('mine')).status, 'saved');
  assert.deepEqual([row(server)?.data, row(server)?.schemaVersion], [{ pages: ['mine'] }, 2]);
});

test('a save that meets a copy of a newer schema writes over nothing, and goes on on the device', async (t) => {
  const { server, tab } = await openDrafts(t);
  server.drafts?.put('ada', KEY, { data: { pages: ['of tomorrow'] }, schemaVersion: 2 });
  await tab.type({ text: 'of today' });
  await server.waitFor(SAVE);
  await tab.type({ text: 'of today, and more' });
  await tab.keeps('of today, and more');
  await pass(700);
  assert.equal((await tab.state()).conflict, null);
  assert.deepEqual([saves(server).length, row(server)?.data], [1, { pages: ['of tomorrow'] }]);
});
