import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, launchBrowser, openPage, run, show, until } from '../harness/browser.mjs';
import { retryAfter } from '../server/fault-server.mjs';
import { held } from './held.mjs';
import { serve } from './pages.mjs';
import {
  connections,
  cutBy,
  EXACT,
  lastIds,
  listen,
  openStream,
  QUICK,
  quiet,
  requestsTo,
  stays,
  URL_PATH,
} from './streams.mjs';

const FIRST = 'id: 1\ndata: a\n\n';
const SECOND = 'id: 2\ndata: b\n\n';
/** A wait that nothing but the page's own life ends. */
const LONG = { backoff: { baseMs: 600_000, maxMs: 600_000 }, spreadMs: 600_000 };
const fresh = { page: { fresh: true } };

/** The page's clock goes ahead, as it does when a laptop slept. @param {import('playwright-core').Page} page @param {number} ms */
const sleep = (page, ms) =>
  run(
    page,
    (ms) => {
      const now = Date.now;
      Date.now = () => now() + ms;
    },
    ms,
  );

test('a stream that is silent for watchdogMs is given up, and goes on from its last id', async (t) => {
  const { server, stream } = await openStream(
    t,
    { watchdogMs: 1_000 },
    { script: [stays(FIRST), stays(SECOND)] },
  );
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  const [first, second] = requestsTo(server);
  assert.ok(second.at - first.at >= 990, `${second.at - first.at}`);
  await until(() => first.closedEarlyAt); // the silent connection is no longer held
  assert.deepEqual(lastIds(server).slice(0, 2), [null, '1']);
  assert.deepEqual((await stream.faults())[0], ['timeout', 0]);
});

test('any byte is a sign of life: comments, and half a line', async (t) => {
  const script = {
    headers: { 'Content-Type': 'text/event-stream' },
    pieces: [
      { data: ':\n\n' },
      ...Array.from('\n:\n: x\ndata: whole', (data) => ({ data, afterMs: 200 })),
      { data: '\n\n', afterMs: 200 },
    ],
    stallAfterBytes: Number.POSITIVE_INFINITY,
  };
  const { server, stream } = await openStream(t, { watchdogMs: 1_500 }, { script });
  assert.deepEqual(await stream.heard(1), ['whole']);
  assert.equal(requestsTo(server).length, 1);
  assert.equal(await stream.fired('error'), 0);
});

test('headers that do not come within firstByteMs are a failed attempt', async (t) => {
  const { server, stream } = await openStream(t, { firstByteMs: 1_500 }, { script: ['hang', stays(FIRST)] });
  await stream.heard(1);
  assert.deepEqual(await stream.faults(), [['timeout', 0]]);
  await until(() => requestsTo(server)[0].closedEarlyAt);
});

test('headers are enough to be open, and the silence after them is the watchdog’s', async (t) => {
  const { server, stream } = await openStream(
    t,
    { firstByteMs: 1_000, watchdogMs: 1_500 },
    { script: [stays(''), stays(FIRST)] },
  );
  await stream.heard(1);
  assert.deepEqual((await stream.log()).slice(0, 2), [
    ['open', 1],
    ['error', 0],
  ]);
  const [first, second] = requestsTo(server);
  assert.ok(second.at - first.at >= 1_490, `${second.at - first.at}`);
});

test('the watchdog of a stream that is quiet again grows', async (t) => {
  const { server, stream } = await openStream(t, { ...EXACT, watchdogMs: 400 }, { script: stays(':\n\n') });
  await server.waitFor(URL_PATH, { count: 4 });
  await stream.close();
  const [first, second, third, fourth] = requestsTo(server).map(({ at }) => at);
  assert.ok(second - first >= 395, `${second - first}`);
  assert.ok(third - second >= 795, `${third - second}`);
  assert.ok(fourth - third >= 1_595, `${fourth - third}`);
});

test('a laptop that slept longer than the watchdog reconnects on waking, at once', async (t) => {
  const { server, page, stream } = await openStream(
    t,
    { ...LONG, stableMs: 1 },
    { script: [stays(FIRST), stays(SECOND)], ...fresh },
  );
  await stream.heard(1);
  await sleep(page, 8 * 3_600_000);
  await show(page);
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  const waits = await stream.waits();
  assert.ok(waits.length === 1 && waits[0] <= 1_000, `${waits}`);
  assert.deepEqual(lastIds(server), [null, '1']);
  await until(() => connections(server) === 1);
});

test('a laptop that slept notices without any event, by its own clock', async (t) => {
  const gate = held(stays(FIRST));
  const { page, stream } = await openStream(
    t,
    { ...LONG, watchdogMs: 2_000, stableMs: 1, firstByteMs: 600_000 },
    { script: [gate.step, stays(SECOND)], ...fresh },
  );
  // Right after the event, before the silence is long enough by itself.
  await run(page, () => {
    const now = Date.now;
    const sleep = () => (Date.now = () => now() + 8 * 3_600_000);
    window.stream.source.addEventListener('message', () => setTimeout(sleep), { once: true });
  });
  gate.release();
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
});

