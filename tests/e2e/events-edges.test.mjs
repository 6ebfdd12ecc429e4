/** What a fresh reading of event streams found: each of these once went wrong. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, run, until } from '../harness/browser.mjs';
import { hide } from '../harness/lifecycle.mjs';
import { serve } from './pages.mjs';
import { ends, listen, openStream, QUICK, quiet, requestsTo, stays, URL_PATH } from './streams.mjs';
import { browser, openTabs, roles, SHARED, TABS } from './tabs.mjs';

const SILENT = { headers: { 'Content-Type': 'text/event-stream' }, stallAfterBytes: 0, pieces: [] };

/** Events that keep coming, 100 a second. */
const steady = () => ({
  headers: { 'Content-Type': 'text/event-stream' },
  /** @param {import('../server/types.mjs').LiveBody} body */
  async stream(body) {
    for (let id = 1; !body.signal.aborted; id++) {
      await body.write(`id: ${id}\ndata: ${id}\n\n`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },
});

test('a server that is overloaded while the module is on its way does not end the stream', async (t) => {
  const server = await serve(t);
  server.on(URL_PATH, [503, stays('id: 1\ndata: a\n\n')]);
  server.on(/\.wasm/, { pass: true, delayMs: 1_000 });
  const page = await openPage(t, { browser, server, config: { events: QUICK, startTimeoutMs: 100 } });
  const stream = await listen(page);
  await stream.is('open');
  await stream.heard(1);
});

test('what Retry-After asks of the tab that has the connection holds for the one that takes over', async (t) => {
  const { server, feed, tabs } = await openTabs(t, 2);
  const { leader, followers } = await roles(tabs);
  server.on(URL_PATH, { status: 503, headers: { 'Retry-After': '20' } });
  feed.cut();
  await until(async () => (await followers[0].stream.state()).error?.status === 503);
  const before = requestsTo(server).length;
  await leader.stream.close();
  await until(async () => (await followers[0].stream.state()).role === 'leader');
  await quiet(() => requestsTo(server).length, 1_500);
  assert.equal(requestsTo(server).length, before);
});

test('a name that no lock may begin with is a name like others', async (t) => {
  const config = { name: '-app', events: QUICK, tabs: TABS };
  const { stream } = await openStream(t, SHARED, { config, page: { fresh: true } });
  await stream.opened();
});

test('reconnect() ends the rest of a hidden page, shared or not', async (t) => {
  for (const shared of [false, true]) {
    const { stream, server, page } = await openStream(
      t,
      { shared, pauseHiddenAfterMs: 50 },
      { config: { events: QUICK, tabs: TABS }, page: { fresh: true } },
    );
    await stream.opened();
    await hide(page);
    await stream.is('paused');
    await stream.reconnect();
    await server.waitFor(URL_PATH, { count: 2 });
  }
});

test('a loop that is busy holds polls back', async (t) => {
  const server = await serve(t);
  let id = 0;
  server.on(URL_PATH, SILENT);
  const polled = server.on('/poll', () => ({
    body: { events: Array.from({ length: 100 }, () => ({ id: `${++id}`, data: 'x' })), lastEventId: `${id}` },
  }));
  const page = await openPage(t, { browser, server, config: { events: QUICK } });
  await run(page, async () => {
    const poll = { url: '/poll', intervalMs: 20 };
    const source = window.app.events('/api/events', { watchdogMs: 100, firstByteMs: 100, poll });
    await source[Symbol.asyncIterator]().next();
  });
  await quiet(() => polled.taken, 1_000);
  assert.equal(polled.taken, 1);
});

test('a loop that is busy in the tab with the connection holds no other tab back', async (t) => {
  const server = await serve(t);
  server.on(URL_PATH, steady);
  const context = await browser.newContext();
  t.after(() => context.close());
  // A tab that is only slow is not taken for one that is gone.
  const config = { events: QUICK, tabs: { ...TABS, takeoverMs: 30_000 } };
  const first = await openPage(t, { browser, server, context, config });
  await run(first, async () => {
    const source = window.app.events('/api/events', { shared: true });
    await source[Symbol.asyncIterator]().next();
  });
  const second = await openPage(t, { browser, server, context, config });
  const stream = await listen(second, SHARED);
  await stream.heard(20);
  assert.equal(requestsTo(server).length, 1);
});

test('an id that cannot stand in a header is told when it is left out', async (t) => {
  const { stream, page } = await openStream(
    t,
    {},
    { script: [ends('id: a\u0001b\ndata: x\n\n'), stays(':\n\n')], page: { fresh: true } },
  );
  await stream.opened(2);
  const types = await run(page, () => window.app.diagnostics().events.map(({ type }) => type));
  assert.ok(types.includes('idDropped'), types.join());
});

test('a hook that takes the body away is a connection that broke', async (t) => {
  const server = await serve(t);
  server.on(URL_PATH, stays('data: a\n\n'));
  const page = await openPage(t, { browser, server });
  await page.evaluate(`
    window.app = evenkeel.createStability({
      events: { backoff: { baseMs: 20, maxMs: 100 }, spreadMs: 20 },
      api: { onResponse: (response) => void response.body?.getReader() },
    });
    window.app.ready`);
  await listen(page);
  await server.waitFor(URL_PATH, { count: 3 });
  assert.deepEqual(page.problems, []);
});

test('a function for headers that throws is told as invalid, and asked again', async (t) => {
  const server = await serve(t);
  server.on(URL_PATH, stays('data: a\n\n'));
  const page = await openPage(t, { browser, server, config: { events: QUICK } });
  const kinds = await run(page, async () => {
    let asked = 0;
    const kinds = /** @type {string[]} */ ([]);
    const source = window.app.events('/api/events', {
      headers() {
        if (++asked < 3) throw new Error('no token yet');
        return { 'X-Token': 'one' };
      },
    });
    source.onerror = () => kinds.push(source.state.getSnapshot().error.kind);
    await new Promise((resolve) => (source.onmessage = resolve));
    return [...kinds, window.app.connection.getSnapshot().status];
  });
  assert.deepEqual(kinds, ['invalid', 'invalid', 'online']);
});

test('strict knows nothing of the network: a stream that lives is left alone', async (t) => {
  const { stream, server, page } = await openStream(t, { strict: true }, { page: { fresh: true } });
  await stream.opened();
  await run(page, () => {
    let isOnline = false;
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => isOnline });
    dispatchEvent(new Event('offline'));
    isOnline = true;
    dispatchEvent(new Event('online'));
  });
  await quiet(() => requestsTo(server).length, 500);
  assert.equal((await stream.state()).status, 'open');
  assert.equal(requestsTo(server).length, 1);
});

