// The server of the benchmark, a process of its own so that it does not share a thread with anything that is timed.
// Prints its address, then each report that a page posts, one line of JSON each.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { root } from '../pkg-template/build.mjs';

const FOLDERS = { pkg: 'pkg', ky: 'node_modules/ky/distribution', benches: 'benches' };
const TYPES = { '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>benchmark</title><script type="module" src="/benches/page.mjs"></script>';
const USER = '{"id":1,"name":"Ada"}';

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://localhost');
  // Nothing is kept: each fresh page fetches what it loads.
  const send = (type, body) =>
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);

  if (pathname === '/api/user') return send('application/json', USER);
  if (pathname === '/') return send('text/html', PAGE);
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

server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`));
