#!/usr/bin/env node
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
/**
 * A server that fails on demand, for tests and for the demo.
 *
 *     const server = await startFaultServer();
 *     server.on('/api/items', [503, { cutAfterBytes: 10, body: items }, { body: items }]);
 *     …
 *     await server.waitFor('/api/items', { count: 3 });
 *     await server.close();
 *
 * What a step can say stands in types.mjs, how a page steers the server in control.mjs. From the command line:
 *
 *     node tests/server/fault-server.mjs --port 4173 [--host 127.0.0.1] [--folder path] [--drafts file]
 */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Answer } from './answer.mjs';
import { control } from './control.mjs';
import { corsHeaders } from './cors.mjs';
import { EventFeed } from './event-feed.mjs';
import { RecordedRequest, Recorder, readBody } from './recorder.mjs';
import { Rule, Rules } from './rules.mjs';
import { SessionEndpoints } from './session-endpoints.mjs';
import { StaticFiles } from './static-files.mjs';

export { EventFeed } from './event-feed.mjs';
export { People, SESSION_COOKIE } from './people.mjs';
export { retryAfter } from './retry-after.mjs';

/**
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {import('./types.mjs').StepLike} StepLike
 * @typedef {import('./types.mjs').Matcher} Matcher
 * @typedef {import('./types.mjs').CorsConfig} CorsConfig
 */

const LISTEN_TRIES_MAX = 40;

/** @param {{ port?: number, host?: string, cors?: CorsConfig | boolean }} [options] `cors: true` is what HTTP asks of a second origin */
export async function startFaultServer({ port = 0, host = '127.0.0.1', cors = false } = {}) {
  const server = new FaultServer(host, cors);
  await server.listen(port);
  return server;
}

export class FaultServer {
  /** Sent as `X-App-Version` with every answer under /api/, and by /api/version. @type {string | null} */
  version = 'v1';
  /** Off: each answer has `Connection: close`, since browsers repeat by themselves what fails on a reused connection. */
  keepAlive = false;
  /** @type {CorsConfig | boolean} */ cors;
  /** The drafts of whoever is signed in; `openDrafts` of drafts.mjs opens them, and they end with the server. @type {import('./drafts.mjs').Drafts | null} */
  drafts = null;
  port = 0;

  #host;
  #http;
  #recorder = new Recorder();
  #rules = new Rules();
  #files = new StaticFiles();
  #session = new SessionEndpoints();
  /** @type {Set<Answer>} */ #underWay = new Set();

