/**
 * The wiring of the glue: one client from one configuration.
 */
import { createApi } from './api.js';
import { createCalls } from './calls.js';
import { checkConfig, type Settings } from './config.js';
import { createDiagnostics, redactUrl } from './diagnostics.js';
import { createDrafts } from './drafts.js';
import { type EventSourceClass, introduce, offer } from './event-source.js';
import { createNotices } from './notices.js';
import { watchPerson } from './presence.js';
import { createProbe } from './probe.js';
import { provide } from './provided.js';
import { createRequests } from './request.js';
import { createRuntime } from './runtime.js';
import { createSession, type GroupHost } from './session.js';
import { createStore } from './store.js';
import type { StreamHost } from './stream.js';
import { createStreams } from './streams.js';
import type { ApiActivity, ConnectionState, Stability, StabilityConfig } from './types.js';
import { createVersion } from './version.js';

/** Kept equal to the package's by the build. */
const VERSION = '0.1.0';

/** So many paths are told of, each once. */
const AUDITS_MAX = 20;

const STATUS = ['online', 'degraded', 'offline'] as const;

/** Makes a client; `wasm` says where the module is when the configuration does not, `EventSource` is the class of its streams. */
export function create(
  config: StabilityConfig | undefined,
  wasm: () => NonNullable<StabilityConfig['wasm']>,
  EventSource: EventSourceClass,
): Stability {
  const settings = checkConfig(config);
  const diagnostics = createDiagnostics(VERSION, settings.redactUrl);
  const notices = createNotices(settings.onNotice, Date.now);
  const disposal = new AbortController();
  const audited = new Set<string>();
  const requests = createRequests(
    settings,
    (url) => {
      url = redactUrl(url);
      if (audited.size >= AUDITS_MAX || audited.has(url)) return;
      audited.add(url);
      diagnostics.emit('cacheable', { url });
      console.warn(
        `evenkeel: ${url} was asked with credentials, and its Cache-Control lets caches store the answer`,
      );
    },
    (current, status) => version.saw(current, status),
  );
  const { probe, canProbe, endTurn } = createProbe(settings, requests);
  const session = createSession(settings, requests, () => runtime, notices, diagnostics);
  const version = createVersion(settings, requests, () => runtime, notices, diagnostics);
  const drafts = createDrafts(settings, requests, () => runtime, session.keeper, notices, diagnostics);

  const activity = createStore<ApiActivity>({ pending: 0, queued: 0, offline: 0 });
  const setActivity = (change: Partial<ApiActivity>): void =>
    activity.set({ ...activity.getSnapshot(), ...change });

  const since = Date.now();
  const connection = createStore<ConnectionState>(
    { status: globalThis.navigator?.onLine === false ? 'offline' : 'online', since },
    { status: 'online', since },
    () => void runtime.start(),
  );
  const told = {
    pending: (pending: number) => setActivity({ pending }),
    queued: (queued: number) => setActivity({ queued }),
    connection(code: number, since: number): void {
      const status = STATUS[code]!;
      if (status === connection.getSnapshot().status) return;
      if (status === 'online') {
        notices.say('backOnline');
        endTurn();
      }
      diagnostics.emit('connection', { status });
      connection.set({ status, since });
    },
  };

  const byBrowser = (): void => told.connection(globalThis.navigator?.onLine === false ? 2 : 0, Date.now());

  const asks = [session.ask, probe, version.ask];
  const calls = createCalls(settings, requests, () => runtime, notices, diagnostics, told, asks);
  const streams = createStreams(settings, requests, () => runtime, diagnostics, session.keeper);
  const runtime = createRuntime(
    settings,
    wasm,
    diagnostics,
    session.prepare,
    () => engineOptions(settings, canProbe, session.numbers, version.numbers),
    (life) => {
      byBrowser(); // an engine that starts online has nothing to say
      drafts.listen();
      if (settings.session || settings.version)
        watchPerson(life, version.paceMs, (byScroll) => runtime.engine()?.active(byScroll));
      return Object.assign(
        calls.host(life),
        session.host,
        version.host,
        drafts.host,
        groupsOf(session.group, streams.host),
      );
    },
    (error) => {
      // What the old instance said last is nothing that the next one knows of.
      setActivity({ queued: 0 });
      connection.set({ status: 'online', since: Date.now() });
      calls.trapped(error);
      streams.trapped();
      session.trapped();
      version.trapped();
    },
    () => {
      session.ran();
      version.ran();
      streams.ran();
      drafts.ran();
    },
    () => {
      session.failed();
      version.failed();
      streams.failed();
      drafts.failed();
      // Nobody else listens to the page now.
      byBrowser();
      for (const type of ['online', 'offline'])
        globalThis.addEventListener?.(type, byBrowser, { signal: disposal.signal });
    },
  );
  const api = createApi(requests, () => calls, notices, activity, runtime.nextLink);

  let leave: (() => void) | undefined;
  const stability: Stability = {
    get ready() {
      return runtime.start();
    },
    runtime: runtime.state,
    api,
    session: session.keeper,
    version: version.sync,
    connection,
    events: (url, options) => new EventSource(url, { ...options, stability }),
    draft: drafts.draft,
    on: diagnostics.on,
    diagnostics: diagnostics.snapshot,
    dispose() {
      leave?.();
      disposal.abort();
      drafts.dispose();
      streams.dispose();
      session.dispose();
      version.dispose();
      runtime.dispose();
      calls.dispose();
      setActivity({ queued: 0 });
    },
  };
  introduce(stability, streams.lines);
  provide(stability, {
    begin() {
      if (leave || disposal.signal.aborted) return;
      leave = offer(stability);
      version.begin();
      // A session is kept and a version kept up with, whatever else the page does.
      if (globalThis.document && (settings.session || settings.version))
        queueMicrotask(() => {
          if (disposal.signal.aborted) return;
          session.begin();
          drafts.begin();
          runtime.start();
        });
    },
    rendered: session.rendered,
    welcome: session.welcome,
  });
  return stability;
}

