import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DraftsDatabase } from './drafts-database.mjs';

/**
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 * @typedef {import('./drafts-database.mjs').DraftRow} DraftRow
 *
 * @typedef {object} DraftsOptions
 * @property {string} [file] the database; what an earlier server left in it stands. By default one of its own, gone with `close()`
 * @property {string} [path] default '/api/drafts'
 * @property {boolean} [trusting] Nobody need be signed in: whoever asks is whom `X-Expected-User` names.
 * @property {number} [bytesMax] of a request's body, default 2 MiB; over it 413
 * @property {number} [ttlMs] default 7 days from the last save
 * @property {() => number} [now]
 */

const DAY_MS = 86_400_000;
const SAVE_ID_LENGTH_MAX = 128;
const KEY_LENGTH_MAX = 1_024;
const SENSITIVE = { 'Cache-Control': 'no-store, no-cache, must-revalidate', Pragma: 'no-cache' };

/**
 * People's drafts, for a fault server:
 *
 *     server.drafts = openDrafts();
 *     server.on('POST /api/drafts', [{ pass: true, cut: 'beforeHeaders' }, 'pass']); // saved, and the answer is lost
 *
 * @param {DraftsOptions} [options]
 */
export function openDrafts(options) {
  return new Drafts(options);
}

export class Drafts {
  #db;
  #folder;
  #options;

  /** @param {DraftsOptions} [options] */
  constructor({
    file,
    path: at = '/api/drafts',
    trusting = false,
    bytesMax = 2_097_152,
    ttlMs = 7 * DAY_MS,
    now = Date.now,
  } = {}) {
    this.#options = { path: at, trusting, bytesMax, ttlMs, now };
    this.#folder = file === undefined ? mkdtempSync(path.join(tmpdir(), 'drafts-')) : null;
    this.file = file ?? path.join(/** @type {string} */ (this.#folder), 'drafts.sqlite');
    this.#db = new DraftsDatabase(this.file);
  }

  // ------------------------------------------------------------ for tests

  /** What stands, tombstones (`data` is null) too. */
  rows() {
    const { ttlMs, now } = this.#options;
    return this.#db.all().filter(({ savedAt }) => savedAt + ttlMs > now());
  }

  /** Saves as another device of theirs, whatever stands there. @param {string} owner @param {string} key @param {{ data: any, schemaVersion?: number, saveId?: string }} draft @returns {number} its revision */
  put(owner, key, { data, schemaVersion = 1, saveId = `other.${randomUUID()}` }) {
    return this.#db.atomically(() => this.#write({ owner, key, data, schemaVersion, saveId })).rev;
  }

  /** Clears as another device of theirs. @param {string} owner @param {string} key @returns {number} the tombstone's revision */
  clear(owner, key) {
    return this.#db.atomically(() => this.#bury(owner, key)).rev;
  }

  close() {
    this.#db.close();
    if (this.#folder !== null) rmSync(this.#folder, { recursive: true });
  }

  // ------------------------------------------------------------ one request

  /** @param {RecordedRequest} request @param {string | null} signedIn the user key of whose session it is @returns {Step | null} null for what is not asked of drafts */
  answer(request, signedIn) {
    if (request.path !== this.#options.path) return null;
    const expected = headerText(request.headers['x-expected-user']);
    const owner = this.#options.trusting ? expected : signedIn;
    if (owner === null) return refused(401, 'unauthenticated');
    if (expected !== null && expected !== owner) return refused(409, 'otherUser');
    const key = request.queryValue('key');
    if (!key || key.length > KEY_LENGTH_MAX) return refused(400, 'badKey');
    switch (request.method) {
      case 'GET':
        return this.#read(owner, key);
      case 'POST':
        return this.#save(owner, key, request);
      case 'DELETE':
        return this.#clear(owner, key, request);
      default:
        return { ...refused(405, 'badMethod'), headers: { ...SENSITIVE, Allow: 'GET, POST, DELETE' } };
    }
  }

  /** @param {string} owner @param {string} key @returns {Step} */
  #read(owner, key) {
    const row = this.#standing(owner, key);
    if (row === null || row.data === null)
      return { status: 404, headers: SENSITIVE, body: { rev: row?.rev ?? 0 } };
    return { headers: { ...SENSITIVE, ETag: tag(row) }, body: { key, ...copyOf(row) } };
  }

  /** @param {string} owner @param {string} key @param {RecordedRequest} request @returns {Step} */
  #save(owner, key, request) {
    if (request.bodyBytes > this.#options.bytesMax) return refused(413, 'tooLarge');
    let given;
    try {
      given = request.json();
    } catch {
      return refused(400, 'badJson');
    }
    if (!isDraft(given)) return refused(422, 'badDraft');
    const holds = precondition(request);
    if (holds === null) return refused(428, 'preconditionRequired');
    const { data, schemaVersion, saveId } = given;
    return this.#db.atomically(() => {
      const row = this.#standing(owner, key);
      if (row?.saveId === saveId) return saved(row);
      if (!holds(row)) return stale(row);
      return saved(this.#write({ owner, key, data, schemaVersion, saveId }));
    });
  }

  /** @param {string} owner @param {string} key @param {RecordedRequest} request @returns {Step} */
  #clear(owner, key, request) {
    const holds = precondition(request);
    return this.#db.atomically(() => {
      const row = this.#standing(owner, key);
      if (holds !== null && !holds(row)) return stale(row);
      return { status: 204, headers: { ...SENSITIVE, ETag: tag(this.#bury(owner, key)) } };
    });
  }

  // ------------------------------------------------------------ rows

  /** @param {string} owner @param {string} key @returns {DraftRow | null} */
  #standing(owner, key) {
    const row = this.#db.find(owner, key);
    return row && row.savedAt + this.#options.ttlMs > this.#options.now() ? row : null;
  }

  /** @param {Omit<DraftRow, 'rev' | 'savedAt'> & { rev?: number }} draft @returns {DraftRow} */
  #write(draft) {
    const savedAt = this.#options.now();
    const row = { rev: this.#db.revise(savedAt), ...draft, savedAt };
    this.#db.put(row);
    this.#db.sweep(savedAt - this.#options.ttlMs);
    return row;
  }

  /** What is cleared twice keeps its revision, so that a draft made in between can still be saved, and stands longer. @param {string} owner @param {string} key */
  #bury(owner, key) {
    const row = this.#standing(owner, key);
    const rev = row?.data === null ? { rev: row.rev } : {};
    return this.#write({ owner, key, data: null, schemaVersion: null, saveId: null, ...rev });
  }
}

