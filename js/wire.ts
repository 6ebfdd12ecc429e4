/**
 * The numbers in which the Rust side and the glue speak. They stand apart from the rest, and import nothing: so bundlers write them in place.
 */

// How reading a body ended.
export const WHOLE = 0;
export const BROKEN = 1;
export const TOO_LARGE = 2;

// What the Rust side reads of a call.
export const IDEMPOTENT = 1;
export const REPLAYABLE = 2;
export const TRUSTED = 4;
export const STREAMS = 8;
export const WANTS_DATA = 16;
export const WRITES = 128;

/** Of the questions, the one that is answered by what it resolves with. */
export const PROBE = 1;

// Answers: none, or none that says anything; that clearly nobody is signed in; not asked.
export const CANNOT_TELL = -1;
export const NOBODY = -2;
export const NOTHING = -3;

// How a stream stands.
export const OPEN = 1;
export const POLLING = 3;
export const CLOSED = 5;

// What is said of an event.
export const REPEATED = 0;
export const NEW = 1;
export const GAP = 2;

// What the Rust side is told of the session.
export const ANSWERED = 0;
export const VERIFY = 1;
export const NUDGED = 2;
export const SIGN_OUT = 3;
export const SIGNED_OUT = 4;

// How the session stands.
export const LOADING = 0;
export const IN = 1;
export const OUT = 2;
export const UNKNOWN = 3;

/** Why it ended, where it was signed out here. */
export const BY_SIGN_OUT = 1;

/** What is said to be of a moment from further ahead is garbage; the Rust side thinks so too. */
export const AHEAD_MS = 100 * 365 * 24 * 3_600_000;

/** The number of no person, and of no moment. */
export const NONE = -1;

/** The session's group. Its words begin after those that all groups have, and end where no version has any. */
export const GROUP = 0;
export const WORDS = 5;
export const WORDS_END = 20;
export const VERDICT = 6;
export const VERDICT_UNKNOWN = 2;

// What the Rust side is told of the version.
export const SEEN = 0;
export const REFUSED = 1;
export const CHECKED = 2;
export const CHECK = 3;
export const CHUNK_FAILED = 4;
export const HOLD = 5;
export const RELEASED = 6;
export const APPLY = 7;
export const DISMISS = 8;
export const PREPARED = 9;
export const UNRECORDED = 10;

// What the app wants of a version.
export const RELOAD = 0;
export const PROMPT = 1;
export const IGNORE = 2;

// What the Rust side is told of a draft.
export const OWNED = 0;
export const EDITED = 1;
export const FLUSH = 2;
export const RESTORE = 3;
export const LOADED = 4;
export const READ = 5;
export const STORED = 6;
export const SENT = 7;
export const CLEAR = 8;
export const BURIED = 9;
export const GONE = 10;
export const CLEARED_ELSEWHERE = 11;
export const RESOLVE = 12;
export const CLOSE = 13;

// What it tells, where somebody else than its table has to name it.
export const TO_LOAD = 0;
export const TO_STORE = 2;
export const TO_BURY = 4;
export const IS_RESTORED = 6;
export const IS_FLUSHED = 7;
export const IS_CLEARED = 8;
export const TO_DROP = 9;
export const IS_CLOSED = 10;

/** Whose a draft is, where it is no number of a user's: it is being found out; nobody is known. */
export const PENDING = -2;
export const NOBODYS = -1;

// What this device has of a draft.
export const HAS_TEXT = 1;
export const HAS_CHANGES = 2;
export const HAS_OTHER = 4;
export const IS_VOID = 8;
export const IS_UNHEARD = 16;

// What the server has of it. A copy that says the same counts one more, and one that this text was made from two.
export const UNREACHABLE = 0;
export const ABSENT = 1;
export const UNKNOWN_THERE = 2;
export const TOMBSTONE = 3;
export const NEWER = 4;
export const STANDS = 5;
export const UNAUTHORIZED = 9;
export const OTHER_USER = 10;

// What came of writing it to the device; a kind is added to the last.
export const STORED_DIRTY = 0;
export const STORED_SAME = 1;
export const STORED_NOWHERE = 2;
export const STORED_REFUSED = 3;

// What came of sending it; what the server has, or a kind, is added to the last three.
export const SENT_ACCEPTED = 0;
export const SENT_UNAUTHORIZED = 1;
export const SENT_OTHER_USER = 2;
export const SENT_ABSENT = 3;
export const SENT_OUTDATED = 4;
export const SENT_STALE = 20;
export const SENT_REFUSED = 40;
export const SENT_LATER = 60;

// How a draft stands.
export const DRAFT_IDLE = 0;
export const DRAFT_DIRTY = 1;
export const DRAFT_SAVING = 2;
export const DRAFT_SAVED = 3;
export const DRAFT_OFFLINE = 4;
export const DRAFT_ERROR = 5;

// What stands against this page's text.
export const BY_SERVER = 0;
export const BY_OTHER = 1;
export const BY_CLEARING = 2;
