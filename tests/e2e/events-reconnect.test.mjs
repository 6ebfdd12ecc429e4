import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { retryAfter } from '../server/fault-server.mjs';
import { held } from './held.mjs';
import { gaps } from './pages.mjs';
import {
  arrived,
  connections,
  cutAfter,
  cutBy,
  EXACT,
  ends,
  lastIds,
  openStream,
  QUICK,
  quiet,
  requestsTo,
  stays,
  URL_PATH,
} from './streams.mjs';

const config = { events: EXACT };
const FIRST = 'id: 1\ndata: a\n\n';
/** Timers of the page and of the server are rounded apart. */
const SLACK_MS = 5;

test('a stream whose response ends is opened again, from the last id', async (t) => {
  const { server, stream } = await openStream(t, {}, { script: [ends(FIRST), stays('data: b\n\n')] });
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.deepEqual(await stream.log(), [
    ['open', 1],
    ['message', 'a'],
    ['error', 0],
    ['open', 1],
    ['message', 'b'],
  ]);
  assert.deepEqual(lastIds(server), [null, '1']);
  const [first, second] = requestsTo(server);
  assert.deepEqual([first.method, second.method], ['GET', 'GET']);
  assert.deepEqual([first.headers.accept, second.headers.accept], ['text/event-stream', 'text/event-stream']);
  assert.deepEqual((await stream.events())[1], { type: 'message', data: 'b', id: '1' });
});

for (const [what, text, reset] of /** @type {Array<[string, string, boolean]>} */ ([
  ['is cut', FIRST, false],
  ['is cut in the middle of an event', `${FIRST}id: 2\ndata: c`, false],
  ['is reset', FIRST, true],
])) {
  test(`a stream that ${what} goes on from the last whole event`, async (t) => {
    const cut = held();
    const script = [cutBy(text, cut, { reset }), stays('id: 2\ndata: b\n\n')];
    const { server, stream } = await openStream(t, {}, { script });
    await stream.heard(1);
    cut.release();
    assert.deepEqual(await stream.heard(2), ['a', 'b']);
    assert.deepEqual(lastIds(server), [null, '1']);
    assert.deepEqual(await stream.faults(), [['network', 0]]);
  });
}

for (const [what, fault, kind] of /** @type {Array<[string, any, string]>} */ ([
  ['no answer', 'cut', 'network'],
  ['a reset', { cut: 'beforeHeaders', reset: true }, 'network'],
  ['408', 408, 'timeout'],
  ['425', 425, 'unavailable'],
  ['429', 429, 'rateLimited'],
  ['500', 500, 'server'],
  ['501', 501, 'server'],
  ['502', 502, 'unavailable'],
  ['503', 503, 'unavailable'],
  ['504', 504, 'unavailable'],
])) {
  test(`${what} is tried again, and the stream opens`, async (t) => {
    const { stream } = await openStream(t, EXACT, { script: [fault, fault, stays(FIRST)] });
    await stream.heard(1);
    assert.deepEqual(await stream.log(), [
      ['error', 0],
      ['error', 0],
      ['open', 1],
      ['message', 'a'],
    ]);
    const states = await stream.states();
    const waiting = states.filter(({ status }) => status === 'waiting');
    assert.deepEqual(
      waiting.map(({ attempts, error, isConnected }) => [attempts, error.kind, error.attempts, isConnected]),
      [
        [1, kind, 1, false],
        [2, kind, 2, false],
      ],
    );
    assert.ok(waiting.every(({ nextRetryAt }) => nextRetryAt > 0));
    assert.equal((await stream.state()).error, null, 'once open');
  });
}

for (const [status, kind] of /** @type {Array<[number, string]>} */ ([
  [400, 'invalid'],
  [402, 'invalid'],
  [403, 'forbidden'],
  [404, 'notFound'],
  [409, 'conflict'],
  [410, 'notFound'],
  [413, 'tooLarge'],
  [422, 'invalid'],
  [426, 'outdated'],
])) {
  test(`${status} closes, with kind ${kind}`, async (t) => {
    const { server, stream } = await openStream(
      t,
      {},
      { script: { status, headers: { 'X-Request-Id': 'r1' } }, url: `${URL_PATH}?secret=1` },
    );
    const { error, isConnected, nextRetryAt } = await stream.closed();
    assert.deepEqual(
      [error.name, error.kind, error.status, error.method, error.requestId, isConnected, nextRetryAt],
      ['StabilityError', kind, status, 'GET', 'r1', false, null],
    );
    assert.equal(error.url, server.origin + URL_PATH, 'without its query');
    assert.deepEqual(await stream.log(), [['error', 2]]);
    assert.ok(await quiet(() => requestsTo(server).length, 150));
    await stream.reconnect();
    assert.ok(await quiet(() => requestsTo(server).length, 50), 'closed is closed');
  });
}

