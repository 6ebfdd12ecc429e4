/**
 * evenkeel/inline: the same with the WebAssembly module inside, for pages that cannot fetch a .wasm file.
 */
import base64 from '#wasm-base64';
import { EventSourceBase } from './event-source.js';
import { create } from './stability.js';
import type { EventsOptions, Stability, StabilityConfig } from './types.js';

export { formatError, StabilityError, unwrap } from './errors.js';
export type * from './types.js';

/** As createStability of 'evenkeel', without a request for the module. */
export function createStability(config?: StabilityConfig): Stability {
  // Decoded by hand: a fetch of a data: URL falls under the page's connect-src.
  return create(
    config,
    () => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)),
    ResilientEventSource,
  );
}

/** As ResilientEventSource of 'evenkeel', with a client of this entry where the page has none. */
export class ResilientEventSource extends EventSourceBase {
  constructor(...args: [url: string | URL, options?: EventsOptions & { stability?: Stability }]) {
    super(createStability, args);
  }
}
