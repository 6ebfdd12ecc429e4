import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { makeReady, recordVersions } from '../../js/reload.js';
import { LATE, withinMs } from '../../js/wait.js';

const KEY = 'evenkeel:1:shop:versions';

/** A tab's storage. `broken` may make it throw or forget. */
function tabOf(t: TestContext, stored?: string) {
  const entries = new Map<string, string>();
  if (stored !== undefined) entries.set(KEY, stored);
  const storage = {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
  };
  const define = (value: PropertyDescriptor) =>
    Object.defineProperty(globalThis, 'sessionStorage', { configurable: true, ...value });
  define({ value: storage });
  t.after(() => define({ value: undefined }));
  return { entries, storage, define };
}

/** The page's service worker. */
function workerOf(t: TestContext, registration: object | undefined) {
  const { navigator } = globalThis;
  const serviceWorker = { getRegistration: async () => registration };
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { serviceWorker } });
  t.after(() => Object.defineProperty(globalThis, 'navigator', { configurable: true, value: navigator }));
}

/** A worker that was installed and waits. */
class Waiting extends EventTarget {
  state = 'installed';
  said: unknown[] = [];
  postMessage(message: unknown): void {
    this.said.push(message);
  }
  become(state: string): void {
    this.state = state;
    this.dispatchEvent(new Event('statechange'));
  }
}

test('what a tab ran and was reloaded for is known afterwards, each version once', (t) => {
  const { entries } = tabOf(t);
  let now = 1_000;
  t.mock.method(Date, 'now', () => now++);
  assert.deepEqual(recordVersions('shop', 'a'), [['a', 1_000]]);
  recordVersions('shop', 'b');
  const used = [
    ['b', 1_001],
    ['a', 1_002],
    ['c', 1_002],
  ];
  assert.deepEqual(recordVersions('shop', 'a', 'c'), used);
  assert.deepEqual(JSON.parse(entries.get(KEY)!), used);
});

test('no more than the newest 20 are kept', (t) => {
  tabOf(t);
  for (let i = 0; i < 50; i++) recordVersions('shop', `v${i}`);
  const used = recordVersions('shop', 'last')!;
  assert.deepEqual([used.length, used[0]![0], used.at(-1)![0]], [20, 'v31', 'last']);
});

test('nonsense in the storage tells nothing, and is replaced', (t) => {
  for (const stored of ['', '{', 'null', '5', '"a"', '{}', '[1]', '[["a"]]', '[["a","b"]]', '[["a",null]]']) {
    tabOf(t, stored);
    assert.equal(recordVersions('shop', 'a'), undefined, stored);
    assert.equal(recordVersions('shop', 'a')?.length, 1, stored);
  }
});

test('a storage that throws, refuses or forgets does not work', (t) => {
  const { storage, define } = tabOf(t);
  const fail = (): never => {
    throw new DOMException('no', 'SecurityError');
  };
  storage.setItem = fail;
  assert.equal(recordVersions('shop', 'a'), undefined);
  storage.setItem = () => {};
  assert.equal(recordVersions('shop', 'a'), undefined);
  storage.getItem = fail;
  assert.equal(recordVersions('shop', 'a'), undefined);
  define({ get: fail });
  assert.equal(recordVersions('shop', 'a'), undefined);
});

test('a wait ends with what it waits for, however that ends, and not later than its bound', async () => {
  assert.equal(await withinMs(60_000, Promise.resolve(1)), 1);
  await assert.rejects(withinMs(60_000, Promise.reject(new Error('no'))), /no/);
  await assert.rejects(withinMs(5, new Promise(() => {})), (error) => error === LATE);
});

test('the app clears what it keeps first, and what it throws is reported and stops nothing', async (t) => {
  workerOf(t, undefined);
  const later: Array<() => void> = [];
  const now = t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => later.push(job));
  await makeReady(() => {
    throw new Error('no cache');
  }, 60_000);
  assert.throws(later[0]!, /no cache/);
  now.mock.restore();

  let cleared = false;
  await makeReady(async () => {
    await null;
    cleared = true;
  }, 60_000);
  assert.equal(cleared, true);
});

test('an app that never ends its clearing is not waited for longer than allowed', async (t) => {
  workerOf(t, undefined);
  await makeReady(() => new Promise(() => {}), 5);
});

test('a service worker that waits is told to take over, and it is waited for', async (t) => {
  const waiting = new Waiting();
  let updated = 0;
  workerOf(t, { update: async () => void updated++, installing: null, waiting });
  const ready = makeReady(undefined, 60_000);
  await new Promise(setImmediate);
  assert.equal(updated, 1);
  assert.deepEqual(waiting.said, [{ type: 'SKIP_WAITING' }]);
  waiting.become('activating');
  assert.equal(await Promise.race([ready, new Promise((go) => setImmediate(go, 'waits'))]), 'waits');
  waiting.become('activated');
  await ready;
});

test('one that is found by the update is waited for too, and so is one that fails to install', async (t) => {
  for (const states of [['installed', 'activating', 'activated'], ['redundant']]) {
    const installing = new Waiting();
    installing.state = 'installing';
    workerOf(t, { update: async () => {}, installing, waiting: null });
    const ready = makeReady(undefined, 60_000);
    await new Promise(setImmediate);
    for (const state of states) installing.become(state);
    await ready;
    assert.equal(installing.said.length, states.length > 1 ? 1 : 0);
  }
});

test('a service worker that cannot be updated, or takes too long, stops nothing', async (t) => {
  workerOf(t, { update: () => Promise.reject(new TypeError('offline')), waiting: new Waiting() });
  await makeReady(undefined, 60_000);
  workerOf(t, { update: async () => {}, waiting: new Waiting() });
  await makeReady(undefined, 5);
  workerOf(t, { update: () => new Promise(() => {}) });
  await makeReady(undefined, 5);
});
