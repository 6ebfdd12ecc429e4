import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkConfig } from '../../js/config.js';
import { createDraftRequests, isLonger } from '../../js/draft-requests.js';
import { KINDS } from '../../js/errors.js';
import { createRequests } from '../../js/request.js';
import type { StabilityConfig } from '../../js/types.js';

// What is sent, and what its answer means, in the numbers of the engine.
const [ACCEPTED, UNAUTHORIZED, OTHER_USER, ABSENT, OUTDATED] = [0, 1, 2, 3, 4] as const;
const [STALE, REFUSED, LATER] = [20, 40, 60] as const;
const NONE = -1;

const ENDPOINT = 'https://app.example.com/api/drafts';
const COPY = { rev: 7, data: { a: 1 }, schemaVersion: 1, saveId: 'w1.3', updatedAt: '2026-11-21T10:00:00Z' };

interface Asked {
  method: string;
  url: URL;
  headers: Headers;
  body: string;
  keepalive: boolean;
}

/** An endpoint that answers as the test says. */
function given(
  t: TestContext,
  answer: (asked: Asked) => Response | Promise<Response>,
  config: StabilityConfig = {},
) {
  const all: Asked[] = [];
  const before = globalThis.fetch;
  t.after(() => void (globalThis.fetch = before));
  globalThis.fetch = async (url, init = {}) => {
    const asked: Asked = {
      method: init.method ?? 'GET',
      url: new URL(`${url}`),
      headers: new Headers(init.headers),
      body: init.body ? new TextDecoder().decode(init.body as Uint8Array) : '',
      keepalive: init.keepalive ?? false,
    };
    all.push(asked);
    return answer(asked);
  };
  const settings = checkConfig({ baseUrl: 'https://app.example.com', ...config });
  const requests = createRequests(
    settings,
    () => {},
    () => {},
  );
  const life = new AbortController();
  return { all, life, ...createDraftRequests(settings, requests, life.signal) };
}

const json = (body: unknown, status = 200, headers = {}): Response =>
  Response.json(body, { status, headers });
const html = (status: number): Response =>
  new Response('<!doctype html><p>Hello', { status, headers: { 'Content-Type': 'text/html' } });

test('a save says for whom, what, and on top of what', async (t) => {
  const { all, save } = given(t, () => json({ rev: 8, updatedAt: '2026-11-21T10:00:00Z' }));
  const answer = await save(ENDPOINT, 'a b&c', 'ada', '{"data":1}', 7, false, false);
  await save(ENDPOINT, 'a b&c', 'ada', '{"data":1}', NONE, false, false);
  const [first, second] = all as [Asked, Asked];
  assert.equal(first.method, 'POST');
  assert.equal(first.url.searchParams.get('key'), 'a b&c');
  assert.equal(first.headers.get('x-expected-user'), 'ada');
  assert.equal(first.headers.get('if-match'), '"7"');
  assert.equal(first.headers.get('content-type'), 'application/json');
  assert.equal(first.body, '{"data":1}');
  assert.equal(first.keepalive, false);
  assert.equal(second.headers.get('if-none-match'), '*');
  assert.equal(second.headers.get('if-match'), null);
  assert.deepEqual([answer!.sent, answer!.rev, answer!.error], [ACCEPTED, 8, undefined]);
});

test('a user key that no header can hold goes as its bytes', async (t) => {
  const { all, read } = given(t, () => json({ rev: 0 }, 404));
  await read(ENDPOINT, 'k', 'Zoë 🌱');
  const bytes = Uint8Array.from(all[0]!.headers.get('x-expected-user')!, (one) => one.charCodeAt(0));
  assert.equal(new TextDecoder().decode(bytes), 'Zoë 🌱');
});

