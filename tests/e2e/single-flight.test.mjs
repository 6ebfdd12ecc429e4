import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { begin, ended, open } from './calls.mjs';
import { held } from './held.mjs';
import { failure, get, serve } from './pages.mjs';

const ONCE = { retries: 0, breaker: false };

/** Calls at once, each with its own options. @param {import('playwright-core').Page} page @param {Array<[url: string, options?: object]>} calls @returns {Promise<any[]>} */
const all = (page, calls) =>
  run(page, (calls) => Promise.all(calls.map(([url, options]) => window.app.api.get(url, options))), calls);

/** How many requests so many calls at once became. @param {import('../server/fault-server.mjs').FaultServer} server */
const count = (server) => server.requestsTo('/api/*').length;

test('equal GETs at the same time are one request, and each reads its own copy', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: { list: [1, 2] }, headers: { 'X-A': 'b' }, delayMs: 20 });
  const results = await run(page, async () => {
    const calls = [1, 2, 3].map(() => window.app.api.get('/api/x'));
    const results = await Promise.all(calls);
    results[1].data.list.push('mine');
    results[1].headers.set('X-A', 'mine');
    return results;
  });
  assert.equal(count(server), 1);
  assert.deepEqual(
    results.map(({ data }) => data.list),
    [
      [1, 2],
      [1, 2, 'mine'],
      [1, 2],
    ],
  );
  assert.deepEqual(
    results.map(({ headers }) => headers['x-a']),
    ['b', 'mine', 'b'],
  );
  assert.deepEqual(
    results.map(({ meta }) => [meta.shared, meta.attempts]),
    [
      [false, 1],
      [true, 1],
      [true, 1],
    ],
  );
});

test('each parses the shared answer in its own way', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: [1], delayMs: 20 });
  const [json, text, bytes] = await all(page, [
    ['/api/x'],
    ['/api/x', { parse: 'text' }],
    ['/api/x', { parse: 'arrayBuffer' }],
  ]);
  assert.deepEqual([json.data, text.data, bytes.data], [[1], '[1]', [91, 49, 93]]);
  assert.equal(count(server), 1);
});

test('a failure is shared as well, and each has an error of its own', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [
    { status: 503, delayMs: 20 },
    { status: 409, body: { code: 'c' }, delayMs: 20 },
  ]);
  const results = await run(page, async () => {
    const results = await Promise.all([1, 2].map(() => window.app.api.get('/api/x')));
    results[0].error.body.code = 'changed';
    return [...results, results[0].error === results[1].error];
  });
  assert.deepEqual([failure(results[0]).kind, failure(results[1]).kind], ['conflict', 'conflict']);
  assert.equal(results[1].error.body.code, 'c');
  assert.equal(results[2], false);
  assert.deepEqual([results[0].meta.attempts, results[1].meta.attempts], [2, 2]);
  assert.equal(count(server), 2);
});

test('equal HEADs are shared, and not with a GET', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1, delayMs: 20 });
  const results = await run(page, () => {
    const { api } = window.app;
    return Promise.all([api.head('/api/x'), api.head('/api/x'), api.get('/api/x')]);
  });
  assert.deepEqual(
    results.map(({ meta }) => meta.shared),
    [false, true, false],
  );
  assert.deepEqual(
    server
      .requestsTo('/api/x')
      .map(({ method }) => method)
      .sort(),
    ['GET', 'HEAD'],
  );
});

for (const [what, first, second] of /** @type {Array<[string, any, any]>} */ ([
  ['URL', ['/api/x?a=1'], ['/api/x?a=2']],
  ['query', ['/api/x', { query: { a: 1 } }], ['/api/x', { query: { a: 2 } }]],
  ['header', ['/api/x', { headers: { 'X-Tenant': 'a' } }], ['/api/x', { headers: { 'X-Tenant': 'b' } }]],
  ['header that only one has', ['/api/x', { headers: { Accept: 'text/csv' } }], ['/api/x']],
  ['credentials mode', ['/api/x', { credentials: 'omit' }], ['/api/x']],
  ['wish to share', ['/api/x', { dedupe: false }], ['/api/x']],
])) {
  test(`calls that differ in their ${what} are two requests`, async (t) => {
    const { server, page } = await open(t);
    server.on('/api/x', { body: 1, delayMs: 20 });
    const results = await all(page, [first, second]);
    assert.ok(results.every(({ ok, meta }) => ok && !meta.shared));
    assert.equal(count(server), 2);
  });
}

test('the same headers in another order and spelling are the same', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1, delayMs: 20 });
  await all(page, [
    ['/api/x', { headers: { 'X-A': '1', 'X-B': '2' } }],
    ['/api/x', { headers: { 'x-b': '2', 'x-a': '1' } }],
  ]);
  assert.equal(count(server), 1);
});

