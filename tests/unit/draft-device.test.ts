/** One draft on the device: in which order what is written, and what is left, whatever fails meanwhile. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { createDevice } from '../../js/draft-device.js';
import { createExcluder } from '../../js/draft-fields.js';
import type { DraftContext } from '../../js/draft-line.js';
import { createRead, type DraftRecord } from '../../js/draft-records.js';
import { createServer } from '../../js/draft-server.js';
import { createTail } from '../../js/draft-tail.js';
import { createText } from '../../js/draft-text.js';
import { NEWER, READ, STORED, STORED_DIRTY, STORED_SAME, TOMBSTONE } from '../../js/wire.js';

const SCHEMA = 2;
const SECONDS = 1_000;

let kept: Record<string, string> = {};
beforeEach(() => {
  kept = {};
  const storage = {
    getItem: (name: string) => kept[name] ?? null,
    setItem: (name: string, value: string) => void (kept[name] = value),
    removeItem: (name: string) => void delete kept[name],
    key: (at: number) => Object.keys(kept)[at] ?? null,
    get length() {
      return Object.keys(kept).length;
    },
  };
  const keys = {
    ownKeys: () => Reflect.ownKeys(kept),
    getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
  };
  Object.defineProperty(globalThis, 'localStorage', { configurable: true, value: new Proxy(storage, keys) });
});

const tailTexts = (): string[] => Object.values(kept).map((record) => JSON.parse(record).text);
const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Ada's draft, whose database puts as `put` says. `here`: she is. */
function openDevice({ put = async (_record: DraftRecord): Promise<unknown> => 0, read = {} as object } = {}) {
  let stamp = Date.now();
  const said: unknown[][] = [];
  const database = new Map<string, DraftRecord>();
  const world = { here: true };
  const excluder = createExcluder([], true);
  const options = { schemaVersion: SCHEMA, ttlMs: 60 * SECONDS, maxBytes: 100 };
  const reads = createRead(SCHEMA, undefined, excluder.strip);
  const text = createText(options as never, excluder, reads, stamp);
  const store = {
    async put(record: DraftRecord) {
      await put(record);
      database.set(record.writer, record);
      return 0;
    },
    list: async () => [],
    async remove(records: DraftRecord[]) {
      for (const { writer } of records) database.delete(writer);
    },
  };
  const say = (...words: unknown[]): void => void said.push(words);
  const context = {
    home: {
      store,
      tail: createTail('test'),
      requests: { read: async () => read },
      diagnostics: { count() {}, emit() {} },
      stamp: () => ++stamp,
      mark() {},
    },
    key: 'note',
    options,
    endpoint: 'http://x/api/drafts',
    text,
    answerer: () => say,
    owner: () => 'u:ada',
    owners: () => ['u:ada'],
    writes: () => 'u:ada',
    asker: () => (world.here ? 'ada' : undefined),
  } as unknown as DraftContext;
  const device = createDevice(
    context,
    reads,
    undefined,
    () => {},
    () => {},
  );
  const texts = (): Array<[string, boolean]> =>
    [...database.values()].map(({ text, dirty }) => [text, dirty]);
  const type = (what: string): void => {
    text.give(what);
    device.write(-1);
  };
  return { device, server: createServer(context, device), text, said, texts, type, world };
}

/** A put that waits until it is let go, or fails. */
function held() {
  const waiting: Array<{ resolve(value: unknown): void; reject(reason: unknown): void }> = [];
  const put = (): Promise<unknown> => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  return { put, waiting };
}

test('who types and goes back while the first is being written finds what they went back to', async () => {
  const { put, waiting } = held();
  const { device, text, texts, type } = openDevice({ put });
  type('A');
  await tick();
  waiting.pop()!.resolve(0);
  await tick();
  type('B');
  await tick();
  type('A');
  device.keep();
  for (let rounds = 0; rounds < 3; rounds++) {
    for (const { resolve } of waiting.splice(0)) resolve(0);
    await tick();
  }
  assert.deepEqual(texts(), [['"A"', true]]);
  assert.equal(text.kept, text.edits);
});

test('the same text again is answered once it is written, and not written twice', async () => {
  const { put, waiting } = held();
  const { said, type, texts } = openDevice({ put });
  type('A');
  type('A');
  await tick();
  assert.deepEqual([waiting.length, said], [1, []]);
  waiting.pop()!.resolve(0);
  await tick();
  assert.deepEqual(said, [
    [STORED, STORED_DIRTY],
    [STORED, STORED_DIRTY],
  ]);
  assert.deepEqual([waiting.length, texts()], [0, [['"A"', true]]]);
});

test('a write that fails takes nothing newer out of the tail', async () => {
  const { put, waiting } = held();
  const { device, text, type } = openDevice({ put });
  type('old');
  await tick();
  text.give('newer');
  device.keep();
  waiting.pop()!.reject(new DOMException('', 'InvalidStateError'));
  await tick();
  assert.deepEqual(tailTexts(), ['"newer"']);
});

test('what the server has is written no more once its owner has gone', async () => {
  const { device, text, texts, type, said, world } = openDevice();
  type('mine');
  await tick();
  text.confirm('"mine"');
  world.here = false;
  text.give('mine');
  device.keep();
  assert.deepEqual(tailTexts(), []);
  device.write(5);
  await tick();
  assert.deepEqual([texts(), said.at(-1)], [[], [STORED, STORED_SAME]]);
});

test('what its owner typed and the server has not is kept though they have gone', async () => {
  const { device, text, texts, type, world } = openDevice();
  world.here = false;
  type('mine');
  await tick();
  text.give('more');
  device.keep();
  assert.deepEqual([texts(), tailTexts()], [[['"mine"', true]], ['"more"']]);
});

for (const [what, schemaVersion, remote] of [
  ['n older schema that nobody migrates is as good as none', SCHEMA - 1, TOMBSTONE],
  [' newer schema is left alone', SCHEMA + 1, NEWER],
] as const) {
  test(`a server's copy of a${what}`, async () => {
    const copy = { rev: 7, data: 'theirs', schemaVersion, saveId: 'other.1', updatedAt: new Date() };
    const { device, server, said } = openDevice({ read: { sent: 0, rev: 7, copy, waitMs: -1 } });
    device.load();
    await server.read(1);
    assert.deepEqual(said.at(-1), [READ, 1, remote, 7]);
  });
}
