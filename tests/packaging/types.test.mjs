import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
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

for (const [resolution, project] of [
  ['bundler', 'tsconfig.json'],
  ['nodenext', 'tsconfig.nodenext.json'],
]) {
  test(`its types hold in a strict app, the package's own declarations checked, resolved as by ${resolution}`, async () => {
    const tsc = join(app, 'node_modules', '.bin', 'tsc');
    const { said } = await run(tsc, ['-p', project, '--pretty', 'false'], { cwd: app }).then(
      () => ({ said: '' }),
      (error) => ({ said: error.stdout || String(error) }),
    );
    assert.equal(said, '');
  });
}
