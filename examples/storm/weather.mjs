import { LIVE } from './orders.mjs';

/**
 * The demo's bad weather: which faults are on, and what each does to an answer.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../../tests/server/types.mjs').Step} Step
 */
const RATE_PER_SECOND = 8;
const KILLED_MAX_MS = 60_000;

/** What an answer becomes; undefined leaves it as it is. @type {Record<string, (at: { path: string, isOdd: boolean, isTooMany: boolean }) => Step | undefined>} */
const FAULTS = {
  down: () => undefined, // no connection is accepted: nothing is ever asked
  slow: ({ path }) => (path === LIVE ? undefined : { pass: true, delayMs: 3_000 }),
  restart: () => ({ status: 503, retryAfter: { form: 'seconds', value: 5 }, body: { code: 'restarting' } }),
  limit: ({ isTooMany }) =>
    isTooMany
      ? { status: 429, retryAfter: { form: 'seconds', value: 2 }, body: { code: 'tooMany' } }
      : undefined,
  cut: ({ path, isOdd }) => (isOdd && path !== LIVE ? { pass: true, cutAfterBytes: 20 } : undefined),
  stall: ({ path, isOdd }) => (isOdd && path !== LIVE ? { pass: true, stallAfterBytes: 20 } : undefined),
  route: ({ path }) =>
    path.startsWith('/api/stock/') ? { status: 500, delayMs: 80, body: { code: 'broken' } } : undefined,
  expired: ({ isOdd }) => (isOdd ? { status: 401, body: { code: 'expired' } } : undefined),
  unsure: () => ({ status: 401, body: { code: 'expired' } }),
  blip: () => ({ status: 401, body: { code: 'signedOut' } }),
  streamsCut: () => undefined,
  streamsMute: () => undefined,
  streamsHeld: ({ path }) => (path === LIVE ? { hang: true } : undefined),
  streamsRefused: ({ path }) =>
    path === LIVE
      ? { status: 503, retryAfter: { form: 'seconds', value: 2 }, body: { code: 'tooManyStreams' } }
      : undefined,
  lost: () => undefined, // as down
};

/** What the session endpoint answers meanwhile. @type {Record<string, Step>} */
const TO_SESSION = { unsure: { status: 500, body: { error: 'broken' } }, blip: { body: null } };

/** What a fault does to the streams that are open when it begins. @type {Record<string, 'cut' | 'mute'>} */
const TO_STREAMS = { streamsCut: 'cut', streamsMute: 'mute', streamsHeld: 'cut', streamsRefused: 'cut' };

/** @param {FaultServer} server @param {{ cut(): void, mute(): void }} streams */
export function createWeather(server, streams) {
  /** @type {Set<string>} */ let on = new Set();
  /** @type {Map<string, number>} */ const asked = new Map();
  /** @type {number[]} */ let lately = [];
  let isDead = false;

  const stand = () => (isDead || on.has('down') || on.has('lost') ? server.refuse() : server.accept());

  server.on('/api/auth/session', () => {
    const fault = [...on].find((fault) => TO_SESSION[fault]);
    return fault ? TO_SESSION[fault] : 'pass';
  });
  server.on('/api/*', ({ method, path }) => {
    if (path.startsWith('/api/auth/') || path === '/api/version') return 'pass';
    const name = `${method} ${path}`;
    asked.set(name, (asked.get(name) ?? 0) + 1);
    const now = Date.now();
    lately = lately.filter((at) => now - at < 1_000);
    const isTooMany = lately.length >= RATE_PER_SECOND;
    if (!isTooMany) lately.push(now);
    const at = { path, isTooMany, isOdd: asked.get(name) % 2 === 1 };
    return [...on]
      .map((fault) => FAULTS[fault](at))
      .reduce((all, step) => merged(all, step), /** @type {Step} */ ({ pass: true }));
  });

  return {
    /** From now on exactly these. @param {{ faults: string[] }} given */
    async set({ faults }) {
      for (const fault of faults) if (!FAULTS[fault]) throw new TypeError(`no fault '${fault}'`);
      const begun = faults.filter((fault) => !on.has(fault));
      on = new Set(faults);
      asked.clear();
      await stand();
      for (const fault of begun) if (TO_STREAMS[fault]) streams[TO_STREAMS[fault]]();
      return { faults: [...on] };
    },
    /** The server is gone, and comes back after so long. @param {number} forMs @param {() => void} restart brings back what it had */
    async kill(forMs, restart) {
      if (isDead) return;
      isDead = true;
      await stand();
      setTimeout(
        () => {
          restart();
          isDead = false;
          stand();
        },
        Math.min(forMs, KILLED_MAX_MS),
      );
    },
  };
}

/** Both at once: a fault that answers by itself is stronger than one that changes the answer. @param {Step} all @param {Step | undefined} step */
function merged(all, step) {
  if (!step) return all;
  if (!step.pass && !all.pass) return all;
  const { pass: _all, ...first } = all;
  const { pass: _step, ...second } = step;
  return { ...first, ...second, ...(all.pass && step.pass ? { pass: true } : {}) };
}