test('204 closes without an error, in the middle of a life too', async (t) => {
  const { server, stream } = await openStream(t, {}, { script: [ends(FIRST), 204] });
  const { error } = await stream.closed();
  assert.equal(error, null);
  assert.deepEqual(await stream.log(), [
    ['open', 1],
    ['message', 'a'],
    ['error', 0],
    ['error', 2],
  ]);
  assert.ok(await quiet(() => requestsTo(server).length, 250));
});

test('what the server asked for with Retry-After is waited for, once', async (t) => {
  const asked = [retryAfter.seconds(1), retryAfter.ms(400), retryAfter.imfFixdate(2)];
  const { server, stream } = await openStream(
    t,
    {},
    {
      script: [...asked.map((retryAfter, i) => ({ status: i ? 503 : 429, retryAfter })), 503, stays(':\n\n')],
    },
  );
  await stream.opened();
  const [first, second, third] = gaps(requestsTo(server));
  const fourth = (await stream.waits())[3];
  assert.ok(first >= 1000 - SLACK_MS, `${first}`);
  assert.ok(second >= 400 - SLACK_MS, `${second}`);
  assert.ok(third >= 1000 - SLACK_MS, `a date has whole seconds: ${third}`);
  assert.ok(fourth < 400, `asked once: ${fourth}`);
  assert.deepEqual(
    (await stream.errors()).map(({ retryAfterMs }) => retryAfterMs === null),
    [false, false, false, true],
  );
});

test('malformed and past Retry-After ask for nothing', async (t) => {
  const { stream } = await openStream(
    t,
    {},
    {
      script: [
        { status: 503, retryAfter: 'soon' },
        { status: 503, retryAfter: '-5' },
        { status: 503, retryAfter: retryAfter.imfFixdate(-100) },
        stays(':\n\n'),
      ],
    },
  );
  await stream.opened();
  const waits = await stream.waits();
  assert.equal(waits.length, 3);
  for (const wait of waits) assert.ok(wait < 1_000, `${wait}`);
});

test("`retry:` is a floor, and the backoff's base", async (t) => {
  const { server, stream } = await openStream(
    t,
    { backoff: { baseMs: 1, maxMs: 1_000, jitter: 'none' } },
    { script: [ends('retry: 300\n\n'), 503, 503, stays(':\n\n')] },
  );
  await stream.opened(2);
  const [first, second, third] = gaps(requestsTo(server));
  assert.ok(first >= 300 - SLACK_MS, `${first}`);
  const [wait] = await stream.waits();
  assert.ok(wait < 590, `${wait}`);
  assert.ok(second >= 600 - SLACK_MS, `${second}`);
  assert.ok(third >= 1_000 - SLACK_MS, `${third}`);
});

test('`retry:` is taken between 100 ms and 5 min, whatever a server says', async (t) => {
  for (const [said, least, most] of /** @type {Array<[string, number, number]>} */ ([
    ['0', 100, 1_000],
    ['1', 100, 1_000],
    ['99999999999999999999', 300_000, 300_300],
    ['3600000', 300_000, 300_300],
  ])) {
    const { server, stream } = await openStream(
      t,
      { backoff: { baseMs: 1, maxMs: 1 } },
      { script: [ends(`retry: ${said}\n\n`), stays(':\n\n')] },
    );
    const waiting = await until(async () =>
      (await stream.states()).find(({ status }) => status === 'waiting'),
    );
    const wait = waiting.nextRetryAt - requestsTo(server)[0].at;
    assert.ok(wait >= least - SLACK_MS, `retry: ${said} waits ${wait} ms`);
    const [told] = await stream.waits();
    assert.ok(told < most, `retry: ${said} waits ${told} ms`);
    await stream.close();
  }
});

test('a `retry:` that is no number is ignored', async (t) => {
  const { stream } = await openStream(
    t,
    {},
    { config, script: [ends('retry: 5s\n\nretry: -1\n\nretry: 1.5\n\n'), stays(':\n\n')] },
  );
  await stream.opened(2);
  assert.ok((await stream.waits())[0] < 1_000);
});

test('waits double up to their cap, and a first byte does not start them anew', async (t) => {
  const { server, stream } = await openStream(
    t,
    { backoff: { baseMs: 50, maxMs: 400, jitter: 'none' } },
    { script: ends(FIRST) },
  );
  await server.waitFor(URL_PATH, { count: 6 });
  await stream.close();
  const waits = (await stream.states())
    .filter(({ status }) => status === 'waiting')
    .map(({ attempts }) => attempts);
  assert.deepEqual(waits.slice(0, 5), [1, 2, 3, 4, 5]);
  const least = [50, 100, 200, 400, 400];
  gaps(requestsTo(server).slice(0, 6)).forEach((gap, i) => {
    assert.ok(gap >= least[i] - SLACK_MS, `wait ${i + 1}: ${gap} ms`);
  });
});

