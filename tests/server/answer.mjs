import { retryAfterHeader } from './retry-after.mjs';

/**
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {import('./types.mjs').Piece} Piece
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 * @typedef {import('node:http').ServerResponse} ServerResponse
 */

/** One request and its answer under way: the faults of a step, done to the socket. */
export class Answer {
  /** Aborted when the socket is gone, whoever ended it. */
  #gone = new AbortController();
  #bytesSent = 0;
  /** @type {number} */ #bytesMax = Infinity;

  /**
   * @param {RecordedRequest} request
   * @param {ServerResponse} response
   * @param {() => void} changed called when something became of the request
   */
  constructor(request, response, changed) {
    this.request = request;
    this.response = response;
    this.changed = changed;
    response.on('error', () => {}); // writing to a client that went away
    response.on('finish', () => this.#ended());
    response.on('close', () => {
      if (request.endedAt === null && !response.writableFinished) request.closedEarlyAt ??= Date.now();
      else request.endedAt ??= Date.now();
      this.#gone.abort();
      this.changed();
    });
    if (response.destroyed || response.socket?.destroyed) this.#gone.abort();
  }

  /** Destroys the socket, from the server's side. */
  cut({ reset = false } = {}) {
    const socket = this.response.socket;
    this.#ended();
    if (reset && socket && !socket.destroyed) socket.resetAndDestroy();
    else this.response.destroy();
  }

  /**
   * @param {Step} step
   * @param {Record<string, string | string[]>} defaultHeaders
   */
  async play(step, defaultHeaders) {
    this.request.step = step;
    try {
      await this.#wait(step.delayMs);
      if (step.hang) return;
      if (step.cut === 'beforeHeaders') return this.cut(step);
      const isFixed = !step.pieces && !step.stream;
      const body = isFixed ? toBytes(step.body) : null;
      this.#bytesMax = Math.min(step.cutAfterBytes ?? Infinity, step.stallAfterBytes ?? Infinity);
      this.#head(step, defaultHeaders, body);
      const hasBody = this.request.method !== 'HEAD' && ![204, 304].includes(step.status ?? 200);
      if (hasBody) {
        if (step.bodyDelayMs || !isFixed || this.#bytesMax < Infinity) this.response.flushHeaders();
        await this.#wait(step.bodyDelayMs);
        if (body) await this.#write(body);
        for (const piece of step.pieces ?? []) await this.#piece(piece);
        if (step.stream) await step.stream(this.#liveBody(step));
      }
      if (step.cutAfterBytes !== undefined) {
        await this.#flushed();
        return this.cut(step);
      }
      if (step.stallAfterBytes !== undefined) return;
      this.response.end();
    } catch (error) {
      if (!this.#gone.signal.aborted) throw error;
    }
  }

  /** @param {Step} step @param {Record<string, string | string[]>} defaultHeaders @param {Buffer | null} body */
  #head(step, defaultHeaders, body) {
    const { response } = this;
    const status = step.status ?? 200;
    const now = Date.now() + (step.dateSkewMs ?? 0);
    response.statusCode = status;
    response.sendDate = false; // it is set here, so that a script can take it away
    response.setHeader('Date', new Date(now).toUTCString());
    for (const [name, value] of Object.entries(defaultHeaders)) response.setHeader(name, value);
    const type = contentType(step);
    if (type) response.setHeader('Content-Type', type);
    if (body && status !== 204 && status !== 304) {
      // One byte more than there is, where the fault comes after the last: otherwise the answer would be whole.
      response.setHeader(
        'Content-Length',
        body.length + ((step.cutAfterBytes ?? step.stallAfterBytes ?? -1) >= body.length ? 1 : 0),
      );
    }
    for (const given of [step.retryAfter ?? []].flat()) response.setHeader(...retryAfterHeader(given, now));
    for (const [name, value] of Object.entries(step.headers ?? {})) {
      if (value === null) response.removeHeader(name);
      else response.setHeader(name, value);
    }
    this.request.status = status;
    this.changed();
  }

  /** @param {Piece} piece */
  async #piece({ data, afterMs }) {
    if (this.#bytesSent >= this.#bytesMax) return;
    await this.#wait(afterMs);
    await this.#write(toBytes(data));
  }

  /** @param {Buffer} bytes */
  async #write(bytes) {
    const allowed = bytes.subarray(0, Math.min(bytes.length, this.#bytesMax - this.#bytesSent));
    if (allowed.length === 0) return;
    this.#bytesSent += allowed.length;
    await this.#orGone(new Promise((resolve) => this.response.write(allowed, () => resolve(undefined))));
  }

  /** Headers and body are with the kernel, which sends them before the connection's end. */
  #flushed() {
    return this.#orGone(new Promise((resolve) => this.response.socket?.write('', () => resolve(undefined))));
  }

  /** @param {Step} step @returns {import('./types.mjs').LiveBody} */
  #liveBody(step) {
    return {
      request: this.request,
      signal: this.#gone.signal,
      write: (data) => this.#write(toBytes(data)),
      end: () => this.response.end(),
      cut: () => this.cut(step),
    };
  }

  /** @param {number} [ms] */
  #wait(ms = 0) {
    if (ms <= 0 && !this.#gone.signal.aborted) return;
    /** @type {NodeJS.Timeout} */
    let timer;
    return this.#orGone(new Promise((resolve) => (timer = setTimeout(resolve, ms)))).finally(() =>
      clearTimeout(timer),
    );
  }

  /** @template T @param {Promise<T>} work @returns {Promise<T>} */
  #orGone(work) {
    const { signal } = this.#gone;
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the connection is gone'));
      if (signal.aborted) return gone();
      signal.addEventListener('abort', gone, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', gone));
    });
  }

  #ended() {
    this.request.endedAt ??= Date.now();
    this.changed();
  }
}

/** @param {unknown} body */
function toBytes(body) {
  if (body === undefined) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body);
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (isBase64(body)) return Buffer.from(body.base64, 'base64');
  return Buffer.from(JSON.stringify(body));
}

/** @param {unknown} body @returns {body is { base64: string }} */
function isBase64(body) {
  return typeof body === 'object' && body !== null && 'base64' in body && Object.keys(body).length === 1;
}

/** @param {Step} step */
function contentType({ body, pieces, stream }) {
  if (pieces || stream || body === undefined) return null;
  if (typeof body === 'string') return 'text/plain; charset=utf-8';
  return body instanceof Uint8Array || isBase64(body) ? 'application/octet-stream' : 'application/json';
}
