import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  choose,
  createRead,
  type DraftRecord,
  equalJson,
  isOwn,
  isSpent,
  type Lineage,
  readRecord,
  type Stored,
} from '../../js/draft-records.js';
import { seeded } from './seeded.js';
import { NOW, record, tombstone, WEEK } from './stored-drafts.js';

const saying = (text: string, given: Partial<DraftRecord> = {}): DraftRecord =>
  record({ text: JSON.stringify({ text }), ...given });

const asIs = createRead(1, undefined, (data) => data);

/** What is chosen, by what it says. */
function chosen(found: Stored[], { now = NOW, schema = 1, read = asIs } = {}) {
  const { local, other, isVoid, tombstone, drop, absorbed } = choose(found, now, schema, read);
  const said = (data: unknown): unknown => (data as { text?: unknown } | undefined)?.text;
  const names = (records: Stored[]): string[] => records.map(({ writer }) => writer || 'tombstone').sort();
  return {
    local: said(local?.data),
    other: said(other?.data),
    isVoid,
    unheard: tombstone?.unheard,
    drop: names(drop),
    absorbed: names(absorbed),
  };
}

const NOTHING = {
  local: undefined,
  other: undefined,
  isVoid: false,
  unheard: undefined,
  drop: [],
  absorbed: [],
};

test('what this version wrote is read, also when it comes back as JSON', () => {
  const whole = [
    record(),
    tombstone(),
    tombstone({ rev: 7 }),
    record({ base: 7, dirty: false, endpoint: null, lineage: {}, expires: NOW + 0.5 }),
  ];
  for (const one of whole) {
    assert.equal(readRecord(one), one);
    assert.deepEqual(readRecord(JSON.parse(JSON.stringify(one))), one);
  }
});

test('what is no record of this version is not read', () => {
  for (const value of [
    undefined,
    null,
    1,
    'x',
    true,
    [],
    {},
    [record()],
    { tomb: true },
    new Date(),
    new Map(),
  ])
    assert.equal(readRecord(value), undefined);
  const hostile: Record<string, unknown[]> = {
    v: [0, 2, '1', null],
    owner: [1, null, undefined, ['u:ada']],
    key: [1, null, {}, '', 'k'.repeat(257)],
    writer: ['', 'W1', '__proto__', 'a'.repeat(17), 1, ['w1']],
    stamp: [-1, NaN, Infinity, 8.64e15 + 1, '1', null, 1n],
    since: [-1, '0', null],
    text: [null, 1, {}, ['{}']],
    schema: [-1, 0.5, '1', null],
    base: [-1, 0.5, '1', undefined, Number.MAX_SAFE_INTEGER + 1],
    dirty: [0, 1, 'true', null],
    saveId: ['w1', 'w1.', '.1', 'w1.x', 'w1.1.1', '__proto__.1', 1, null, ['w1.1']],
    lineage: [
      null,
      'w1',
      { w1: -1 },
      { w1: '1' },
      { W: 1 },
      JSON.parse('{"__proto__":1}'),
      Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`w${at}`, 1])),
    ],
    at: [-1, '1', null],
    expires: [Infinity, '1', null, undefined],
    endpoint: [1, undefined, {}],
  };
  for (const [name, values] of Object.entries(hostile))
    for (const value of values) assert.equal(readRecord({ ...record(), [name]: value }), undefined, name);
  for (const [name, value] of [
    ['writer', 'w1'],
    ['unheard', 1],
    ['stamp', null],
    ['rev', -1],
    ['rev', '1'],
  ] as const)
    assert.equal(readRecord({ ...tombstone(), [name]: value }), undefined, name);
  assert.equal(readRecord(JSON.parse(`{"__proto__":${JSON.stringify(record())}}`)), undefined);
});

test('a text that says it were a tombstone is none', () => {
  assert.equal(readRecord({ ...record(), tomb: true }), undefined);
  assert.equal(chosen([{ ...record(), tomb: false } as Stored]).local, 'a');
});

