import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchBrowser } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';
import { assertHello } from './hello.mjs';
import { installApp } from './install.mjs';
import { build, serve } from './serve.mjs';

const browser = await launchBrowser({ after });
const backend = await startFaultServer();
after(() => backend.close());
backend.on('/api/hello', { body: { hello: 'world' } });
const env = { API_ORIGIN: backend.origin };
const host = ['--host', '127.0.0.1', '--strictPort'];

/** @type {string} */
let app;
before(async () => {
  app = await installApp({ after }, 'vite');
});

test('Vite serves it in development', async (t) => {
  const origin = await serve(t, app, 'dev', host, env);
  await assertHello(t, browser, origin);
  await assertHello(t, browser, `${origin}/explicit.html`);
});

test('Vite builds it, with the .wasm beside the scripts', async (t) => {
  await build(app, 'build', [], env);
  const origin = await serve(t, app, 'preview', host, env);
  const { fetched } = await assertHello(t, browser, origin);
  assert.equal(fetched.filter((url) => /\/assets\/[^/]+\.wasm$/.test(url)).length, 1, fetched.join('\n'));
  await assertHello(t, browser, `${origin}/explicit.html`);
});

test('Vite builds it for a CDN: scripts and .wasm come from another origin and path', async (t) => {
  const cdn = await startFaultServer({ cors: { origin: '*', credentials: false } });
  t.after(() => cdn.close());
  await build(app, 'build', ['--base', `${cdn.origin}/static/v1/`, '--outDir', 'dist-cdn'], env);
  cdn.serve('/static/v1/', join(app, 'dist-cdn'));
  backend.serve('/', join(app, 'dist-cdn'));
  const { fetched } = await assertHello(t, browser, `${backend.origin}/index.html`);
  assert.deepEqual(
    fetched.filter((url) => url.endsWith('.wasm')).map((url) => new URL(url).origin),
    [cdn.origin],
  );
  assert.equal(cdn.requestsTo(/\.wasm$/).length, 1);
});
