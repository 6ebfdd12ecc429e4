// The streams that everything about events is measured with: the same bytes at every run, in Node and in pages.

/** Types of events, beside `message`, that the mixed stream holds. */
export const TYPES = ['update', 'presence'];

/** The last event of a served stream is of this type: it tells the page that it is over. */
export const END = 'end';

const NAMES = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara'];
const WORDS = ['the ', 'of ', ' keel', ' even', ' wave', 'ing', ' and', ' a', ' boat', ', ', '.', ' under'];
const PROSE = 'Every page keeps its course while the harbour it came from is rebuilt. ';
const PROSE_ELSEWHERE = 'Änderungen übernommen – 変更を保存しました 🚢 сохранено. ';

/** What each stream's events are: `event(n, random)` gives fields, and their `data` is counted. */
const STREAMS = {
  /** 67 bytes each with the frame, nothing but `data`. */
  small: (n) => ({ data: small(n) }),
  /** The same data, and an id on each, as a stream has that is to be resumed. */
  'small with ids': (n) => ({ id: 1_000_000 + n, data: small(n) }),
  /** 20 bytes to 4 kB, most of them short: a third with ids, some with types, of several lines, not in ASCII. */
  mixed(n, random) {
    const length = Math.round(20 * 200 ** (random() ** 4));
    const prose = random() < 0.15 ? PROSE_ELSEWHERE : PROSE;
    const text = prose
      .repeat(Math.ceil(length / prose.length))
      .slice(0, length)
      .toWellFormed();
    return {
      id: random() < 0.33 ? n : undefined,
      type: random() < 0.2 ? TYPES[n % TYPES.length] : undefined,
      data: random() < 0.1 ? text.replaceAll('. ', '.\n') : text,
    };
  },
  /** What language models send for each token. */
  'LLM tokens': (_, random) => ({
    data: `{"id":"chatcmpl-8f1c0a52e7d94b36","object":"chat.completion.chunk","created":1795000000,"model":"model-1","choices":[{"index":0,"delta":{"content":"${WORDS[Math.floor(random() * WORDS.length)]}"},"finish_reason":null}]}`,
  }),
};

const small = (n) =>
  `{"id":${1_000_000 + n},"user":"${NAMES[n % NAMES.length].padEnd(9)}","at":1795000000,"on":true}`;

export const NAMES_OF_STREAMS = Object.keys(STREAMS);

/** About `size` bytes of a stream, how many events they are, and how long their data is together, in UTF-16 units. */
export function corpus(name, size) {
  const random = seeded(1);
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(size);
  let [length, events, units] = [0, 0, 0];
  for (;;) {
    const { id, type, data } = STREAMS[name](events, random);
    const block =
      (id === undefined ? '' : `id: ${id}\n`) +
      (type === undefined ? '' : `event: ${type}\n`) +
      `data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
    const { read, written } = encoder.encodeInto(block, bytes.subarray(length));
    if (read < block.length) return { bytes: bytes.subarray(0, length), events, units };
    length += written;
    events++;
    units += data.length;
  }
}

/** One event whose data is a single line of `size` bytes. */
export function longLine(size) {
  return new TextEncoder().encode(`data: ${'x'.repeat(size)}\n\n`);
}

/** The stream in pieces of `size` bytes. */
export function chunks(bytes, size) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** Numbers from 0 to 1, the same ones for the same seed. */
function seeded(state) {
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
