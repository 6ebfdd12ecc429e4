// Finds the data that nobody reads once the words of panics are gone (see snip.mjs), so that it can be zeroed, which packs to nothing: tables for
// printing numbers, texts, paths of the machine that built it. wasm-opt cannot know: to it, data is one block.
//
// The linker knows which function and which datum refers to which, and with `--emit-relocs` says so. From the exports
// on, everything that is reached without passing a cut function lives.
import { CODE, DATA, EXPORTS, functionNames, importedFunctions, Reader, sections } from './wasm-file.mjs';

/** As WORDS in snip.mjs, for names as the linker has them: mangled, in both of Rust's ways. */
const CUT =
  /4core3fmt|core\.\.fmt\.\.|5alloc3fmt|flt2dec|bignum|escape_debug|grapheme_extend|is_printable|printable|panicking|rust_panic|begin_panic|panic_|slice_error_fail|slice_index_fail|unwrap_failed|expect_failed|capacity_overflow|handle_alloc_error|handle_error|assert_failed|len_mismatch_fail|throw_str|throw_null|__wbindgen_throw|invalid_type_/;
const SYMBOL = { function: 0, data: 1, section: 3 };
const SYMBOLS = 8;
const UNDEFINED = 0x10;
const NAMED = 0x40;
/** A path, its length, a line and a column. */
const PLACE_BYTES = 16;
/** Relocations that refer to a function, and those that refer to data; of the others only the length matters. */
const TO_FUNCTION = new Set([0, 1, 2, 12]);
const TO_DATA = new Set([3, 4, 5, 11]);
const I32_CONST = 0x41;
const CALL = 0x10;
const WITH_ADDEND = new Set([3, 4, 5, 8, 9, 11, 14, 15, 16, 17, 23]);

/** The address ranges, as [begin, end), that `linked`, the module as the linker wrote it, keeps for nobody. */
export function deadData(linked) {
  const parts = sections(linked);
  const custom = (name) => {
    for (const { id, body } of parts) {
      const reader = new Reader(body);
      if (id === 0 && reader.text() === name) return reader;
    }
    throw new Error(`the linked module has no section '${name}': link it with --emit-relocs`);
  };
  const symbols = readSymbols(custom('linking'));
  const segments = readSegments(parts);
  const functions = functionRanges(parts);
  const names = functionNames(parts);

  // Who refers to what, by the place of the reference.
  const isCut = (index) => CUT.test(names.get(index) ?? '');
  const fromFunction = new Map();
  const code = parts.find(({ id }) => id === CODE).body;
  for (const { at, symbol } of readRelocations(custom('reloc.CODE'), symbols)) {
    const owner = within(functions, at);
    if (owner && !isCut(calledWith(code, at))) add(fromFunction, owner.index, symbol);
  }
  const data = symbols.filter((symbol) => symbol?.kind === SYMBOL.data && symbol.size !== undefined);
  for (const symbol of data) symbol.begin = segments[symbol.segment].at + symbol.offset;
  const sorted = data.toSorted((a, b) => a.begin - b.begin);
  const fromData = new Map();
  for (const { at, symbol } of readRelocations(custom('reloc.DATA'), symbols)) {
    const segment = segments.findLast(({ start }) => start <= at);
    const address = segment.at + at - segment.start;
    for (const owner of sorted.filter(({ begin, size }) => begin <= address && address < begin + size))
      add(fromData, owner, symbol);
  }

  // Where in the source a panic is, which every function hands on that may panic.
  const textOf = ({ segment, offset, size }) =>
    segments[segment].bytes.toString('latin1', offset, offset + size);
  const isPath = (symbol) => symbol.kind === SYMBOL.data && /\.rs\0?$/.test(textOf(symbol));
  const isPlace = (symbol) =>
    symbol.size === PLACE_BYTES && fromData.get(symbol)?.length === 1 && isPath(fromData.get(symbol)[0]);

  const live = new Set();
  const queue = [];
  const reach = (symbol) => {
    const key = symbol.kind === SYMBOL.function ? symbol.index : symbol;
    if (live.has(key) || isPlace(symbol)) return;
    live.add(key);
    queue.push(key);
  };
  for (const index of exportedFunctions(parts)) reach({ kind: SYMBOL.function, index });
  for (const key of queue) {
    if (typeof key === 'number' && isCut(key)) continue;
    for (const symbol of (typeof key === 'number' ? fromFunction : fromData).get(key) ?? []) reach(symbol);
  }

  // Symbols may overlap: what one live symbol covers is live.
  const alive = sorted.filter((symbol) => live.has(symbol));
  if (!alive.length) throw new Error('no data is alive: the relocations were misread');
  const ranges = [];
  for (const { begin, size } of sorted.filter((symbol) => !live.has(symbol))) {
    let from = begin;
    for (const other of alive) {
      if (other.begin + other.size <= from || other.begin >= begin + size) continue;
      if (other.begin > from) ranges.push([from, other.begin]);
      from = Math.max(from, other.begin + other.size);
    }
    if (from < begin + size) ranges.push([from, begin + size]);
  }
  return ranges;
}

