/**
 * evenkeel: keeps a page steady through everything that goes wrong between it and its server.
 */
import { create } from './stability.js';
import type { Stability, StabilityConfig } from './types.js';

export { formatError, StabilityError, unwrap } from './errors.js';
export type * from './types.js';

/**
 * Makes a client. Returns at once and does nothing until it is used or subscribed to; the WebAssembly module is then fetched, compiled and
 * started in the background, and calls made before that wait for it.
 *
 * @throws TypeError or RangeError on a configuration error, naming option, value and what is allowed.
 */
export function createStability(config?: StabilityConfig): Stability {
  // Written out here, where bundlers look for it.
  return create(config, () => new URL('evenkeel_bg.wasm', import.meta.url));
}