/**
 * Whether what stands is what the request takes for granted; null where it takes nothing for granted.
 * @param {RecordedRequest} request
 * @returns {((row: DraftRow | null) => boolean) | null}
 */
function precondition({ headers }) {
  const tags = headers['if-match']?.split(',').map((given) => given.trim());
  if (tags?.includes('*')) return (row) => row !== null && row.data !== null;
  if (tags) return (row) => row !== null && tags.includes(tag(row));
  // A tombstone stands in the way: what is typed after a clear names the tombstone's revision.
  return headers['if-none-match']?.trim() === '*' ? (row) => row === null : null;
}

/** @param {any} given */
function isDraft(given) {
  return (
    typeof given === 'object' &&
    given !== null &&
    given.data !== undefined &&
    given.data !== null && // that is a tombstone's
    Number.isSafeInteger(given.schemaVersion) &&
    typeof given.saveId === 'string' &&
    given.saveId !== '' &&
    given.saveId.length <= SAVE_ID_LENGTH_MAX
  );
}

/** @param {DraftRow} row */
function tag({ rev }) {
  return `"${rev}"`;
}

/** @param {DraftRow} row */
function copyOf({ rev, data, schemaVersion, saveId, savedAt }) {
  return { rev, data, schemaVersion, saveId, updatedAt: new Date(savedAt).toISOString() };
}

/** @param {DraftRow} row @returns {Step} */
function saved(row) {
  const { rev, updatedAt } = copyOf(row);
  return { headers: { ...SENSITIVE, ETag: tag(row) }, body: { rev, updatedAt } };
}

/** @param {DraftRow | null} row @returns {Step} */
function stale(row) {
  const none = { rev: 0, data: null, schemaVersion: null, saveId: null, updatedAt: null };
  return { status: 412, headers: SENSITIVE, body: row ? copyOf(row) : none };
}

/** @param {number} status @param {string} code @returns {Step} */
function refused(status, code) {
  return { status, headers: SENSITIVE, body: { code } };
}

/** What is no Latin-1 is sent as UTF-8, and Node reads every header as Latin-1. @param {string | undefined} value */
function headerText(value) {
  return value === undefined ? null : Buffer.from(value, 'latin1').toString('utf8');
}