test('what has expired and what is no record is spent; what a newer version wrote is left to it', () => {
  assert.equal(isSpent(record(), NOW), false);
  assert.equal(isSpent(tombstone(), NOW + WEEK - 1), false);
  assert.equal(isSpent(record(), NOW + WEEK), true);
  assert.equal(isSpent(tombstone(), NOW + WEEK), true);
  assert.equal(isSpent({ v: 2, expires: NOW + 1 }, NOW), false);
  assert.equal(isSpent({ v: 2, expires: NOW }, NOW), true);
  for (const value of [
    undefined,
    null,
    'x',
    1,
    {},
    { v: 2 },
    { v: 1, expires: NOW + 1 },
    { expires: NOW + 1 },
  ])
    assert.equal(isSpent(value, NOW), true, JSON.stringify(value));
});

test('the text that was written last is the one to go on with', () => {
  assert.deepEqual(chosen([]), NOTHING);
  assert.deepEqual(chosen([record()]), { ...NOTHING, local: 'a', absorbed: ['w1'] });
  const old = saying('old', { dirty: false });
  const late = saying('new', { writer: 'w2', stamp: NOW + 1, dirty: false });
  assert.deepEqual(chosen([old, late]), { ...NOTHING, local: 'new', absorbed: ['w1', 'w2'] });
});

test('what the server does not have comes before what it has', () => {
  const typed = saying('typed');
  const saved = saying('saved', { writer: 'w2', stamp: NOW + 1, dirty: false });
  const { local, other, absorbed } = chosen([saved, typed]);
  assert.deepEqual([local, other, absorbed], ['typed', undefined, ['w1', 'w2']]);
});

test('another text that is dirty and different is kept, and offered', () => {
  const one = saying('one');
  const two = saying('two', { writer: 'w2', stamp: NOW + 1 });
  const three = saying('three', { writer: 'w3', stamp: NOW + 2 });
  assert.deepEqual(chosen([one, two]), { ...NOTHING, local: 'two', other: 'one', absorbed: ['w2'] });
  const { local, other, drop, absorbed } = chosen([one, two, three]);
  assert.deepEqual(
    [local, other, drop, absorbed],
    ['three', 'two', [], ['w3']],
    'the third stays where it is',
  );
});

test('two tabs that say the same are one, in whatever order the keys stand', () => {
  const one = record({ text: '{"a":1,"b":[{"c":2,"d":3}]}' });
  const two = record({ text: '{"b":[{"d":3,"c":2}],"a":1}', writer: 'w2', stamp: NOW + 1 });
  const { other, absorbed } = chosen([one, two]);
  assert.deepEqual([other, absorbed], [undefined, ['w1', 'w2']]);
});

test('the same record in both storages is one', () => {
  assert.deepEqual(chosen([record(), record()]), { ...NOTHING, local: 'a', absorbed: ['w1', 'w1'] });
});

test('the tail of a page is newer than what it stored before', () => {
  const stored = saying('hel', { saveId: 'w1.1', lineage: { w1: 1 } });
  const tail = saying('hello', { stamp: NOW + 1, saveId: 'w1.2', lineage: { w1: 2 } });
  for (const found of [
    [stored, tail],
    [tail, stored],
  ])
    assert.deepEqual(chosen(found), { ...NOTHING, local: 'hello', absorbed: ['w1', 'w1'] });
});

test('a text that went on in another page is no other text', () => {
  const first = saying('first');
  const next = saying('first and next', {
    writer: 'w2',
    stamp: NOW + 1,
    saveId: 'w2.3',
    lineage: { w1: 1, w2: 3 },
  });
  assert.deepEqual(chosen([first, next]), { ...NOTHING, local: 'first and next', absorbed: ['w1', 'w2'] });
  // The next page saved it, and was killed before it removed what the first one left dirty.
  const saved = { ...next, dirty: false };
  assert.deepEqual(chosen([first, saved]), { ...NOTHING, local: 'first and next', absorbed: ['w1', 'w2'] });
});

test('a text that went on in a page that nobody can read any more is still there', () => {
  const first = saying('first');
  const lineage = { w1: 1, w2: 1 };
  for (const lost of [{ text: '{' }, { expires: NOW }, { schema: 2 }]) {
    const next = saying('next', { writer: 'w2', stamp: NOW + 1, lineage, ...lost });
    assert.equal(chosen([first, next]).local, 'first');
  }
});

