import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

/**
 * The demo's page, bundled as an app's would be.
 *
 *     node examples/storm/build.mjs [--to target/storm] [--development]
 */
const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const pkg = file('../../pkg/');

/** @param {string} folder where the page goes @param {{ isDevelopment?: boolean }} [options] as during work on it: React and evenkeel say more */
export async function buildPage(folder, { isDevelopment = false } = {}) {
  await mkdir(folder, { recursive: true });
  await Promise.all([
    build({
      entryPoints: [file('page/main.jsx')],
      outdir: folder,
      bundle: true,
      format: 'esm',
      target: 'es2022',
      jsx: 'automatic',
      jsxDev: isDevelopment,
      minify: !isDevelopment,
      define: { 'process.env.NODE_ENV': isDevelopment ? '"development"' : '"production"' },
      // As npm would install it.
      alias: { evenkeel: `${pkg}index.js`, 'evenkeel/react': `${pkg}react.js` },
      logLevel: 'warning',
    }),
    copyFile(`${pkg}evenkeel_bg.wasm`, `${folder}/evenkeel_bg.wasm`),
    ...['index.html', 'icon.svg'].map((name) => copyFile(file(`page/${name}`), `${folder}/${name}`)),
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      to: { type: 'string', default: file('../../target/storm') },
      development: { type: 'boolean' },
    },
  });
  await buildPage(values.to, { isDevelopment: values.development });
}
