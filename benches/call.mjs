// Times evenkeel beside raw fetch and ky in headless Chromium; `make bench` calls it. Figures go to stdout only.
import { openPages, printSetting, row } from './browser.mjs';
import { median } from './rounds.mjs';

const START_PAGES = 20;

const pages = await openPages('call-page');

async function table(title, part) {
  const [{ took }] = await pages.measure(part);
  const raw = median(took['raw fetch']);
  console.log(`\n${title}`);
  console.log(row('', 'µs a call', 'min–max', 'added µs', 'ratio'));
  for (const [name, times] of Object.entries(took)) {
    const middle = median(times);
    const range = `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`;
    console.log(row(name, middle.toFixed(1), range, (middle - raw).toFixed(1), (middle / raw).toFixed(2)));
  }
}

try {
  printSetting('ky');
  console.log('evenkeel with its defaults, but rateLimit: false; medians of 7 rounds in rotating order');

  await table('A call, where fetch answers at once: rounds of 2,000', 'call');
  await table('Loopback, HTTP/1.1, one after another: rounds of 300', 'sequence');
  await table('Loopback, HTTP/1.1, 50 at once: rounds of 300', 'atOnce');

  const times = (await pages.measure('start', { pages: START_PAGES })).map(({ ms }) => ms);
  console.log(`\nFrom import to ready on loopback, ${START_PAGES} fresh pages, nothing cached`);
  const range = `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`;
  console.log(`median ${median(times).toFixed(1)} ms (${range})`);
} finally {
  pages.close();
}