test('expired texts are dropped', () => {
  assert.deepEqual(chosen([record({ expires: NOW })]), { ...NOTHING, drop: ['w1'] });
  assert.deepEqual(chosen([record({ expires: NOW + 1 })]).local, 'a');
  assert.equal(
    chosen([record()], { now: NOW - 2 * WEEK }).local,
    'a',
    'a clock that was set back drops nothing',
  );
});

test('a text that is no JSON is dropped', () => {
  assert.deepEqual(chosen([record({ text: '{"text":' })]), { ...NOTHING, drop: ['w1'] });
  assert.deepEqual(chosen([record({ text: '' }), saying('b', { writer: 'w2' })]).local, 'b');
});

test('texts from before the clear are dropped when they are clean, and void when they are not', () => {
  const cleared = tombstone({ stamp: NOW + 5 });
  assert.deepEqual(chosen([cleared, record({ dirty: false })]), { ...NOTHING, unheard: false, drop: ['w1'] });
  assert.deepEqual(chosen([cleared, record()]), {
    ...NOTHING,
    local: 'a',
    isVoid: true,
    unheard: false,
    absorbed: ['w1'],
  });
  const after = saying('after', { writer: 'w2', since: NOW + 5, stamp: NOW + 6, dirty: false });
  const { local, isVoid } = chosen([cleared, after]);
  assert.deepEqual([local, isVoid], ['after', false]);
  const both = chosen([cleared, record({ stamp: NOW + 9 }), after]);
  assert.deepEqual([both.local, both.other, both.isVoid], ['after', 'a', false], 'offered, not applied');
});

test('the newest tombstone counts, until it expires', () => {
  const typed = record({ since: 3 });
  const first = tombstone({ stamp: 3 });
  const second = tombstone({ stamp: 4, unheard: true });
  assert.equal(chosen([typed, first]).isVoid, false);
  for (const found of [
    [typed, first, second],
    [second, first, typed],
  ]) {
    const { isVoid, unheard } = chosen(found);
    assert.deepEqual([isVoid, unheard], [true, true]);
  }
  const { isVoid, unheard, drop } = chosen([typed, first, { ...second, expires: NOW }]);
  assert.deepEqual([isVoid, unheard, drop], [false, false, ['tombstone']]);
});

test('a clear that the server heard of is heard, though one storage does not know', () => {
  const heard = tombstone();
  const unheard = tombstone({ unheard: true });
  for (const found of [
    [heard, unheard],
    [unheard, heard],
  ]) {
    const got = chosen(found);
    assert.deepEqual([got.unheard, got.drop], [false, []]);
  }
});

test('a clear that the server has not heard of is not hidden by that of somebody who was not known yet', () => {
  const pending = tombstone({ owner: 't:tab?' });
  const unheard = tombstone({ unheard: true });
  const heard = tombstone();
  for (const [found, expected] of [
    [[pending, unheard], true],
    [[unheard, pending], true],
    [[pending, heard, unheard], false],
    [[heard, pending, unheard], false],
    [[unheard, pending, heard], false],
  ] as const)
    assert.equal(chosen([...found]).unheard, expected);
});

test("what somebody unknown cleared in this tab is nothing to its next user's text; what a user cleared is cleared for the tab too", () => {
  const ofTab = tombstone({ owner: 't:tab?', stamp: 200 });
  const ofUser = tombstone({ stamp: 200 });
  const kept = record({ since: 100, stamp: 150, dirty: true });
  const typed = record({ owner: 't:tab?', since: 100, stamp: 150, dirty: true });
  for (const [found, isVoid] of [
    [[ofTab, kept], false],
    [[ofUser, kept], true],
    [[ofTab, typed], true],
    [[ofUser, typed], true],
  ] as const) {
    const choice = choose([...found], NOW, 1, asIs);
    assert.deepEqual([choice.isVoid, choice.local?.record], [isVoid, found[1]]);
  }
});

/** What is thrown later rather than now. */
function uncaught(t: TestContext): unknown[] {
  const errors: unknown[] = [];
  t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => {
    try {
      job();
    } catch (error) {
      errors.push(error);
    }
  });
  return errors;
}

