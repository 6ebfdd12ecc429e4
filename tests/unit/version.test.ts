import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { checkConfig } from '../../js/config.js';
import { createDiagnostics } from '../../js/diagnostics.js';
import { nextTask } from '../../js/next-task.js';
import type { Notices } from '../../js/notices.js';
import type { Requests } from '../../js/request.js';
import type { Runtime } from '../../js/runtime.js';
import type { VersionConfig, VersionState } from '../../js/types.js';
import { createVersion } from '../../js/version.js';

// What the engine is told, and tells, in its numbers.
const [SEEN, REFUSED, CHECKED, CHECK, CHUNK_FAILED, HOLD, RELEASED, APPLY, DISMISS, PREPARED, UNRECORDED] =
  Array.from({ length: 11 }, (_, what) => what) as number[];
const [TOLD_CHECKED, TOLD_NOTICE, TOLD_PREPARE, TOLD_RELOAD] = [0, 1, 2, 3] as const;
const [CURRENT, AVAILABLE, RELOADING, BLOCKED] = [0, 1, 2, 3] as const;
const [RELOAD, PROMPT, IGNORE] = [0, 1, 2] as const;
const NONE = -1;

const GONE = new TypeError('Failed to fetch dynamically imported module: /assets/page-3f.js');
const KEY = 'evenkeel:1:evenkeel:versions';

const settled = (): Promise<void> => new Promise(setImmediate);
const isPending = async (promise: Promise<unknown>): Promise<boolean> =>
  (await Promise.race([promise.catch(() => {}), settled().then(() => 'pending')])) === 'pending';

/** A page of version a, the engine of which is in the hands of the test. */
function pageOf(t: TestContext, config: Partial<VersionConfig> | false = {}) {
  const stored = new Map<string, string>();
  const reloads: string[] = [];
  const notices: string[] = [];
  const calls: number[][] = [];
  const asked: RequestInit[] = [];
  const events = new EventTarget();
  const active: { value?: string; defaultValue?: string } = {};
  const page = {
    sessionStorage: {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => void stored.set(key, value),
    },
    addEventListener: events.addEventListener.bind(events),
    document: { activeElement: active },
  };
  const before = Object.entries(page).map(
    ([name, value]) => [name, Object.getOwnPropertyDescriptor(globalThis, name), value] as const,
  );
  for (const [name, , value] of before)
    Object.defineProperty(globalThis, name, { configurable: true, value, writable: true });
  t.after(() => {
    version.dispose();
    for (const [name, was] of before)
      Object.defineProperty(globalThis, name, was ?? { configurable: true, value: undefined });
  });

  let answer: () => Response | Promise<Response> = () => Response.json({ version: 'a' });
  const requests = {
    plan: (method: string, url: string, _body: unknown, _options: object, init: RequestInit) => {
      asked.push({ method, ...init });
      return { url, trusted: true };
    },
    standing: () => undefined,
    send: async () => answer(),
    isTrusted: (url: URL) => url.origin === 'https://app.example.com',
  };
  const engine = { version: (...args: number[]) => void calls.push(args) };
  const blocked = Promise.reject(new Error('blocked by CSP'));
  blocked.catch(() => {});
  let status: 'none' | 'starting' | 'running' | 'failed' = 'none';
  let start = (_: unknown): void => {};
  let started: Promise<unknown> | undefined;
  const runtime = {
    engine: () => (status === 'running' ? engine : undefined),
    failed: () => status === 'failed',
    start() {
      if (status === 'failed') return blocked;
      if (status === 'none') status = 'starting';
      started ??= new Promise((resolve) => (start = resolve));
      return started;
    },
  };
  const diagnostics = createDiagnostics('1');
  const version = createVersion(
    checkConfig({
      startTimeoutMs: 20,
      version: config && {
        current: 'a',
        flushTimeoutMs: 20,
        reload: () => reloads.push('reload'),
        ...config,
      },
    }),
    requests as unknown as Requests,
    () => runtime as unknown as Runtime,
    { say: (...said: string[]) => void notices.push(said[0]!) } as unknown as Notices,
    diagnostics,
  );
  version.begin();
  const { host, sync } = version;
  return {
    version,
    sync,
    host,
    stored,
    reloads,
    notices,
    calls,
    asked,
    active,
    diagnostics,
    status: () => status,
    answers: (next: typeof answer) => (answer = next),
    /** What the engine was told since the last time. */
    told: () => calls.splice(0),
    fire(type: string, detail: object = {}): Event {
      const event = new Event(type, { cancelable: true });
      for (const [name, value] of Object.entries(detail)) Object.defineProperty(event, name, { value });
      events.dispatchEvent(event);
      return event;
    },
    /** The engine runs, and has the numbers. */
    runs(): number[] {
      const numbers = version.numbers();
      status = 'running';
      start(undefined);
      version.ran();
      return numbers;
    },
    traps(): void {
      status = 'starting';
      version.trapped();
    },
    fails(): void {
      status = 'failed';
      version.failed();
      start(undefined);
    },
    /** The engine knows of version number `latest`. */
    shows(latest: number, status: number = AVAILABLE, blockedBy = NONE, dismissed = false): void {
      host.showVersion(status, latest, status ? 0 : NONE, blockedBy, dismissed);
    },
  };
}

