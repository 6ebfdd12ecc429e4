/**
 * Storage that is full. localStorage is filled up, and IndexedDB where it takes little; where a browser gives it
 * gigabytes, its writes are made to fail as they fail when it is full.
 */
const KEY = 'storm:ballast';
const DATABASE = 'storm:ballast';
const STORE = 'blocks';
const RANDOM_MAX_BYTES = 65_536; // at once, of `crypto.getRandomValues`
const BLOCK_BYTES = 4 * 1_048_576;
const BLOCK_MIN_BYTES = 128; // less than a record of a draft
const DATABASE_MAX_BYTES = 32 * 1_048_576;

const mega = (bytes) => `${Math.round(bytes / 1_048_576).toLocaleString('en-GB')} MB`;
let put = null;

if (isFull()) breakPuts(); // it was before a reload

export function isFull() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

/** Returns what was done. */
export async function fillStorage() {
  const letters = fillLocal();
  const bytes = await fillDatabase();
  if (bytes < DATABASE_MAX_BYTES)
    return `Full: ${mega(letters)} in localStorage, ${mega(bytes)} in IndexedDB.`;
  await dropDatabase();
  breakPuts();
  return `localStorage is full. IndexedDB takes ${mega(bytes)} and more, so its writes are made to fail.`;
}

export async function freeStorage() {
  localStorage.removeItem(KEY);
  if (put) IDBObjectStore.prototype.put = put;
  put = null;
  await dropDatabase();
  return 'There is room again.';
}

/** One value that grows by ever less, until not a letter more fits. Returns how many there are. */
function fillLocal() {
  let text = '';
  for (let more = BLOCK_BYTES; more >= 1; ) {
    const longer = text + 'x'.repeat(more);
    if (fits(longer)) text = longer;
    else more = Math.floor(more / 2);
  }
  return text.length;
}

function fits(text) {
  try {
    localStorage.setItem(KEY, text);
    return true;
  } catch {
    return false;
  }
}

/** Blocks, ever smaller, and not too many. Returns how many bytes went in. */
async function fillDatabase() {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  let bytes = 0;
  for (let size = BLOCK_BYTES; size >= BLOCK_MIN_BYTES && bytes < DATABASE_MAX_BYTES; ) {
    const hasRoom = await write(database, noise(size));
    if (hasRoom) bytes += size;
    else size /= 2;
  }
  database.close();
  return bytes;
}

function dropDatabase() {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(DATABASE);
    request.onsuccess = request.onerror = request.onblocked = resolve;
  });
}

function write(database, block) {
  return new Promise((resolve) => {
    const writing = database.transaction(STORE, 'readwrite');
    writing.objectStore(STORE).put(block);
    writing.oncomplete = () => resolve(true);
    writing.onabort = () => resolve(false);
  });
}

/** What no database makes smaller. */
function noise(bytes) {
  const block = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += RANDOM_MAX_BYTES)
    crypto.getRandomValues(block.subarray(at, at + RANDOM_MAX_BYTES));
  return block;
}

function breakPuts() {
  put ??= IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...given) {
    const { transaction } = this;
    const request = put.apply(this, given);
    const value = new DOMException('The storage is full.', 'QuotaExceededError');
    for (const failed of [request, transaction]) Object.defineProperty(failed, 'error', { value });
    transaction.abort();
    return request;
  };
}
