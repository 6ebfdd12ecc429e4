import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const pkg = fileURLToPath(new URL('../../pkg/', import.meta.url));
export const work = fileURLToPath(new URL('../.tmp/packaging/', import.meta.url));

/** Another run may be installing one. */
const KEPT_MS = 3_600_000;

const run = promisify(execFile);

/** @type {Promise<string> | undefined} */
let packed;

/**
 * The package as npm would publish it. Its name holds a hash of its contents, so that npm never takes an earlier one for it.
 * @returns {Promise<string>} the path of the .tgz
 */
export function tarball() {
  packed ??= pack();
  return packed;
}

async function pack() {
  if (!existsSync(join(pkg, 'package.json')))
    throw new Error('there is no pkg/ to test: run `make package` first');
  await mkdir(work, { recursive: true });
  const folder = await mkdtemp(join(work, 'pack-'));
  try {
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: pkg });
    const made = join(folder, JSON.parse(stdout)[0].filename);
    const hash = createHash('sha256')
      .update(await readFile(made))
      .digest('hex')
      .slice(0, 12);
    const path = join(work, `evenkeel-${hash}.tgz`);
    await rename(made, path);
    await forgetEarlier();
    return path;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function forgetEarlier() {
  for (const name of (await readdir(work)).filter((entry) => entry.endsWith('.tgz'))) {
    const { mtimeMs } = await stat(join(work, name)).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > KEPT_MS) await rm(join(work, name), { force: true });
  }
}
