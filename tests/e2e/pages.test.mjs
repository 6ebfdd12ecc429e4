import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { open } from './calls.mjs';
import { serve } from './pages.mjs';

/**
 * All pages, and what ended them. Functions among the options are given as `functions`, their source.
 * @param {import('playwright-core').Page} page @param {string} url @param {object} options @param {string} [functions]
 */
const read = (page, url, options, functions = '{}') =>
  run(
    page,
    async ({ url, options, functions }) => {
      const pages = [];
      let error = null;
      try {
        for await (const items of window.app.api.pages(url, { ...options, ...window.given?.[functions] }))
          pages.push(items);
      } catch (thrown) {
        error = thrown;
      }
      return { pages, error };
    },
    { url, options, functions },
  );

const urls = (server) => server.requestsTo('/api/*').map(({ url }) => url);

test('pages by cursor: each next page is asked for with the cursor of the one before', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [
    { body: { items: [1, 2], nextCursor: 'b' } },
    { body: { data: [3, 4], next_cursor: 5 } },
    { body: { results: [5], nextCursor: null } },
  ]);
  const { pages, error } = await read(page, '/api/x', { limit: 2, query: { q: 'a b' } });
  assert.deepEqual([pages, error], [[[1, 2], [3, 4], [5]], null]);
  assert.deepEqual(urls(server), [
    '/api/x?q=a+b&limit=2',
    '/api/x?q=a+b&limit=2&cursor=b',
    '/api/x?q=a+b&limit=2&cursor=5',
  ]);
});

test('a body that is an array is the last page by cursor', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: [1, 2] });
  assert.deepEqual((await read(page, '/api/x', { limit: 2 })).pages, [[1, 2]]);
  assert.equal(urls(server).length, 1);
});

test('no items are no page', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: { items: [], nextCursor: 'b' } }, { body: { items: [1] } }]);
  assert.deepEqual((await read(page, '/api/x', { limit: 2 })).pages, [[1]]);
});

test('pages by number: from 1 until a page is short', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: [1, 2] }, { body: [3, 4] }, { body: [5] }]);
  const { pages } = await read(page, '/api/x', { limit: 2, by: 'page' });
  assert.deepEqual(pages, [[1, 2], [3, 4], [5]]);
  assert.deepEqual(urls(server), ['/api/x?limit=2&page=1', '/api/x?limit=2&page=2', '/api/x?limit=2&page=3']);
});

test('a full last page by number is followed by an empty one, which is not shown', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: [1, 2] }, { body: [] }]);
  assert.deepEqual((await read(page, '/api/x', { limit: 2, by: 'page' })).pages, [[1, 2]]);
  assert.equal(urls(server).length, 2);
});

test('pages by Link header: relative targets are resolved against the page that named them', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/a/x', {
    body: [1],
    headers: { Link: '</api/first>; rel="first", <../b/y?page=2&limit=2>; title="a, b"; rel="prev next"' },
  });
  server.on('/api/b/y', [
    { body: [2], headers: { Link: '<?page=3&limit=2>; rel=next' } },
    { body: [3], headers: { Link: '</api/a/x>; rel="prev"' } },
  ]);
  const { pages, error } = await read(page, '/api/a/x', { limit: 2, by: 'link', query: { q: 1 } });
  assert.deepEqual([pages, error], [[[1], [2], [3]], null]);
  assert.deepEqual(urls(server), [
    '/api/a/x?q=1&limit=2',
    '/api/b/y?page=2&limit=2',
    '/api/b/y?page=3&limit=2',
  ]);
});

test('a Link to an origin that is not trusted is not followed', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await open(t);
  other.on('/api/y', { body: [2] });
  server.on('/api/x', { body: [1], headers: { Link: `<${other.origin}/api/y>; rel="next"` } });
  const { pages, error } = await read(page, '/api/x', { limit: 2, by: 'link' });
  assert.deepEqual(pages, [[1]]);
  assert.deepEqual([error.name, error.kind, error.status], ['StabilityError', 'parse', 200]);
  assert.match(error.cause.message, /not trusted/);
  assert.equal(other.requests.length, 0);
});

test('a Link to a trusted origin is followed', async (t) => {
  const other = await serve(t, { cors: true });
  const { server, page } = await open(t, { api: { trustedOrigins: [other.origin] } });
  other.on('/api/y', { body: [2] });
  server.on('/api/x', { body: [1], headers: { Link: `<${other.origin}/api/y>; rel="next"` } });
  const { pages, error } = await read(page, '/api/x', { limit: 2, by: 'link' });
  assert.deepEqual([pages, error], [[[1], [2]], null]);
});

for (const [by, answers] of /** @type {Array<[string, any[]]>} */ ([
  ['link', [{ body: [1], headers: { Link: '<?limit=2>; rel="next"' } }]],
  ['cursor', [{ body: { items: [1], nextCursor: 'a' } }]],
])) {
  test(`by ${by}, a page that names itself as the next one ends with an error, not with a loop`, async (t) => {
    const { server, page } = await open(t);
    server.on('/api/x', answers);
    const { pages, error } = await read(page, '/api/x', { limit: 2, by });
    assert.equal(error.kind, 'parse');
    assert.match(error.cause.message, /read already/);
    assert.ok(urls(server).length <= 2);
    assert.equal(pages.length, urls(server).length);
  });
}

