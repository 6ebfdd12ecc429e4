import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTombstone } from '../../js/draft-records.js';
import { KINDS, StabilityError } from '../../js/errors.js';
import { Device, ENDPOINT, givenDraft, left, settled } from './draft-world.js';

const NONE = -1;
const [DIRTY, SAME, NOWHERE, REFUSED] = [0, 1, 2, 3] as const;
const [ACCEPTED, OTHER_USER, STALE, SENT_REFUSED] = [0, 2, 20, 40] as const;
const [FROM_DEVICE, FROM_SERVER] = [1, 2] as const;
const [TEXT, CHANGES, OTHER, VOID, UNHEARD] = [1, 2, 4, 8, 16] as const;
const kind = (name: (typeof KINDS)[number]): number => KINDS.indexOf(name);
const copy = (data: unknown, rev = 7, saveId = 'w9.1') => ({
  rev,
  data,
  schemaVersion: 1,
  saveId,
  updatedAt: new Date(50),
});

test('update() costs nothing but a note', () => {
  const { draft, told } = givenDraft();
  let written = 0;
  draft.update({ toJSON: () => written++ });
  assert.deepEqual(told, [['edited', 0, 0, NONE]]);
  assert.equal(written, 0);
});

test('what the engine wants stored is on the device, without what is excluded', async () => {
  const { draft, device, says, last } = givenDraft({ exclude: ['note'] });
  draft.update({ title: 'Soup', note: 'mine', password: 'secret' });
  await says('store', 7);
  const { owner, text, base, dirty, endpoint } = device.record;
  assert.deepEqual([owner, text, base, dirty, endpoint], ['u:ada', '{"title":"Soup"}', 7, true, ENDPOINT]);
  assert.deepEqual(last('stored')![0], DIRTY);
});

test('what was stored is sent, and then confirmed: the same again is not news', async () => {
  const { draft, device, sent, says, answers, last } = givenDraft();
  draft.update({ title: 'Soup' });
  await says('store', NONE);
  answers(() => ({ rev: 7 }));
  await says('upload', 1, NONE);
  const { saveId } = device.record;
  assert.deepEqual(sent, [
    ['save', 'ada', { data: { title: 'Soup' }, schemaVersion: 1, saveId }, NONE, false, false],
  ]);
  assert.deepEqual(last('sent'), [1, ACCEPTED, 7]);
  draft.update({ title: 'Soup' });
  await says('store', 7);
  assert.equal(last('stored')![0], SAME);
  assert.deepEqual([device.record.dirty, device.record.base], [false, 7]);
});

test('while an upload is out, what was confirmed before it is news again', async () => {
  const { draft, says, answers, last } = givenDraft();
  answers(() => ({ rev: 7 }));
  draft.update('a');
  await says('store', NONE);
  await says('upload', 1, NONE);
  draft.update('b');
  await says('store', 7);
  answers(() => ({ sent: 60, error: new StabilityError('network') }));
  await says('upload', 2, 7);
  draft.update('a');
  await says('store', 7);
  assert.equal(last('stored')![0], DIRTY, 'b may be there');
});

test('what the server refused is not offered again as it is', async () => {
  const { draft, says, answers, last } = givenDraft();
  draft.update('a');
  await says('store', NONE);
  answers(() => ({
    sent: SENT_REFUSED + kind('invalid'),
    error: new StabilityError('invalid', { status: 422 }),
  }));
  await says('upload', 1, NONE);
  draft.update('a');
  await says('store', NONE);
  assert.equal(last('stored')![0], REFUSED + kind('invalid'));
  draft.update('b');
  await says('store', NONE);
  assert.equal(last('stored')![0], DIRTY);
});

test('what cannot be saved anywhere is said to be so', async () => {
  const { draft, says, shows, last } = givenDraft({ maxBytes: 10 });
  draft.update(1n);
  await says('store', NONE);
  assert.equal(last('stored')![0], REFUSED + kind('invalid'));
  draft.update('far too long for it');
  await says('store', NONE);
  assert.equal(last('stored')![0], REFUSED + kind('tooLarge'));
  shows('error', 'nowhere', kind('tooLarge'));
  assert.equal(draft.getSnapshot().error!.kind, 'tooLarge');
});