test('a connection that lived for stableMs starts the waits anew, and `attempts` says so', async (t) => {
  const cut = held();
  const { server, stream } = await openStream(
    t,
    { ...EXACT, stableMs: 250, spreadMs: 0 },
    { script: [503, 503, 503, cutBy(FIRST, cut), stays(':\n\n')] },
  );
  await stream.heard(1);
  const open = (await stream.states()).find(({ status }) => status === 'open');
  assert.equal(open.attempts, 3, 'not by the first byte');
  await until(async () => (await stream.state()).attempts === 0);
  const stable = (await stream.states()).at(-1);
  assert.deepEqual([stable.status, stable.error], ['open', null]);
  cut.release();
  await stream.opened(2);
  assert.deepEqual(
    (await stream.errors()).map(({ attempts }) => attempts),
    [1, 2, 3, 1],
  );
  assert.equal(requestsTo(server).length, 5);
});

test('after a connection that lived, the first wait is spread, so that the pages of a server come back apart', async (t) => {
  const { server, page } = await openStream(t, {}, { script: 404 });
  const cut = held();
  server.on('/api/many/*', cutBy(':\n\n', cut));
  await run(page, async () => {
    const sources = [0, 1, 2, 3].map((i) => {
      const backoff = { baseMs: 1, maxMs: 1 };
      return window.app.events(`/api/many/${i}`, { stableMs: 50, spreadMs: 60_000, backoff });
    });
    const wait = (source) =>
      new Promise((resolve) => {
        source.state.subscribe(() => {
          const { status, nextRetryAt } = source.state.getSnapshot();
          if (status === 'waiting') resolve(nextRetryAt - Date.now());
        });
      });
    window.many = Promise.all(sources.map(wait));
    await Promise.all(sources.map((source) => new Promise((resolve) => (source.onopen = resolve))));
    await new Promise((resolve) => setTimeout(resolve, 100)); // each has lived for stableMs
  });
  cut.release();
  /** @type {number[]} */
  const waits = await run(page, () => window.many);
  assert.ok(
    waits.every((wait) => wait >= -SLACK_MS && wait <= 60_000),
    `${waits}`,
  );
  assert.ok(Math.max(...waits) - Math.min(...waits) > 500, `${waits}`);
});

test('a server that said `retry:` is not made to wait for the spread', async (t) => {
  const { stream } = await openStream(
    t,
    { stableMs: 50, spreadMs: 60_000 },
    { script: [cutAfter('retry: 100\n\n', 200), stays(':\n\n')] },
  );
  await stream.opened(2);
});

test('reconnect() drops an open connection for a new one, from the last id, without an error', async (t) => {
  const { server, stream } = await openStream(t, {}, { script: [stays(FIRST), stays('data: b\n\n')] });
  await stream.heard(1);
  await stream.reconnect();
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  assert.deepEqual(lastIds(server), [null, '1']);
  assert.equal(await stream.fired('error'), 0);
  assert.equal((await stream.state()).reconnects, 1);
  await until(() => connections(server) === 1);
});

test('reconnect() ends a wait, with a fresh backoff', async (t) => {
  const { server, stream } = await openStream(
    t,
    { backoff: { baseMs: 60_000, maxMs: 600_000, jitter: 'none' } },
    { script: [503, 503, stays(FIRST)] },
  );
  await stream.is('waiting');
  await stream.reconnect();
  await server.waitFor(URL_PATH, { count: 2 });
  const { attempts, nextRetryAt } = await stream.is('waiting');
  assert.equal(attempts, 1);
  assert.ok(nextRetryAt - Date.now() <= 60_000);
  await stream.reconnect();
  await stream.heard(1);
});

test('reconnect() many times at once leaves one connection', async (t) => {
  const { server, page, stream } = await openStream(t);
  await stream.opened();
  await run(page, () => {
    for (let i = 0; i < 20; i++) window.stream.source.reconnect();
  });
  await stream.opened(2);
  await arrived(page);
  await until(() => connections(server) === 1);
  assert.ok(await quiet(() => requestsTo(server).length, 200));
});

test('close() ends a wait, and a connection that is being made', async (t) => {
  const { server, stream } = await openStream(t, {}, { script: 'hang' });
  const request = await server.waitFor(URL_PATH);
  await stream.close();
  await until(() => request.closedEarlyAt);
  assert.deepEqual(await stream.log(), [], 'no event follows');
  const { status, error } = await stream.state();
  assert.deepEqual([status, error], ['closed', null]);
  const waiting = await openStream(t, QUICK, { script: 503 });
  // In the moment in which the wait begins: it is a short one.
  await run(waiting.page, () => {
    const { source } = window.stream;
    return new Promise((resolve) => {
      const look = () => source.state.getSnapshot().status === 'waiting' && resolve();
      source.state.subscribe(look);
      look();
    }).then(() => source.close());
  });
  await arrived(waiting.page);
  assert.ok(await quiet(() => requestsTo(waiting.server).length, 300));
});
