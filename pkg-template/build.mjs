// Makes the publishable folder pkg/ from js/, this folder and what wasm-pack and wasm-opt left in target/stage/.
// `make package` is what calls it.
//
//   node pkg-template/build.mjs types    writes target/glue.d.ts, which tsc needs
//   node pkg-template/build.mjs package  writes pkg/
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { minify } from 'terser';
import { glueFactory, glueTypes } from './glue.mjs';
import { shortenNames } from './imports.mjs';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const stage = join(root, 'target/stage');
const pkg = join(root, 'pkg');

const WASM_FILE = 'evenkeel_bg.wasm';
/** What bundlers look for, in the form that it has after minifying. */
const WASM_URL = `new URL("${WASM_FILE}",import.meta.url)`;
const BASE64_INPUT = 'evenkeel:#wasm-base64';

/** The module as it ships, and the names of what it imports and exports. */
const shipped = () => shortenNames(readFileSync(join(stage, WASM_FILE)));

/** Resolves the two modules that exist only once the wasm was built. */
export const virtualModules = {
  name: 'evenkeel',
  setup(build) {
    build.onResolve({ filter: /^#(glue|wasm-base64)$/ }, ({ path }) => ({ path, namespace: 'evenkeel' }));
    build.onLoad({ filter: /^#glue$/, namespace: 'evenkeel' }, () => ({
      contents: glueFactory(readFileSync(join(stage, 'wasm/evenkeel.js'), 'utf8'), shipped().names),
      resolveDir: join(stage, 'wasm'),
    }));
    build.onLoad({ filter: /^#wasm-base64$/, namespace: 'evenkeel' }, () => ({
      contents: `export default '${shipped().wasm.toString('base64')}'`,
    }));
  },
};

const CONSTANT = /^(export )?const ([A-Z][A-Z_]+) = (-?[\d_]+|'\w+');$/gm;

