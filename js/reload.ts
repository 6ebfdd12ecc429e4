/**
 * The reload: which versions this tab was reloaded for, and what is done just before.
 */
import { report } from './store.js';
import { withinMs } from './wait.js';

/** A version that this tab ran, or was reloaded for, and when. */
export type Used = [version: string, at: number];

const USED_MAX = 20;

const isUsed = ([version, at]: Used): boolean => typeof version === 'string' && Number.isFinite(at);

/** Nothing stored is an empty list, nonsense none at all. */
function parse(text: string | null): Used[] | undefined {
  try {
    const stored: Used[] = JSON.parse(text ?? '[]');
    if (stored.every(isUsed)) return stored;
  } catch {} // nonsense too
  return undefined;
}

const keyOf = (app: string): string => `evenkeel:1:${app}:versions`;

/** Whether the last reload was for another version than this one, which came back instead. To be asked before it is noted as used. */
export function cameBack(app: string, version: string): boolean {
  try {
    const [before, target] = parse(sessionStorage.getItem(keyOf(app)))!.slice(-2);
    // Both were noted in the same breath.
    return before![0] === version && before![1] === target![1];
  } catch {
    return false; // there was none, or nobody can tell
  }
}

/**
 * Notes versions as used now. Returns all that are known, the newest last; undefined where that cannot be told: the storage throws or
 * forgets, or held nonsense, which is replaced.
 */
export function recordVersions(app: string, ...versions: string[]): Used[] | undefined {
  const key = keyOf(app);
  try {
    const before = parse(sessionStorage.getItem(key));
    const others = (before ?? []).filter(([version]) => !versions.includes(version));
    const now = Date.now();
    const used = [...others, ...versions.map((version): Used => [version, now])].slice(-USED_MAX);
    const text = JSON.stringify(used);
    sessionStorage.setItem(key, text);
    if (before && sessionStorage.getItem(key) === text) return used;
  } catch {} // full, or not allowed here
  return undefined;
}

/** Lets the app clear what it keeps in memory, and the new service worker take over. Each may take so long. Never rejects. */
export async function makeReady(
  beforeReload: (() => void | Promise<void>) | undefined,
  timeoutMs: number,
): Promise<void> {
  const run = async (): Promise<void> => beforeReload?.();
  for (const pending of [() => run().catch(report), updateWorker])
    await withinMs(timeoutMs, pending()).catch(() => {});
}

/** One that serves the old page from its cache would serve it again. */
async function updateWorker(): Promise<void> {
  const registration = await globalThis.navigator?.serviceWorker?.getRegistration();
  await registration?.update();
  const worker = registration?.installing ?? registration?.waiting;
  if (!worker) return;
  await new Promise<void>((resolve) => {
    const look = (): void => {
      // The message that Workbox and others listen for.
      if (worker.state === 'installed') worker.postMessage({ type: 'SKIP_WAITING' });
      else if (/^(activated|redundant)$/.test(worker.state)) resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}
