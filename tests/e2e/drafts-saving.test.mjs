import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, pass, quiet, row, SAVE, SLOW, saves, sent } from './drafts.mjs';
import { held } from './held.mjs';
import { gaps } from './pages.mjs';

/** What a busy machine may be late by. */
const LATE_MS = 5_000;

/** Fails where it was not so long after, give or take what timers and a busy machine do. @param {number} ms @param {number} leastMs @param {number} [mostMs] */
function assertAfter(ms, leastMs, mostMs = leastMs) {
  assert.ok(ms >= leastMs - 5 && ms <= mostMs + LATE_MS, `after ${ms} ms`);
}

/** How often a busy machine made whoever types pause for so long. @param {number[]} times @param {number} ms */
const halts = (times, ms) => gaps(times.map((at) => ({ at }))).filter((gap) => gap >= ms - 5).length;

// ---------------------------------------------------------------- when

test('what is typed is saved once, so long after the last edit', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 400, maxWaitMs: 60_000 } });
  const { endedAt, count, times } = await tab.typeOn({ everyMs: 50, forMs: 600 });
  await tab.is('saved', 'server');
  assertAfter(saves(server).at(-1).at - endedAt, 400);
  assert.ok(await quiet(() => saves(server).length, 700));
  assert.deepEqual(sent(server).at(-1), { text: `word ${count}` });
  const most = 1 + halts(times, 400);
  assert.ok(saves(server).length <= most, `${saves(server).length} saves, not ${most}`);
});

test('somebody who types without a pause has it saved so long after the first edit, again and again', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 500, maxWaitMs: 1_000 } });
  const { count, times } = await tab.typeOn({ everyMs: 60, forMs: 3_300 });
  await tab.is('saved', 'server');
  const requests = saves(server);
  const words = sent(server).map(({ text }) => Number(text.split(' ')[1]));
  for (const [i, { at }] of requests.entries()) {
    const first = times[words[i - 1] ?? 0]; // that was not saved before
    const hasPaused = at - times[words[i] - 1] >= 495 || halts(times.slice(words[i - 1] ?? 0, words[i]), 500);
    assertAfter(at - first, hasPaused ? 500 : 1_000, 1_000);
  }
  assert.ok(requests.length >= 3 && requests.length <= 5 + halts(times, 500), `${requests.length} saves`);
  assert.equal(words.at(-1), count);
});

test('the device has it as soon, and before it is sent', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 1_000, maxWaitMs: 60_000 } });
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.open(SLOW, 'slow');
  await tab.type({ text: 'later' }, 'slow');
  const typedAt = await tab.type({ text: 'Dear Ben' });
  const request = await server.waitFor(SAVE);
  assertAfter(request.at - typedAt, 1_000);
  const device = await tab.device();
  assert.ok(device.includes('Dear Ben'));
  assert.ok(!device.includes('later'), 'not at each key');
  save.release();
  await tab.is('saved', 'server');
});

test('without an endpoint the device has it so long after the last edit, and at most so long after the first', async (t) => {
  const { tab } = await openDrafts(t, { drafts: { endpoint: false, debounceMs: 300, maxWaitMs: 900 } });
  const { endedAt } = await tab.typeOn({ everyMs: 50, forMs: 200 });
  const { lastSaved } = await tab.is('saved', 'device');
  assertAfter(Date.parse(lastSaved) - endedAt, 300);
  const { startedAt, times } = await tab.typeOn({ everyMs: 50, forMs: 1_600 });
  const next = await until(async () => (await tab.states()).find((state) => state.lastSaved > lastSaved));
  assertAfter(Date.parse(next.lastSaved) - startedAt, halts(times, 300) ? 300 : 900, 900);
});

test('a maxWaitMs below debounceMs is when it is saved', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 60_000, maxWaitMs: 300 } });
  const typedAt = await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  assertAfter(saves(server)[0].at - typedAt, 300);
});

// ---------------------------------------------------------------- how often

test('equal data sends nothing', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'Dear Ben', to: ['ben'] });
  await tab.is('saved', 'server');
  for (let i = 0; i < 3; i++) {
    await tab.type({ text: 'Dear Ben', to: ['ben'] });
    await pass(150);
  }
  assert.equal((await tab.is('saved', 'server')).isSaving, false);
  await tab.flush();
  assert.equal(saves(server).length, 1);
});

test('what is typed and taken back sends nothing', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 200 } });
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  await run(
    tab.page,
    (key) => {
      for (const text of ['Dear Ben,', 'Dear Ben']) window.draft(key).update({ text });
    },
    KEY,
  );
  await tab.is('saved', 'server');
  assert.ok(await quiet(() => saves(server).length, 500));
  assert.equal(saves(server).length, 1);
});

