import { checkOf, seconds, waitAfter } from './calls.js';

const LETTER = 5.9; // the width of a letter of the time line's type
const BAR_MIN = 3;
const TEXT_ROOM = 10; // rows lower than this are drawn without words

const SVG = 'http://www.w3.org/2000/svg';

/** @param {string} tag @param {Record<string, unknown>} attributes @param {string} [text] */
export function svg(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

/**
 * The picture of one call, on a scale where x grows with time: what has ended stands still, what goes on grows.
 */
export class RowPicture {
  node = svg('g', {});
  label = svg('text', { class: 'label', x: 0 });
  /** Where it is, and where it goes. @type {number | null} */
  y = null;
  #drawn = '';
  /** @type {Array<(now: number) => void>} */
  #growing = [];

  /** @param {import('./calls.js').Row} row */
  constructor(row) {
    this.row = row;
    this.node.dataset.call = row.key;
  }

  /** @param {(at: number) => number} x @param {number} height @param {boolean} isNarrow */
  draw(x, height, isNarrow) {
    const { row } = this;
    const last = row.attempts.at(-1);
    const drawn = [
      height,
      isNarrow,
      row.until,
      row.shared,
      last?.at,
      last?.until,
      last?.text,
      row.attempts.length,
      row.waits.length,
    ].join();
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#growing = [];
    const hasWords = height >= TEXT_ROOM;
    this.label.textContent = hasWords ? nameOf(row, isNarrow) : '';
    this.label.setAttribute('class', `label ${row.sort}`);
    const parts = [...this.#slot(x, height), ...row.waits.flatMap((wait) => this.#wait(wait, x, height))];
    row.attempts.forEach((attempt, i) => {
      parts.push(...this.#attempt(attempt, row.attempts[i + 1], waitAfter(row, i), x, height));
    });
    if (row.until !== null) parts.push(...this.#end(x, height, hasWords));
    this.node.replaceChildren(...parts);
  }

  /** What goes on is as long as it has lasted. */
  grow(now) {
    for (const grow of this.#growing) grow(now);
  }

  /** From the call to its first request: it is queued, or shares another's request. */
  #slot(x, height) {
    const { row } = this;
    if (row.sort === 'stream') return [];
    const until = row.attempts[0]?.at ?? row.until;
    if (until !== null && x(until) - x(row.at) < 1 && !row.shared) return [];
    return [this.#line(row.shared ? 'shared' : 'slot', row.at, until, x, height)];
  }

  /** What the server asked for, what was added to it, and the queue behind both. */
  #wait({ at, until, ms, askedS }, x, height) {
    const asked = at + Math.min(ms, (askedS ?? 0) * 1_000);
    const over = at + ms;
    const ended = until ?? this.row.until;
    const lines = [
      this.#line('wait', asked, over, x, height, ended),
      this.#line('slot', over, null, x, height, ended),
    ];
    return askedS ? [this.#line('asked', at, asked, x, height, ended), ...lines] : lines;
  }

  /** As long as planned, up to now, and never beyond its end. */
  #line(name, from, planned, x, height, ended = planned) {
    const y = height / 2;
    const line = svg('line', { class: name, x1: x(from), x2: x(from), y1: y, y2: y });
    const reach = (now) => line.setAttribute('x2', x(Math.max(from, Math.min(planned ?? now, ended ?? now))));
    if (ended === null) this.#growing.push(reach);
    else reach(ended);
    return line;
  }

  #attempt({ at, until, outcome, text, openedAt }, next, wait, x, height) {
    if (openedAt && until !== null && outcome !== 'ok') {
      const end = { at: until, until, outcome, text };
      return [
        ...this.#attempt({ at, until, outcome: 'ok', text: '' }, next, undefined, x, height),
        ...this.#attempt(end, next, wait, x, height),
      ];
    }
    const inset = height > 8 ? 2.5 : height > 5 ? 1 : 0.5;
    const width = Math.max(BAR_MIN, x(until ?? at) - x(at));
    const rx = Math.min(3, height / 4);
    const bar = svg('rect', {
      class: `bar ${outcome}`,
      x: x(at),
      y: inset,
      width,
      height: height - 2 * inset,
      rx,
    });
    if (until === null)
      this.#growing.push((now) => bar.setAttribute('width', Math.max(BAR_MIN, x(now) - x(at))));
    if (height < TEXT_ROOM || until === null || outcome === 'ok' || outcome === 'polled') return [bar];
    const y = height / 2;
    const isInside = fits(text, width);
    if (isInside)
      return [
        bar,
        svg('text', { class: 'inside', x: x(at) + width / 2, y }, text),
        ...this.#gap('', at, width, next, wait, x, y),
      ];
    return [bar, ...this.#gap(text, at, width, next, wait, x, y)];
  }

  /** In the gap behind an attempt: what it was, when the bar had no room for it, and how long is waited. */
  #gap(text, at, width, next, wait, x, y) {
    const from = x(at) + width;
    const to = wait ? x(Math.min(wait.at + wait.ms, wait.until ?? Infinity)) : next ? x(next.at) : from;
    const said = wait ? lasts(wait) : '';
    const words = [[text, said].filter(Boolean).join(' · '), said, text].find((words) =>
      fits(words, to - from),
    );
    if (!words) return [];
    const middle = (from + to) / 2;
    const half = (words.length * LETTER) / 2;
    return [
      svg('rect', { class: 'blank', x: middle - half, y: y - 5, width: 2 * half, height: 10 }),
      svg('text', { class: 'gap', x: middle, y }, words),
    ];
  }

  #end(x, height, hasWords) {
    const { row } = this;
    const y = height / 2;
    const last = row.attempts.at(-1);
    const at = Math.max(x(row.until), last ? x(last.at) + BAR_MIN : 0);
    const parts = [];
    if (row.sort === 'stream') {
      const tone = row.kind ? 'bad' : 'quiet';
      return hasWords ? [svg('text', { class: `end ${tone}`, x: at + 7, y }, row.kind ?? 'closed')] : [];
    }
    if (row.kind === 'circuitOpen') {
      const r = Math.min(5, height / 2.4);
      parts.push(svg('path', { class: 'stop', d: `M${at - r} ${y}l${r} ${-r}l${r} ${r}l${-r} ${r}z` }));
    }
    if (!hasWords) return parts;
    const count = row.attempts.length;
    const took = seconds(row.until - row.at);
    const words = row.kind ?? (row.shared ? 'shared' : count > 1 ? `ok after ${count}` : took);
    const tone = row.kind ? 'bad' : count > 1 ? 'good' : 'quiet';
    parts.push(svg('text', { class: `end ${tone}`, x: at + 7, y }, words));
    return parts;
  }
}

const fits = (words, width) => words.length > 0 && words.length * LETTER + 8 < width;

/** '7.1 s', or '5 s + 2.1 s' where the server asked for 5. */
const lasts = ({ ms, askedS }) =>
  askedS ? `${askedS} s + ${seconds(Math.max(0, ms - askedS * 1_000))}` : seconds(ms);

function nameOf({ method, url, sort }, isNarrow) {
  const path = new URL(url).pathname;
  const name = isNarrow ? path.replace('/api/', '') : path;
  if (sort === 'stream') return isNarrow ? 'stream' : `GET ${name}`;
  if (sort === 'check') return isNarrow ? checkOf(url).replace(' check', '?') : checkOf(url);
  return isNarrow && method === 'GET' ? name : `${method} ${name}`;
}
