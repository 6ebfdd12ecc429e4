import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMessageEvent, readBatch } from '../../js/message.js';
import { seeded } from './seeded.js';

interface Given {
  data: string;
  /** Left out: the one before. */
  id?: string;
  /** Left out: no type of its own. */
  type?: string;
}
type Heard = [type: string, data: string, lastEventId: string];

const SAME = 0xffff_ffff;
const TEXT_PTR = 1_000;
const RECORDS_PTR = 2 ** 20;
const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];
const textOf = (bytes: number[]): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));

/** A memory with the text in it, and the records as a view of it. */
function memoryOf(bytes: number[], words: number[]) {
  const memory = new WebAssembly.Memory({ initial: 64 });
  new Uint8Array(memory.buffer).set(bytes, TEXT_PTR);
  const records = new Uint32Array(memory.buffer, RECORDS_PTR, words.length);
  records.set(words);
  return { memory, records };
}

function batchOf(events: Given[]) {
  const bytes: number[] = [];
  const words: number[] = [];
  for (const { data, id, type } of events) {
    const text = [data, id, type].flatMap((part) => (part === undefined ? [] : [`${part}\n`])).join('');
    bytes.push(...bytesOf(text));
    words.push(bytesOf(text).length, data.length, id?.length ?? SAME, type?.length ?? 0);
  }
  return memoryOf(bytes, words);
}

/** What is heard of a batch, and the last event ID after it. */
function read(batch: ReturnType<typeof memoryOf>, lastId = ''): { heard: Heard[]; lastId: string } {
  const heard: Heard[] = [];
  const next = readBatch(batch.memory, TEXT_PTR, batch.records, lastId, (...event) => {
    heard.push(event);
    return true;
  });
  return { heard, lastId: next };
}

/** The plain way to the same. */
function naive(events: Given[], lastId = ''): Heard[] {
  return events.map(({ data, id, type }) => {
    lastId = id ?? lastId;
    return [type ?? 'message', data, lastId];
  });
}

test('the events of a batch are heard in order, each with the last id that came before or with it', () => {
  const batch = batchOf([
    { data: 'one' },
    { data: 'two', id: '7', type: 'tick' },
    { data: 'three\nlines\nof it', type: 'tick' },
    { data: '' },
    { data: 'six', id: '' },
  ]);
  const { heard, lastId } = read(batch, '6');
  assert.deepEqual(heard, [
    ['message', 'one', '6'],
    ['tick', 'two', '7'],
    ['tick', 'three\nlines\nof it', '7'],
    ['message', '', '7'],
    ['message', 'six', ''],
  ]);
  assert.equal(lastId, '');
});

test('an empty batch hands over nothing and keeps the last id', () => {
  assert.deepEqual(read(batchOf([]), '9'), { heard: [], lastId: '9' });
});

test('text of every width is cut where it was counted', () => {
  const events: Given[] = [
    { data: 'plain', id: 'ü', type: 'größe' },
    { data: 'ключ → значение', id: '→' },
    { data: '👩‍👩‍👧 and 𝄞', id: '𝄞', type: '👍' },
    { data: '\ufeffa byte order mark in the middle stays', type: '\ufeff' },
    { data: 'a real \ufffd is kept\n\ufffd', id: '\ufffd', type: 'x\ufffd' },
    { data: '\n\n', id: '', type: 'after empty lines \ufffd' },
    { data: '', id: '', type: '\ufffd' },
    { data: 'done' },
  ];
  assert.deepEqual(read(batchOf(events)).heard, naive(events));
});

test('any batch is read as one event after another would be', () => {
  const random = seeded(7);
  const alphabet = ['a', 'bc', ' ', '{"n":1}', 'é', '→', '𝄞', '\n', '\ufffd', 'x'.repeat(90)];
  const text = (max: number, from = alphabet): string =>
    Array.from({ length: random() * max }, () => from[Math.floor(random() * from.length)]).join('');
  const line = alphabet.filter((part) => part !== '\n');
  for (let round = 0; round < 300; round++) {
    const events = Array.from({ length: random() * 60 }, (): Given => {
      const type = text(3, line);
      return {
        data: text(random() < 0.1 ? 200 : 12),
        ...(random() < 0.5 && { id: text(4, line) }),
        ...(type && random() < 0.5 && { type }),
      };
    });
    assert.deepEqual(read(batchOf(events), 'before').heard, naive(events, 'before'));
  }
});

