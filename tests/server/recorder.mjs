/** @typedef {import('./types.mjs').Matcher} Matcher */

const RECORDED_REQUESTS_MAX = 10_000;
const BODY_BYTES_MAX = 2_097_152;

/** A request as it arrived, and what became of it. Every moment is epoch milliseconds. */
export class RecordedRequest {
  /** @type {number} when its headers had arrived */ at = Date.now();
  /** @type {string} */ method;
  /** @type {string} without the query */ path;
  /** @type {Array<[string, string]>} */ query;
  /** @type {string} path and query as sent */ url;
  /** @type {Record<string, string>} names in lower case */ headers;
  /** @type {string} the first 2 MiB, as UTF-8 */ body = '';
  /** @type {number} */ bodyBytes = 0;
  /** @type {boolean} */ isPreflight;
  /** @type {number | null} the status that was sent; null where there was no answer */ status = null;
  /** @type {import('./types.mjs').Step | null} */ step = null;
  /** @type {number | null} when the answer ended, or was cut by the server */ endedAt = null;
  /** @type {number | null} when the client went away before the answer had ended */ closedEarlyAt = null;

  /** @param {import('node:http').IncomingMessage} message */
  constructor(message) {
    const { method = 'GET', url: target = '/' } = message;
    const url = new URL(/^https?:/.test(target) ? target : `http://localhost${target}`);
    this.method = method;
    this.path = url.pathname;
    this.query = [...url.searchParams];
    this.url = url.pathname + url.search;
    this.headers = /** @type {Record<string, string>} */ ({ ...message.headers });
    this.isPreflight = method === 'OPTIONS' && 'access-control-request-method' in message.headers;
  }

  /** The body as JSON. */
  json() {
    return JSON.parse(this.body);
  }

  /** @param {string} name @returns {string | null} */
  queryValue(name) {
    return this.query.find(([key]) => key === name)?.[1] ?? null;
  }

  /** @param {string} name @returns {string | null} */
  cookie(name) {
    const pairs = (this.headers.cookie ?? '').split(/; */).map((pair) => pair.split('='));
    return (
      pairs
        .find(([key]) => key === name)
        ?.slice(1)
        .join('=') ?? null
    );
  }

  toJSON() {
    const { body: _body, pieces: _pieces, stream: _stream, ...step } = this.step ?? {};
    return { ...this, step: this.step && step };
  }
}

/**
 * The body of a request, kept up to its bound; what is beyond is read and counted.
 * @param {import('node:http').IncomingMessage} message
 * @param {RecordedRequest} request
 */
export async function readBody(message, request) {
  /** @type {Buffer[]} */
  const kept = [];
  try {
    for await (const chunk of message) {
      const room = BODY_BYTES_MAX - Math.min(request.bodyBytes, BODY_BYTES_MAX);
      if (room > 0) kept.push(chunk.subarray(0, room));
      request.bodyBytes += chunk.length;
    }
  } catch {
    request.closedEarlyAt = Date.now(); // it went away while it was still sending
  }
  request.body = Buffer.concat(kept).toString('utf8');
}

/** @param {Matcher} matcher @returns {(request: RecordedRequest) => boolean} */
export function toPredicate(matcher) {
  if (typeof matcher === 'function') return matcher;
  if (matcher instanceof RegExp) {
    const pattern = new RegExp(matcher.source, matcher.flags.replace(/[gy]/g, ''));
    return (request) => !request.isPreflight && pattern.test(request.url);
  }
  const [, method, path] = /^(?:([A-Z]+) )?(\/.*)$/.exec(matcher) ?? [];
  if (path === undefined)
    throw new TypeError(
      `'${matcher}' is no matcher: '/path', '/prefix/*', 'POST /path', a RegExp or a function`,
    );
  const isPrefix = path.endsWith('*');
  const start = path.slice(0, -1);
  return (request) =>
    (method ? request.method === method : !request.isPreflight) &&
    (isPrefix ? request.path.startsWith(start) : request.path === path);
}

/** What has arrived, and who waits for it. */
export class Recorder {
  /** @type {RecordedRequest[]} */ requests = [];
  /** @type {Set<() => void>} */ #waiting = new Set();

  /** @param {RecordedRequest} request */
  add(request) {
    if (this.requests.length === RECORDED_REQUESTS_MAX) this.requests.shift();
    this.requests.push(request);
    this.changed();
  }

  /** A request arrived, or something became of one. */
  changed() {
    for (const look of [...this.#waiting]) look();
  }

  clear() {
    this.requests.length = 0;
  }

  /** @param {Matcher} matcher */
  requestsTo(matcher) {
    return this.requests.filter(toPredicate(matcher));
  }

  /**
   * The `count`-th request that matches, now or within the time.
   * @param {Matcher} matcher
   * @param {{ count?: number, timeoutMs?: number }} [options]
   * @returns {Promise<RecordedRequest>}
   */
  waitFor(matcher, { count = 1, timeoutMs = 10_000 } = {}) {
    const matches = toPredicate(matcher);
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.requests.filter(matches);
        if (found.length < count) return;
        done();
        resolve(found[count - 1]);
      };
      const timer = setTimeout(() => {
        done();
        const seen = this.requests
          .slice(-20)
          .map((request) => `\n  ${request.method} ${request.url} → ${request.status ?? 'no answer'}`);
        const found = this.requests.filter(matches).length;
        reject(
          new Error(
            `${found} of ${count} requests matched ${matcher} within ${timeoutMs} ms. The newest:${seen.join('') || ' none'}`,
          ),
        );
      }, timeoutMs);
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }
}