test('where the database fails the tail has it, and where both do it is on no device', async () => {
  const device = new Device();
  const { draft, says, shows, last } = givenDraft({}, { device });
  const full = new DOMException('full', 'QuotaExceededError');
  device.fails.put = full;
  draft.update('a');
  await says('store', NONE);
  assert.equal(last('stored')![0], DIRTY);
  assert.equal(device.tail.length, 1);
  device.fails.tail = true;
  draft.update('b');
  await says('store', NONE);
  assert.equal(last('stored')![0], NOWHERE);
  shows('error', 'device', kind('runtime'));
  const { error } = draft.getSnapshot();
  assert.deepEqual([error!.kind, error!.cause], ['tooLarge', full]);
  device.fails = {};
  draft.update('c');
  await says('store', NONE);
  assert.deepEqual([device.record.text, device.tail], ['"c"', []]);
});

test('a page that goes keeps its last words where it can, until the database has them', async () => {
  const { draft, device, line, says } = givenDraft();
  draft.update('a');
  await says('store', NONE);
  line.keep();
  assert.equal(device.tail.length, 0, 'they are safe');
  draft.update('b');
  line.keep();
  assert.equal((device.tail[0] as { text: string }).text, '"b"');
  await says('store', NONE);
  assert.deepEqual([device.record.text, device.tail], ['"b"', []]);
});

test('nothing is sent under a name that this tab knows to be stale', async () => {
  const world = givenDraft();
  const { draft, sent, says, last } = world;
  draft.update('a');
  await says('store', NONE);
  world.who = 'ben';
  await says('upload', 1, NONE);
  await says('read', 2);
  await says('clear', 3);
  assert.deepEqual(sent, []);
  assert.deepEqual([last('sent')![1], last('read')![1], last('gone')![1]], [OTHER_USER, 10, OTHER_USER]);
  assert.equal(last('owned')![0], 1);
  await says('store', NONE);
  assert.equal(world.device.record.owner, 'u:ada', 'it stays theirs');
});

test('what was typed before it was known who types is theirs', async () => {
  const world = givenDraft({}, { who: undefined });
  const { draft, device, line, says, last } = world;
  draft.update('a');
  await says('store', NONE);
  assert.equal(device.record.owner, 't:tab?');
  world.who = 'ada';
  line.look(false);
  assert.equal(last('owned')![0], 0);
  await says('store', NONE);
  assert.equal(device.record.owner, 'u:ada');
});

test("what nobody types is for this tab alone, and is not the next user's by itself", async () => {
  const world = givenDraft({}, { who: null });
  const { draft, device, sent, says, last } = world;
  draft.update('a');
  await says('store', NONE);
  await says('upload', 1, NONE);
  assert.equal(device.record.owner, 't:tab');
  assert.deepEqual([last('sent')![1], sent], [OTHER_USER, []]);
});

test('what a guest typed stays with this tab until it is typed on', async () => {
  const world = givenDraft({}, { who: null });
  const { draft, device, line, says } = world;
  draft.update('a');
  await says('store', NONE);
  world.who = 'ada';
  line.look(false);
  await says('store', NONE);
  assert.equal(device.record.owner, 't:tab');
  draft.update('ab');
  await says('store', NONE);
  assert.deepEqual([device.record.owner, device.record.text], ['u:ada', '"ab"']);
});

test("while somebody else is here a draft is kept as its own person's, and cleared by nobody", async () => {
  const world = givenDraft();
  const { draft, device, told, diagnostics, says } = world;
  draft.update('of ada');
  await says('store', NONE);
  world.who = 'ben';
  told.length = 0;
  draft.update('typed on');
  await draft.clear();
  assert.deepEqual(
    told.map(([what]) => what),
    ['owned', 'edited'],
  );
  assert.equal(diagnostics.snapshot().events.at(-1)!.type, 'draftOfAnother');
  await says('store', NONE);
  assert.deepEqual([device.record.owner, device.record.text], ['u:ada', '"typed on"']);
});

test('a write that is under way while its owner becomes known is left to nobody else', async () => {
  const world = givenDraft({}, { who: undefined });
  const { draft, device, line, says } = world;
  draft.update('a');
  const written = says('store', NONE);
  world.who = 'ada';
  line.look(false);
  await written;
  draft.update('ab');
  await says('store', NONE);
  assert.equal(device.record.owner, 'u:ada', 'and nothing else is there');
});

