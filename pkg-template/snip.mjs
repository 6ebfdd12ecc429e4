// Takes the words out of panics.
//
//   node pkg-template/snip.mjs linked.wasm bound.wasm out.wasm
//
// `linked` is what the linker wrote, with relocations; `bound` what wasm-bindgen made of it.
//
// A panic traps, and a trap is noticed, reported and mended by the glue whatever it would have said. Rust links what
// words it all the same: the formatting of numbers, strings and errors, a third of the module. Here the bodies of those
// functions become traps of their own; wasm-opt then drops what only they called. Nothing that decides is touched:
// what is cut is named below, and is reached only on the way to a panic or to an error text that nobody reads, since
// the options that serde reads were checked by the glue.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { deadData, zero } from './dead-data.mjs';
import {
  CODE,
  customName,
  functionBodies,
  functionNames,
  importedFunctions,
  number,
  sections,
} from './wasm-file.mjs';

/** Functions by the names that the `name` section gives them; without hashes. */
const WORDS = [
  /\bcore::fmt\b|\balloc::fmt\b/,
  /\bas core::fmt::|::fmt::(Display|Debug|Write)\b/,
  /\bflt2dec\b|\bbignum\b/,
  /\bescape_debug|\bgrapheme_extend\b|\bis_printable\b|\bunicode::printable\b/,
  /\bpanicking\b|\brust_panic\b|\bbegin_panic\b|\bpanic_\w+/,
  /\b(slice_error_fail|slice_index_fail|unwrap_failed|expect_failed|capacity_overflow|handle_alloc_error|handle_error|assert_failed|len_mismatch_fail)\b/,
  /\bwasm_bindgen::(throw_str|__rt::throw_null|__wbindgen_throw)\b/,
  /\bserde_wasm_bindgen::de::Deserializer::invalid_type_\b/,
];

/** No locals, `unreachable`, `end`. */
const TRAP = Buffer.from([0, 0, 0x0b]);

/** The module `bound` with the bodies of its wording functions cut, and the data that only they read zeroed. */
export function snip(bound, linked) {
  const parts = sections(Buffer.from(bound)).filter(
    (part) => !/^(linking|reloc\.)/.test(customName(part) ?? ''),
  );
  const imported = importedFunctions(parts);
  const names = functionNames(parts);
  if (!names.size) throw new Error('the module has no names to go by: build it without stripping them');
  zero(parts, deadData(linked));
  const out = [bound.subarray(0, 8)];
  let cut = 0;
  for (const { id, body } of parts) {
    let kept = body;
    if (id === CODE) {
      const bodies = functionBodies(parts).map((code, index) => {
        if (!WORDS.some((words) => words.test(names.get(index + imported) ?? ''))) return code;
        cut++;
        return TRAP;
      });
      const functions = [number(bodies.length), ...bodies.flatMap((code) => [number(code.length), code])];
      kept = Buffer.concat(functions);
    }
    out.push(Buffer.from([id]), number(kept.length), kept);
  }
  if (!cut) throw new Error('nothing was cut: Rust names its formatting functions differently now');
  return Buffer.concat(out);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [linked, bound, to] = process.argv.slice(2);
  writeFileSync(to, snip(readFileSync(bound), readFileSync(linked)));
}
