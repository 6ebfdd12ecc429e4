// Reads a .wasm file as far as the build and `make size` need it: its sections, functions and their names.

export const EXPORTS = 7;
export const CODE = 10;
export const DATA = 11;
export const CUSTOM = 0;
export const IMPORTS = 2;
const NAME_FUNCTIONS = 1;

/** Reads bytes from a place on. */
export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  get done() {
    return this.at >= this.bytes.length;
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

  /** What an import is, behind its names: 0 for a function. */
  importKind() {
    const kind = this.byte();
    if (kind === 1) this.byte();
    if (kind === 1 || kind === 2) this.limits();
    else if (kind === 3) this.take(2);
    else this.number();
    return kind;
  }

  limits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }
}

/** The bytes of a number, as Reader's `number` reads it. */
export function number(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value);
  return Buffer.from(bytes);
}

/** All sections in their order, each with its id and its body. */
export function sections(bytes) {
  const reader = new Reader(bytes, 8);
  const found = [];
  while (!reader.done) found.push({ id: reader.byte(), body: reader.take(reader.number()) });
  return found;
}

/** How many functions are imported: the module's own are numbered from there. */
export function importedFunctions(parts) {
  let functions = 0;
  for (const { body } of parts.filter(({ id }) => id === IMPORTS)) {
    const reader = new Reader(body);
    for (let left = reader.number(); left > 0; left--) {
      reader.text();
      reader.text();
      if (reader.importKind() === 0) functions++;
    }
  }
  return functions;
}

/** The bodies of the module's own functions, in their order. */
export function functionBodies(parts) {
  return parts
    .filter(({ id }) => id === CODE)
    .flatMap(({ body }) => {
      const reader = new Reader(body);
      return Array.from({ length: reader.number() }, () => reader.take(reader.number()));
    });
}

/** What a custom section is called; null for the others. */
export const customName = ({ id, body }) => (id === CUSTOM ? new Reader(body).text() : null);

/** Function index → name as Rust writes it, without the hashes of either mangling. */
export function functionNames(parts) {
  const names = new Map();
  for (const part of parts.filter((part) => customName(part) === 'name')) {
    const reader = new Reader(part.body);
    reader.text();
    while (!reader.done) {
      const id = reader.byte();
      const inner = new Reader(reader.take(reader.number()));
      if (id !== NAME_FUNCTIONS) continue;
      for (let left = inner.number(); left > 0; left--) names.set(inner.number(), unhashed(inner.text()));
    }
  }
  return names;
}

const unhashed = (name) => name.replace(/\[[0-9a-f]+\]/g, '').replace(/::h[0-9a-f]{16}\b/g, '');
