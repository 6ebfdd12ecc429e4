import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { median } from './pages.mjs';
import { ADA, asked, askedAfter, openSessions, pass, SESSION } from './sessions.mjs';
import { quiet } from './streams.mjs';

const ENDS = (/** @type {number} */ expiresInMs) => ({ ...ADA, expiresInMs });
/** A moment may be late by so much on a busy machine. */
const LATE_MS = 5_000;

/** Nobody asks any more for so long, be it after a question that was on its way. @param {import('./sessions.mjs').FaultServer} server @param {number} ms */
const calm = (server, ms) => until(() => quiet(() => asked(server), ms));

test('while somebody is active the session is asked for each activeMs', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { activeMs: 400 } });
  server.clear();
  await until(() => asked(server) >= 6);
  const after = askedAfter(server);
  assert.ok(Math.min(...after) >= 395 && median(after) <= 440 + LATE_MS, `asked after ${after} ms`);
  assert.deepEqual(await tabs[0].statuses(), ['loading', 'authenticated'], 'without a word to the app');
});

test('once nobody is active it is idleMs, until somebody is again', async (t) => {
  const { server } = await openSessions(t, 1, {
    session: { activeMs: 200, idleAfterMs: 300, idleMs: 1_200 },
  });
  await calm(server, 700);
  server.clear();
  await until(() => asked(server) >= 2);
  const [idle] = askedAfter(server);
  assert.ok(idle >= 1_195 && idle <= 1_320 + LATE_MS, `idle: asked after ${idle} ms`);

  const long = await openSessions(t, 1, { session: { activeMs: 200, idleAfterMs: 300, idleMs: 60_000 } });
  await calm(long.server, 700);
  long.server.clear();
  await long.tabs[0].use();
  await until(() => asked(long.server) >= 1); // it was due by an active page's measure
  await until(async () => {
    await long.tabs[0].use();
    return asked(long.server) >= 2;
  });
  assert.ok(askedAfter(long.server)[0] >= 195);
});

test('a hidden page is idle at once, and asks on being seen again when it is due by then', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { session: { activeMs: 300, idleMs: 60_000 } });
  const [{ page }] = tabs;
  await hide(page);
  await calm(server, 1_000);
  server.clear();
  await show(page);
  await until(() => asked(server) >= 3);
  assert.ok(
    askedAfter(server).every((gap) => gap >= 295),
    'once, and then as ever',
  );
});

test('each kind of input is activity: a pointer, a key, a touch, a scroll', async (t) => {
  const { server, tabs } = await openSessions(t, 1, {
    session: { activeMs: 200, idleAfterMs: 250, idleMs: 60_000 },
  });
  const [{ page }] = tabs;
  await run(page, () => {
    document.body.style.height = '5000px';
  });
  for (const [what, use] of /** @type {Array<[string, () => Promise<unknown>]>} */ ([
    ['a pointer', () => page.mouse.move(30, 30).then(() => page.mouse.down())],
    ['a key', () => page.keyboard.press('Shift')],
    [
      'a touch',
      () => run(page, () => document.body.dispatchEvent(new Event('touchstart', { bubbles: true }))),
    ],
    ['a scroll', () => page.mouse.wheel(0, 200)],
  ])) {
    await calm(server, 1_300).catch(() => assert.fail(`not idle before ${what}`));
    server.clear();
    await use();
    await until(() => asked(server) >= 1).catch(() => assert.fail(`${what} is no activity`));
  }
});

test('it is asked earlier when the session would end first, a tenth of what is left ahead of it', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { says: ENDS(3_000) });
  await until(() => asked(server) >= 3, 30_000);
  for (const after of askedAfter(server)) assert.ok(after >= 1_000, `asked after ${after} ms of 3,000`);
  // When it means to ask, since a busy machine may be late.
  const { events } = await run(tabs[0].page, () => window.app.diagnostics());
  const plans = events.filter((/** @type {any} */ { type, dueAt }) => type === 'nextPing' && dueAt);
  assert.ok(plans.length >= 2);
  for (const { at, dueAt } of plans) assert.ok(dueAt - at <= 2_705, `${dueAt - at} ms of 3,000`);
  assert.deepEqual(await tabs[0].ended(), []);
});

for (const [what, expires] of /** @type {Array<[string, string | number]>} */ ([
  ['long past', '2001-01-01T00:00:00.000Z'],
  ['the beginning of time', 0],
  ['a second ago', new Date(Date.now() - 1_000).toISOString()],
])) {
  test(`an end that is ${what} is one check at most: nobody is logged out, and nothing runs hot`, async (t) => {
    const { server, tabs } = await openSessions(t, 1, { says: { ...ADA, expires } });
    await pass(1_500);
    assert.ok(asked(server) <= 2, `${asked(server)} requests`);
    assert.deepEqual([(await tabs[0].state()).status, await tabs[0].ended()], ['authenticated', []]);
  });
}

test('an end that does not move on is asked for once before and once after, and then as ever', async (t) => {
  let expires = '';
  const { server, tabs } = await openSessions(t, 1, {
    ready(server) {
      server.on(SESSION, () => {
        expires ||= new Date(Date.now() + 2_500).toISOString();
        return { body: { ...ADA, expires } };
      });
    },
  });
  await until(() => asked(server) >= 2);
  await pass(2_500);
  assert.ok(asked(server) >= 2 && asked(server) <= 4, `${asked(server)} requests`);
  const { status, userKey } = await tabs[0].state();
  assert.deepEqual([status, userKey], ['authenticated', 'ada'], 'the server is the one to end it');
});

test('a page that everybody forgot stops asking, so that its session may end; whoever comes back asks', async (t) => {
  const { server, tabs } = await openSessions(t, 2, {
    session: { activeMs: 150, idleAfterMs: 50, idleMs: 150, stopAfterIdleMs: 600 },
  });
  await until(async () => {
    await tabs[0].use();
    return asked(server) >= 3;
  });
  await calm(server, 1_500);
  server.clear();
  await tabs[1].use();
  await until(() => asked(server) >= 1);
});

test('with `stopAfterIdleMs: false` it never stops', async (t) => {
  const { server } = await openSessions(t, 1, {
    session: { activeMs: 100, idleAfterMs: 20, idleMs: 100, stopAfterIdleMs: false },
  });
  await pass(800);
  server.clear();
  await until(() => asked(server) >= 3);
});

test('whoever is signed out is not asked for by a timer, but once when they come back to the page', async (t) => {
  const { server, tabs } = await openSessions(t, 1, { says: null, session: { activeMs: 200, idleMs: 200 } });
  const [tab] = tabs;
  await tab.is('signedOut');
  assert.ok(await quiet(() => asked(server), 900));
  server.session = ADA;
  server.clear();
  await hide(tab.page);
  await show(tab.page);
  await tab.is('authenticated', 'ada');
  assert.deepEqual([await tab.ended(), await tab.changes()], [[], []]);
  await until(() => asked(server) >= 2);
  assert.ok(
    askedAfter(server).every((gap) => gap >= 195),
    'once, and then as ever',
  );
});
