/**
 * The words that the fault server is scripted in.
 *
 * @typedef {object} Step One answer. Everything is optional; `{}` is an empty 200.
 * @property {number} [status] Default 200.
 * @property {Record<string, string | string[] | null>} [headers] Added to the default ones; null takes a default one away.
 * @property {string | Uint8Array | { base64: string } | object | null} [body] A string is sent as it is, bytes too, anything else as JSON.
 * @property {Array<Piece>} [pieces] A dripped body, instead of `body`.
 * @property {(stream: LiveBody) => unknown} [stream] A body that goes on until the function settles, instead of `body`.
 * @property {number} [delayMs] Before the headers.
 * @property {number} [bodyDelayMs] Between the headers and the body.
 * @property {number} [cutAfterBytes] The socket is destroyed after exactly so many bytes of the body; 0 is after the headers.
 * @property {'beforeHeaders'} [cut] The socket is destroyed instead of an answer.
 * @property {boolean} [reset] Whatever is cut is cut by RST rather than by FIN.
 * @property {number} [stallAfterBytes] So many bytes of the body and then nothing, with the connection held; Infinity is after all of them.
 * @property {boolean} [hang] No answer, with the connection held.
 * @property {boolean} [pass] The answer is the one that the next rule or endpoint gives, which does what it was
 *   asked for; what else the step says is laid over it. With `cut: 'beforeHeaders'` a save is done and its answer lost.
 * @property {RetryAfter | string | Array<RetryAfter | string>} [retryAfter] See `retryAfter`; a string is sent as it is, for malformed ones.
 * @property {number} [dateSkewMs] How far this server's clock is ahead: shifts `Date` and the dates in Retry-After.
 *
 * @typedef {{ data: string | Uint8Array | { base64: string }, afterMs?: number }} Piece
 *
 * @typedef {object} LiveBody
 * @property {RecordedRequest} request
 * @property {AbortSignal} signal Aborted when the client goes away.
 * @property {(data: string | Uint8Array) => Promise<void>} write
 * @property {() => void} end
 * @property {() => void} cut Destroys the socket.
 *
 * @typedef {(request: RecordedRequest) => StepLike | Promise<StepLike>} DynamicStep
 * @typedef {number | 'hang' | 'pass' | 'cut' | Step | DynamicStep} StepLike A number is a status, 'cut' is before the headers.
 *
 * @typedef {string | RegExp | ((request: RecordedRequest) => boolean)} Matcher
 *   '/api/x', 'POST /api/x', a prefix as '/api/*'; a RegExp is matched against the path and query.
 *
 * @typedef {{ form: 'seconds' | 'ms' | 'imfFixdate' | 'rfc850' | 'asctime', value: number }} RetryAfter
 *
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 *
 * @typedef {object | null | number | 'broken' | 'html' | 'hang'} SessionAnswer
 *   A body (`expiresInMs` becomes `expires`), a status, or a fault.
 *
 * @typedef {object} CorsConfig
 * @property {'*' | 'reflect' | string | string[]} [origin] Default 'reflect': whoever asks.
 * @property {string[]} [expose] Response headers that a page may read.
 * @property {string[]} [headers] Request headers that a page may send.
 * @property {boolean} [credentials] Default true.
 */
export {};
