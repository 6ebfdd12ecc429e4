import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../harness/browser.mjs';
import { failure, get, open, post } from './pages.mjs';

test('every body goes as it is, and everything else as JSON', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/*', 204);
  const oks = await run(page, async () => {
    const form = new FormData();
    form.set('name', 'Ada');
    form.set('file', new Blob(['content'], { type: 'text/csv' }), 'a.csv');
    const bytes = new TextEncoder().encode('…bytes…');
    const bodies = {
      string: 'text',
      empty: '',
      form,
      search: new URLSearchParams({ a: '1', b: 'ä' }),
      blob: new Blob(['blob'], { type: 'image/png' }),
      'array-buffer': new TextEncoder().encode('buffer').buffer,
      view: bytes.subarray(3, 8),
      'data-view': new DataView(bytes.buffer, 3, 5),
      object: { a: [1, null], none: undefined, at: new Date(0) },
      array: [1, 2],
      null: null,
      false: false,
      number: 0,
      'to-json': { toJSON: () => ({ b: 2 }) },
      none: undefined,
    };
    const results = [];
    for (const [name, body] of Object.entries(bodies))
      results.push((await window.app.api.post(`/api/${name}`, body)).ok);
    return results;
  });
  assert.deepEqual(oks, Array(15).fill(true));
  const JSON_TYPE = 'application/json';
  const expected = {
    string: ['text', 'text/plain;charset=UTF-8'],
    empty: ['', 'text/plain;charset=UTF-8'],
    search: ['a=1&b=%C3%A4', 'application/x-www-form-urlencoded;charset=UTF-8'],
    blob: ['blob', 'image/png'],
    'array-buffer': ['buffer', undefined],
    view: ['bytes', undefined],
    'data-view': ['bytes', undefined],
    object: ['{"a":[1,null],"at":"1970-01-01T00:00:00.000Z"}', JSON_TYPE],
    array: ['[1,2]', JSON_TYPE],
    null: ['null', JSON_TYPE],
    false: ['false', JSON_TYPE],
    number: ['0', JSON_TYPE],
    'to-json': ['{"b":2}', JSON_TYPE],
    none: ['', undefined],
  };
  for (const [name, [body, type]] of Object.entries(expected)) {
    const [sent] = server.requestsTo(`POST /api/${name}`);
    assert.deepEqual([sent.body, sent.headers['content-type']], [body, type], name);
  }
  const [form] = server.requestsTo('POST /api/form');
  assert.match(form.headers['content-type'], /^multipart\/form-data; boundary=/);
  assert.match(form.body, /name="name"\r\n\r\nAda\r\n/);
  assert.match(form.body, /filename="a.csv"\r\nContent-Type: text\/csv\r\n\r\ncontent\r\n/);
});

test('a content type of the caller is kept', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  await post(page, '/api/x', { a: 1 }, { headers: { 'content-type': 'application/merge-patch+json' } });
  const [sent] = server.requestsTo('/api/x');
  assert.deepEqual([sent.body, sent.headers['content-type']], ['{"a":1}', 'application/merge-patch+json']);
});

// Browsers stream a body over HTTP/2 alone, and ask a service worker first: it stands for such a server here.
test('a stream goes as it is, and only once', async (t) => {
  const { server, page } = await open(t, { api: { backoff: { baseMs: 10 } } }, { fresh: true });
  server.page(
    '/worker.js',
    `onfetch = (event) => {
      if (!event.request.url.includes('/api/')) return;
      event.respondWith(event.request.text().then((body) => fetch(event.request.url, { method: 'PUT', body })));
    };
    oninstall = () => skipWaiting();
    onactivate = (event) => event.waitUntil(clients.claim());`,
    { 'Content-Type': 'text/javascript' },
  );
  server.on('/api/x', [{ body: 'well' }, 503]);
  const results = await run(page, async () => {
    const taken = new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }),
    );
    await navigator.serviceWorker.register('/worker.js');
    await taken;
    const put = () =>
      window.app.api.put(
        '/api/x',
        new ReadableStream({
          start(controller) {
            for (const word of ['one ', 'two']) controller.enqueue(new TextEncoder().encode(word));
            controller.close();
          },
        }),
      );
    return [await put(), await put()];
  });
  assert.equal(results[0].data, 'well');
  const { kind, attempts } = failure(results[1]);
  assert.deepEqual([kind, attempts], ['unavailable', 1], 'it cannot be read twice');
  assert.deepEqual(
    server.requestsTo('/api/x').map(({ body }) => body),
    ['one two', 'one two'],
  );
});

test('a query is appended: arrays repeat the key, null and undefined are left out', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', 204);
  await run(page, () =>
    window.app.api.get('/api/x?own=1#part', {
      query: {
        a: 'ä & =',
        n: 1.5,
        yes: true,
        no: false,
        none: null,
        gone: undefined,
        list: [1, 'b', true],
        empty: [],
      },
    }),
  );
  await get(page, '/api/x', { query: {} });
  await get(page, '/api/x', { query: { own: '' } });
  const [first, second, third] = server.requestsTo('/api/x');
  assert.deepEqual(first.query, [
    ['own', '1'],
    ['a', 'ä & ='],
    ['n', '1.5'],
    ['yes', 'true'],
    ['no', 'false'],
    ['list', '1'],
    ['list', 'b'],
    ['list', 'true'],
  ]);
  assert.deepEqual([second.url, third.url], ['/api/x', '/api/x?own=']);
});

test('a relative URL is resolved against the page, or against baseUrl', async (t) => {
  const { server, page } = await open(t, {}, { path: '/deep/page', fresh: true });
  server.on('/deep/x', { body: 'deep' });
  assert.equal((await get(page, 'x')).data, 'deep');
  const based = await open(t, { baseUrl: '/base/' });
  based.server.on('/base/x', { body: 'based' });
  assert.equal((await get(based.page, 'x')).data, 'based');
});

test('what a body is read as follows its type, or what is asked for', async (t) => {
  const { server, page } = await open(t);
  const types = {
    json: ['application/json; charset=utf-8', '{"a":1}'],
    problem: ['application/problem+json', '{"a":2}'],
    text: ['text/plain', '{"a":3}'],
    xml: ['application/xml', '<a/>'],
    image: ['image/png', 'png'],
    untyped: [null, '{"a":4}'],
    words: [null, 'words'],
  };
  for (const [name, [type, body]] of Object.entries(types))
    server.on(`/api/${name}`, { headers: { 'Content-Type': type }, body: String(body) });
  const auto = await run(
    page,
    async (names) => {
      const read = [];
      for (const name of names) read.push((await window.app.api.get(`/api/${name}`)).data);
      return read;
    },
    Object.keys(types),
  );
  assert.deepEqual(auto, [
    { a: 1 },
    { a: 2 },
    '{"a":3}',
    '<a/>',
    { type: 'image/png', size: 3 },
    { a: 4 },
    'words',
  ]);

  const asked = await run(page, async () => {
    /** @type {Record<string, any>} */
    const read = {};
    for (const parse of /** @type {const} */ (['json', 'text', 'blob', 'arrayBuffer', 'stream', 'none']))
      read[parse] = (await window.app.api.get('/api/text', { parse })).data;
    return {
      ...read,
      stream: await new Response(read.stream).text(),
      bytes: read.arrayBuffer instanceof ArrayBuffer,
    };
  });
  assert.deepEqual(asked, {
    json: { a: 3 },
    text: '{"a":3}',
    blob: { type: 'text/plain', size: 7 },
    arrayBuffer: [...Buffer.from('{"a":3}')],
    stream: '{"a":3}',
    none: null,
    bytes: true,
  });
});

