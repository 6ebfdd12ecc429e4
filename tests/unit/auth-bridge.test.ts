import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createAuthBridge } from '../../js/auth-bridge.js';
import {
  ADA,
  CHANGED,
  ENDED,
  givenBrowser,
  givenTab,
  json,
  LEAVE,
  NUDGED,
  ORIGIN,
  settled,
} from './session-world.js';

const CHANNEL = 'next-auth';
const KEY = 'nextauth.message';
const FOLDER = `${ORIGIN}/api/auth/`;

class FakeStorageEvent extends Event {
  readonly key: string;
  readonly newValue: string | null;
  constructor(type: string, { key, newValue }: { key: string; newValue: string | null }) {
    super(type);
    this.key = key;
    this.newValue = newValue;
  }
}

/** Sees what a page requests, when the test says so. */
class FakeObserver {
  static made = new Set<FakeObserver>();
  constructor(readonly told: (list: { getEntries(): Array<{ name: string }> }) => void) {}
  observe({ type }: { type: string }): void {
    if (type === 'resource') FakeObserver.made.add(this);
  }
  disconnect(): void {
    FakeObserver.made.delete(this);
  }
  static see(...names: string[]): void {
    for (const { told } of FakeObserver.made) told({ getEntries: () => names.map((name) => ({ name })) });
  }
}

function given(t: TestContext) {
  const browser = givenBrowser(t);
  const clock = { now: 1_000 };
  t.mock.method(performance, 'now', () => clock.now);
  FakeObserver.made.clear();
  const globals = { StorageEvent: FakeStorageEvent, PerformanceObserver: FakeObserver };
  for (const [name, value] of Object.entries(globals)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before);
      else Reflect.deleteProperty(globalThis, name);
    });
  }
  const news: boolean[] = [];
  const bridgeOf = (app: string, heard = news) =>
    createAuthBridge(
      app,
      () => FOLDER,
      (out) => heard.push(out),
    );
  const bridge = bridgeOf('evenkeel');
  bridge.open();
  clock.now += 5_001; // the page has loaded
  return {
    browser,
    clock,
    bridge,
    bridgeOf,
    news,
    stores: (newValue: string | null, key = KEY) =>
      browser.page.dispatchEvent(new FakeStorageEvent('storage', { key, newValue })),
  };
}

test('what version 5 says on its channel is news', async (t) => {
  const { browser, news } = given(t);
  browser.say(CHANNEL, { event: 'session', data: { trigger: 'getSession' } });
  browser.say(CHANNEL, { event: 'session', data: { trigger: 'signout' } });
  await settled();
  assert.deepEqual(news, [false, true]);
});

test('while a page loads, only a sign-out is news', async (t) => {
  const { browser, bridgeOf, clock } = given(t);
  const news: boolean[] = [];
  const bridge = bridgeOf('evenkeel', news);
  bridge.open();
  const says = async (trigger: string) => {
    browser.say(CHANNEL, { event: 'session', data: { trigger } });
    await settled();
  };
  await says('getSession'); // its own SessionProvider does
  clock.now += 5_000;
  await says('getSession');
  assert.deepEqual(news, []);
  await says('signout');
  FakeObserver.see(`${FOLDER}callback/credentials`);
  clock.now++;
  await says('getSession');
  assert.deepEqual(news, [true, false, false]);
});

test('what version 4 stores is news, also when its clock is wrong', (t) => {
  const { news, stores } = given(t);
  stores(JSON.stringify({ event: 'session', data: { trigger: 'getSession' }, timestamp: 1 }));
  stores(JSON.stringify({ event: 'session', data: { trigger: 'signout' } }));
  assert.deepEqual(news, [false, true]);
});

test('what is said of something else is no news, and breaks nothing', async (t) => {
  const { browser, news, stores } = given(t);
  for (const message of [null, 7, 'session', {}, { event: 'login' }]) {
    browser.say(CHANNEL, message);
    stores(JSON.stringify(message));
  }
  stores('{"event":');
  stores('');
  stores(null);
  stores(JSON.stringify({ event: 'session', data: {} }), 'theme');
  await settled();
  assert.deepEqual(news, []);
  browser.say(CHANNEL, { event: 'session', data: null });
  await settled();
  assert.deepEqual(news, [false]);
});

test('every SessionProvider is told once: here and in other tabs, of either version', async (t) => {
  const { browser, bridge } = given(t);
  const channel = browser.overhear(CHANNEL);
  const written: unknown[] = [];
  const { setItem } = localStorage;
  localStorage.setItem = (key, value) => {
    written.push([key, JSON.parse(value)]);
    setItem(key, value);
  };
  const here: FakeStorageEvent[] = [];
  browser.page.addEventListener('storage', (event) => here.push(event as FakeStorageEvent));
  bridge.tell();
  await settled();
  const [message] = channel as [{ event: string; data: object; timestamp: number }];
  assert.equal(channel.length, 1);
  assert.equal(message.event, 'session');
  assert.ok(message.data, 'version 4 wants data');
  assert.ok(Math.abs(message.timestamp - Date.now() / 1_000) < 60, 'in seconds');
  assert.deepEqual(written, [[KEY, message]]);
  assert.deepEqual(
    here.map(({ key, newValue }) => [key, JSON.parse(newValue!)]),
    [[KEY, message]],
    'the event is fired in other tabs only',
  );
  assert.equal(browser.storage.size, 0, 'nothing stays behind');
});

test('two changes in one second are two', (t) => {
  const { browser, bridge } = given(t);
  // As browsers do it: no event where the value stays.
  let events = 0;
  localStorage.setItem = (key, value) => {
    if (browser.storage.get(key) !== value) events++;
    browser.storage.set(key, value);
  };
  t.mock.method(Date, 'now', () => 1_700_000_000_000);
  bridge.tell();
  bridge.tell();
  assert.equal(events, 2);
});

