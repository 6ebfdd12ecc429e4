/**
 * What a provider asks of a client beyond what everybody may: to leave the page alone until it is mounted, since a render may be thrown
 * away; and whom the server rendered for.
 */
import type { SessionState, Stability } from './types.js';

/** What is done for it. */
export interface Provided {
  /** From now on the page may be touched. Once; later calls do nothing. */
  begin(): void;
  /** How a session that the server rendered with is shown; undefined: it says nothing. Nothing is kept of it: on a server many share a client. */
  rendered(body: unknown): SessionState | undefined;
  /** Begins with that session, unless more is known already. */
  welcome(body: unknown): void;
}

const providedBy = new WeakMap<Stability, Provided>();
let isInert = false;

/** Makes a client that leaves the page alone until it begins. */
export function whileInert(make: () => Stability): Stability {
  isInert = true;
  try {
    return make();
  } finally {
    isInert = false;
  }
}

/** A new client: it begins at once, unless it is made for a provider. */
export function provide(stability: Stability, provided: Provided): void {
  providedBy.set(stability, provided);
  if (!isInert) provided.begin();
}

/** Undefined where the client comes from another copy of the package. */
export const provided = (stability: Stability): Provided | undefined => providedBy.get(stability);
