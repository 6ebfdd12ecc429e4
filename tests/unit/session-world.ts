import type { TestContext } from 'node:test';
import { checkConfig } from '../../js/config.js';
import { createDiagnostics } from '../../js/diagnostics.js';
import { StabilityError } from '../../js/errors.js';
import { createNotices } from '../../js/notices.js';
import { createRequests } from '../../js/request.js';
import type { Runtime } from '../../js/runtime.js';
import { createSession } from '../../js/session.js';
import type { Notice, SessionConfig, StabilityConfig } from '../../js/types.js';

export const ORIGIN = 'https://app.example.com';
export const ADA = { user: { id: 'ada', name: 'Ada' }, expires: '2026-12-01T00:00:00.000Z' };
export const BOB = { user: { id: 'bob', name: 'Bob' }, expires: null };
export const EXPIRES = Date.parse(ADA.expires);

// What is told to the engine, and what it tells, by its numbers.
export const [ANSWERED, VERIFY, NUDGED, SIGN_OUT, SIGNED_OUT] = [0, 1, 2, 3, 4];
export const [LOADING, IN, OUT, UNKNOWN] = [0, 1, 2, 3];
export const [VERIFIED, ENDED, SWITCHED, MARK, LEAVE, CHANGED, NEXT] = [0, 1, 2, 3, 4, 5, 6];

export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: string;
  signal: AbortSignal;
}

export const json = (body: unknown, init?: ResponseInit): Response =>
  new Response(JSON.stringify(body), {
    ...init,
    headers: { 'Content-Type': 'application/json', ...init?.headers },
  });

/** Lets everything happen that waits for nothing but promises. */
export const settled = (): Promise<void> => new Promise((go) => setImmediate(go));

/** A channel whose messages arrive when the test lets them. */
class FakeChannel {
  static open = new Set<FakeChannel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) {
    FakeChannel.open.add(this);
  }
  postMessage(message: unknown): void {
    for (const other of [...FakeChannel.open]) {
      if (other === this || other.name !== this.name) continue;
      const data = structuredClone(message);
      queueMicrotask(() => FakeChannel.open.has(other) && other.onmessage?.({ data }));
    }
    structuredClone(message);
  }
  close(): void {
    FakeChannel.open.delete(this);
  }
}

/** A browser with its storage, channels and locks, and a server that answers as the test says. */
export function givenBrowser(t: TestContext) {
  FakeChannel.open.clear();
  const stayAwake = setInterval(() => {}, 1_000); // a signal's timeout alone does not keep Node up
  t.after(() => clearInterval(stayAwake));
  const storage = new Map<string, string>();
  const asked: Asked[] = [];
  const page = new EventTarget();
  const browser = {
    storage,
    asked,
    page,
    channels: FakeChannel.open,
    locks: [] as Array<[name: string, options: LockOptions]>,
    /** What the server answers. */
    answer: (_request: Asked): Response | Promise<Response> => json(null),
    /** What another page of this origin hears on a channel. */
    overhear(name: string): unknown[] {
      const heard: unknown[] = [];
      new FakeChannel(name).onmessage = ({ data }) => heard.push(data);
      return heard;
    },
    say: (name: string, data: unknown) => new FakeChannel(name).postMessage(data),
  };
  const globals = {
    async fetch(url: string, init: RequestInit = {}): Promise<Response> {
      const { pathname, search } = new URL(url);
      const request: Asked = {
        method: init.method ?? 'GET',
        path: pathname + search,
        headers: new Headers(init.headers),
        body: `${init.body ?? ''}`,
        signal: init.signal!,
      };
      asked.push(request);
      return new Promise((resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(request.signal.reason));
        Promise.resolve(browser.answer(request)).then(resolve, reject);
      });
    },
    localStorage: {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, value: string) => void storage.set(key, value),
      removeItem: (key: string) => void storage.delete(key),
    },
    BroadcastChannel: FakeChannel,
    navigator: {
      onLine: true,
      locks: {
        query: async () => ({}),
        request: (name: string, options: LockOptions, held: () => unknown) => {
          browser.locks.push([name, options]);
          return Promise.resolve(held());
        },
      },
    },
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
    dispatchEvent: page.dispatchEvent.bind(page),
  };
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before);
      else delete (globalThis as Record<string, unknown>)[name];
    });
  }
  return browser;
}

/** A tab: a session, and in place of its engine what it was told. */
export function givenTab(
  session: SessionConfig | false = {},
  config: StabilityConfig = {},
  engineIs: 'running' | 'starting' | 'failed' = 'running',
) {
  const notices: Notice[] = [];
  const diagnostics = createDiagnostics('1');
  const settings = checkConfig({
    baseUrl: ORIGIN,
    session: session && { bridgeNextAuth: false, ...session },
    onNotice: (notice: Notice) => notices.push(notice),
    ...config,
  });
  const told: number[][] = [];
  const engine = {
    session: (...what: number[]) => void told.push(what),
    sessionHeard: (...word: unknown[]) => void tab.words.push(word),
    heard: (...word: unknown[]) => void tab.words.push(word),
    locked: (...what: unknown[]) => void tab.words.push(what),
  };
  const tab = {
    engineIs,
    starts: 0,
    engine,
    told,
    words: [] as unknown[][],
    notices,
    diagnostics,
    keeper: undefined as unknown as ReturnType<typeof createSession>['keeper'],
  };
  const runtime = {
    start: async () => void tab.starts++,
    engine: () => (tab.engineIs === 'running' ? engine : undefined),
    failed: () => tab.engineIs === 'failed',
  } as unknown as Runtime;
  const requests = createRequests(
    settings,
    () => {},
    () => {},
  );
  const made = createSession(
    settings,
    requests,
    () => runtime,
    createNotices(settings.onNotice, Date.now),
    diagnostics,
  );
  return Object.assign(tab, made, {
    now: () => made.keeper.getSnapshot(),
    /** The engine asks. */
    asks: (signal = new AbortController().signal) => made.ask(signal),
    /** The engine asks, believes the answer and shows it. */
    async learns(leads = true) {
      await made.ask(new AbortController().signal);
      const user = told.at(-1)![1]!;
      made.host.showSession(user < 0 ? OUT! : IN!, Math.max(user, -1), leads);
    },
    /** What the last question brought. */
    lastAnswer: () =>
      told
        .filter(([what]) => what === ANSWERED)
        .at(-1)!
        .slice(1),
    runs() {
      tab.engineIs = 'running';
      made.ran();
    },
    fails() {
      tab.engineIs = 'failed';
      made.failed();
    },
  });
}

/** What a promise is rejected with. */
export async function errorOf(promise: Promise<unknown>): Promise<StabilityError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof StabilityError) return error;
  throw new Error(`no StabilityError, but ${error}`);
}