/** The group of number 0 is the session's, all others are streams'. */
function groupsOf(session: GroupHost, streams: StreamHost): StreamHost {
  return {
    ...streams,
    lock: (group, steal) => (group ? streams.lock(group, steal) : session.lock(steal)),
    unlock: (group) => (group ? streams.unlock(group) : session.unlock()),
    post: (group, ...word) => (group ? streams.post(group, ...word) : session.post(...word)),
    left: (group) => (group ? streams.left(group) : session.left()),
  };
}

/** What the Rust side is started with: numbers in its order. What is off is 0, a budget that is off negative. */
function engineOptions(
  { api, session, version, connection, tabs }: Settings,
  canProbe: boolean,
  ofSession: () => number[],
  ofVersion: () => number[],
): number[] {
  const { backoff, retryBudget, breaker, rateLimit } = api;
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return [
    (high & 0x1fffff) * 2 ** 32 + low,
    ...[backoff.baseMs, backoff.factor, backoff.maxMs, +(backoff.jitter === 'full')],
    ...(retryBudget ? [retryBudget.capacity, retryBudget.cost, retryBudget.refund] : [-1, 0, 0]),
    ...(breaker
      ? [
          breaker.consecutive,
          breaker.ratio,
          breaker.minimum,
          breaker.windowMs,
          breaker.openMs,
          breaker.maxOpenMs,
        ]
      : [0, 0, 0, 0, 0, 0]),
    ...[api.maxConcurrent, api.maxQueued],
    ...(rateLimit ? [rateLimit.perSecond, rateLimit.burst] : [0, 0]),
    ...[connection.degradedAfterFailures, connection.probeMs, +canProbe],
    ...(tabs ? [tabs.heartbeatMs, tabs.takeoverMs] : [0, 0]),
    ...(session
      ? [session.confirmations, session.confirmAfterMs, session.verifyTimeoutMs, ...ofSession()]
      : [0, 0, 0]),
    ...(version ? [1, ...ofVersion()] : [0]),
    ...api.retryStatuses,
  ];
}
