import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADA, BOB, EXPIRES, givenBrowser, givenTab, IN, json, settled } from './session-world.js';

const VERDICT = 6;
const VERIFY = 7;

/** A tab that has joined the others. */
async function joined(...given: Parameters<typeof givenTab>) {
  const tab = givenTab(...given);
  await tab.prepare();
  tab.group.post(1, 0, true, 0);
  return tab;
}

test('tabs of one endpoint meet, under a name that does not tell it', async (t) => {
  const { channels } = givenBrowser(t);
  const one = await joined();
  await joined();
  await joined({ endpoint: '/api/me' });
  await joined({}, { api: { credentials: 'include' } });
  await joined({}, { name: 'another' });
  const names = [...channels].map(({ name }) => name);
  assert.equal(names[0], names[1]);
  assert.equal(new Set(names).size, 4);
  assert.match(names[0]!, /^evenkeel:1:evenkeel:[\w+/]{24}$/);
  assert.ok(one.numbers()[7]! > 0, 'the engine is told that it is a member');
});

test('a tab works alone where it shall, and where tabs cannot meet', async (t) => {
  const { channels } = givenBrowser(t);
  for (const config of [{ tabs: false as const }, { baseUrl: undefined }]) {
    const tab = await joined({}, config);
    assert.equal(tab.numbers()[7], 0);
  }
  Object.defineProperty(navigator, 'locks', { value: undefined });
  assert.equal((await joined()).numbers()[7], 0);
  assert.equal((await joined(false)).keeper.getSnapshot().status, 'unknown');
  assert.equal(channels.size, 0);
});

test('the words of the group and the lock are the engine’s', async (t) => {
  const { locks } = givenBrowser(t);
  const one = await joined();
  const other = await joined();
  await settled();
  one.words.length = 0;
  other.group.post(77, 1, true, 0);
  await settled();
  assert.deepEqual(one.words, [[0, other.numbers()[7], 77, 1, true, 0]]);
  one.group.lock(true);
  await settled();
  assert.deepEqual(locks[0]![1], { steal: true });
  assert.deepEqual(one.words.at(-1), [0, true]);
  one.group.unlock();
  one.group.left();
  other.group.post(78, 1, true, 0);
  await settled();
  assert.equal(one.words.length, 2, 'who left hears nothing');
});

test('what one tab learns the others hear, with who it is and nothing else of the body', async (t) => {
  const browser = givenBrowser(t);
  const parse = (body: typeof ADA) => ({ ...body, token: 'secret' });
  browser.answer = () => json({ ...ADA, accessToken: 'secret' });
  const [one, other] = [await joined({ parse }), await joined({ parse })];
  const overheard = browser.overhear([...browser.channels][0]!.name);
  await one.learns();
  one.host.postSession(1_000, VERDICT, 0, 1, EXPIRES);
  await settled();
  assert.deepEqual(other.words.at(-1), [1_000, VERDICT, 0, 1, EXPIRES]);
  other.host.showSession(IN!, 1, false);
  const { userKey, user, expires, role } = other.now();
  assert.deepEqual([userKey, user, expires, role], ['ada', ADA.user, EXPIRES, 'follower']);
  assert.ok(other.keeper.lastVerifiedAt);
  assert.match(JSON.stringify(overheard), /ada/);
  assert.doesNotMatch(JSON.stringify(overheard), /secret/);
});

test('the same person has a number of their own in each tab', async (t) => {
  const browser = givenBrowser(t);
  const [one, other] = [await joined(), await joined()];
  browser.answer = () => json(BOB);
  await other.learns();
  browser.answer = () => json(ADA);
  await one.learns();
  one.host.postSession(1_000, VERDICT, 0, 1, -1);
  await settled();
  assert.deepEqual(other.words.at(-1), [1_000, VERDICT, 0, 2, -1]);
  assert.equal(other.now().userKey, 'bob', 'until the engine shows another');
});

test('more time for the person that a tab knows is shown without the engine', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const [one, other] = [await joined(), await joined()];
  await one.learns();
  await other.learns();
  const before = other.now().user;
  one.host.postSession(1_000, VERDICT, 0, 1, EXPIRES + 60_000);
  await settled();
  assert.deepEqual([other.now().expires, other.now().user], [EXPIRES + 60_000, before]);
  assert.equal(other.now().user, before);
});

test('words without a person pass as they are', async (t) => {
  givenBrowser(t);
  const [one, other] = [await joined(), await joined()];
  await settled();
  other.words.length = 0;
  const words = [5, 7, 8, 9, 10, 11, 12, 13, 14, 20];
  for (const says of words) one.host.postSession(5, says, 250, -1, -1);
  await settled();
  assert.deepEqual(
    other.words,
    words.map((says) => [5, says, 250, -1, -1]),
  );
  assert.equal(other.keeper.lastVerifiedAt, null);
});

