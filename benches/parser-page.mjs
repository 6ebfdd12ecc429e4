// Measures the parsers in the page; needs --expose-gc and --enable-precise-memory-info.
import { runPart } from './page.mjs';
import { measure } from './parser-parts.mjs';

await runPart({ parsers: () => measure(() => performance.memory.usedJSHeapSize) });
