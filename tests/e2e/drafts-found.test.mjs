// What an earlier page left on the device: garbage, old and new schemas, what has expired.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, quiet, row } from './drafts.mjs';
import { DATABASE, HERE, item, place, plant, record, records } from './stored-drafts.mjs';

test('garbage in both storages is survived, read by nobody, and swept', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  const good = record();
  const garbage = [null, 'text', 7, [], { v: 1 }, { ...good, text: 1 }, { ...good, lineage: null }];
  const keys = garbage.map((_, at) => ['u:ada', KEY, `g${at}`]);
  await plant(
    tab.page,
    [
      ...garbage.map((value, at) => [keys[at], value]),
      [['u:ada', KEY, ''], { tomb: true, stamp: 1e300 }],
      ['elsewhere', good],
      [['u:ada', KEY, 'foreign'], record({ writer: 'foreign', owner: 'u:ben', text: '{"text":"of ben"}' })],
      [['u:ada', KEY, 'cut'], record({ writer: 'cut', text: '{"text":"cu' })],
    ],
    {
      [item('u:ada', KEY, 't1')]: '{"v":1,',
      [item('u:ada', KEY, 't2')]: JSON.stringify({ ...good, writer: 't2', stamp: 'late' }),
      [item('u:ada', KEY, 't3')]: JSON.stringify(record({ writer: 't4', text: '{"text":"moved"}' })),
      [`${DATABASE}:draft:["`]: 'x'.repeat(100_000),
    },
  );
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await tab.type({ text: 'typed' });
  await tab.is('saved', 'device');
  await until(async () => !/t1|t2|"x{100}/.test(await tab.device()));
  await until(async () =>
    (await records(tab)).every((one) => typeof one === 'object' && one?.v === 1 && one.key),
  );
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, { text: 'typed' });
});

test('whatever lies in a record, opening and typing throw nothing', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  const values = [null, -1, 0, 1.5, 8.64e15, 1e308, '', 'x', '__proto__', true, [], {}, { constructor: 1 }];
  const texts = ['null', '0', '""', '[]', '{"__proto__":{"text":1}}', '{"constructor":null}', '{', '\u0000'];
  const mutants = Object.keys(record()).flatMap((name) =>
    (name === 'text' ? [...values, ...texts] : values).map((value) => record({ [name]: value })),
  );
  const deep = record({ text: '['.repeat(200_000) + ']'.repeat(200_000) });
  let at = 0;
  for (const mutant of [deep, ...mutants]) {
    const key = `k${++at % 40}`;
    mutant.key = mutant.key === KEY ? key : mutant.key;
    const writer = `m${at}`;
    mutant.writer = mutant.writer === 'earlier' ? writer : mutant.writer;
    mutants[at - 1] = mutant;
  }
  await plant(
    tab.page,
    mutants.map((mutant, at) => [['u:ada', `k${(at + 1) % 40}`, `m${at + 1}`], mutant]),
    Object.fromEntries(
      mutants
        .slice(0, 100)
        .map((mutant, at) => [
          item('u:ada', `k${(at + 1) % 40}`, `m${at + 1}`),
          JSON.stringify(mutant).slice(0, 2_000),
        ]),
    ),
  );
  await tab.reload();
  const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
  for (const key of keys) {
    await tab.restore(key);
    await tab.type({ text: key }, key);
  }
  for (const key of keys) {
    const { status } = await tab.flush(key);
    assert.match(status, /saved|conflict/);
    if (status === 'conflict') assert.equal((await tab.resolve('mine', key)).status, 'saved');
  }
});

test('what a newer version of the library wrote is left to it', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  const newer = { ...record({ writer: 'newer', text: '{"text":"newer"}' }), v: 2 };
  await plant(tab.page, [[place(newer), newer]], { [item('u:ada', KEY, 'newer')]: JSON.stringify(newer) });
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await tab.type({ text: 'typed' });
  await tab.is('saved', 'device');
  await tab.clear();
  assert.ok(await quiet(async () => String((await tab.device()).includes('newer')), 2_500));
  assert.ok((await tab.device()).includes('newer'));
});

