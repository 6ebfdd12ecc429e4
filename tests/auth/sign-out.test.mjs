import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held } from '../e2e/held.mjs';
import { run, until } from '../harness/browser.mjs';
import { ADA, BOB, CALM, GENERATIONS, openPerson, PINGING, pass } from './people.mjs';
import { COOKIE, CSRF_COOKIE, SESSION } from './server.mjs';

for (const generation of GENERATIONS) {
  const it = `next-auth ${generation}`;

  test(`${it}: a sign-out takes the cookie away and is told in all tabs, to the provider too`, async (t) => {
    const person = await openPerson(t, generation);
    const [here, there] = await person.openTabs(2, CALM, {});
    for (const tab of [here, there]) {
      await tab.is('authenticated');
      await tab.provides(ADA);
    }
    await person.quiet();
    assert.equal(await here.signOut(), undefined);
    assert.equal(await person.cookie(), undefined);
    const { status, user, userKey, expires } = await here.state();
    assert.deepEqual([status, user, userKey, expires], ['signedOut', null, null, null]);
    await there.is('signedOut', null);
    for (const tab of [here, there]) await tab.provides(null);
    await pass(300);
    assert.deepEqual([await here.heard(), await there.heard()], [['signOut'], ['otherTab']]);
    assert.equal(person.server.requestsTo('POST /api/auth/signout').length, 1);
  });

  for (const [how, tamper] of /** @type {const} */ ([
    ['another token', ({ body }) => ({ json: { csrfToken: body.csrfToken.replace(/^./, 'x') } })],
    [
      'a cookie that somebody else set',
      ({ body, context, origin }) => {
        const cookie = { name: CSRF_COOKIE[generation], value: `forged%7Cforged`, url: origin };
        return context.addCookies([cookie]).then(() => ({ json: body }));
      },
    ],
  ])) {
    test(`${it}: a sign-out with ${how} is refused, and everybody is still signed in`, async (t) => {
      const person = await openPerson(t, generation);
      const { context, server } = person;
      const [here, there] = await person.openTabs(2, PINGING, {});
      for (const tab of [here, there]) await tab.is('authenticated');
      await here.page.route('**/api/auth/csrf', async (route) => {
        const body = await (await route.fetch()).json();
        const { origin } = server;
        await route.fulfill(await tamper({ body, context, origin }));
      });
      const { name, kind } = await here.signOut();
      assert.deepEqual([name, kind], ['StabilityError', 'forbidden']);
      const asked = person.asked().evenkeel.length;
      await until(() => person.asked().evenkeel.length >= asked + 2); // pings go on
      for (const tab of [here, there]) {
        assert.deepEqual([(await tab.state()).status, await tab.heard()], ['authenticated', []]);
        assert.deepEqual(await tab.provider(), ['authenticated', ADA]);
      }
      assert.ok(await person.cookie());
      await here.page.unroute('**/api/auth/csrf');
      await here.signOut();
      assert.equal(await person.cookie(), undefined);
    });
  }

  test(`${it}: a ping under way at the sign-out does not bring the cookie back`, async (t) => {
    const person = await openPerson(t, generation);
    const [here, there] = await person.openTabs(2, CALM);
    for (const tab of [here, there]) await tab.is('authenticated');
    person.server.clear();
    const slow = held('pass');
    const rule = person.server.on(SESSION, slow.step);
    for (const tab of [here, there]) void run(tab.page, () => void window.app.session.verify());
    const ping = await person.server.waitFor(SESSION);
    assert.equal(await there.signOut(), undefined);
    await until(() => ping.closedEarlyAt); // it was aborted
    slow.release();
    rule.off();
    await pass(1_500);
    assert.equal(await person.cookie(), undefined);
    for (const tab of [here, there]) assert.equal((await tab.state()).status, 'signedOut');
  });

  test(`${it}: the answer of such a ping would have brought it back`, async (t) => {
    const person = await openPerson(t, generation);
    const tab = await person.open(CALM);
    await tab.is('authenticated');
    person.server.clear();
    const slow = held('pass');
    person.server.on(SESSION, slow.step);
    const late = run(tab.page, (url) => fetch(url).then(({ status }) => status), SESSION);
    await person.server.waitFor(SESSION);
    await tab.signOut();
    assert.equal(await person.cookie(), undefined);
    slow.release();
    await late;
    assert.match((await person.cookie())?.name ?? '', new RegExp(COOKIE[generation]));
  });

  test(`${it}: who signs in after a sign-out is another person, and is told so`, async (t) => {
    const person = await openPerson(t, generation);
    const [here, there] = await person.openTabs(2, CALM, {});
    for (const tab of [here, there]) await tab.is('authenticated');
    await person.quiet();
    await here.signOut();
    await person.changing(() => person.signIn(BOB));
    assert.equal((await here.verify()).userKey, BOB);
    await there.is('authenticated', BOB);
    for (const tab of [here, there]) await tab.provides(BOB);
    assert.deepEqual(await here.heard(), ['signOut', `${ADA} → ${BOB}`]);
    assert.deepEqual(await there.heard(), ['otherTab', `${ADA} → ${BOB}`]);
  });
}
