/**
 * What end-to-end tests on real pages share:
 *
 *     const browser = await launchBrowser({ after });   // node:test's, for all tests of the file
 *
 *     test('…', async (t) => {
 *       const server = await startFaultServer();
 *       t.after(() => server.close());
 *       const page = await openPage(t, { browser, server, config: { api: { retries: 1 } } });
 *       server.on('/api/x', 503);
 *       const result = await run(page, (url) => window.app.api.get(url), '/api/x');
 *       assert.equal(result.error.kind, 'unavailable');
 *       assert.deepEqual(page.problems, []);
 *     });
 */
export { compose } from './keyboard.mjs';
export { findChromium, launchBrowser } from './launch.mjs';
export { closeTab, crash, freeze, hide, show } from './lifecycle.mjs';
export { booted, openPage, watch } from './page.mjs';
export { createProfile } from './profile.mjs';
export { run } from './run.mjs';
export { until } from './until.mjs';