test('a page by Link that names itself is read once', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: [1], headers: { Link: '<?limit=2>; rel="next"' } });
  assert.deepEqual((await read(page, '/api/x', { limit: 2, by: 'link' })).pages, [[1]]);
});

test('an answer longer than the limit is split', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: { items: [1, 2, 3, 4, 5], nextCursor: 'b' } }, { body: { items: [6] } }]);
  assert.deepEqual((await read(page, '/api/x', { limit: 2 })).pages, [[1, 2], [3, 4], [5], [6]]);
});

test('maxPages is the end, whatever the server says', async (t) => {
  const { server, page } = await open(t);
  let at = 0;
  server.on('/api/x', () => ({ body: { items: [++at], nextCursor: at } }));
  const { pages, error } = await read(page, '/api/x', { limit: 1, maxPages: 3 });
  assert.deepEqual([pages, error], [[[1], [2], [3]], null]);
  assert.equal(urls(server).length, 3);
});

test('a page that fails throws its StabilityError, after its retries', async (t) => {
  const { server, page } = await open(t, { api: { retries: 1 } });
  server.on('/api/x', [
    { body: { items: [1], nextCursor: 'b' } },
    503,
    { status: 503, body: { code: 'down' } },
  ]);
  const { pages, error } = await read(page, '/api/x', { limit: 1 });
  assert.deepEqual(pages, [[1]]);
  const { name, kind, status, attempts, body } = error;
  assert.deepEqual(
    [name, kind, status, attempts, body],
    ['StabilityError', 'unavailable', 503, 2, { code: 'down' }],
  );
});

test('a page without a list is an error of kind parse that says what to do', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: { rows: [1] } });
  const { pages, error } = await read(page, '/api/x', { limit: 1 });
  assert.deepEqual([pages, error.kind, error.attempts], [[], 'parse', 1]);
  assert.match(error.cause.message, /items/);
});

test('`items` and `next` say where the list and the cursor are', async (t) => {
  const { server, page } = await open(t);
  await run(page, () => {
    window.given = {
      rows: {
        items: (body) => body.rows,
        next: (_, headers) => headers.get('X-Next'),
      },
    };
  });
  server.on('/api/x', [{ body: { rows: [1] }, headers: { 'X-Next': 'n' } }, { body: { rows: [2] } }]);
  assert.deepEqual((await read(page, '/api/x', { limit: 1 }, 'rows')).pages, [[1], [2]]);
  assert.equal(server.requestsTo('/api/x')[1].queryValue('cursor'), 'n');
});

test('a cursor of 0 and a cursor of special characters are cursors', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [
    { body: { items: [1], nextCursor: 0 } },
    { body: { items: [2], nextCursor: 'a&b=c d' } },
    { body: { items: [3] } },
  ]);
  assert.deepEqual((await read(page, '/api/x', { limit: 1 })).pages, [[1], [2], [3]]);
  assert.deepEqual(
    server.requestsTo('/api/x').map((request) => request.queryValue('cursor')),
    [null, '0', 'a&b=c d'],
  );
});

test('nothing is asked for before it is read, and `break` stops the requests', async (t) => {
  const { server, page } = await open(t);
  let at = 0;
  server.on('/api/x', () => ({ body: { items: [++at], nextCursor: at } }));
  server.on('/api/after', { body: 1 });
  const seen = await run(page, async () => {
    const { api } = window.app;
    const pages = api.pages('/api/x', { limit: 1 });
    await api.get('/api/before');
    for await (const [item] of pages) if (item === 2) break;
    await api.get('/api/after');
    return (await pages[Symbol.asyncIterator]().next()).done;
  });
  assert.equal(seen, true);
  assert.deepEqual(
    server.requestsTo('/api/*').map(({ path }) => path),
    ['/api/before', '/api/x', '/api/x', '/api/after'],
  );
});

test("the caller's signal and headers are those of every page", async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', [{ body: { items: [1], nextCursor: 'b' } }, 'hang']);
  const kind = await run(page, async () => {
    const control = new AbortController();
    const options = { limit: 1, signal: control.signal, headers: { 'X-A': 'b' } };
    const pages = window.app.api.pages('/api/x', options)[Symbol.asyncIterator]();
    await pages.next();
    const second = pages.next().catch((error) => error.kind);
    setTimeout(() => control.abort());
    return second;
  });
  assert.equal(kind, 'aborted');
  assert.ok(server.requestsTo('/api/x').every(({ headers }) => headers['x-a'] === 'b'));
});

test('wrong options throw an error of kind invalid before anything is sent', async (t) => {
  const { server, page } = await open(t);
  for (const options of [
    {},
    { limit: 0 },
    { limit: 1.5 },
    { limit: 1, by: 'date' },
    { limit: 1, maxPages: 0 },
  ]) {
    const { error } = await read(page, '/api/x', options);
    assert.deepEqual([error.name, error.kind, error.attempts], ['StabilityError', 'invalid', 0]);
    assert.match(error.cause.message, /options\.(limit|by|maxPages)/);
  }
  assert.deepEqual(urls(server), []);
});