/** esbuild writes a constant in its place where it comes from a file that imports nothing. So the constants of each file get one of their own. */
const constantsInPlace = {
  name: 'constants',
  setup(build) {
    build.onLoad({ filter: /\bjs\/[\w-]+\.tsx?$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const found = [...text.matchAll(CONSTANT)];
      if (!found.length) return; // as it is: a directive has to come first
      const names = found.map(([, , name]) => name);
      const exported = found.flatMap(([, isExported, name]) => (isExported ? name : []));
      const head = `import { ${names} } from '${path}#constants'; export { ${exported} };`;
      return { contents: head + text.replace(CONSTANT, ''), loader: path.endsWith('x') ? 'tsx' : 'ts' };
    });
    build.onResolve({ filter: /#constants$/ }, ({ path }) => ({ path, namespace: 'constants' }));
    build.onLoad({ filter: /./, namespace: 'constants' }, ({ path }) => {
      const found = readFileSync(path.replace('#constants', ''), 'utf8').matchAll(CONSTANT);
      const lines = Array.from(found, ([, , name, value]) => `export const ${name} = ${value};`);
      return { contents: lines.join('\n') };
    });
  },
};

/** './react' makes clients as '.' does: it imports that file as it lies beside it, where bundlers find the .wasm. */
const neighbour = {
  name: 'neighbour',
  setup(build) {
    build.onResolve({ filter: /^\.\/index\.js$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** The package's entries that are there: `index` must be, the others as soon as js/ has them. */
function entries() {
  return ['index', 'inline', 'react'].flatMap((name) => {
    const source = [`js/${name}.ts`, `js/${name}.tsx`].find((path) => existsSync(join(root, path)));
    if (!source && name === 'index') throw new Error('js/index.ts is missing');
    return source ? [{ name, source }] : [];
  });
}

/** Bundles js/ as it ships, without writing it. Entries share chunks, so that two of them in one page are one library. */
export async function bundle() {
  const built = await esbuild.build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(entries().map(({ name, source }) => [name, source])),
    outdir: 'pkg',
    bundle: true,
    splitting: true,
    chunkNames: 'shared-[hash]',
    format: 'esm',
    target: 'es2022',
    minify: true,
    // Left for the app's bundler: in its development builds the library says more.
    define: { 'process.env.NODE_ENV': 'process.env.NODE_ENV' },
    legalComments: 'none',
    external: ['react', 'react/jsx-runtime'],
    jsx: 'automatic',
    plugins: [virtualModules, neighbour, constantsInPlace],
    metafile: true,
    write: false,
    logLevel: 'warning',
  });
  // Names that are short within each function, as terser gives them, compress better than esbuild's by a twentieth.
  for (const file of built.outputFiles) {
    const { code } = await minify(file.text, {
      module: true,
      compress: { passes: 2, ecma: 2020, directives: false },
    });
    file.contents = Buffer.from(code);
  }
  return built;
}

/** The output files that `path` loads at once, itself included. */
export function loads(metafile, path, seen = new Set()) {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const { path: next, kind, external } of metafile.outputs[path].imports) {
    if (kind === 'import-statement' && !external) loads(metafile, next, seen);
  }
  return seen;
}

function writeTypes() {
  const declarations = glueTypes(readFileSync(join(stage, 'wasm/evenkeel.d.ts'), 'utf8'));
  writeFileSync(join(root, 'target/glue.d.ts'), declarations);
}

async function writePackage() {
  const { outputFiles, metafile } = await bundle();
  checkBundle(
    metafile,
    new Map(outputFiles.map(({ path, contents }) => [relative(root, path), String(contents)])),
  );

  const { wasm } = shipped();
  if (!WebAssembly.validate(wasm)) throw new Error('wasm-opt wrote a module that does not validate');

  const files = new Map([[WASM_FILE, wasm]]);
  for (const { path, contents } of outputFiles) files.set(relative(pkg, path), contents);
  for (const [path, text] of declarationFiles()) files.set(path, text);
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) files.set(name, readFileSync(join(root, name)));
  // package.json last: make takes its time for the folder's.
  for (const name of ['README.md', 'package.json'])
    files.set(name, readFileSync(join(root, 'pkg-template', name)));
  checkManifest(JSON.parse(String(files.get('package.json'))), files);

  writeFolder(pkg, files);
  writeFileSync(join(stage, 'metafile.json'), JSON.stringify(metafile));
}

/** What makes bundlers ship the .wasm for '.', and nothing of the inline variant. */
function checkBundle(metafile, texts) {
  const holders = [...texts].filter(([, text]) => text.includes('import.meta.url')).map(([path]) => path);
  const uses = texts.get('pkg/index.js').split(WASM_URL).length - 1;
  if (uses !== 1 || holders.join() !== 'pkg/index.js') {
    throw new Error(
      `${WASM_URL} must stand exactly once, in index.js, and import.meta.url nowhere else: it stands there ${uses} times, import.meta.url in ${holders.join(', ') || 'none'}. Write it in js/index.ts, and let no other entry import that file.`,
    );
  }
  for (const [path, text] of texts) {
    const isClient = /^['"]use client['"];/.test(text);
    if (isClient !== (path === 'pkg/react.js'))
      throw new Error(`'use client' must stand at the head of react.js and nowhere else: ${path} is wrong`);
  }
  for (const { name } of entries()) {
    const inputs = [...loads(metafile, `pkg/${name}.js`)].flatMap((path) =>
      Object.keys(metafile.outputs[path].inputs),
    );
    if (inputs.includes(BASE64_INPUT) !== (name === 'inline')) {
      throw new Error(`#wasm-base64 belongs into inline.js and nowhere else; ${name}.js is wrong`);
    }
  }
}

/** One version everywhere, and nothing exported that is not there. */
function checkManifest(manifest, files) {
  for (const [path, pattern] of [
    ['Cargo.toml', /^version = "(.+)"$/m],
    ['js/stability.ts', /^const VERSION = '(.+)';$/m],
  ]) {
    const version = pattern.exec(readFileSync(join(root, path), 'utf8'))?.[1];
    if (version !== manifest.version) {
      throw new Error(`pkg-template/package.json says version ${manifest.version}, ${path} ${version}`);
    }
  }
  for (const [name, target] of Object.entries(manifest.exports)) {
    for (const path of typeof target === 'string' ? [target] : Object.values(target)) {
      if (!files.has(path.slice('./'.length)))
        throw new Error(`exports['${name}'] names ${path}, which was not built`);
    }
  }
}

/** The declarations that the entries reach, each as [path, text]; tsc writes more than that. */
function declarationFiles() {
  const out = join(stage, 'types');
  rmSync(out, { recursive: true, force: true });
  const tsc = join(root, 'node_modules/.bin/tsc');
  const { status, error } = spawnSync(tsc, ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error('tsc failed');

  const found = new Map();
  const queue = entries().map(({ name }) => `${name}.d.ts`);
  for (const path of queue) {
    if (found.has(path)) continue;
    // What is imported for the code alone declares nothing.
    const text = readFileSync(join(out, path), 'utf8').replace(/^import '[^']+';\n/gm, '');
    found.set(path, text);
    const code = text.replace(/\/\*[\s\S]*?\*\//g, ''); // examples import what is not ours
    for (const [, specifier] of code.matchAll(/\b(?:from|import)\b\s*\(?\s*['"]([^'"]+)['"]/g)) {
      if (specifier.startsWith('#'))
        throw new Error(
          `${path} would publish a type of ${specifier}: hide it (#private, @internal) or name the type`,
        );
      if (specifier.startsWith('.')) queue.push(join(dirname(path), specifier.replace(/\.js$/, '.d.ts')));
    }
  }
  return found;
}

/** Makes `folder` hold these files and no others. Each appears whole: somebody may be serving the folder. */
function writeFolder(folder, files) {
  mkdirSync(folder, { recursive: true });
  for (const path of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const name = relative(folder, join(path.parentPath, path.name));
    if (path.isFile() && !files.has(name)) rmSync(join(folder, name));
  }
  for (const [name, contents] of files) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, contents);
    renameSync(`${path}.new`, path);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const commands = { types: writeTypes, package: writePackage };
  await commands[process.argv[2]]();
}
