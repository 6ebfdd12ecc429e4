/**
 * The tail of drafts: what was typed last, in localStorage. That is written before a page goes, where IndexedDB is not.
 */
import {
  isBefore,
  isClean,
  isLeft,
  isSpent,
  type Removal,
  readRecord,
  type Stored,
  type Tombstone,
} from './draft-records.js';
import { atStorage } from './storage.js';

export interface DraftTail {
  /** False: there is no room, or no storage. */
  write(record: Stored): boolean;
  /** What is stored, and stays. Without a key: only what the server may not have heard of. */
  take(owner: string, key?: string): Stored[];
  remove(records: Removal[]): void;
  /** Removes what was made before it. */
  bury(tombstone: Tombstone): void;
  /** Removes what the server has. */
  forgetClean(owner: string): void;
  /** Removes what has expired, and what is no record. */
  sweep(now: number): void;
}

/** For all tails of one client, in UTF-16 units: a browser keeps 5 Mi of them for the whole origin, and the app has its own to keep. */
const UNITS_MAX = 512 * 1024;

/** Never throws, and touches nothing yet. */
export function createTail(name: string): DraftTail {
  // The bracket: no other client's name can go on like this.
  const prefix = `evenkeel:1:${name}:draft:[`;
  const nameOf = ({ owner, key, writer }: Removal): string =>
    prefix + JSON.stringify([owner, key, writer]).slice(1);
  const names = (): string[] => Object.keys(localStorage).filter((item) => item.startsWith(prefix));
  /** Undefined for what is no JSON, too. */
  const parse = (item: string): unknown => atStorage(() => JSON.parse(localStorage.getItem(item)!));

  /** Undefined for what is no record, or stands in another's place. */
  function read(item: string): Stored | undefined {
    const stored = readRecord(parse(item));
    return stored && nameOf(stored) === item ? stored : undefined;
  }

  const own = (owner: string): Stored[] =>
    atStorage(() =>
      names().flatMap((item) => {
        const stored = read(item);
        return stored?.owner === owner ? stored : [];
      }),
    ) ?? [];

  const drop = (items: string[]): void =>
    atStorage(() => {
      for (const item of items) localStorage.removeItem(item);
    });

  return {
    write: (record) =>
      atStorage(() => {
        const place = nameOf(record);
        const text = JSON.stringify(record);
        let room = UNITS_MAX - place.length - text.length;
        for (const item of names())
          if (item !== place) room -= item.length + (localStorage.getItem(item)?.length ?? 0);
        if (room >= 0) localStorage.setItem(place, text);
        return room >= 0;
      }) ?? false,

    take: (owner, key) =>
      own(owner).filter((stored) => (key === undefined ? isLeft(stored) : stored.key === key)),

    remove(records) {
      const isOld = (record: Removal): boolean => !((read(nameOf(record))?.stamp ?? 0) > record.stamp);
      drop(records.filter(isOld).map(nameOf));
    },

    bury(tombstone) {
      const { owner, key } = tombstone;
      const isVoid = (stored: Stored): boolean => stored.key === key && isBefore(stored, tombstone);
      drop(own(owner).filter(isVoid).map(nameOf));
    },

    forgetClean: (owner) => drop(own(owner).filter(isClean).map(nameOf)),

    sweep: (now) => drop((atStorage(names) ?? []).filter((item) => isSpent(parse(item), now))),
  };
}
