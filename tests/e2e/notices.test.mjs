import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { failure, get, open, post } from './pages.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** A client that keeps its notices, whose calls are not tried again. */
const once = () => ({
  api: { retries: 0, breaker: false, maxBodyBytes: 1_000, rateLimit: false },
  session: { confirmations: 1 },
  onNotice: (/** @type {any} */ notice) => {
    /** @type {any} */ (window).notices.push(notice);
  },
});

/** @param {Page} page */
const clear = (page) =>
  run(page, () => {
    /** @type {any} */ (window).notices = [];
  });

/** What was told of calls; that the connection came back is another matter. @param {Page} page @returns {Promise<any[]>} */
const notices = (page) =>
  run(page, () =>
    /** @type {any} */ (window).notices.filter((/** @type {any} */ { kind }) => kind !== 'backOnline'),
  );

test('each kind of failure has a notice with its wording, level and id', async (t) => {
  const { server, page } = await open(t, once);
  await clear(page);
  /** @type {Array<[kind: string, step: any, level: string]>} */
  const kinds = [
    ['network', 'cut', 'error'],
    ['timeout', 'hang', 'error'],
    ['unauthenticated', 401, 'error'],
    ['forbidden', 403, 'error'],
    ['notFound', 404, 'error'],
    ['conflict', 409, 'error'],
    ['outdated', 426, 'error'],
    ['invalid', 418, 'error'],
    ['rateLimited', { status: 429, headers: { 'Retry-After': '12' } }, 'warning'],
    ['unavailable', 503, 'warning'],
    ['server', 500, 'error'],
    ['tooLarge', 413, 'error'],
    ['parse', { headers: { 'Content-Type': 'application/json' }, body: '{' }, 'error'],
  ];
  for (const [kind, step] of kinds) {
    server.on('/api/x', step);
    const options = kind === 'timeout' ? { timeoutMs: 700 } : {};
    assert.equal(failure(await get(page, '/api/x', options)).kind, kind);
  }
  server.session = 'broken';
  server.on('/api/x', 401);
  assert.equal(failure(await get(page, '/api/x')).kind, 'authUnknown');
  const told = await notices(page);
  assert.deepEqual(
    told.map(({ kind, level, id, error }) => [kind, level, id, error.kind]),
    [...kinds, ['authUnknown', 401, 'warning']].map(([kind, , level]) => [
      kind,
      level,
      `evenkeel:${kind}`,
      kind,
    ]),
  );
  const wording = await run(page, () =>
    /** @type {any} */ (window).notices
      .filter((/** @type {any} */ { error }) => error)
      .map((/** @type {any} */ { error }) => window.evenkeel.formatError(error)),
  );
  assert.deepEqual(
    told.map(({ message }) => message),
    wording,
  );
  assert.equal(new Set(wording).size, told.length, 'each has a wording of its own');
  for (const message of wording) {
    assert.match(message, /\. Please /, 'what happened, and the next step');
    assert.doesNotMatch(message, /api|127\.0\.0\.1|undefined|null/);
  }
  assert.equal(
    told.find(({ kind }) => kind === 'rateLimited').message,
    'Too many requests. Please try again in 12 seconds',
  );
});

test('formatError takes other wording by kind', async (t) => {
  const { page } = await open(t);
  const texts = await run(page, async () => {
    const { error } = await window.app.api.get('/api/none');
    const { formatError } = window.evenkeel;
    return [
      formatError(error, { notFound: 'Gone fishing' }),
      formatError(error, { notFound: (/** @type {any} */ e) => `Nothing (${e.status})` }),
      formatError(error, { server: 'Not this one' }) === formatError(error),
    ];
  });
  assert.deepEqual(texts, ['Gone fishing', 'Nothing (404)', true]);
});