for (const [what, response, sent, kind] of [
  ['200 without a revision', () => json({}), LATER, 'parse'],
  ['200 that is no JSON', () => new Response('yes'), LATER, 'parse'],
  ['HTML', () => html(200), ABSENT],
  ['401', () => json({}, 401), UNAUTHORIZED],
  ['a login page with 401', () => html(401), UNAUTHORIZED],
  ['403', () => json({}, 403), ABSENT],
  ['404 without a revision', () => json({}, 404), ABSENT],
  ['405', () => html(405), ABSENT],
  ['409 otherUser', () => json({ code: 'otherUser' }, 409), OTHER_USER],
  ['409 of another kind', () => json({}, 409), REFUSED, 'conflict'],
  ['412 that says nothing', () => json({}, 412), LATER, 'parse'],
  ['412 with half a copy', () => json({ rev: 8, data: 1 }, 412), LATER, 'parse'],
  ['413', () => json({}, 413), REFUSED, 'tooLarge'],
  ['422', () => json({}, 422), REFUSED, 'invalid'],
  ['426', () => json({}, 426), OUTDATED],
  ['428', () => json({}, 428), REFUSED, 'invalid'],
  ['429', () => json({}, 429), LATER, 'rateLimited'],
  ['500', () => json({}, 500), LATER, 'server'],
  ['a page of the proxy with 502', () => html(502), LATER, 'unavailable'],
  ['501', () => json({}, 501), REFUSED, 'server'],
  ['no answer', () => Promise.reject(new TypeError('Failed to fetch')), LATER, 'network'],
] as Array<[string, () => Response | Promise<Response>, number, (typeof KINDS)[number]?]>) {
  test(`a save that is answered by ${what} is taken for what it is`, async (t) => {
    const { save } = given(t, response);
    const answer = await save(ENDPOINT, 'k', 'ada', '{}', 7, false, false);
    assert.equal(answer!.sent, sent + (kind ? KINDS.indexOf(kind) : 0));
    if (kind) assert.equal(answer!.error!.kind, kind);
  });
}

test('a page where there was an endpoint, or to which a save was sent on, asks who is signed in', async (t) => {
  const moved = Object.defineProperty(html(200), 'redirected', { value: true });
  const answers = [moved, html(200), json({ rev: 8 }), html(200)];
  const { save } = given(t, () => answers.shift()!);
  const sent = [];
  for (let i = 0; i < 4; i++) sent.push((await save(ENDPOINT, 'k', 'ada', '{}', 7, false, false))!.sent);
  assert.deepEqual(sent, [UNAUTHORIZED, ABSENT, ACCEPTED, UNAUTHORIZED]);
});

test('a save that came too late brings what is there', async (t) => {
  const bodies: unknown[] = [COPY, { ...COPY, data: null }, { rev: 0, data: null }];
  const { save } = given(t, () => json(bodies.shift(), 412));
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(await save(ENDPOINT, 'k', 'ada', '{}', 3, false, false));
  assert.deepEqual(
    answers.map((answer) => [answer!.sent, answer!.rev, answer!.copy?.data]),
    [
      [STALE, 7, { a: 1 }],
      [STALE, 7, undefined],
      [STALE, 0, undefined],
    ],
  );
});

test('what the server has is read, or that it has nothing', async (t) => {
  const answers = [
    json(COPY),
    json({ rev: 9 }, 404),
    json({ rev: 0 }, 404),
    json({ ...COPY, updatedAt: 'yesterday' }),
    json({ ...COPY, rev: -1 }),
    json({ ...COPY, saveId: 3 }),
  ];
  const { read } = given(t, () => answers.shift()!);
  const said = [];
  for (let i = 0; i < 6; i++) {
    const { sent, rev, copy } = await read(ENDPOINT, 'k', 'ada');
    said.push([sent, rev, copy?.updatedAt.toISOString()]);
  }
  const garbage = LATER + KINDS.indexOf('parse');
  assert.deepEqual(said, [
    [ACCEPTED, 7, '2026-11-21T10:00:00.000Z'],
    [STALE, 9, undefined],
    [STALE, 0, undefined],
    [garbage, 7, undefined],
    [garbage, NONE, undefined],
    [garbage, 7, undefined],
  ]);
});

