import { checkDraft } from '../../js/config.js';
import { createDiagnostics } from '../../js/diagnostics.js';
import { openDraft } from '../../js/draft.js';
import type { DraftHome, Whose } from '../../js/draft-line.js';
import {
  type DraftRecord,
  isBefore,
  isTombstone,
  type Stored,
  type Tombstone,
} from '../../js/draft-records.js';
import type { Answer } from '../../js/draft-requests.js';
import { createNotices } from '../../js/notices.js';
import type { Draft, DraftOptions } from '../../js/types-drafts.js';

// What the engine is told, and tells, by its numbers.
export const TOLD = [
  ...['owned', 'edited', 'flush', 'restore', 'loaded', 'read', 'stored', 'sent', 'clear', 'buried', 'gone'],
  ...['clearedElsewhere', 'resolve', 'close'],
] as const;
const SAYS = [
  ...['load', 'read', 'store', 'upload', 'bury', 'clear', 'restored', 'flushed', 'cleared', 'drop', 'closed'],
] as const;
const STATUS = ['idle', 'dirty', 'saving', 'saved', 'offline', 'error', 'conflict', 'frozen'];
const PLACES = ['nowhere', 'device', 'server'];

export const ENDPOINT = 'https://app.example.com/api/drafts';
const KEY = 'meal';

/** Lets everything happen that waits for nothing but promises. */
export const settled = (): Promise<void> => new Promise((go) => setImmediate(go));

/** A device that keeps what it is given, or fails as the test says. */
export class Device {
  database: Stored[] = [];
  tail: Stored[] = [];
  fails: { put?: unknown; tail?: boolean } = {};

  put(into: Stored[], stored: Stored): Stored[] {
    return [
      ...into.filter(
        ({ owner, key, writer }) => owner !== stored.owner || key !== stored.key || writer !== stored.writer,
      ),
      stored,
    ];
  }

  without(from: Stored[], tombstone: Tombstone): Stored[] {
    return from.filter(
      (one) => one.owner !== tombstone.owner || one.key !== tombstone.key || !isBefore(one, tombstone),
    );
  }

  home(): Pick<DraftHome, 'store' | 'tail'> {
    const has = (from: Stored[], owner: string, key?: string) =>
      from.filter((one) => one.owner === owner && (key === undefined || one.key === key));
    const drop = (from: Stored[], gone: Array<Pick<Stored, 'owner' | 'writer' | 'stamp'>>) =>
      from.filter(
        (one) =>
          !gone.some(
            ({ owner, writer, stamp }) => owner === one.owner && writer === one.writer && one.stamp <= stamp,
          ),
      );
    return {
      store: {
        put: async (record) => {
          if (this.fails.put) throw this.fails.put;
          this.database = this.put(this.database, record);
          return has(this.database, record.owner, record.key).find(isTombstone)?.stamp ?? 0;
        },
        list: async (owner, key) => has(this.database, owner, key),
        remove: async (gone) => void (this.database = drop(this.database, gone)),
        bury: async (tombstone) => {
          const stands = has(this.database, tombstone.owner, tombstone.key).some(
            (one) => isTombstone(one) && one.stamp >= tombstone.stamp,
          );
          this.database = this.put(
            stands ? this.database : this.without(this.database, tombstone),
            tombstone,
          );
        },
        forgetClean: async () => {},
        sweep: async () => {},
        close() {},
      },
      tail: {
        write: (record) => {
          if (this.fails.tail) return false;
          this.tail = this.put(this.tail, record);
          return true;
        },
        take: (owner, key) => has(this.tail, owner, key),
        remove: (gone) => void (this.tail = drop(this.tail, gone)),
        bury: (tombstone) => void (this.tail = this.without(this.tail, tombstone)),
        forgetClean() {},
        sweep() {},
      },
    };
  }

  /** The only text there is. */
  get record(): DraftRecord {
    const all = this.database.filter((one): one is DraftRecord => !isTombstone(one));
    if (all.length === 1) return all[0]!;
    throw new Error(`${all.length} records`);
  }
}

