import { RowPicture, svg } from './row.js';

const WIDE = { labels: 132, seconds: 30, ahead: 84 };
const NARROW = { labels: 62, seconds: 10, ahead: 96 };
const NARROW_BELOW = 560;
const TOP = 22;
const STRIP = 5;
const FOOT = 26; // below the rows: what happened besides
const MARK_LETTER = 6.2;
const ROW = { min: 4, good: 13, max: 21 };
const QUIET_KEPT_MS = 10_000; // when room is short, calls that went well leave sooner
const STEP_MS = 500; // between two pictures for people who want less motion

const lessMotion = matchMedia('(prefers-reduced-motion: reduce)');

/** The last seconds of all calls, one row each, drawn only while something moves. */
export class Timeline {
  #epoch = Date.now();
  /** @type {Map<number, RowPicture>} */ #pictures = new Map();
  #isAsked = false;
  #ends;
  #rowHeight = ROW.max;

  /** @param {HTMLElement} place @param {import('./calls.js').Calls} calls */
  constructor(place, calls) {
    this.calls = calls;
    this.place = place;
    this.root = svg('svg', { 'aria-hidden': 'true' });
    this.axis = svg('g', { class: 'axis' });
    this.labels = svg('g', {});
    this.lane = svg('svg', { class: 'lane' });
    this.strip = svg('g', { class: 'strip' });
    this.marks = svg('g', {});
    this.moving = svg('g', {});
    this.idle = svg('text', { class: 'idle' }, 'Nothing in the last seconds');
    this.moving.append(this.strip, this.marks);
    this.lane.append(this.moving);
    this.root.append(this.axis, this.labels, this.lane, this.idle);
    place.append(this.root);
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(place);
    const heard = calls.subscribe(() => this.#ask());
    this.#ends = () => {
      sizes.disconnect();
      heard();
      this.root.remove();
    };
  }

  dispose() {
    this.#ends();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    this.isNarrow = width < NARROW_BELOW;
    this.look = this.isNarrow ? NARROW : WIDE;
    this.size = { width, height };
    const { labels, seconds, ahead } = this.look;
    this.nowX = width - labels - ahead;
    this.perMs = this.nowX / (seconds * 1_000);
    this.root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.lane.setAttribute('x', labels);
    this.lane.setAttribute('width', Math.max(0, width - labels));
    this.lane.setAttribute('height', height);
    this.idle.setAttribute('x', labels + this.nowX / 2);
    this.idle.setAttribute('y', height / 2);
    this.#drawAxis();
    for (const picture of this.#pictures.values()) this.#remove(picture);
    this.#ask();
  }

  #drawAxis() {
    const { labels, seconds } = this.look;
    const parts = [];
    for (let s = 0; s <= seconds; s += 5) {
      const x = labels + this.nowX - s * 1_000 * this.perMs;
      parts.push(
        svg('line', {
          class: s ? 'tick' : 'tick now',
          x1: x,
          x2: x,
          y1: TOP - 4,
          y2: this.size.height - FOOT,
        }),
        svg('text', { class: 'tick-name', x, y: 10 }, s ? `−${s} s` : 'now'),
      );
    }
    this.axis.replaceChildren(...parts);
  }

  #ask() {
    if (this.#isAsked || !this.size?.width) return;
    this.#isAsked = true;
    const draw = () => {
      if (!this.root.isConnected) return; // it was disposed of
      this.#isAsked = false;
      this.#draw();
    };
    if (lessMotion.matches) setTimeout(draw, STEP_MS);
    else requestAnimationFrame(draw);
  }

  #x = (at) => (at - this.#epoch) * this.perMs;

