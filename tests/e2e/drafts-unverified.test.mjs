// What is typed while nobody can say who is signed in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { booted, run, until } from '../harness/browser.mjs';
import { KEY, openDrafts, pass, row, signIn } from './drafts.mjs';

const SESSION = '/api/auth/session';
const DIARY = { text: 'dear diary' };

/** Ada's tab, loaded anew while the session endpoint is down, and typed in. @param {import('node:test').TestContext} t */
async function typedInAnOutage(t) {
  const opened = await openDrafts(t);
  const { server, tab } = opened;
  const outage = server.on(SESSION, 500);
  await tab.page.reload();
  await booted(tab.page);
  await until(async () => (await run(tab.page, () => window.app.session.getSnapshot().status)) === 'unknown');
  await tab.type(DIARY);
  await tab.keeps('dear diary');
  return { ...opened, outage };
}

test('what somebody typed in an outage is theirs once they are known again, also on the next page', async (t) => {
  const { server, tab, outage } = await typedInAnOutage(t);
  outage.off();
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, DIARY);
  await tab.is('saved', 'server');
  assert.deepEqual(row(server)?.data, DIARY);
});

test('what somebody typed in an outage is not shown or sent as that of another who signs in in their tab, and waits for them', async (t) => {
  const { server, context, tab, outage } = await typedInAnOutage(t);
  outage.off();
  await signIn(context, server, 'ben');
  await tab.reload();
  assert.equal(await tab.restore(), null);
  await pass(2_500);
  assert.equal(row(server, KEY, 'ben'), undefined);
  await signIn(context, server, 'ada');
  await tab.reload();
  assert.deepEqual((await tab.restore()).data, DIARY);
});
