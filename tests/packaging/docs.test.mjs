import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { API, SymbolFlags } from 'typescript/unstable/sync';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pkg = join(root, 'pkg');
const compilerOptions = {
  strict: true,
  noEmit: true,
  target: 'es2022',
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2022', 'dom', 'dom.iterable', 'esnext.disposable'],
  types: [],
  paths: { react: [join(root, 'node_modules/@types/react')] },
};

for (const entry of ['index', 'inline', 'react']) {
  const file = join(pkg, `${entry}.d.ts`);
  test(`every public name of ${entry}.d.ts says what it is, and so does each of its members`, async (t) => {
    assert.ok(existsSync(file), 'it was built');
    const { names, unsaid } = await read(t, file, pkg);
    assert.ok(names.length > 0, 'it exports something');
    assert.deepEqual(unsaid, []);
  });

  test(`every option of ${entry}.d.ts stands in docs/`, async (t) => {
    const folder = join(root, 'docs');
    const pages = (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8'));
    const text = (await Promise.all(pages)).join('');
    const { options } = await read(t, file, pkg);
    assert.ok(options.length > 0, 'it has options');
    assert.deepEqual(
      options.filter((option) => option !== 'children' && !text.includes(`\`${option}\``)),
      [],
    );
  });
}

test('a name that says nothing is found, wherever it stands', async (t) => {
  const folder = await temporary(t);
  const file = join(folder, 'index.d.ts');
  await writeFile(
    join(folder, 'base.d.ts'),
    `export declare class Base {
      #hidden;
      inherited: 1;
      /** It says. */
      told: 2;
    }`,
  );
  await writeFile(
    file,
    `import { Base } from './base.js';
    /** It says. */
    export interface Said {
      /** It says. */
      one: 1;
      two: 2;
      call(): void;
    }
    export declare class Unsaid extends Base {
      static readonly LIMIT: 3;
      constructor();
      get own(): 4;
    }
    /** It says. */
    export declare function said(): void;
    export { Base as Renamed } from './base.js';
    export type Alias = 1 | 2;`,
  );
  const { names, unsaid } = await read(t, file, folder);
  assert.deepEqual(names.sort(), ['Alias', 'Renamed', 'Said', 'Unsaid', 'said']);
  assert.deepEqual(unsaid.sort(), [
    'Alias',
    'Renamed',
    'Renamed.inherited',
    'Said.call',
    'Said.two',
    'Unsaid',
    'Unsaid.LIMIT',
    'Unsaid.inherited',
    'Unsaid.own',
  ]);
});

/**
 * What a file exports; which of these names, and of their members that are declared in the folder, have no comment that an editor would
 * show; and what the options among them are called.
 * @param {import('node:test').TestContext} t
 * @param {string} file
 * @param {string} folder
 */
async function read(t, file, folder) {
  const config = join(await temporary(t), 'tsconfig.json');
  await writeFile(config, JSON.stringify({ compilerOptions, files: [file] }));
  const api = new API({ cwd: root });
  t.after(() => api.close());
  const [{ program, checker }] = api.updateSnapshot({ openProject: config }).getProjects();
  const exported = checker
    .getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)))
    .map((name) => {
      const symbol = name.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name;
      const types = [checker.getDeclaredTypeOfSymbol(symbol), checker.getTypeOfSymbol(symbol)];
      const members = types
        .flatMap((type) => (type ? checker.getPropertiesOfType(type) : []))
        .filter(({ name }) => !name.includes('#'))
        .filter(({ declarations }) => declarations.some(({ path }) => path.startsWith(folder)));
      return { name: name.name, symbol, members };
    });
  return {
    names: exported.map(({ name }) => name),
    unsaid: exported.flatMap(({ name, symbol, members }) => [
      ...(says(checker, symbol) ? [] : [name]),
      ...members.filter((member) => !says(checker, member)).map((member) => `${name}.${member.name}`),
    ]),
    options: exported
      .filter(({ name }) => /(Config|Options|Props)$/.test(name))
      .flatMap(({ members }) => members.map(({ name }) => name)),
  };
}

/** @param {import('typescript/unstable/sync').Checker} checker @param {import('typescript/unstable/sync').Symbol} symbol */
const says = (checker, symbol) => symbol.getDocumentationComment(checker).trim() !== '';

/** @param {import('node:test').TestContext} t */
async function temporary(t) {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'evenkeel-docs-')));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