test('isEqual says what is no change', async (t) => {
  const { server, tab } = await openDrafts(t);
  await run(
    tab.page,
    (key) => {
      window.draft(key, { isEqual: (a, b) => a.text.trim() === b.text.trim() });
    },
    KEY,
  );
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Ben  ' });
  await tab.is('saved', 'server');
  await tab.type({ text: 'Dear Bea' });
  await until(() => saves(server).length === 2);
  await tab.is('saved', 'server');
  assert.deepEqual(sent(server), [{ text: 'Dear Ben' }, { text: 'Dear Bea' }]);
});

test('an object that is changed and given again is saved as it is then', async (t) => {
  const { server, tab } = await openDrafts(t);
  await run(
    tab.page,
    (key) => {
      window.letter = { text: 'Dear Ben' };
      window.draft(key).update(window.letter);
    },
    KEY,
  );
  await tab.is('saved', 'server');
  await run(
    tab.page,
    (key) => {
      window.letter.text = 'Dear Bea';
      window.draft(key).update(window.letter);
    },
    KEY,
  );
  await until(() => saves(server).length === 2);
  await tab.is('saved', 'server');
  assert.deepEqual(row(server).data, { text: 'Dear Bea' });
});

test('one save is in flight, and the newest waits', async (t) => {
  const { server, tab } = await openDrafts(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'a' });
  await server.waitFor(SAVE);
  for (const text of ['ab', 'abc', 'abcd']) {
    await tab.type({ text });
    await tab.keeps(text);
  }
  assert.ok(await quiet(() => saves(server).length, 300));
  await tab.is('saving');
  save.release();
  await tab.is('saved', 'server');
  assert.deepEqual(sent(server), [{ text: 'a' }, { text: 'abcd' }]);
  assert.equal(save.most, 1);
  assert.deepEqual(row(server).data, { text: 'abcd' });
});

for (const [answer, status, error] of /** @type {const} */ ([
  ['pass', 'saved', undefined],
  [{ status: 422, body: {} }, 'error', 'invalid'],
]))
  test(`the same text again while it is on its way to an answer of ${status} is not sent twice, and waits for nothing`, async (t) => {
    const { server, tab } = await openDrafts(t);
    const save = held(answer);
    server.on(SAVE, save.step);
    await tab.type({ text: 'a' });
    await server.waitFor(SAVE);
    await tab.type({ text: 'a' });
    await pass(1_000); // the device has long been asked to keep it again
    await tab.is('saving');
    save.release();
    await tab.is(status);
    assert.equal((await tab.state()).error?.kind, error);
    assert.equal((await tab.flush()).status, status);
    assert.deepEqual(sent(server), [{ text: 'a' }]);
  });

test('two drafts are saved each by itself', async (t) => {
  const { server, tab } = await openDrafts(t);
  const save = held('pass');
  server.on((request) => request.method === 'POST' && request.queryValue('key') === 'slow', save.step);
  await tab.type({ text: 'slow' }, 'slow');
  await tab.type({ text: 'quick' }, 'quick');
  await tab.is('saved', 'server', 'quick');
  await tab.is('saving', undefined, 'slow');
  save.release();
  await tab.is('saved', 'server', 'slow');
  assert.deepEqual(
    [row(server, 'slow').data, row(server, 'quick').data],
    [{ text: 'slow' }, { text: 'quick' }],
  );
});

// ---------------------------------------------------------------- what is asked of the server

test('a save says what it is, whose, and on top of which revision', async (t) => {
  const key = 'a letter/to “Ben” & co?#ü';
  const { server, tab } = await openDrafts(t);
  await tab.open({ schemaVersion: 7 }, key);
  await tab.type({ text: 'Dear Ben' }, key);
  await tab.is('saved', 'server', key);
  const first = row(server, key);
  await tab.type({ text: 'Dear Bea' }, key);
  await until(() => saves(server).length === 2);
  await tab.is('saved', 'server', key);
  const [made, saved] = saves(server, key);
  assert.deepEqual([made.headers['if-none-match'], made.headers['if-match']], ['*', undefined]);
  assert.deepEqual(
    [saved.headers['if-none-match'], saved.headers['if-match']],
    [undefined, `"${first.rev}"`],
  );
  for (const [i, request] of [made, saved].entries()) {
    assert.match(request.headers['content-type'], /^application\/json/);
    assert.equal(request.headers['x-expected-user'], 'ada');
    const { data, schemaVersion, saveId, ...more } = request.json();
    assert.deepEqual([data, schemaVersion, more], [{ text: ['Dear Ben', 'Dear Bea'][i] }, 7, {}]);
    assert.ok(typeof saveId === 'string' && saveId);
  }
  assert.notEqual(made.json().saveId, saved.json().saveId);
});

