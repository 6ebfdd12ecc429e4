/**
 * @typedef {import('./types.mjs').LiveBody} LiveBody
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {{ id?: string, event?: string, data: string }} FeedEvent
 */

const KEPT_EVENTS_MAX = 1_000;
/** Where a poll stands that came before the first event: whoever has no id is sent nothing. */
const BEFORE_ALL = '0';

/** A stream of server-sent events for whoever is connected: ids count up, and a reconnect with `Last-Event-ID` is sent what it missed. */
export class EventFeed {
  /** @type {Required<Pick<FeedEvent, 'id' | 'data'>>[] & FeedEvent[]} the newest events, for replay */ events =
    [];
  /** @type {Set<LiveBody>} */ #streams = new Set();
  #lastId = 0;

  /** @param {{ heartbeatMs?: number, retryMs?: number | null }} [options] a comment so often; the `retry:` that is sent first */
  constructor({ heartbeatMs = 15_000, retryMs = null } = {}) {
    this.heartbeatMs = heartbeatMs;
    this.retryMs = retryMs;
  }

  /** How many streams are open. */
  get connections() {
    return this.#streams.size;
  }

  /** @param {FeedEvent | string} given a string is the data @returns {string} its id */
  send(given) {
    const event = { id: String(++this.#lastId), ...(typeof given === 'string' ? { data: given } : given) };
    if (this.events.length === KEPT_EVENTS_MAX) this.events.shift();
    this.events.push(event);
    for (const stream of this.#streams) stream.write(block(event)).catch(() => {});
    return event.id;
  }

  /** @param {string} text in the stream's own format, or broken @returns {void} */
  sendRaw(text) {
    for (const stream of this.#streams) stream.write(text).catch(() => {});
  }

  /** Every stream ends as a response ends. */
  end() {
    for (const stream of this.#streams) stream.end();
  }

  /** Every stream's socket is destroyed. */
  cut() {
    for (const stream of this.#streams) stream.cut();
  }

  /** For `server.on(path, feed.stream)`. @returns {Step} */
  stream = () => ({
    headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
    stream: (body) => this.#serve(body),
  });

  /** For `server.on(path, feed.poll)`: the same events by polling. @param {import('./recorder.mjs').RecordedRequest} request @returns {Step} */
  poll = (request) => {
    const events = this.#after(request.queryValue('lastEventId'));
    return { body: { events, lastEventId: this.events.at(-1)?.id ?? BEFORE_ALL } };
  };

  /** @param {LiveBody} body */
  async #serve(body) {
    await body.write(this.retryMs === null ? ': hello\n\n' : `retry: ${this.retryMs}\n\n`);
    const missed = this.#after(body.request.headers['last-event-id'] ?? null);
    this.#streams.add(body);
    const heartbeat = setInterval(() => body.write(':\n\n').catch(() => {}), this.heartbeatMs);
    const over = new Promise((resolve) => body.signal.addEventListener('abort', resolve, { once: true }));
    try {
      if (missed.length) await body.write(missed.map(block).join(''));
      await over;
    } finally {
      clearInterval(heartbeat);
      this.#streams.delete(body);
    }
  }

  /** Nothing for a first connection, everything for an id that is no longer known. @param {string | null} lastId */
  #after(lastId) {
    if (lastId === null) return [];
    return this.events.slice(this.events.findLastIndex((event) => event.id === lastId) + 1);
  }
}

/** @param {FeedEvent} event */
function block({ id, event, data }) {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${id === undefined ? '' : `id: ${id}\n`}${event ? `event: ${event}\n` : ''}${lines.join('')}\n`;
}
