// Measures evenkeel's stream parser beside its peers in Node and in headless Chromium; `make bench` calls it.
// Figures go to stdout only.
//
//   node --expose-gc benches/parser.mjs
import { pathToFileURL } from 'node:url';
import { bundle, openPages, printSetting, row } from './browser.mjs';
import { median } from './rounds.mjs';

const PEER = 'eventsource-parser';
const FLAGS = ['--js-flags=--expose-gc', '--enable-precise-memory-info'];

function used() {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function print(where, { streams, lines, kept }) {
  const names = kept.map(({ name }) => name);
  console.log(`\n${where}: MB/s, and how often that of ${PEER}`);
  console.log(row('', ...streams.map(({ name }) => name)));
  for (const name of names) {
    const columns = streams.map(({ took, bytes }) => {
      const ms = median(took[name]);
      return `${(bytes / ms / 1_000).toFixed(0)} (${(median(took[PEER]) / ms).toFixed(2)})`;
    });
    console.log(row(name, ...columns));
  }

  console.log(`\n${where}: ms for one line of data, in pieces of 1,460 B`);
  console.log(row('', ...lines.map(({ size }) => `${size / 1e6} MB`)));
  for (const name of names) console.log(row(name, ...lines.map(({ took }) => median(took[name]).toFixed(1))));

  console.log(`\n${where}: one small event kept of each 16 KB, of 160 MB`);
  console.log(row('', 'B of heap', 'B of data', 'ratio'));
  for (const { name, heap, data } of kept)
    console.log(row(name, heap.toFixed(0), data.toFixed(0), (heap / data).toFixed(1)));
}

printSetting('eventsource-parser', '@microsoft/fetch-event-source');
console.log(
  '32 MB in pieces of 16 KB, an object { id, event, data } made of each event; medians of 5 in rotating order',
);

const { measure } = await import(pathToFileURL(await bundle('parser-parts')));
print(`Node ${process.version}`, await measure(used));

const pages = await openPages('parser-page');
try {
  const [report] = await pages.measure('parsers', { flags: FLAGS });
  print('Chromium', report);
} finally {
  pages.close();
}