/** A page whose engine runs. */
function runningOf(t: TestContext, config: Partial<VersionConfig> = {}) {
  const page = pageOf(t, config);
  page.runs();
  page.told();
  return page;
}

// ---------------------------------------------------------------- off, and before anything

test('where it is off the state never changes, a guarded import passes through, and nothing is started', async (t) => {
  const { sync, version, calls, status } = pageOf(t, false);
  const state = sync.getSnapshot();
  assert.deepEqual(state, {
    current: '',
    latest: null,
    status: 'current',
    reason: null,
    blockedBy: null,
    dismissed: false,
  });
  assert.equal(await sync.check(), state);
  await sync.applyUpdate();
  sync.dismiss();
  sync.hold()();
  sync.reportChunkError(GONE);
  sync.subscribe(() => {})();
  assert.equal(await sync.guard(async () => 5), 5);
  await assert.rejects(
    sync.guard(() => Promise.reject(GONE)),
    GONE,
  );
  version.failed();
  assert.equal(status(), 'none');
  assert.deepEqual(calls, []);
});

test('to look at the state starts nothing, to use it does', (t) => {
  const { sync, status } = pageOf(t);
  assert.deepEqual(sync.getSnapshot(), sync.getServerSnapshot());
  assert.equal(sync.getSnapshot().current, 'a');
  assert.equal(status(), 'none');
  const uses: Array<(page: ReturnType<typeof pageOf>['sync']) => unknown> = [
    (sync) => sync.subscribe(() => {}),
    (sync) => sync.check(),
    (sync) => sync.applyUpdate(),
    (sync) => sync.dismiss(),
    (sync) => sync.hold(),
    (sync) => sync.guard(async () => 5),
    (sync) => sync.reportChunkError(GONE),
  ];
  for (const use of uses) {
    const page = pageOf(t);
    use(page.sync);
    assert.equal(page.status(), 'starting', use.toString());
  }
});

test('the engine is started with the options, and with what this tab ran', (t) => {
  t.mock.method(Date, 'now', () => 5_000);
  const page = pageOf(t, { pollMs: false, endpoint: false });
  page.stored.set(KEY, JSON.stringify([['b', 4_000]]));
  assert.deepEqual(page.runs(), [0, -1, 3_000, 10_000, 600_000, 20, 2, 2, 4_000, 0, 5_000]);
  assert.deepEqual(JSON.parse(page.stored.get(KEY)!), [
    ['b', 4_000],
    ['a', 5_000],
  ]);
  page.stored.set(KEY, 'nonsense');
  assert.deepEqual(page.version.numbers().slice(6), [-1]);
  // The number of a version that was reloaded for is the same in the next engine.
  page.stored.set(KEY, JSON.stringify([['b', 4_500]]));
  assert.deepEqual(page.version.numbers().slice(6), [2, 2, 4_500, 0, 5_000]);
});

// ---------------------------------------------------------------- what is seen

test('another version in a response is told once, and what the app wants with it', (t) => {
  const wanted: string[] = [];
  const { version, told } = runningOf(t, {
    onMismatch(latest) {
      wanted.push(latest);
      return 'ignore';
    },
  });
  for (let i = 0; i < 100; i++) version.saw('a', 200);
  assert.deepEqual(told(), []);
  for (let i = 0; i < 100; i++) version.saw('b', 200);
  version.saw('c', 200);
  assert.deepEqual(told(), [
    [SEEN, 2, IGNORE],
    [SEEN, 3, IGNORE],
  ]);
  assert.deepEqual(wanted, ['b', 'c']);
});

test('what is no version is ignored', (t) => {
  const { version, told } = runningOf(t);
  for (const header of [null, '', 'x'.repeat(129)]) version.saw(header, 200);
  assert.deepEqual(told(), []);
  version.saw('x'.repeat(128), 404);
  assert.deepEqual(told(), [[SEEN, 2, RELOAD]]);
});

