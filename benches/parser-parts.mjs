// What is measured of the parsers alone, the same in Node and in a page.
import { chunks, corpus, longLine, NAMES_OF_STREAMS } from './events-corpora.mjs';
import { contenders } from './parser-contenders.mjs';
import { rounds } from './rounds.mjs';

const ROUNDS = 5;
const SIZE_B = 32_000_000;
const CHUNK_B = 16_384;
/** How often the stream is parsed over and over when events are kept of it: 160 MB. */
const LAPS = 5;
const LINES_B = [1e6, 2e6, 4e6, 8e6];
/** As packets bring them. */
const LINE_CHUNK_B = 1_460;
/** Who takes longer than this for a line is timed once. */
const LINE_MS_MAX = 1_000;

const names = Object.keys(contenders);

/** All of it; `heap` tells how many bytes are in use after a collection. */
export async function measure(heap) {
  const streams = [];
  for (const name of NAMES_OF_STREAMS) streams.push({ name, ...(await timeStream(name)) });
  const lines = [];
  for (const size of LINES_B) lines.push({ size, took: await timeLine(size) });
  const kept = [];
  for (const name of names) kept.push({ name, ...(await keepSome(contenders[name], heap)) });
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
  return rounds(names, ROUNDS, (contender) => {
    const ms = once[contender] ?? time(contender, pieces, 1, size);
    if (ms > LINE_MS_MAX) once[contender] = ms;
    return ms;
  });
}

/** Milliseconds for these pieces. All must see what is in them. */
function time(contender, pieces, events, units) {
  let seen = 0;
  let sum = 0;
  const begun = performance.now();
  const push = contenders[contender](({ data }) => {
    seen++;
    sum += data.length;
  });
  for (const piece of pieces) push(piece);
  const ms = performance.now() - begun;
  if (seen !== events || sum !== units)
    throw new Error(`${contender} saw ${seen} events and ${sum} units of ${events} and ${units}`);
  return ms;
}

/** Bytes of heap for each event that is kept, one from each piece, and how long its data is. */
async function keepSome(contender, heap) {
  const pieces = chunks(corpus('small', SIZE_B).bytes, CHUNK_B);
  let due = false;
  let length = 0;
  const events = [];
  const push = contender((event) => {
    if (!due) return;
    due = false;
    length += event.data.length;
    events.push(event);
  });
  const before = await heap();
  for (let lap = 0; lap < LAPS; lap++) {
    for (const piece of pieces) {
      due = true;
      push(piece);
    }
  }
  const after = await heap();
  // Used after the measurement, neither of them is collected before.
  const count = Math.min(events.length, pieces.length * LAPS);
  return { heap: (after - before) / count, data: length / count };
}
