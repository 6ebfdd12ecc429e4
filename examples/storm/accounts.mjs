import { People } from '../../tests/server/fault-server.mjs';

/**
 * Who can sign in, and who is signed in by opening the page.
 *
 * @typedef {import('../../tests/server/fault-server.mjs').FaultServer} FaultServer
 * @typedef {import('../../tests/server/recorder.mjs').RecordedRequest} RecordedRequest
 */
const LASTS_MS = 600_000; // from each answer of the session endpoint on
const VISITED = 'storm-visited';

/** @param {FaultServer} api */
export function openAccounts(api) {
  const people = new People({
    ada: { user: { id: 'ada', name: 'Ada' }, expiresInMs: LASTS_MS },
    ben: { user: { id: 'ben', name: 'Ben' }, expiresInMs: LASTS_MS },
  });
  const run = String(Date.now());
  const visited = `${VISITED}=${run}; Path=/; HttpOnly; SameSite=Lax`;
  api.people = people;

  return {
    /** The name of the one who asks. @param {RecordedRequest} request @returns {string | null} */
    nameOf(request) {
      const who = people.who(request);
      return who && people.sessions[who].user.name;
    },
    /** The user key of the one who asks. @param {RecordedRequest} request @returns {string | null} */
    personOf: (request) => people.who(request),
    /** Everybody is signed out, and nobody is told. */
    forget: () => people.forget(),
    /** Cookies for the page: a first visit is Ada's, so that there is a session to watch. Cookies know no ports. @param {RecordedRequest} request @returns {string[]} */
    welcome(request) {
      if (request.cookie(VISITED) === run) return [];
      return [people.cookieOf('ada'), visited];
    },
    /** A window that begins with somebody else: `/as/ben`. @param {RecordedRequest} request */
    enter({ path }) {
      const cookie = people.cookieOf(path.split('/').at(-1));
      if (!cookie) return { status: 404, body: {} };
      return { status: 303, headers: { Location: '/', 'Set-Cookie': [cookie, visited] } };
    },
  };
}
