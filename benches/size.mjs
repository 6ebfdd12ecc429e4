// Prints what a page downloads, and what takes the room. `make size` calls it, with a .wasm that kept its names.
//
//   node benches/size.mjs target/stage/named.wasm
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { loads, root } from '../pkg-template/build.mjs';
import {
  customName,
  functionBodies,
  functionNames,
  importedFunctions,
  sections,
} from '../pkg-template/wasm-file.mjs';

/** What an app ships today to have the same features from several packages. */
const AIM_BROTLI_B = 48_000;
const ROWS_MAX = 25;

const metafile = JSON.parse(readFileSync(join(root, 'target/stage/metafile.json'), 'utf8'));

function sizes(contents) {
  return {
    raw: contents.length,
    gzip: gzipSync(contents, { level: 9 }).length,
    brotli: brotliCompressSync(contents, {
      params: { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: contents.length },
    }).length,
  };
}

const sum = (all) =>
  all.reduce((a, b) => ({ raw: a.raw + b.raw, gzip: a.gzip + b.gzip, brotli: a.brotli + b.brotli }), {
    raw: 0,
    gzip: 0,
    brotli: 0,
  });

const fileSizes = (path) => sizes(readFileSync(join(root, path)));

function printDownloads() {
  const wasm = fileSizes('pkg/evenkeel_bg.wasm');
  const rows = [['evenkeel_bg.wasm', wasm]];
  for (const path of ['pkg/index.js', 'pkg/inline.js']) {
    const files = [...loads(metafile, path)];
    const shared = files.length > 1 ? ` (with ${files.length - 1} shared)` : '';
    rows.push([path.replace('pkg/', '') + shared, sum(files.map(fileSizes))]);
  }
  const index = [...loads(metafile, 'pkg/index.js')];
  const hooks = [...loads(metafile, 'pkg/react.js')].filter((path) => !index.includes(path));
  const glue = sum(index.map(fileSizes));
  const added = sum(hooks.map(fileSizes));
  const whole = sum([wasm, glue]);
  rows.push(["react.js: what './react' adds to '.'", added]);
  rows.push(['glue + hooks: index.js + react.js', sum([glue, added])]);
  rows.push(["'.' whole: wasm + index.js", whole]);
  rows.push(["'.' and './react' whole", sum([whole, added])]);

  console.log(line('bytes', 'raw', 'gzip', 'brotli'));
  for (const [name, { raw, gzip, brotli }] of rows) console.log(line(name, raw, gzip, brotli));
  const share = ((whole.brotli / AIM_BROTLI_B) * 100).toFixed(0);
  const verdict = whole.brotli <= AIM_BROTLI_B ? 'within' : 'OVER';
  console.log(`\n${verdict} the aim of ${AIM_BROTLI_B} bytes of brotli for '.' whole: ${share} % of it\n`);
}

function line(name, ...columns) {
  return name.padEnd(44) + columns.map((column) => column.toLocaleString('en').padStart(10)).join('');
}

/** Adds up [name, bytes] by name. */
function tally(entries) {
  const bytes = new Map();
  for (const [name, size] of entries) bytes.set(name, (bytes.get(name) ?? 0) + size);
  return bytes;
}

/** Prints the largest of `bytes`, a map from name to bytes. */
function printShares(title, bytes) {
  const rows = [...bytes].sort(([, a], [, b]) => b - a);
  const whole = rows.reduce((total, [, size]) => total + size, 0);
  console.log(line(title, 'raw', '%'));
  const rest = rows.slice(ROWS_MAX).reduce((total, [, size]) => total + size, 0);
  const shown = rows.slice(0, ROWS_MAX);
  if (rest) shown.push([`${rows.length - ROWS_MAX} more`, rest]);
  for (const [name, size] of shown)
    console.log(line(clip(name, 60), size, ((size / whole) * 100).toFixed(1)));
  console.log();
}

const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

function printJsShares(title, paths) {
  const inputs = paths.flatMap((path) => Object.entries(metafile.outputs[path].inputs));
  printShares(title, tally(inputs.map(([input, { bytesInOutput }]) => [input, bytesInOutput])));
}

function printWasmShares(path) {
  const parts = sections(readFileSync(path));
  const functions = functionSizes(parts);
  printShares('wasm by section', tally(sectionSizes(parts)));
  printShares(
    'code by crate, ours by module',
    tally(functions.map(([name, size]) => [moduleOf(name), size])),
  );
  printShares('code by function', tally(functions));
}

/**
 * The crate whose code a function is, and for evenkeel the module: what a generic function was made for counts, not
 * where it is written.
 */
function moduleOf(name) {
  const own = /\bevenkeel::((?:core(?:::events)?|browser|client)(?:::[a-z_0-9]+(?=::))?)/.exec(name);
  if (own) return `evenkeel::${own[1]}`;
  if (/\bevenkeel::/.test(name)) return 'evenkeel';
  if (/^<\w+>::/.test(name)) return 'core';
  return /([A-Za-z_]\w*)::/.exec(name)?.[1] ?? '(exports: evenkeel::client, what is inlined included)';
}

const SECTIONS = [
  ['custom', 'types', 'imports', 'functions', 'table', 'memory', 'globals'],
  ['exports', 'start', 'elements', 'code', 'data', 'data count', 'tags'],
].flat();

/** The bytes of each section but the names, which do not ship. */
function sectionSizes(parts) {
  return parts
    .filter((part) => customName(part) !== 'name')
    .map((part) => [customName(part) ?? SECTIONS[part.id] ?? `section ${part.id}`, part.body.length]);
}

/** The bytes of each function, by name. */
function functionSizes(parts) {
  const names = functionNames(parts);
  const first = importedFunctions(parts);
  return functionBodies(parts).map((body, at) => [names.get(at + first) ?? `#${at + first}`, body.length]);
}

printDownloads();
printWasmShares(process.argv[2]);
printJsShares("JS of '.', minified, by file", [...loads(metafile, 'pkg/index.js')]);
printJsShares("JS of './react' beside it", ['pkg/react.js']);
