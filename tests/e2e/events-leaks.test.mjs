import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, run, until } from '../harness/browser.mjs';
import { serve } from './pages.mjs';
import { arrived, connections, requestsTo, stays, URL_PATH } from './streams.mjs';
import { browser } from './tabs.mjs';

/** Counts what a page has going on: timers, and listeners on what outlives a stream. @param {import('playwright-core').Page} page */
const counting = (page) =>
  page.addInitScript(() => {
    const timers = new Set();
    const { setTimeout: set, clearTimeout: clear, setInterval: setEvery, clearInterval: clearEvery } = window;
    window.setTimeout = (run, ms, ...args) => {
      const id = set(
        (...args) => {
          timers.delete(id);
          run(...args);
        },
        ms,
        ...args,
      );
      timers.add(id);
      return id;
    };
    window.clearTimeout = (id) => {
      timers.delete(id);
      clear(id);
    };
    window.setInterval = (...args) => {
      const id = setEvery(...args);
      timers.add(id);
      return id;
    };
    window.clearInterval = (id) => {
      timers.delete(id);
      clearEvery(id);
    };

    let listeners = 0;
    const { addEventListener, removeEventListener } = EventTarget.prototype;
    const lasting = (target) => target === window || target === document || target === undefined;
    EventTarget.prototype.addEventListener = function (type, listener, options) {
      if (lasting(this)) {
        listeners++;
        options?.signal?.addEventListener('abort', () => listeners--);
      }
      return addEventListener.call(this, type, listener, options);
    };
    EventTarget.prototype.removeEventListener = function (...args) {
      if (lasting(this)) listeners--;
      return removeEventListener.apply(this, args);
    };
    const channels = new Set();
    const NativeChannel = BroadcastChannel;
    globalThis.BroadcastChannel = class extends NativeChannel {
      constructor(name) {
        super(name);
        channels.add(this);
      }
      close() {
        channels.delete(this);
        super.close();
      }
    };
    window.goingOn = () => ({ timers: timers.size, listeners, channels: channels.size });
  });

/** The page's heap, once what nobody holds is gone. @param {import('playwright-core').CDPSession} devtools */
async function heap(devtools) {
  for (let i = 0; i < 3; i++) await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  return usedSize;
}

/** A lock is free a moment after it was let go. @param {import('playwright-core').Page} page */
const noLocks = (page) =>
  until(async () => {
    const { held, pending } = await run(page, () => navigator.locks.query());
    return held.length + pending.length === 0;
  });

/**
 * Opens and closes streams one after another.
 * @param {import('playwright-core').Page} page @param {number} count @param {object} [options] @param {'open' | 'message' | 'at once'} [closeAt]
 */
const churn = (page, count, options = {}, closeAt = 'message') =>
  run(
    page,
    async ({ count, options, closeAt }) => {
      for (let i = 0; i < count; i++) {
        const source = window.app.events('/api/events', options);
        if (closeAt !== 'at once') await new Promise((resolve) => (source[`on${closeAt}`] = resolve));
        source.close();
      }
    },
    { count, options, closeAt },
  );

for (const [what, options, count] of /** @type {Array<[string, any, number]>} */ ([
  ['streams', {}, 1_000],
  ['shared streams', { shared: true }, 300],
])) {
  test(`${count} ${what} that were opened and closed leave no connection, timer, listener, lock, channel or memory`, async (t) => {
    const server = await serve(t);
    server.on(URL_PATH, stays('data: a\n\n'));
    const page = await openPage(t, { browser, server, config: {}, beforeLoad: counting });
    const devtools = await page.context().newCDPSession(page);
    await page.evaluate('window.app.ready');
    await churn(page, 30, options);
    await until(() => connections(server) === 0);
    const before = await run(page, () => window.goingOn());
    const heapBefore = await heap(devtools);
    await churn(page, count * 0.8, options);
    await churn(page, count * 0.1, options, 'open');
    await churn(page, count * 0.1, options, 'at once');
    await until(() => connections(server) === 0);
    await until(async () => {
      const after = await run(page, () => window.goingOn());
      return (
        after.timers <= before.timers + 1 &&
        after.listeners === before.listeners &&
        after.channels === before.channels
      );
    });
    await noLocks(page);
    const grown = (await heap(devtools)) - heapBefore;
    assert.ok(grown < count * 500, `${grown} bytes for ${count} streams`);
    assert.ok(requestsTo(server).length >= count * 0.9);
    assert.deepEqual(page.problems, []);
  });
}

test('dispose() leaves nothing of a client with streams that are open, waiting, polling and shared', async (t) => {
  const server = await serve(t);
  server.on(URL_PATH, stays('data: a\n\n'));
  server.on('/api/waiting', 503);
  server.on('/api/hang', 'hang');
  server.on('/api/poll', { body: { events: [], lastEventId: '' } });
  const page = await openPage(t, { browser, server, config: {}, beforeLoad: counting });
  await page.evaluate('window.app.dispose()');
  const before = await run(page, () => window.goingOn());
  await run(page, async () => {
    const app = window.evenkeel.createStability({
      events: { backoff: { baseMs: 20, maxMs: 60 } },
    });
    const poll = { url: '/api/poll', intervalMs: 50 };
    const sources = [
      app.events('/api/events'),
      app.events('/api/waiting'),
      app.events('/api/hang', { poll, firstByteMs: 100 }),
      app.events('/api/events', { shared: true }),
    ];
    const [open, waiting, polling, shared] = sources;
    const is = (source, status) =>
      new Promise((resolve) => {
        const look = () => source.state.getSnapshot().status === status && resolve();
        source.state.subscribe(look);
        look();
      });
    await Promise.all([is(open, 'open'), is(waiting, 'waiting'), is(polling, 'polling'), is(shared, 'open')]);
    app.dispose();
  });
  await until(() =>
    ['/api/events', '/api/hang', '/api/poll'].every((path) => connections(server, path) === 0),
  );
  await until(async () => {
    const now = await run(page, () => window.goingOn());
    return now.timers <= before.timers && now.listeners <= before.listeners && now.channels === 0;
  });
  await noLocks(page);
  await arrived(page);
  const count = server.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(server.requests.length, count);
});
