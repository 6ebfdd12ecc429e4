// The parsers alone. Each contender is given `onEvent`, which takes an object { id, event, data }, and returns what
// takes the next chunk of bytes.

import { getLines, getMessages } from '@microsoft/fetch-event-source/lib/esm/parse.js';
import { createParser } from 'eventsource-parser';
import { createGlue } from '#glue';
import wasm from '#wasm-base64';
import { own, readBatch } from '../js/message.ts';

const PEERS = {
  // Takes text: its users decode.
  'eventsource-parser'(onEvent) {
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent });
    return (chunk) => parser.feed(decoder.decode(chunk, { stream: true }));
  },
  'fetch-event-source': (onEvent) =>
    getLines(
      getMessages(
        () => {},
        () => {},
        onEvent,
      ),
    ),
};

/** base, max and jitter of the backoff; first byte, stable, spread, watchdog; maxEventBytes, dedupeIds; pause, poll, strict, trusted. */
const STREAM = [1e3, 3e4, 1, 1e4, 1e4, 1e4, 75e3, 8 * 2 ** 20, 1_024, -1, -1, 0, 0];
/** Of calls, and tabs that work alone; nothing that a stream asks for. No session, no version, and no status worth another attempt. */
const OTHERS = [...new Array(21).fill(1), 0, 0, 0, 0, 0, 0];

/** The contenders, and what ends them. Ours is the module that ships, its streams answered by nobody. */
export async function openContenders() {
  const bytes = Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0));
  const engine = createGlue(await WebAssembly.compile(bytes), (exports) => exports);
  const { memory } = engine;
  const headers = { 'content-type': 'text/event-stream' };
  let opened;
  engine.start(OTHERS, {
    life: new AbortController().signal,
    // All that is begun here is to connect.
    begin: (task, id, number) =>
      queueMicrotask(() => engine.ended(task, id, number, new Response(null, { headers }))),
    pump: (_, connection) => opened(connection),
    disconnect() {},
    show() {},
  });
  let id = 0;

  /** @param keeps as events do that a page hears: their text is cut loose from its chunk */
  async function evenkeel(onEvent, keeps = false) {
    engine.closeStream(id++);
    const opening = new Promise((resolve) => {
      opened = resolve;
    });
    engine.openStream(id, Float64Array.from(STREAM), new Uint8Array(), 0);
    const connection = await opening;
    let lastId = '';
    const emit = (event, data, id) => {
      onEvent({ id, event, data: keeps ? own(data) : data });
      return true;
    };
    return (chunk) => {
      if (!engine.feed(id, connection, chunk)) throw new Error('the stream is closed');
      const [text, records, words] = new Uint32Array(memory.buffer, engine.batch(id), 3);
      if (words)
        lastId = readBatch(memory, text, new Uint32Array(memory.buffer, records, words), lastId, emit);
    };
  }
  return { contenders: { ...PEERS, evenkeel }, end: () => engine.dispose() };
}
