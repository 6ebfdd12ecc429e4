/**
 * The text of one draft: what the page holds, what of it was written, what it was made from, and what is known to be safe.
 */
import type { DraftSettings } from './config.js';
import type { Excluder } from './draft-fields.js';
import { type Candidate, equalJson, isOwn, type Lineage, type Read, WRITERS_MAX } from './draft-records.js';
import type { Copy } from './draft-requests.js';
import { isolate } from './store.js';
import { NONE } from './wire.js';

/** A text that came from elsewhere, as this page takes it. */
export interface Other {
  data: unknown;
  text: string;
  updatedAt: Date;
  /** NONE: it is no copy of the server's. */
  rev: number;
  lineage: Lineage;
  saveId: string;
  /** It is just what that id stands for. */
  isExact: boolean;
}

/** A text as it was written. */
export interface Written {
  text: string;
  /** Of a text that is sent again, the same. */
  saveId: string;
}

/** A name that no other page load has. A letter comes first: objects would sort a number before all others. */
const newWriter = (): string => {
  const dice = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(dice, (byte, at) => (at ? byte % 36 : 10 + (byte % 26)).toString(36)).join('');
};

const newerOf = (lineage: Lineage, writer: string, count: number): Lineage => {
  const { [writer]: before = 0, ...others } = lineage;
  const all: Array<[string, number]> = [...Object.entries(others), [writer, Math.max(before, count)]];
  return Object.fromEntries(all.slice(-WRITERS_MAX));
};

/** Nothing yet. `since`: what was cleared before this moment is no news. */
export function createText(options: DraftSettings, { textOf }: Excluder, read: Read, since: number) {
  const { schemaVersion, isEqual } = options;
  let writer = newWriter();
  let data: unknown;
  /** Of the data; made when it is needed. */
  let made: string | undefined;
  let written: Written | undefined;
  let count = 0;
  let lineage: Lineage = {};
  let confirmed: string | undefined;

  /** Throws where it is no JSON. */
  function now(): string {
    made ??= textOf(data);
    if (made === undefined) throw new TypeError(`a ${typeof data} cannot be saved as JSON`);
    return made;
  }

  /** Two texts say the same. The order of keys changes nothing of their length. */
  function isSame(one: string, other: string): boolean {
    if (one === other) return true;
    let same = false;
    if (isEqual) isolate(() => (same = isEqual(JSON.parse(one), JSON.parse(other))));
    return same || (one.length === other.length && equalJson(JSON.parse(one), JSON.parse(other)));
  }

  /** What it held before is no part of it. A lineage names all earlier texts of a writer, so this one gets a new name. */
  function begin(): void {
    lineage = {};
    written = undefined;
    if (count) writer = newWriter();
    count = 0;
  }

  const text = {
    /** The name that its records go by. */
    writer: (): string => writer,
    /** The server's revision that it was made from; NONE: of none. */
    base: NONE,
    /** The stamp up to which clearing is no news to what the page holds. */
    since,
    /** There is a text at all. */
    has: false,
    /** What `update` was given, in number. */
    edits: 0,
    /** How many of them were made by nobody known. */
    guests: 0,
    /** How many of them are known to be in the device's database. */
    kept: 0,
    /** How many of them were there when it was last written. */
    stored: 0,
    /** How many of them are where they should be, or need not be. */
    settled: 0,
    /** What the server does not take as it is, and the kind of why, by its number. */
    refused: undefined as [saveId: string, kind: number] | undefined,
    /** What was confirmed was submitted: nothing of it is to be kept. */
    submitted: false,

    /** The person typed. */
    give(given: unknown): void {
      data = given;
      made = undefined;
      text.has = true;
      text.edits++;
      // From then on what was submitted can be typed anew.
      if (text.submitted && text.isDirty()) text.doubt();
    },
    now,
    isSame,
    /** What the page holds, where it can be written at all. */
    get(): string | undefined {
      try {
        return text.has ? now() : undefined;
      } catch {
        return undefined;
      }
    },
    /** It says what is confirmed. */
    isConfirmed: (one: string): boolean => confirmed !== undefined && isSame(one, confirmed),
    /** Something is there that nobody confirmed. */
    isDirty(): boolean {
      const held = text.get();
      return held === undefined ? text.has : !text.isConfirmed(held);
    },
    /** Somebody typed what is not yet where it should be. */
    isTyped: (): boolean => text.edits > text.settled || text.isDirty(),
    /** The server, or without one the device, has it. */
    confirm(one: string): void {
      confirmed = one;
      text.submitted = false;
    },
    /** Nobody knows what the server has, until it says so. Returns what takes that back. */
    doubt(): () => void {
      const before = [confirmed, text.submitted] as const;
      confirmed = undefined;
      text.submitted = false;
      return () => ([confirmed, text.submitted] = before);
    },
    /** Names what the page holds, for writing or sending it. Throws as `now` does. */
    write(): Written {
      const held = now();
      if (written?.text !== held) {
        written = { text: held, saveId: `${writer}.${++count}` };
        lineage = newerOf(lineage, writer, count);
      }
      return written;
    },
    written: (): Written | undefined => written,
    lineage: (): Lineage => lineage,
    /** The page's text was made by who had seen this one. */
    learn(other: Other): void {
      for (const [one, n] of Object.entries(other.lineage)) lineage = newerOf(lineage, one, n);
      // What a server keeps may come from anybody, and a lineage that is none would make a record that nobody reads.
      const [from = '', n] = other.saveId.split('.');
      if (isOwn(other.saveId, { [from]: Number(n) })) lineage = newerOf(lineage, from, Number(n));
    },
    /** It takes the place of what the page holds, which is no part of it unless it `joins`. */
    take(other: Other, joins: boolean): void {
      if (!joins) begin();
      data = other.data;
      made = other.text;
      text.has = true;
      text.guests = 0;
      text.doubt(); // it is there on purpose, whatever was submitted
      written = other.isExact ? { text: other.text, saveId: other.saveId } : undefined;
      text.learn(other);
    },
    /** What was typed until now is done with. */
    submit(stamp: number): void {
      confirmed = text.get();
      text.submitted = true;
      text.since = stamp;
      text.base = NONE;
      text.kept = text.settled = text.edits;
      text.guests = 0;
      begin();
    },

    /** The server's copy; undefined: of a schema that this page does not know. */
    ofCopy({ rev, data, schemaVersion, saveId, updatedAt }: Copy): Other | undefined {
      const known = read(data, schemaVersion);
      if (known === undefined) return undefined;
      const text = JSON.stringify(known);
      return { rev, data: known, text, updatedAt, saveId, lineage: {}, isExact: false };
    },
    /** A record of this device. */
    ofRecord({ record, data }: Candidate): Other {
      const { at, saveId, lineage, base } = record;
      const text = JSON.stringify(data);
      const isExact = text === record.text && record.schema === schemaVersion;
      return { rev: base ?? NONE, data, text, updatedAt: new Date(at), saveId, lineage, isExact };
    },
  };
  return text;
}

/** What `createText` returns. */
export type DraftText = ReturnType<typeof createText>;
