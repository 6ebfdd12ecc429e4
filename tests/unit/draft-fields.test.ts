import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExcluder } from '../../js/draft-fields.js';
import { seeded } from './seeded.js';

/** What is left of the data. */
const left = (data: unknown, exclude: string[] = [], defaults = true): unknown =>
  createExcluder(exclude, defaults).strip(data);

test('data without excluded fields is written as JSON.stringify writes it', () => {
  const { textOf } = createExcluder(['hidden', 'a.b'], true);
  const shared = { at: new Date(0) };
  const data = {
    text: 'line\n"quoted" \u2028 ☃ \ud800',
    list: [1, undefined, null, () => 1, [shared, shared]],
    none: undefined,
    odd: [NaN, -0, 1e21],
    own: { toJSON: () => ({ name: 'Ada' }) },
    ['__proto__']: 1,
  };
  assert.equal(textOf(data), JSON.stringify(data));
  for (const alone of ['text', 7, true, null, [], {}, new Date(0)])
    assert.equal(textOf(alone), JSON.stringify(alone));
});

test('what is no JSON fails as JSON.stringify does', () => {
  const { textOf, strip } = createExcluder([], true);
  assert.equal(textOf(undefined), undefined);
  assert.equal(
    textOf(() => 1),
    undefined,
  );
  assert.equal(strip(undefined), undefined);
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  assert.throws(() => textOf(cyclic), TypeError);
  assert.throws(() => textOf({ big: 1n }), TypeError);
  assert.equal(textOf({ text: 'a' }), '{"text":"a"}', 'and the next one is written again');
});

test('names that passwords go by are left out at any depth, however they are written', () => {
  const names = ['password', 'passwd', 'pwd', 'secret', 'cvv', 'cvc', 'ssn', 'cardNumber'];
  const spelled = names.flatMap((name) => [
    name,
    name.toUpperCase(),
    `_${name}`,
    `${name[0]}-${name.slice(1)}`,
  ]);
  for (const name of [...spelled, 'card_number', 'card-number', 'Pass_Word', '__CVV__']) {
    const data = { a: [{ [name]: 'x', kept: 1 }], [name]: { deep: 'x' } };
    assert.deepEqual(left(data), { a: [{ kept: 1 }] }, name);
    assert.deepEqual(left(data, [], false), data, name);
  }
  const others = { passwordHint: 1, passwords: 2, myssn: 3, card: 4, secretary: 5, constructor: 6 };
  assert.deepEqual(left(others), others);
});

test('the first default name that was left out is said once', () => {
  const heard: string[] = [];
  const { textOf } = createExcluder(['note'], true, (name) => heard.push(name));
  textOf({ note: 1, name: 'Ada' });
  assert.deepEqual(heard, []);
  textOf({ user: { Password: 'x' }, cvv: 1 });
  textOf({ password: 'y' });
  assert.deepEqual(heard, ['Password']);
});

test('a name is left out at any depth, exactly as it was given', () => {
  const data = { note: 1, Note: 2, list: [{ note: { deep: 1 } }, ['note']], 'a.b': 3 };
  assert.deepEqual(left(data, ['note']), { Note: 2, list: [{}, ['note']], 'a.b': 3 });
});

test('a name is no place in a list', () => {
  assert.deepEqual(left({ list: ['a', 'b'], 1: 'c' }, ['1']), { list: ['a', 'b'] });
});

test('a path leaves out what it leads to from the root, and nothing else', () => {
  const data = { bank: { iban: 1, name: 2 }, iban: 3, other: { bank: { iban: 4 } } };
  assert.deepEqual(left(data, ['bank.iban']), { bank: { name: 2 }, iban: 3, other: { bank: { iban: 4 } } });
  assert.deepEqual(left(data, ['other.bank']), { bank: { iban: 1, name: 2 }, iban: 3, other: {} });
  assert.deepEqual(left(data, ['bank.iban.x', 'nowhere.iban', 'other.iban']), data);
});

test('a star stands for the items of a list, and for nothing else', () => {
  const data = { rows: [{ a: 1, b: [{ c: 1, d: 2 }] }, { a: 2 }, 'text'], one: { x: { a: 3 } } };
  assert.deepEqual(left(data, ['rows.*.a', 'rows.*.b.*.c', 'one.*.a']), {
    rows: [{ b: [{ d: 2 }] }, {}, 'text'],
    one: { x: { a: 3 } },
  });
  assert.deepEqual(left([{ a: 1, b: 2 }], ['*.a']), [{ b: 2 }]);
  assert.deepEqual(left({ rows: [{ a: 1 }, { a: 2 }] }, ['rows.0.a']), { rows: [{}, { a: 2 }] });
  assert.deepEqual(left({ rows: [1, 2] }, ['rows.*']), { rows: [null, null] });
});

test('a path is followed through the same object in two places, and through toJSON', () => {
  const shared = { a: 1, b: 2 };
  assert.deepEqual(left({ x: shared, y: shared, z: [shared, shared] }, ['x.a', 'z.*.b']), {
    x: { b: 2 },
    y: { a: 1, b: 2 },
    z: [{ a: 1 }, { a: 1 }],
  });
  assert.deepEqual(left({ y: shared, x: shared, again: { x: shared } }, ['x.a']), {
    y: shared,
    x: { b: 2 },
    again: { x: shared },
  });
  const own = { toJSON: () => ({ iban: 1, name: 2 }) };
  assert.deepEqual(left({ bank: own }, ['bank.iban']), { bank: { name: 2 } });
});

test('the data that was given is not changed', () => {
  const data = Object.freeze({ password: 'x', list: Object.freeze([Object.freeze({ cvv: 1 })]) });
  assert.deepEqual(left(data), { list: [{}] });
  assert.deepEqual(data, { password: 'x', list: [{ cvv: 1 }] });
});

/** The rule, written as slowly and plainly as can be. */
function naive(data: unknown, exclude: string[], path: string[] = []): unknown {
  if (Array.isArray(data)) return data.map((item) => naive(item, exclude, [...path, '*']));
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data)
      .filter(([name]) => !exclude.includes(name) && !exclude.includes([...path, name].join('.')))
      .map(([name, value]) => [name, naive(value, exclude, [...path, name])]),
  );
}

test('random data and random rules: nothing excluded is left, and all else is', () => {
  const random = seeded(7);
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
  const names = ['a', 'b', 'c', '__proto__', 'constructor', 'toString'];
  const grow = (depth: number): unknown => {
    if (!depth || random() < 0.2) return pick<unknown>(['x', 1, null, false, '']);
    const size = Math.floor(random() * 4);
    if (random() < 0.3) return Array.from({ length: size }, () => grow(depth - 1));
    return Object.fromEntries(Array.from({ length: size }, () => [pick(names), grow(depth - 1)]));
  };
  for (let run = 0; run < 2_000; run++) {
    const exclude = Array.from({ length: Math.floor(random() * 4) }, () => {
      const steps = Array.from({ length: Math.floor(random() * 4) }, () => pick([...names, '*']));
      return [...steps, pick(names)].join('.');
    });
    const data = { root: grow(5), a: grow(4) };
    assert.deepEqual(left(data, exclude, false), naive(data, exclude), JSON.stringify([exclude, data]));
  }
});

test('so many names that nobody could remember them all are no burden', () => {
  const { strip } = createExcluder(['k5'], true);
  const data = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`k${at}`, at]));
  for (let round = 0; round < 2; round++) {
    const kept = strip({ ...data, password: 'x' }) as Record<string, number>;
    assert.equal(Object.keys(kept).length, 4_999);
    assert.equal('k5' in kept || 'password' in kept, false);
  }
});
