import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installApp } from './install.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const EXITED_WITHIN_MS = 20_000;

/** @type {string} */
let app;
/** @type {string} */
let installed;
before(async () => {
  app = await installApp({ after }, 'node');
  installed = join(app, 'node_modules', 'evenkeel');
});

test('on a server it starts nothing, touches no global, and the process ends by itself', async () => {
  const { stdout, stderr } = await run(process.execPath, ['server.js'], {
    cwd: app,
    timeout: EXITED_WITHIN_MS,
  });
  assert.equal(stderr, '');
  const { refused, ...rest } = JSON.parse(stdout);
  assert.deepEqual(rest, {
    started: [],
    globals: [],
    statuses: ['starting', 'starting', 'starting', 'starting'],
    names: ['function', 'function'],
  });
  assert.match(refused, /retries.*-1/, 'a configuration error names option and value');
});

test('everything that it exports can be resolved, and nothing else', () => {
  const require = createRequire(join(app, 'server.js'));
  const { resolve } = require;
  const manifest = require('evenkeel/package.json');
  assert.equal(manifest.name, 'evenkeel');
  for (const name of ['.', './inline', './react', './evenkeel_bg.wasm', './package.json'])
    assert.ok(name in manifest.exports, name);
  for (const name of Object.keys(manifest.exports))
    assert.ok(existsSync(resolve(join('evenkeel', name))), name);
  assert.throws(() => resolve('evenkeel/index.js'), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' });
});

test('types stand first in each export, since the first that matches is taken', async () => {
  const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  for (const [name, target] of Object.entries(exports)) {
    if (typeof target === 'object') assert.equal(Object.keys(target)[0], 'types', name);
  }
});

test('the .wasm is a module that compiles', async () => {
  const module = await WebAssembly.compile(await readFile(join(installed, 'evenkeel_bg.wasm')));
  assert.ok(WebAssembly.Module.exports(module).length > 0);
});

test('scripts import only each other, and React in the entry for it', async () => {
  for (const path of await files('.js')) {
    const text = await readFile(path, 'utf8');
    for (const [, name] of text.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
      const where = relative(installed, path);
      if (name.startsWith('.')) assert.ok(existsSync(join(dirname(path), name)), `${where} imports ${name}`);
      else
        assert.ok(
          ['react', 'react/jsx-runtime'].includes(name) && where === 'react.js',
          `${where} imports ${name}`,
        );
    }
  }
});

test("the entry for React is a client module, and no other script is, so that a server's code can import them", async () => {
  const scripts = await files('.js');
  const clients = [];
  for (const path of scripts) {
    if (/["']use client["']/.test(await readFile(path, 'utf8'))) clients.push(relative(installed, path));
  }
  assert.deepEqual(clients, ['react.js']);
  assert.match(await readFile(join(installed, 'react.js'), 'utf8'), /^["']use client["'];/);
});

test('who uses no React gets none, and who does brings theirs, of version 18 at least', async () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
    await readFile(join(installed, 'package.json'), 'utf8'),
  );
  assert.equal(dependencies, undefined);
  assert.deepEqual(peerDependencies, { react: '>=18' });
  assert.deepEqual(peerDependenciesMeta, { react: { optional: true } });
  assert.ok(!existsSync(join(app, 'node_modules', 'react')));
});

test('it comes with its licences and a description, and no sources', async () => {
  const names = (await files('')).map((path) => relative(installed, path));
  for (const name of ['README.md', 'LICENSE-MIT', 'LICENSE-APACHE']) assert.ok(names.includes(name), name);
  assert.deepEqual(
    names.filter((name) => /\.(ts|tsx|rs|map|tgz)$/.test(name) && !name.endsWith('.d.ts')),
    [],
  );
});

test('it tells nothing of the machine that made it', async () => {
  for (const path of await files('')) {
    const text = await readFile(path, 'latin1');
    for (const trace of [`${homedir()}/`, root, '.cargo/registry', 'sourceMappingURL']) {
      assert.ok(!text.includes(trace), `${relative(installed, path)} holds ${trace}`);
    }
  }
});

/** @param {string} ending */
async function files(ending) {
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name));
}