test('what is not GET or HEAD is never shared', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1, delayMs: 20 });
  await run(page, () => {
    const { api } = window.app;
    const options = { dedupe: true };
    return Promise.all(
      [1, 2].flatMap(() => [
        api.post('/api/x', { a: 1 }, options),
        api.put('/api/x', { a: 1 }),
        api.delete('/api/x'),
        api.request('OPTIONS', '/api/x'),
      ]),
    );
  });
  assert.equal(server.requestsTo((request) => request.path === '/api/x').length, 8);
});

test('a call after the answer is a new request', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: 1 }, { body: 2 }]);
  assert.deepEqual([(await get(page, '/api/x')).data, (await get(page, '/api/x')).data], [1, 2]);
});

test("the first caller's deadline ends only its own wait", async (t) => {
  const { server, page } = await open(t);
  const answer = held({ body: 1 });
  server.on('/api/x', answer.step);
  await run(page, () => {
    const { api } = window.app;
    window.calls = [api.get('/api/x', { deadlineMs: 100 }), api.get('/api/x')];
  });
  assert.equal(failure(await run(page, () => window.calls[0])).kind, 'timeout');
  answer.release();
  const result = await run(page, () => window.calls[1]);
  assert.deepEqual([result.data, result.meta.shared], [1, true]);
  assert.equal(count(server), 1);
});

test("a follower's deadline ends only its own wait", async (t) => {
  const { server, page } = await open(t);
  const answer = held({ body: 1 });
  server.on('/api/x', answer.step);
  await begin(page, [['/api/x']]);
  const follower = await get(page, '/api/x', { deadlineMs: 100 });
  assert.deepEqual([failure(follower).kind, follower.meta.shared], ['timeout', true]);
  answer.release();
  const { '/api/x': first } = await ended(page, 1);
  assert.equal(first.data, 1);
  assert.equal(server.requestsTo('/api/x')[0].closedEarlyAt, null);
});

test("the first caller's abort leaves the followers their request", async (t) => {
  const { server, page } = await open(t);
  const answer = held({ body: 1 });
  server.on('/api/x', answer.step);
  await run(page, () => {
    window.control = new AbortController();
    window.calls = [
      window.app.api.get('/api/x', { signal: window.control.signal }),
      window.app.api.get('/api/x'),
    ];
  });
  await server.waitFor('/api/x');
  const aborted = await run(page, () => {
    window.control.abort('left');
    return window.calls[0];
  });
  assert.deepEqual([failure(aborted).kind, aborted.error.cause], ['aborted', 'left']);
  answer.release();
  const follower = await run(page, () => window.calls[1]);
  assert.deepEqual([follower.data, follower.meta.shared], [1, true]);
  assert.deepEqual([count(server), server.requestsTo('/api/x')[0].closedEarlyAt], [1, null]);
});

test('the last abort cancels the request, and a new call makes a new one', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', ['hang', { body: 2 }]);
  await run(page, () => {
    window.controls = [new AbortController(), new AbortController()];
    window.calls = window.controls.map(({ signal }) => window.app.api.get('/api/x', { signal }));
  });
  const sent = await server.waitFor('/api/x');
  const kinds = await run(page, async () => {
    for (const control of window.controls) control.abort();
    return Promise.all(window.calls.map(async (call) => (await call).error.kind));
  });
  assert.deepEqual(kinds, ['aborted', 'aborted']);
  await until(() => sent.closedEarlyAt);
  assert.equal((await get(page, '/api/x')).data, 2);
});

test('a more urgent caller takes the others along', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  const first = held({ body: 1 });
  server.on('/api/first', first.step);
  server.on('/api/shared', { body: 1 });
  server.on('/api/normal', { body: 1 });
  await begin(page, [
    ['/api/first'],
    ['/api/shared', { priority: 'background' }],
    ['/api/normal'],
    ['/api/shared', { priority: 'critical' }],
  ]);
  await server.waitFor('/api/first');
  first.release();
  await ended(page, 4);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/first', '/api/shared', '/api/normal'],
  );
});

test('a less urgent caller does not slow the others down', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 1 } });
  const first = held({ body: 1 });
  server.on('/api/first', first.step);
  server.on('/api/*', { pass: true });
  await begin(page, [
    ['/api/first'],
    ['/api/other', { priority: 'normal' }],
    ['/api/shared', { priority: 'critical' }],
    ['/api/shared', { priority: 'background' }],
  ]);
  await server.waitFor('/api/first');
  first.release();
  await ended(page, 4);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/first', '/api/shared', '/api/other'],
  );
});

test('headers() that gives another Authorization is another request', async (t) => {
  const { server, page } = await open(t, () => {
    window.turn = 0;
    return {
      api: {
        headers: () => {
          window.turn++;
          return { Authorization: `Bearer ${window.turn > 2 ? 'b' : 'a'}` };
        },
      },
    };
  });
  server.on('/api/x', (request) => ({ body: request.headers.authorization, delayMs: 20 }));
  const results = await all(page, [['/api/x'], ['/api/x'], ['/api/x'], ['/api/x']]);
  assert.deepEqual(
    results.map(({ data, meta }) => [data, meta.shared]),
    [
      ['Bearer a', false],
      ['Bearer a', true],
      ['Bearer b', false],
      ['Bearer b', true],
    ],
  );
  assert.equal(count(server), 2);
});

