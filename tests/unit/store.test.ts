import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createListeners, createStore } from '../../js/store.js';

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

test('the snapshot is the identical object until something changes', () => {
  const initial = { status: 'online', since: 1 };
  const store = createStore(initial);
  assert.equal(store.getSnapshot(), initial);
  let told = 0;
  store.subscribe(() => told++);

  store.set({ status: 'online', since: 1 });
  assert.equal(store.getSnapshot(), initial);
  assert.equal(told, 0);

  const next = { status: 'offline', since: 2 };
  store.set(next);
  assert.equal(store.getSnapshot(), next);
  assert.equal(told, 1);
  assert.deepEqual(initial, { status: 'online', since: 1 });
});

test('every shallow difference counts, and nothing else', () => {
  const changes = (from: unknown, to: unknown): boolean => {
    let told = false;
    const store = createStore(from);
    store.subscribe(() => {
      told = true;
    });
    store.set(to);
    return told;
  };
  const inner = {};
  const equal = [
    [1, 1],
    [NaN, NaN],
    [null, null],
    [[], []],
    [
      [1, inner],
      [1, inner],
    ],
    [{ a: NaN }, { a: NaN }],
    [{ a: inner }, { a: inner }],
  ];
  for (const [a, b] of equal) assert.equal(changes(a, b), false, JSON.stringify([a, b]));
  const different = [
    [1, 2],
    [0, -0],
    [null, {}],
    [{}, null],
    [1, {}],
    [[1], [1, 2]],
    [{ a: 1 }, { b: 1 }],
    [{ a: undefined }, { b: undefined }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: {} }, { a: {} }],
  ];
  for (const [a, b] of different) assert.equal(changes(a, b), true, JSON.stringify([a, b]));
});

test('a server renders what it is told to, whatever happens later', () => {
  const store = createStore('b', 'a');
  store.set('c');
  assert.deepEqual([store.getSnapshot(), store.getServerSnapshot()], ['c', 'a']);
  assert.equal(createStore(1).getServerSnapshot(), 1);
});

test('work begins with the first subscription, once', () => {
  let begun = 0;
  const store = createStore(0, 0, () => begun++);
  store.getSnapshot();
  assert.equal(begun, 0);
  store.subscribe(() => {})();
  store.subscribe(() => {});
  assert.equal(begun, 1);
});

test('a change that the first subscription causes at once is heard by it', () => {
  const store: ReturnType<typeof createStore<number>> = createStore(0, 0, () => store.set(1));
  let told = 0;
  store.subscribe(() => told++);
  assert.deepEqual([told, store.getSnapshot()], [1, 1]);
});

test('a listener that throws does not stop the others, and its error is not swallowed', (t) => {
  const errors = uncaught(t);
  const store = createStore(0);
  const boom = new Error('boom');
  let told = 0;
  store.subscribe(() => told++);
  store.subscribe(() => {
    throw boom;
  });
  store.subscribe(() => told++);
  store.set(1);
  assert.equal(told, 2);
  assert.deepEqual(errors, [boom]);
});

test('the same function may subscribe twice; each ends by itself, and ending twice is safe', () => {
  const store = createStore(0);
  let told = 0;
  const listener = (): unknown => told++;
  const first = store.subscribe(listener);
  store.subscribe(listener);
  store.set(1);
  assert.equal(told, 2);
  first();
  first();
  store.set(2);
  assert.equal(told, 3);
});

test('listeners may come and go while others are told', () => {
  const store = createStore(0);
  const heard: string[] = [];
  store.subscribe(() => {
    heard.push('a');
    end();
    if (heard.length === 1) store.subscribe(() => heard.push('late'));
  });
  const end = store.subscribe(() => heard.push('gone'));
  store.set(1);
  assert.deepEqual(heard, ['a'], 'one that ended is not told, one that came meanwhile hears the next change');
  store.set(2);
  assert.deepEqual(heard, ['a', 'a', 'late']);
});

test('a listener may change the store: all end on the newest value', () => {
  const store = createStore(0);
  const seen: number[] = [];
  store.subscribe(() => {
    if (store.getSnapshot() === 1) store.set(2);
  });
  store.subscribe(() => seen.push(store.getSnapshot()));
  store.set(1);
  assert.equal(seen.at(-1), 2);
});

test('listeners get what is told', () => {
  const listeners = createListeners<[string, number]>();
  const heard: unknown[] = [];
  listeners.add((...args) => heard.push(args));
  listeners.tell('a', 1);
  assert.deepEqual(heard, [['a', 1]]);
});
