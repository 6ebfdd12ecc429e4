import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
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

/** @type {string} */
let app;
before(async () => {
  app = await installApp({ after }, 'webpack', 'src');
});

test('webpack serves it in development', async (t) => {
  const origin = await serve(t, app, 'dev', [], { API_ORIGIN: backend.origin });
  await assertHello(t, browser, origin);
  await assertPlan(t, browser, `${origin}/react.html`);
});

test('webpack builds it, with the .wasm beside the script', async (t) => {
  const said = await build(app);
  assert.doesNotMatch(said, /WARNING|ERROR/);
  backend.serve('/', join(app, 'public'));
  backend.serve('/', join(app, 'dist'));
  const { fetched } = await assertHello(t, browser, `${backend.origin}/index.html`);
  assert.equal(fetched.filter((url) => /\/[0-9a-f]+\.wasm$/.test(url)).length, 1, fetched.join('\n'));
  await assertPlan(t, browser, `${backend.origin}/react.html`);
});
