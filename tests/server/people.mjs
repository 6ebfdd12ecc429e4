import { randomUUID } from 'node:crypto';

/** @typedef {import('./recorder.mjs').RecordedRequest} RecordedRequest */

export const SESSION_COOKIE = 'authjs.session-token';
export const AS_COOKIE = 'Path=/; HttpOnly; SameSite=Lax';

/** Several people, told apart by their cookie: it names one of them, and is signed anew with each answer, as JWT sessions are. */
export class People {
  #generation = randomUUID();
  #cookiesSet = 0;

  /** @param {Record<string, object>} sessions the session's body of each, by name; `expiresInMs` becomes `expires` */
  constructor(sessions) {
    this.sessions = sessions;
  }

  /** The name of the one whose cookie it carries; null for nobody's, and for one that was forgotten. @param {RecordedRequest} request */
  who(request) {
    const [name = '', generation] = (request.cookie(SESSION_COOKIE) ?? '').split('.');
    return generation === this.#generation && Object.hasOwn(this.sessions, name) ? name : null;
  }

  /** A value for `Set-Cookie` that signs somebody in; null where nobody has this name. @param {string} name */
  cookieOf(name) {
    if (!Object.hasOwn(this.sessions, name)) return null;
    return `${SESSION_COOKIE}=${name}.${this.#generation}.${++this.#cookiesSet}; ${AS_COOKIE}`;
  }

  /** Every cookie that was set so far is worth nothing. */
  forget() {
    this.#generation = randomUUID();
  }
}
