// Times event streams in the page, from the making of the source to the last event.
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { EventSource as EventSource5 } from 'eventsource';
import { corpus, END, NAMES_OF_STREAMS, TYPES } from './events-corpora.mjs';
import { runPart } from './page.mjs';
import { rounds } from './rounds.mjs';

const ROUNDS = 5;
const SIZE_B = 32_000_000;

/** Each reads the stream at `url`, hands every event to `onEvent`, and closes after the last one. */
async function contenders() {
  const { createStability } = await import('/pkg/index.js');
  const app = createStability();
  await app.ready;
  return {
    'native EventSource': (url, onEvent) => listen(new EventSource(url), onEvent),
    eventsource: (url, onEvent) => listen(new EventSource5(url), onEvent),
    'fetch-event-source'(url, onEvent) {
      const ending = new AbortController();
      return fetchEventSource(url, {
        signal: ending.signal,
        onmessage: (event) => (event.event === END ? ending.abort() : onEvent(event)),
        onerror(error) {
          throw error;
        },
      });
    },
    evenkeel: (url, onEvent) => listen(app.events(url), onEvent),
  };
}

function listen(source, onEvent) {
  return new Promise((resolve, reject) => {
    source.onmessage = onEvent;
    for (const type of TYPES) source.addEventListener(type, onEvent);
    source.addEventListener(END, () => {
      source.close();
      resolve();
    });
    source.onerror = () => {
      source.close();
      reject(new Error('the stream broke'));
    };
  });
}

/** Milliseconds, a list for each contender. All must see what was sent. */
async function timed(name) {
  const all = await contenders();
  const { bytes, events, units } = corpus(name, SIZE_B);
  const url = `/events?${new URLSearchParams({ corpus: name, size: SIZE_B })}`;
  const took = await rounds(Object.keys(all), ROUNDS, async (contender) => {
    let seen = 0;
    let sum = 0;
    const begun = performance.now();
    await all[contender](url, ({ data }) => {
      seen++;
      sum += data.length;
    });
    const ms = performance.now() - begun;
    if (seen !== events || sum !== units)
      throw new Error(`${contender} saw ${seen} events and ${sum} units of ${events} and ${units}`);
    return ms;
  });
  return { took, events, bytes: bytes.length };
}

await runPart(Object.fromEntries(NAMES_OF_STREAMS.map((name) => [name, () => timed(name)])));