test('a page that only writes tells the server of a clear that it has not heard of', async () => {
  const { draft, device, says, told } = givenDraft();
  device.database.push({
    ...{ v: 1, owner: 'u:ada', key: 'meal', writer: '', stamp: 5, tomb: true, unheard: true },
    ...{ at: 1, expires: 8e15, endpoint: ENDPOINT },
  });
  draft.update('b');
  await says('store', NONE);
  assert.deepEqual(
    told.slice(-2).map(([what, a]) => [what, a]),
    [
      ['loaded', UNHEARD],
      ['stored', DIRTY],
    ],
  );
});

test('a third text is still there when a conflict of two others is decided', async () => {
  const device = new Device();
  const three = left({ writer: 'w3', stamp: 4, text: '"three"', saveId: 'w3.1', lineage: { w3: 1 } });
  device.database = [left({ text: '"two"' }), three];
  const { draft, says, shows, answers } = givenDraft({}, { device });
  answers(() => ({ rev: 7, copy: copy('theirs') }));
  void draft.restore();
  await says('load');
  await says('read', 1);
  await says('restored', FROM_DEVICE);
  shows('conflict', 'device', NONE, 0);
  void draft.resolve('mine');
  await says('store', 7);
  assert.deepEqual(device.database.map((one) => !isTombstone(one) && one.text).sort(), ['"three"', '"two"']);
});

test('a clear elsewhere is heard of before the write that found it', async () => {
  const { draft, device, told, says, shows } = givenDraft();
  draft.update('a');
  await says('store', NONE);
  device.database.push({
    ...{ v: 1, owner: 'u:ada', key: 'meal', writer: '', stamp: 9_000, tomb: true, unheard: false },
    ...{ at: 1, expires: 8e15, endpoint: ENDPOINT },
  });
  draft.update('b');
  shows('saving');
  await says('store', NONE);
  assert.deepEqual(
    told.slice(-2).map(([what]) => what),
    ['clearedElsewhere', 'stored'],
  );
});

test('what was submitted is kept by no later update() with the same data', async () => {
  const { draft, device, says, last, told } = givenDraft();
  draft.update('a');
  await says('store', NONE);
  const cleared = draft.clear();
  assert.equal(told.at(-1)![0], 'clear');
  await says('bury');
  draft.update('a');
  await says('store', NONE);
  assert.equal(last('stored')![0], SAME);
  assert.ok(device.database.every(isTombstone));
  await says('cleared');
  await cleared;
  draft.update('b');
  await says('store', 8);
  assert.deepEqual([device.record.text, last('stored')![0]], ['"b"', DIRTY]);
});

test('a tombstone is told of until the server has heard of it', async () => {
  const { draft, device, says, answers, last } = givenDraft();
  draft.update('a');
  void draft.clear();
  await says('bury');
  await says('load');
  assert.equal(last('loaded')![0], UNHEARD);
  answers(() => ({ rev: 9 }));
  await says('clear', 1);
  assert.deepEqual(last('gone'), [1, ACCEPTED, 9]);
  await says('load');
  assert.equal(last('loaded')![0], 0);
  assert.ok(device.database.every((one) => isTombstone(one) && !one.unheard));
});

test('a clear that another tab has told is not told again', async () => {
  const { draft, device, sent, says, answers, last } = givenDraft();
  draft.update('a');
  void draft.clear();
  await says('bury');
  answers(() => ({ sent: 60 }));
  await says('clear', 1);
  assert.equal(sent.length, 1);
  device.database = device.database.map((one) => (isTombstone(one) ? { ...one, rev: 9 } : one));
  await says('clear', 2);
  assert.equal(sent.length, 1);
  assert.deepEqual(last('gone'), [2, ACCEPTED, 9]);
});

test('what comes back on purpose is kept, though it was submitted once', async () => {
  const device = new Device();
  const { draft, says, last } = givenDraft({}, { device });
  draft.update('left');
  void draft.clear();
  await says('bury');
  device.database.push(left({ since: 9_000, stamp: 9_000 }));
  await says('load');
  await says('restored', FROM_DEVICE);
  await says('store', NONE);
  assert.deepEqual([device.record.text, last('stored')![0]], ['"left"', DIRTY]);
});