test('a header that is not known to be right is told again once a second, for a check to be worth it later', (t) => {
  let now = 1_000_000;
  t.mock.method(Date, 'now', () => now);
  const { version, told, shows } = runningOf(t);
  version.saw('b', 200);
  now += 999;
  version.saw('b', 200);
  assert.equal(told().length, 1);
  now += 1;
  version.saw('b', 200);
  assert.equal(told().length, 1);
  shows(2);
  now += 60_000;
  version.saw('b', 200);
  assert.equal(told().length, 0);
});

test('the page’s own version is news only without an endpoint, once another was known', (t) => {
  for (const endpoint of [false, '/api/version'] as const) {
    const { version, told, shows } = runningOf(t, { endpoint });
    version.saw('a', 200);
    version.saw('b', 200);
    shows(2);
    told();
    version.saw('a', 200);
    assert.deepEqual(told(), endpoint ? [] : [[SEEN, 0, RELOAD]]);
  }
});

test('a server that refuses this version is told of, each time', (t) => {
  const wanted: string[] = [];
  const { version, told } = runningOf(t, {
    onMismatch(latest) {
      wanted.push(latest);
      return 'prompt';
    },
  });
  version.saw(null, 426);
  version.saw(null, 426);
  version.saw('b', 426);
  assert.deepEqual(told(), [
    [REFUSED, 0, PROMPT],
    [REFUSED, 0, PROMPT],
    [SEEN, 2, PROMPT],
    [REFUSED, 0, PROMPT],
  ]);
  assert.deepEqual(wanted, ['', '', 'b', '']);
});

test('an app that throws when it is asked, or answers nonsense, is taken to ask the person', (t) => {
  const later: Array<() => void> = [];
  t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => later.push(job));
  const { version, told } = runningOf(t, {
    onMismatch(latest) {
      if (latest === 'b') throw new Error('no idea');
      return 'later' as never;
    },
  });
  version.saw('b', 200);
  version.saw('c', 200);
  assert.deepEqual(told(), [
    [SEEN, 2, PROMPT],
    [SEEN, 3, PROMPT],
  ]);
  assert.equal(later.length, 1);
  assert.throws(later[0]!, /no idea/);
});

test('what was seen before the engine ran is told when it runs', (t) => {
  const { version, told, runs, sync } = pageOf(t);
  version.saw('b', 426);
  sync.hold();
  sync.reportChunkError(GONE);
  runs();
  assert.deepEqual(told(), [
    [HOLD, 1, 0],
    [SEEN, 2, RELOAD],
    [REFUSED, 0, RELOAD],
    [CHUNK_FAILED, 0, 0],
    [CHECK, 0, 0],
  ]);
});

test('a server that makes up a version for each response does not fill the memory', (t) => {
  const { version, told, host, sync } = runningOf(t);
  for (let i = 0; i < 1_000; i++) version.saw(`v${i}`, 200);
  const numbers = new Set(told().map(([, number]) => number));
  assert.ok(numbers.size <= 256);
  host.showVersion(AVAILABLE, 2, 0, NONE, false);
  assert.equal(sync.getSnapshot().latest, 'v0');
});

// ---------------------------------------------------------------- the endpoint

test('the endpoint’s answer is told, and every other one as no answer', async (t) => {
  const { version, told, answers, asked } = runningOf(t);
  const answer = async (response: Response | Error): Promise<number> => {
    answers(() => (response instanceof Error ? Promise.reject(response) : response));
    await version.ask(new AbortController().signal);
    const [[what, found] = []] = told();
    assert.equal(what, CHECKED);
    return found!;
  };
  assert.equal(await answer(Response.json({ version: 'a' })), 0);
  assert.equal(await answer(Response.json({ version: 'b', more: 1 })), 2);
  assert.equal(await answer(Response.json({ version: 'b' })), 2);
  assert.deepEqual(asked[0], { method: 'GET', cache: 'no-store', body: undefined });
  for (const wrong of [
    Response.json({ version: '' }),
    Response.json({ version: 5 }),
    Response.json({ version: 'x'.repeat(129) }),
    Response.json(null),
    Response.json('b'),
    new Response('b'),
    new Response(null, { status: 204 }),
    Response.json({ version: 'b' }, { status: 500 }),
    Response.json({ version: 'b' }, { status: 404 }),
    new Response('{"version":"b"}', { headers: { 'content-type': 'text/html' } }),
    new TypeError('Failed to fetch'),
  ])
    assert.equal(await answer(wrong), NONE);
});

