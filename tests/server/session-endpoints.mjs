import { randomUUID } from 'node:crypto';
import { AS_COOKIE, SESSION_COOKIE } from './people.mjs';

/**
 * @typedef {import('./people.mjs').People} People
 * @typedef {import('./types.mjs').Step} Step
 * @typedef {import('./types.mjs').SessionAnswer} SessionAnswer
 * @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest
 */

const CSRF_COOKIE = 'authjs.csrf-token';
const SENSITIVE = { 'Cache-Control': 'no-store, no-cache, must-revalidate', Pragma: 'no-cache' };

/** Who is signed in, answered in the shape of NextAuth / Auth.js. */
export class SessionEndpoints {
  /** What GET /api/auth/session answers; of a list one for each request, the last one again and again. @type {SessionAnswer | SessionAnswer[]} */
  session = null;
  /** Where they are given, the cookie says whose session it is, and `session` is not looked at. @type {People | null} */
  people = null;
  #cookiesSet = 0;
  #csrfToken = randomUUID();

  /** @param {RecordedRequest} request @returns {Step | null} */
  answer(request) {
    const { method, path } = request;
    if (method === 'GET' && path === '/api/auth/session')
      return this.people ? this.#ofCookie(this.people, request) : this.#current();
    if (method === 'GET' && path === '/api/auth/csrf') return this.#csrf();
    if (method === 'POST' && path === '/api/auth/callback/credentials' && this.people)
      return signIn(this.people, request);
    if (method === 'POST' && path === '/api/auth/signout') return this.#signOut(request);
    return null;
  }

  /** Who asks, as pages know whose drafts are whose; null for nobody. A session that is a fault is nobody's. @param {RecordedRequest} request @returns {string | null} */
  userKeyOf(request) {
    const name = this.people?.who(request) ?? null;
    const answer = this.people ? name && this.people.sessions[name] : [this.session].flat()[0];
    const user = /** @type {{ user?: { id?: unknown, sub?: unknown, email?: unknown } } | null} */ (answer)
      ?.user;
    const key = user?.id ?? user?.sub ?? user?.email ?? null;
    return key === null ? null : String(key);
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
    if (!(/** @type {{ user?: unknown }} */ (answer).user)) return { headers: SENSITIVE, body: answer };
    return rolled(answer, `${SESSION_COOKIE}=${++this.#cookiesSet}; ${AS_COOKIE}`);
  }

  /** @param {People} people @param {RecordedRequest} request @returns {Step} */
  #ofCookie(people, request) {
    const name = people.who(request);
    if (name === null) return { headers: SENSITIVE, body: null };
    return rolled(people.sessions[name], people.cookieOf(name));
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

/** A living session, whose cookie is set anew with each answer. @param {object} session @param {string | null} cookie @returns {Step} */
function rolled(session, cookie) {
  const { expiresInMs, ...body } = /** @type {{ expiresInMs?: number }} */ (session);
  return {
    headers: { ...SENSITIVE, 'Set-Cookie': cookie },
    body:
      expiresInMs === undefined
        ? body
        : { ...body, expires: new Date(Date.now() + expiresInMs).toISOString() },
  };
}

/** A form with a `name`, and nothing to prove. @param {People} people @param {RecordedRequest} request @returns {Step} */
function signIn(people, request) {
  const name = new URLSearchParams(request.body).get('name') ?? '';
  const cookie = people.cookieOf(name);
  if (!cookie) return { status: 401, headers: SENSITIVE, body: { code: 'unknownName' } };
  return { headers: { ...SENSITIVE, 'Set-Cookie': cookie }, body: people.sessions[name] };
}