test('streams that ended without WebAssembly are not ended once more', async (t) => {
  const server = await serve(t);
  const page = await openPage(t, { browser, server });
  const said = await run(page, async () => {
    const app = window.evenkeel.createStability({ wasm: '/nothing.wasm' });
    await app.ready.catch(() => {});
    const source = app.events('/api/x', { method: 'POST' });
    await new Promise((resolve) => (source.onerror = resolve));
    app.dispose();
    const { events } = app.diagnostics();
    return [source.state.getSnapshot().error.kind, events.filter(({ type }) => type === 'stream').length];
  });
  assert.deepEqual(said, ['runtime', 0]);
});

test('dispose() right after a final answer leaves no lock', async (t) => {
  const tabs = { heartbeatMs: 30_000, takeoverMs: 60_000 };
  const opened = await openTabs(t, 2, { config: { events: QUICK, tabs } });
  const { leader } = await roles(opened.tabs);
  opened.server.on(URL_PATH, 404);
  opened.feed.end();
  await leader.stream.closed();
  await run(leader.page, () => window.app.dispose());
  // The other tab may have had it for a moment; the time of a heartbeat is not waited for.
  const begun = Date.now();
  await until(() => run(leader.page, async () => !(await navigator.locks.query()).held?.length), 20_000);
  assert.ok(Date.now() - begun < 25_000);
});

test('a polled event over maxEventBytes is left out', async (t) => {
  const server = await serve(t);
  server.on(URL_PATH, SILENT);
  const events = [
    { id: '1', data: 'x'.repeat(5_000) },
    { id: '2', data: 'small' },
  ];
  server.on('/poll', [{ body: { events, lastEventId: '2' } }, { body: { events: [], lastEventId: '2' } }]);
  const page = await openPage(t, { browser, server, config: { events: QUICK } });
  const poll = { url: '/poll', intervalMs: 50 };
  const stream = await listen(page, { watchdogMs: 100, firstByteMs: 100, maxEventBytes: 1_000, poll });
  await stream.heard(1);
  assert.deepEqual(await stream.data(), ['small']);
});

test('stats() in a handler tells of the event that is handled, not of those behind it', async (t) => {
  const batch = Array.from({ length: 20 }, (_, id) => `id: ${id + 1}\ndata: x\n\n`).join('');
  const server = await serve(t);
  server.on(URL_PATH, stays(batch));
  const page = await openPage(t, { browser, server, config: { events: QUICK } });
  const ids = await run(page, async () => {
    const source = window.app.events('/api/events');
    const ids = /** @type {string[]} */ ([]);
    await new Promise((resolve) => {
      source.onmessage = () => ids.push(source.stats().lastEventId) === 3 && resolve(null);
    });
    return ids.slice(0, 3);
  });
  assert.deepEqual(ids, ['1', '2', '3']);
});
