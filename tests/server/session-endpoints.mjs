import { randomUUID } from 'node:crypto';

/**
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {import('./types.mjs').SessionAnswer} SessionAnswer
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 */

export const SESSION_COOKIE = 'authjs.session-token';
const CSRF_COOKIE = 'authjs.csrf-token';
const SENSITIVE = { 'Cache-Control': 'no-store, no-cache, must-revalidate', Pragma: 'no-cache' };
const AS_COOKIE = 'Path=/; HttpOnly; SameSite=Lax';

/** Who is signed in, answered in the shape of NextAuth / Auth.js. */
export class SessionEndpoints {
  /** What GET /api/auth/session answers; of a list one for each request, the last one again and again. @type {SessionAnswer | SessionAnswer[]} */
  session = null;
  #cookiesSet = 0;
  #csrfToken = randomUUID();

  /** @param {RecordedRequest} request @returns {Step | null} */
  answer(request) {
    const { method, path } = request;
    if (method === 'GET' && path === '/api/auth/session') return this.#current();
    if (method === 'GET' && path === '/api/auth/csrf') return this.#csrf();
    if (method === 'POST' && path === '/api/auth/signout') return this.#signOut(request);
    return null;
  }

  /** @returns {Step} */
  #current() {
    const answer =
      Array.isArray(this.session) && this.session.length > 1
        ? this.session.shift()
        : [this.session].flat()[0];
    if (answer === 'broken') return { status: 500, headers: SENSITIVE, body: { error: 'broken' } };
    if (answer === 'html')
      return {
        headers: { ...SENSITIVE, 'Content-Type': 'text/html; charset=utf-8' },
        body: '<!doctype html><title>Sign in</title>',
      };
    if (answer === 'hang') return { hang: true };
    if (typeof answer === 'number') return { status: answer, headers: SENSITIVE, body: {} };
    if (answer === null || answer === undefined) return { headers: SENSITIVE, body: null };
    const { expiresInMs, ...body } = /** @type {{ expiresInMs?: number, user?: unknown }} */ (answer);
    if (!body.user) return { headers: SENSITIVE, body };
    return {
      headers: { ...SENSITIVE, 'Set-Cookie': `${SESSION_COOKIE}=${++this.#cookiesSet}; ${AS_COOKIE}` },
      body:
        expiresInMs === undefined
          ? body
          : { ...body, expires: new Date(Date.now() + expiresInMs).toISOString() },
    };
  }

  /** @returns {Step} */
  #csrf() {
    return {
      headers: { ...SENSITIVE, 'Set-Cookie': `${CSRF_COOKIE}=${this.#csrfToken}; ${AS_COOKIE}` },
      body: { csrfToken: this.#csrfToken },
    };
  }

  /** @param {RecordedRequest} request @returns {Step} */
  #signOut(request) {
    const origin = request.headers.origin ?? `http://${request.headers.host}`;
    const given = new URLSearchParams(request.body).get('csrfToken');
    if (given !== this.#csrfToken || request.cookie(CSRF_COOKIE) !== given) {
      return { headers: SENSITIVE, body: { url: `${origin}/api/auth/signout?csrf=true` } };
    }
    this.session = null;
    return {
      headers: { ...SENSITIVE, 'Set-Cookie': `${SESSION_COOKIE}=; Max-Age=0; ${AS_COOKIE}` },
      body: { url: `${origin}/` },
    };
  }
}
