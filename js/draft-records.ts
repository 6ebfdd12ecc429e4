/**
 * What of drafts lies on the device: its form, what of it is believed, and which of several texts is the one to go on with. Nothing here
 * touches a storage.
 */
import { report } from './store.js';

/** One text of one draft, as one page load wrote it. */
export interface DraftRecord {
  v: 1;
  /** `u:` and the user's key, or `t:` and the tab's id. */
  owner: string;
  key: string;
  /** The page load that wrote it. */
  writer: string;
  /** Grows with each write of the key, also while the clock is set back. In milliseconds where it was not. */
  stamp: number;
  /** The stamp of the newest tombstone that the page knew of when the text was made. 0: of none. */
  since: number;
  /** JSON, without excluded fields. */
  text: string;
  schema: number;
  /** The server's revision that the text was made from. */
  base: number | null;
  /** No answer of the server has confirmed the text. */
  dirty: boolean;
  saveId: string;
  lineage: Lineage;
  /** When it was written, in milliseconds. */
  at: number;
  /** When it is dropped, in milliseconds. */
  expires: number;
  endpoint: string | null;
}

/** What `clear()` leaves: nothing of the key that was made before it comes back. */
export interface Tombstone {
  v: 1;
  owner: string;
  key: string;
  writer: '';
  stamp: number;
  tomb: true;
  /** The server has not been told. */
  unheard: boolean;
  /** Which revision the server made it, once it was told. */
  rev?: number | undefined;
  at: number;
  expires: number;
  endpoint: string | null;
}

export type Stored = DraftRecord | Tombstone;

/** All texts that a text was made from: by writer, the number of the newest one. */
export type Lineage = Readonly<Record<string, number>>;

/** A record, to be removed unless a newer one stands in its place by then. */
export type Removal = Pick<Stored, 'owner' | 'key' | 'writer' | 'stamp'>;

/** A record with its data as this page takes it. */
export interface Candidate {
  record: DraftRecord;
  data: unknown;
}

/** What the device has of one draft. */
export interface Choice {
  /** The newest one that has not expired. */
  tombstone: Tombstone | undefined;
  /** The text to go on with. */
  local: Candidate | undefined;
  /** It was made before the tombstone, and is dirty. */
  isVoid: boolean;
  /** Another text that is dirty and different. */
  other: Candidate | undefined;
  /** Of no more use. */
  drop: Stored[];
  /** `local`, and what it holds or was made from: of no more use once this page has stored it, but for what this page wrote itself. */
  absorbed: DraftRecord[];
}

/** Data as this page takes it: migrated, without excluded fields. Undefined where that cannot be done. */
export type Read = (data: unknown, schema: number) => unknown;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
/** Up to the end of what a Date can say. Parts of milliseconds come of an app's options. */
const isTime = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 8.64e15;

/** Names of writers are no names that objects have by themselves, but `constructor` is one. */
const WRITER = /^[0-9a-z]{1,16}$/;
const SAVE_ID = /^([0-9a-z]{1,16})\.(\d{1,15})$/;
/** A text is remembered to be made from those of so many page loads. */
export const WRITERS_MAX = 8;
const KEY = /^.{1,256}$/s;

const isLineage = (value: unknown): boolean =>
  isObject(value) &&
  Object.keys(value).length <= WRITERS_MAX &&
  Object.entries(value).every(([writer, count]) => WRITER.test(writer) && isCount(count));

type Form = Record<string, (value: unknown) => boolean>;

const EITHER: Form = {
  v: (value) => value === 1,
  owner: isText,
  // As checkDraft() wants it.
  key: (value) => isText(value) && KEY.test(value as string),
  stamp: isTime,
  at: isTime,
  expires: isTime,
  endpoint: (value) => value === null || isText(value),
};
const TOMBSTONE: Form = {
  ...EITHER,
  writer: (value) => value === '',
  unheard: isFlag,
  rev: (value) => value === undefined || isCount(value),
};
const RECORD: Form = {
  ...EITHER,
  writer: (value) => isText(value) && WRITER.test(value as string),
  since: isTime,
  text: isText,
  schema: isCount,
  base: (value) => value === null || isCount(value),
  dirty: isFlag,
  saveId: (value) => isText(value) && SAVE_ID.test(value as string),
  lineage: isLineage,
};

/** What is stored may be anything. Undefined for what is no record of this version. */
export function readRecord(value: unknown): Stored | undefined {
  if (!isObject(value)) return undefined;
  const form = Object.entries(value.tomb === true ? TOMBSTONE : RECORD);
  return form.every(([name, fits]) => fits(value[name])) ? (value as unknown as Stored) : undefined;
}

/** Expired, or no record at all. What a newer version of this library wrote is left to it, until it expires. */
export function isSpent(value: unknown, now: number): boolean {
  const record = readRecord(value) ?? (isObject(value) && (value.v as number) > 1 ? value : undefined);
  return !record || !((record.expires as number) > now);
}

