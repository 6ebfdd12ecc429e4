import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

for (const path of ['README.md', 'pkg-template/README.md']) {
  test(`every example in ${path} compiles against the package, strictly`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'evenkeel-readme-'));
    t.after(() => rm(folder, { recursive: true }));
    const text = await readFile(join(root, path), 'utf8');
    const examples = [...text.matchAll(/^```tsx?\n([\s\S]*?)^```$/gm)].map(([, example]) => example);
    assert.ok(examples.length > 0, 'it has examples');
    for (const [nth, example] of examples.entries())
      await writeFile(join(folder, `example-${nth}.ts`), example);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      types: [],
      paths: { evenkeel: [join(root, 'pkg/index.d.ts')] },
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const { status, stdout } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], {
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout);
  });
}
