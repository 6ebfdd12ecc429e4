// Measures the parsers in the page; needs --expose-gc and --enable-precise-memory-info.
import { runPart } from './page.mjs';
import { measure } from './parser-parts.mjs';

async function heap() {
  // What was just let go is collected in a later task.
  await new Promise((done) => setTimeout(done, 50));
  gc();
  return performance.memory.usedJSHeapSize;
}

await runPart({ parsers: () => measure(heap) });