test('texts of an older schema are migrated, or dropped', (t) => {
  const errors = uncaught(t);
  const old = saying('old', { schema: 1 });
  const boom = new Error('boom');
  const asked: unknown[] = [];
  const with_ = (migrate?: (data: unknown, from: number) => unknown) => ({
    schema: 3,
    read: createRead(3, migrate, (data) => data),
  });
  const migrated = chosen(
    [old],
    with_((data, from) => {
      asked.push(data, from);
      return { text: 'new' };
    }),
  );
  assert.equal(migrated.local, 'new');
  assert.deepEqual(asked, [{ text: 'old' }, 1]);
  assert.deepEqual(errors, []);

  const dropped = { ...NOTHING, drop: ['w1'] };
  assert.deepEqual(chosen([old], with_()), dropped);
  for (const nothing of [null, undefined])
    assert.deepEqual(
      chosen(
        [old],
        with_(() => nothing),
      ),
      dropped,
    );
  assert.deepEqual(
    chosen(
      [old],
      with_(() => {
        throw boom;
      }),
    ),
    dropped,
  );
  assert.deepEqual(errors, [boom]);
});

test('texts of a newer schema are left alone', () => {
  const read = createRead(
    1,
    () => assert.fail('nobody can migrate back'),
    (data) => data,
  );
  assert.deepEqual(chosen([record({ schema: 2 })], { read }), NOTHING);
  assert.equal(read({}, 2), undefined);
});

test('what comes back is read without excluded fields, and null is a text', () => {
  const read = createRead(
    2,
    () => ({ text: 'a', password: 'x' }),
    (data) => ({ ...(data as object), password: undefined }),
  );
  assert.deepEqual(read({ text: 'b', password: 'y' }, 2), { text: 'b', password: undefined });
  assert.deepEqual(read({}, 1), { text: 'a', password: undefined });
  assert.deepEqual(choose([record({ text: 'null' })], NOW, 1, asIs).local?.data, null);
});

test('a text that is nested deeper than anything can be written is dropped, and said to nobody', (t) => {
  const errors = uncaught(t);
  const deep = (): DraftRecord => record({ text: '['.repeat(100_000) + ']'.repeat(100_000) });
  const read = createRead(1, undefined, (data) => JSON.parse(JSON.stringify(data)));
  assert.deepEqual(chosen([deep(), { ...deep(), writer: 'w2', stamp: 1 }], { read }).drop, ['w1', 'w2']);
  assert.equal(equalJson(JSON.parse(deep().text), JSON.parse(deep().text)), true);
  assert.deepEqual(errors, []);
});

test('a copy is own when this text was made from it, and never by a name that all objects have', () => {
  const lineage: Lineage = { w1: 3, constructor: 2 };
  for (const own of ['w1.3', 'w1.1', 'w1.0', 'constructor.2']) assert.equal(isOwn(own, lineage), true, own);
  const foreign = ['w1.4', 'w2.1', 'constructor.3', 'valueOf.0', '__proto__.0', 'w1', 'w1.', '.1', 'w1.1.1'];
  for (const other of [
    ...foreign,
    'w1.1e0',
    'w1.0x1',
    'w1. 1',
    ' w1.1',
    'w1.-1',
    'w1.99999999999999999999',
    '',
  ])
    assert.equal(isOwn(other, lineage), false, other);
  assert.equal(isOwn('constructor.1', { w1: 3 }), false);
});

