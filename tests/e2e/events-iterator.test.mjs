import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { open } from './pages.mjs';
import { connections, ends, QUICK, quiet, requestsTo, stays } from './streams.mjs';

const EVENTS = '/api/iterated';

/** A client, and a server that answers streams so. @param {any} t @param {any} script */
async function answering(t, script) {
  const opened = await open(t, { events: QUICK });
  opened.server.on(EVENTS, script);
  return opened;
}

test('the loop gives events of every type, in order, over reconnects', async (t) => {
  const { server, page } = await answering(t, [
    ends('id: 1\ndata: a\n\nevent: other\ndata: b\n\n'),
    503,
    ends('data: c\n\n'),
    204,
  ]);
  const seen = await run(page, async () => {
    const seen = [];
    for await (const event of window.app.events('/api/iterated'))
      seen.push([event.type, event.data, event.lastEventId, event instanceof MessageEvent]);
    return seen;
  });
  assert.deepEqual(seen, [
    ['message', 'a', '1', true],
    ['other', 'b', '1', true],
    ['message', 'c', '1', true],
  ]);
  assert.equal(requestsTo(server, EVENTS).length, 4, 'and ends with the 204');
});

test('leaving the loop closes the stream', async (t) => {
  const { server, page } = await answering(t, stays('data: a\n\ndata: b\n\n'));
  const state = await run(page, async () => {
    const source = window.app.events('/api/iterated');
    for await (const event of source) if (event.data === 'a') break;
    return [source.readyState, source.state.getSnapshot().status];
  });
  assert.deepEqual(state, [2, 'closed']);
  await until(() => connections(server, EVENTS) === 0);
  assert.ok(await quiet(() => requestsTo(server, EVENTS).length, 200));
});

test('close() ends a loop that waits', async (t) => {
  const { page } = await answering(t, stays('data: a\n\n'));
  const seen = await run(page, async () => {
    const source = window.app.events('/api/iterated');
    const seen = [];
    for await (const { data } of source) {
      seen.push(data);
      setTimeout(() => source.close(), 300);
    }
    return seen;
  });
  assert.deepEqual(seen, ['a']);
});

test('a stream that ends for good throws why, after the last event', async (t) => {
  const { page } = await answering(t, [ends('data: a\n\ndata: b\n\n'), 403]);
  const seen = await run(page, async () => {
    const seen = [];
    try {
      for await (const { data } of window.app.events('/api/iterated')) seen.push(data);
    } catch (error) {
      seen.push(error);
    }
    return seen;
  });
  assert.deepEqual(seen.slice(0, 2), ['a', 'b']);
  assert.deepEqual([seen[2].name, seen[2].kind, seen[2].status], ['StabilityError', 'forbidden', 403]);
});

test('a second iterator is a TypeError', async (t) => {
  const { page } = await answering(t, stays(':\n\n'));
  const error = await run(page, () => {
    const source = window.app.events('/api/iterated');
    source[Symbol.asyncIterator]();
    try {
      source[Symbol.asyncIterator]();
    } catch (error) {
      return error;
    } finally {
      source.close();
    }
  });
  assert.equal(error.name, 'TypeError');
});

test('a loop that does not read holds the server back, and none is lost when it goes on', async (t) => {
  const block = `data: ${'x'.repeat(64 * 1024)}\n\n`;
  const COUNT = 1_000; // 64 MB
  let written = 0;
  const { server, page } = await answering(t, {
    headers: { 'Content-Type': 'text/event-stream' },
    /** @param {import('../server/types.mjs').LiveBody} body */
    async stream(body) {
      while (written < COUNT) {
        await body.write(`id: ${written}\n${block}`);
        written++;
      }
      await body.write('event: end\ndata: end\n\n');
      await new Promise((resolve) => body.signal.addEventListener('abort', resolve, { once: true }));
    },
  });
  await run(page, () => {
    const source = window.app.events('/api/iterated', { watchdogMs: 400 });
    window.iterated = { source, iterator: source[Symbol.asyncIterator](), ids: [] };
    return window.iterated.iterator.next().then(({ value }) => window.iterated.ids.push(value.lastEventId));
  });
  await until(() => quiet(() => written, 2_000), 60_000); // it stands still
  assert.ok(written < COUNT / 2, `${written} of ${COUNT} blocks were taken`);
  const status = await run(page, () => window.iterated.source.state.getSnapshot().status);
  assert.equal(status, 'open', 'silence that the loop itself makes is no sign of death');
  const ids = await run(page, async () => {
    const { source, iterator, ids } = window.iterated;
    for await (const { type, lastEventId } of iterator) {
      if (type === 'end') break;
      ids.push(lastEventId);
    }
    return [ids, source.readyState];
  });
  assert.deepEqual(ids, [[...Array(COUNT).keys()].map(String), 2]);
  assert.equal(requestsTo(server, EVENTS).length, 1);
});

test('a slow loop gets every event in order', async (t) => {
  const text = [...Array(200).keys()].map((i) => `data: ${i}\n\n`);
  const { page } = await answering(t, [
    { headers: { 'Content-Type': 'text/event-stream' }, pieces: text.map((data) => ({ data, afterMs: 1 })) },
    204,
  ]);
  const seen = await run(page, async () => {
    const seen = [];
    for await (const { data } of window.app.events('/api/iterated')) {
      seen.push(data);
      if (seen.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return seen;
  });
  assert.deepEqual(seen, [...Array(200).keys()].map(String));
});

test('listeners hear what the loop gets', async (t) => {
  const { page } = await answering(t, [ends('data: a\n\ndata: b\n\n'), 204]);
  const seen = await run(page, async () => {
    const source = window.app.events('/api/iterated');
    const seen = [];
    source.addEventListener('message', ({ data }) => seen.push(`heard ${data}`));
    for await (const { data } of source) seen.push(`got ${data}`);
    return seen;
  });
  assert.deepEqual([...seen].sort(), ['got a', 'got b', 'heard a', 'heard b']);
});
