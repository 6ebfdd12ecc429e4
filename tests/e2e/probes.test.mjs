import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { launchBrowser, openPage, run, until } from '../harness/browser.mjs';
import { startFaultServer } from '../server/fault-server.mjs';

const browser = await launchBrowser({ after });
const PROBE_MS = 200;
/** So late a busy machine may bring the first one. */
const LATE_MS = 150;

const status = (page) => run(page, () => window.app.connection.getSnapshot().status);

test('of three visible tabs one probes, ever more rarely, and all of them come back with the server', async (t) => {
  const server = await startFaultServer();
  t.after(() => server.close());
  const context = await browser.newContext();
  t.after(() => context.close());
  const config = {
    version: { current: 'v1' },
    api: { retries: 0, breaker: false },
    connection: { probeMs: PROBE_MS },
  };
  const pages = [];
  for (let tab = 0; tab < 3; tab++) pages.push(await openPage(t, { browser, server, config, context }));

  server.on('/api/x', 503);
  server.on('/api/version', 503);
  for (const page of pages) {
    await run(page, () => Promise.all([window.app.api.get('/api/x'), window.app.api.get('/api/x?again')]));
    assert.equal(await status(page), 'degraded');
  }
  await server.waitFor('/api/version', { count: 4 });
  const times = server.requestsTo('/api/version').map(({ at }) => at);
  // Each wait is drawn from between half of it and all: with a second tab at it, they would come sooner than after these halves.
  let least = 0;
  for (const [nth, wait] of [PROBE_MS * 2, PROBE_MS * 4, PROBE_MS * 8].entries()) {
    least += wait / 2;
    const took = times[nth + 1] - times[0];
    assert.ok(took >= least - LATE_MS, `probe ${nth + 2} came after ${took} ms, at least ${least} were due`);
  }

  server.reset();
  for (const page of pages) await until(async () => (await status(page)) === 'online', 30_000);
  for (const page of pages) assert.deepEqual(page.problems, []);
});
