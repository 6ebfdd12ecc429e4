import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['README.md', ...(await readdir(join(root, 'docs'))).map((name) => `docs/${name}`)];

for (const page of pages) {
  test(`every link in ${page} leads to a file, and to a heading of it`, async () => {
    const text = (await proseOf(join(root, page))).replace(/`[^`\n]*`/g, '');
    const links = Array.from(text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g));
    assert.ok(links.length > 0, 'it has links');
    for (const [link, path, anchor] of links) {
      const file = path === '' ? join(root, page) : join(root, dirname(page), path);
      assert.ok(existsSync(file), link);
      if (anchor) assert.ok((await anchorsOf(file)).includes(anchor), link);
    }
  });
}

/** What its headings can be linked to as. @param {string} file */
async function anchorsOf(file) {
  return Array.from((await proseOf(file)).matchAll(/^#+ (.*)$/gm), ([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** A page without its examples. @param {string} file */
const proseOf = async (file) => (await readFile(file, 'utf8')).replace(/^```[\s\S]*?^```$/gm, '');
