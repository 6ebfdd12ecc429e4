import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Stored, Tombstone } from '../../js/draft-records.js';
import { createTail } from '../../js/draft-tail.js';
import { tombstone as cleared, NOW, record } from './stored-drafts.js';

const PREFIX = 'evenkeel:1:app:draft:';

/** A localStorage as browsers have it: its items are properties. */
function givenStorage(t: TestContext, unitsMax = 5 * 1024 * 1024) {
  const items: Record<string, string> = {};
  const methods = {
    getItem: (name: string): string | null => (Object.hasOwn(items, name) ? items[name]! : null),
    setItem(name: string, text: string): void {
      const others = Object.entries(items).filter(([other]) => other !== name);
      const units = [...others, [name, text]].flat().reduce((sum, { length }) => sum + length, 0);
      if (units > unitsMax) throw new DOMException('full', 'QuotaExceededError');
      items[name] = text;
    },
    removeItem(name: string): void {
      delete items[name];
    },
  };
  Object.setPrototypeOf(items, methods);
  stub(t, items);
  return items as Record<string, string> & typeof methods;
}

function stub(t: TestContext, storage: unknown): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');
  t.after(() => {
    if (before) Object.defineProperty(globalThis, 'localStorage', before);
    else Reflect.deleteProperty(globalThis, 'localStorage');
  });
  const get = typeof storage === 'function' ? (storage as () => unknown) : () => storage;
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, get });
}

/** A later clear, of which the server has not heard. */
const tombstone = (given: Partial<Tombstone> = {}): Tombstone =>
  cleared({ stamp: NOW + 1, unheard: true, ...given });

test('what was written last before the page went is there for the next one', (t) => {
  const items = givenStorage(t);
  const tail = createTail('app');
  assert.equal(tail.write(record()), true);
  assert.equal(tail.write(record({ stamp: NOW + 1, text: '{"text":"ab"}' })), true);
  assert.deepEqual(Object.keys(items), [`${PREFIX}["u:ada","note","w1"]`]);

  const next = createTail('app');
  const found = next.take('u:ada', 'note');
  assert.deepEqual(found, [record({ stamp: NOW + 1, text: '{"text":"ab"}' })]);
  assert.deepEqual(next.take('u:ada', 'note'), found, 'it stays until it is removed');
  next.remove(found);
  assert.deepEqual(Object.keys(items), []);
});

test('each owner, each key and each client finds its own', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  for (const one of [
    record(),
    record({ owner: 'u:bob' }),
    record({ key: 'other' }),
    record({ writer: 'w2' }),
  ])
    tail.write(one);
  createTail('app:draft').write(record({ writer: 'w3' }));
  const writers = (found: Stored[]): string[] => found.map(({ writer }) => writer).sort();
  assert.deepEqual(writers(tail.take('u:ada', 'note')), ['w1', 'w2']);
  assert.deepEqual(tail.take('u:bob', 'note'), [record({ owner: 'u:bob' })]);
  assert.deepEqual(tail.take('u:eve', 'note'), []);
  assert.deepEqual(writers(createTail('app:draft').take('u:ada', 'note')), ['w3']);
  tail.sweep(NOW);
  assert.equal(createTail('app:draft').take('u:ada', 'note').length, 1, 'nor is another client swept');
});

test('without a key, what the server may not have heard of is found', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  const left = [record(), record({ key: 'b' }), tombstone({ key: 'c' })];
  const known = [record({ key: 'd', dirty: false }), tombstone({ key: 'e', unheard: false })];
  const here = record({ key: 'f', endpoint: null });
  for (const one of [...left, ...known, here, record({ owner: 'u:bob' })]) tail.write(one);
  assert.deepEqual(
    tail.take('u:ada').sort((a, b) => a.key.localeCompare(b.key)),
    left.sort((a, b) => a.key.localeCompare(b.key)),
  );
});

test('all tails together have 512 Ki units; one that does not fit leaves the others alone', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  const units = (count: number): string => JSON.stringify('a'.repeat(count));
  assert.equal(tail.write(record({ text: units(600_000) })), false);
  assert.equal(tail.write(record({ text: units(300_000) })), true);
  assert.equal(tail.write(record({ writer: 'w2', text: units(300_000) })), false);
  assert.equal(tail.write(record({ writer: 'w2', text: units(200_000) })), true);
  assert.equal(tail.write(record({ text: units(310_000) })), true, 'its own place counts once');
  assert.equal(tail.write(record({ text: units(330_000) })), false);
  assert.deepEqual(
    tail
      .take('u:ada', 'note')
      .map(({ writer }) => writer)
      .sort(),
    ['w1', 'w2'],
  );
  assert.equal(createTail('other').write(record({ text: units(500_000) })), true);
});

test('a full storage refuses, and keeps what it had', (t) => {
  const items = givenStorage(t, 2_000);
  items.setItem('app', 'x'.repeat(1_000));
  const tail = createTail('app');
  assert.equal(tail.write(record()), true);
  assert.equal(tail.write(record({ text: JSON.stringify('a'.repeat(1_000)) })), false);
  assert.deepEqual(tail.take('u:ada', 'note'), [record()]);
});

