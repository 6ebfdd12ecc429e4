/**
 * The WebAssembly module: where it comes from, how it starts, and what happens when it traps.
 */
import { createGlue, type Glue } from '#glue';
import type { CallHost } from './calls.js';
import type { Settings } from './config.js';
import type { DiagnosticsLog } from './diagnostics.js';
import type { DraftHost } from './drafts.js';
import { StabilityError } from './errors.js';
import type { SessionHost } from './session.js';
import { createStore } from './store.js';
import type { StreamHost } from './stream.js';
import type { RuntimeState, StabilityConfig } from './types.js';
import type { VersionHost } from './version.js';

/** What the engine calls. */
export type Host = CallHost & StreamHost & SessionHost & VersionHost & DraftHost;

type Source = NonNullable<StabilityConfig['wasm']>;

/** A fetch of the module that brings nothing in this time is over, and is tried again after these pauses. */
const FETCH_MS = 60_000;
const PAUSES_MS = [1_000, 4_000];
/** A module that traps more often than this in a minute is given up. */
const TRAPS_MAX = 3;

/** The next page in a Link header, as far as it can be told without the module. */
const NEXT = /<([^>]*)>(?:;[^,]*)?; *rel="?(?:[^",;]* )?next(?![^" ,;])/i;

/** What an instance that is over answers: falsy where it is taken apart, 0 where it is taken for a number. */
const NOTHING = [0, 0];

/** What the engine begins and is told the end of, by the numbers of the Rust side. */
const TASKS = ['send', 'read', 'ask', 'connect', 'pollEvents'] as const;
const ASK = 2;

/** Compiled modules by address, so that two clients of one page compile once. */
const compiled = new Map<string, Promise<WebAssembly.Module>>();

async function fetchModule(url: string, attempt = 0): Promise<WebAssembly.Module> {
  const pause = PAUSES_MS[attempt];
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_MS) });
    const passes = response.status >= 500 || response.status === 429;
    if (!passes || pause === undefined) return compileResponse(response);
  } catch (error) {
    if (pause === undefined) throw error;
  }
  await new Promise((resolve) => setTimeout(resolve, pause));
  return fetchModule(url, attempt + 1);
}

async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) throw new Error(`the .wasm file's address answers ${response.status}`);
  const type = response.headers.get('content-type') ?? '';
  // A server that does not know the type is no reason to stay without the module.
  return /^application\/wasm\b/.test(type) && 'compileStreaming' in WebAssembly
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

async function compile(source: Source): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (typeof source === 'string' || source instanceof URL) {
    const url = String(source);
    let module = compiled.get(url);
    if (!module) {
      module = fetchModule(url);
      compiled.set(url, module);
      module.catch(() => compiled.delete(url));
    }
    return module;
  }
  if (source instanceof ArrayBuffer) return WebAssembly.compile(source);
  // Not every view is taken by every browser; bytes are.
  if (ArrayBuffer.isView(source))
    return WebAssembly.compile(
      new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength),
    );
  return compileResponse(await source);
}

/** A running engine, or what stands in its place. */
export function createRuntime(
  { wasm }: Settings,
  fallback: () => Source,
  diagnostics: DiagnosticsLog,
  prepare: () => Promise<unknown>,
  options: () => object,
  host: (life: AbortSignal) => Host,
  onTrap: (error: StabilityError) => void,
  onRun: () => void,
  onFail: () => void,
) {
  const state = createStore<RuntimeState>({ status: 'starting', error: null }, undefined, start);
  let engine: Glue | undefined;
  let memory: WebAssembly.Memory | undefined;
  let life: AbortController | undefined;
  let ready: Promise<void> | undefined;
  let disposed = false;
  const traps: number[] = [];

  function boot(module: WebAssembly.Module): void {
    if (disposed) return;
    const mine = new AbortController();
    life = mine;
    // Every way into the module is watched: a panic or exhausted memory leaves it callable but wrong, so from then on
    // nothing gets in any more, and neither do the timers and promises that it left behind.
    const glue = createGlue(module, (exports) => {
      const guarded: Partial<Record<string, unknown>> = {};
      for (const [name, value] of Object.entries(exports)) {
        guarded[name] =
          typeof value !== 'function'
            ? value
            : (...args: unknown[]) => {
                if (mine.signal.aborted) return NOTHING;
                try {
                  return value(...args);
                } catch (error) {
                  trapped(error, module, mine);
                  return NOTHING;
                }
              };
      }
      return guarded as unknown as typeof exports;
    });
    memory = glue.memory;
    const tasks = host(mine.signal);
    glue.start(
      options(),
      Object.assign(tasks, {
        async begin(task: number, id: number, number: number, lastId: Uint8Array) {
          const reached = lastId.slice(); // the module's memory may move before it is read
          // What is aborted in the same breath is never sent; a question sees to that itself.
          if (task !== ASK) await null;
          // None of them rejects.
          glue.ended(task, id, number, await tasks[TASKS[task]!](id, number, reached));
        },
      }),
    );
    if (mine.signal.aborted) return;
    engine = glue;
    set('running', null);
    onRun();
  }

  function trapped(cause: unknown, module: WebAssembly.Module, mine: AbortController): void {
    if (mine.signal.aborted) return;
    mine.abort();
    engine = undefined;
    const error = new StabilityError('runtime', { cause });
    const now = Date.now();
    traps.push(now);
    onTrap(error);
    if (traps.filter((at) => now - at < 60_000).length > TRAPS_MAX) return set('failed', error);
    set('starting', null);
    queueMicrotask(() => {
      try {
        boot(module);
      } catch (cause) {
        set('failed', new StabilityError('runtime', { cause }));
      }
    });
  }

  function set(status: RuntimeState['status'], error: StabilityError | null): void {
    if (disposed) return;
    diagnostics.emit('runtime', { status, reason: error ? String(error.cause).slice(0, 200) : null });
    state.set({ status, error });
    if (error) onFail();
  }

  function start(): Promise<void> {
    ready ??= load();
    return ready;
  }

  function load(): Promise<void> {
    const loading = (async () => {
      try {
        if (disposed) throw new Error('the client was disposed of');
        if (!wasm && !globalThis.document && !('importScripts' in globalThis))
          throw new Error('this is not a browser');
        const [module] = await Promise.all([compile(wasm ?? fallback()), prepare()]);
        boot(module);
      } catch (cause) {
        const error = new StabilityError('runtime', { cause });
        set('failed', error);
        throw error;
      }
      const { error } = state.getSnapshot();
      if (error) throw error;
    })();
    loading.catch(() => {}); // unobserved, it is not an unhandled rejection
    return loading;
  }

  return {
    state,
    start,
    /** The engine, while it runs. */
    engine: () => engine,
    /** Its memory. */
    memory: () => memory,
    /** Why there will be none. */
    failed: () => state.getSnapshot().error !== null,
    nextLink: (header: string) => (engine ? engine.nextLink(header) : NEXT.exec(header)?.[1]),
    dispose(): void {
      if (disposed) return;
      disposed = true;
      engine?.dispose();
      life?.abort();
      engine = undefined;
    },
  };
}

/** A running engine, or what stands in its place. */
export type Runtime = ReturnType<typeof createRuntime>;
