// Times calls in the page.
import { runPart } from './page.mjs';
import { rounds } from './rounds.mjs';

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
    return timed(all, CALLS, (get) => oneAfterAnother(get, CALLS));
  },

  /** A real server, one request after another. */
  async sequence() {
    return timed(await contenders(), CALLS_LOOPBACK, (get) => oneAfterAnother(get, CALLS_LOOPBACK));
  },

  /** A real server, many requests at once, each for another address: equal ones would be sent once only. */
  async atOnce() {
    return timed(await contenders(), CALLS_LOOPBACK, async (get) => {
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

/** Microseconds for each call, a list for each contender. */
async function timed(all, calls, batch) {
  for (const [name, get] of Object.entries(all)) {
    const user = await get('/api/user');
    if (user.name !== 'Ada') throw new Error(`${name} answers ${JSON.stringify(user)}`);
  }
  const took = await rounds(Object.keys(all), ROUNDS, async (name) => {
    const begun = performance.now();
    await batch(all[name]);
    return ((performance.now() - begun) * 1_000) / calls;
  });
  return { took };
}

await runPart(parts);
