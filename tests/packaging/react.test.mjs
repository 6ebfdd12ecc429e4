import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build, transform } from 'esbuild';
import { launchBrowser } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';
import { installApp } from './install.mjs';
import { assertPlan, servePlan } from './plan.mjs';

const browser = await launchBrowser({ after });

/** @type {string} */
let app;
before(async () => {
  app = await installApp({ after }, 'node', 'src');
});

test('a page without a bundler finds the hooks by an import map', async (t) => {
  const server = await servePage(t, {
    script: `show({ config: ${CONFIG} });`,
  });
  await assertPlan(t, browser, `${server.origin}/`);
});

test('on a page that may not fetch a .wasm the hooks use a client of the inline entry', async (t) => {
  const server = await servePage(t, {
    script: `
      import { createStability } from 'evenkeel/inline';
      show({ client: createStability(${CONFIG}) });`,
    policy: (origin) =>
      `default-src 'none'; img-src data:; script-src 'self' 'nonce-map' 'wasm-unsafe-eval'; connect-src ${origin}/api/`,
  });
  await assertPlan(t, browser, `${server.origin}/`);
  assert.equal(server.requestsTo(/\.wasm/).length, 0);
});

const CONFIG = '{ session: {}, drafts: { debounceMs: 50 } }';
const IMPORTS = {
  evenkeel: '/vendor/evenkeel/index.js',
  'evenkeel/inline': '/vendor/evenkeel/inline.js',
  'evenkeel/react': '/vendor/evenkeel/react.js',
  react: '/vendor/react/react.js',
  'react/jsx-runtime': '/vendor/react/jsx-runtime.js',
  'react-dom/client': '/vendor/react/react-dom.js',
};

/**
 * A page as somebody writes it by hand, with an import map. Its script shows the app of three hooks.
 * @param {import('node:test').TestContext} t
 * @param {{ script: string, policy?: (origin: string) => string }} page
 */
async function servePage(t, { script, policy }) {
  const server = await startFaultServer();
  t.after(() => server.close());
  servePlan(server);
  server.serve('/vendor/evenkeel/', join(app, 'node_modules', 'evenkeel'));
  for (const { path, text } of await reactModules()) server.page(path, text, SCRIPT);
  const { code } = await transform(await readFile(join(app, 'src', 'plan.jsx'), 'utf8'), {
    loader: 'jsx',
    jsx: 'automatic',
  });
  server.page('/plan.js', code, SCRIPT);
  server.page(
    '/main.js',
    `import { createElement } from 'react';
    import { createRoot } from 'react-dom/client';
    import { PlanApp } from './plan.js';
    const show = (props) => createRoot(document.querySelector('#root')).render(createElement(PlanApp, props));
    ${script}`,
    SCRIPT,
  );
  server.page(
    '/',
    `<!doctype html><link rel="icon" href="data:,"><div id="root"></div>
    <script type="importmap" nonce="map">${JSON.stringify({ imports: IMPORTS })}</script>
    <script type="module" src="/main.js"></script>`,
    policy ? { 'Content-Security-Policy': policy(server.origin) } : {},
  );
  return server;
}

const SCRIPT = { 'Content-Type': 'text/javascript' };

/** React as modules for browsers: it has none itself, and sites that make some do it like this. */
async function reactModules() {
  const require = createRequire(import.meta.url);
  const { outputFiles } = await build({
    entryPoints: {
      react: 'to:react',
      'jsx-runtime': 'to:react/jsx-runtime',
      'react-dom': 'to:react-dom/client',
    },
    outdir: '/vendor/react',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    define: { 'process.env.NODE_ENV': '"production"' },
    plugins: [
      {
        name: 'named exports',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^to:/ }, ({ path }) => ({ path: path.slice('to:'.length), namespace: 'to' }));
          onLoad({ filter: /./, namespace: 'to' }, ({ path }) => ({
            contents: `import all from '${path}'; export const { ${Object.keys(require(path))} } = all;`,
            resolveDir: import.meta.dirname,
          }));
        },
      },
    ],
  });
  return outputFiles;
}