test('JSON is equal when it says the same', () => {
  const equal = [
    [1, 1],
    ['', ''],
    [null, null],
    [[], []],
    [{}, {}],
    [
      { a: [1, { b: null }], c: 'x' },
      { c: 'x', a: [1, { b: null }] },
    ],
    [JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')],
  ];
  for (const [a, b] of equal) assert.equal(equalJson(a, b), true, JSON.stringify([a, b]));
  const different = [
    [1, '1'],
    [0, false],
    [null, undefined],
    [null, {}],
    [[], {}],
    [[1], { 0: 1 }],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [JSON.parse('{"__proto__":1}'), { a: 1 }],
    [JSON.parse('{"constructor":1}'), { a: 1 }],
    [JSON.parse('{"__proto__":{}}'), { a: 1 }],
    [JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":2}}')],
  ];
  for (const [a, b] of different) {
    assert.equal(equalJson(a, b), false, JSON.stringify([a, b]));
    assert.equal(equalJson(b, a), false, JSON.stringify([b, a]));
  }
});

test('whatever is stored, nothing that was typed is dropped, and nothing old comes back', () => {
  const random = seeded(11);
  const below = (end: number): number => Math.floor(random() * end);
  const pick = <T>(list: T[]): T => list[below(list.length)]!;
  for (let run = 0; run < 20_000; run++) {
    const found: Stored[] = [];
    const texts: DraftRecord[] = [];
    let stamp = NOW;
    for (let left = below(7); left > 0; left--) {
      stamp += 1 + below(3);
      if (random() < 0.15) {
        found.push(tombstone({ stamp, unheard: random() < 0.5, expires: NOW + below(3) * WEEK }));
        continue;
      }
      const writer = `w${below(4)}`;
      const parent = random() < 0.5 ? texts.at(-1) : undefined;
      const before = Math.max(
        0,
        ...texts.filter((one) => one.writer === writer).map((one) => one.lineage[writer]!),
      );
      const lineage = { ...parent?.lineage, [writer]: before + 1 };
      const made = saying(pick(['a', 'b', 'c']), {
        writer,
        stamp,
        lineage,
        saveId: `${writer}.${before + 1}`,
        since: random() < 0.7 ? stamp : 0,
        dirty: random() < 0.6,
        schema: 1 + below(2) * below(2),
        expires: NOW + below(4) * WEEK,
        ...(random() < 0.05 && { text: '{' }),
      });
      texts.push(made);
      found.push(made);
      if (random() < 0.2) found.push({ ...made });
    }
    found.sort(() => random() - 0.5);
    const { local, other, isVoid, drop, absorbed, tombstone: cleared } = choose(found, NOW, 1, asIs);
    const tell = JSON.stringify(found);

    for (const candidate of [local, other]) {
      if (!candidate) continue;
      const { record } = candidate;
      assert.ok(record.expires > NOW && record.schema === 1, tell);
      const isBefore = !!cleared && record.since < cleared.stamp;
      assert.ok(!isBefore || record.dirty, tell);
      if (candidate === local) assert.equal(isVoid, isBefore, tell);
      else assert.ok(record.dirty && record.text !== local!.record.text, tell);
    }
    for (const one of texts) {
      if (!one.dirty || one.expires <= NOW || one.text === '{') continue;
      assert.ok(!drop.includes(one), tell);
      if (!absorbed.includes(one)) continue;
      const wentOn = texts.some(
        ({ stamp, lineage, text }) => stamp > one.stamp && isOwn(one.saveId, lineage) && text !== '{',
      );
      assert.ok(wentOn || one.text === local!.record.text, tell);
    }
    for (const one of [...drop, ...absorbed]) if (!('tomb' in one)) assert.equal(one.schema, 1, tell);
  }
});

test('random garbage is survived', () => {
  const random = seeded(5);
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
  const values = [
    null,
    undefined,
    0,
    -1,
    1.5,
    NaN,
    NOW,
    8.64e15,
    1e308,
    '',
    'w1',
    '{}',
    '__proto__',
    true,
    false,
    [],
    {},
    { w1: 1 },
    JSON.parse('{"__proto__":1}'),
    1n,
    new Date(NaN),
    [[]],
  ];
  let read = 0;
  for (let run = 0; run < 20_000; run++) {
    const found: Stored[] = [];
    for (let left = 3; left > 0; left--) {
      const one: Record<string, unknown> = random() < 0.8 ? { ...record() } : { ...tombstone() };
      for (let changes = Math.floor(random() * 3); changes > 0; changes--)
        one[pick(Object.keys(one))] = pick(values);
      const stored = readRecord(one);
      isSpent(one, NOW);
      if (stored) found.push(stored);
    }
    read += found.length;
    choose(found, NOW, 1, asIs);
  }
  assert.ok(read > 10_000);
});
