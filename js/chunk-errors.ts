/**
 * Chunk errors: a part of the page that cannot be loaded, most often since a deploy took it away.
 */

/**
 * What is said of one: by Chromium and Firefox, by Safari (no file; HTML in its place), by webpack and Turbopack, by Vite. Too much of it
 * costs a question, too little a page.
 */
const MESSAGE =
  /dynamically imported module|importing a module script|valid javascript mime type|\bload(ing)? (css )?chunk|preload css/i;

const CAUSES_MAX = 5;

/** Whether an error, or one that caused it, says so. */
export function isChunkError(error: unknown): boolean {
  for (let i = 0; i < CAUSES_MAX && error; i++) {
    const { name, message, cause } = error as Partial<Error>;
    const text = typeof error === 'string' ? error : message;
    if (name === 'ChunkLoadError' || (typeof text === 'string' && MESSAGE.test(text))) return true;
    error = cause;
  }
  return false;
}

/** A script that is HTML: many hosts answer with the page itself for what is gone. An import of Turbopack's never settles then. */
const HTML = /SyntaxError.*'<'$/;

/** The address of a script or style sheet that failed; null for anything else. */
function assetOf({ target, message, filename }: ErrorEvent): URL | null {
  const { tagName, src, href, rel, as } = target as Partial<HTMLScriptElement & HTMLLinkElement>;
  const isLink = tagName === 'LINK' && /stylesheet|modulepreload|preload (script|style)/.test(`${rel} ${as}`);
  const isScript = tagName === 'SCRIPT';
  try {
    if (!isScript && !isLink && !HTML.test(message)) return null;
    return new URL((isLink ? href : isScript ? src : filename)!);
  } catch {
    return null;
  }
}

/**
 * Hears of chunk errors that nobody reports.
 *
 * @param isOwn whether a script or style sheet from there is a part of this page.
 * @param onError hears each of them, some twice: the error, or the element that could not be loaded.
 * @param settled whether the page is about to be replaced. Then Vite shall not throw what it could not load; the import is `undefined` instead.
 */
export function watchChunks(
  signal: AbortSignal,
  isOwn: (url: URL) => boolean,
  onError: (error: unknown) => void,
  settled: () => boolean,
): void {
  const listen = (type: string, heard: (event: never) => void): void =>
    globalThis.addEventListener?.(type, heard as EventListener, { capture: true, signal });

  listen('vite:preloadError', (event: Event & { payload?: unknown }) => {
    // A module that was loaded and threw is told of in the same way.
    if (!isChunkError(event.payload)) return;
    if (settled()) event.preventDefault();
    onError(event.payload);
  });
  listen('unhandledrejection', ({ reason }: PromiseRejectionEvent) => {
    if (isChunkError(reason)) onError(reason);
  });
  // What an element cannot load is told to the element alone, so it is heard on the way there.
  listen('error', (event: ErrorEvent) => {
    const { target, error, message } = event;
    const url = assetOf(event);
    if (url ? isOwn(url) : isChunkError(error ?? message)) onError(error ?? target);
  });
}
