import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tarball } from '../packaging/tarball.mjs';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const work = fileURLToPath(new URL('../.tmp/deploy/', import.meta.url));
const run = promisify(execFile);
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
const BUILD_WITHIN_MS = 240_000;

/** How each fixture is built, and where that leaves it. @type {Record<string, { tool: string, args: string[], made: string }>} */
const TOOLS = {
  vite: { tool: 'vite', args: ['build'], made: 'dist' },
  react: { tool: 'vite', args: ['build'], made: 'dist' },
  webpack: { tool: 'webpack', args: ['--mode', 'production'], made: 'dist' },
  next: { tool: 'next', args: ['build'], made: 'out' },
};

/**
 * A fixture as an app of its own, with the packed package installed, built as two versions.
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {string} name of the folder under fixtures/
 * @returns {Promise<Record<string, string>>} the folder of each version
 */
export async function buildVersions(owner, name) {
  const app = await installApp(owner, name);
  const { tool, args, made } = TOOLS[name];
  /** @type {Record<string, string>} */
  const builds = {};
  for (const version of ['v1', 'v2']) {
    const env = { ...process.env, APP_VERSION: version, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' };
    const command = join(app, '../../node_modules/.bin', tool);
    await run(command, args, { cwd: app, env, timeout: BUILD_WITHIN_MS }).catch((error) => {
      throw new Error(`${tool} failed: ${error.message}\n${error.stdout}`);
    });
    builds[version] = join(app, version);
    await rename(join(app, made), builds[version]);
  }
  return builds;
}

/**
 * What all fixtures depend on is installed once for each lock file and kept, in a folder above the app; everything else is new on each call.
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {string} name
 * @returns {Promise<string>} the app's folder
 */
async function installApp(owner, name) {
  const folder = await mkdtemp(join(await dependencies(), 'run-'));
  owner.after(() => rm(folder, { recursive: true }));
  const app = join(folder, name);
  await cp(join(fixtures, name), app, { recursive: true });
  const installed = join(app, 'node_modules', 'evenkeel');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', await tarball(), '--strip-components=1', '-C', installed]);
  return app;
}

/** @returns {Promise<string>} the folder that holds node_modules */
async function dependencies() {
  const files = ['package.json', 'package-lock.json'].map((file) => join(fixtures, file));
  const key = createHash('sha256');
  for (const file of files) key.update(await readFile(file));
  const folder = join(work, key.digest('hex').slice(0, 12));
  await mkdir(work, { recursive: true });
  const earlier = (await readdir(work)).filter((entry) => /^[0-9a-f]{12}$/.test(entry));
  if (earlier.includes(basename(folder))) return folder;

  const made = await mkdtemp(join(work, 'install-'));
  for (const file of files) await cp(file, join(made, file.slice(fixtures.length)));
  await run('npm', ['ci', ...QUIET], { cwd: made });
  // Another run may have been faster.
  await rename(made, folder).catch(() => rm(made, { recursive: true }));
  for (const entry of earlier) await rm(join(work, entry), { recursive: true, force: true });
  return folder;
}
