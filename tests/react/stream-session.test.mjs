/** Streams that are closed for good, and what opens them again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { held } from '../e2e/held.mjs';
import { run, until } from '../harness/browser.mjs';
import { openStreams, QUICK, URL_PATH } from './streams.mjs';

const ADA = { user: { id: 'ada', name: 'Ada' } };
const BEN = { user: { id: 'ben', name: 'Ben' } };
/** Doubts are settled quickly. */
const CONFIG = { session: { confirmAfterMs: 40 }, version: false, events: QUICK };

test('reconnect() opens what a refusal had closed for good, and goes on from there', async (t) => {
  const { server, feed, stream } = await openStreams(t, { says: 'heard' });
  await stream.opened();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  const refusal = server.on(URL_PATH, 404);
  feed.end();
  await stream.shows({ status: 'closed', error: 'notFound', lastMessage: 1 });
  refusal.off();
  feed.send('2');
  await stream.reconnect();
  await stream.shows({ status: 'open', error: null, lastMessage: 2 });
  assert.deepEqual(await stream.messages(2), [1, 2]);
  await until(() => feed.connections === 1);
});

/** A message is shown before it is known who is signed in, or after. */
const WHEN = /** @type {const} */ ([false, true]);

for (const isLate of WHEN)
  for (const [who, back, lastId, heard] of /** @type {const} */ ([
    ['who signs in again goes on where the stream was', ADA, '1', [1, 2, 3]],
    ['another person who signs in sees and gets nothing of it', BEN, undefined, [1, 3]],
  ]))
    test(`the end of the session closes a stream${isLate ? ' that had been quicker than the session' : ''}; ${who}`, async (t) => {
      const { page, server, feed, stream } = await openAsAda(t, isLate);
      const refusal = server.on(URL_PATH, 401);
      server.session = null;
      feed.end();
      await stream.shows({ status: 'closed', error: 'unauthenticated' });
      refusal.off();
      feed.send('2');
      server.clear();
      server.session = back;
      await run(page, () => window.app.session.verify());
      await stream.opened();
      const [{ headers }, ...more] = server.requestsTo(URL_PATH);
      assert.deepEqual([headers['last-event-id'], more], [lastId, []]);
      if (lastId === undefined) await stream.shows({ lastMessage: null });
      feed.send('3');
      await stream.shows({ lastMessage: 3 });
      assert.deepEqual(await stream.messages(heard.length), heard);
    });

for (const isLate of WHEN)
  test(`another person who takes the session over does not see what a stream${isLate ? ' that had been quicker than the session' : ''} brought`, async (t) => {
    const { page, server, feed, stream } = await openAsAda(t, isLate);
    server.clear();
    server.session = BEN;
    await run(page, () => window.app.session.verify());
    await stream.shows({ status: 'open', lastMessage: null });
    await until(() => server.requestsTo(URL_PATH).length === 1 && feed.connections === 1);
    assert.equal(server.requestsTo(URL_PATH)[0].headers['last-event-id'], undefined);
    feed.send('2');
    await stream.shows({ lastMessage: 2 });
    assert.deepEqual(await stream.messages(2), [1, 2]);
  });

/** A page of Ada's, and message 1 on it. @param {import('node:test').TestContext} t @param {boolean} isLate */
async function openAsAda(t, isLate) {
  const answer = held('pass');
  if (!isLate) answer.release();
  const opened = await openStreams(
    t,
    { says: 'heard' },
    {
      says: ADA,
      props: { config: CONFIG, streams: [{ says: 'heard' }] },
      ready: (server) => server.on('/api/auth/session', [answer.step, 'pass']),
    },
  );
  const { page, feed, stream } = opened;
  const isKnown = () =>
    until(() => run(page, () => window.app.session.getSnapshot().status === 'authenticated'));
  await stream.opened();
  if (!isLate) await isKnown();
  feed.send('1');
  await stream.shows({ lastMessage: 1 });
  answer.release();
  await isKnown();
  return opened;
}
