import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { launchBrowser } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';
import { assertHello } from './hello.mjs';
import { installApp } from './install.mjs';
import { assertPlan, servePlan } from './plan.mjs';
import { build, serve } from './serve.mjs';

const browser = await launchBrowser({ after });
const backend = await startFaultServer();
after(() => backend.close());
backend.on('/api/hello', { body: { hello: 'world' } });
servePlan(backend);
const env = { API_ORIGIN: backend.origin };
const EXITED_WITHIN_MS = 20_000;
const host = ['--host', '127.0.0.1', '--strictPort'];

/** @type {string} */
let app;
before(async () => {
  app = await installApp({ after }, 'vite', 'src');
});

test('Vite serves it in development', async (t) => {
  const origin = await serve(t, app, 'dev', host, env);
  await assertHello(t, browser, origin);
  await assertHello(t, browser, `${origin}/explicit.html`);
  await assertPlan(t, browser, `${origin}/react.html`);
});

test('Vite builds it, with the .wasm beside the scripts', async (t) => {
  const said = await build(app, 'build', [], env);
  // Of 'use client', which frameworks need and React's plugin for Vite says nothing about.
  assert.deepEqual(said.match(/\[[A-Z_]{5,}\]/g), ['[MODULE_LEVEL_DIRECTIVE]'], said);
  const origin = await serve(t, app, 'preview', host, env);
  const { fetched } = await assertHello(t, browser, origin);
  assert.equal(fetched.filter((url) => /\/assets\/[^/]+\.wasm$/.test(url)).length, 1, fetched.join('\n'));
  await assertHello(t, browser, `${origin}/explicit.html`);
  await assertPlan(t, browser, `${origin}/react.html`);
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

test('without a bundler a server renders its hooks, which start nothing, and the process ends by itself', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['render.js'], {
    cwd: app,
    timeout: EXITED_WITHIN_MS,
  });
  assert.equal(stderr, '');
  const { html, started } = JSON.parse(stdout);
  assert.match(html, /<p>Ada,starting,idle,connecting<\/p>/);
  assert.deepEqual(started, []);
});
