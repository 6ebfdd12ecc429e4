import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { held } from './held.mjs';
import { open } from './pages.mjs';
import { ends, goesOn, openStream, QUICK, requestsTo, stays } from './streams.mjs';

const encoder = new TextEncoder();

test('lines end in CR, LF or CRLF, data has many lines, and one space after the colon is none', async (t) => {
  const text =
    'data: a\ndata:  b\ndata\ndata:c\n\n' +
    'data: d\rdata: e\r\r' +
    'data: f\r\ndata: g\r\n\r\n' +
    'data\n\n' +
    ': comment\nunknown: x\n\nevent: empty\n\n' +
    'data:\n\n';
  const { stream } = await openStream(t, {}, { script: stays(text) });
  assert.deepEqual(await stream.heard(5), ['a\n b\n\nc', 'd\ne', 'f\ng', '', '']);
});

test('events of each type go to the listeners of that type', async (t) => {
  const text =
    'event: first\nid: 1\ndata: a\n\nevent: second\ndata: b\n\ndata: c\n\nevent: nobody\ndata: d\n\nevent: first\ndata: e\n\n';
  const { stream } = await openStream(t, {}, { script: stays(text), types: ['first', 'second'] });
  await stream.heard(4);
  assert.deepEqual(await stream.events(), [
    { type: 'first', data: 'a', id: '1' },
    { type: 'second', data: 'b', id: '1' },
    { type: 'message', data: 'c', id: '1' },
    { type: 'first', data: 'e', id: '1' },
  ]);
  assert.equal((await stream.stats()).received, 5);
});

test('an event that a server calls open or error is a message, and is no news of the connection', async (t) => {
  const text = 'event: error\ndata: a\n\nevent: open\ndata: b\n\ndata: end\n\n';
  const { stream } = await openStream(t, {}, { script: stays(text), types: ['open', 'error'] });
  await stream.heard(3);
  assert.deepEqual(await stream.log(), [
    ['open', 1],
    ['error', 'a'],
    ['open', 'b'],
    ['message', 'end'],
  ]);
});

test('a byte order mark is none, UTF-8 may be cut anywhere, and what is no UTF-8 becomes U+FFFD', async (t) => {
  const bytes = encoder.encode('\ufeffid: ü\ndata: 漢字 😀 — ☃\n\n');
  const pieces = [...bytes].map((byte) => ({ data: Uint8Array.of(byte), afterMs: 1 }));
  const broken = Uint8Array.of(...encoder.encode('data: '), 0xff, 0xe2, 0x82, 0x41, 10, 10);
  const { stream } = await openStream(
    t,
    {},
    { script: { ...stays(''), pieces: [...pieces, { data: broken }] } },
  );
  assert.deepEqual(await stream.heard(2), ['漢字 😀 — ☃', '\ufffd\ufffdA']);
  assert.equal((await stream.events())[0].id, 'ü');
});

test('what each piece of the network brings is told as it comes', async (t) => {
  const pieces = ['data: a\n\nda', 'ta: b\n', '\ndata: c', '\n\n'].map((data) => ({ data, afterMs: 60 }));
  const { stream } = await openStream(t, {}, { script: { ...stays(''), pieces } });
  assert.deepEqual(await stream.heard(3), ['a', 'b', 'c']);
});

test('the end of the response drops what has no blank line after it', async (t) => {
  const { stream } = await openStream(
    t,
    {},
    { script: [ends('data: a\n\ndata: half'), stays('data: b\n\n')] },
  );
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
});

test('a listener sees a MessageEvent, in the order and with the ready states of the specification', async (t) => {
  const { server, page } = await open(t, { events: QUICK });
  server.on('/api/order', [ends('id: 1\ndata: a\n\n'), 204]);
  const seen = await run(page, () => {
    const source = window.app.events('/api/order');
    const seen = [['made', source.readyState]];
    source.onopen = (event) =>
      seen.push(['onopen', source.readyState, event instanceof Event, event instanceof MessageEvent]);
    source.addEventListener('message', function (event) {
      const {
        data,
        origin,
        lastEventId,
        type,
        target,
        currentTarget,
        isTrusted,
        bubbles,
        cancelable,
        source: from,
        ports,
      } = event;
      seen.push(['listener', data, origin === location.origin, lastEventId, type]);
      seen.push([
        event instanceof MessageEvent,
        event.constructor === MessageEvent || event instanceof Event,
        this === source,
      ]);
      seen.push([
        target === source,
        currentTarget === source,
        typeof isTrusted,
        bubbles,
        cancelable,
        from,
        ports.length,
      ]);
    });
    source.onmessage = (event) => seen.push(['onmessage', event.data]);
    return new Promise((resolve) => {
      source.onerror = () => {
        seen.push(['onerror', source.readyState]);
        if (source.readyState === 2) resolve(seen);
      };
    });
  });
  assert.deepEqual(seen, [
    ['made', 0],
    ['onopen', 1, true, false],
    ['listener', 'a', true, '1', 'message'],
    [true, true, true],
    [true, true, 'boolean', false, false, null, 0],
    ['onmessage', 'a'],
    ['onerror', 0],
    ['onerror', 2],
  ]);
});

