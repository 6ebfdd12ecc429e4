import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { installApp } from './install.mjs';

const run = promisify(execFile);

/** @type {string} */
let app;
before(async () => {
  app = await installApp({ after }, 'types');
});

for (const [how, project] of [
  ['resolved as by bundler', 'tsconfig.json'],
  ['resolved as by nodenext', 'tsconfig.nodenext.json'],
  ['with the types of React 18', 'tsconfig.react-18.json'],
]) {
  test(`its types hold in a strict app, the package's own declarations checked, ${how}`, async () => {
    const tsc = join(app, 'node_modules', '.bin', 'tsc');
    const { said } = await run(tsc, ['-p', project, '--pretty', 'false'], { cwd: app }).then(
      () => ({ said: '' }),
      (error) => ({ said: error.stdout || String(error) }),
    );
    assert.equal(said, '');
  });
}

test('its hooks say of everything what it is, but of a message that nobody typed', async () => {
  const installed = join(app, 'node_modules', 'evenkeel');
  const names = (await readdir(installed)).filter((name) => /react.*\.d\.ts$/.test(name));
  assert.ok(names.includes('react.d.ts'));
  for (const name of names) {
    const text = (await readFile(join(installed, name), 'utf8')).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    const vague = text.match(/.{0,10}\bany\b/g) ?? [];
    assert.deepEqual(
      vague.filter((where) => !where.endsWith('M = any')),
      [],
      name,
    );
  }
});