test('what this device and the server have is told as it relates to each other', async () => {
  const device = new Device();
  device.database = [left({ text: '{"a":1,"b":2}', base: 6 })];
  const { says, answers, last } = givenDraft({}, { device });
  const [STANDS, IS_SAME, IS_OWN, IS_BOTH] = [5, 6, 7, 8];
  for (const [data, saveId, remote] of [
    [{ a: 2 }, 'w9.1', STANDS],
    [{ b: 2, a: 1 }, 'w9.1', IS_SAME],
    [{ a: 2 }, 'w1.1', IS_OWN],
    [{ a: 2 }, 'w1.2', STANDS],
    [{ a: 1, b: 2 }, 'w1.1', IS_BOTH],
  ] as const) {
    answers(() => ({ rev: 7, copy: copy(data, 7, saveId) }));
    await says('load');
    await says('read', 1);
    assert.deepEqual(last('loaded'), [TEXT + CHANGES, 6, NONE]);
    assert.deepEqual(last('read'), [1, remote, 7], saveId);
  }
});

test('two texts of two tabs are told of, and one from before a clear is', async () => {
  const device = new Device();
  device.database = [
    left({}),
    left({ writer: 'w2', stamp: 6, text: '"two"', saveId: 'w2.1', lineage: { w2: 1 } }),
  ];
  const first = givenDraft({}, { device });
  await first.says('load');
  assert.equal(first.last('loaded')![0], TEXT + CHANGES + OTHER);
  device.database = [
    left({}),
    {
      ...{ v: 1, owner: 'u:ada', key: 'meal', writer: '', stamp: 6, tomb: true, unheard: false },
      ...{ at: 1, expires: 8e15, endpoint: ENDPOINT },
    },
  ];
  const second = givenDraft({}, { device });
  await second.says('load');
  assert.equal(second.last('loaded')![0], TEXT + CHANGES + VOID);
  second.shows('conflict', 'nowhere', NONE, 2);
  await second.says('store', NONE);
  assert.ok(device.record.since < 6, 'it stays one from before');
});

test('restore() gives what the device has, and the same from update() is not written anew', async () => {
  const device = new Device();
  device.database = [left({ text: '{"a":1}', dirty: false, base: 6 })];
  const { draft, says, last, sent } = givenDraft({}, { device });
  const asked = draft.restore();
  await says('load');
  await says('restored', FROM_DEVICE);
  assert.deepEqual(await asked, { data: { a: 1 }, updatedAt: new Date(5), source: 'device' });
  draft.update({ a: 1 });
  await says('store', 6);
  assert.equal(last('stored')![0], SAME);
  assert.deepEqual(sent, []);
  assert.equal(device.record.at, 5, 'it is no younger');
});

test('restore() gives null when the app has it already, and whoever asks meanwhile gets the same', async () => {
  const device = new Device();
  device.database = [left({ text: '{"a":1,"b":2}' })];
  const { draft, told, says } = givenDraft({}, { device });
  draft.update({ b: 2, a: 1 });
  const both = Promise.all([draft.restore(), draft.restore()]);
  assert.equal(told.filter(([what]) => what === 'restore').length, 1);
  await says('load');
  await says('restored', FROM_DEVICE);
  assert.deepEqual(await both, [null, null]);
});

test('what somebody types while it is restored stays what the page holds', async () => {
  const device = new Device();
  const { draft, says, answers } = givenDraft({}, { device });
  answers(() => ({ rev: 7, copy: copy('theirs') }));
  const asked = draft.restore();
  await says('load');
  await says('read', 1);
  draft.update('mine');
  await says('restored', FROM_SERVER);
  assert.equal((await asked)!.data, 'theirs');
  await says('store', NONE);
  assert.equal(device.record.text, '"mine"');
});

test('both texts of a conflict are shown, the identical object until one of them changes', async () => {
  const { draft, says, shows, answers, notices } = givenDraft();
  draft.update('mine');
  await says('store', 6);
  answers(() => ({ sent: STALE, rev: 7, copy: copy('theirs') }));
  await says('upload', 1, 6);
  shows('conflict', 'device', NONE, 0);
  const { conflict } = draft.getSnapshot();
  assert.deepEqual(conflict, { mine: 'mine', theirs: 'theirs', theirsUpdatedAt: new Date(50) });
  shows('conflict', 'device', NONE, 0);
  assert.equal(draft.getSnapshot().conflict, conflict);
  draft.update('mine too');
  assert.equal(draft.getSnapshot().conflict, conflict, 'not with each key');
  await says('store', 6);
  assert.equal(draft.getSnapshot().conflict!.mine, 'mine too');
  assert.deepEqual(notices, ['draftConflict']);
});