test('an endpoint that refuses this version has answered, with a name or without', async (t) => {
  const { version, told, answers } = runningOf(t);
  for (const [named, number] of [
    ['b', 2],
    ['a', 1],
    ['', 1],
  ] as const) {
    answers(() => new Response('outdated', { status: 426, headers: { 'x-app-version': named } }));
    await version.ask(new AbortController().signal);
    assert.deepEqual(told(), [[CHECKED, number, RELOAD]]);
  }
});

test('a question that was given up is answered by nobody', async (t) => {
  const { version, told, answers } = runningOf(t);
  const control = new AbortController();
  answers(() => new Promise(() => {}));
  const asking = version.ask(control.signal);
  await settled();
  control.abort();
  assert.equal(await asking, -3);
  assert.deepEqual(told(), []);
});

test('a check is asked of the engine, and all who wait have the state when it is over', async (t) => {
  const { sync, told, host, shows } = runningOf(t);
  const checks = [sync.check(), sync.check()];
  assert.deepEqual(told(), [
    [CHECK, 0, 0],
    [CHECK, 0, 0],
  ]);
  assert.equal(await isPending(checks[0]!), true);
  host.toldVersion(TOLD_CHECKED, 0, 0);
  shows(0, CURRENT);
  assert.deepEqual(
    (await Promise.all(checks)).map(({ latest }) => latest),
    ['a', 'a'],
  );
});

test('a check before the engine runs waits for it', async (t) => {
  const { sync, told, host, runs, asked } = pageOf(t);
  const check = sync.check();
  runs();
  assert.deepEqual(told(), [[CHECK, 0, 0]]);
  host.toldVersion(TOLD_CHECKED, 0, 0);
  await check;
  assert.equal(asked.length, 0);
});

test('a check does not wait for an engine that comes too late, and the engine finds out by itself', async (t) => {
  const { sync, runs, told, answers, asked, shows, host, notices } = pageOf(t);
  answers(() => Response.json({ version: 'b' }));
  const [state] = await Promise.all([sync.check(), sync.check()]);
  assert.deepEqual([state.status, state.latest, asked.length], ['updateAvailable', 'b', 1]);
  assert.deepEqual(notices, []);
  runs();
  assert.deepEqual(told(), [[CHECK, 0, 0]]);
  shows(2, RELOADING);
  host.toldVersion(TOLD_CHECKED, 0, 0);
  assert.equal(sync.getSnapshot().status, 'reloading');
});

// ---------------------------------------------------------------- what is shown

test('the state is what the engine shows, in words, and in diagnostics', (t) => {
  const { sync, host, diagnostics, version } = runningOf(t);
  version.saw('b', 200);
  const shown: VersionState[] = [];
  sync.subscribe(() => shown.push(sync.getSnapshot()));
  host.showVersion(AVAILABLE, 2, 0, NONE, false);
  host.showVersion(BLOCKED, 2, 1, 3, true);
  host.showVersion(RELOADING, 1, 1, NONE, false);
  host.showVersion(CURRENT, 0, NONE, NONE, false);
  assert.deepEqual(
    shown.map(({ latest, status, reason, blockedBy, dismissed }) =>
      [latest, status, reason, blockedBy, dismissed].join(),
    ),
    [
      'b,updateAvailable,mismatch,,false',
      'b,blocked,chunkError,loopGuard,true',
      ',reloading,chunkError,,false',
      'a,current,,,false',
    ],
  );
  const { events } = diagnostics.snapshot();
  assert.deepEqual(
    events.filter(({ type }) => type === 'version').map(({ status }) => status),
    ['updateAvailable', 'blocked', 'reloading', 'current'],
  );
});

test('a person is told when the engine says so, and dismissing is the engine’s to note', (t) => {
  const { host, notices, sync, told } = runningOf(t);
  host.toldVersion(TOLD_NOTICE, 0, 0);
  assert.deepEqual(notices, ['updateAvailable']);
  sync.dismiss();
  assert.deepEqual(told(), [[DISMISS, 0, 0]]);
});

test('a version that comes right after another is told of a little later, unless it went or is not wanted', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const told = (end: (page: ReturnType<typeof pageOf>) => void): number => {
    const page = runningOf(t);
    page.shows(2);
    page.host.toldVersion(TOLD_NOTICE, 0, 0);
    t.mock.timers.tick(1_000);
    page.shows(3);
    page.host.toldVersion(TOLD_NOTICE, 0, 0);
    assert.equal(page.notices.length, 1);
    end(page);
    t.mock.timers.tick(3_999);
    assert.equal(page.notices.length, 1);
    t.mock.timers.tick(60_000);
    return page.notices.length;
  };
  assert.equal(
    told(() => {}),
    2,
  );
  assert.equal(
    told((page) => page.shows(0, CURRENT)),
    1,
  );
  assert.equal(
    told((page) => page.shows(3, AVAILABLE, NONE, true)),
    1,
  );
  assert.equal(
    told((page) => page.version.dispose()),
    1,
  );
});

