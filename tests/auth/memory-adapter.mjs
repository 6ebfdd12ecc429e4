/**
 * A database of next-auth that is a few maps, and can be out of order.
 * @param {Array<{ id: string, name: string, email: string }>} people
 */
export function memoryAdapter(people) {
  const users = people.map((person) => ({ ...person, emailVerified: null }));
  /** @type {Map<string, any>} */ const sessions = new Map();
  /** @type {Map<string, any>} */ const tokens = new Map();
  const byId = (/** @type {string} */ id) => users.find((user) => user.id === id) ?? null;
  const methods = {
    getUser: byId,
    getUserByEmail: (/** @type {string} */ email) => users.find((user) => user.email === email) ?? null,
    getUserByAccount: () => null,
    updateUser: (/** @type {any} */ change) => Object.assign(/** @type {any} */ (byId(change.id)), change),
    createVerificationToken(/** @type {any} */ token) {
      tokens.set(token.token, token);
      return token;
    },
    useVerificationToken(/** @type {any} */ { token }) {
      const found = tokens.get(token) ?? null;
      tokens.delete(token);
      return found;
    },
    createSession(/** @type {any} */ session) {
      sessions.set(session.sessionToken, session);
      return session;
    },
    getSessionAndUser(/** @type {string} */ token) {
      const session = sessions.get(token);
      return session ? { session: { ...session }, user: byId(session.userId) } : null;
    },
    updateSession: (/** @type {any} */ change) => Object.assign(sessions.get(change.sessionToken), change),
    deleteSession: (/** @type {string} */ token) => void sessions.delete(token),
  };
  const adapter = {
    /** While it is, every query fails. */
    isDown: false,
    sessions,
    ...Object.fromEntries(
      Object.entries(methods).map(([name, method]) => [
        name,
        async (/** @type {any} */ given) => {
          if (adapter.isDown) throw new Error('the database is down');
          return method(given);
        },
      ]),
    ),
  };
  return adapter;
}
