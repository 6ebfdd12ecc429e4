import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { DraftRecord } from '../../js/draft-records.js';
import { createDraftStore } from '../../js/draft-store.js';

// What IndexedDB itself does is tested in pages. Here is what browsers do that have none, or one that is stuck.

const NOW = 1_700_000_000_000;

const RECORD: DraftRecord = {
  v: 1,
  owner: 'u:ada',
  key: 'note',
  writer: 'w1',
  stamp: NOW,
  since: 0,
  text: '{}',
  schema: 1,
  base: null,
  dirty: true,
  saveId: 'w1.1',
  lineage: { w1: 1 },
  at: NOW,
  expires: NOW + 1,
  endpoint: null,
};

function given(t: TestContext, get: () => unknown): void {
  t.after(() => Reflect.deleteProperty(globalThis, 'indexedDB'));
  Object.defineProperty(globalThis, 'indexedDB', { configurable: true, get });
}

interface OpenRequest {
  result?: unknown;
  error?: unknown;
  onsuccess?(): void;
  onerror?(): void;
}

/** An IndexedDB that answers nothing by itself. */
function givenStuck(t: TestContext): OpenRequest[] {
  const requests: OpenRequest[] = [];
  given(t, () => ({
    open() {
      const request: OpenRequest = {};
      requests.push(request);
      return request;
    },
  }));
  return requests;
}

function fail(request: OpenRequest, name: string): void {
  request.error = new DOMException('no', name);
  request.onerror!();
}

/** Lets what is settled go on. */
const turn = async (): Promise<void> => {
  for (let left = 20; left > 0; left--) await null;
};

test('without IndexedDB each call rejects, and none throws', async (t) => {
  const calls = (): Array<Promise<unknown>> => {
    const store = createDraftStore('app');
    return [
      store.put(RECORD),
      store.list('u:ada'),
      store.list('u:ada', 'note'),
      store.remove([RECORD]),
      store.forgetClean('u:ada'),
      store.sweep(NOW),
    ];
  };
  const refuse = (): never => {
    throw new DOMException('not here', 'SecurityError');
  };
  for (const [get, name] of [
    [() => undefined, 'TypeError'],
    [() => null, 'TypeError'],
    [refuse, 'SecurityError'],
    [() => ({ open: refuse }), 'SecurityError'],
  ] as const) {
    given(t, get);
    for (const call of calls()) await assert.rejects(call, { name });
  }
});

test('nothing is opened before it is used', (t) => {
  given(t, () => assert.fail('it was touched'));
  createDraftStore('app').close();
});

test('an open that fails is told as the browser says it, and tried again', async (t) => {
  const requests = givenStuck(t);
  const store = createDraftStore('app');
  for (const name of ['QuotaExceededError', 'VersionError']) {
    const put = assert.rejects(store.put(RECORD), { name });
    await turn();
    fail(requests.at(-1)!, name);
    await put;
  }
  assert.equal(requests.length, 2);
});

test('an open that the browser breaks off is made again, five times at most', async (t) => {
  const requests = givenStuck(t);
  const put = assert.rejects(createDraftStore('app').put(RECORD), { name: 'AbortError' });
  for (let made = 1; made <= 5; made++) {
    await turn();
    assert.equal(requests.length, made);
    fail(requests.at(-1)!, 'AbortError');
  }
  await put;
  assert.equal(requests.length, 5);
});

test('an open that never ends is given up after 2 s, and then at once, until it ends after all', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const requests = givenStuck(t);
  const store = createDraftStore('app');
  let told = 0;
  const late = [store.put(RECORD), store.list('u:ada')].map((call) =>
    assert.rejects(call, { name: 'TimeoutError' }).then(() => told++),
  );
  await turn();
  t.mock.timers.tick(1_999);
  await turn();
  assert.equal(told, 0);
  t.mock.timers.tick(1);
  await Promise.all(late);

  await assert.rejects(store.put(RECORD), { name: 'TimeoutError' });
  assert.equal(requests.length, 1, 'another open would wait behind it');

  const seen: string[] = [];
  requests[0]!.result = {
    transaction(): never {
      seen.push('used');
      throw new DOMException('no', 'NotFoundError');
    },
  };
  requests[0]!.onsuccess!();
  await turn();
  await assert.rejects(store.put(RECORD), { name: 'NotFoundError' });
  assert.deepEqual([seen, requests.length], [['used'], 1]);
});

test('a store that was closed stays closed, also where it was about to open', async (t) => {
  const requests = givenStuck(t);
  const store = createDraftStore('app');
  const put = store.put(RECORD);
  await turn();
  store.close();
  let isClosed = false;
  requests[0]!.result = {
    close() {
      isClosed = true;
    },
    transaction(): never {
      throw new DOMException('closed', 'InvalidStateError');
    },
  };
  requests[0]!.onsuccess!();
  await assert.rejects(put, { name: 'InvalidStateError' });
  assert.equal(isClosed, true);
  await assert.rejects(store.list('u:ada'), { name: 'InvalidStateError' });
  assert.equal(requests.length, 1);
});
