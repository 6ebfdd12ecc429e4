const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;

/** Which version of the page this is: its server wrote it there. */
export const VERSION = meta('version');

/** What a person is told of a version: its number, without what tells two runs of the demo apart. */
export const numberOf = (version) => version.split('+')[0];

/** Where the API is: on a port of its own. */
export const API = meta('api');

/** Intervals that can be watched. Everything else is evenkeel's defaults. */
export const settings = {
  name: 'storm',
  baseUrl: API,
  session: { activeMs: 20_000, idleMs: 60_000, idleAfterMs: 30_000, confirmAfterMs: 1_000 },
  version: { current: VERSION, trustedOrigins: [API], pollMs: 15_000, idleMs: 2_000, spreadMs: 2_000 },
  connection: { probeMs: 2_000 },
  api: {
    timeoutMs: 4_000,
    deadlineMs: 45_000,
    backoff: { baseMs: 600 }, // long enough to see
    maxConcurrent: 5, // browsers open six to one HTTP/1.1 origin, and one is the event stream's: the queue is ours rather than theirs
    rateLimit: { perSecond: 10, burst: 12 },
    trustedOrigins: [API],
    credentials: 'include', // the session's cookie is for another port, which is the same site
  },
  events: {
    backoff: { baseMs: 800, maxMs: 4_000 },
    firstByteMs: 2_000,
    stableMs: 2_000,
    spreadMs: 3_000,
    watchdogMs: 4_000, // the server gives a sign of life each second
  },
};
