import { withCounts } from '../e2e/counts.mjs';
import { run } from '../harness/browser.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** A stream that says one thing and stays open. */
export const SAYING = {
  headers: { 'Content-Type': 'text/event-stream' },
  pieces: [{ data: 'data: 1\n\n' }],
  stallAfterBytes: Infinity,
};

/** What goes by itself when what it was for is over. @type {Array<'listeners' | 'timers' | 'channels' | 'onPage' | 'locks' | 'nodes'>} */
const PASSING = ['listeners', 'timers', 'channels', 'onPage', 'locks', 'nodes'];

/** Before the page's scripts: counts what goes on in it, its client's memory too. @param {Page} page */
export async function counting(page) {
  await withCounts(page);
  await page.addInitScript(() => {
    const { Instance } = WebAssembly;
    WebAssembly.Instance = class extends Instance {
      constructor(...args) {
        super(...args);
        window.memory = Object.values(this.exports).find((value) => value instanceof WebAssembly.Memory);
      }
    };
  });
}

/** Mounts and unmounts the three hooks so often. @param {Page} page @param {number} count */
export const churn = (page, count) => run(page, (count) => window.churn(count), count);

/**
 * What the page has, once nothing more is on its way and what nobody holds is gone, which takes the browser some rounds.
 * @param {Page} page
 * @param {import('../server/fault-server.mjs').FaultServer} server whose connections are counted
 */
export async function holdings(page, server) {
  const streams = () =>
    server.requestsTo('/api/events').filter(({ endedAt, closedEarlyAt }) => !endedAt && !closedEarlyAt);
  const devtools = await page.context().newCDPSession(page);
  let least = await counts(page, devtools);
  for (let rounds = 0, inVain = 0; inVain < 8 && rounds < 50; rounds++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await counts(page, devtools);
    const isLess = PASSING.some((what) => now[what] < least[what]) || streams().length > 0;
    inVain = isLess ? 0 : inVain + 1;
    least = now;
  }
  await devtools.detach();
  return { ...least, streams: streams().length };
}

/** @param {Page} page @param {import('playwright-core').CDPSession} devtools */
async function counts(page, devtools) {
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize: heap } = await devtools.send('Runtime.getHeapUsage');
  const { jsEventListeners: listeners, nodes } = await devtools.send('Memory.getDOMCounters');
  const own = await run(page, async () => {
    const { held, pending } = await navigator.locks.query();
    const { timers, channels, listeners: onPage } = window.alive();
    const locks = held.length + pending.length;
    return { timers, channels, onPage, locks, wasm: window.memory?.buffer.byteLength };
  });
  return { heap, listeners, nodes, ...own };
}
