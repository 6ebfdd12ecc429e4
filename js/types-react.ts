/**
 * The public types of the React entry.
 */
import type { ReactNode } from 'react';
import type {
  ApiClient,
  ConnectionState,
  DraftOptions,
  DraftState,
  EventsOptions,
  EventsState,
  EventsStats,
  RuntimeState,
  SessionState,
  Stability,
  StabilityConfig,
  VersionState,
} from './types.js';

/** What a provider is given: a client, or what to make one from. */
export type StabilityProviderProps = {
  /**
   * What the server rendered with, as the session endpoint would answer: the first paint has it, no spinner shows, and nothing is asked for
   * first. It belongs here and not in a module of the server, where all people would share it. Needs `session` on.
   */
  initialSession?: unknown;
  /** The app. */
  children?: ReactNode;
} & (
  | {
      /** A client of the app's own; it is not disposed of. */
      client: Stability;
      config?: undefined;
    }
  | {
      /** What the provider makes a client from. It does nothing before the provider is mounted, and is disposed of after it was unmounted. Later ones are not looked at. */
      config: StabilityConfig;
      client?: undefined;
    }
);

/** What `useStability` returns. Reading a field makes the component render again when it changes, and nothing else does. */
export interface StabilityView {
  /** The client itself. */
  client: Stability;
  /** Requests with retries, breaker, budget, queue and single flight. */
  api: ApiClient;
  /** Whether the WebAssembly module runs. */
  runtime: RuntimeState['status'];
  /** Who is signed in; without `session` the status is `'unknown'`. */
  session: SessionState;
  /** Whether this page is of the version that the server runs; without `version` the status is `'current'`. */
  version: VersionState;
  /** Whether the server can be reached. */
  connection: ConnectionState;
  /** Calls that are not settled, waits included. */
  pending: number;
  /** Rejects, and nobody is signed out, when the server refuses or cannot be asked. */
  signOut(): Promise<void>;
  /** The person said yes: saves drafts, and reloads. */
  applyUpdate(): Promise<void>;
}

/** What `RequireSession` shows to whom. */
export interface RequireSessionProps {
  /** While it is not known who is signed in, and while a page that came back from the back/forward cache asks again. Default: nothing. */
  fallback?: ReactNode;
  /** Nobody is. Default: nothing. */
  signedOut?: ReactNode;
  /** For whoever is signed in. Another person gets them anew. */
  children?: ReactNode;
}

/** How `useAutoSave` saves. New functions are taken over, and `enabled`; other options are those of the first render with a key. */
export interface AutoSaveOptions<T> extends DraftOptions<T> {
  /** false: nothing is read, saved or sent. Default true. */
  enabled?: boolean;
  /**
   * What the person had, for the app to show, at once or when they say so. Where it is an object, fields that they changed meanwhile, and those that
   * are kept nowhere, are as they are now. Also what was chosen to end a conflict, where it is not what is shown.
   */
  onRestore?: (data: T) => void;
}

/** What `useAutoSave` returns: how the draft stands, and what can be done with it. The functions are the same ones while the key is. */
export interface AutoSave<T> extends DraftState<T> {
  /** After a successful submit: nothing saved before comes back. To show an empty form then, as at first, is no edit. Works after unmounting too. */
  clearDraft(): Promise<void>;
  /** What is saved, or null. It is not applied. */
  restoreDraft(): Promise<T | null>;
  /** Saves now. */
  flush(): Promise<void>;
  /** Ends a conflict. What was chosen goes to `onRestore`, or into the form, where it is not what is shown. */
  resolve(choice: 'mine' | 'theirs' | { merged: T }): Promise<void>;
}

/** How `useResilientSSE` connects and reads. New functions are taken over without connecting anew. */
export interface ResilientSSEOptions<M> extends EventsOptions {
  /** The type of events that are heard. Default `'message'`. */
  event?: string;
  /**
   * `'text'`: the data as it is. `'json'`: data that is no JSON is no message, and `error` is of kind `'parse'` until the next good one. Default: JSON
   * where it is JSON, and text otherwise.
   */
  parse?: 'json' | 'text';
  /** Hears each event. */
  onMessage?: (message: M, event: MessageEvent) => void;
}

/** What `useResilientSSE` returns: how the stream stands, the newest message, and what can be done. */
export interface ResilientSSE<M> extends EventsState {
  /** Changes at most every 16 ms: a list of all messages is made in `onMessage`. null before the first one. */
  lastMessage: M | null;
  /** Figures, at this moment. */
  stats(): EventsStats;
  /** Connects now, with a fresh backoff; also where the stream was closed for good. */
  reconnect(): void;
}
