/** What the compiler promises; checked by tsc, nothing to see at run time. */
import { test } from 'node:test';
import type { StabilityError } from '../../js/errors.js';
import type { ResilientEventSource } from '../../js/index.js';
import type {
  ApiClient,
  ApiConfig,
  ApiResult,
  Draft,
  EventsState,
  EventsStats,
  RequestOptions,
  Stability,
  StabilityConfig,
  StandardSchemaV1,
  Store,
} from '../../js/types.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_: Same<A, B>): void => {};

interface User {
  id: string;
}
declare const userSchema: StandardSchemaV1<unknown, User>;

/** Never called. */
export async function promises(api: ApiClient, options: RequestOptions): Promise<void> {
  same<Awaited<ReturnType<typeof api.head>>, ApiResult<null>>(true);

  const unknown = await api.get('/u');
  same<typeof unknown, ApiResult<unknown>>(true);
  const typed = await api.get<User>('/u');
  same<typeof typed, ApiResult<User>>(true);
  const withOptions = await api.get<User>('/u', options);
  same<typeof withOptions, ApiResult<User>>(true);
  const json = await api.get<User>('/u', { parse: 'json', retries: 1 });
  same<typeof json, ApiResult<User>>(true);

  const blob = await api.get('/u', { parse: 'blob', priority: 'background' });
  same<typeof blob, ApiResult<Blob>>(true);
  const buffer = await api.post('/u', {}, { parse: 'arrayBuffer' });
  same<typeof buffer, ApiResult<ArrayBuffer>>(true);
  const text = await api.delete('/u', { parse: 'text' });
  same<typeof text, ApiResult<string>>(true);
  const stream = await api.request('REPORT', '/u', null, { parse: 'stream' });
  same<typeof stream, ApiResult<ReadableStream<Uint8Array> | null>>(true);
  const none = await api.put('/u', {}, { parse: 'none' });
  same<typeof none, ApiResult<null>>(true);

  const checked = await api.get('/u', { schema: userSchema });
  same<typeof checked, ApiResult<User>>(true);
  const sent = await api.patch('/u', {}, { schema: userSchema, idempotencyKey: true });
  same<typeof sent, ApiResult<User>>(true);

  if (checked.ok) same<typeof checked.data, User>(true);
  else same<typeof checked.error, StabilityError>(true);

  const dropIn: typeof fetch = api.fetch;
  await dropIn('/u', { priority: 'high', cache: 'no-store', signal: null });
  await api.fetch('/u', { method: 'POST', retries: 1, priority: 'critical' });
  for await (const page of api.pages<User>('/u', { limit: 10 })) same<typeof page, User[]>(true);

  // @ts-expect-error: pages need a limit
  api.pages('/u', {});
  // @ts-expect-error: not in this version
  await api.get('/u', { cache: { ttlMs: 5 } });
  // @ts-expect-error: not in this version
  await api.post('/u', {}, { whenOffline: 'queue' });
  // @ts-expect-error: no such option
  await api.get('/u', { retrys: 1 });
}

/** Never called. */
export function configurations(take: (config: StabilityConfig) => void, api: ApiConfig): void {
  take({});
  take({
    api,
    session: {},
    version: { current: '1', onMismatch: 'ignore', pollMs: false },
    drafts: false,
    tabs: false,
  });
  take({ tabs: { takeoverMs: 5 }, events: { backoff: { jitter: 'none' }, dedupeIds: 0 } });
  take({ api: { headers: async () => ({ 'X-A': '1' }), cache: false, offlineQueue: false, onRequest() {} } });
  take({
    drafts: { endpoint: false, debounceMs: 1, maxWaitMs: 2, ttlMs: 3, maxBytes: 4, userKey: () => null },
  });
  // @ts-expect-error: what is one draft's only
  take({ drafts: { schemaVersion: 2 } });
  // @ts-expect-error: not in this version
  take({ api: { cache: { maxEntries: 5 } } });
  // @ts-expect-error: what is one stream's only
  take({ events: { shared: true } });
  // @ts-expect-error: `current` is needed
  take({ version: {} });
}

/** Never called. */
export async function drafts(app: Stability): Promise<void> {
  interface Plan {
    title: string;
    days: string[];
  }
  const draft: Draft<Plan> = app.draft<Plan>('plan', {
    migrate: (data, from) => (from === 1 && typeof data === 'string' ? { title: data, days: [] } : null),
    isEqual: (a, b) => a.title === b.title,
  });
  draft.update({ title: '', days: [] });
  // @ts-expect-error: another shape
  draft.update({ title: '' });
  const found = await draft.restore();
  if (found) same<typeof found, { data: Plan; updatedAt: Date; source: 'device' | 'server' }>(true);
  await draft.resolve({ merged: { title: '', days: [] } });
  // @ts-expect-error: no choice
  await draft.resolve('ours');
  const { conflict } = draft.getSnapshot();
  same<typeof conflict, { mine: Plan; theirs: Plan | null; theirsUpdatedAt: Date | null } | null>(true);
}

/** Never called. */
export async function streams(app: Stability, Class: typeof ResilientEventSource): Promise<void> {
  const source: ResilientEventSource = app.events('/feed', { shared: true, poll: { url: '/poll' } });
  globalThis.EventSource = Class;
  const native: EventSource = new Class(new URL('https://x'), { withCredentials: true, stability: app });
  same<typeof source.state, Store<EventsState>>(true);
  same<ReturnType<typeof source.stats>, EventsStats>(true);
  same<typeof source.readyState, 0 | 1 | 2>(true);
  same<typeof Class.CLOSED, 2>(true);
  same<typeof source.onmessage, typeof native.onmessage>(true);

  source.addEventListener('open', (event) => same<typeof event, Event>(true));
  source.addEventListener('message', (event) => same<typeof event, MessageEvent>(true));
  source.addEventListener('tick', (event) => same<typeof event, MessageEvent>(true));
  const heard = ({ data }: MessageEvent): unknown => data;
  source.addEventListener('tick', heard, { once: true });
  source.removeEventListener('tick', heard);
  source.addEventListener('tick', { handleEvent: (_: Event) => {} });
  for await (const event of source) same<typeof event, MessageEvent>(true);
  const disposable: Disposable = source;
  disposable[Symbol.dispose]();

  // @ts-expect-error: it is read only
  source.readyState = 2;
  // @ts-expect-error: no such method
  app.events('/feed', { method: 'PUT' });
  // @ts-expect-error: no such option
  new Class('/feed', { watchdog: 5 });
}

test('the types of the public names are what the compiler says', () => {});
