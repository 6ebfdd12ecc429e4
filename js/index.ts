/**
 * evenkeel: keeps a page steady through everything that goes wrong between it and its server.
 */
import { EventSourceBase } from './event-source.js';
import { create } from './stability.js';
import type { EventsOptions, Stability, StabilityConfig } from './types.js';

export { formatError, StabilityError, unwrap } from './errors.js';
export type * from './types.js';

/**
 * Makes a client. Returns at once and does nothing until it is used or subscribed to; the WebAssembly module is then fetched, compiled and
 * started in the background, and calls made before that wait for it. In a page that has `session` or `version` on, that is at once.
 *
 * @throws TypeError or RangeError on a configuration error, naming option, value and what is allowed.
 */
export function createStability(config?: StabilityConfig): Stability {
  // Written out here, where bundlers look for it.
  return create(config, () => new URL('evenkeel_bg.wasm', import.meta.url), ResilientEventSource);
}

/**
 * An EventSource that survives what goes wrong between a page and its server. It has the whole EventSource interface, so that
 * `globalThis.EventSource = ResilientEventSource` works.
 *
 * Without `stability` it belongs to the first client that the page created, or else to one made with defaults.
 *
 * @throws DOMException `SyntaxError` on a URL that cannot be parsed; TypeError or RangeError on a wrong option.
 */
export class ResilientEventSource extends EventSourceBase {
  constructor(...args: [url: string | URL, options?: EventsOptions & { stability?: Stability }]) {
    super(createStability, args);
  }
}
