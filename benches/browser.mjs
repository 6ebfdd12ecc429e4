// Opens pages in headless Chromium without a driver, and reads what they report.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { root, virtualModules } from '../pkg-template/build.mjs';

const PART_MS_MAX = 300_000;

const chromium = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env.PATH ?? '').split(':').map((folder) => join(folder, name)))
  .find((path) => existsSync(path));
if (!chromium) throw new Error('Chromium is not on PATH: .ci/setup installs it');

/** Bundles benches/`name`.mjs with the peers that it imports; what the server has under /pkg/ and /ky/ is left to it. */
export async function bundle(name) {
  const outfile = join(root, 'target/bench', `${name}.mjs`);
  await esbuild.build({
    entryPoints: [join(root, 'benches', `${name}.mjs`)],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['/pkg/*', '/ky/*'],
    plugins: [virtualModules],
    logLevel: 'warning',
  });
  return outfile;
}

/** The server and pages that run the module benches/`name`.mjs. */
export async function openPages(name) {
  await bundle(name);
  const server = spawn(process.execPath, [fileURLToPath(new URL('server.mjs', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const { value: address } = await lines.next();

  return {
    /** Opens the page in a browser of its own, `pages` times one after another, and waits for its reports. */
    async measure(part, { pages = 1, flags = [] } = {}) {
      const profile = mkdtempSync(join(tmpdir(), 'evenkeel-bench-'));
      const browser = spawn(
        chromium,
        [
          '--headless=new',
          '--no-sandbox',
          '--disable-dev-shm-usage',
          '--disable-background-networking',
          '--no-first-run',
          ...flags,
          `--user-data-dir=${profile}`,
          `${address}/${name}?part=${encodeURIComponent(part)}&page=1&pages=${pages}`,
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
    },
    close: () => server.kill(),
  };
}

/** Prints the day, the machine, and which versions are compared. */
export function printSetting(...peers) {
  const version = execFileSync(chromium, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const versions = peers.map((name) => {
    const manifest = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
    return `${name} ${JSON.parse(manifest).version}`;
  });
  console.log(`${new Date().toISOString().slice(0, 10)}, ${String(version).trim()}, headless`);
  console.log(
    `${cpus().length} × ${cpus()[0].model}, load ${loadavg()[0].toFixed(1)}; ${versions.join(', ')}`,
  );
}

/** One line of a table. */
export const row = (name, ...columns) =>
  name.padEnd(24) + columns.map((column) => column.padStart(16)).join('');
