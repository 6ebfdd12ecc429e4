/**
 * The browser's side of a group of tabs: a Web Lock that one of them holds, and a channel between them. Who leads is the engine's to say.
 */

/** What one tab says to the others. The first five are the engine's, in its numbers; the rest is what they carry. */
export interface Word {
  from: number;
  epoch: number;
  says: number;
  visible: boolean;
  value: number;
  load?: unknown;
}

/** The words that carry something. */
export const HERE = 2;
export const LOAD = 4;

/** One tab's membership in one group. */
export interface Group {
  /** This tab's number. */
  readonly me: number;
  lock(steal: boolean): void;
  unlock(): void;
  post(word: Omit<Word, 'from'>): void;
  /** Nothing is held, and nothing heard, until the next lock or post. */
  leave(): void;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Another tab may run another version of this library, and the page may post what it likes. */
function isWord(data: unknown): data is Word {
  const word = data as Partial<Word> | null;
  return (
    typeof word === 'object' &&
    [word?.from, word?.epoch, word?.says, word?.value].every(isCount) &&
    typeof word?.visible === 'boolean'
  );
}

/**
 * The lock and channel name of a group; undefined where tabs cannot meet: no secure context, or a browser without locks or channels.
 *
 * @param secret what all members have in common. Nobody can tell it from the name.
 */
export async function nameOf(app: string, secret: () => Promise<string>): Promise<string | undefined> {
  const { BroadcastChannel, crypto, navigator } = globalThis;
  if (!BroadcastChannel || !navigator?.locks || !crypto?.subtle) return;
  try {
    // An opaque origin has them, and may not use them.
    await navigator.locks.query();
    new BroadcastChannel('evenkeel').close();
  } catch {
    return;
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(await secret()));
  // The number is that of the words: a version that says others does not meet this one. A lock's name must not begin with '-'.
  return `evenkeel:1:${app}:${btoa(String.fromCharCode(...new Uint8Array(digest, 0, 18)))}`;
}

/** Becomes a member, without a word yet. `onLock`: the lock is held, or was lost, or is not to be had. */
export function joinGroup(
  name: string,
  onLock: (held: boolean) => void,
  onWord: (word: Word) => void,
): Group {
  const me = crypto.getRandomValues(new Uint32Array(1))[0]! || 1;
  let channel: BroadcastChannel | undefined;
  let release = (): void => {};

  function open(): BroadcastChannel {
    if (!channel) {
      channel = new BroadcastChannel(name);
      channel.onmessage = ({ data }) => {
        if (isWord(data) && data.from !== me) onWord(data);
      };
    }
    return channel;
  }

  return {
    me,
    lock(steal) {
      release();
      open();
      const queued = new AbortController();
      let over = false;
      const held = new Promise<void>((free) => {
        release = () => {
          over = true;
          queued.abort();
          free();
        };
      });
      navigator.locks
        .request(name, steal ? { steal } : { signal: queued.signal }, () => {
          if (over) return;
          onLock(true);
          return held;
        })
        .catch(() => {
          if (over) return;
          over = true;
          onLock(false);
        });
    },
    unlock: () => release(),
    post: (word) => open().postMessage({ ...word, from: me }),
    leave() {
      release();
      channel?.close();
      channel = undefined;
    },
  };
}
