/**
 * The public types of version sync. Every duration is in milliseconds and ends in `Ms`.
 */
import type { Store } from './types.js';

/** What a page does about a new version. */
export type OnMismatch = 'reload' | 'prompt' | 'ignore';

/** How a page keeps up with its server. */
export interface VersionConfig {
  /** The version this page was built as, 1 to 128 printable ASCII characters. Sent to the page's origin and trusted ones. */
  current: string;
  /** In which responses bear the server's version, and requests this page's. Default `'X-App-Version'`. */
  header?: string;
  /**
   * Answers `{"version": "…"}`. Where there is one, it decides, and the header only triggers a check of it, since a header may come from a
   * cache or a canary. A 426 of the endpoint itself is an answer too. Default `'/api/version'`.
   */
  endpoint?: string | false;
  /** Between two checks while the page is visible. It is also checked on becoming visible, online, or restored from bfcache. Default 300_000. */
  pollMs?: number | false;
  /**
   * `'reload'`: the page is reloaded by itself once nothing can be lost. `'prompt'`: a notice, and `applyUpdate()` reloads. `'ignore'`:
   * `latest` tells, and nothing happens. A function is given the new version, '' where the server refuses this one (426) without naming
   * another; where it throws, or returns anything else, it is `'prompt'`. Default `'reload'`.
   */
  onMismatch?: OnMismatch | ((latest: string) => OnMismatch);
  /** Origins besides the page's own and the API's whose responses count, and from which parts of the page may come: a CDN, say. */
  trustedOrigins?: string[];
  /** A visible page is reloaded after so long without pointer, key or composition, a hidden one at once. Default 3_000. */
  idleMs?: number;
  /** And at a random moment within it, so that all pages do not reload in one second. Default 10_000. */
  spreadMs?: number;
  /** For so long a version that this tab was reloaded for, or ran, is not reloaded for again. Default 600_000. */
  loopGuardMs?: number;
  /** For drafts and unsafe requests in flight: past it, blocked. And for beforeReload and the service worker: past it, on with the reload. Default 5_000. */
  flushTimeoutMs?: number;
  /** Clears in-memory state (a query cache, a store) just before the reload. What it throws is reported, and stops nothing. */
  beforeReload?: () => void | Promise<void>;
  /** Default: `location.reload()`. */
  reload?: () => void;
  /** Listens for parts of the page that cannot be loaded (Vite's event, rejected imports, scripts and style sheets). Default true. */
  recoverChunkErrors?: boolean;
}

/** How this page stands to its server. */
export interface VersionState {
  /** The version this page was built as; '' where version sync is off. */
  current: string;
  /** What the server runs; null while that is not known, also where it refuses this version without naming another. */
  latest: string | null;
  /** `'blocked'`: it would be reloaded, but `blockedBy`. */
  status: 'current' | 'updateAvailable' | 'reloading' | 'blocked';
  /** Why something newer is known: a check, or a part of the page that could not be loaded. */
  reason: 'mismatch' | 'chunkError' | null;
  /**
   * Why the page is not reloaded by itself; a notice offers it. `'drafts'`, `'requests'` and `'hold'` (also a changed field with the focus)
   * are tried again when they clear. `'loopGuard'`: it was reloaded for this version already. `'storage'`: sessionStorage does not work, so
   * that nobody could tell.
   */
  blockedBy: 'drafts' | 'requests' | 'hold' | 'loopGuard' | 'storage' | null;
  /** The person does not want to be asked again for this version. */
  dismissed: boolean;
}

/** Whether this page is of the version that the server runs. Where it is off, the state never changes. */
export interface VersionSync extends Store<VersionState> {
  /** Asks now. One request for however many callers; never rejects. */
  check(): Promise<VersionState>;
  /**
   * The person said yes: what is unsaved is given time, `beforeReload` is run, and the page is reloaded, whatever blocked it. Resolves when
   * the reload was begun. With nothing newer it only checks.
   */
  applyUpdate(): Promise<void>;
  /** The person said no: no notice for this version any more. */
  dismiss(): void;
  /** Unsaved work that the library does not know of: no automatic reload until the returned function is called. */
  hold(): () => void;
  /**
   * For lazy routes: `lazy(() => version.guard(() => import('./Page')))`. A part that cannot be loaded stays pending until the reload when
   * there was a deploy, or until the person has said no; otherwise it rejects with its error.
   */
  guard<T>(load: () => Promise<T>): Promise<T>;
  /** For an error boundary that caught one. Anything but a part of the page that could not be loaded is ignored. */
  reportChunkError(error: unknown): void;
}
