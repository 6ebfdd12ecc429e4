import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { installPeers } from '../harness/peers.mjs';

/**
 * @typedef {18 | 19} Generation of React
 * @typedef {{ app: string, react: Generation, production: boolean }} What `app`: a file under apps/, without its ending
 * @typedef {{ render(component: string, props: object, strict: boolean): Promise<string>, said: string[], evenkeel: any }} Renderer
 *   `said`: its warnings and errors
 */

const here = fileURLToPath(new URL('.', import.meta.url));
const pkg = fileURLToPath(new URL('../../pkg/', import.meta.url));

/** @type {Map<string, Promise<string>>} */
const bundles = new Map();
let rendered = 0;

/** The script of a page: exports `begin`, see page.jsx. @param {What} what */
export const pageScript = (what) => bundle(what, 'page');

/**
 * The app as a server of its own has it: its modules are run anew.
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {What} what
 * @returns {Promise<Renderer>}
 */
export async function createRenderer(owner, what) {
  const folder = await mkdtemp(join(tmpdir(), 'react-server-'));
  owner.after(() => rm(folder, { recursive: true }));
  const file = join(folder, `server-${++rendered}.mjs`);
  await writeFile(file, await bundle(what, 'server'));
  return import(pathToFileURL(file).href);
}

/** @param {What} what @param {'page' | 'server'} side */
function bundle(what, side) {
  const key = JSON.stringify({ ...what, side });
  if (!bundles.has(key)) bundles.set(key, make(what, side));
  return /** @type {Promise<string>} */ (bundles.get(key));
}

/** @param {What} what @param {'page' | 'server'} side */
async function make({ app, react, production }, side) {
  const peers = join(await installPeers('react'), 'node_modules');
  const version = react === 18 ? '-18' : '';
  const { outputFiles } = await build({
    stdin: { contents: ENTRIES[side](app), resolveDir: here, loader: 'jsx' },
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': production ? '"production"' : '"development"' },
    // One of each for all that is bundled, whoever imports it.
    alias: {
      react: join(peers, `react${version}`),
      'react-dom': join(peers, `react-dom${version}`),
      evenkeel: pkg,
    },
    nodePaths: [peers],
    logLevel: 'warning',
    ...(side === 'server' && {
      platform: 'node',
      banner: { js: SERVER_HEAD },
      footer: { js: 'export { said };' },
    }),
  });
  return outputFiles[0].text;
}

const ENTRIES = {
  page: (/** @type {string} */ app) => `
    import * as components from './apps/${app}.jsx';
    import { start } from './page.jsx';
    export const begin = (how) => start(components, how);`,
  server: (/** @type {string} */ app) => `
    import * as components from './apps/${app}.jsx';
    import { toHtml } from './server.jsx';
    export const render = (component, props, strict) => toHtml(components[component], props, strict);
    export * as evenkeel from 'evenkeel';`,
};

/** React for Node.js asks for its modules by `require`, and warns on the console. */
const SERVER_HEAD = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const said = [];
const note = (...words) => said.push(words.map(String).join(' '));
const console = { ...globalThis.console, warn: note, error: note };
`;
