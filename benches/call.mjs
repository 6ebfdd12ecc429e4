// Times evenkeel beside raw fetch and ky in headless Chromium; `make bench` calls it. Figures go to stdout only.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { root } from '../pkg-template/build.mjs';

const START_PAGES = 20;
const PART_MS_MAX = 300_000;

const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(':').map((folder) => join(folder, name)))
  .find((path) => existsSync(path));
if (!chromium) throw new Error('Chromium is not on PATH: .ci/setup installs it');

const server = spawn(process.execPath, [fileURLToPath(new URL('server.mjs', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
const { value: address } = await lines.next();

/** Opens the page in a browser of its own, without a driver, and waits for its reports. */
async function measure(part, pages = 1) {
  const profile = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
  const browser = spawn(
    chromium,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--no-first-run',
      `--user-data-dir=${profile}`,
      `${address}/?part=${part}&page=1&pages=${pages}`,
    ],
    { stdio: 'ignore', detached: true },
  );
  const gaveUp = setTimeout(() => {
    console.error(`${part}: no report within ${PART_MS_MAX / 1000} s`);
    server.kill();
  }, PART_MS_MAX);
  try {
    const reports = [];
    while (reports.length < pages) {
      const { value, done } = await lines.next();
      if (done) throw new Error('the server ended');
      const report = JSON.parse(value);
      if (report.error) throw new Error(`${part}: ${report.error}`);
      reports.push(report);
    }
    return reports;
  } finally {
    clearTimeout(gaveUp);
    const closed = new Promise((done) => browser.once('exit', done));
    // Its helpers are in its group.
    process.kill(-browser.pid);
    await closed;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function table(title, part) {
  const [{ took }] = await measure(part);
  const raw = median(took['raw fetch']);
  console.log(`\n${title}`);
  console.log(row('', 'µs a call', 'min–max', 'added µs', 'ratio'));
  for (const [name, times] of Object.entries(took)) {
    const middle = median(times);
    const range = `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`;
    console.log(row(name, middle.toFixed(1), range, (middle - raw).toFixed(1), (middle / raw).toFixed(2)));
  }
}

const row = (name, ...columns) => name.padEnd(12) + columns.map((column) => column.padStart(16)).join('');

try {
  const version = execFileSync(chromium, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const { version: ky } = JSON.parse(readFileSync(join(root, 'node_modules/ky/package.json'), 'utf8'));
  console.log(`${new Date().toISOString().slice(0, 10)}, ${String(version).trim()}, headless`);
  console.log(`${cpus().length} × ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)}; ky ${ky}`);
  console.log('evenkeel with its defaults, but rateLimit: false; medians of 7 rounds in rotating order');

  await table('A call, where fetch answers at once: rounds of 2,000', 'call');
  await table('Loopback, HTTP/1.1, one after another: rounds of 300', 'sequence');
  await table('Loopback, HTTP/1.1, 50 at once: rounds of 300', 'atOnce');

  const times = (await measure('start', START_PAGES)).map(({ ms }) => ms);
  console.log(`\nFrom import to ready on loopback, ${START_PAGES} fresh pages, nothing cached`);
  const range = `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`;
  console.log(`median ${median(times).toFixed(1)} ms (${range})`);
} finally {
  server.kill();
}
