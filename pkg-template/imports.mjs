// Makes module and glue agree on short names.
//
// wasm-bindgen names each import after what it is and a hash, sixteen digits that no compression shortens, once in the
// module and once in the glue, and so its own exports. And it writes the glue before wasm-opt finds out what the module
// really needs.
import { CUSTOM, EXPORTS, IMPORTS, number, Reader, sections } from './wasm-file.mjs';

/**
 * The module with its imports and exports renamed, and the new names by the old ones. An import that is missing there is not needed any
 * more.
 */
export function shortenNames(bytes) {
  const names = { imports: new Map(), exports: new Map() };
  const out = [bytes.subarray(0, 8)];
  for (const { id, body } of sections(bytes)) {
    if (id === CUSTOM) continue; // what tools tell each other
    const kept =
      id === IMPORTS
        ? renamedImports(body, names.imports)
        : id === EXPORTS
          ? renamedExports(body, names.exports)
          : body;
    out.push(Buffer.from([id]), number(kept.length), kept);
  }
  return { wasm: Buffer.concat(out), names };
}

/** The module name that all imports share from now on. */
export const MODULE = 'e';

/** The exports that are wasm-bindgen's own, and of these the ones that call a closure. */
const INTERNAL = /^_|^wasm_bindgen_/;
const INVOKE = /_invoke_/;

function renamedImports(body, names) {
  const reader = new Reader(body);
  const count = reader.number();
  const out = [number(count)];
  for (let left = count; left > 0; left--) {
    reader.text();
    const name = reader.text();
    const begun = reader.at;
    reader.importKind();
    const short = names.size.toString(36);
    names.set(name, short);
    for (const text of [MODULE, short]) out.push(number(text.length), Buffer.from(text));
    out.push(body.subarray(begun, reader.at));
  }
  return Buffer.concat(out);
}

function renamedExports(body, names) {
  const reader = new Reader(body);
  const count = reader.number();
  const out = [number(count)];
  for (let left = count; left > 0; left--) {
    const name = reader.text();
    const begun = reader.at;
    reader.byte(); // what it is
    reader.number();
    // A letter first, so that the glue can say it after a dot.
    const short = INTERNAL.test(name) ? (INVOKE.test(name) ? 'invoke' : 'e') + names.size.toString(36) : name;
    names.set(name, short);
    out.push(number(short.length), Buffer.from(short), body.subarray(begun, reader.at));
  }
  return Buffer.concat(out);
}
