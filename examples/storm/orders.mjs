import { EventFeed } from '../../tests/server/event-feed.mjs';

/**
 * The orders that come in, as an event stream and for those whom streams do not reach.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../../tests/server/types.mjs').LiveBody} LiveBody
 */
export const LIVE = '/api/orders/live';
const SINCE = '/api/orders/since';
const HEARTBEAT_MS = 1_000;
const TABLES = 12;

/** The next order comes after so long. */
const pauseMs = () => 600 + Math.random() * 900;

/** @param {FaultServer} server @param {string[]} meals what is ordered */
export function openOrders(server, meals) {
  const feed = new EventFeed({ heartbeatMs: HEARTBEAT_MS });
  /** @type {Set<{ isMute: boolean }>} */ const lines = new Set();

  /** A connection that was muted once stays so: if it spoke again, what was said meanwhile would be lost. @param {LiveBody} body */
  async function serve(body) {
    const line = { isMute: false };
    lines.add(line);
    const write = (data) => (line.isMute ? Promise.resolve() : body.write(data));
    try {
      await feed.stream().stream({ ...body, write });
    } finally {
      lines.delete(line);
    }
  }

  server.on(LIVE, () => ({ ...feed.stream(), stream: serve }));
  server.on(SINCE, feed.poll);

  /** @param {{ meal: string, count: number, from: string }} order */
  const send = (order) => feed.send({ event: 'order', data: JSON.stringify({ ...order, at: Date.now() }) });

  function come() {
    send({
      meal: meals[Math.floor(Math.random() * meals.length)],
      count: 1 + Math.floor(Math.random() ** 2 * 4),
      from: `Table ${1 + Math.floor(Math.random() * TABLES)}`,
    });
    setTimeout(come, pauseMs());
  }
  setTimeout(come, pauseMs());

  return {
    send,
    /** How many streams are open. */
    get connections() {
      return lines.size;
    },
    /** Every stream's connection is destroyed. */
    cut: () => feed.cut(),
    /** The streams that are open say nothing any more; new ones do. */
    mute() {
      for (const line of lines) line.isMute = true;
    },
  };
}
