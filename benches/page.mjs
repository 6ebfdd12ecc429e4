// Runs in the page, by itself: nothing is attached to the browser while it measures. The query says which part.
const query = new URLSearchParams(location.search);

const ROUNDS = 7;
/** In one round of one contender: against a fetch that answers at once, and against the server. */
const CALLS = 2_000;
const CALLS_LOOPBACK = 300;
const AT_ONCE = 50;

const parts = {
  /** What a call costs beyond fetch, which answers at once here. */
  async call() {
    const all = await contenders();
    globalThis.fetch = () =>
      Promise.resolve(
        new Response('{"id":1,"name":"Ada"}', { headers: { 'content-type': 'application/json' } }),
      );
    return rounds(all, CALLS, (get) => oneAfterAnother(get, CALLS));
  },

  /** A real server, one request after another. */
  async sequence() {
    return rounds(await contenders(), CALLS_LOOPBACK, (get) => oneAfterAnother(get, CALLS_LOOPBACK));
  },

  /** A real server, many requests at once, each for another address: equal ones would be sent once only. */
  async atOnce() {
    return rounds(await contenders(), CALLS_LOOPBACK, async (get) => {
      for (let call = 0; call < CALLS_LOOPBACK; call += AT_ONCE) {
        await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => get(`/api/user?n=${n}`)));
      }
    });
  },

  /** From the import to a module that runs, once for each page. */
  async start() {
    const begun = performance.now();
    const { createStability } = await import('/pkg/index.js');
    const app = createStability();
    await app.ready;
    return { ms: performance.now() - begun };
  },
};

async function contenders() {
  const [{ default: ky }, { createStability }] = await Promise.all([
    import('/ky/index.js'),
    import('/pkg/index.js'),
  ]);
  // The default is a token bucket of 50 a second, which ky does not have: with it, this would time the bucket.
  const app = createStability({ api: { rateLimit: false } });
  await app.ready;
  return {
    'raw fetch': (url) => fetch(url).then((response) => response.json()),
    ky: (url) => ky.get(url).json(),
    evenkeel: (url) => app.api.get(url).then(({ data }) => data),
  };
}

async function oneAfterAnother(get, calls) {
  for (let call = 0; call < calls; call++) await get('/api/user');
}

/** Microseconds for each call, a list for each contender. The order rotates; the first round warms up and is dropped. */
async function rounds(all, calls, batch) {
  const names = Object.keys(all);
  const took = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) {
    const user = await all[name]('/api/user');
    if (user.name !== 'Ada') throw new Error(`${name} answers ${JSON.stringify(user)}`);
  }
  for (let round = 0; round <= ROUNDS; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      const begun = performance.now();
      await batch(all[name]);
      const microseconds = ((performance.now() - begun) * 1_000) / calls;
      if (round > 0) took[name].push(microseconds);
    }
  }
  return { took };
}

const report = { part: query.get('part'), page: Number(query.get('page')) };
const send = globalThis.fetch;
try {
  Object.assign(report, await parts[report.part]());
} catch (error) {
  report.error = `${error?.stack ?? error}`;
}
await send('/report', { method: 'POST', body: JSON.stringify(report) });

const pages = Number(query.get('pages'));
if (report.page < pages) location.replace(`/?part=${report.part}&page=${report.page + 1}&pages=${pages}`);