  /** @param {string} host @param {CorsConfig | boolean} cors */
  constructor(host, cors) {
    this.#host = host;
    this.cors = cors;
    this.#http = createServer(
      { noDelay: true, keepAliveTimeout: 60_000, requestTimeout: 0 },
      (message, response) => {
        this.#handle(message, response).catch((error) => {
          console.error(error);
          if (!response.headersSent) response.writeHead(500);
          response.end(String(error));
        });
      },
    );
  }

  get origin() {
    return `http://${this.#host.includes(':') ? `[${this.#host}]` : this.#host}:${this.port}`;
  }

  // ------------------------------------------------------------ scripts

  /**
   * The newest script that matches a request answers it: one step for each request, the last one again and again.
   * @param {Matcher} matcher
   * @param {StepLike | StepLike[]} steps
   * @param {{ chance?: number }} [options]
   * @returns {{ taken: number, off(): void }} how many requests took a step of it
   */
  on(matcher, steps, options) {
    const rule = new Rule(matcher, steps, options);
    this.#rules.add(rule);
    return Object.assign(rule, { off: () => this.#rules.remove(rule) });
  }

  /** An event stream, and with `pollPath` the same by polling. @param {string} path @param {ConstructorParameters<typeof EventFeed>[0] & { pollPath?: string }} [options] */
  feed(path, { pollPath, ...options } = {}) {
    const feed = new EventFeed(options);
    this.on(path, feed.stream);
    if (pollPath) this.on(pollPath, feed.poll);
    return feed;
  }

  /** What the session endpoint answers. @returns {import('./types.mjs').SessionAnswer | import('./types.mjs').SessionAnswer[]} */
  get session() {
    return this.#session.session;
  }
  set session(answer) {
    this.#session.session = Array.isArray(answer) ? [...answer] : answer;
  }

  /** Several people who sign in: then the session is that of the cookie. @returns {import('./people.mjs').People | null} */
  get people() {
    return this.#session.people;
  }
  set people(people) {
    this.#session.people = people;
  }

  /** A folder under a path that ends in a slash. @param {string} prefix @param {string} folder @param {Record<string, string>} [headers] */
  serve(prefix, folder, headers) {
    this.#files.serve(prefix, folder, headers);
  }

  /** @param {string} path @param {string} html @param {Record<string, string>} [headers] a Content-Security-Policy, say */
  page(path, html, headers) {
    this.#files.page(path, html, headers);
  }

  // ------------------------------------------------------------ records

  /** Everything that arrived, preflights too, without what steers the server. At most the newest 10,000. */
  get requests() {
    return this.#recorder.requests;
  }

  /** @param {Matcher} matcher */
  requestsTo(matcher) {
    return this.#recorder.requestsTo(matcher);
  }

  /** @param {Matcher} matcher @param {{ count?: number, timeoutMs?: number }} [options] */
  waitFor(matcher, options) {
    return this.#recorder.waitFor(matcher, options);
  }

  /** Forgets the records. */
  clear() {
    this.#recorder.clear();
  }

  /** Forgets records and scripts, and goes back to the state that it started with; drafts, folders and pages stay. */
  reset() {
    this.clear();
    this.#rules.clear();
    this.session = null;
    this.people = null;
    this.version = 'v1';
    this.keepAlive = false;
  }

  // ------------------------------------------------------------ connections

  /** Destroys every connection and refuses new ones. */
  async refuse() {
    for (const answer of this.#underWay) answer.cut();
    if (!this.#http.listening) return;
    const closed = once(this.#http, 'close');
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  /** Listens again, on the same port. */
  async accept() {
    if (!this.#http.listening) await this.listen(this.port);
  }

  /** @param {number} port */
  async listen(port) {
    for (let tries = 1; ; tries++) {
      try {
        this.#http.listen(port, this.#host);
        await once(this.#http, 'listening');
        this.port = /** @type {import('node:net').AddressInfo} */ (this.#http.address()).port;
        return;
      } catch (error) {
        // A connection that somebody else is making may hold the port for a moment.
        if (
          port === 0 ||
          /** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE' ||
          tries === LISTEN_TRIES_MAX
        )
          throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async close() {
    await this.refuse();
    this.drafts?.close();
    this.drafts = null;
  }

  // ------------------------------------------------------------ one request

  /** @param {import('node:http').IncomingMessage} message @param {import('node:http').ServerResponse} response */
  async #handle(message, response) {
    response.shouldKeepAlive &&= this.keepAlive;
    const request = new RecordedRequest(message);
    const isControl = request.path.startsWith('/__fault/');
    const answer = new Answer(request, response, () => this.#recorder.changed());
    this.#underWay.add(answer);
    response.on('close', () => this.#underWay.delete(answer));
    await readBody(message, request);
    if (!isControl) this.#recorder.add(request);
    const step = isControl
      ? await this.#allowed(request, () => control(this, request))
      : await this.#allowed(request, () => this.#rules.answer(request, () => this.#builtIn(request)));
    await answer.play(step, this.#defaultHeaders(request));
  }

  /** A preflight is answered by CORS alone. @param {RecordedRequest} request @param {() => Step | Promise<Step>} answer */
  #allowed(request, answer) {
    return request.isPreflight && this.cors ? { status: 204 } : answer();
  }

  /** @param {RecordedRequest} request @returns {Promise<Step>} */
  async #builtIn(request) {
    if (request.method === 'GET' && request.path === '/api/version')
      return { body: { version: this.version } };
    if (request.path === '/favicon.ico') return { status: 204 };
    return (
      this.#session.answer(request) ??
      this.drafts?.answer(request, this.#session.userKeyOf(request)) ??
      (await this.#files.answer(request)) ?? { status: 404, body: { code: 'notFound' } }
    );
  }

  /** @param {RecordedRequest} request */
  #defaultHeaders(request) {
    return {
      ...(request.path.startsWith('/api/') && !request.isPreflight
        ? { 'Cache-Control': 'no-store', ...(this.version === null ? {} : { 'X-App-Version': this.version }) }
        : {}),
      ...(this.cors ? corsHeaders(this.cors === true ? {} : this.cors, request) : {}),
    };
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '4173' },
      host: { type: 'string', default: '127.0.0.1' },
      folder: { type: 'string' },
      drafts: { type: 'string' },
    },
  });
  const server = await startFaultServer({ port: Number(values.port), host: values.host, cors: true });
  if (values.folder) server.serve('/', values.folder);
  if (values.drafts) {
    const { openDrafts } = await import('./drafts.mjs'); // which needs more than Node.js
    server.drafts = openDrafts({ file: values.drafts, trusting: true });
  }
  console.log(server.origin);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