test('holds add up, and each is let go once', (t) => {
  const { sync, told } = runningOf(t);
  const [first, second] = [sync.hold(), sync.hold()];
  first();
  first();
  assert.deepEqual(told(), [[HOLD, 1, 0]]);
  second();
  second();
  assert.deepEqual(told(), [[HOLD, 0, 0]]);
});

test('activity is told more exactly while there is something newer', (t) => {
  const { version, shows } = runningOf(t);
  assert.equal(version.paceMs(), 1_000);
  shows(2);
  assert.equal(version.paceMs(), 100);
});

// ---------------------------------------------------------------- the reload

test('the page is made ready, the version noted, and then it is reloaded', async (t) => {
  const steps: string[] = [];
  const { host, told, version, reloads, stored, diagnostics } = runningOf(t, {
    beforeReload: () => void steps.push('clear'),
  });
  version.saw('b', 200);
  told();
  host.toldVersion(TOLD_PREPARE, 0, 0);
  await settled();
  assert.deepEqual(steps, ['clear']);
  assert.deepEqual(told(), [[PREPARED, 1, 0]]);
  host.toldVersion(TOLD_RELOAD, 2, 0);
  assert.deepEqual(reloads, ['reload']);
  assert.deepEqual(told(), []);
  const used: Array<[string, number]> = JSON.parse(stored.get(KEY)!);
  assert.deepEqual(
    used.map(([name]) => name),
    ['a', 'b'],
  );
  assert.equal(used[0]![1], used[1]![1]); // this page's own counts until now
  const last = diagnostics.snapshot().events.at(-1)!;
  assert.deepEqual([last.type, last.version], ['reload', 'b']);
});

test('where it cannot be noted the page is reloaded only for a person who wants it', (t) => {
  const { host, told, reloads, stored } = runningOf(t);
  stored.set(KEY, 'nonsense');
  host.toldVersion(TOLD_RELOAD, 2, 0);
  assert.deepEqual([reloads.length, told()], [0, [[UNRECORDED, 0, 0]]]);
  stored.set(KEY, 'nonsense');
  host.toldVersion(TOLD_RELOAD, 2, 1);
  assert.deepEqual([reloads.length, told()], [1, []]);
});

test('somebody in the middle of something is found before anything is cleared, and told of when it is over', async (t) => {
  let cleared = 0;
  const { host, told, active, fire } = runningOf(t, { beforeReload: () => void cleared++ });
  Object.assign(active, { defaultValue: '', value: '' });
  fire('focusin');
  active.value = 'half a sen';
  host.toldVersion(TOLD_PREPARE, 0, 0);
  await nextTask();
  assert.deepEqual([told(), cleared], [[[PREPARED, 0, 0]], 0]);
  fire('focusout');
  fire('focusout');
  assert.deepEqual(told(), [[RELEASED, 0, 0]]);

  // Whoever said yes wants it all the same.
  host.toldVersion(TOLD_PREPARE, 1, 0);
  await nextTask();
  await settled();
  assert.deepEqual([told(), cleared], [[[PREPARED, 1, 0]], 1]);
  fire('focusout');
  assert.deepEqual(told(), []);
});

test('a page that takes long to get ready tells no engine that did not ask', async (t) => {
  let go = (): void => {};
  const { host, told, traps } = runningOf(t, { beforeReload: () => new Promise<void>((end) => (go = end)) });
  host.toldVersion(TOLD_PREPARE, 0, 0);
  await settled();
  traps();
  go();
  await settled();
  assert.deepEqual(told(), []);
});

test('a person who says yes is reloaded by the engine', async (t) => {
  const { sync, told, host, shows, reloads } = runningOf(t);
  shows(2, BLOCKED, 3);
  const applied = sync.applyUpdate();
  assert.deepEqual(told(), [[APPLY, 0, 0]]);
  assert.equal(await isPending(applied), true);
  host.toldVersion(TOLD_RELOAD, 2, 1);
  await applied;
  assert.deepEqual(reloads, ['reload']);
});

test('a yes that there is nothing newer for any more is over', async (t) => {
  const { sync, shows, reloads } = runningOf(t);
  shows(2);
  const applied = sync.applyUpdate();
  shows(0, CURRENT);
  await applied;
  assert.deepEqual(reloads, []);
});

