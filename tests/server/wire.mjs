import net from 'node:net';
import { startFaultServer } from './fault-server.mjs';

/** @param {import('node:test').TestContext} t @param {Parameters<typeof startFaultServer>[0]} [options] */
export async function start(t, options) {
  const server = await startFaultServer(options);
  t.after(() => server.close());
  return server;
}

/**
 * What the wire carries, as bytes (`isWhole`: with the end of a chunked body), until the server closes the connection or `untilBytes` of a body have come.
 * @param {import('./fault-server.mjs').FaultServer} server @param {string} target @param {{ method?: string, headers?: string, untilBytes?: number }} [options]
 */
export async function raw(server, target, { method = 'GET', headers = '', untilBytes = Infinity } = {}) {
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  const state = { socket, head: '', body: Buffer.alloc(0), isWhole: false, ended: false, reset: false };
  let all = Buffer.alloc(0);
  await new Promise((resolve) => {
    socket.on('data', (chunk) => {
      all = Buffer.concat([all, chunk]);
      const at = all.indexOf('\r\n\r\n');
      if (at < 0) return;
      state.head = all.subarray(0, at).toString();
      state.body = all.subarray(at + 4);
      state.isWhole = state.body.subarray(-5).toString() === '0\r\n\r\n';
      if (/transfer-encoding: chunked/i.test(state.head)) state.body = dechunked(state.body);
      if (state.body.length >= untilBytes) resolve(undefined);
    });
    socket.on('end', () => (state.ended = true));
    socket.on('error', (error) => (state.reset = /** @type {any} */ (error).code === 'ECONNRESET'));
    socket.on('close', resolve);
  });
  return state;
}

/** As much of a chunked body as there is. @param {Buffer} bytes */
function dechunked(bytes) {
  let body = Buffer.alloc(0);
  for (;;) {
    const line = bytes.indexOf('\r\n');
    if (line < 0) return body;
    const size = parseInt(bytes.subarray(0, line).toString(), 16);
    body = Buffer.concat([body, bytes.subarray(line + 2, line + 2 + size)]);
    bytes = bytes.subarray(line + 2 + size + 2);
  }
}
