/**
 * The examples of a README, as the files that somebody would paste them into.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
/** What is typed into a terminal, and what is drawn. */
const NO_EXAMPLES = ['sh', ''];

/**
 * @typedef {{ name: string, files: Record<string, string> }} Example `name` is the heading that it stands under; `files` have the names that
 *   their first lines give, or else `example.ts` or `example.tsx`
 */

/** @param {string} path @returns {Promise<Example[]>} */
export async function readExamples(path) {
  const text = await readFile(fileURLToPath(new URL(path, root)), 'utf8');
  /** @type {Map<string, Record<string, string>>} */
  const examples = new Map();
  let heading = '';
  for (const [, title, kind, code] of text.matchAll(/^#+ (.*)$|^```(.*)\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    if (title !== undefined || NO_EXAMPLES.includes(kind)) continue;
    if (!/^tsx?$/.test(kind))
      throw new Error(`${path}: under '${heading}' stands an example in ${kind}, which nobody runs`);
    const file = /^\/\/ ([\w/]+\.tsx?)\n/.exec(code)?.[1] ?? `example.${kind}`;
    const files = examples.get(heading) ?? {};
    if (file in files) throw new Error(`${path}: under '${heading}' stand two examples of one name, ${file}`);
    examples.set(heading, { ...files, [file]: code });
  }
  return Array.from(examples, ([name, files]) => ({ name, files }));
}
