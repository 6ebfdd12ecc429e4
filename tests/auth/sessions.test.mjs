import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { ADA, CALM, GENERATIONS, openPerson, PINGING, pass } from './people.mjs';
import { COOKIE, SESSION } from './server.mjs';

/** Confirms for about a second. */
const PATIENT = { ...PINGING, confirmAfterMs: 150 };

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
    const leftMs = expires - Date.now();
    assert.ok(leftMs > 590_000 && leftMs <= 600_000, `${leftMs} ms are left`);
    assert.deepEqual([person.asked().all.length, await tab.heard()], [1, []]);
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
    const person = await openPerson(t, generation, { maxAgeS: 3 });
    const tab = await person.open({ ...CALM, activeMs: 1_000, idleMs: 1_000 });
    await tab.is('authenticated');
    const endsAt = Date.now() + 7_000;
    while (Date.now() < endsAt) {
      assert.equal((await tab.state()).status, 'authenticated');
      await pass(200);
    }
    assert.deepEqual(await tab.heard(), []);
    await tab.page.close();
    await pass(3_500);
    assert.equal(await person.cookie(), undefined);
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
      await forget(person);
      const before = person.asked().all.length;
      for (const tab of tabs) await tab.is('signedOut', null);
      const asked = person.asked().all.length - before;
      assert.ok(asked >= 3 && asked <= 4, `${asked} requests`);
      await pass(500);
      for (const tab of tabs) assert.deepEqual(await tab.heard(), ['expired']);
    });
  }

  for (const answer of [null, {}]) {
    test(`${it}: a session callback that answers ${JSON.stringify(answer)} for a while logs nobody out`, async (t) => {
      const person = await openPerson(t, generation);
      const tab = await person.open(PATIENT);
      await tab.is('authenticated');
      person.server.clear();
      person.server.auth.blip = () => answer;
      await person.server.waitFor(SESSION, { count: 2 });
      await pass(200);
      person.server.auth.blip = null;
      await tab.is('authenticated', ADA);
      await pass(1_500);
      assert.equal((await tab.state()).status, 'authenticated');
      assert.deepEqual(await tab.heard(), []);
      assert.ok(await person.cookie());
    });
  }

  test(`${it}: a database that is down for a while logs nobody out, though the server says nobody is signed in`, async (t) => {
    const person = await openPerson(t, generation, { strategy: 'database' });
    const tabs = await person.openTabs(2, PATIENT);
    for (const tab of tabs) await tab.is('authenticated', ADA);
    person.server.clear();
    person.server.auth.database.isDown = true;
    await person.server.waitFor(SESSION, { count: 2 });
    const [{ status, step }] = person.asked().all;
    assert.deepEqual([status, step?.body], [200, generation === 4 ? '{}' : 'null']);
    for (const tab of tabs) assert.equal((await tab.state()).status, 'authenticated');
    person.server.auth.database.isDown = false;
    await pass(1_500);
    for (const tab of tabs) {
      assert.deepEqual([(await tab.state()).status, await tab.heard()], ['authenticated', []]);
    }
    assert.ok(await person.cookie());
  });

  test(`${it}: a session in the database is extended by pings, where updateAge is below maxAge`, async (t) => {
    const person = await openPerson(t, generation, { strategy: 'database', maxAgeS: 4, updateAgeS: 1 });
    const tab = await person.open({ ...CALM, activeMs: 1_000, idleMs: 1_000 });
    await tab.is('authenticated');
    await pass(8_000);
    assert.deepEqual([(await tab.state()).status, await tab.heard()], ['authenticated', []]);
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
