import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage, run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { serve } from './pages.mjs';
import {
  connections,
  cutBy,
  ends,
  goesOn,
  lastIds,
  listen,
  openStream,
  QUICK,
  quiet,
  requestsTo,
  stays,
  URL_PATH,
} from './streams.mjs';
import { browser } from './tabs.mjs';

const FIRST = 'id: 1\ndata: a\n\n';
const SECOND = 'id: 2\ndata: b\n\n';
/** The engine has the streams from the first on, however long it takes to start. */
const PATIENT = { events: QUICK, startTimeoutMs: 60_000 };
/** Does not let WebAssembly be compiled. */
const POLICY = {
  'Content-Security-Policy': "default-src 'self' http://127.0.0.1:*; script-src 'self'; img-src data:",
};

/** A page whose module can be made to trap in the next call of an export that `window.trapIn` matches. @param {import('playwright-core').Page} page */
const withTraps = (page) =>
  page.addInitScript(() => {
    const { Instance } = WebAssembly;
    window.trapIn = null;
    window.instances = 0;
    WebAssembly.Instance = class {
      constructor(module, imports) {
        if (window.refuses) throw new RangeError('out of memory');
        window.instances++;
        const { exports } = new Instance(module, imports);
        this.exports = { ...exports };
        for (const [name, value] of Object.entries(exports)) {
          if (typeof value !== 'function') continue;
          this.exports[name] = (...args) => {
            if (window.trapIn?.test(name)) {
              window.trapIn = null;
              throw new WebAssembly.RuntimeError('unreachable');
            }
            return value(...args);
          };
        }
      }
    };
  });

/** @param {any} t @param {any} script @param {{ options?: any, headers?: Record<string, string>, types?: string[], config?: any }} [how] */
async function page(t, script, { options, headers, types, config = PATIENT } = {}) {
  const server = await serve(t);
  server.on(URL_PATH, script);
  const page = await openPage(t, { browser, server, config, headers, beforeLoad: withTraps });
  t.after(() =>
    assert.deepEqual(
      page.problems.filter(({ text }) => !/Content.Security.Policy/i.test(text)),
      [],
    ),
  );
  if (headers)
    await until(() =>
      run(
        page,
        () => window.app.runtime.getSnapshot().status === 'failed' || window.app.ready.catch(() => true),
      ),
    );
  return { server, page, stream: await listen(page, options, { types }) };
}

for (const [what, trapIn] of /** @type {Array<[string, string]>} */ ([
  ['while it reads', 'feed'],
  ['before it has told what it read', 'batch'],
  ['at a call', 'call'],
])) {
  test(`a trap of the module ${what} loses no event: the stream goes on from the last id`, async (t) => {
    const gate = held();
    const more = goesOn(FIRST, gate, 'id: 2\ndata: lost?\n\n');
    const {
      server,
      page: open,
      stream,
    } = await page(t, [more, stays('id: 2\ndata: lost?\n\nid: 3\ndata: c\n\n')]);
    await stream.heard(1);
    await run(
      open,
      (trapIn) => {
        window.trapIn = new RegExp(trapIn);
        if (trapIn === 'call') window.app.api.get('/api/x');
      },
      trapIn,
    );
    gate.release();
    assert.deepEqual(await stream.heard(3), ['a', 'lost?', 'c']);
    assert.equal(await run(open, () => window.instances), 2);
    assert.equal(requestsTo(server).length, 2);
    assert.ok(['1', '2'].includes(`${lastIds(server)[1]}`));
    await until(() => connections(server) === 1);
    assert.equal(await stream.readyState(), 1);
  });
}

test('a module that traps and can be started no more leaves the native stream', async (t) => {
  const gate = held();
  const more = goesOn(FIRST, gate, SECOND);
  const { server, page: open, stream } = await page(t, [more, stays('id: 3\ndata: c\n\n')]);
  await stream.heard(1);
  await run(open, () => {
    window.refuses = true;
    window.trapIn = /^feed$/;
  });
  gate.release();
  await until(async () => (await stream.data()).includes('c'));
  assert.equal(await run(open, () => window.app.runtime.getSnapshot().status), 'failed');
  await until(() => connections(server) === 1);
});

test('where WebAssembly is blocked the native stream is used, behind the same class', async (t) => {
  const {
    server,
    page: open,
    stream,
  } = await page(t, [ends(`retry: 50\n${FIRST}event: named\ndata: n\n\n`), stays(SECOND)], {
    headers: POLICY,
    types: ['named'],
  });
  assert.deepEqual(await stream.heard(3), ['a', 'n', 'b']);
  assert.deepEqual(await stream.log(), [
    ['open', 1],
    ['message', 'a'],
    ['named', 'n'],
    ['error', 0],
    ['open', 1],
    ['message', 'b'],
  ]);
  assert.deepEqual(lastIds(server), [null, '1']);
  const { status, isConnected, error, role, reconnects } = await stream.state();
  assert.deepEqual([status, isConnected, error, role, reconnects], ['open', true, null, 'single', 1]);
  const { lastEventId, received } = await stream.stats();
  assert.deepEqual([lastEventId, received], ['2', 3]);
  assert.ok(await run(open, () => window.stream.source instanceof window.evenkeel.ResilientEventSource));
  await stream.reconnect();
  await server.waitFor(URL_PATH, { count: 3 });
  await stream.close();
  await until(() => connections(server) === 0);
  assert.equal(await stream.readyState(), 2);
});