test('so it is when headers() is asynchronous', async (t) => {
  const { server, page } = await open(t, () => {
    window.turn = 0;
    return {
      api: {
        headers: async () => {
          const turn = ++window.turn;
          await new Promise((resolve) => setTimeout(resolve, 10 - turn));
          return { Authorization: `Bearer ${turn}` };
        },
      },
    };
  });
  server.on('/api/x', (request) => ({ body: request.headers.authorization, delayMs: 20 }));
  const results = await all(page, [['/api/x'], ['/api/x']]);
  assert.deepEqual(
    results.map(({ data }) => data),
    ['Bearer 1', 'Bearer 2'],
  );
});

test("another user's sign-in ends the requests of the one before, and nothing is shared across", async (t) => {
  const { server, page } = await open(t, { api: ONCE, session: {} });
  server.session = [{ user: { id: 'ada' } }, { user: { id: 'bob' } }];
  server.on('/api/check', [401, 204, 401, 204]);
  server.on('/api/slow', ['hang', { body: 'for bob' }]);
  await get(page, '/api/check');
  await begin(page, [['/api/slow']]);
  const before = await server.waitFor('/api/slow');
  await get(page, '/api/check');
  const { '/api/slow': first } = await ended(page, 1);
  assert.equal(failure(first).kind, 'aborted');
  await until(() => before.closedEarlyAt);
  assert.equal((await get(page, '/api/slow')).data, 'for bob');
});

test('api.fetch shares a request, and gives each caller a Response of its own', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: { a: 1 }, delayMs: 20 });
  const seen = await run(page, async () => {
    const responses = await Promise.all([1, 2, 3].map(() => window.app.api.fetch('/api/x')));
    const [first, second, third] = responses;
    const bodies = [await second.text(), await first.json(), await third.clone().json(), await third.json()];
    return { bodies, urls: responses.map(({ url, status, ok }) => [url, status, ok]) };
  });
  assert.deepEqual(seen.bodies, ['{"a":1}', { a: 1 }, { a: 1 }, { a: 1 }]);
  assert.deepEqual(seen.urls, Array(3).fill([`${server.origin}/api/x`, 200, true]));
  assert.equal(count(server), 1);
});

test('a Response that one caller gives up is whole for the others', async (t) => {
  const { server, page } = await open(t);
  const rest = held('rest');
  server.on('/api/x', {
    stream: async ({ write }) => {
      await write('start ');
      await write(await rest.step());
    },
  });
  await run(page, async () => {
    window.control = new AbortController();
    const { signal } = window.control;
    const calls = [{ signal }, {}, {}].map((init) => window.app.api.fetch('/api/x', init));
    window.responses = await Promise.all(calls);
    window.texts = window.responses.slice(0, 2).map((response) => response.text().catch(() => 'ended'));
    await window.responses[2].body.cancel();
    window.control.abort();
  });
  rest.release();
  assert.deepEqual(await run(page, () => Promise.all(window.texts)), ['ended', 'start rest']);
  assert.equal(count(server), 1);
});

for (const who of ['the only one', 'the last of two']) {
  test(`an abort by ${who} who reads the body of api.fetch cancels the request`, {
    timeout: 20_000,
  }, async (t) => {
    const { server, page } = await open(t);
    server.on('/api/x', { body: 'never whole', stallAfterBytes: 5 });
    const texts = await run(
      page,
      async (count) => {
        const controls = Array.from({ length: count }, () => new AbortController());
        const responses = await Promise.all(
          controls.map(({ signal }) => window.app.api.fetch('/api/x', { signal })),
        );
        const texts = responses.map((response) => response.text().catch(() => 'ended'));
        for (const control of controls) control.abort();
        return Promise.all(texts);
      },
      who === 'the only one' ? 1 : 2,
    );
    assert.ok(texts.every((text) => text === 'ended'));
    const [request] = server.requestsTo('/api/x');
    await until(() => request.closedEarlyAt);
    assert.equal(count(server), 1);
  });
}

test('api.fetch with options of its own is not shared with a plain one', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1, delayMs: 20 });
  other.on('/api/x', { body: 2, delayMs: 20 });
  const texts = await run(
    page,
    async (elsewhere) => {
      const { api } = window.app;
      const calls = [
        api.fetch('/api/x'),
        api.fetch('/api/x', { cache: 'no-cache' }),
        api.fetch('/api/x', { redirect: 'manual' }),
        api.fetch(`${elsewhere}/api/x`),
      ];
      return Promise.all(calls.map(async (call) => (await call).text()));
    },
    other.origin,
  );
  assert.deepEqual(texts, ['1', '1', '1', '2']);
  assert.equal(count(server), 3);
});
