import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const tests = fileURLToPath(new URL('../', import.meta.url));
const FILES = ['package.json', 'package-lock.json'];

/** @type {Map<string, Promise<string>>} */
const installed = new Map();

/**
 * What the tests of a folder run beside, as its fixtures/package.json names it, installed once for each lock file.
 * @param {string} name of the folder
 * @returns {Promise<string>} the folder that has it in node_modules/
 */
export function installPeers(name) {
  if (!installed.has(name)) installed.set(name, install(name));
  return /** @type {Promise<string>} */ (installed.get(name));
}

/** @param {string} name */
async function install(name) {
  const fixtures = join(tests, name, 'fixtures');
  const work = join(tests, '.tmp', name);
  const key = createHash('sha256');
  for (const file of FILES) key.update(await readFile(join(fixtures, file)));
  const folder = join(work, key.digest('hex').slice(0, 12));
  if (existsSync(folder)) return folder;

  await mkdir(work, { recursive: true });
  const earlier = await readdir(work);
  const fresh = await mkdtemp(join(work, 'new-'));
  try {
    for (const file of FILES) await copyFile(join(fixtures, file), join(fresh, file));
    // What is left out are native parts, as those of Next, which only its builds need.
    const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
    await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--omit=optional', ...quiet], { cwd: fresh });
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true });
    // A folder that is there is whole, since it came in one step: another run was quicker.
    if (!existsSync(folder)) throw error;
  }
  for (const entry of earlier.filter((entry) => /^[0-9a-f]{12}$/.test(entry))) {
    await rm(join(work, entry), { recursive: true, force: true });
  }
  return folder;
}
