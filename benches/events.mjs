// Times evenkeel's event streams beside their peers in headless Chromium; `make bench` calls it. Figures go to stdout only.
import { openPages, printSetting, row } from './browser.mjs';
import { NAMES_OF_STREAMS } from './events-corpora.mjs';
import { median } from './rounds.mjs';

const pages = await openPages('events-page');

async function table(name) {
  const [{ took, events, bytes }] = await pages.measure(name);
  const middle = Object.fromEntries(Object.entries(took).map(([who, times]) => [who, median(times)]));
  const ratio = (who, peer) => (middle[peer] / middle[who]).toFixed(2);
  console.log(`\n${name}: ${events.toLocaleString('en')} events of ${(bytes / events).toFixed(0)} B each`);
  console.log(row('', 'thousand ev/s', 'min–max', 'MB/s', '× native', '× eventsource'));
  for (const [who, times] of Object.entries(took)) {
    const [slowest, fastest] = [Math.max(...times), Math.min(...times)].map((ms) => (events / ms).toFixed(0));
    console.log(
      row(
        who,
        (events / middle[who]).toFixed(0),
        `${slowest}–${fastest}`,
        (bytes / middle[who] / 1_000).toFixed(1),
        ratio(who, 'native EventSource'),
        ratio(who, 'eventsource'),
      ),
    );
  }
}

try {
  printSetting('eventsource', '@microsoft/fetch-event-source');
  console.log(
    'evenkeel with its defaults; 32 MB over loopback, HTTP/1.1, written in pieces of 64 KB, from the',
  );
  console.log(
    'making of the source to the last event, each adding up data.length; medians of 5 in rotating order',
  );
  for (const name of NAMES_OF_STREAMS) await table(name);
} finally {
  pages.close();
}