test('close() in a listener ends the chunk that is being told', async (t) => {
  const { server, page } = await open(t, { events: QUICK });
  server.on('/api/close', stays('data: 1\n\ndata: 2\n\ndata: 3\n\n'));
  const heard = await run(page, () => {
    const source = window.app.events('/api/close');
    const heard = [];
    source.addEventListener('message', ({ data }) => {
      heard.push(data);
      if (data === '2') source.close();
    });
    source.addEventListener('message', () => heard.push(source.readyState));
    source.addEventListener('error', () => heard.push('error'));
    return new Promise((resolve) => {
      source.state.subscribe(() => source.readyState === 2 && setTimeout(() => resolve(heard), 100));
    });
  });
  assert.deepEqual(heard, ['1', 1, '2', 2], 'the other listeners of that event hear it');
  await until(() => requestsTo(server, '/api/close')[0].closedEarlyAt);
});

test('a listener that throws keeps no event from the others, and the stream open', async (t) => {
  const gate = held();
  const { page, stream } = await openStream(
    t,
    {},
    { script: goesOn(':\n\n', gate, 'data: a\n\ndata: b\n\n') },
  );
  await run(page, () => {
    window.stream.source.addEventListener('message', () => {
      throw new Error('in a listener');
    });
  });
  gate.release();
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  await until(() => page.problems.length === 2);
  assert.ok(page.problems.every(({ text }) => /in a listener/.test(text)));
  page.problems.length = 0;
});

test('an event over maxEventBytes is skipped, the state says so, and the stream goes on', async (t) => {
  const big = 'x'.repeat(5_000);
  const { server, page, stream } = await openStream(
    t,
    { maxEventBytes: 1_000 },
    { script: stays(`id: 1\ndata: a\n\nid: 2\ndata: ${big}\n\nid: 3\ndata: b\n\n`) },
  );
  assert.deepEqual(await stream.heard(2), ['a', 'b']);
  const { status, error, isConnected } = await stream.state();
  assert.deepEqual([status, isConnected, error.kind], ['open', true, 'tooLarge']);
  assert.equal(await stream.fired('error'), 0);
  assert.equal(requestsTo(server).length, 1);
  const { events } = await run(page, () => window.app.diagnostics());
  assert.ok(events.some(({ type, reason }) => type === 'stream' && reason === 'tooLarge'));
});

test('a line without end is not kept', async (t) => {
  const piece = { data: 'x'.repeat(1 << 20) };
  const { stream } = await openStream(
    t,
    { maxEventBytes: 1 << 16 },
    {
      script: {
        ...stays(''),
        pieces: [{ data: 'data: ' }, ...Array(48).fill(piece), { data: '\n\ndata: after\n\n' }],
      },
    },
  );
  assert.deepEqual(await stream.heard(1), ['after']);
  assert.equal((await stream.state()).error.kind, 'tooLarge');
});

test('many events of a large stream are all told, in order', async (t) => {
  const count = 50_000;
  const text = [...Array(count).keys()].map((i) => `id: ${i}\ndata: ${i}\n\n`).join('');
  const { server, page } = await open(t, { events: QUICK });
  server.on('/api/many', stays(text));
  await run(page, () => {
    Object.assign(window, { last: -1, wrong: 0, counted: window.app.events('/api/many') });
    window.counted.onmessage = ({ data }) => {
      if (Number(data) !== ++window.last) window.wrong++;
    };
  });
  await until(async () => (await run(page, () => window.last)) === count - 1);
  assert.equal(await run(page, () => window.wrong), 0);
  assert.equal(await run(page, () => window.counted.stats().lastEventId), `${count - 1}`);
});
