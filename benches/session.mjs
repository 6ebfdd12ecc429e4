// Counts what tabs ask a real next-auth for, with its own SessionProvider and with evenkeel; `make bench` calls it. Figures go to stdout
// only.
import { readFileSync } from 'node:fs';
import { Person } from '../tests/auth/person.mjs';
import { PEOPLE, startAuthServer } from '../tests/auth/server.mjs';
import { launchBrowser } from '../tests/harness/browser.mjs';
import { printSetting, row } from './browser.mjs';

const TABS = [1, 3, 10];
const INTERVALS = 20;
/** The least that the provider knows. */
const INTERVAL_S = 1;
const INTERVAL_MS = INTERVAL_S * 1_000;

const contenders = {
  SessionProvider: [null, { refetchInterval: INTERVAL_S }],
  evenkeel: [{ activeMs: INTERVAL_MS, idleMs: INTERVAL_MS }, null, {}],
};

/** How many requests while the tabs are opened, and within the intervals after it. */
async function asked(browser, count, how) {
  const server = await startAuthServer(5);
  server.keepAlive = true;
  const person = new Person(server, await browser.newContext());
  try {
    await person.signIn(PEOPLE[0].email);
    const tabs = await person.openTabs(count, ...how);
    for (const tab of tabs) await (how[0] ? tab.is('authenticated') : tab.provides(PEOPLE[0].email));
    const { length: opening } = person.asked().all;
    server.clear();
    await new Promise((resolve) => setTimeout(resolve, INTERVALS * INTERVAL_MS));
    return { opening, within: person.asked().all.length };
  } finally {
    await person.close();
  }
}

const peers = new URL('../tests/auth/fixtures/package.json', import.meta.url);
const version = JSON.parse(readFileSync(peers, 'utf8')).dependencies['next-auth-v5'].split('@').pop();
const closing = [];
try {
  printSetting('playwright-core');
  console.log(
    `next-auth ${version} on loopback, JWT sessions; visible tabs of one person, one interval is ${INTERVAL_S} s`,
  );
  const browser = await launchBrowser({ after: (close) => closing.push(close) });
  console.log(row('session requests', 'tabs', 'while opening', `${INTERVALS} intervals`));
  for (const count of TABS) {
    for (const [name, how] of Object.entries(contenders)) {
      const { opening, within } = await asked(browser, count, how);
      console.log(row(name, String(count), String(opening), String(within)));
    }
  }
} finally {
  for (const close of closing) await close();
}