test('a draft without a schema version has 1', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.type({ text: 'Dear Ben' });
  await tab.is('saved', 'server');
  assert.equal(row(server).schemaVersion, 1);
});

for (const [what, data] of /** @type {Array<[string, any]>} */ ([
  ['a text', 'Dear Ben'],
  ['a number', 0],
  ['false', false],
  ['a list', [1, [2, { three: null }]]],
  ['what is not Latin', { text: 'Grüße, 你好 👋 \u2028' }],
  ['half a character', { text: 'half \ud83d' }],
  ['a field called __proto__', JSON.parse('{"__proto__":{"a":1},"constructor":1}')],
])) {
  test(`${what} is saved as it is`, async (t) => {
    const { server, tab } = await openDrafts(t);
    await run(tab.page, ({ key, json }) => window.draft(key).update(JSON.parse(json)), {
      key: KEY,
      json: JSON.stringify(data),
    });
    await tab.is('saved', 'server');
    assert.equal(JSON.stringify(row(server).data), JSON.stringify(data));
  });
}

// ---------------------------------------------------------------- what is said of it

test('a draft is idle, dirty, being saved and saved, one after another', async (t) => {
  const { server, tab } = await openDrafts(t);
  await tab.open();
  assert.deepEqual(await tab.state(), {
    status: 'idle',
    isSaving: false,
    lastSaved: null,
    savedTo: 'nowhere',
    error: null,
    conflict: null,
  });
  const typedAt = await tab.type({ text: 'Dear Ben' });
  assert.equal((await tab.states())[1]?.status, 'dirty', 'at once');
  const { lastSaved, ...saved } = await tab.is('saved');
  assert.deepEqual(saved, {
    status: 'saved',
    isSaving: false,
    savedTo: 'server',
    error: null,
    conflict: null,
  });
  assert.ok(Date.parse(lastSaved) >= typedAt && Date.parse(lastSaved) <= Date.now());
  assert.deepEqual(await tab.statuses(), ['idle', 'dirty', 'saving', 'saved']);
  for (const { status, isSaving } of await tab.states()) assert.equal(isSaving, status === 'saving');
  await tab.type({ text: 'Dear Bea' });
  await until(() => saves(server).length === 2);
  await tab.is('saved');
  assert.deepEqual((await tab.statuses()).slice(3), ['saved', 'dirty', 'saving', 'saved']);
});

test('saved is said once the server has it, not before', async (t) => {
  const { server, tab } = await openDrafts(t);
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'Dear Ben' });
  await server.waitFor(SAVE);
  await pass(300);
  const { status, isSaving, savedTo } = await tab.state();
  assert.deepEqual([status, isSaving], ['saving', true]);
  assert.notEqual(savedTo, 'server');
  assert.ok(!row(server));
  save.release();
  const { lastSaved } = await tab.is('saved', 'server');
  assert.ok(row(server));
  assert.ok(Date.parse(lastSaved) >= row(server).savedAt, 'when it was answered');
  for (const { status, savedTo } of await tab.states())
    if (status === 'saved') assert.equal(savedTo, 'server');
});

test('what is typed during a save is dirty until it is saved itself', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: SLOW });
  const save = held('pass');
  server.on(SAVE, save.step);
  await tab.type({ text: 'a' });
  const flushed = tab.flush();
  await server.waitFor(SAVE);
  await tab.type({ text: 'ab' });
  save.release();
  await until(() => row(server)?.data.text === 'a');
  await flushed;
  await tab.is('dirty');
  await tab.flush();
  await until(() => saves(server).length === 2);
  await tab.is('saved', 'server');
  const all = await tab.states();
  const firstSaved = all.findIndex(({ status }) => status === 'saved');
  assert.equal(firstSaved, all.length - 1, JSON.stringify(all.map(({ status }) => status)));
});

test('without an endpoint saved is said of the device, and nobody is asked for anything', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { endpoint: false } });
  const typedAt = await tab.type({ text: 'Dear Ben' });
  const { lastSaved, error } = await tab.is('saved', 'device');
  assert.ok(Date.parse(lastSaved) >= typedAt && Date.parse(lastSaved) <= Date.now());
  assert.equal(error, null);
  assert.ok((await tab.device()).includes('Dear Ben'));
  assert.deepEqual(await tab.statuses(), ['idle', 'dirty', 'saving', 'saved']);
  await tab.flush();
  await tab.clear();
  assert.deepEqual(server.requestsTo('/api/*'), []);
});

