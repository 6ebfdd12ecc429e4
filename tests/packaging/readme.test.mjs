import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launchBrowser } from '../harness/browser.mjs';
import { readExamples } from './readme-files.mjs';
import { compile, open, writeFiles } from './readme-page.mjs';
import { expected as plain } from './readme-plain.mjs';
import { expected as react } from './readme-react.mjs';
import { expected as shipped } from './readme-shipped.mjs';

const browser = await launchBrowser({ after });

const readmes = await Promise.all([
  read('README.md', { ...react, ...plain }),
  read('pkg-template/README.md', shipped),
]);

for (const { path, expectations, examples } of readmes) {
  test(`of each example in ${path} somebody says what it does`, () => {
    assert.deepEqual(examples.map(({ name }) => name).sort(), Object.keys(expectations).sort());
  });

  test(`every example in ${path} compiles as it stands, strictly`, async (t) => {
    for (const together of apart(examples)) {
      const files = together.flatMap(({ name, files }) =>
        Object.entries(files).map(([file, text]) => [`${name}/${file}`, text]),
      );
      assert.equal(await compile(await writeFiles(t, Object.fromEntries(files))), '');
    }
  });

  for (const { name, entry, files } of examples) {
    test(`${path}, ${name}: it does what it says`, async (t) => {
      const folder = await writeFiles(t, files);
      const shown = await open(t, browser, folder, entry, expectations[name]);
      await expectations[name].check(shown);
      assert.deepEqual(shown.page.problems, []);
    });
  }
}

/** Its examples as files, with what an app has around them. @param {string} path @param {Record<string, import('./readme-page.mjs').Expectation>} expectations */
async function read(path, expectations) {
  const examples = (await readExamples(path)).map(({ name, files }) => {
    const { files: around, main } = expectations[name] ?? {};
    return {
      name,
      entry: main ? 'main.jsx' : Object.keys(files)[0],
      files: { ...around, ...files, ...(main && { 'main.jsx': main }) },
    };
  });
  return { path, expectations, examples };
}

/** What adds to the package's types does so for all that is compiled with it. @template {{ files: Record<string, string> }} E @param {E[]} examples */
function apart(examples) {
  const adds = (/** @type {E} */ { files }) =>
    Object.values(files).some((text) => text.includes('declare module'));
  return [examples.filter((example) => !adds(example)), ...examples.filter(adds).map((example) => [example])];
}