test('invalid UTF-8 becomes U+FFFD, and shifts nothing that follows, however it was counted', () => {
  const torn = [0xff, 0x61, 0xe2, 0x82, 0x62, 0xf0, 0x9f, 0x91, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xe2, 0x82];
  const parts = [torn, bytesOf('id').concat(torn), bytesOf('type').concat(torn)] as const;
  for (const counted of [0, 3, 99]) {
    const bytes: number[] = [];
    const words: number[] = [];
    for (let n = 0; n < 50; n++) {
      const [data, id, type] = parts;
      const event = [
        ...data,
        10,
        ...data,
        10,
        ...(n % 2 ? [...id, 10] : []),
        ...(n % 3 ? [...type, 10] : []),
      ];
      bytes.push(...event);
      words.push(event.length, counted, n % 2 ? counted : SAME, n % 3 ? counted || 1 : 0);
    }
    const { heard } = read(memoryOf(bytes, words));
    const [data, id, type] = parts.map(textOf);
    assert.equal(heard.length, 50);
    heard.forEach((event, n) => {
      assert.deepEqual(event, [n % 3 ? type : 'message', `${data}\n${data}`, n ? id : '']);
    });
  }
});

/** How many bytes are decoded at once. */
test('an event that is kept keeps its own text alive, not the chunk that it came in', () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const kept: MessageEvent[] = [];
  const chunks = 200;
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < chunks; n++) {
    const events = Array.from({ length: 160 }, (_, at) => ({
      data: `${n} ${at} ${'x'.repeat(90)}`,
      id: `${n}-${at}-${'i'.repeat(20)}`,
      type: `type-${n}-${'t'.repeat(20)}`,
    }));
    const { memory, records } = batchOf(events);
    let at = 0;
    readBatch(memory, TEXT_PTR, records, '', (type, data, lastId) => {
      if (at++ === 80) kept.push(createMessageEvent(type, data, lastId, ''));
      return true;
    });
  }
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / chunks;
  assert.ok(bytes < 4_096, `${bytes} bytes for each event`);
  assert.equal(kept.length, chunks);
});

test('who says stop hears nothing more of the batch, and the id is that of the last event heard', () => {
  const events = Array.from({ length: 100 }, (_, n) => ({ data: 'x'.repeat(50), id: `${n}` }));
  const { memory, records } = batchOf(events);
  let heard = 0;
  assert.equal(
    readBatch(memory, TEXT_PTR, records, '', () => ++heard < 30),
    '29',
  );
  assert.equal(heard, 30);
  assert.deepEqual(read(batchOf(events)).heard, naive(events));
});

test('a listener that lets the module grow, overwrite the batch or read another loses none of this one', () => {
  const events = Array.from({ length: 300 }, (_, n) => ({
    data: `${n} ${'x'.repeat(50)}`,
    id: `${n}`,
    type: 't',
  }));
  const inner = Array.from({ length: 200 }, (_, n) => ({ data: `inner ${n}` }));
  const { memory, records } = batchOf(events);
  const heard: Heard[] = [];
  readBatch(memory, TEXT_PTR, records, '', (...event) => {
    heard.push(event);
    if (heard.length % 100 === 1) {
      assert.deepEqual(read(batchOf(inner), 'own').heard, naive(inner, 'own'));
      new Uint8Array(memory.buffer).fill(0x21);
      memory.grow(1);
      new Uint8Array(memory.buffer).fill(0x22);
    }
    return true;
  });
  assert.deepEqual(heard, naive(events));
});

test('many events in one batch, and few in the next, are all read', () => {
  const many = Array.from({ length: 20_000 }, (_, n) => ({
    data: `${n}`,
    ...(n % 7 === 0 && { id: `${n}` }),
  }));
  const few = many.slice(0, 3);
  for (const events of [few, many, few, many]) assert.deepEqual(read(batchOf(events)).heard, naive(events));
});

test('types beyond those that are remembered are heard as they are', () => {
  const events = Array.from({ length: 2_000 }, (_, n) => ({ data: '', type: `type ${(n * n) % 41}` }));
  assert.deepEqual(read(batchOf(events)).heard, naive(events));
});

test('a message event is a MessageEvent in every respect', () => {
  const event = createMessageEvent('tick', 'text', '12', 'https://feed.example.com');
  assert.ok(event instanceof MessageEvent);
  assert.equal(`${event}`, `${new MessageEvent('tick')}`);
  assert.equal(event.type, 'tick');
  assert.equal(event.data, 'text');
  assert.equal(event.lastEventId, '12');
  assert.equal(event.origin, 'https://feed.example.com');
  assert.deepEqual([...event.ports], []);
  assert.equal(event.source, null);
  assert.equal(event.bubbles, false);
  assert.equal(event.cancelable, false);
  assert.deepEqual(Object.keys(event), Object.keys(new MessageEvent('tick')));
});