test('a clear brings the revision of the tombstone: from the tag, a weak one too, the body, or another question', async (t) => {
  const answers = [
    new Response(null, { status: 204, headers: { ETag: '"9"' } }),
    new Response(null, { status: 204, headers: { ETag: 'W/"10"' } }),
    json({ rev: 11 }, 404),
    new Response(null, { status: 204 }),
    json({ rev: 12 }, 404),
    new Response(null, { status: 204 }),
    json(COPY),
  ];
  const { all, clear } = given(t, () => answers.shift()!);
  const revs = [];
  for (let i = 0; i < 5; i++) {
    const { sent, rev } = await clear(ENDPOINT, 'k', 'ada');
    assert.equal(sent, ACCEPTED);
    revs.push(rev);
  }
  // What another device made since is nothing to build on.
  assert.deepEqual(revs, [9, 10, 11, 12, 0]);
  assert.deepEqual(all.map(({ method }) => method).join(' '), 'DELETE DELETE DELETE DELETE GET DELETE GET');
  assert.ok(all[0]!.keepalive, 'who submits leaves');
  assert.equal(all[0]!.headers.get('if-match'), null, 'clearing wins');
});

test('a wait is what the server asks for, and none where it asks for none', async (t) => {
  const answers = [
    json({}, 503, { 'Retry-After': '7' }),
    json({}, 429, { 'retry-after-ms': '250' }),
    json({}, 503),
    json({}, 422),
  ];
  const { save } = given(t, () => answers.shift()!);
  const waits = [];
  for (let i = 0; i < 4; i++) {
    const { waitMs, error } = (await save(ENDPOINT, 'k', 'ada', '{}', 7, false, false))!;
    waits.push([waitMs, error!.retryAfterMs]);
  }
  assert.deepEqual(waits, [
    [7_000, 7_000],
    [250, 250],
    [NONE, null],
    [NONE, null],
  ]);
});

test('what outlives the page is 60,000 bytes at most, all drafts together; the rest waits for the next page', async (t) => {
  const gates: Array<() => void> = [];
  const { all, save } = given(
    t,
    () => new Promise((go) => gates.push(() => go(json({ rev: 1, updatedAt: '2026-11-21T10:00:00Z' })))),
  );
  const big = 'ü'.repeat(20_000);
  const first = save(ENDPOINT, 'a', 'ada', big, 7, true, true);
  assert.equal(await save(ENDPOINT, 'b', 'ada', big, 7, true, true), undefined, 'the page goes');
  const hidden = save(ENDPOINT, 'c', 'ada', big, 7, true, false);
  await new Promise(setImmediate);
  assert.deepEqual(
    all.map(({ keepalive }) => keepalive),
    [true, false],
  );
  for (const open of gates.splice(0)) open();
  await Promise.all([first, hidden]);
  const later = save(ENDPOINT, 'd', 'ada', big, 7, true, true);
  await new Promise(setImmediate);
  assert.equal(all.at(-1)!.keepalive, true, 'the first one is through');
  gates.pop()!();
  await later;
});

test('a server that does not answer is not waited for longer than configured', async (t) => {
  const stayAwake = setInterval(() => {}, 1_000); // a signal's timeout alone does not keep Node up
  t.after(() => clearInterval(stayAwake));
  const { read } = given(t, () => new Promise(() => {}), { api: { timeoutMs: 20 } });
  const { sent, error } = await read(ENDPOINT, 'k', 'ada');
  assert.deepEqual([sent, error!.kind], [LATER + KINDS.indexOf('timeout'), 'timeout']);
});

test('a hook that throws is no network that fails', async (t) => {
  const cause = new Error('no');
  const onRequest = () => {
    throw cause;
  };
  const { save } = given(t, () => json({}), { api: { onRequest } });
  const { sent, error } = (await save(ENDPOINT, 'k', 'ada', '{}', 7, false, false))!;
  assert.deepEqual([sent, error!.kind, error!.cause], [REFUSED + KINDS.indexOf('invalid'), 'invalid', cause]);
});

test('a text is measured in UTF-8', () => {
  assert.equal(isLonger('ab', 2), false);
  assert.equal(isLonger('ü', 1), true);
  assert.equal(isLonger('ü', 2), false);
  assert.equal(isLonger('🌱', 3), true);
});
