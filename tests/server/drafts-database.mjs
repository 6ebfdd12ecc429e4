import Database from 'better-sqlite3';

/**
 * @typedef {object} DraftRow
 * @property {string} owner
 * @property {string} key
 * @property {number} rev
 * @property {any} data null for a tombstone
 * @property {number | null} schemaVersion
 * @property {string | null} saveId
 * @property {number} savedAt epoch milliseconds
 */

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS drafts (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    rev INTEGER NOT NULL,
    data TEXT,
    schema_version INTEGER,
    save_id TEXT,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS newest_revision (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), rev INTEGER NOT NULL);
`;
const COLUMNS =
  'owner, key, rev, data, schema_version AS schemaVersion, save_id AS saveId, saved_at AS savedAt';

/** Drafts and tombstones in one SQLite file, one row for each owner and key. */
export class DraftsDatabase {
  #db;
  #find;
  #all;
  #put;
  #sweep;
  #revise;

  /** @param {string} file */
  constructor(file) {
    this.#db = new Database(file);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL'); // whoever was told that it is saved finds it after a power cut
    this.#db.exec(SCHEMA);
    this.#find = this.#db.prepare(`SELECT ${COLUMNS} FROM drafts WHERE owner = ? AND key = ?`);
    this.#all = this.#db.prepare(`SELECT ${COLUMNS} FROM drafts ORDER BY owner, key`);
    this.#put = this.#db.prepare(
      'REPLACE INTO drafts VALUES (@owner, @key, @rev, @data, @schemaVersion, @saveId, @savedAt)',
    );
    this.#sweep = this.#db.prepare('DELETE FROM drafts WHERE saved_at <= ?');
    this.#revise = this.#db.prepare(
      `INSERT INTO newest_revision VALUES (1, ?)
       ON CONFLICT DO UPDATE SET rev = max(rev + 1, excluded.rev) RETURNING rev`,
    );
  }

  /** All of it or nothing, and nobody else in between. @template T @param {() => T} work @returns {T} */
  atomically(work) {
    return this.#db.transaction(work).immediate();
  }

  /** @param {string} owner @param {string} key @returns {DraftRow | null} */
  find(owner, key) {
    const row = this.#find.get(owner, key);
    return row ? parsed(row) : null;
  }

  /** @returns {DraftRow[]} */
  all() {
    return this.#all.all().map(parsed);
  }

  /** In place of what stands there. @param {DraftRow} row */
  put(row) {
    this.#put.run({ ...row, data: row.data === null ? null : JSON.stringify(row.data) });
  }

  /** Removes what was saved then or before. @param {number} savedAt */
  sweep(savedAt) {
    this.#sweep.run(savedAt);
  }

  /** A revision that none had before, also of what was swept: a clock that was set back does not bring it again. @param {number} now @returns {number} */
  revise(now) {
    return /** @type {{ rev: number }} */ (this.#revise.get(now)).rev;
  }

  close() {
    this.#db.close();
  }
}

/** @param {any} row @returns {DraftRow} */
function parsed(row) {
  return { ...row, data: row.data === null ? null : JSON.parse(row.data) };
}