test('a draft of somebody who is not signed in stays on the device', async (t) => {
  const { server, tab } = await openDrafts(t, { signedIn: null });
  await tab.type({ text: 'Dear Ben' });
  await tab.keeps('Dear Ben');
  await tab.flush();
  assert.equal((await tab.state()).savedTo, 'device');
  assert.ok(await quiet(() => server.requestsTo('/api/drafts').length, 400));
  assert.equal(server.requestsTo('/api/drafts').length, 0);
});

test('a snapshot is the same object until something changes, and each one that is told of says something new', async (t) => {
  const { server: answering, tab } = await openDrafts(t);
  await run(tab.page, () => {
    window.same = (get) => {
      const first = get();
      return first === get();
    };
  });
  const [sameAtFirst, sameServer, server] = await run(
    tab.page,
    (key) => {
      const draft = window.draft(key);
      return [same(draft.getSnapshot), same(draft.getServerSnapshot), draft.getServerSnapshot()];
    },
    KEY,
  );
  assert.deepEqual([sameAtFirst, sameServer], [true, true]);
  assert.deepEqual(
    [server.status, server.savedTo, server.lastSaved, server.error],
    ['idle', 'nowhere', null, null],
  );
  await tab.typeOn({ everyMs: 10, forMs: 100 });
  await tab.is('saved', 'server');
  await tab.type({ text: 'more' });
  await tab.flush();
  const seen = await run(
    tab.page,
    (key) => {
      const { draft, states } = window.drafts[key];
      return [
        same(draft.getSnapshot),
        draft.getSnapshot() === states.at(-1),
        new Set(states).size === states.length,
        draft.key,
      ];
    },
    KEY,
  );
  assert.deepEqual(seen, [true, true, true, KEY]);
  const told = (await tab.states()).map((state) => JSON.stringify(state));
  for (const [i, state] of told.entries()) assert.notEqual(state, told[i - 1]);
  const most = 5 * saves(answering).length;
  assert.ok(told.length <= most, `told ${told.length} times, not ${most}`);
});

test('the verbs of a draft work without it, as hooks hand them on', async (t) => {
  const { server, tab } = await openDrafts(t);
  const seen = await run(
    tab.page,
    async (key) => {
      const { update, flush, restore, clear, getSnapshot, subscribe } = window.draft(key);
      let told = 0;
      const stop = subscribe(() => told++);
      update({ text: 'Dear Ben' });
      const { status } = await flush();
      const restored = await restore();
      await clear();
      stop();
      return [status, restored, getSnapshot().status, told > 2];
    },
    KEY,
  );
  assert.deepEqual(seen, ['saved', null, 'idle', true]);
  assert.equal(row(server).data, null);
});

test('who unsubscribed hears no more, and one who throws keeps nobody from hearing', async (t) => {
  const { tab } = await openDrafts(t);
  const heard = await run(
    tab.page,
    async (key) => {
      const draft = window.draft(key);
      const heard = [0, 0];
      const stop = draft.subscribe(() => heard[0]++);
      draft.subscribe(() => {
        throw new URIError('in a listener');
      });
      draft.subscribe(() => heard[1]++);
      stop();
      draft.update({ text: 'Dear Ben' });
      await draft.flush();
      return heard;
    },
    KEY,
  );
  assert.equal(heard[0], 0);
  assert.ok(heard[1] >= 2);
  await tab.is('saved', 'server');
  // Each that was told of, and not the state that it began with.
  await until(async () => tab.page.problems.length >= (await tab.states()).length - 1);
  assert.ok(tab.page.problems.every(({ text }) => text.includes('in a listener')));
  tab.page.problems.length = 0;
});

test('a person who pauses now and then makes one request for each pause', async (t) => {
  const { server, tab } = await openDrafts(t, { drafts: { debounceMs: 400, maxWaitMs: 60_000 } });
  let most = 0;
  for (let pause = 1; pause <= 3; pause++) {
    const { times } = await tab.typeOn({ everyMs: 20, forMs: 100 * pause });
    times.push(await tab.type({ text: `pause ${pause}` }));
    most += 1 + halts(times, 400);
    await tab.is('saved', 'server');
    assert.deepEqual(sent(server).at(-1), { text: `pause ${pause}` });
  }
  assert.ok(saves(server).length >= 3 && saves(server).length <= most, `${saves(server).length} saves`);
});

test('a page without a draft asks for none and opens no database', async (t) => {
  const { server, tab } = await openDrafts(t);
  await pass(2_300); // past the moment at which it looks for what an earlier page left
  assert.deepEqual(await run(tab.page, () => indexedDB.databases()), []);
  assert.deepEqual(server.requestsTo('/api/drafts'), []);
});
