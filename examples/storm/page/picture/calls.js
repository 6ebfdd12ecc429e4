import { notSent } from './breaker-states.js';
import { goOn } from './connections.js';

/**
 * What became of each call, put together from three sources: the app, which makes calls and gets their results;
 * `client.on`, which tells of requests, answers and waits; and the `onResponse` hook, which sees Retry-After.
 *
 * @typedef {{ at: number, until: number | null, outcome: 'flight' | 'ok' | 'refused' | 'broken' | 'polled', text: string, openedAt?: number | null }} Attempt
 * @typedef {{ at: number, until: number | null, ms: number, askedS: string | null }} Wait
 * @typedef {object} Row
 * @property {number} key
 * @property {string} method
 * @property {string} url
 * @property {number} at
 * @property {number | null} until
 * @property {number | null} id what events name the request by; null for a call that has sent nothing (yet)
 * @property {Attempt[]} attempts
 * @property {Wait[]} waits
 * @property {boolean} shared
 * @property {string | null} kind of its failure
 * @property {'call' | 'check' | 'plain' | 'stream'} sort
 */
const KEPT_MS = 40_000;

export class Calls {
  /** @type {Row[]} oldest first */ rows = [];
  /** The time during which a breaker was not closed. @type {Array<{ url: string, state: string, at: number, until: number | null }>} */
  breaks = [];
  /** What else happened. @type {Array<{ at: number, text: string, tone: 'good' | 'bad' | 'plain' }>} */
  marks = [];
  #lastKey = 0;
  #byId = new Map();
  #retryAfter = new Map();
  #listeners = new Set();

  /** @param {() => void} listener hears of every change @returns {() => void} what ends it */
  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  // ------------------------------------------------------------ the app's side

  begin(method, url, sort = 'call', at = Date.now()) {
    const row = {
      key: ++this.#lastKey,
      method,
      url,
      at,
      until: null,
      id: null,
      attempts: [],
      waits: [],
      shared: false,
      kind: null,
      sort,
    };
    this.rows = this.rows.filter(({ until }) => until === null || at - until < KEPT_MS);
    this.breaks = this.breaks.filter(({ until }) => until === null || at - until < KEPT_MS);
    this.marks = this.marks.filter((mark) => at - mark.at < KEPT_MS);
    this.rows.push(row);
    this.#changed();
    return row;
  }

  settle(row, { ok, error, meta }) {
    const now = Date.now();
    row.until = now;
    row.shared = meta.shared;
    row.kind = ok ? null : error.kind;
    this.#endWait(row, now);
    endAttempt(row, now, ok ? 'ok' : undefined);
    this.#byId.delete(row.id);
    if (!ok) notSent(error);
    this.#changed();
  }

  /** @param {string} text @param {'good' | 'bad' | 'plain'} [tone] */
  mark(text, tone = 'plain') {
    this.marks.push({ at: Date.now(), text, tone });
    this.#changed();
  }

  /** All of it, for a page that goes. */
  save = () => ({ rows: this.rows, marks: this.marks, at: Date.now() });

