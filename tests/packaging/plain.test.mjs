import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchBrowser, watch } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';
import { assertHello } from './hello.mjs';
import { installApp } from './install.mjs';

const browser = await launchBrowser({ after });

/** @type {string} */
let installed;
before(async () => {
  installed = join(await installApp({ after }, 'node'), 'node_modules', 'evenkeel');
});

/** @param {import('node:test').TestContext} t */
async function serve(t) {
  const server = await startFaultServer();
  t.after(() => server.close());
  server.serve('/vendor/evenkeel/', installed);
  server.on('/api/hello', { body: { hello: 'world' } });
  return server;
}

/**
 * A page as somebody writes it by hand, its script in a file of its own.
 * @param {import('../server/fault-server.mjs').FaultServer} server
 * @param {{ entry?: string, config?: string, headers?: Record<string, string> }} options
 */
function writePage(server, { entry = 'index.js', config = '{}', headers = {} }) {
  const script = `
    import { createStability } from '/vendor/evenkeel/${entry}';
    const app = createStability(${config});
    const ready = await app.ready.then(() => true, (error) => error.kind);
    const { ok, data, error } = await app.api.get('/api/hello');
    const { status } = app.runtime.getSnapshot();
    document.querySelector('#result').textContent = JSON.stringify({ ready, status, ok, data, error });`;
  server.page('/main.js', script, { 'Content-Type': 'text/javascript' });
  const html =
    '<!doctype html><link rel="icon" href="data:,"><pre id="result"></pre><script type="module" src="/main.js"></script>';
  server.page('/', html, headers);
  return `${server.origin}/`;
}

test('a page without a bundler loads it as it stands in the package', async (t) => {
  const server = await serve(t);
  await assertHello(t, browser, writePage(server, {}));
  assert.equal(server.requestsTo('/vendor/evenkeel/evenkeel_bg.wasm').length, 1);
});

test("the option 'wasm' takes the module from elsewhere, as text, URL, response or bytes", async (t) => {
  const server = await serve(t);
  server.on('/vendor/evenkeel/evenkeel_bg.wasm', 404);
  server.serve('/cdn/v1/', installed);
  for (const wasm of [
    `'/cdn/v1/evenkeel_bg.wasm'`,
    `new URL('/cdn/v1/evenkeel_bg.wasm', location.href)`,
    `fetch('/cdn/v1/evenkeel_bg.wasm')`,
    `await (await fetch('/cdn/v1/evenkeel_bg.wasm')).arrayBuffer()`,
    `await WebAssembly.compileStreaming(fetch('/cdn/v1/evenkeel_bg.wasm'))`,
  ]) {
    await assertHello(t, browser, writePage(server, { config: `{ wasm: ${wasm} }` }));
  }
  assert.equal(server.requestsTo('/vendor/evenkeel/evenkeel_bg.wasm').length, 0);
});

test('a server that calls the .wasm something else does not keep it from starting', async (t) => {
  const server = await serve(t);
  server.on('/vendor/evenkeel/evenkeel_bg.wasm', {
    pass: true,
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  const { status, ready } = await shown(t, writePage(server, {}));
  assert.deepEqual([status, ready], ['running', true]);
});

/** A policy under which a page may run WebAssembly, or not, and fetch nothing but its API. @param {string} origin @param {string} scripts */
const policy = (origin, scripts) => ({
  'Content-Security-Policy': `default-src 'none'; img-src data:; script-src ${scripts}; connect-src ${origin}/api/`,
});

test('the inline entry runs on a page that may not fetch a .wasm', async (t) => {
  const server = await serve(t);
  const headers = policy(server.origin, "'self' 'wasm-unsafe-eval'");
  await assertHello(t, browser, writePage(server, { entry: 'inline.js', headers }));
  assert.equal(server.requestsTo(/\.wasm/).length, 0);
});

test('on a page that may not run WebAssembly, or not fetch it, calls are still answered', async (t) => {
  const server = await serve(t);
  for (const [entry, scripts] of [
    ['index.js', "'self' 'wasm-unsafe-eval'"],
    ['index.js', "'self'"],
    ['inline.js', "'self'"],
  ]) {
    const result = await shown(t, writePage(server, { entry, headers: policy(server.origin, scripts) }));
    assert.deepEqual(
      result,
      { ready: 'runtime', status: 'failed', ok: true, data: { hello: 'world' }, error: null },
      `${entry} ${scripts}`,
    );
  }
});

/** What a page shows, and that nothing in it went uncaught. @param {import('node:test').TestContext} t @param {string} url */
async function shown(t, url) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = watch(await context.newPage());
  await page.goto(url);
  const result = page.locator('#result', { hasText: '{' });
  await result.waitFor({ timeout: 20_000 });
  assert.deepEqual(
    page.problems.filter(({ type }) => type === 'uncaught'),
    [],
  );
  return JSON.parse((await result.textContent()) ?? '');
}
