import { createStability, formatError } from '/pkg/index.js';
import { API } from '/server.js';

/**
 * The API client of this page, with intervals that can be watched. Everything else is evenkeel's defaults.
 *
 * @param {{ onNotice: (notice: object) => void, onResponse: (response: Response, request: Request) => void, onRequest: (request: Request) => void }} hooks
 */
export const createApp = ({ onNotice, onRequest, onResponse }) =>
  createStability({
    name: 'storm',
    baseUrl: API,
    session: { confirmations: 2, confirmAfterMs: 1_000 },
    connection: { probeMs: 2_000 },
    api: {
      timeoutMs: 4_000,
      deadlineMs: 45_000,
      backoff: { baseMs: 600 }, // long enough to see
      maxConcurrent: 5, // browsers open six to one HTTP/1.1 origin, and one is the event stream's: the queue is ours rather than theirs
      rateLimit: { perSecond: 10, burst: 12 },
      trustedOrigins: [API],
      onRequest,
      onResponse,
    },
    events: {
      backoff: { baseMs: 800, maxMs: 4_000 },
      firstByteMs: 2_000,
      stableMs: 2_000,
      spreadMs: 3_000,
      watchdogMs: 4_000, // the server gives a sign of life each second
    },
    onNotice,
  });

/**
 * @typedef {object} OrderStream What the list of orders needs of a stream.
 * @property {string} url
 * @property {(type: 'order', listener: (event: MessageEvent) => void) => void} addEventListener
 * @property {{ getSnapshot(): object, subscribe(listener: () => void): void }} state
 * @property {() => void} close
 * @property {() => void} reconnect
 */
const ORDERS = '/api/orders/live';

/** One connection for all tabs. @returns {OrderStream} */
export const steadyOrders = (app) =>
  app.events(ORDERS, { shared: true, poll: { url: '/api/orders/since', intervalMs: 1_000 } });

/** The browser's own, which tells little of how it stands. @returns {OrderStream} */
export function plainOrders() {
  const listeners = new Set();
  let opened = 0;
  let source;
  const tell = () => {
    for (const listener of listeners) listener();
  };

  /** @type {Array<[string, (event: Event) => void]>} */
  const heard = [
    ['open', () => opened++],
    ['open', tell],
    ['error', tell],
  ];
  function open() {
    source?.close();
    source = new EventSource(API + ORDERS);
    for (const [type, listener] of heard) source.addEventListener(type, listener);
  }
  open();

  return {
    url: API + ORDERS,
    addEventListener(type, listener) {
      heard.push([type, listener]);
      source.addEventListener(type, listener);
    },
    state: {
      subscribe: (listener) => listeners.add(listener),
      getSnapshot: () => ({
        status: ['connecting', 'open', 'closed'][source.readyState],
        role: 'single',
        nextRetryAt: null,
        error: null,
        reconnects: Math.max(0, opened - 1),
      }),
    },
    close() {
      source.close();
      tell();
    },
    reconnect() {
      open();
      tell();
    },
  };
}

/** The app's calls through evenkeel: each gives `{ ok, data, text }`, the text being what a person is shown. */
export function steadyClient(app, log) {
  async function call(method, path, body, options) {
    const row = log.begin(method, API + path);
    const result = await app.api.request(method, path, body, options);
    log.settle(row, result);
    return { ok: result.ok, data: result.data, text: result.ok ? '' : formatError(result.error) };
  }
  return {
    get: (path, options) => call('GET', path, undefined, options),
    post: (path, body) => call('POST', path, body, { idempotencyKey: true }),
  };
}

/** The same calls as they are often written. */
export function plainClient(log) {
  async function call(method, path, body) {
    const row = log.beginPlain(method, API + path);
    try {
      const headers = body && { 'Content-Type': 'application/json' };
      const response = await fetch(API + path, { method, headers, body: body && JSON.stringify(body) });
      log.answered(row, response.status);
      if (response.status === 401) throw new Error('Please sign in');
      if (!response.ok) throw new Error(`Error ${response.status}`);
      const data = await response.json();
      log.endPlain(row, null);
      return { ok: true, data, text: '' };
    } catch (error) {
      log.endPlain(row, error.message);
      return { ok: false, data: null, text: error.message };
    }
  }
  return { get: (path) => call('GET', path), post: (path, body) => call('POST', path, body) };
}
