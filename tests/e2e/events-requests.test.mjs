import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { open, serve } from './pages.mjs';
import { connections, ends, listen, openStream, QUICK, requestsTo, stays, URL_PATH } from './streams.mjs';

const FIRST = 'id: 1\ndata: a\n\n';

test('a stream may be a POST with a body, the same on each connection', async (t) => {
  const { server, stream } = await openStream(
    t,
    { method: 'POST', body: '{"q":"ü"}', headers: { 'Content-Type': 'application/json' } },
    { script: [ends(FIRST), 503, stays('data: b\n\n')] },
  );
  await stream.heard(2);
  assert.deepEqual(
    requestsTo(server).map(({ method, body, headers }) => [
      method,
      body,
      headers['content-type'],
      headers['last-event-id'],
    ]),
    [
      ['POST', '{"q":"ü"}', 'application/json', undefined],
      ['POST', '{"q":"ü"}', 'application/json', '1'],
      ['POST', '{"q":"ü"}', 'application/json', '1'],
    ],
  );
});

test('headers may be a function, asked for each connection', async (t) => {
  const { server, stream } = await openStream(
    t,
    () => {
      let n = 0;
      return { headers: async () => ({ Authorization: `Bearer ${++n}` }) };
    },
    { script: [ends(FIRST), 503, stays('data: b\n\n')] },
  );
  await stream.heard(2);
  assert.deepEqual(
    requestsTo(server).map(({ headers }) => headers.authorization),
    ['Bearer 1', 'Bearer 2', 'Bearer 3'],
  );
});

test('a headers function that throws is a failed attempt, and asked again', async (t) => {
  const { server, stream } = await openStream(
    t,
    () => {
      let n = 0;
      return {
        headers: () => {
          if (++n === 1) throw new Error('no token yet');
          if (n === 2) return Promise.reject(new Error('nor now'));
          return { Authorization: 'Bearer 3' };
        },
      };
    },
    { script: stays(FIRST) },
  );
  await stream.heard(1);
  assert.equal(await stream.fired('error'), 2);
  assert.equal(requestsTo(server)[0].headers.authorization, 'Bearer 3');
});

test('a headers function that never answers is given up after firstByteMs', async (t) => {
  const { stream } = await openStream(
    t,
    () => {
      let n = 0;
      return { firstByteMs: 1_500, headers: () => (++n === 1 ? new Promise(() => {}) : {}) };
    },
    { script: stays(FIRST) },
  );
  await stream.heard(1);
  assert.deepEqual(await stream.faults(), [['timeout', 0]]);
});

test("the client's headers, hooks and version go to the page's own origin, and to no other", async (t) => {
  const other = await serve(t, {
    cors: { headers: ['Last-Event-ID', 'X-Own', 'X-Tenant', 'X-App-Version'] },
  });
  other.on(URL_PATH, stays(FIRST));
  const { server, page, stream } = await openStream(
    t,
    { headers: { 'X-Own': '1' } },
    {
      config: () => ({
        version: { current: 'v7', onMismatch: 'ignore' },
        api: { headers: () => ({ 'X-Tenant': 'a' }) },
        events: { backoff: { baseMs: 20, maxMs: 100 } },
      }),
      script: stays(FIRST),
    },
  );
  const foreign = await listen(
    page,
    { headers: { 'X-Own': '1' } },
    { url: other.origin + URL_PATH, name: 'foreign' },
  );
  await stream.heard(1);
  await foreign.heard(1);
  const of = (request) => ['x-own', 'x-tenant', 'x-app-version'].map((name) => request.headers[name]);
  assert.deepEqual(of(requestsTo(server)[0]), ['1', 'a', 'v7']);
  assert.deepEqual(of(requestsTo(other)[0]), ['1', undefined, undefined]);
});

test("a stream's own headers win over the client's, and Accept may be another", async (t) => {
  const { server, stream } = await openStream(
    t,
    { headers: { 'x-tenant': 'b', Accept: 'text/event-stream, */*' } },
    {
      config: { events: QUICK, api: { headers: { 'X-Tenant': 'a' } } },
      script: stays(FIRST),
    },
  );
  await stream.heard(1);
  const [{ headers }] = requestsTo(server);
  assert.deepEqual([headers['x-tenant'], headers.accept], ['b', 'text/event-stream, */*']);
});

test('onRequest sees each connection, with its attempt', async (t) => {
  const { server, stream } = await openStream(
    t,
    {},
    {
      config: () => ({
        events: { backoff: { baseMs: 20, maxMs: 100 } },
        api: {
          onRequest(request, { attempt }) {
            const headers = new Headers(request.headers);
            headers.set('X-Attempt', `${attempt}`);
            return new Request(request, { headers });
          },
        },
      }),
      script: [ends(FIRST), stays('data: b\n\n')],
    },
  );
  await stream.heard(2);
  assert.deepEqual(
    requestsTo(server).map(({ headers }) => [headers['x-attempt'], headers['last-event-id']]),
    [
      ['1', undefined],
      ['2', '1'],
    ],
  );
});

