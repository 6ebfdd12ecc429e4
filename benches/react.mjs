// Counts the renders of a component that shows the last event of a stream, and what mounting and unmounting leaves; `make bench` calls it.
// Figures go to stdout only.
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import { root } from '../pkg-template/build.mjs';
import { launchBrowser, openPage, run, until } from '../tests/harness/browser.mjs';
import { churn, counting, holdings, SAYING } from '../tests/react/mounts.mjs';
import { openDrafts } from '../tests/server/drafts.mjs';
import { startFaultServer } from '../tests/server/fault-server.mjs';
import { printSetting, row } from './browser.mjs';
import { median, rounds } from './rounds.mjs';

const EVENTS = 1_000;
const ROUNDS = 5;
const SPREAD_MS = 2_000;
/** A stream is open for so long before its first event. */
const QUIET_MS = 200;
const MOUNTS = 10_000;
const LOOKS = 4;
const WARM_UP = 500;

const WAYS = ['useResilientSSE', 'fetch-event-source'];
const event = (n) =>
  `data: ${JSON.stringify({ id: n, table: n % 40, state: 'on its way', isLast: n === EVENTS - 1 })}\n\n`;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** How a stream writes its events. */
const arrivals = {
  'at once': (body) => body.write(Array.from({ length: EVENTS }, (_, n) => event(n)).join('')),
  async 'one by one'(body) {
    const begun = performance.now();
    for (let n = 0; n < EVENTS; n++) {
      const due = begun + (n * SPREAD_MS) / EVENTS;
      while (performance.now() < due) await wait(1);
      await body.write(event(n));
    }
  },
};

/** A page that runs benches/react/`name`.jsx with the package as apps get it, bundled for production. */
async function open(browser, owner, name, { beforeLoad } = {}) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(root, `benches/react/${name}.jsx`)],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { evenkeel: join(root, 'pkg') },
    logLevel: 'warning',
  });
  const server = await startFaultServer();
  owner.after(() => server.close());
  server.page('/pkg/app.js', outputFiles[0].text, { 'Content-Type': 'text/javascript' });
  const html = '<script type="module" src="/pkg/app.js"></script>';
  return { server, page: await openPage(owner, { browser, server, html, beforeLoad }) };
}

/** What one component did with one stream. */
async function shown({ page, devtools }, way) {
  const before = await mainThreadMs(devtools);
  const { renders, heard, lateMs } = await run(page, (way) => window.show(way), way);
  if (heard !== EVENTS) throw new Error(`${way} heard ${heard} of ${EVENTS} events`);
  return { renders, lateMs, busyMs: (await mainThreadMs(devtools)) - before };
}

async function mainThreadMs(devtools) {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration').value * 1_000;
}

async function printRenders(browser, owner) {
  const { server, page } = await open(browser, owner, 'last-event');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  await run(page, () => window.ready);
  for (const [arrival, write] of Object.entries(arrivals)) {
    server.on('/api/events', {
      headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
      stallAfterBytes: Infinity,
      async stream(body) {
        await body.write(':\n'); // with a blank line after it, fetch-event-source makes an event of it
        await wait(QUIET_MS);
        await write(body);
      },
    });
    const did = await rounds(WAYS, ROUNDS, (way) => shown({ page, devtools }, way));
    const middle = (way, what) => median(did[way].map((one) => one[what]));
    const [hook, hand] = WAYS.map((way) => middle(way, 'renders'));
    console.log(
      `\n${EVENTS.toLocaleString('en')} events ${arrival}: × ${(hand / hook).toFixed(2)} renders by hand`,
    );
    console.log(row('', 'renders', 'min–max', 'main thread, ms', 'last seen, ms'));
    for (const way of WAYS) {
      const renders = did[way].map((one) => one.renders);
      console.log(
        row(
          way,
          String(middle(way, 'renders')),
          `${Math.min(...renders)}–${Math.max(...renders)}`,
          middle(way, 'busyMs').toFixed(0),
          middle(way, 'lateMs').toFixed(1),
        ),
      );
    }
  }
}

async function printMounts(browser, owner) {
  const { server, page } = await open(browser, owner, 'mounts', { beforeLoad: counting });
  server.drafts = openDrafts({ trusting: true });
  server.on('/api/events', SAYING);
  await until(async () => (await page.locator('output').textContent()) === 'running');
  await churn(page, WARM_UP);
  console.log(
    `\n${MOUNTS.toLocaleString('en')} mounts and unmounts of the three hooks, after ${WARM_UP} of them`,
  );
  console.log(
    row('', 'heap, kB', 'wasm, kB', 'listeners', 'nodes', 'timers', 'channels', 'locks', 'streams'),
  );
  for (let look = 0; look <= LOOKS; look++) {
    if (look > 0) await churn(page, MOUNTS / LOOKS);
    const { heap, wasm, listeners, nodes, timers, channels, locks, streams } = await holdings(page, server);
    const kB = [heap, wasm].map((bytes) => (bytes / 1_000).toFixed(0));
    const counts = [listeners, nodes, timers, channels, locks, streams].map(String);
    console.log(row(((MOUNTS / LOOKS) * look).toLocaleString('en'), ...kB, ...counts));
  }
}

const closing = [];
const owner = { after: (close) => closing.unshift(close) };
try {
  printSetting('react', '@microsoft/fetch-event-source', 'playwright-core');
  console.log(
    `a component that shows the last event, React in production; at once: written as one piece; one by one: in ${SPREAD_MS / 1_000} s, a piece each;`,
  );
  console.log(
    `from the last event, as the app hears it, to the frame that shows it; medians of ${ROUNDS} in rotating order`,
  );
  const browser = await launchBrowser(owner);
  await printRenders(browser, owner);
  await printMounts(browser, owner);
} finally {
  for (const close of closing) await close();
}
