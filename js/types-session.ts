/**
 * The public types of the session. Every duration is in milliseconds and ends in `Ms`; every moment is epoch milliseconds.
 */
import type { Store } from './types.js';

// biome-ignore lint/suspicious/noExplicitAny: the app knows what its own server answers
type Body = any;

/** How a session is kept alive, and how it is asked for. */
export interface SessionConfig {
  /** Default `'/api/auth/session'` (NextAuth / Auth.js). */
  endpoint?: string;
  /** Between two pings while somebody is active in any tab. One tab asks for all. Default 300_000. */
  activeMs?: number;
  /** Between two pings while nobody is. Default 900_000. */
  idleMs?: number;
  /** So long without pointer, key, touch or scroll is idle; a hidden tab is idle at once. Default 300_000. */
  idleAfterMs?: number;
  /** So many signed-out answers in a row before a session that lived is declared over, 1 to 10. Default 3. */
  confirmations?: number;
  /** Before the second answer is asked for; each later gap is five times as long. Default 2_000: an outage of ten seconds logs nobody out. */
  confirmAfterMs?: number;
  /** Idle for so long in all tabs: no ping until somebody is active, so that a forgotten page does not keep a session for ever. Default 8 h. */
  stopAfterIdleMs?: number | false;
  /** For every session request. Default 10_000. */
  verifyTimeoutMs?: number;
  /**
   * A session that the server rendered with, as its endpoint would answer: no loading state, no first request. Where it says that nobody is
   * signed in (`null` or `{}`), the page begins signed out, and asks.
   */
  initialSession?: unknown;
  /** From the raw body: who is signed in, for account-switch detection and draft ownership. Default: `user.id ?? user.sub ?? user.email`. */
  identify?: (body: Body) => string | number | null;
  /**
   * From the raw body: the session, or null for signed out. Default: NextAuth's (null or {} is signed out). What it throws means that nothing
   * can be told. Other tabs are told what it returns, and nothing else of the body: leave tokens out, and give plain
   * data, since of anything else they get what can be copied.
   */
  parse?: (body: Body) => { user: unknown; expires: string | number | null } | null;
  /**
   * Signs out at the server, within `api.deadlineMs`; rejects where the server refuses, and then nobody is signed out. Default: NextAuth's CSRF
   * token and POST, beside the endpoint.
   */
  signOut?: () => Promise<void>;
  /** Post on, and listen to, Auth.js' own channel, so that its SessionProvider refetches with us. Default true. */
  bridgeNextAuth?: boolean;
}

/** `declare module 'evenkeel' { interface Register { user: MyUser } }` types every `user`. */
// biome-ignore lint/suspicious/noEmptyInterface: apps add to it, which they could not do to an alias
export interface Register {}

/** Who is signed in: what `Register` says. */
export type User = Register extends { user: infer U } ? U : unknown;

/** How the session stands. */
export interface SessionState {
  /** `'unknown'`: it cannot be verified now, or the session is off; nobody is logged out. */
  status: 'loading' | 'authenticated' | 'signedOut' | 'unknown';
  /** The identical object while the server says the same; the last one known while the status is `'unknown'`. */
  user: User | null;
  /** Who it is, as `identify` says; null also where it says nothing. */
  userKey: string | null;
  /** Until when the session lives, if the server says so. */
  expires: number | null;
  /** Whether this tab asks for all. */
  role: 'leader' | 'follower';
}

/** Who is signed in. */
export interface SessionKeeper extends Store<SessionState> {
  /** When the server last said clearly who is signed in, to any tab. Not in the snapshot, which changes only when the person's situation does. */
  readonly lastVerifiedAt: number | null;
  /** Asks the server now; one request for however many callers and tabs. Settles after the confirmations, where they are needed. */
  verify(): Promise<SessionState>;
  /**
   * Ends pings in all tabs, asks the server, and tells all tabs. Rejects with a StabilityError, and nobody is signed out, when the server
   * refuses (`'forbidden'`) or cannot be asked.
   */
  signOut(): Promise<void>;
  /** `'expired'`: the server said so (in every tab); `'otherTab'`: signOut was called in another one. Returns the function that ends it. */
  onSignedOut(listener: (reason: 'expired' | 'signOut' | 'otherTab') => void): () => void;
  /** A known user was replaced by another one, also across a signed-out gap. Returns the function that ends it. */
  onAccountChanged(listener: (change: { from: string | null; to: string | null }) => void): () => void;
}