  #draw() {
    const now = Date.now();
    const oldest = now - (this.look.seconds + 1) * 1_000;
    const room = this.size.height - TOP - STRIP - FOOT - 4;
    const rows = thinned(
      this.calls.rows.filter(({ until }) => until === null || until > oldest),
      Math.floor(room / ROW.good),
      now - QUIET_KEPT_MS,
    );
    const breaks = this.calls.breaks.filter(({ until }) => until === null || until > oldest);
    const isIn = new Set(rows.map(({ key }) => key));
    for (const picture of this.#pictures.values()) if (!isIn.has(picture.row.key)) this.#remove(picture);

    const wanted = Math.max(ROW.min, Math.min(ROW.max, room / Math.max(1, rows.length)));
    // The height of rows changes in steps, so that rows are not drawn again in every frame.
    this.#rowHeight = wanted >= 10 ? Math.floor(wanted) : Math.floor(wanted * 2) / 2;
    const first = Math.max(0, rows.length - Math.floor(room / this.#rowHeight));
    const streams = rows.filter(isStream);
    const isOut = (i) => i >= streams.length && i < streams.length + first;
    [...streams, ...rows.filter((row) => !isStream(row))].forEach((row, i) => {
      const at = i < streams.length ? i : i - first;
      this.#place(row, TOP + STRIP + 3 + at * this.#rowHeight, now, isOut(i));
    });
    this.#drawBreaks(breaks, now);
    const marks = this.calls.marks.filter(({ at }) => at > oldest);
    this.#drawMarks(marks);

    this.moving.setAttribute('transform', `translate(${(this.nowX - this.#x(now)).toFixed(2)} 0)`);
    this.idle.toggleAttribute('hidden', rows.length > 0);
    if (rows.length || breaks.length || marks.length) this.#ask();
  }

  #place(row, goal, now, isOut) {
    let picture = this.#pictures.get(row.key);
    if (!picture) {
      picture = new RowPicture(row);
      this.#pictures.set(row.key, picture);
      this.moving.append(picture.node);
      this.labels.append(picture.label);
    }
    picture.draw(this.#x, this.#rowHeight, this.isNarrow);
    picture.grow(now);
    const from = picture.y ?? goal;
    const y = lessMotion.matches || Math.abs(goal - from) < 0.5 ? goal : from + (goal - from) * 0.2;
    if (y === picture.y && picture.height === this.#rowHeight) return;
    picture.y = y;
    picture.height = this.#rowHeight;
    picture.node.setAttribute('transform', `translate(0 ${y.toFixed(2)})`);
    picture.label.setAttribute('y', (y + this.#rowHeight / 2).toFixed(2));
    picture.node.toggleAttribute('hidden', isOut);
    picture.label.toggleAttribute('hidden', isOut);
  }

  #remove(picture) {
    picture.node.remove();
    picture.label.remove();
    this.#pictures.delete(picture.row.key);
  }

  /** Above the rows: while a breaker is open. */
  #drawBreaks(breaks, now) {
    this.strip.replaceChildren(
      ...breaks.map(({ state, at, until }) =>
        svg('rect', {
          class: state,
          x: this.#x(at),
          y: TOP - 3,
          width: Math.max(2, this.#x(until ?? now) - this.#x(at)),
          height: STRIP,
          rx: 2,
        }),
      ),
    );
  }

  /** Below the rows, and through them: what happened besides. Words that would meet stand below each other. */
  #drawMarks(marks) {
    const drawn = `${marks.map(({ at }) => at)} ${this.size.height}`;
    if (drawn === this.#marksDrawn) return;
    this.#marksDrawn = drawn;
    const { height } = this.size;
    const free = [-Infinity, -Infinity];
    this.marks.replaceChildren(
      ...marks.flatMap(({ at, text, tone }) => {
        const x = this.#x(at);
        const from = x - text.length * MARK_LETTER;
        const line = from > free[0] || free[0] <= free[1] ? 0 : 1;
        free[line] = x;
        const y = height - FOOT + 7 + line * 13;
        return [
          svg('line', { class: `happened ${tone}`, x1: x, x2: x, y1: TOP, y2: y + 5 }),
          svg('text', { class: `happened ${tone}`, x: x - 4, y }, text),
        ];
      }),
    );
  }
  #marksDrawn = '';
}

/** They go on and on, and stay on top. */
const isStream = ({ sort }) => sort === 'stream';

/** Without as many of the oldest calls that went well at once, up to a time, as there are too many. */
function thinned(rows, good, before) {
  let tooMany = rows.length - good;
  return rows.filter((row) => {
    const isQuiet = row.until !== null && row.until < before && row.kind === null && row.attempts.length <= 1;
    return !isQuiet || --tooMany < 0;
  });
}
