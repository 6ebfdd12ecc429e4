// Turns the module that wasm-bindgen writes into a factory.
//
// wasm-bindgen's `web` target keeps one instance in module-level variables, for good. evenkeel replaces an instance
// that trapped by a fresh one, so each call of `createGlue(module, guard)` must have its own state. The text is cut at
// exact anchors; a wasm-bindgen that writes anything else fails the build here instead of a page later.

import { MODULE } from './imports.mjs';

/**
 * The source of an ES module that exports `createGlue(module, guard)`, which starts an instance; `guard` is given its exports and what it
 * returns is used in their place. `imports` and `exports` are those of the module, by the names that they bear in `glue`, with those that they
 * bear in the module.
 */
export function glueFactory(glue, { imports, exports }) {
  const text = new Cutter(glue);
  const names = [];

  const specifiers = text.take(/^import .*;\n/gm);
  text.replaceAll(/^export (class|function|const) (\w+)/gm, (_, kind, name) => {
    names.push(name);
    return `${kind} ${name}`;
  });

  // Only the start is kept: where the module comes from, and what to do when it does not come, is decided in js/. What
  // is dropped holds a second `new URL(…, import.meta.url)`, which bundlers would follow.
  text.cut('async function __wbg_load(', 'function initSync(');
  text.cut('function initSync(', 'let __wbg_init_promise;');
  text.cut('let __wbg_init_promise;', 'export { initSync, __wbg_init as default };');
  text.replace('export { initSync, __wbg_init as default };', '');

  // Every use of an export goes through `wasm`, so this one assignment puts all of them behind the guard.
  text.replace('wasm = instance.exports;', 'wasm = guard(instance.exports);');
  text.replace('let wasmModule, wasmInstance, wasm;', 'let wasm;');
  text.replace('    wasmInstance = instance;\n', '');
  text.replace('    wasmModule = module;\n', '');
  text.replace('function __wbg_finalize_init(instance, module)', 'function __wbg_finalize_init(instance)');

  // Everything has an owner that frees it, and a finalizer of an instance that is gone would call into a corpse.
  const registries = text.take(
    /^const \w+ = \(typeof FinalizationRegistry === 'undefined'\)\n.*\n *: new FinalizationRegistry\(.*\);\n/gm,
  );
  for (const [, registry] of registries.matchAll(/^const (\w+) =/gm)) {
    text.replaceAll(new RegExp(`^ *${registry}\\.(un)?register\\(.*\\);\\n`, 'gm'), () => '');
    text.refuse(registry);
  }

  simplifyTexts(text);
  simplifyFunctions(text);
  shortenExports(text, exports);
  const wrapped = names.filter((name) => !text.drop(forwarding(name)));
  keepImports(text, imports, ['__wbg_get_imports', '__wbg_finalize_init', ...wrapped]);
  for (const leftover of LEFTOVERS) text.refuse(leftover);
  return `${specifiers}export function createGlue(module, guard) {
${text}
const instance = new WebAssembly.Instance(module, __wbg_get_imports());
return { ...__wbg_finalize_init(instance), ${wrapped.join(', ')} };
}
`;
}

/** Leaves the imports that the module needs, under their short names, and the functions that somebody calls. */
function keepImports(text, imports, exported) {
  const left = new Set(imports.keys());
  text.replaceAll(/^ {8}(__w\w+): \([\s\S]*?^ {8}\}(?:, args\))?,\n/gm, (entry, name) => {
    if (!left.delete(name)) return '';
    return entry.replace(name, `'${imports.get(name)}'`);
  });
  if (left.size) throw new Error(`the glue has no ${[...left].join(', ')}`);
  text.refuse(/\b__wbg_\w+_[0-9a-f]{16}\b/);
  text.replace('"./evenkeel_bg.js": import0', `${MODULE}: import0`);
  for (let before = ''; before !== String(text); ) {
    before = String(text);
    text.replaceAll(/^function (\w+)\([\s\S]*?^\}\n/gm, (whole, name) => {
      const called = exported.includes(name) || before.replace(whole, '').includes(name);
      return called ? whole : '';
    });
  }
}

/** What only browsers need that have no reference types, and cannot run the module, or that decode gigabytes by the glue. */
function simplifyTexts(text) {
  text.cut("if (!('encodeInto' in cachedTextEncoder)) {", 'let WASM_VECTOR_LEN = 0;');
  text.cut('    if (realloc === undefined) {', '    let len = arg.length;\n    let ptr = malloc(len, 1)');
  text.cut('const MAX_SAFARI_DECODE_BYTES', 'function decodeText(bytes) {');
  text.cut('    numBytesDecoded += bytes.length;', '    return cachedTextDecoder.decode(bytes);');
  // Where copying a text into the module throws, the module is out of memory, and over.
  text.replaceAll(TRIED, (_, indent, tried) => tried.replace(new RegExp(`^${indent}`, 'gm'), ''));
}