test('a user that cannot be sent is known by the key alone, and keeps what the other tab knows', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const parse = (body: typeof ADA) => ({ user: { ...body.user, greet: () => 'hello' }, expires: null });
  const [one, other] = [await joined({ parse }), await joined()];
  await other.learns();
  await one.learns();
  one.host.postSession(1_000, VERDICT, 0, 1, -1);
  await settled();
  assert.deepEqual(other.words.at(-1), [1_000, VERDICT, 0, 1, -1]);
  assert.deepEqual(other.now().user, ADA.user);
});

test('what is older than what a tab knows, or may have lain in a cache, changes nothing that is shown', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const tab = await joined();
  const { name } = [...browser.channels][0]!;
  await tab.learns();
  const word = { from: 5, epoch: 2_000, says: VERDICT, visible: false, value: 0 };
  const load = { key: 'ada', user: { id: 'ada', name: 'Ada L.' }, expires: EXPIRES + 60_000 };
  browser.say(name, { ...word, load });
  await settled();
  const shown = tab.now();
  assert.equal(shown.expires, EXPIRES + 60_000);
  const old = { ...load, user: { id: 'ada', name: 'Ada B.' }, expires: EXPIRES };
  browser.say(name, { ...word, epoch: 0, load: old });
  browser.say(name, { ...word, epoch: 1_999, load: old });
  browser.say(name, { ...word, epoch: Number.MAX_SAFE_INTEGER, load: old });
  browser.say(name, { ...word, epoch: 2_001, value: 2, load: old });
  browser.say(name, { ...word, epoch: 2_001, says: 8, load: old });
  await settled();
  assert.equal(tab.now(), shown);
  tab.host.postSession(3_000, VERDICT, 0, 1, EXPIRES);
  browser.say(name, { ...word, epoch: 2_500, load: old });
  await settled();
  assert.equal(tab.now(), shown, 'this tab has a newer one of its own');
  browser.say(name, { ...word, epoch: 3_001, load: old });
  await settled();
  assert.equal(tab.now().expires, EXPIRES, 'time may get less');
});

test('what no tab of this version says is not taken', async (t) => {
  const browser = givenBrowser(t);
  const tab = await joined();
  const { name } = [...browser.channels][0]!;
  await settled();
  const word = { from: 5, epoch: 1_000, says: VERDICT, visible: false, value: 0 };
  const person = { key: 'ada', user: ADA.user, expires: EXPIRES };
  for (const load of [
    null,
    7,
    'ada',
    {},
    { ...person, key: 7 },
    { ...person, key: 'a'.repeat(1_025) },
    { ...person, expires: 'soon' },
    { ...person, expires: Infinity },
    { ...person, user: 'a'.repeat(2 ** 20) },
    { ...person, user: 7n },
  ])
    browser.say(name, { ...word, load });
  await settled();
  assert.deepEqual(
    new Set(tab.words.map(([, , , user]) => user)),
    new Set([-1]),
    'nobody is signed in by it',
  );
  tab.words.length = 0;
  browser.say(name, { ...word, says: 21, load: person });
  browser.say(name, { ...word, says: 6.5, load: person });
  browser.say(name, { ...word, epoch: -1, load: person });
  await settled();
  assert.deepEqual(tab.words, []);
  browser.say(name, { ...word, load: { ...person, role: 'admin' } });
  await settled();
  assert.deepEqual(tab.words, [[1_000, VERDICT, 0, 1, EXPIRES]]);
});

test('a flood of people from another tab does not make this one forget who is here', async (t) => {
  const browser = givenBrowser(t);
  browser.answer = () => json(ADA);
  const tab = await joined();
  await tab.learns();
  const { name } = [...browser.channels][0]!;
  for (let i = 0; i < 500; i++) {
    const load = { key: `${i}`, user: null, expires: null };
    browser.say(name, { from: 5, epoch: 1_000, says: VERIFY, visible: false, value: 0, load });
  }
  await settled();
  assert.equal(tab.now().userKey, 'ada');
});

test('a tab whose module trapped hears nothing until it runs again', async (t) => {
  givenBrowser(t);
  const [one, other] = [await joined(), await joined()];
  await settled();
  const me = one.numbers()[7];
  one.trapped();
  one.words.length = 0;
  other.group.post(1, 1, true, 0);
  await settled();
  assert.deepEqual(one.words, []);
  assert.equal(one.numbers()[7], me, 'it comes back as the same');
  one.group.post(1, 0, true, 0);
  other.group.post(2, 1, true, 0);
  await settled();
  assert.equal(one.words.length, 1);
});

test('the client that ends leaves its group, and meets nobody later', async (t) => {
  const { channels } = givenBrowser(t);
  const tab = await joined();
  tab.dispose();
  assert.equal(channels.size, 0);
  const late = givenTab();
  const preparing = late.prepare();
  late.dispose();
  await preparing;
  assert.equal(late.numbers()[7], 0);
});
