/**
 * Compiles an example of a README as an app would, and runs it in a page.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { until, watch } from '../harness/browser.mjs';
import { installPeers } from '../harness/peers.mjs';
import { startFaultServer } from '../server/fault-server.mjs';

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {import('../server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../harness/page.mjs').WatchedPage} WatchedPage
 *
 * @typedef {{ page: WatchedPage, server: FaultServer, said: () => string[] }} Shown `said`: what the page wrote to the console
 *
 * @typedef {object} Expectation What an example does, and what it needs around it.
 * @property {(shown: Shown) => unknown} check what it says of itself
 * @property {string} [main] the script that shows what it exports, in JSX; an example that exports nothing is the script itself
 * @property {Record<string, string>} [files] that the app has already
 * @property {(server: FaultServer) => unknown} [serve] what its server answers
 * @property {(page: WatchedPage) => unknown} [beforeLoad]
 * @property {(folder: string) => Promise<string>} [html] the page's first paint, where a server renders it
 */

const root = fileURLToPath(new URL('../../', import.meta.url));
const pkg = join(root, 'pkg');
const work = join(root, 'tests/.tmp');

/** A folder with these files, until the test ends. @param {TestContext} t @param {Record<string, string>} files */
export async function writeFiles(t, files) {
  await mkdir(work, { recursive: true });
  // Below the workspace, whose node_modules have React and its types.
  const folder = await mkdtemp(join(work, 'readme-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

/** What the compiler has to say of a folder, strictly. @param {string} folder @returns {Promise<string>} */
export async function compile(folder) {
  const peers = join(await installPeers('react'), 'node_modules');
  const compilerOptions = {
    strict: true,
    noEmit: true,
    noUnusedLocals: true,
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    jsx: 'react-jsx',
    skipLibCheck: true,
    types: [],
    paths: {
      evenkeel: [join(pkg, 'index.d.ts')],
      'evenkeel/react': [join(pkg, 'react.d.ts')],
      ...Object.fromEntries(
        ['@tanstack/react-query', 'swr', 'openapi-fetch', 'react-hook-form'].map((name) => [
          name,
          [join(peers, name)],
        ]),
      ),
    },
  };
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['**/*.ts', '**/*.tsx'] }),
  );
  return promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder, '--pretty', 'false']).then(
    () => '',
    (error) => error.stdout || String(error),
  );
}

/** One file with all that the entry imports. @param {string} entry @param {'browser' | 'node'} platform */
export async function bundle(entry, platform = 'browser') {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    platform,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    alias: {
      evenkeel: pkg,
      react: join(root, 'node_modules/react'),
      'react-dom': join(root, 'node_modules/react-dom'),
    },
    nodePaths: [join(await installPeers('react'), 'node_modules')],
    logLevel: 'warning',
    ...(platform === 'node' && { banner: { js: REQUIRE } }),
  });
  return outputFiles[0].text;
}

/** React for Node.js asks for its modules so. */
const REQUIRE = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;
const HTML =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>evenkeel</title><link rel="icon" href="data:,"><body><div id="root"></div><script type="module" src="/pkg/app.js"></script></body></html>';

/**
 * A page with the example on a fault server of its own.
 * @param {TestContext} t
 * @param {import('playwright-core').Browser} browser
 * @param {string} folder
 * @param {string} entry of the folder's files
 * @param {Expectation} expected
 * @returns {Promise<Shown>}
 */
export async function open(t, browser, folder, entry, { serve, beforeLoad, html }) {
  const server = await startFaultServer();
  t.after(() => server.close());
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = watch(await context.newPage());

  server.serve('/pkg/', pkg); // the module lies beside the script
  server.page('/pkg/app.js', await bundle(join(folder, entry)), { 'Content-Type': 'text/javascript' });
  server.page('/', html ? await html(folder) : HTML);
  await serve?.(server);
  await beforeLoad?.(page);
  await page.goto(server.origin);
  return { page, server, said: () => page.messages.map(({ text }) => text) };
}

/**
 * The network is back again and again, which makes the page ask for its version, until it has found what is looked for.
 * @param {WatchedPage} page
 * @param {() => unknown} found
 */
export const askAgain = (page, found) =>
  until(async () => {
    await page.evaluate(`dispatchEvent(new Event('online'))`);
    await wait(500);
    return found();
  }, 20_000);