test('the native stream is the one of the page before ours took its name', async (t) => {
  const { server, page: open, stream } = await page(t, stays(FIRST), { headers: POLICY });
  await stream.heard(1);
  const data = await run(open, () => {
    globalThis.EventSource = window.evenkeel.ResilientEventSource;
    const source = new EventSource('/api/events');
    return new Promise((resolve) => (source.onmessage = ({ data }) => resolve(data)));
  });
  assert.equal(data, 'a');
  assert.equal(requestsTo(server).length, 2);
});

test('a final status closes the native stream too', async (t) => {
  const { stream } = await page(t, 404, { headers: POLICY });
  const { error } = await stream.closed();
  assert.equal(error.name, 'StabilityError');
  assert.deepEqual(await stream.log(), [['error', 2]]);
});

for (const [what, options] of /** @type {Array<[string, any]>} */ ([
  ['headers', { headers: { Authorization: 'x' } }],
  ['POST', { method: 'POST', body: 'x' }],
])) {
  test(`where WebAssembly is blocked, a stream that needs ${what} closes with kind runtime`, async (t) => {
    const { server, page: open, stream } = await page(t, stays(FIRST), { headers: POLICY, options });
    const { error } = await stream.closed();
    assert.deepEqual([error.kind, error.status], ['runtime', 0]);
    assert.deepEqual(await stream.log(), [['error', 2]]);
    assert.equal(requestsTo(server).length, 0);
    const thrown = await run(
      open,
      async (options) => {
        try {
          for await (const _ of window.app.events('/api/events', options));
        } catch (error) {
          return error;
        }
      },
      options,
    );
    assert.equal(thrown.kind, 'runtime');
  });
}

test('where WebAssembly is blocked, shared streams are each their own, and the loop works', async (t) => {
  const { page: open, stream } = await page(t, stays(FIRST + SECOND), {
    headers: POLICY,
    options: { shared: true },
  });
  await stream.heard(2);
  assert.equal((await stream.state()).role, 'single');
  const seen = await run(open, async () => {
    const seen = [];
    for await (const { data } of window.app.events('/api/events')) {
      seen.push(data);
      if (seen.length === 2) break;
    }
    return seen;
  });
  assert.deepEqual(seen, ['a', 'b']);
});

test('a module that is slow to come does not hold the events, and takes over without losing or repeating any', async (t) => {
  const server = await serve(t);
  const feed = server.feed(URL_PATH);
  const module = held({ pass: true });
  server.on(/\.wasm/, module.step);
  const open = await openPage(t, { browser, server, config: { events: QUICK, startTimeoutMs: 200 } });
  const stream = await listen(open);
  await stream.opened();
  for (let i = 0; i < 5; i++) feed.send(`${i}`);
  await stream.heard(5);
  assert.equal(await run(open, () => window.app.runtime.getSnapshot().status), 'starting');
  module.release();
  await run(open, () => window.app.ready);
  await until(() => requestsTo(server).length === 2 && feed.connections === 1);
  for (let i = 5; i < 10; i++) feed.send(`${i}`);
  assert.deepEqual(await stream.heard(10), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

// ---------------------------------------------------------------- strict

const strict = { strict: true };

for (const status of [401, 408, 429, 500, 503, 201, 301])
  test(`strict: ${status} is final`, async (t) => {
    const { server, stream } = await openStream(t, strict, { script: [ends(FIRST), status, stays(SECOND)] });
    await stream.closed();
    assert.deepEqual(await stream.log(), [
      ['open', 1],
      ['message', 'a'],
      ['error', 0],
      ['error', 2],
    ]);
    assert.ok(await quiet(() => requestsTo(server).length, 200));
  });

test('strict: HTML is final, and nobody is asked about the session', async (t) => {
  const html = { headers: { 'Content-Type': 'text/html' }, body: '<p>' };
  const { server, stream } = await openStream(t, strict, {
    config: { session: {}, events: QUICK },
    script: html,
  });
  server.clear();
  await stream.closed();
  assert.ok(await quiet(() => server.requestsTo('/api/auth/session').length, 200));
});

test('strict: network errors and the end of the response reconnect, after the reconnection time', async (t) => {
  const cut = held();
  const { server, stream } = await openStream(t, strict, {
    script: [ends(`retry: 300\n${FIRST}`), 'cut', cutBy(SECOND, cut), stays(':\n\n')],
  });
  await stream.heard(2);
  cut.release();
  await stream.opened(3);
  assert.deepEqual(await stream.data(), ['a', 'b']);
  const [first, second] = requestsTo(server);
  assert.ok(second.at - first.at >= 295, `${second.at - first.at}`);
  assert.deepEqual(lastIds(server), [null, '1', '1', '2']);
});

test('strict: silence is no reason to reconnect, and nothing is added to the request', async (t) => {
  const { server, stream } = await openStream(
    t,
    { ...strict, watchdogMs: 100, firstByteMs: 100 },
    {
      config: {
        version: { current: 'v7', onMismatch: 'ignore' },
        api: { headers: { 'X-Tenant': 'a' } },
        events: QUICK,
      },
      script: { ...stays(FIRST), delayMs: 500 },
    },
  );
  await stream.heard(1);
  assert.ok(await quiet(() => requestsTo(server).length, 500));
  const [{ headers }] = requestsTo(server);
  assert.deepEqual(
    [headers['x-tenant'], headers['x-app-version'], headers.accept, headers['cache-control']],
    [undefined, undefined, 'text/event-stream', 'no-cache'],
  );
});
