import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { activity, begin, ended, open } from './calls.mjs';
import { held } from './held.mjs';

const NOTHING = { pending: 0, queued: 0, offline: 0 };

test('pending counts the calls that are not settled, queued those of them that wait for a slot', async (t) => {
  const { server, page } = await open(t, { api: { maxConcurrent: 2 } });
  const answers = held({ body: 1 });
  server.on('/api/*', answers.step);
  assert.deepEqual(await activity(page), NOTHING);
  assert.deepEqual(await begin(page, [['/api/1'], ['/api/2'], ['/api/3'], ['/api/4']]), {
    pending: 4,
    queued: 2,
    offline: 0,
  });
  await server.waitFor('/api/*', { count: 2 });
  answers.releaseOne();
  await ended(page, 1);
  assert.deepEqual(await activity(page), { pending: 3, queued: 1, offline: 0 });
  answers.release();
  await ended(page, 4);
  assert.deepEqual(await activity(page), NOTHING);
});

test('a call that waits for its next attempt is pending and not queued', async (t) => {
  const { server, page } = await open(t, {
    api: { backoff: { baseMs: 60_000, jitter: 'none' }, deadlineMs: 90_000 },
  });
  server.on('/api/x', 503);
  await run(page, () => {
    window.control = new AbortController();
    window.call = window.app.api.get('/api/x', { signal: window.control.signal });
  });
  await until(() => run(page, () => window.app.diagnostics().counters.retries));
  assert.deepEqual(await activity(page), { pending: 1, queued: 0, offline: 0 });
  await run(page, () => {
    window.control.abort();
    return window.call;
  });
  assert.deepEqual(await activity(page), NOTHING);
});

test('a body that is still being read keeps its call pending', async (t) => {
  const { server, page } = await open(t);
  const rest = held('b');
  server.on('/api/x', {
    stream: async ({ write }) => {
      await write('a');
      await write(await rest.step());
    },
  });
  await begin(page, [['/api/x']]);
  await until(() => rest.now);
  assert.equal((await activity(page)).pending, 1);
  rest.release();
  await ended(page, 1);
  assert.deepEqual(await activity(page), NOTHING);
});

test('each of those who share a request is counted', async (t) => {
  const { server, page } = await open(t);
  const answer = held({ body: 1 });
  server.on('/api/x', answer.step);
  assert.equal((await begin(page, [['/api/x'], ['/api/x']])).pending, 2);
  answer.release();
  await ended(page, 2);
  assert.deepEqual(await activity(page), NOTHING);
});

test('failures, refusals and aborts are counted down like answers', async (t) => {
  const { server, page } = await open(t, { api: { retries: 0, maxConcurrent: 1, maxQueued: 1 } });
  server.on('/api/cut', 'cut');
  const after = await run(page, async () => {
    const { api } = window.app;
    const control = new AbortController();
    const calls = [
      api.get('/api/cut'),
      api.get('/api/dropped', { priority: 'background' }),
      api.get('http://[broken'),
      api.get('/api/aborted', { signal: control.signal }),
      api.get('/api/aborted', { signal: AbortSignal.abort() }),
      api.fetch('/api/none'),
      api.post('/api/none', 1n),
    ];
    control.abort();
    const kinds = (await Promise.allSettled(calls)).map(({ value }) => value?.error?.kind ?? null);
    return { kinds, activity: api.activity.getSnapshot() };
  });
  assert.deepEqual(after.kinds.slice(0, 5), ['network', 'queueFull', 'invalid', 'aborted', 'aborted']);
  assert.deepEqual(after.activity, NOTHING);
});

test('subscribers hear each change, snapshots are identical until there is one, and an ended subscription is silent', async (t) => {
  const { server, page } = await open(t);
  server.on('/api/x', { body: 1 });
  const seen = await run(page, async () => {
    const { activity, get } = window.app.api;
    const seen = [];
    const end = activity.subscribe(() => seen.push(activity.getSnapshot().pending));
    const before = activity.getSnapshot();
    const isSame = before === activity.getSnapshot();
    await get('/api/x');
    end();
    end();
    await get('/api/x');
    return { seen, isSame, isNew: before !== activity.getSnapshot(), server: activity.getServerSnapshot() };
  });
  assert.deepEqual(seen, { seen: [1, 0], isSame: true, isNew: true, server: NOTHING });
});