test('a text of an older schema is migrated', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  await plant(tab.page, [[place(record()), record({ text: '{"line":"old"}' })]]);
  await tab.reload();
  const restored = await run(
    tab.page,
    async (key) => {
      const draft = window.app.draft(key, {
        schemaVersion: 3,
        migrate: ({ line }, from) => ({ text: `${line} of ${from}`, password: 'made up' }),
      });
      const restored = await draft.restore();
      draft.update(restored.data);
      await draft.flush();
      return restored;
    },
    KEY,
  );
  assert.deepEqual(restored.data, { text: 'old of 1' });
  assert.equal(restored.source, 'device');
  await until(async () => (await records(tab)).every(({ schema }) => schema === 3));
  const kept = await records(tab);
  assert.deepEqual(
    kept.map(({ schema, text }) => [schema, text]),
    [[3, '{"text":"old of 1"}']],
  );
});

test('a text of an older schema that nobody migrates is dropped, and what migrate throws is heard', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  const keys = ['none', 'null', 'throws'];
  await plant(
    tab.page,
    keys.map((key) => [place(record({ key })), record({ key })]),
  );
  await tab.reload();
  const restored = await run(tab.page, async () => {
    const boom = () => {
      throw new Error('of migrate');
    };
    const options = { none: undefined, null: () => null, throws: boom };
    return Promise.all(
      Object.entries(options).map(([key, migrate]) =>
        window.app.draft(key, { schemaVersion: 2, migrate }).restore(),
      ),
    );
  });
  assert.deepEqual(restored, [null, null, null]);
  await until(async () => !(await records(tab)).length);
  await until(() => tab.page.problems.length);
  assert.equal(tab.page.problems.length, 1);
  assert.match(tab.page.problems.pop().text, /of migrate/);
});

test('a text of a newer schema is neither read nor dropped', async (t) => {
  const { tab } = await openDrafts(t, HERE);
  const newer = record({ schema: 2, text: '{"text":"newer"}' });
  await plant(tab.page, [[place(newer), newer]]);
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await tab.type({ text: 'older' });
  await tab.is('saved', 'device');
  await tab.reload();
  await tab.open({ schemaVersion: 2, migrate: undefined });
  assert.deepEqual((await tab.restore()).data, { text: 'newer' });
});

test('what has expired is swept, and does not come back', async (t) => {
  const ttlMs = 600_000;
  const { tab } = await openDrafts(t, { drafts: { endpoint: false, ttlMs } });
  for (const key of ['never opened again', KEY]) {
    await tab.type({ text: 'for a while' }, key);
    await tab.is('saved', 'device', key);
  }
  const left = record({ key: 'tail', writer: 'w1', text: '{"text":"for a while"}' });
  await plant(tab.page, [], {
    [item(left.owner, left.key, left.writer)]: JSON.stringify({ ...left, expires: Date.now() + ttlMs }),
  });
  const device = await tab.device();
  assert.equal(device.split('for a while').length, 1 + 3);
  await tab.page.addInitScript((ttlMs) => {
    const { now } = Date;
    Date.now = () => now() + ttlMs + 60_000;
  }, ttlMs);
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await until(async () => !(await tab.device()).includes('for a while'));
});

test('a clock that was set back makes nothing old new', async (t) => {
  const { tab, add } = await openDrafts(t, HERE);
  await tab.type({ text: 'old' });
  await tab.is('saved', 'device');
  await tab.page.close();
  const back = await add({
    beforeLoad: (page) =>
      page.addInitScript(() => {
        const { now } = Date;
        Date.now = () => now() - 86_400_000;
      }),
  });
  assert.deepEqual((await back.restore()).data, { text: 'old' });
  await back.type({ text: 'new' });
  await back.is('saved', 'device');
  const next = await add();
  assert.deepEqual((await next.restore()).data, { text: 'new' });
  await back.clear();
  const last = await add();
  assert.equal(await last.restore(), null);
});

test('what an earlier page left in the tail alone is brought to the server, opened or not', async (t) => {
  const { server, tab } = await openDrafts(t);
  const left = record({ text: '{"text":"left"}', endpoint: `${server.origin}/api/drafts` });
  await plant(tab.page, [], { [item(left.owner, left.key, left.writer)]: JSON.stringify(left) });
  await tab.reload();
  await until(() => row(server)?.data.text === 'left');
  await until(() => run(tab.page, () => !Object.keys(localStorage).some((name) => name.includes(':draft:'))));
});
