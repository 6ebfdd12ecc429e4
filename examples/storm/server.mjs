#!/usr/bin/env node
import { once } from 'node:events';
import { createServer } from 'node:net';
/**
 * The demo: a page on one port, and on the next one the API that it makes fail.
 *
 *     node examples/storm/server.mjs [--port 4173]
 *
 * Two ports, so that the page can still steer an API that refuses connections, and so that browsers' six connections
 * for each HTTP/1.1 origin are the API's alone.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFaultServer } from '../../tests/server/fault-server.mjs';
import { MEALS, openKitchen } from './kitchen.mjs';
import { openOrders } from './orders.mjs';
import { createWeather } from './weather.mjs';

const HOST = '127.0.0.1';
const TRIES_MAX = 100;

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The first port from `port` on that nobody listens on. */
async function freePort(port) {
  for (const last = port + TRIES_MAX; port < last; port++) {
    const probe = createServer().listen(port, HOST);
    const isFree = await Promise.race([
      once(probe, 'listening').then(() => true),
      once(probe, 'error').then(() => false),
    ]).catch(() => false);
    if (!isFree) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error(`no free port below ${port}`);
}

const { values } = parseArgs({ options: { port: { type: 'string', default: '4173' } } });
const page = await startFaultServer({ host: HOST, port: await freePort(Number(values.port)) });
const api = await startFaultServer({ host: HOST, port: await freePort(page.port + 1), cors: true });

const orders = openOrders(
  api,
  MEALS.map(({ name }) => name),
);
openKitchen(api, orders.send);
const weather = createWeather(api, orders);

page.serve('/', folder('page/'));
page.serve('/pkg/', folder('../../pkg/'));
page.page('/server.js', `export const API = '${api.origin}';\n`, { 'Content-Type': 'text/javascript' });
page.on('GET /streams', () => ({ body: { connections: orders.connections } }));
page.on('POST /weather', async (request) => {
  try {
    return { body: await weather.set(request.json()) };
  } catch (error) {
    return { status: 400, body: { error: String(error) } };
  }
});

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await Promise.all([page.close(), api.close()]);
    process.exit(0);
  });

console.log(`storm: ${page.origin}/`);
