// Takes the words out of panics.
//
//   node pkg-template/snip.mjs in.wasm out.wasm
//
// A panic traps, and a trap is noticed, reported and mended by the glue whatever it would have said. Rust links what
// words it all the same: the formatting of numbers, strings and errors, a third of the module. Here the bodies of those
// functions become traps of their own; wasm-opt then drops what only they called. Nothing that decides is touched:
// what is cut is named below, and is reached only on the way to a panic or to an error text that nobody reads, since
// the options that serde reads were checked by the glue.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Functions by the names that the `name` section gives them; crate hashes in brackets are removed before. */
const WORDS = [
  /\bcore::fmt\b|\balloc::fmt\b/,
  /\bas core::fmt::|::fmt::(Display|Debug|Write)\b/,
  /\bflt2dec\b|\bbignum\b/,
  /\bescape_debug|\bgrapheme_extend\b|\bis_printable\b|\bunicode::printable\b/,
  /\bpanicking\b|\brust_panic\b|\bbegin_panic\b|\bpanic_\w+/,
  /\b(slice_error_fail|slice_index_fail|unwrap_failed|expect_failed|capacity_overflow|handle_alloc_error|handle_error)\b/,
  /\bserde_wasm_bindgen::de::Deserializer::invalid_type_\b/,
];

/** No locals, `unreachable`, `end`. */
const TRAP = Buffer.from([0, 0, 0x0b]);

const SECTION = { custom: 0, imports: 2, code: 10 };
const NAME_FUNCTIONS = 1;

/** Reads a module's bytes from a place on. */
class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** LEB128, unsigned, 32 bit. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text() {
    return this.take(this.number()).toString('utf8');
  }

  limits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }
}

function number(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value);
  return Buffer.from(bytes);
}

function sections(bytes) {
  const reader = new Reader(bytes, 8);
  const found = [];
  while (reader.at < bytes.length) found.push({ id: reader.byte(), body: reader.take(reader.number()) });
  return found;
}

function countImportedFunctions(body) {
  const reader = new Reader(body);
  let functions = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.text();
    reader.text();
    const kind = reader.byte();
    if (kind === 0) functions++;
    if (kind === 1) reader.byte();
    if (kind === 1 || kind === 2) reader.limits();
    else if (kind === 3) reader.take(2);
    else reader.number();
  }
  return functions;
}

/** Function index → name. */
function functionNames(body) {
  const names = new Map();
  const reader = new Reader(body);
  if (reader.text() !== 'name') return names;
  while (reader.at < body.length) {
    const id = reader.byte();
    const part = new Reader(reader.take(reader.number()));
    if (id !== NAME_FUNCTIONS) continue;
    for (let left = part.number(); left > 0; left--) names.set(part.number(), part.text().replace(/\[[0-9a-f]+\]/g, ''));
  }
  return names;
}

/** The module with the bodies of its wording functions cut. */
export function snip(bytes) {
  const parts = sections(bytes);
  const imported = parts.filter(({ id }) => id === SECTION.imports).reduce((sum, { body }) => sum + countImportedFunctions(body), 0);
  const names = new Map(parts.filter(({ id }) => id === SECTION.custom).flatMap(({ body }) => [...functionNames(body)]));
  if (!names.size) throw new Error('the module has no names to go by: build it without stripping them');
  const out = [bytes.subarray(0, 8)];
  let cut = 0;
  for (const { id, body } of parts) {
    let kept = body;
    if (id === SECTION.code) {
      const reader = new Reader(body);
      const count = reader.number();
      const functions = [number(count)];
      for (let index = imported; index < imported + count; index++) {
        let code = reader.take(reader.number());
        if (WORDS.some((words) => words.test(names.get(index) ?? ''))) {
          code = TRAP;
          cut++;
        }
        functions.push(number(code.length), code);
      }
      kept = Buffer.concat(functions);
    }
    out.push(Buffer.from([id]), number(kept.length), kept);
  }
  if (!cut) throw new Error('nothing was cut: Rust names its formatting functions differently now');
  return Buffer.concat(out);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [from, to] = process.argv.slice(2);
  writeFileSync(to, snip(readFileSync(from)));
}