/** Zeroes these ranges of a module's data, in place. */
export function zero(parts, ranges) {
  for (const { at, bytes } of readSegments(parts)) {
    for (const [begin, end] of ranges) {
      const first = Math.max(begin, at) - at;
      const last = Math.min(end, at + bytes.length) - at;
      if (first < last) bytes.fill(0, first, last);
    }
  }
}

const add = (map, key, value) => map.set(key, [...(map.get(key) ?? []), value]);

function within(ranges, at) {
  return ranges.find(({ begin, end }) => begin <= at && at < end);
}

function readSymbols(reader) {
  reader.number(); // version
  while (!reader.done) {
    const kind = reader.byte();
    const part = new Reader(reader.take(reader.number()));
    if (kind === SYMBOLS) return Array.from({ length: part.number() }, () => readSymbol(part));
  }
  throw new Error('the linked module has no symbols');
}

function readSymbol(part) {
  const kind = part.byte();
  const flags = part.number();
  if (kind === SYMBOL.section) return void part.number();
  if (kind === SYMBOL.data) {
    part.text();
    if (flags & UNDEFINED) return { kind };
    return { kind, segment: part.number(), offset: part.number(), size: part.number() };
  }
  const index = part.number();
  if (!(flags & UNDEFINED) || flags & NAMED) part.text();
  return { kind, index };
}

/** References to functions and data, with their places in the section they stand in. */
function readRelocations(reader, symbols) {
  const found = [];
  reader.number(); // the section
  for (let left = reader.number(); left > 0; left--) {
    const type = reader.byte();
    const at = reader.number();
    const index = reader.number();
    if (WITH_ADDEND.has(type)) reader.number();
    if (TO_FUNCTION.has(type) || TO_DATA.has(type)) found.push({ at, symbol: symbols[index] });
  }
  return found;
}

/** The function that the constant at this place is handed to, where nothing but more constants stands between the two. */
function calledWith(code, at) {
  const reader = new Reader(code, at);
  do reader.number();
  while (reader.byte() === I32_CONST);
  return code[reader.at - 1] === CALL ? reader.number() : undefined;
}

/** The module's own functions, with the places in the code section that each takes. */
function functionRanges(parts) {
  const reader = new Reader(parts.find(({ id }) => id === CODE).body);
  const first = importedFunctions(parts);
  return Array.from({ length: reader.number() }, (_, index) => {
    const length = reader.number();
    const begin = reader.at;
    reader.take(length);
    return { index: index + first, begin, end: reader.at };
  });
}

/** Data segments: where each lies in memory, where in its section, and its bytes. */
function readSegments(parts) {
  const reader = new Reader(parts.find(({ id }) => id === DATA).body);
  return Array.from({ length: reader.number() }, () => {
    const flags = reader.number();
    // i32.const address, end
    const opcode = flags === 0 ? reader.byte() : undefined;
    if (opcode !== I32_CONST) throw new Error('a data segment is not where it was expected');
    const at = reader.number();
    reader.byte();
    const length = reader.number();
    const start = reader.at;
    return { at, start, bytes: reader.take(length) };
  });
}

function exportedFunctions(parts) {
  const reader = new Reader(parts.find(({ id }) => id === EXPORTS).body);
  const found = [];
  for (let left = reader.number(); left > 0; left--) {
    reader.text();
    const kind = reader.byte();
    const index = reader.number();
    if (kind === 0) found.push(index);
  }
  return found;
}
