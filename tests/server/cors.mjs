/**
 * @typedef {import('./types.mjs').CorsConfig} CorsConfig
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 */

const EXPOSED = ['X-App-Version', 'Retry-After', 'retry-after-ms', 'ETag', 'X-Request-Id', 'Link', 'Date'];
const ACCEPTED = [
  'Content-Type',
  'Authorization',
  'Last-Event-ID',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-App-Version',
  'X-Expected-User',
  'X-CSRF-Token',
  'X-Auth-Return-Redirect',
];

/**
 * The CORS headers of an answer; none when the origin is not let in.
 * @param {CorsConfig} config
 * @param {RecordedRequest} request
 * @returns {Record<string, string>}
 */
export function corsHeaders(
  { origin = 'reflect', expose = EXPOSED, headers = ACCEPTED, credentials = true },
  request,
) {
  const asking = request.headers.origin;
  if (!asking) return {};
  const allowed = origin === 'reflect' || origin === '*' || [origin].flat().includes(asking);
  if (!allowed) return { Vary: 'Origin' };
  return {
    Vary: 'Origin',
    'Access-Control-Allow-Origin': origin === '*' ? '*' : asking,
    ...(credentials ? { 'Access-Control-Allow-Credentials': 'true' } : {}),
    ...(request.isPreflight
      ? {
          'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
          'Access-Control-Allow-Headers': headers.join(', '),
          'Access-Control-Max-Age': '0', // each test sees its own preflights
        }
      : { 'Access-Control-Expose-Headers': expose.join(', ') }),
  };
}
