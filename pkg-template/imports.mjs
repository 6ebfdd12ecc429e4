// Makes module and glue agree on short names.
//
// wasm-bindgen names each import after what it is and a hash, sixteen digits that no compression shortens, once in the
// module and once in the glue. And it writes the glue before wasm-opt finds out what the module really needs.
import { IMPORTS, number, Reader, sections } from './wasm-file.mjs';

/** The module with its imports renamed, and the new names by the old ones. What is missing there is not needed any more. */
export function shortenImports(bytes) {
  const names = new Map();
  const out = [bytes.subarray(0, 8)];
  for (const { id, body } of sections(bytes)) {
    const kept = id === IMPORTS ? renamed(body, names) : body;
    out.push(Buffer.from([id]), number(kept.length), kept);
  }
  return { wasm: Buffer.concat(out), names };
}

/** The module name that all imports share from now on. */
export const MODULE = 'e';

function renamed(body, names) {
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
