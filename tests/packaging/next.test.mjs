import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launchBrowser } from '../harness/browser.mjs';
import { assertHello } from './hello.mjs';
import { installApp } from './install.mjs';
import { assertPlan } from './plan.mjs';
import { build, serve } from './serve.mjs';

const browser = await launchBrowser({ after });

/** @type {string} */
let app;
before(async () => {
  app = await installApp({ after }, 'next', 'app');
});

test('Next serves it in development, rendered on the server too', async (t) => {
  const origin = await serve(t, app, 'dev', ['--hostname', '127.0.0.1']);
  await assertHello(t, browser, origin);
  await assertRenderedPlan(t, origin);
});

test('Next builds it', async (t) => {
  const said = await build(app);
  assert.doesNotMatch(said, /compiled with warnings|node_modules\/evenkeel/i);
  const origin = await serve(t, app, 'start', ['--hostname', '127.0.0.1']);
  const { fetched } = await assertHello(t, browser, origin);
  assert.equal(
    fetched.filter((url) => /\/_next\/static\/media\/[^/]+\.wasm$/.test(url)).length,
    1,
    fetched.join('\n'),
  );
  await assertRenderedPlan(t, origin);
});

/** The page of hooks whose session the server hands in: the first paint has it, and nobody asks for it again. @param {import('node:test').TestContext} t @param {string} origin */
async function assertRenderedPlan(t, origin) {
  const html = await (await fetch(`${origin}/plan`)).text();
  assert.match(html, /<p id="server">starting<\/p>/, 'server components use the package');
  assert.match(html, /<p id="who">Ada<\/p>/);
  const { fetched } = await assertPlan(t, browser, `${origin}/plan`);
  assert.deepEqual(
    fetched.filter((url) => url.includes('/api/auth/')),
    [],
  );
}
