import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { asked, cookie, openSessions, SIGN_OUT } from './sessions.mjs';

const CSRF = '/api/auth/csrf';

for (const [what, where, step, kind] of /** @type {Array<[string, string, any, string]>} */ ([
  ['refuses the token (v4)', CSRF, { body: { csrfToken: 'another' } }, 'forbidden'],
  [
    'refuses the token (v5)',
    SIGN_OUT,
    { body: { url: 'http://127.0.0.1/auth/error?error=MissingCSRF' } },
    'forbidden',
  ],
  ['refuses', SIGN_OUT, 403, 'forbidden'],
  ['fails', SIGN_OUT, 500, 'server'],
  ['is not there', SIGN_OUT, 503, 'unavailable'],
  ['cannot be reached', SIGN_OUT, 'cut', 'network'],
  ['cannot be reached for a token', CSRF, 'cut', 'network'],
  ['does not answer', SIGN_OUT, 'hang', 'timeout'],
  ['does not give a token', CSRF, { body: { no: 'token' } }, 'parse'],
  ['answers with a page', CSRF, { headers: { 'Content-Type': 'text/html' }, body: '<p>' }, 'parse'],
])) {
  test(`a server that ${what} signs nobody out: signOut rejects with ${kind}`, async (t) => {
    const { server, context, tabs } = await openSessions(t, 2, {
      signedIn: 'ada',
      session: { verifyTimeoutMs: kind === 'timeout' ? 2_000 : 10_000, activeMs: 800 },
    });
    const fault = server.on(where, step);
    const error = await tabs[0].signOut();
    assert.deepEqual([error?.name, error?.kind], ['StabilityError', kind]);
    assert.ok(await cookie(context));
    server.clear();
    await until(() => asked(server) >= 2); // the pings go on
    for (const tab of tabs) {
      await tab.is('authenticated', 'ada');
      assert.deepEqual([await tab.ended(), await tab.mark()], [[], '1']);
    }
    fault.off();
    assert.equal(await tabs[0].signOut(), null, 'and it may be tried again');
    for (const tab of tabs) await tab.is('signedOut');
  });
}

test('signOut while offline rejects, and nobody is signed out', async (t) => {
  const { context, tabs } = await openSessions(t, 1, { signedIn: 'ada' });
  const [tab] = tabs;
  await context.setOffline(true);
  await until(() => run(tab.page, () => !navigator.onLine));
  const error = await tab.signOut();
  assert.deepEqual([error?.name, error?.kind], ['StabilityError', 'offline']);
  assert.deepEqual([(await tab.state()).userKey, await tab.ended()], ['ada', []]);
  await context.setOffline(false);
  await tab.is('authenticated', 'ada');
});