test('cookies go to the own origin always, and to another with withCredentials', async (t) => {
  const other = await serve(t, { cors: true });
  other.on(URL_PATH, stays(FIRST));
  const { server, page } = await open(t, { events: QUICK });
  server.on(URL_PATH, stays(FIRST));
  for (const { origin } of [server, other])
    await page.context().addCookies([{ name: 'who', value: 'ada', url: origin }]);
  t.after(() => page.context().clearCookies());
  const heard = [
    [{}, server, 'who=ada'],
    [{}, other, undefined],
    [{ withCredentials: true }, other, 'who=ada'],
  ];
  for (const [options, at, cookie] of /** @type {any[]} */ (heard)) {
    at.clear();
    const stream = await listen(page, options, { url: at.origin + URL_PATH });
    await stream.heard(1);
    assert.equal(requestsTo(at)[0].headers.cookie, cookie);
    assert.equal(await run(page, () => window.stream.source.withCredentials), !!options.withCredentials);
    await stream.close();
  }
});

test('a foreign origin that does not let the page in is a failed attempt, and tried again', async (t) => {
  const other = await serve(t);
  other.on(URL_PATH, stays(FIRST));
  const { page } = await open(t, { events: QUICK });
  const stream = await listen(page, {}, { url: other.origin + URL_PATH });
  await other.waitFor(URL_PATH, { count: 2 });
  assert.deepEqual((await stream.faults())[0], ['network', 0]);
  await stream.close();
  page.problems.length = 0; // Chromium's word on CORS
});

test('redirects are followed on each connection, and the events are of where they end', async (t) => {
  const other = await serve(t, { cors: true });
  other.on(URL_PATH, [ends(FIRST), stays('data: b\n\n')]);
  const redirect = held({ status: 307, headers: { Location: `${other.origin}${URL_PATH}` } });
  const { server, page, stream } = await openStream(t, { firstByteMs: 600_000 }, { script: redirect.step });
  await run(page, () => {
    window.origins = [];
    window.stream.source.addEventListener('message', ({ origin }) => window.origins.push(origin));
  });
  redirect.release();
  await stream.heard(2);
  assert.equal(requestsTo(server).length, 2, 'asked at its own URL again');
  assert.deepEqual(
    requestsTo(other).map(({ headers }) => headers['last-event-id']),
    [undefined, '1'],
  );
  assert.deepEqual(await run(page, () => window.origins), [other.origin, other.origin]);
  assert.equal(await run(page, () => window.stream.source.url), server.origin + URL_PATH);
});

test('a redirect without end is a failed attempt', async (t) => {
  const { stream } = await openStream(t, {}, { script: [{ status: 302, headers: { Location: URL_PATH } }] });
  await until(async () => (await stream.fired('error')) > 0);
  assert.deepEqual((await stream.faults())[0], ['network', 0]);
});

for (const url of ['ftp://localhost/x', 'mailto:a@b', 'javascript:0', 'file:///x', 'ws://localhost/x']) {
  test(`${url} cannot be a stream, and closes`, async (t) => {
    const { page } = await open(t, { events: QUICK });
    const stream = await listen(page, {}, { url });
    const { error } = await stream.closed();
    assert.deepEqual([error.kind, error.status], ['invalid', 0]);
    assert.deepEqual(await stream.log(), [['error', 2]]);
    assert.equal(await run(page, () => window.stream.source.url), new URL(url).href);
  });
}

test('a URL that cannot be parsed is a SyntaxError at once', async (t) => {
  const { page } = await open(t, { events: QUICK });
  for (const url of ['http://[', 'http://:80/', 'http://a:b:c/']) {
    const error = await run(
      page,
      (url) => {
        try {
          window.app.events(url);
        } catch (error) {
          return error;
        }
      },
      url,
    );
    assert.equal(error?.name, 'SyntaxError', url);
  }
});

test('relative URLs are resolved against baseUrl, without the fragment on the wire', async (t) => {
  const { server, page } = await open(t, { events: QUICK, baseUrl: '/api/v2/' });
  server.on('/api/v2/events', stays(FIRST));
  const stream = await listen(page, {}, { url: 'events?a=1#part' });
  await stream.heard(1);
  const [request] = server.requestsTo('/api/v2/events');
  assert.equal(request.url, '/api/v2/events?a=1');
  assert.equal(await run(page, () => window.stream.source.url), `${server.origin}/api/v2/events?a=1#part`);
  await stream.close();
  await until(() => connections(server, '/api/v2/events') === 0);
});

test('nothing is asked of a cache', async (t) => {
  const { server, stream } = await openStream(
    t,
    {},
    {
      script: [
        ends(FIRST, { headers: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'max-age=600' } }),
        stays('data: b\n\n'),
      ],
    },
  );
  await stream.heard(2);
  assert.equal(requestsTo(server).length, 2);
  assert.ok(requestsTo(server).every(({ headers }) => headers['cache-control'] === 'no-cache'));
});
