// The server of the benchmarks, a process of its own so that it does not share a thread with anything that is timed.
// Prints its address, then each report that a page posts, one line of JSON each.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { root } from '../pkg-template/build.mjs';
import { chunks, corpus, END } from './events-corpora.mjs';

const FOLDERS = { pkg: 'pkg', ky: 'node_modules/ky/distribution', bench: 'target/bench' };
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const USER = '{"id":1,"name":"Ada"}';
const WRITE_B = 65_536;

/** Reports itself unless its module loads. */
const page = (module) =>
  `<!doctype html><meta charset="utf-8"><title>benchmark</title><script type="module" src="/bench/${module}.mjs" onerror="fetch('/report', { method: 'POST', body: JSON.stringify({ error: 'the module does not load' }) })"></script>`;

/** Streams that are built, ready to be written. */
const streams = new Map();

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  // Nothing is kept: each fresh page fetches what it loads.
  const send = (type, body) =>
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);

  if (pathname === '/api/user') return send('application/json', USER);
  if (pathname === '/events') return stream(searchParams.get('corpus'), searchParams.get('size'), response);
  if (pathname.endsWith('-page')) return send('text/html', page(pathname.slice(1)));
  if (pathname === '/report') {
    let body = '';
    for await (const chunk of request) body += chunk;
    console.log(JSON.stringify(JSON.parse(body)));
    return send('text/plain', '');
  }
  const [, folder, ...rest] = pathname.split('/');
  try {
    send(TYPES[extname(pathname)] ?? 'text/plain', await readFile(join(root, FOLDERS[folder], ...rest)));
  } catch {
    response.writeHead(404).end();
  }
});

/** Writes a stream as fast as the socket takes it. */
async function stream(name, size, response) {
  const key = `${name} ${size}`;
  if (!streams.has(key)) {
    const pieces = chunks(corpus(name, Number(size)).bytes, WRITE_B);
    streams.set(key, [...pieces, `event: ${END}\ndata: .\n\n`]);
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  // A page that has the last event closes, which is no failure.
  await pipeline(streams.get(key), response).catch(() => {});
}

server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
