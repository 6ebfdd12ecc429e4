import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from '../harness/until.mjs';
import { tarball, work } from './tarball.mjs';

const fixtures = fileURLToPath(new URL('fixtures/', import.meta.url));
const run = promisify(execFile);
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
const TURN_WITHIN_MS = 600_000;

/**
 * A fixture as an app of its own, with the packed package installed. What it depends on is installed once for each lock file and
 * kept; everything else is new on each call, bundlers' caches too.
 * @param {import('node:test').TestContext | { after: (close: () => Promise<void>) => void }} owner
 * @param {string} name of the folder under fixtures/
 * @param {string} [sharedIn] the folder of the app that gets what apps share, fixtures/shared/
 * @returns {Promise<string>} the app's folder
 */
export async function installApp(owner, name, sharedIn) {
  const fixture = join(fixtures, name);
  const key = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json']) key.update(await readFile(join(fixture, file)));
  const app = join(work, `${name}-${key.digest('hex').slice(0, 12)}`);
  await takeTurn(owner, app);

  await mkdir(app, { recursive: true });
  for (const entry of await readdir(app)) {
    if (entry !== 'node_modules') await rm(join(app, entry), { recursive: true });
  }
  await cp(fixture, app, { recursive: true });
  if (sharedIn) await cp(join(fixtures, 'shared'), join(app, sharedIn), { recursive: true });
  if (!existsSync(join(app, 'node_modules', '.complete'))) {
    await run('npm', ['ci', ...QUIET], { cwd: app });
    await mkdir(join(app, 'node_modules'), { recursive: true }); // there is none where nothing is depended on
    await writeFile(join(app, 'node_modules', '.complete'), '');
    await forget(name, app);
  }
  for (const stale of ['.vite', '.cache', 'evenkeel']) {
    await rm(join(app, 'node_modules', stale), { recursive: true, force: true });
  }
  await run('npm', ['install', '--no-save', ...QUIET, await tarball()], { cwd: app });
  return app;
}

/** What an earlier lock file had installed. @param {string} name @param {string} app */
async function forget(name, app) {
  const earlier = (await readdir(work)).filter((entry) => new RegExp(`^${name}-[0-9a-f]{12}$`).test(entry));
  for (const entry of earlier) {
    if (join(work, entry) !== app) await rm(join(work, entry), { recursive: true, force: true });
  }
}

/** Two runs in one clone take turns. @param {{ after: (close: () => Promise<void>) => void }} owner @param {string} app */
async function takeTurn(owner, app) {
  const lock = `${app}.lock`;
  await mkdir(work, { recursive: true });
  await until(async () => {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      return true;
    } catch {
      const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
      if (holder && !isAlive(holder)) await rm(lock, { force: true });
      return false;
    }
  }, TURN_WITHIN_MS);
  owner.after(() => rm(lock, { force: true }));
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