test('tabs that run this library do not answer each other', async (t) => {
  const { browser, bridge, bridgeOf, clock, news } = given(t);
  const other = bridgeOf('evenkeel');
  other.open();
  bridge.tell();
  await settled();
  assert.deepEqual(news, [], 'neither by channel nor by storage, here or there');
  const another: boolean[] = [];
  bridgeOf('another app', another).open();
  clock.now += 5_001;
  bridge.tell();
  await settled();
  assert.deepEqual(another, [false, false]);
  assert.equal([...browser.channels].length, 3);
});

test('who signs in or out on this page without leaving it is noticed by the request', (t) => {
  const { news } = given(t);
  FakeObserver.see(
    `${FOLDER}session`,
    `${FOLDER}csrf`,
    `${FOLDER}providers`,
    `${FOLDER}signin/github`,
    `${ORIGIN}/api/signout`,
    `https://elsewhere.example.com/api/auth/signout`,
  );
  assert.deepEqual(news, []);
  FakeObserver.see(`${FOLDER}callback/credentials?`);
  FakeObserver.see(`${FOLDER}signout`);
  assert.deepEqual(news, [false, true]);
});

test('opened twice, it hears once', (t) => {
  const { bridge, news, stores } = given(t);
  bridge.open();
  stores(JSON.stringify({ event: 'session', data: {} }));
  FakeObserver.see(`${FOLDER}signout`);
  assert.deepEqual(news, [false, true]);
});

test('the channel is closed while the page is away, and open when it is back', async (t) => {
  const { browser, news } = given(t);
  assert.equal(browser.channels.size, 1);
  browser.page.dispatchEvent(new Event('pagehide'));
  assert.equal(browser.channels.size, 0);
  browser.page.dispatchEvent(new Event('pageshow'));
  browser.say(CHANNEL, { event: 'session', data: {} });
  await settled();
  assert.deepEqual(news, [false]);
});

test('closed, it hears nothing and holds nothing', async (t) => {
  const { browser, news, bridge, stores } = given(t);
  bridge.close();
  bridge.close();
  assert.deepEqual([browser.channels.size, FakeObserver.made.size], [0, 0]);
  browser.page.dispatchEvent(new Event('pageshow'));
  stores(JSON.stringify({ event: 'session', data: {} }));
  await settled();
  assert.deepEqual([browser.channels.size, news], [0, []]);
});

test('told while it is closed, it tells, and is closed again', async (t) => {
  const { browser, bridge } = given(t);
  bridge.close();
  const heard = browser.overhear(CHANNEL);
  bridge.tell();
  await settled();
  assert.deepEqual([heard.length, browser.channels.size], [1, 1], 'the one that overhears');
});

test('where storage is forbidden, this page and version 5 are told all the same', async (t) => {
  const { browser, bridge } = given(t);
  const heard = browser.overhear(CHANNEL);
  Object.defineProperty(globalThis, 'localStorage', { value: undefined, configurable: true });
  browser.page.addEventListener('storage', () => heard.push('storage'));
  bridge.tell();
  await settled();
  assert.equal(heard.length, 2);
});

test('a world without channels, storage, events or observers is no failure', (t) => {
  const { bridgeOf } = given(t);
  for (const name of ['BroadcastChannel', 'localStorage', 'StorageEvent', 'PerformanceObserver'])
    Object.defineProperty(globalThis, name, { value: undefined });
  const bridge = bridgeOf('evenkeel');
  bridge.open();
  bridge.tell();
  bridge.close();
});

// ---------------------------------------------------------------- with a session

/** Ada is signed in, and the bridge is on. */
async function givenAda(t: TestContext) {
  const world = given(t);
  world.bridge.close();
  world.browser.answer = () => json(ADA);
  const tab = givenTab({ bridgeNextAuth: true });
  tab.ran();
  await tab.learns();
  tab.told.length = 0;
  const nudges = () => tab.told.filter(([what]) => what === NUDGED).length;
  return { ...world, tab, nudges };
}

test('news makes the engine think', async (t) => {
  const { browser, clock, nudges } = await givenAda(t);
  clock.now += 5_001;
  browser.say(CHANNEL, { event: 'session', data: { trigger: 'getSession' } });
  await settled();
  assert.equal(nudges(), 1);
});

test('who signed out hears no news of it, and who signs in afterwards does', async (t) => {
  const { browser, tab, nudges } = await givenAda(t);
  browser.answer = ({ path }) => json(path.endsWith('csrf') ? { csrfToken: 'x' } : { url: `${ORIGIN}/` });
  const result = tab.keeper.signOut();
  tab.host.toldSession(LEAVE!, 0, 0);
  FakeObserver.see(`${FOLDER}signout`);
  await result;
  tab.host.toldSession(ENDED!, 1, 0);
  FakeObserver.see(`${FOLDER}signout`);
  assert.equal(nudges(), 0);
  FakeObserver.see(`${FOLDER}callback/credentials`);
  assert.equal(nudges(), 1);
});

test('Auth.js is told of a change, and not where the app does not want it', async (t) => {
  const { browser, tab } = await givenAda(t);
  const heard = browser.overhear(CHANNEL);
  tab.host.toldSession(CHANGED!, 0, 0);
  await settled();
  assert.equal(heard.length, 1);
  const silent = givenTab({ bridgeNextAuth: false });
  silent.ran();
  silent.host.toldSession(CHANGED!, 0, 0);
  browser.say(CHANNEL, { event: 'session', data: {} });
  await settled();
  assert.deepEqual([heard.length, silent.told], [2, []]);
  assert.doesNotMatch(JSON.stringify(heard), /ada/i);
});
