/**
 * The demo's bad weather: which faults are on, and what each does to an answer.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../../tests/server/types.mjs').Step} Step
 */
const RATE_PER_SECOND = 8;
const SIGNED_IN = { user: { id: '1', name: 'Ada' }, expiresInMs: 3_600_000 };

/** What an answer becomes; undefined leaves it as it is. @type {Record<string, (at: { path: string, isOdd: boolean, isTooMany: boolean }) => Step | undefined>} */
const FAULTS = {
  down: () => undefined, // no connection is accepted: nothing is ever asked
  slow: () => ({ pass: true, delayMs: 3_000 }),
  restart: () => ({ status: 503, retryAfter: { form: 'seconds', value: 5 }, body: { code: 'restarting' } }),
  limit: ({ isTooMany }) =>
    isTooMany
      ? { status: 429, retryAfter: { form: 'seconds', value: 2 }, body: { code: 'tooMany' } }
      : undefined,
  cut: ({ isOdd }) => (isOdd ? { pass: true, cutAfterBytes: 20 } : undefined),
  stall: ({ isOdd }) => (isOdd ? { pass: true, stallAfterBytes: 20 } : undefined),
  route: ({ path }) =>
    path.startsWith('/api/stock/') ? { status: 500, delayMs: 80, body: { code: 'broken' } } : undefined,
  expired: ({ isOdd }) => (isOdd ? { status: 401, body: { code: 'expired' } } : undefined),
  signedOut: () => ({ status: 401, body: { code: 'signedOut' } }),
  unsure: () => ({ status: 401, body: { code: 'expired' } }),
};

/** @param {FaultServer} server */
export function createWeather(server) {
  /** @type {Set<string>} */ let on = new Set();
  /** @type {Map<string, number>} */ const asked = new Map();
  /** @type {number[]} */ let lately = [];

  server.on('/api/*', ({ method, path }) => {
    if (path.startsWith('/api/auth/')) return 'pass';
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
      on = new Set(faults);
      asked.clear();
      server.session = on.has('signedOut') ? null : on.has('unsure') ? 'broken' : SIGNED_IN;
      if (on.has('down')) await server.refuse();
      else await server.accept();
      return { faults: [...on] };
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
