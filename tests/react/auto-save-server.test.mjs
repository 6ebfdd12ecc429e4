import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pass, READ, row, saves } from '../e2e/drafts.mjs';
import { until } from '../harness/browser.mjs';
import { openLetter } from './letters.mjs';
import { GENERATIONS } from './pages.mjs';

for (const react of GENERATIONS) {
  test(`React ${react}: a server renders an idle form and asks nobody`, async (t) => {
    const { server, page, url } = await openLetter(t, { react, ssr: true });
    const read = await server.waitFor(READ);
    await until(() => read.endedAt);
    await page.goto('about:blank');
    server.clear();
    const html = await (await fetch(url)).text();
    assert.match(html, /<textarea aria-label="text"><\/textarea>/);
    assert.match(html, /<output>idle nowhere false null null null<\/output>/);
    await pass(300);
    assert.equal(server.requests.length, 1);
  });

  for (const strict of [false, true]) {
    test(`React ${react}${strict ? ', StrictMode' : ''}: a page hydrates without a warning, and restores then`, async (t) => {
      const { server, page, letter } = await openLetter(t, {
        react,
        strict,
        ssr: true,
        ready: (server) =>
          void server.drafts.put('ada', 'letter', { data: { to: 'Ben', text: 'from there' } }),
      });
      await letter.shows('text', 'from there');
      assert.equal(server.requestsTo(READ).length, 1);
      await letter.write('text', '!');
      await letter.is('saved', 'server');
      assert.equal(row(server).data.text, 'from there!');
      assert.ok(saves(server).length >= 1);
      assert.deepEqual(page.problems, []);
    });
  }
}
