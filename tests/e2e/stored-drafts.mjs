import { run } from '../harness/browser.mjs';
import { KEY } from './drafts.mjs';

/** The drafts' database, and what all names in localStorage begin with. */
export const DATABASE = 'evenkeel:1:evenkeel';
/** This device only. */
export const HERE = { drafts: { endpoint: false } };

/** As an earlier page of Ada's would have written it. */
export function record(given = {}) {
  const at = Date.now() - 60_000;
  const { writer = 'earlier' } = given;
  return {
    v: 1,
    owner: 'u:ada',
    key: KEY,
    writer,
    stamp: at,
    since: 0,
    text: '{"text":"earlier"}',
    schema: 1,
    base: null,
    dirty: true,
    saveId: `${writer}.1`,
    lineage: { [writer]: 1 },
    at,
    expires: at + 3_600_000,
    endpoint: null,
    ...given,
  };
}

/** Where it lies. */
export const place = ({ owner, key, writer }) => [owner, key, writer];

/** And in localStorage. */
export const item = (owner, key, writer) => `${DATABASE}:draft:${JSON.stringify([owner, key, writer])}`;

/** Writes past the library, and reminds the next page of it. @param {any} page @param {Array<[any, any]>} records @param {Record<string, string>} [items] of localStorage */
export const plant = (page, records, items = {}) =>
  run(
    page,
    ([database, records, items]) =>
      new Promise((resolve, reject) => {
        for (const [name, text] of Object.entries(items)) localStorage.setItem(name, text);
        localStorage.setItem(`${database}:drafts`, '1');
        const request = indexedDB.open(database, 1);
        request.onupgradeneeded = () => request.result.createObjectStore('drafts');
        request.onsuccess = () => {
          const transaction = request.result.transaction('drafts', 'readwrite');
          for (const [key, value] of records) transaction.objectStore('drafts').put(value, key);
          transaction.oncomplete = resolve;
          transaction.onabort = () => reject(transaction.error);
          request.result.close();
        };
      }),
    [DATABASE, records, items],
  );

/** What the database has. */
export const records = (tab) =>
  run(
    tab.page,
    (database) =>
      new Promise((resolve) => {
        const request = indexedDB.open(database);
        request.onsuccess = () => {
          const db = request.result;
          if (!db.objectStoreNames.length) return resolve([]);
          const all = db.transaction('drafts').objectStore('drafts').getAll();
          all.onsuccess = () => resolve(all.result);
          db.close();
        };
      }),
    DATABASE,
  );