test('with nothing newer, a yes is a check and nothing more', async (t) => {
  const { sync, told, host, shows } = runningOf(t);
  const applied = sync.applyUpdate();
  assert.deepEqual(told(), [[CHECK, 0, 0]]);
  shows(2);
  host.toldVersion(TOLD_CHECKED, 0, 0);
  await applied;
  assert.deepEqual(told(), []);
});

test('a reload function that throws is reported, and the person’s yes is over', async (t) => {
  const later: Array<() => void> = [];
  t.mock.method(globalThis, 'queueMicrotask', (job: () => void) => later.push(job));
  const { sync, host, shows } = runningOf(t, {
    reload() {
      throw new Error('not here');
    },
  });
  shows(2);
  const applied = sync.applyUpdate();
  host.toldVersion(TOLD_RELOAD, 2, 1);
  await applied;
  assert.throws(later[0]!, /not here/);
});

// ---------------------------------------------------------------- chunk errors

test('an engine that answers at once is heard', async (t) => {
  const { sync, host, calls } = runningOf(t, { endpoint: false });
  calls.push = (...all) => {
    host.toldVersion(TOLD_CHECKED, 0, 0);
    return all.length;
  };
  await sync.check();
  await assert.rejects(
    sync.guard(() => Promise.reject(GONE)),
    GONE,
  );
});

/** A guarded import that cannot be loaded, after its check. */
async function guardedIn(page: ReturnType<typeof pageOf>) {
  const guarded = page.sync.guard(() => Promise.reject(GONE));
  await settled();
  const told = page.told();
  page.host.toldVersion(TOLD_CHECKED, 0, 0);
  return { guarded, told };
}

test('a guarded import hands on what it loads and every error that is no chunk error, also one thrown at once', async (t) => {
  const { sync, told } = runningOf(t);
  assert.equal(await sync.guard(async () => 'page'), 'page');
  const error = new Error('no stock');
  await assert.rejects(
    sync.guard(() => Promise.reject(error)),
    error,
  );
  await assert.rejects(
    sync.guard(() => {
      throw error;
    }),
    error,
  );
  assert.deepEqual(told(), []);
});

test('with the same version a guarded import rejects with its own error, after the check', async (t) => {
  const page = runningOf(t);
  const { guarded, told } = await guardedIn(page);
  assert.deepEqual(told, [[CHUNK_FAILED, 0, 0]]);
  await assert.rejects(guarded, GONE);
  // Nobody caught it: it is the same one, and not counted again.
  page.fire('unhandledrejection', { reason: GONE });
  page.fire('error', { error: GONE });
  assert.deepEqual(page.told(), []);
});

test('after a deploy a guarded import stays pending until the reload', async (t) => {
  const page = runningOf(t);
  const guarded = page.sync.guard(() => Promise.reject(GONE));
  await settled();
  page.shows(2);
  page.host.toldVersion(TOLD_CHECKED, 0, 0);
  assert.equal(await isPending(guarded), true);
  page.shows(2, BLOCKED, 0);
  assert.equal(await isPending(guarded), true);
  page.shows(2, BLOCKED, 2);
  assert.equal(await isPending(guarded), true);
  page.shows(2, RELOADING);
  assert.equal(await isPending(guarded), true);
  // The reload did not happen.
  page.shows(2, BLOCKED, 3);
  await assert.rejects(guarded, GONE);
});

test('where a deploy is known a guarded import waits for nothing else', async (t) => {
  const page = runningOf(t);
  page.shows(2);
  const guarded = page.sync.guard(() => Promise.reject(GONE));
  await settled();
  assert.deepEqual(page.told(), [[CHUNK_FAILED, 0, 0]]);
  page.version.dispose();
  await assert.rejects(guarded, GONE);
});

test('a guarded import rejects when no reload can come any more', async (t) => {
  const ends: Array<[string, (page: ReturnType<typeof pageOf>) => void]> = [
    ['storage does not work', (page) => page.shows(2, BLOCKED, 4)],
    ['the server went back', (page) => page.shows(0, CURRENT)],
    ['nobody can reload', (page) => page.fails()],
  ];
  for (const [name, end] of ends) {
    const page = runningOf(t);
    page.shows(2);
    const { guarded } = await guardedIn(page);
    assert.equal(await isPending(guarded), true, name);
    end(page);
    await assert.rejects(guarded, GONE, name);
  }
});

test('a person who is asked keeps a guarded import pending until they say no', async (t) => {
  const page = runningOf(t, { onMismatch: 'prompt' });
  page.version.saw('b', 200);
  page.shows(2);
  const { guarded } = await guardedIn(page);
  assert.equal(await isPending(guarded), true);
  page.shows(2, AVAILABLE, NONE, true);
  await assert.rejects(guarded, GONE);
});

