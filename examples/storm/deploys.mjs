import { readFile } from 'node:fs/promises';

/**
 * Which version is deployed: the page is of one, and every answer of the API names one.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../../tests/server/recorder.mjs').RecordedRequest} RecordedRequest
 */
const ROLLING_MAX_MS = 60_000;

/**
 * @param {FaultServer} page @param {FaultServer} api
 * @param {string} file the page, with `%VERSION%` and `%API%` in it
 * @param {(request: RecordedRequest) => string[]} cookies that the page sets
 */
export function openDeploys(page, api, file, cookies) {
  /** Another run of the demo begins with 1 again, and is another version for a tab that is still open. */
  const run = Date.now().toString(36);
  let number = 1;
  let rolling = { since: 0, until: 0 };

  /** While it rolls, ever more servers are new. */
  function served() {
    const now = Date.now();
    if (now >= rolling.until) return number;
    const share = (now - rolling.since) / (rolling.until - rolling.since);
    return Math.random() < share ? number : number - 1;
  }
  const version = () => `${served()}+${run}`;

  api.on('/api/*', ({ path }) => {
    const current = version();
    const headers = { 'X-App-Version': current };
    return path === '/api/version' ? { headers, body: { version: current } } : { headers, pass: true };
  });
  page.on('GET /', async (request) => {
    const current = version();
    const headers = {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-App-Version': current,
    };
    const html = await readFile(file, 'utf8');
    return {
      headers: { ...headers, 'Set-Cookie': cookies(request) },
      body: html.replaceAll('%VERSION%', current).replaceAll('%API%', api.origin),
    };
  });

  return {
    /** The next version is there, at once or little by little. @param {{ rollingMs?: number }} given */
    deploy({ rollingMs = 0 }) {
      const now = Date.now();
      number++;
      rolling = { since: now, until: now + Math.min(rollingMs, ROLLING_MAX_MS) };
    },
    /** What is served now. */
    get standing() {
      return { number, rollingForMs: Math.max(0, rolling.until - Date.now()) };
    },
  };
}
