// Bundles tests that import js/*.ts for `node --test`: one module each in target/unit, with the glue that ships.
import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as esbuild from 'esbuild';
import { root, virtualModules } from '../pkg-template/build.mjs';

/** Returns the bundled files. */
export async function bundleTests(sources) {
  const outdir = join(root, 'target/unit');
  rmSync(outdir, { recursive: true, force: true });
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: sources,
    outdir,
    outExtension: { '.js': '.mjs' },
    entryNames: '[name]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    packages: 'external',
    sourcemap: 'inline',
    plugins: [virtualModules],
    logLevel: 'warning',
  });
  return sources.map((source) => join(outdir, basename(source).replace(/\.tsx?$/, '.mjs')));
}
