import { installPeers } from '../harness/peers.mjs';
import { startFaultServer } from '../server/fault-server.mjs';
import { memoryAdapter } from './memory-adapter.mjs';
import { nextAuth4 } from './next-auth-4.mjs';
import { nextAuth5 } from './next-auth-5.mjs';

/** @typedef {4 | 5} Generation */

export const SESSION = '/api/auth/session';
export const COOKIE = { 4: 'next-auth.session-token', 5: 'authjs.session-token' };
export const CSRF_COOKIE = { 4: 'next-auth.csrf-token', 5: 'authjs.csrf-token' };
export const PASSWORD = 'correct horse';

/** Who has an account; signs in by e-mail and PASSWORD. */
export const PEOPLE = [
  { id: '1', name: 'Ada', email: 'ada@example.org' },
  { id: '2', name: 'Bob', email: 'bob@example.org' },
];

/**
 * A server on loopback whose /api/auth/ is a real next-auth; everything else is the fault server's. Rules that are added later come
 * first, and may pass to it.
 * @param {Generation} generation
 * @param {{ maxAgeS?: number, updateAgeS?: number, strategy?: 'jwt' | 'database' }} [options] with sessions in a database people sign in by a link
 *   that is sent to their e-mail, since next-auth takes no credentials there
 */
export async function startAuthServer(
  generation,
  { maxAgeS = 3_600, updateAgeS = 0, strategy = 'jwt' } = {},
) {
  const auth = {
    strategy,
    /** Cookies that were signed with another one are worth nothing. */
    secret: 'the first secret',
    /** Set: what the app's session callback answers, in place of the session. @type {(() => unknown) | null} */
    blip: null,
    database: memoryAdapter(PEOPLE),
    /** The newest link that was sent. */
    link: '',
  };
  const config = () => ({
    secret: auth.secret,
    trustHost: true,
    session: { strategy, maxAge: maxAgeS, updateAge: updateAgeS },
    providers: [strategy === 'jwt' ? credentials : mail],
    // Next-auth 5 asks for one for good, once one server of this process has signed in by mail.
    adapter: auth.database,
    callbacks: auth.blip ? { session: auth.blip } : {},
    logger: { error() {}, warn() {}, debug() {} },
  });
  const mail = {
    id: 'mail',
    type: 'email',
    name: 'Mail',
    from: 'app@example.org',
    maxAge: 600,
    options: {},
    sendVerificationRequest: async (/** @type {{ url: string }} */ { url }) => {
      auth.link = url;
    },
  };
  const folder = await installPeers('auth');
  const answer = await (generation === 4 ? nextAuth4 : nextAuth5)(folder, config);
  const server = await startFaultServer();
  server.on('/api/auth/*', answer);
  return Object.assign(server, { generation, auth });
}

const credentials = {
  id: 'credentials',
  type: 'credentials',
  name: 'Credentials',
  credentials: { email: {}, password: { type: 'password' } },
  authorize: async (/** @type {{ email: string, password: string }} */ { email, password }) =>
    (password === PASSWORD && PEOPLE.find((person) => person.email === email)) || null,
};