test('no body is null, an empty text or no bytes', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/204', 204);
  server.on('/api/205', 205);
  server.on('/api/empty', { headers: { 'Content-Type': 'application/json' } });
  for (const path of ['/api/204', '/api/205', '/api/empty']) {
    const read = await run(
      page,
      async (path) => {
        /** @type {Record<string, any>} */
        const read = {};
        for (const parse of /** @type {const} */ (['auto', 'json', 'text', 'blob', 'arrayBuffer', 'none']))
          read[parse] = (await window.app.api.get(path, { parse })).data;
        return { ...read, blob: read.blob.size };
      },
      path,
    );
    assert.deepEqual(read, { auto: null, json: null, text: '', blob: 0, arrayBuffer: [], none: null }, path);
  }
  server.on('/api/head', { body: { a: 1 } });
  const head = await run(page, () => window.app.api.head('/api/head'));
  assert.deepEqual([head.ok, head.data, head.status], [true, null, 200]);
  assert.equal(head.headers['content-type'], 'application/json');
});

test('bytes that are no UTF-8, and a byte order mark, are read as a browser reads them', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/bom', { headers: { 'Content-Type': 'application/json' }, body: '\ufeff{"a":1}' });
  server.on('/api/bad', { headers: { 'Content-Type': 'text/plain' }, body: { base64: 'Yf9i' } });
  assert.deepEqual((await get(page, '/api/bom')).data, { a: 1 });
  assert.equal((await get(page, '/api/bad')).data, 'a\ufffdb');
});

test('a schema makes the data, at once or later, and a mismatch is a parse failure with its issues', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { headers: { 'X-Request-Id': 'r1' }, body: { n: '7' } });
  const results = await run(page, async () => {
    const schema = (/** @type {(value: any) => unknown} */ validate) => ({
      '~standard': { version: /** @type {const} */ (1), vendor: 'by hand', validate },
    });
    const get = (/** @type {any} */ validate) => window.app.api.get('/api/x', { schema: schema(validate) });
    return {
      sync: await get((/** @type {any} */ value) => ({ value: Number(value.n) })),
      async: await get(async (/** @type {any} */ value) => ({ value: Number(value.n) + 1 })),
      failing: await get(() => ({ issues: [{ message: 'n is no number', path: ['n'] }] })),
      later: await get(async () => ({ issues: [{ message: 'not at all' }] })),
      throwing: await get(() => {
        throw new Error('boom');
      }),
      rejecting: await get(async () => {
        throw new Error('later');
      }),
    };
  });
  assert.deepEqual([results.sync.data, results.async.data], [7, 8]);
  const failing = failure(results.failing);
  const { kind, status, attempts, requestId, retryable, cause } = failing;
  assert.deepEqual([kind, status, attempts, requestId, retryable], ['parse', 200, 1, 'r1', false]);
  assert.deepEqual(cause, [{ message: 'n is no number', path: ['n'] }]);
  assert.deepEqual(failure(results.later).cause, [{ message: 'not at all' }]);
  for (const [name, said] of [
    ['throwing', 'boom'],
    ['rejecting', 'later'],
  ]) {
    const error = failure(results[name]);
    assert.deepEqual([error.kind, error.cause.message], ['parse', said]);
  }
  assert.equal(server.requestsTo('/api/x').length, 6, 'none is sent again');
});