test('a storm of failures is one notice for each kind in five seconds', async (t) => {
  const { server, page } = await open(
    t,
    {},
    {
      fresh: true,
      beforeLoad: (page) =>
        page.addInitScript(() => {
          const now = Date.now;
          Object.assign(window, { ahead: 0, notices: [] });
          Date.now = () => now() + /** @type {any} */ (window).ahead;
        }),
    },
  );
  await run(page, () => {
    window.app.dispose();
    Object.assign(window, {
      app: window.evenkeel.createStability({
        api: { retries: 0, breaker: false },
        onNotice: (notice) => /** @type {any} */ (window).notices.push(notice),
      }),
    });
    return window.app.ready;
  });
  server.on('/api/down/*', 503);
  // In one go, so that the page's clock runs on as little as can be between the storms.
  const told = await run(page, async () => {
    const told = [];
    for (const ahead of [0, 1_000, 10_000]) {
      Object.assign(window, { ahead });
      await Promise.all(
        Array.from({ length: 10 }, (_, n) => window.app.api.get(n % 2 ? `/api/down/${n}` : `/api/none/${n}`)),
      );
      const kinds = /** @type {any} */ (window).notices.map((/** @type {any} */ { kind }) => kind);
      told.push(kinds.filter((/** @type {string} */ kind) => kind !== 'backOnline').sort());
    }
    return told;
  });
  const [first, soon, later] = told;
  assert.deepEqual(first, ['notFound', 'unavailable']);
  assert.equal(soon.length, 2);
  assert.deepEqual(later, ['notFound', 'notFound', 'unavailable', 'unavailable']);
  assert.equal(server.requestsTo('/api/*').length, 30);
});

test('aborts, what a form shows by itself, and calls with notify: false give no notice', async (t) => {
  const { server, page } = await open(t, once);
  await clear(page);
  server.on('/api/x', 'hang');
  const aborted = await run(page, () => window.app.api.get('/api/x', { signal: AbortSignal.timeout(50) }));
  assert.equal(failure(aborted).kind, 'aborted');
  for (const status of [400, 422]) {
    server.on('/api/x', status);
    assert.equal(failure(await post(page, '/api/x', {})).kind, 'invalid');
  }
  server.on('/api/x', 500);
  assert.equal(failure(await get(page, '/api/x', { notify: false })).kind, 'server');
  await run(page, () => window.app.api.fetch('/api/x', { notify: false }));
  assert.deepEqual(await notices(page), []);
  await run(page, () => window.app.api.fetch('/api/x'));
  assert.deepEqual(
    (await notices(page)).map(({ kind }) => kind),
    ['server'],
  );
});

test('a call that succeeds in the end gives no notice', async (t) => {
  const { server, page } = await open(t, () => ({
    api: { backoff: { baseMs: 10 } },
    onNotice: (/** @type {any} */ notice) => {
      /** @type {any} */ (window).notices.push(notice);
    },
  }));
  await clear(page);
  server.on('/api/x', [503, 'cut', 204]);
  assert.equal((await get(page, '/api/x')).ok, true);
  assert.deepEqual(await notices(page), []);
});

test('a call that has been retrying for three seconds gives a notice, while it still tries', async (t) => {
  const { server, page } = await open(t, () => ({
    api: { backoff: { baseMs: 6_000, jitter: 'none' } },
    onNotice: (/** @type {any} */ notice) => {
      /** @type {any} */ (window).notices.push({ ...notice, at: Date.now() });
    },
  }));
  await clear(page);
  server.on('/api/x', [503, 204]);
  server.on('/api/silent', [503, 204]);
  const before = Date.now();
  const calls = [get(page, '/api/x'), get(page, '/api/silent', { notify: false })];
  const second = await server.waitFor('/api/x', { count: 2, timeoutMs: 60_000 });
  const [notice] = await notices(page);
  assert.ok(notice.at - before >= 2_990, `told after ${notice.at - before} ms`);
  assert.ok(notice.at < second.at, 'while it waits');
  assert.deepEqual(
    [notice.kind, notice.level, notice.id, notice.error],
    ['retrying', 'info', 'evenkeel:retrying', null],
  );
  for (const result of await Promise.all(calls))
    assert.deepEqual([result.ok, result.meta.attempts], [true, 2]);
  assert.equal((await notices(page)).length, 1);
});

test('a notice handler that throws harms nothing', async (t) => {
  const { page } = await open(t, () => ({
    onNotice: () => {
      throw new Error('a toast that burns');
    },
  }));
  assert.equal(failure(await get(page, '/api/none')).kind, 'notFound');
  await until(() => page.problems.length);
  assert.match(page.problems.splice(0)[0].text, /a toast that burns/);
});
