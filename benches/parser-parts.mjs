// What is measured of the parsers alone, the same in Node and in a page.
import { chunks, corpus, longLine, NAMES_OF_STREAMS } from './events-corpora.mjs';
import { openContenders } from './parser-contenders.mjs';
import { rounds } from './rounds.mjs';

const ROUNDS = 5;
const SIZE_B = 32_000_000;
const CHUNK_B = 16_384;
const KEPT_SIZE_B = 160_000_000;
const LINES_B = [1e6, 2e6, 4e6, 8e6];
/** As packets bring them. */
const LINE_CHUNK_B = 1_460;
/** Who takes longer than this for a line is timed once. */
const LINE_MS_MAX = 1_000;

const { contenders, end } = await openContenders();
const names = Object.keys(contenders);

/** All of it; `used` tells how many bytes of heap are in use. */
export async function measure(used) {
  const heap = async () => {
    // What a buffer held is let go some time after the buffer.
    for (let times = 0; times < 3; times++) {
      gc();
      await new Promise((done) => setTimeout(done, 50));
    }
    return used();
  };
  const streams = [];
  for (const name of NAMES_OF_STREAMS) streams.push({ name, ...(await timeStream(name)) });
  const lines = [];
  for (const size of LINES_B) lines.push({ size, took: await timeLine(size) });
  const pieces = chunks(corpus('small', KEPT_SIZE_B).bytes, CHUNK_B);
  const kept = [];
  for (const name of names) kept.push({ name, ...(await keepSome(contenders[name], pieces, heap)) });
  end();
  return { streams, lines, kept };
}

/** Milliseconds for a stream, a list for each contender. */
async function timeStream(name) {
  const { bytes, events, units } = corpus(name, SIZE_B);
  const pieces = chunks(bytes, CHUNK_B);
  const took = await rounds(names, ROUNDS, (contender) => time(contender, pieces, events, units));
  return { took, bytes: bytes.length };
}

/** Milliseconds for one event with a single line of that size. */
async function timeLine(size) {
  const pieces = chunks(longLine(size), LINE_CHUNK_B);
  const once = {};
  return rounds(names, ROUNDS, async (contender) => {
    const ms = once[contender] ?? (await time(contender, pieces, 1, size));
    if (ms > LINE_MS_MAX) once[contender] = ms;
    return ms;
  });
}

/** Milliseconds for these pieces. All must see what is in them. */
async function time(contender, pieces, events, units) {
  let seen = 0;
  let sum = 0;
  const push = await contenders[contender](({ data }) => {
    seen++;
    sum += data.length;
  });
  const begun = performance.now();
  for (const piece of pieces) push(piece);
  const ms = performance.now() - begun;
  if (seen !== events || sum !== units)
    throw new Error(`${contender} saw ${seen} events and ${sum} units of ${events} and ${units}`);
  return ms;
}

/** Bytes of heap for each event that is kept, one from each piece, and how long its data is. No two are equal: Chromium keeps equal ones once. */
async function keepSome(contender, pieces, heap) {
  let due = false;
  let length = 0;
  const events = [];
  const push = await contender((event) => {
    if (!due) return;
    due = false;
    length += event.data.length;
    events.push(event);
  }, true);
  const before = await heap();
  for (const piece of pieces) {
    due = true;
    push(piece);
  }
  const after = await heap();
  // Used after the measurement, they are not collected before.
  const { length: count } = events;
  return { heap: (after - before) / count, data: length / count };
}