  /** What the page before this one had: its calls went with it. */
  restore({ rows, marks, at }) {
    for (const row of rows) {
      if (row.until === null && row.sort !== 'stream') row.kind = 'reloaded';
      row.until ??= at;
      for (const part of [...row.attempts, ...row.waits]) part.until ??= at;
      Object.assign(row, { key: ++this.#lastKey, id: null });
    }
    this.rows = rows;
    this.marks = marks;
    this.#changed();
  }

  // ------------------------------------------------------------ evenkeel's side

  /** What `client.on` tells. */
  hear = (event) => {
    const row = event.type === 'request' ? this.#rowOf(event) : this.#byId.get(event.id);
    switch (event.type) {
      case 'request':
        if (!row) return;
        this.#endWait(row, event.at);
        endAttempt(row, event.at);
        row.attempts.push({ at: event.at, until: null, outcome: 'flight', text: '' });
        break;
      case 'response':
        if (row) answer(row, event.at, event.status);
        break;
      case 'failure':
        if (row) endAttempt(row, event.at, 'broken', 'no connection');
        break;
      case 'retry': {
        if (!row) return;
        endAttempt(row, event.at);
        const refused = row.attempts.at(-1)?.outcome === 'refused';
        const askedS = refused ? (this.#retryAfter.get(row.url) ?? null) : null;
        row.waits.push({ at: event.at, until: null, ms: event.waitMs, askedS });
        break;
      }
      case 'breaker':
        this.#break(event);
        break;
      default:
        return;
    }
    this.#changed();
  };

  /** What the `onRequest` hook sees: the moment at which a check or probe began. */
  sent = (request) => {
    if (checkOf(request.url)) this.#checks.set(request, Date.now());
  };
  #checks = new WeakMap();

  /** What the `onResponse` hook sees. */
  seen = (response, request) => {
    this.#retryAfter.set(request.url, response.headers.get('retry-after'));
    if (!checkOf(request.url)) return;
    const row = this.begin(request.method, request.url, 'check', this.#checks.get(request));
    row.attempts.push({ at: row.at, until: null, outcome: 'flight', text: '' });
    const isNone = response.status === 404 && checkOf(request.url) === 'draft';
    if (!isNone) answer(row, Date.now(), response.status);
    row.until = Date.now();
    row.kind = response.ok || isNone ? null : checkOf(request.url) === 'draft' ? 'not saved' : 'cannot tell';
    endAttempt(row, row.until, 'ok');
  };

  /** Requests of one URL go out in the order of their calls; later ones of the same URL share it. */
  #rowOf({ id, method, url }) {
    if (this.#byId.has(id)) return this.#byId.get(id);
    const row = this.rows.find(
      (row) =>
        row.sort === 'call' &&
        row.id === null &&
        row.until === null &&
        row.method === method &&
        row.url === url,
    );
    if (!row) return null;
    row.id = id;
    this.#byId.set(id, row);
    return row;
  }

  #endWait(row, at) {
    const wait = row.waits.at(-1);
    if (wait) wait.until ??= at;
  }

  #break({ url, state, at }) {
    for (const open of this.breaks) if (open.url === url) open.until ??= at;
    if (state !== 'closed') this.breaks.push({ url, state, at, until: null });
  }

  // ------------------------------------------------------------ the event stream, which goes on and on

  /** @type {{ key: unknown, row: Row } | null} */ #stream = null;

  /** It is in another state now. @param {unknown} key another one is another stream @param {string} url @param {object} state */
  stream(key, url, state) {
    if (this.#stream?.key !== key) {
      if (this.#stream?.row.until === null) goOn(this.#stream.row, { status: 'closed' });
      this.#stream = { key, row: this.begin('GET', url, 'stream') };
    }
    goOn(this.#stream.row, state);
    this.#changed();
  }

  // ------------------------------------------------------------ plain fetch, which tells nothing

  beginPlain(method, url) {
    const row = this.begin(method, url, 'plain');
    row.attempts.push({ at: row.at, until: null, outcome: 'flight', text: '' });
    return row;
  }

  answered(row, status) {
    answer(row, Date.now(), status);
    this.#changed();
  }

  endPlain(row, failure) {
    row.until = Date.now();
    row.kind = failure;
    endAttempt(row, row.until, failure ? undefined : 'ok');
    this.#changed();
  }

  #changed() {
    for (const listener of this.#listeners) listener();
  }
}

const CHECKS = {
  '/api/auth/session': 'session check',
  '/api/auth/csrf': 'sign-out',
  '/api/auth/signout': 'sign-out',
  '/api/version': 'version check',
  '/api/drafts': 'draft',
};

/** What evenkeel asks by itself; undefined is a call of the app. */
export const checkOf = (url) => CHECKS[new URL(url).pathname];

/** A refusal is complete with its status; a body is still to come after a 2xx. */
function answer(row, at, status) {
  const attempt = row.attempts.at(-1);
  if (!attempt) return;
  attempt.text = String(status);
  if (status < 400) return;
  attempt.outcome = 'refused';
  attempt.until = at;
}

/** What has not ended otherwise was broken off: in its body when there was a status, else by silence. */
function endAttempt(row, at, outcome = 'broken', text = '') {
  const attempt = row.attempts.at(-1);
  if (!attempt || attempt.until !== null) return;
  attempt.until = at;
  attempt.outcome = outcome;
  if (outcome === 'broken') attempt.text = text || (attempt.text ? 'broken off' : 'silence');
}

/** What is waited between an attempt and the next. @param {Row} row @param {number} i */
export function waitAfter({ attempts, waits }, i) {
  const next = attempts[i + 1]?.at ?? Infinity;
  return waits.find(({ at }) => at >= attempts[i].at && at <= next);
}

/** One call in words: for people who do not see the picture, and for tests. */
export function inWords(row) {
  const { pathname } = new URL(row.url);
  const steps = row.attempts.flatMap(({ text, outcome, openedAt }, i) => {
    const wait = waitAfter(row, i);
    const waited =
      wait && `waits ${seconds(wait.ms)}${wait.askedS ? ` (Retry-After: ${wait.askedS} s)` : ''}`;
    const opened = openedAt && outcome !== 'ok' ? ['open'] : [];
    return [...opened, outcome === 'flight' ? 'under way' : text, ...(waited ? [waited] : [])];
  });
  const isStream = row.sort === 'stream';
  const end =
    row.until === null ? (isStream ? '' : 'not settled') : (row.kind ?? (isStream ? 'closed' : 'ok'));
  return `${row.method} ${pathname}: ${[row.shared ? 'shares a request' : '', ...steps, end].filter(Boolean).join(', ')}`;
}

export const seconds = (ms) => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);