test('a clock that is set back by an hour disturbs nothing', async (t) => {
  const cut = held();
  const { server, page, stream } = await openStream(
    t,
    { ...EXACT, watchdogMs: 3_000 },
    { script: [cutBy(FIRST, cut), stays(SECOND), stays('id: 3\ndata: c\n\n')], ...fresh },
  );
  await stream.heard(1);
  await sleep(page, -3_600_000);
  cut.release();
  assert.deepEqual(await stream.heard(3), ['a', 'b', 'c'], 'the wait and the watchdog end as ever');
  assert.deepEqual(lastIds(server).slice(0, 3), [null, '1', '2']);
});

test('becoming visible ends the jitter of a wait, never what the server asked for', async (t) => {
  const { server, page, stream } = await openStream(t, LONG, {
    script: [503, { status: 503, retryAfter: retryAfter.ms(1_500) }, stays(FIRST)],
    ...fresh,
  });
  await stream.is('waiting');
  await hide(page);
  await show(page);
  const { at } = await server.waitFor(URL_PATH, { count: 2 });
  await until(async () => (await stream.state()).error?.retryAfterMs);
  await hide(page);
  await show(page);
  await stream.heard(1);
  assert.ok(requestsTo(server)[2].at - at >= 1_490, `${requestsTo(server)[2].at - at}`);
});

for (const [what, again] of /** @type {Array<[string, (page: any) => Promise<void>]>} */ ([
  [
    'the browser says that it is online again',
    async (page) => {
      await page.context().setOffline(true);
      await until(() => run(page, () => !navigator.onLine));
      await page.context().setOffline(false);
    },
  ],
  ["an 'online' event comes", (page) => run(page, () => void dispatchEvent(new Event('online')))],
])) {
  test(`when ${what}, a waiting stream connects at once`, async (t) => {
    const { page, stream } = await openStream(t, LONG, { script: [503, stays(FIRST)], ...fresh });
    await stream.is('waiting');
    await again(page);
    await stream.heard(1);
  });
}

test('a stream that lost the network comes back with it, from its last id', async (t) => {
  const { server, page, stream } = await openStream(t, QUICK, {
    script: [stays(FIRST), stays(SECOND)],
    ...fresh,
  });
  await stream.heard(1);
  await page.context().setOffline(true);
  await server.refuse();
  await until(async () => (await stream.fired('error')) > 0);
  await until(async () => (await stream.state()).error?.kind === 'offline');
  await server.accept();
  await page.context().setOffline(false);
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.equal(lastIds(server).at(-1), '1');
});

test('an open stream that spans an offline spell is taken for dead', async (t) => {
  const { server, page, stream } = await openStream(t, LONG, {
    script: [stays(FIRST), stays(SECOND)],
    ...fresh,
  });
  await stream.heard(1);
  await run(page, () => {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => false });
    dispatchEvent(new Event('offline'));
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => true });
    dispatchEvent(new Event('online'));
  });
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  await until(() => connections(server) === 1);
});

test('a page that is hidden longer than pauseHiddenAfterMs has no stream, and goes on when it is seen', async (t) => {
  const { server, page, stream } = await openStream(
    t,
    { pauseHiddenAfterMs: 100 },
    { script: [stays(FIRST), stays(SECOND)], ...fresh },
  );
  await stream.heard(1);
  await hide(page);
  const { isConnected, error, nextRetryAt } = await stream.is('paused');
  assert.deepEqual([isConnected, error, nextRetryAt, await stream.readyState()], [false, null, null, 0]);
  await until(() => connections(server) === 0);
  assert.equal(requestsTo(server).length, 1);
  await show(page);
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.deepEqual(lastIds(server), [null, '1']);
  assert.equal(await stream.fired('error'), 0, 'pausing is no error');
});

test('a page that is hidden for a moment keeps its stream, and so does one that did not ask to pause', async (t) => {
  const { server, page, stream } = await openStream(
    t,
    { pauseHiddenAfterMs: 60_000 },
    { script: stays(FIRST), ...fresh },
  );
  await listen(page, {}, { name: 'other' });
  await stream.heard(1);
  await server.waitFor(URL_PATH, { count: 2 });
  await hide(page);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await show(page);
  assert.ok(await quiet(() => requestsTo(server).length, 200));
  assert.equal(connections(server), 2);
});

test('reconnect() wakes a stream that is paused', async (t) => {
  const { page, stream } = await openStream(
    t,
    // It pauses again so long after, and has to be there before.
    { pauseHiddenAfterMs: 3_000 },
    { script: [stays(FIRST), stays(SECOND)], ...fresh },
  );
  await stream.heard(1);
  await hide(page);
  await stream.is('paused');
  await stream.reconnect();
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
});

test('a page that comes back from the back/forward cache goes on from its last id', async (t) => {
  const browser = await launchBrowser(t, { bfcache: true });
  const server = await serve(t);
  server.page('/elsewhere', '<!doctype html><title>elsewhere</title>');
  server.on(URL_PATH, [stays(FIRST), stays(SECOND)]);
  const page = await openPage(t, { browser, server, config: { events: QUICK, startTimeoutMs: 60_000 } });
  await run(page, () => {
    addEventListener('pageshow', ({ persisted }) => Object.assign(window, { persisted }));
  });
  const stream = await listen(page);
  await stream.heard(1);
  await page.goto(`${server.origin}/elsewhere`);
  await until(() => connections(server) === 0);
  await page.goBack({ waitUntil: 'commit' });
  await until(() => run(page, () => window.persisted).catch(() => false));
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.deepEqual(lastIds(server), [null, '1']);
  assert.equal(await stream.fired('error'), 0);
  await until(() => connections(server) === 1);
});
