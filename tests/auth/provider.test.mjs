import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { ADA, BOB, CALM, GENERATIONS, openPerson, PINGING, pass } from './people.mjs';

for (const generation of GENERATIONS) {
  const it = `next-auth ${generation}`;

  test(`${it}: its own signOut is noticed in all tabs`, async (t) => {
    const person = await openPerson(t, generation);
    const [here, there] = await person.openTabs(2, PINGING, {});
    for (const tab of [here, there]) await tab.is('authenticated');
    await person.changing(() => here.nextAuthSignOut());
    for (const tab of [here, there]) {
      await tab.is('signedOut', null);
      await tab.provides(null);
      assert.deepEqual(await tab.heard(), ['expired']);
    }
  });

  test(`${it}: its own signIn is noticed in all tabs`, async (t) => {
    const person = await openPerson(t, generation, { as: null });
    const [here, there] = await person.openTabs(2, PINGING, {});
    for (const tab of [here, there]) await tab.is('signedOut');
    assert.equal((await here.nextAuthSignIn(ADA)).ok, true);
    await here.provides(ADA);
    // It tells nobody: so the next thing that the person does is what makes it known.
    await pass(PINGING.activeMs * 1.2);
    await here.page.mouse.click(5, 5);
    for (const tab of [here, there]) {
      await tab.is('authenticated', ADA);
      await tab.provides(ADA);
      assert.deepEqual(await tab.heard(), []);
    }
  });

  test(`${it}: a reload after a sign-in is noticed in the other tabs`, async (t) => {
    const person = await openPerson(t, generation, { as: null });
    const there = await person.open(CALM, {});
    await there.is('signedOut');
    await person.signIn(ADA);
    const here = await person.open(CALM, {});
    for (const tab of [here, there]) {
      await tab.is('authenticated', ADA);
      await tab.provides(ADA);
    }
  });

  test(`${it}: another person in another tab ends the old one's requests, and is told once in each tab`, async (t) => {
    const person = await openPerson(t, generation);
    const [here, there] = await person.openTabs(2, PINGING, {});
    for (const tab of [here, there]) await tab.is('authenticated', ADA);
    person.server.on('/api/held', 'hang');
    const held = run(here.page, () => window.app.api.get('/api/held'));
    await person.server.waitFor('/api/held');
    assert.equal((await person.changing(() => there.nextAuthSignIn(BOB))).ok, true);
    const { error } = await held;
    assert.equal(error.kind, 'aborted');
    for (const tab of [here, there]) {
      await tab.is('authenticated', BOB);
      await tab.provides(BOB);
    }
    await pass(600);
    for (const tab of [here, there]) assert.deepEqual(await tab.heard(), [`${ADA} → ${BOB}`]);
  });

  test(`${it}: the provider follows when the server forgets the person`, async (t) => {
    const person = await openPerson(t, generation);
    const tabs = await person.openTabs(2, PINGING, {});
    for (const tab of tabs) {
      await tab.is('authenticated');
      await tab.provides(ADA);
    }
    person.server.auth.secret = 'another secret';
    for (const tab of tabs) {
      await tab.is('signedOut');
      await tab.provides(null);
    }
  });

  for (const count of [1, 2, 3]) {
    test(`${it}: ${count} tab(s) with a provider do not answer each other for ever`, async (t) => {
      const person = await openPerson(t, generation);
      const tabs = await person.openTabs(count, CALM, {});
      for (const tab of tabs) {
        await tab.is('authenticated');
        await tab.provides(ADA);
      }
      // Nothing is asked while nothing happens; what the loads set off may still be under way.
      await until(() => isQuiet(person, 3_000), 20_000);

      // Pings change nothing, and are nobody else's business.
      const provided = person.asked().provider.length;
      for (let i = 0; i < 3; i++) await tabs[0].verify();
      await pass(300);
      assert.equal(person.asked().provider.length, provided);

      person.server.clear();
      await tabs[0].signOut();
      for (const tab of tabs) await tab.provides(null);
      await until(() => isQuiet(person, 1_500));
      const { provider, evenkeel } = person.asked();
      assert.ok(provider.length <= count, `${provider.length} requests of the providers`);
      assert.ok(evenkeel.length <= 1, `${evenkeel.length} of evenkeel`);
    });
  }

  test(`${it}: a provider that polls is followed, and not overtaken`, async (t) => {
    const person = await openPerson(t, generation);
    const tabs = await person.openTabs(2, CALM, { refetchInterval: 1 });
    for (const tab of tabs) await tab.is('authenticated');
    person.server.clear();
    await pass(5_000);
    await until(() => person.asked().provider.length >= 8, 30_000);
    const { provider, evenkeel } = person.asked();
    // Each poll is heard by both tabs, and may be checked once.
    assert.ok(
      evenkeel.length <= provider.length + 2,
      `${evenkeel.length} of evenkeel, ${provider.length} of the providers`,
    );
    for (const tab of tabs) assert.deepEqual(await tab.heard(), []);
  });

  test(`${it}: bridgeNextAuth: false says nothing to the provider`, async (t) => {
    const person = await openPerson(t, generation);
    const tab = await person.open({ ...CALM, bridgeNextAuth: false }, {});
    await tab.provides(ADA);
    await tab.is('authenticated');
    const provided = person.asked().provider.length;
    await tab.signOut();
    await pass(500);
    assert.deepEqual(await tab.provider(), ['authenticated', ADA]);
    assert.equal(person.asked().provider.length, provided);
  });
}

/** @param {Awaited<ReturnType<typeof openPerson>>} person @param {number} ms */
async function isQuiet(person, ms) {
  const before = person.asked().all.length;
  await pass(ms);
  return person.asked().all.length === before;
}