test('without a storage that works nothing is kept, and nothing is thrown', (t) => {
  const refuse = (): never => {
    throw new DOMException('not here', 'SecurityError');
  };
  const broken = new Proxy({}, { get: refuse, ownKeys: refuse });
  for (const storage of [undefined, null, refuse, broken]) {
    stub(t, storage);
    const tail = createTail('app');
    assert.equal(tail.write(record()), false);
    assert.deepEqual(tail.take('u:ada', 'note'), []);
    assert.deepEqual(tail.take('u:ada'), []);
    tail.remove([record()]);
    tail.bury(tombstone());
    tail.forgetClean('u:ada');
    tail.sweep(NOW);
  }
});

test('what was written again meanwhile is not removed', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  tail.write(record({ stamp: NOW + 1 }));
  tail.remove([record(), record({ writer: 'w9' })]);
  assert.equal(tail.take('u:ada', 'note').length, 1);
  tail.remove([record({ stamp: NOW + 1 })]);
  assert.deepEqual(tail.take('u:ada', 'note'), []);
});

test('a clear removes what was made before it, and nothing else', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  const after = record({ writer: 'w2', since: NOW + 1 });
  const others = [record({ key: 'other' }), record({ owner: 'u:bob' })];
  for (const one of [record(), after, ...others]) tail.write(one);
  tail.bury(tombstone());
  assert.deepEqual(tail.take('u:ada', 'note'), [after]);
  assert.deepEqual([...tail.take('u:ada', 'other'), ...tail.take('u:bob')], others);
});

test('where nothing else works, the tail keeps the tombstone too', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  tail.write(tombstone());
  assert.deepEqual(tail.take('u:ada', 'note'), [tombstone()]);
  tail.bury(tombstone());
  assert.deepEqual(tail.take('u:ada', 'note'), [tombstone()]);
});

test('after the sign-out nothing is left of what the server has', (t) => {
  givenStorage(t);
  const tail = createTail('app');
  const kept = [record(), tombstone({ key: 'b' })];
  for (const one of [...kept, record({ key: 'c', dirty: false })]) tail.write(one);
  tail.write(record({ owner: 'u:bob', dirty: false }));
  tail.forgetClean('u:ada');
  assert.deepEqual([...tail.take('u:ada', 'note'), ...tail.take('u:ada', 'b')], kept);
  assert.deepEqual(tail.take('u:ada', 'c'), []);
  assert.equal(tail.take('u:bob', 'note').length, 1);
});

test('garbage is not read, and is swept with what has expired; what belongs to others stays', (t) => {
  const items = givenStorage(t);
  const tail = createTail('app');
  tail.write(record());
  tail.write(record({ writer: 'w2', expires: NOW }));
  items.setItem(`${PREFIX}["u:ada","note","w3"]`, '{"v":1');
  items.setItem(`${PREFIX}["u:ada","note","w4"]`, 'null');
  items.setItem(`${PREFIX}["u:ada","note","w5"]`, JSON.stringify({ ...record(), text: 1 }));
  items.setItem(`${PREFIX}["u:ada","note","w6"]`, JSON.stringify(record({ owner: 'u:bob' })));
  items.setItem(`${PREFIX}["u:ada","note","w7"]`, JSON.stringify({ v: 2, expires: NOW + 1 }));
  items.setItem(`${PREFIX}["u:ada","note","__proto__"]`, '{"__proto__":{"v":1}}');
  items.setItem(`${PREFIX}[`, 'x');
  items.setItem('evenkeel:1:app:drafts', '1');
  items.setItem('theirs', 'x');

  assert.deepEqual(
    tail
      .take('u:ada', 'note')
      .map(({ writer }) => writer)
      .sort(),
    ['w1', 'w2'],
  );
  assert.deepEqual(tail.take('u:bob', 'note'), [], 'a record in the place of another is nobody’s');
  tail.sweep(NOW);
  assert.deepEqual(
    Object.keys(items)
      .map((name) => name.replace(PREFIX, ''))
      .sort(),
    [
      '["u:ada","note","w1"]',
      '["u:ada","note","w6"]',
      '["u:ada","note","w7"]',
      'evenkeel:1:app:drafts',
      'theirs',
    ],
  );
});

test('keys and owners may be any text', (t) => {
  const items = givenStorage(t);
  const tail = createTail('app');
  const odd = [' ', ']', '","', '__proto__', 'a\u0000b', '☃ \ud800', 'x'.repeat(256), '\n'];
  for (const key of odd) assert.equal(tail.write(record({ key, owner: `u:${key}` })), true);
  assert.equal(Object.keys(items).length, odd.length);
  for (const key of odd) assert.deepEqual(tail.take(`u:${key}`, key), [record({ key, owner: `u:${key}` })]);
});