test('a no does not keep a page from being reloaded by itself, so a guarded import waits on', async (t) => {
  const page = runningOf(t);
  page.shows(2, AVAILABLE, NONE, true);
  const { guarded } = await guardedIn(page);
  assert.equal(await isPending(guarded), true);
});

test('a chunk error that is reported is told, each time; anything else is not', (t) => {
  const { sync, told, diagnostics } = runningOf(t);
  sync.reportChunkError(new Error('no stock'));
  assert.deepEqual(told(), []);
  sync.reportChunkError(GONE);
  sync.reportChunkError(GONE);
  assert.equal(told().length, 2);
  assert.equal(diagnostics.snapshot().counters.chunkErrors, 2);
});

test('an error that nobody reports is told once, however often it is heard of', (t) => {
  const { fire, told } = runningOf(t);
  const gone = new TypeError(GONE.message);
  fire('vite:preloadError', { payload: gone });
  fire('unhandledrejection', { reason: gone });
  fire('error', { error: gone });
  assert.deepEqual(told(), [[CHUNK_FAILED, 0, 0]]);
});

test('files of the page’s own and of the version’s trusted origins are parts of it', (t) => {
  const { fire, told } = runningOf(t, { trustedOrigins: ['https://cdn.example.net'] });
  for (const host of ['app.example.com', 'cdn.example.net', 'ads.example.net'])
    fire('error', { target: { tagName: 'SCRIPT', src: `https://${host}/main.js` } });
  assert.equal(told().length, 2);
});

test('without recoverChunkErrors nothing is listened to, and a guard works all the same', async (t) => {
  const page = runningOf(t, { recoverChunkErrors: false });
  page.fire('unhandledrejection', { reason: GONE });
  assert.deepEqual(page.told(), []);
  const { guarded, told } = await guardedIn(page);
  assert.equal(told.length, 1);
  await assert.rejects(guarded, GONE);
});

test('Vite’s event is prevented only when a reload is on its way by itself, and no guarded import is out', async (t) => {
  const page = runningOf(t);
  const prevented = (): boolean => page.fire('vite:preloadError', { payload: GONE }).defaultPrevented;
  assert.equal(prevented(), false);
  page.shows(2);
  assert.equal(prevented(), true);
  page.shows(2, RELOADING);
  assert.equal(prevented(), true);
  page.shows(2, BLOCKED, 3);
  assert.equal(prevented(), false);

  // What Vite does not throw is an import of nothing, which a guard would hand on.
  page.shows(2);
  let during: boolean | undefined;
  const guarded = page.sync.guard(async () => {
    during = prevented();
    throw GONE;
  });
  assert.equal(await isPending(guarded), true);
  assert.equal(during, false);
  assert.equal(prevented(), true);

  const asking = runningOf(t, { onMismatch: 'prompt' });
  asking.version.saw('b', 200);
  asking.shows(2);
  assert.equal(asking.fire('vite:preloadError', { payload: GONE }).defaultPrevented, false);
});

// ---------------------------------------------------------------- without an engine

test('without an engine a check asks once for all, and the person is asked; nobody reloads by itself', async (t) => {
  const { sync, fails, answers, asked, notices, reloads } = pageOf(t);
  answers(() => Response.json({ version: 'b' }));
  fails();
  const [state] = await Promise.all([sync.check(), sync.check()]);
  assert.deepEqual(
    [state.status, state.latest, state.reason, asked.length],
    ['updateAvailable', 'b', 'mismatch', 1],
  );
  await sync.check();
  assert.deepEqual(notices, ['updateAvailable']);
  assert.deepEqual(reloads, []);

  sync.dismiss();
  assert.equal(sync.getSnapshot().dismissed, true);
  await sync.check();
  assert.equal(sync.getSnapshot().dismissed, true);

  answers(() => Response.json({ version: 'a' }));
  await sync.check();
  assert.deepEqual([sync.getSnapshot().status, sync.getSnapshot().dismissed], ['current', false]);
});

test('without an engine an update that the app ignores is known, and nothing more', async (t) => {
  const { sync, fails, answers, notices } = pageOf(t, { onMismatch: 'ignore' });
  answers(() => Response.json({ version: 'b' }));
  fails();
  const { status, latest } = await sync.check();
  assert.deepEqual([status, latest, notices.length], ['current', 'b', 0]);
});