const isUsers = ({ owner }: Stored): boolean => owner[0] === 'u';

export const isTombstone = (stored: Stored): stored is Tombstone => !stored.writer;

/** What a server should hear of, and may not have. */
export const isLeft = (stored: Stored): boolean =>
  stored.endpoint !== null && (isTombstone(stored) ? stored.unheard : stored.dirty);

/** A text that the server has. */
export const isClean = (stored: Stored): boolean => !isTombstone(stored) && !stored.dirty;

/** Whether it is a text from before this clear. */
export const isBefore = (stored: Stored, tombstone: Tombstone | undefined): boolean =>
  !!tombstone && !isTombstone(stored) && stored.since < tombstone.stamp;

/**
 * How this page reads stored data. What `migrate` throws is reported.
 *
 * @param strip leaves excluded fields out.
 */
export function createRead(
  schemaVersion: number,
  migrate: ((data: unknown, from: number) => unknown) | undefined,
  strip: (data: unknown) => unknown,
): Read {
  return (data, schema) => {
    if (schema > schemaVersion) return undefined;
    if (schema < schemaVersion) {
      try {
        data = migrate?.(data, schema) ?? undefined;
      } catch (error) {
        report(error);
        return undefined;
      }
    }
    try {
      return strip(data);
    } catch {
      return undefined; // it is nested deeper than anything can be written
    }
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * One clear may have several: a user's counts more than that of somebody who was not known yet, which no server hears of. Both storages may
 * have the same one, and one of them has not heard that the server knows.
 */
const isNewer = (one: Tombstone, other: Tombstone): boolean =>
  one.stamp === other.stamp
    ? one.owner === other.owner
      ? !one.unheard
      : one.owner > other.owner
    : one.stamp > other.stamp;

/**
 * Chooses the text to go on with: of those that are not void the newest dirty one, else the newest.
 *
 * @param found all that is stored of one key, in the tail too: its owner's, and that of who it was before it was known. What has a newer
 *   schema is left alone.
 */
export function choose(found: Stored[], now: number, schemaVersion: number, read: Read): Choice {
  const drop: Stored[] = [];
  const absorbed: DraftRecord[] = [];
  let newest: Tombstone | undefined;
  let ofUser: Tombstone | undefined;
  for (const one of found) {
    if (!isTombstone(one)) continue;
    if (one.expires <= now) drop.push(one);
    else {
      if (!newest || isNewer(one, newest)) newest = one;
      if (isUsers(one) && (!ofUser || isNewer(one, ofUser))) ofUser = one;
    }
  }
  // What somebody else cleared in this tab before it was known who they are, is nothing to a user.
  const isVoid = (record: DraftRecord): boolean => isBefore(record, isUsers(record) ? ofUser : newest);

  const candidates: Candidate[] = [];
  for (const record of found) {
    if (isTombstone(record) || record.schema > schemaVersion) continue;
    const isOver = record.expires <= now || (!record.dirty && isVoid(record));
    const parsed = isOver ? undefined : parse(record.text);
    const data = parsed === undefined ? undefined : read(parsed, record.schema);
    if (data === undefined) drop.push(record);
    else candidates.push({ record, data });
  }

  const rank = ({ record }: Candidate): number => (isVoid(record) ? 2 : record.dirty ? 0 : 1);
  candidates.sort((a, b) => rank(a) - rank(b) || b.record.stamp - a.record.stamp);
  let local: Candidate | undefined;
  let other: Candidate | undefined;
  for (const candidate of candidates) {
    const { record, data } = candidate;
    // What went on in a later text is that text, though an earlier page may have left it dirty.
    const isPast = candidates.some(
      ({ record: later }) => later.stamp > record.stamp && isOwn(record.saveId, later.lineage),
    );
    if (!isPast && !local) local = candidate;
    else if (!isPast && record.dirty && !equalJson(data, local!.data)) {
      other ??= candidate; // a third one stays for the next time
      continue;
    }
    absorbed.push(record);
  }
  return {
    tombstone: ofUser ?? newest,
    local,
    isVoid: !!local && isVoid(local.record),
    other,
    drop,
    absorbed,
  };
}

/** A text with this lineage was made from the one with this saveId, or is the same. */
export function isOwn(saveId: string, lineage: Lineage): boolean {
  const [, writer, count] = SAVE_ID.exec(saveId) ?? [];
  return !!writer && Object.hasOwn(lineage, writer) && lineage[writer]! >= Number(count);
}

/** Whether JSON values say the same; the order of keys says nothing. */
export function equalJson(one: unknown, other: unknown): boolean {
  const left = [[one, other]]; // rather than calls, of which a stranger could make too many
  for (let pair = left.pop(); pair; pair = left.pop()) {
    const [a, b] = pair;
    if (a === b) continue;
    if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(b, key)) return false;
      left.push([a[key], b[key]]);
    }
  }
  return true;
}
