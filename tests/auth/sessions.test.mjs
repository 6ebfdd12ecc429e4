import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { ADA, CALM, GENERATIONS, openPerson, PINGING, pass } from './people.mjs';
import { COOKIE, SESSION } from './server.mjs';

/** Confirms for about a second. */
const PATIENT = { ...PINGING, confirmAfterMs: 150 };

/**
 * A tab that was there before the person signed in, so that however slowly it was loaded, their short session lives when it is asked for;
 * and pings that come many times in its life.
 * @param {import('node:test').TestContext} t
 * @param {import('./server.mjs').Generation} generation
 * @param {Parameters<typeof openPerson>[2]} options
 */
async function openBriefly(t, generation, options) {
  const person = await openPerson(t, generation, { ...options, as: null });
  const tab = await person.open({ ...CALM, activeMs: 500, idleMs: 500 });
  await tab.is('signedOut');
  await person.signIn(ADA);
  await tab.verify();
  await tab.is('authenticated');
  return { person, tab };
}

function fail() {
  throw new Error('the database is down');
}

for (const generation of GENERATIONS) {
  const it = `next-auth ${generation}`;

  test(`${it}: who signed in with credentials is known after one request`, async (t) => {
    const person = await openPerson(t, generation, { maxAgeS: 600 });
    const tab = await person.open(CALM);
    const { user, userKey, expires } = await tab.is('authenticated');
    assert.deepEqual([user, userKey], [{ name: 'Ada', email: ADA }, ADA]);
    const [{ at, endedAt }, ...more] = person.asked().all;
    const [leastMs, mostMs] = [expires - (endedAt ?? Date.now()), expires - at];
    assert.ok(mostMs > 590_000 && leastMs <= 600_000, `${leastMs} to ${mostMs} ms`);
    assert.deepEqual([more, await tab.heard()], [[], []]);
  });

  test(`${it}: who is not signed in is told so after one request, and nothing is announced`, async (t) => {
    const person = await openPerson(t, generation, { as: null });
    const tab = await person.open(CALM);
    const { user, userKey, expires } = await tab.is('signedOut');
    assert.deepEqual([user, userKey, expires], [null, null, null]);
    assert.deepEqual([person.asked().all.length, await tab.heard()], [1, []]);
  });

  test(`${it}: each ping rolls the cookie, and what it lasts moves on`, async (t) => {
    const person = await openPerson(t, generation);
    const tab = await person.open(PINGING);
    const first = await tab.is('authenticated');
    const before = await person.cookie();
    person.server.clear();
    await until(() => person.asked().all.length >= 5);
    for (const { step } of person.asked().all.slice(0, 4)) {
      const [cookie] = Object.entries(step?.headers ?? {}).flatMap(([name, value]) =>
        name.toLowerCase() === 'set-cookie' ? [value].flat() : [],
      );
      assert.match(String(cookie), new RegExp(`^${COOKIE[generation]}=ey.*Expires=`));
    }
    const after = await person.cookie();
    assert.ok(after && before && after.value !== before.value && after.expires > before.expires);
    assert.ok((await tab.state()).expires > first.expires);
  });

  test(`${it}: a session of three seconds lives on while it is pinged, and ends without`, async (t) => {
    const { person, tab } = await openBriefly(t, generation, { maxAgeS: 3 });
    await pass(7_000);
    assert.deepEqual([await tab.statuses(), await tab.heard()], [['signedOut', 'authenticated'], []]);
    await tab.page.close();
    const { expires } = (await person.cookie()) ?? { expires: 0 };
    assert.ok(expires * 1_000 <= Date.now() + 3_000, 'nobody can make it longer');
    await until(async () => (await person.cookie()) === undefined);
  });

  for (const [how, forget] of /** @type {const} */ ([
    ['takes its cookies for forged', async ({ server }) => (server.auth.secret = 'another secret')],
    ['is not given the cookie any more', ({ context }) => context.clearCookies()],
    // next-auth takes that for a forged cookie too, and deletes it: such a session is over indeed.
    ['throws in its session callback', ({ server }) => (server.auth.blip = fail)],
  ])) {
    test(`${it}: a server that ${how} ends the session, once in each tab, after the confirmations`, async (t) => {
      const person = await openPerson(t, generation);
      const tabs = await person.openTabs(2, PATIENT);
      for (const tab of tabs) await tab.is('authenticated');
      await person.pinged();
      await person.changing(async () => forget(person));
      const before = person.asked().all.length;
      for (const tab of tabs) await tab.is('signedOut', null);
      const asked = person.asked().all.length - before;
      // On a busy machine pings come between them.
      assert.ok(asked >= 3 && asked <= 6, `${asked} requests`);
      await pass(500);
      for (const tab of tabs) assert.deepEqual(await tab.heard(), ['expired']);
    });
  }

  for (const answer of [null, {}]) {
    test(`${it}: a session callback that answers ${JSON.stringify(answer)} for a while logs nobody out`, async (t) => {
      const person = await openPerson(t, generation);
      const tab = await person.open(PATIENT);
      await tab.is('authenticated');
      // Twice: a third time would be the last.
      const { auth } = person.server;
      let answers = 0;
      auth.blip = () => {
        if (++answers === 2) auth.blip = null;
        return answer;
      };
      await until(() => auth.blip === null);
      const { length: asked } = person.asked().all;
      await until(() => person.asked().all.length > asked + 2);
      await tab.is('authenticated', ADA);
      assert.ok(!(await tab.statuses()).includes('signedOut'));
      assert.deepEqual(await tab.heard(), []);
      assert.ok(await person.cookie());
    });
  }

  test(`${it}: a database that is down for a while logs nobody out, though the server says nobody is signed in`, async (t) => {
    const person = await openPerson(t, generation, { strategy: 'database' });
    const tabs = await person.openTabs(2, PATIENT);
    for (const tab of tabs) await tab.is('authenticated', ADA);
    // For two questions: a third one would be the last.
    const { database } = person.server.auth;
    let questions = 0;
    person.server.on(SESSION, () => {
      database.isDown = ++questions <= 2;
      return 'pass';
    });
    person.server.clear();
    await until(() => questions > 4);
    const [{ status, step }, second] = person.asked().all;
    assert.deepEqual([status, step?.body], [200, generation === 4 ? '{}' : 'null']);
    assert.equal(second.step?.body, step?.body);
    for (const tab of tabs) {
      assert.deepEqual([await tab.statuses(), await tab.heard()], [['authenticated'], []]);
    }
    assert.ok(await person.cookie());
  });

  test(`${it}: a session in the database is extended by pings, where updateAge is below maxAge`, async (t) => {
    const { person, tab } = await openBriefly(t, generation, {
      strategy: 'database',
      maxAgeS: 4,
      updateAgeS: 1,
    });
    await pass(8_000);
    assert.deepEqual([await tab.statuses(), await tab.heard()], [['signedOut', 'authenticated'], []]);
    assert.equal(person.server.auth.database.sessions.size, 1);
  });

  test(`${it}: a 401 of the app's own while the session lives is no sign-out`, async (t) => {
    const person = await openPerson(t, generation);
    const tab = await person.open(CALM);
    await tab.is('authenticated');
    person.server.on('/api/x', [401, { body: 'welcome' }]);
    const { data } = await run(tab.page, () => window.app.api.get('/api/x'));
    assert.deepEqual([data, person.asked().all.length, await tab.heard()], ['welcome', 2, []]);
  });
}