for (const [choice, text, outcome] of [
  ['mine', '"mine"', DIRTY],
  ['theirs', '"theirs"', SAME],
  [{ merged: 'both' }, '"both"', DIRTY],
] as const) {
  test(`the person decides a conflict: ${JSON.stringify(choice)}`, async () => {
    const { draft, device, says, shows, answers, last } = givenDraft();
    draft.update('mine');
    await says('store', 6);
    answers(() => ({ sent: STALE, rev: 7, copy: copy('theirs') }));
    await says('upload', 1, 6);
    shows('conflict', 'device', NONE, 0);
    const decided = draft.resolve(choice);
    await settled();
    assert.equal(last('resolve')![0], Number(choice === 'theirs'));
    await says('store', 7);
    assert.deepEqual([device.record.text, last('stored')![0]], [text, outcome]);
    assert.ok('w9' in device.record.lineage, 'it was seen');
    shows('saved', 'server');
    await says('flushed');
    assert.equal((await decided).status, 'saved');
  });
}

test('a choice that is none decides nothing', async () => {
  const { draft, told } = givenDraft();
  for (const choice of [undefined, null, 'ours', 5, {}])
    await assert.rejects(draft.resolve(choice as never), TypeError);
  assert.deepEqual(told, []);
});

test('an engine that takes the place of another is told what is unsaved, and not what that one asked for', async () => {
  const world = givenDraft();
  const { draft, line, told, opened, says, answers } = world;
  draft.update('a');
  await says('store', 6);
  let go = (): void => {};
  answers(() => new Promise((resolve) => (go = () => resolve({ rev: 7 }))));
  await says('upload', 1, 6);
  const flushed = draft.flush();
  const { engine } = world;
  world.engine = undefined;
  draft.update('b');
  world.engine = engine;
  told.length = 0;
  line.begin();
  go();
  await settled();
  assert.deepEqual(opened.at(-1), [1, 2_000, 10_000, true, 0, 6, true]);
  assert.deepEqual(
    told.map(([what]) => what),
    ['flush'],
  );
  await says('flushed');
  await flushed;
});

test('what happened before there is an engine is told in its order', async () => {
  const world = givenDraft();
  const { draft, line, told, opened } = world;
  const { engine } = world;
  world.engine = undefined;
  draft.update('a');
  void draft.clear();
  draft.update('b');
  void draft.restore();
  void draft.flush();
  assert.equal(draft.getSnapshot().status, 'dirty');
  world.engine = engine;
  line.begin();
  assert.equal(opened.at(-1)!.at(-1), false, 'what was cleared is not unsaved');
  assert.deepEqual(
    told.map(([what]) => what),
    ['clear', 'edited', 'restore', 'flush'],
  );
});

test('after dispose() nothing is taken, and nobody waits', async () => {
  const world = givenDraft();
  const { draft, told, diagnostics, says } = world;
  draft.update('a');
  const waiting = [draft.flush(), draft.restore()];
  draft.dispose();
  draft.dispose();
  assert.deepEqual([told.filter(([what]) => what === 'close').length, world.freed], [1, 1]);
  assert.equal(await waiting[1], null);
  draft.update('b');
  assert.equal(diagnostics.snapshot().events.at(-1)!.type, 'draftDisposed');
  await says('store', NONE);
  assert.equal(world.device.record.text, '"a"', 'what is pending is saved');
  assert.equal(await draft.restore(), null);
  await draft.flush();
  await says('closed');
  await waiting[0];
  assert.equal(world.closed, 1);
});

test('a client that ends keeps what was typed, and hears nothing more', async () => {
  const { draft, device, line, told, says } = givenDraft();
  draft.update('a');
  const waiting = Promise.all([draft.flush(), draft.restore(), draft.clear()]);
  draft.update('b');
  line.end();
  await waiting;
  assert.equal((device.tail[0] as { text: string }).text, '"b"');
  const before = told.length;
  draft.update('c');
  await says('store', NONE);
  assert.equal(told.length, before);
});

test('diagnostics know of no key and no data', async () => {
  const { draft, diagnostics, says, shows } = givenDraft();
  draft.update('secret words');
  shows('saving');
  await says('store', NONE);
  shows('saved', 'device');
  const text = JSON.stringify(diagnostics.snapshot());
  assert.match(text, /"type":"draft","status":"saved","savedTo":"device"/);
  assert.doesNotMatch(text, /secret|meal/);
});
