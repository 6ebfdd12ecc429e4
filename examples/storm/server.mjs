#!/usr/bin/env node
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
/**
 * The demo: a page on one port, and on the next one the API that it makes fail.
 *
 *     node examples/storm/server.mjs [--port 4173] [--page target/storm]
 *
 * Two ports, so that the page can still steer an API that refuses connections, and so that browsers' six connections
 * for each HTTP/1.1 origin are the API's alone.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startFaultServer } from '../../tests/server/fault-server.mjs';
import { openAccounts } from './accounts.mjs';
import { openDeploys } from './deploys.mjs';
import { MEALS, openKitchen } from './kitchen.mjs';
import { openOrders } from './orders.mjs';
import { openPlans } from './plans.mjs';
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

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4173' },
    page: { type: 'string', default: folder('../../target/storm') },
  },
});
if (!existsSync(values.page))
  throw new Error(`no page in ${values.page}: node examples/storm/build.mjs builds it`);
const page = await startFaultServer({ host: HOST, port: await freePort(Number(values.port)) });
const api = await startFaultServer({ host: HOST, port: await freePort(page.port + 1), cors: true });

const orders = openOrders(
  api,
  MEALS.map(({ name }) => name),
);
const accounts = openAccounts(api);
openKitchen(api, orders.send, accounts.nameOf);
const plans = openPlans(api, accounts.personOf);
const weather = createWeather(api, orders);

page.serve('/', values.page);
const deploys = openDeploys(page, api, join(values.page, 'index.html'), accounts.welcome);
page.on('GET /as/*', accounts.enter);
page.on('GET /standing', (request) => ({
  body: { connections: orders.connections, held: plans.heldFor(request), ...deploys.standing },
}));
steer('/weather', (given) => weather.set(given));
steer('/deploy', (given) => deploys.deploy(given));
steer('/forget', () => accounts.forget());
steer('/kill', ({ forMs }) => weather.kill(forMs, plans.restart));

/** What the page asks of the demo itself, rather than of its API. @param {string} path @param {(given: any) => unknown} act */
function steer(path, act) {
  page.on(`POST ${path}`, async (request) => {
    try {
      return { body: (await act(request.json())) ?? {} };
    } catch (error) {
      return { status: 400, body: { error: String(error) } };
    }
  });
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    await Promise.all([page.close(), api.close()]);
    plans.close();
    process.exit(0);
  });

console.log(`storm: ${page.origin}/`);