/** A record that an earlier page left. */
export const left = (fields: Partial<DraftRecord>): DraftRecord => ({
  ...{
    v: 1,
    owner: 'u:ada',
    key: KEY,
    writer: 'w1',
    stamp: 5,
    since: 5,
    text: '"left"',
    schema: 1,
    base: null,
  },
  ...{ dirty: true, saveId: 'w1.1', lineage: { w1: 1 }, at: 5, expires: 8e15, endpoint: ENDPOINT, ...fields },
});

/** A draft, the engine and server of which are in the hands of the test. */
export function givenDraft(
  options: DraftOptions<unknown> = {},
  {
    device = new Device(),
    endpoint = ENDPOINT as string | null,
    ...first
  }: { device?: Device; endpoint?: string | null; who?: Whose } = {},
) {
  const told: Array<[what: string, ...numbers: number[]]> = [];
  const opened: unknown[][] = [];
  const sent: unknown[][] = [];
  const notices: string[] = [];
  const diagnostics = createDiagnostics('1');
  let stamp = 1_000;
  let answer: (asked: unknown[]) => Partial<Answer> | Promise<Partial<Answer>> = () => ({});
  const ask = async (...asked: unknown[]): Promise<Answer> => {
    sent.push(asked);
    return { sent: 0, rev: -1, copy: undefined, error: undefined, waitMs: -1, ...(await answer(asked)) };
  };
  const engine = {
    openDraft: (...numbers: unknown[]) => void opened.push(numbers),
    draft: (_id: number, what: number, ...numbers: number[]) => void told.push([TOLD[what]!, ...numbers]),
  };
  const world = {
    device,
    told,
    opened,
    sent,
    notices,
    diagnostics,
    who: ('who' in first ? first.who : 'ada') as Whose,
    engine: engine as typeof engine | undefined,
    gone: false,
    closed: 0,
    freed: 0,
  };
  const home: DraftHome = {
    ...device.home(),
    requests: {
      read: (_endpoint, _key, user) => ask('read', user),
      save: (_endpoint, _key, user, json, base, lastWords, gone) =>
        ask('save', user, JSON.parse(json), base, lastWords, gone),
      clear: (_endpoint, _key, user) => ask('clear', user),
    },
    notices: createNotices(
      ({ kind }) => notices.push(kind),
      () => Date.now(),
    ),
    diagnostics,
    engine: () => world.engine,
    start() {},
    whose: () => world.who,
    numberOf: (user) => (user === 'ada' ? 0 : 1),
    tab: () => 'tab',
    pending: () => 't:tab?',
    stamp: () => ++stamp,
    heardOf: (heard) => void (stamp = Math.max(stamp, heard)),
    mark() {},
    isGone: () => world.gone,
    isAbsent: () => false,
    lacks() {},
    tellCleared() {},
    leftOut() {},
    free: () => void world.freed++,
    close: () => void world.closed++,
    clearLate: async () => {},
  };
  const line = openDraft(home, 1, KEY, checkDraft(KEY, options, false), endpoint, undefined, false);
  line.begin();
  const says = async (what: (typeof SAYS)[number], a = 0, b = 0, lastWords = false): Promise<void> => {
    line.told(SAYS.indexOf(what), a, b, lastWords);
    await settled();
  };
  return Object.assign(world, {
    line,
    draft: line.draft as Draft<unknown>,
    says,
    /** The engine shows it. */
    shows: (status: string, place = 'nowhere', kind = -1, conflict = -1) =>
      line.show(STATUS.indexOf(status), PLACES.indexOf(place), kind, -1, conflict),
    /** The server answers so from now on. */
    answers: (how: typeof answer) => void (answer = how),
    /** What the engine was told last of that. */
    last: (what: (typeof TOLD)[number]) =>
      told
        .filter(([one]) => one === what)
        .at(-1)
        ?.slice(1),
  });
}