test('without an engine and without an endpoint, what was seen last is what a check finds', async (t) => {
  const { sync, fails, version, asked } = pageOf(t, { endpoint: false });
  fails();
  assert.equal((await sync.check()).latest, null);
  version.saw('b', 200);
  assert.equal((await sync.check()).latest, 'b');
  assert.equal(asked.length, 0);
});

test('without an engine a chunk error is a check, and a guarded import rejects', async (t) => {
  const { sync, fails, fire, answers, asked } = pageOf(t);
  answers(() => Response.json({ version: 'b' }));
  fails();
  fire('unhandledrejection', { reason: GONE });
  await settled();
  assert.equal(asked.length, 1);
  await assert.rejects(
    sync.guard(() => Promise.reject(GONE)),
    GONE,
  );
  assert.equal(sync.getSnapshot().status, 'updateAvailable');
});

test('without an engine a yes clears, notes and reloads once', async (t) => {
  const steps: string[] = [];
  const { sync, fails, answers, reloads, stored } = pageOf(t, {
    beforeReload: () => void steps.push('clear'),
  });
  answers(() => Response.json({ version: 'b' }));
  fails();
  await sync.applyUpdate();
  assert.deepEqual(reloads, []);
  await Promise.all([sync.applyUpdate(), sync.applyUpdate()]);
  assert.deepEqual([steps, reloads], [['clear'], ['reload']]);
  assert.equal(JSON.parse(stored.get(KEY)!).at(-1)[0], 'b');
});

test('an engine that fails after it knew of something leaves it to the person', (t) => {
  const { version, shows, fails, sync, notices } = runningOf(t);
  version.saw('b', 200);
  shows(2, BLOCKED, 1);
  fails();
  assert.equal(sync.getSnapshot().status, 'updateAvailable');
  assert.deepEqual(notices, ['updateAvailable']);
});

// ---------------------------------------------------------------- a trap

test('the next engine hears of what the one before it knew, and checks are asked again', async (t) => {
  const { sync, version, traps, runs, told, shows, host } = runningOf(t);
  sync.hold();
  version.saw('b', 200);
  shows(2);
  const check = sync.check();
  told();
  traps();
  assert.equal(await isPending(check), true);
  runs();
  assert.deepEqual(told(), [
    [HOLD, 1, 0],
    [SEEN, 2, RELOAD],
    [CHECK, 0, 0],
  ]);
  shows(2);
  host.toldVersion(TOLD_CHECKED, 0, 0);
  assert.equal((await check).latest, 'b');
});

test('what the next engine does not find is not shown any more', async (t) => {
  const { sync, traps, runs, shows, host } = runningOf(t);
  shows(2);
  traps();
  runs();
  assert.equal(sync.getSnapshot().status, 'updateAvailable');
  host.toldVersion(TOLD_CHECKED, 0, 0);
  assert.equal(sync.getSnapshot().status, 'current');
});

test('a yes that the engine trapped on is carried out without it', async (t) => {
  const { sync, traps, shows, reloads } = runningOf(t);
  shows(2);
  const applied = sync.applyUpdate();
  traps();
  await applied;
  assert.deepEqual(reloads, ['reload']);
});

test('a yes to an engine that does not know yet what it is about waits until it does', async (t) => {
  const { sync, traps, runs, shows, told, host, reloads } = runningOf(t);
  shows(2);
  traps();
  runs();
  told();
  const applied = sync.applyUpdate();
  assert.deepEqual(told(), [[CHECK, 0, 0]]);
  shows(2);
  host.toldVersion(TOLD_CHECKED, 0, 0);
  await settled();
  assert.deepEqual(told(), [[APPLY, 0, 0]]);
  host.toldVersion(TOLD_RELOAD, 2, 1);
  await applied;
  assert.equal(reloads.length, 1);
});

// ---------------------------------------------------------------- the end

test('afterwards nobody waits, nothing is heard, and nothing is reloaded', async (t) => {
  const page = runningOf(t);
  const { sync, version, shows, host, fire, told, reloads } = page;
  shows(2);
  const waits = [sync.check(), sync.applyUpdate()];
  const guarded = sync.guard(() => Promise.reject(GONE));
  await settled();
  told();
  version.dispose();
  await Promise.all(waits);
  await assert.rejects(guarded, GONE);
  await sync.check();
  await sync.applyUpdate();
  await assert.rejects(
    sync.guard(() => Promise.reject(GONE)),
    GONE,
  );
  fire('unhandledrejection', { reason: new TypeError(GONE.message) });
  host.toldVersion(TOLD_RELOAD, 2, 1);
  shows(0, CURRENT);
  assert.deepEqual([told(), reloads], [[], []]);
  assert.equal(sync.getSnapshot().status, 'updateAvailable');
});
