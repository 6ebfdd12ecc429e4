/**
 * Drafts in IndexedDB.
 */
import {
  type DraftRecord,
  isBefore,
  isClean,
  isLeft,
  isSpent,
  type Removal,
  readRecord,
  type Stored,
  type Tombstone,
} from './draft-records.js';
import { withinMs } from './wait.js';

export interface DraftStore {
  /** Resolves once it is stored, with the stamp of the key's tombstone; 0 where there is none. */
  put(record: DraftRecord): Promise<number>;
  /** What is no record is left out. Without a key: only what the server may not have heard of. */
  list(owner: string, key?: string): Promise<Stored[]>;
  remove(records: Removal[]): Promise<void>;
  /** Removes what was made before it, and keeps the tombstone, unless a newer one stands. Where it stands already, what is void by now is kept. */
  bury(tombstone: Tombstone): Promise<void>;
  /** Removes what the server has. */
  forgetClean(owner: string): Promise<void>;
  /** Removes what has expired, and what is no record. Once for each page. */
  sweep(now: number): Promise<void>;
  /** For good. What is under way ends well. */
  close(): void;
}

const STORE = 'drafts';
const BOUND_MS = 2_000;
/** How transactions fail whose database is closed, not always with an event. Another connection may do. */
const CLOSED = /^(InvalidState|Abort|Unknown)Error$/;
/** A browser that clears the site's data closes what is opened meanwhile, too. */
const ATTEMPTS = 5;
/** So many records of other pages are seen at once. */
const LIST_MAX = 256;

/** What is done in one transaction; again in another one, where that was cut off. */
type Work = (drafts: IDBObjectStore) => void;

type Place = Pick<Stored, 'owner' | 'key' | 'writer'>;

const placeOf = ({ owner, key, writer }: Place): string[] => [owner, key, writer];
// An array comes after every text.
const within = (...start: string[]): IDBKeyRange => IDBKeyRange.bound(start, [...start, []]);

/** Sees what stands in one place. */
function seen(drafts: IDBObjectStore, place: Place, visit: (stored: Stored | undefined) => void): void {
  const request = drafts.get(placeOf(place));
  request.onsuccess = () => visit(readRecord(request.result));
}

/** Sees one after another, until `visit` says false: undefined for what is no record, or stands in another's place. */
function each(
  drafts: IDBObjectStore,
  range: IDBKeyRange | null,
  visit: (stored: Stored | undefined, cursor: IDBCursorWithValue) => unknown,
): void {
  const request = drafts.openCursor(range);
  request.onsuccess = () => {
    const cursor = request.result;
    if (!cursor) return;
    const stored = readRecord(cursor.value);
    const isThere = stored && !indexedDB.cmp(cursor.primaryKey, placeOf(stored));
    if (visit(isThere ? stored : undefined, cursor) !== false) cursor.continue();
  };
}

/** Opens nothing yet. Each call is bounded by 2 s, and rejects with what the browser says. */
export function createDraftStore(name: string): DraftStore {
  let opening: Promise<IDBDatabase> | undefined;
  let database: IDBDatabase | undefined;
  let isClosed = false;
  let isSwept = false;

  /** Browsers close databases: when the person clears the site's data, when another tab deletes it, and when its process dies. */
  function lose(lost: IDBDatabase): void {
    if (database === lost) opening = database = undefined;
  }

  function open(): Promise<IDBDatabase> {
    const opened = new Promise<IDBDatabase>((resolve, reject) => {
      if (isClosed) throw new DOMException('It was disposed', 'InvalidStateError');
      const request = indexedDB.open(`evenkeel:1:${name}`, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const db = request.result;
        database = db;
        db.onclose = () => lose(db);
        db.onversionchange = () => {
          db.close();
          lose(db);
        };
        if (isClosed) db.close();
        resolve(db);
      };
    });
    // While one is stuck, others would be too: they are told at once. It may open later.
    opened.then(
      () => (opening = opened),
      () => (opening = undefined),
    );
    return withinMs(BOUND_MS, opened);
  }

  const transact = (db: IDBDatabase, work: Work, mode: IDBTransactionMode): Promise<void> =>
    new Promise((resolve, reject) => {
      const transaction = db.transaction(STORE, mode, { durability: 'relaxed' });
      work(transaction.objectStore(STORE));
      const fail = (): void => {
        db.removeEventListener('close', fail);
        reject(transaction.error ?? new DOMException('It was closed', 'AbortError'));
      };
      transaction.onabort = fail;
      transaction.oncomplete = () => {
        db.removeEventListener('close', fail);
        resolve();
      };
      // Of what Chromium closes, some transactions never end.
      db.addEventListener('close', fail);
    });

  async function attempt(work: Work, mode: IDBTransactionMode): Promise<void> {
    for (let left = ATTEMPTS; ; ) {
      let db: IDBDatabase | undefined;
      try {
        db = await (opening ??= open());
        return await transact(db, work, mode);
      } catch (error) {
        if (!--left || !CLOSED.test((error as DOMException)?.name)) throw error;
        db?.close();
        if (db) lose(db);
      }
    }
  }

  const run = (work: Work, mode: IDBTransactionMode = 'readwrite'): Promise<void> =>
    withinMs(BOUND_MS, attempt(work, mode));

  return {
    async put(record) {
      let stamp = 0;
      await run((drafts) => {
        drafts.put(record, placeOf(record));
        seen(drafts, { ...record, writer: '' }, (tombstone) => {
          if (tombstone && tombstone.expires > record.at) stamp = tombstone.stamp;
        });
      });
      return stamp;
    },

    async list(owner, key) {
      let found: Stored[] = [];
      await run((drafts) => {
        found = [];
        each(drafts, key === undefined ? within(owner) : within(owner, key), (stored) => {
          if (stored && (key !== undefined || isLeft(stored))) found.push(stored);
          return found.length < LIST_MAX;
        });
      }, 'readonly');
      return found;
    },

    remove: (records) =>
      run((drafts) => {
        for (const record of records)
          seen(drafts, record, (stored) => {
            if (!(stored && stored.stamp > record.stamp)) drafts.delete(placeOf(record));
          });
      }),

    bury: (tombstone) =>
      run((drafts) => {
        seen(drafts, tombstone, (before) => {
          const age = (before?.stamp ?? 0) - tombstone.stamp;
          if (age <= 0) drafts.put(tombstone, placeOf(tombstone));
          if (age < 0)
            each(drafts, within(tombstone.owner, tombstone.key), (stored, cursor) => {
              if (stored && isBefore(stored, tombstone)) cursor.delete();
            });
        });
      }),

    forgetClean: (owner) =>
      run((drafts) => {
        each(drafts, within(owner), (stored, cursor) => {
          if (stored && isClean(stored)) cursor.delete();
        });
      }),

    async sweep(now) {
      if (isSwept) return;
      isSwept = true;
      await run((drafts) => {
        each(drafts, null, (_, cursor) => {
          if (isSpent(cursor.value, now)) cursor.delete();
        });
      });
    },

    close() {
      isClosed = true;
      database?.close();
      if (database) lose(database);
    },
  };
}