/** Says the same with less; what is an object's own, or a number by its type, is nobody's to change. */
function simplifyFunctions(text) {
  text.replaceAll(/^ +__proto__: null,\n/gm, () => '');
  text.replaceAll(/^( {8}__w\w+: )function(\([\w, ]*\)) \{$/gm, (_, name, args) => `${name}${args} => {`);
  text.replaceAll(
    /^( {8}__w\w+: )function\(\) \{ return handleError\(function (\([\w, ]*\)) \{$/gm,
    (_, name, args) => `${name}(...args) => handleError(${args} => {`,
  );
  text.replaceAll(/^ {8}\}, arguments\); \},$/gm, () => '        }, args),');
  text.replace('f.apply(this, args)', 'f(...args)');
  text.refuse(/\barguments\b(?!:)/);
  // Made anew when it is needed, which is seldom.
  text.cut('    if (cachedDataViewMemory0 === null ||', '    return cachedDataViewMemory0;');
  text.replace('    return cachedDataViewMemory0;', '    return new DataView(wasm.memory.buffer);');
  text.cut('    if (cachedFloat64ArrayMemory0 === null ||', '    return cachedFloat64ArrayMemory0;');
  text.replace('    return cachedFloat64ArrayMemory0;', '    return new Float64Array(wasm.memory.buffer);');
  // Ids, codes and counts: none is so large that it would be taken for a negative one.
  text.replaceAll(/^ +arg0\.\w+\(.*\);\n/gm, (line) => line.replace(/(arg\d+) >>> 0/g, '$1'));
  // A call into the module makes numbers of its arguments by itself.
  text.replaceAll(/^function \w+\([\s\S]*?^\}\n/gm, (whole) => {
    for (const [line, value, name] of whole.matchAll(/^ +const (val\d+) = \+(\w+);\n/gm))
      whole = whole.replace(line, '').replace(new RegExp(`\\b${value}\\b`), name);
    return whole;
  });
}

/** Calls each export by its short name. */
function shortenExports(text, exports) {
  text.replaceAll(/\bwasm\.(\w+)/g, (_, name) => {
    if (!exports.has(name)) throw new Error(`the module exports no ${name}`);
    return `wasm.${exports.get(name)}`;
  });
}

/** The declarations that go with it, for tsc: classes and enums are importable as types only, values come from `createGlue`. */
export function glueTypes(declarations) {
  const text = new Cutter(declarations);
  const values = [];
  const types = ['InitOutput'];
  text.cut('export type InitInput =', 'export interface InitOutput');
  text.cutToEnd('export type SyncInitInput =');
  text.replaceAll(/^export (class|enum|function|const) (\w+)/gm, (_, kind, name) => {
    values.push(name);
    if (kind === 'class' || kind === 'enum') types.push(name);
    return `declare ${kind} ${name}`;
  });
  text.replaceAll(/^export interface InitOutput/gm, () => 'interface InitOutput');
  return `${text}
export type { ${types.join(', ')} };

/** What one instance of the module offers. */
export interface Glue {
  readonly memory: WebAssembly.Memory;
${values.map((name) => `  ${name}: typeof ${name};`).join('\n')}
}

/** Starts an instance. \`guard\` is given its exports; what it returns is used in their place by everything. */
export function createGlue(module: WebAssembly.Module, guard: (exports: InitOutput) => InitOutput): Glue;
`;
}

/** A function that only calls the export of its name, which then needs no function. */
const forwarding = (name) =>
  new RegExp(`^function ${name}\\(([\\w, ]*)\\) \\{\\n {4}wasm\\.${name}\\(\\1\\);\\n\\}\\n`, 'm');

/** The copying of several arguments into the module's memory, with what gives the memory back when that throws. */
const TRIED =
  /^( +)try \{\n((?:\1 {4}.*\n)+)\1\} catch \(e\) \{\n(?:\1 {4}.*\n)+\1\}\n(?=\1(?:const ret = )?wasm\.)/gm;

// What must not be left: other ways to the instance, the functions of its table among them, and what cannot stand in a function.
const LEFTOVERS = [
  'instance.exports.',
  'wasmInstance',
  'wasmModule',
  'import.meta',
  '__wbg_init',
  'FinalizationRegistry',
  '__indirect_function_table',
  '__wbindgen_table',
  '__wbindgen_export',
  /^(export|import)\b/m,
];

class Cutter {
  #text;

  constructor(text) {
    this.#text = text;
  }

  toString() {
    return this.#text;
  }

  /** Removes from the first anchor up to, and not including, the second. */
  cut(from, to) {
    const start = this.#only(from);
    const end = this.#only(to);
    if (end < start) throw new Error(`wasm-bindgen's glue has ${quote(to)} before ${quote(from)}`);
    this.#text = this.#text.slice(0, start) + this.#text.slice(end);
  }

  cutToEnd(from) {
    this.#text = this.#text.slice(0, this.#only(from));
  }

  replace(anchor, by) {
    const start = this.#only(anchor);
    this.#text = this.#text.slice(0, start) + by + this.#text.slice(start + anchor.length);
  }

  replaceAll(pattern, by) {
    this.#text = this.#text.replace(pattern, by);
  }

  /** Removes the match; whether there was one. */
  drop(pattern) {
    const before = this.#text;
    this.#text = before.replace(pattern, '');
    return this.#text !== before;
  }

  /** Removes every match and returns them joined. */
  take(pattern) {
    const taken = this.#text.match(pattern)?.join('') ?? '';
    this.#text = this.#text.replace(pattern, '');
    return taken;
  }

  refuse(leftover) {
    const found = typeof leftover === 'string' ? this.#text.includes(leftover) : leftover.test(this.#text);
    if (found) throw new Error(`wasm-bindgen's glue still holds ${quote(leftover)} where it should not`);
  }

  #only(anchor) {
    const start = this.#text.indexOf(anchor);
    if (start < 0) throw new Error(`wasm-bindgen's glue lacks ${quote(anchor)}`);
    if (this.#text.indexOf(anchor, start + 1) >= 0) {
      throw new Error(`wasm-bindgen's glue has ${quote(anchor)} more than once`);
    }
    return start;
  }
}

const quote = (anchor) => `\`${String(anchor).trim()}\``;
