import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run, until } from '../harness/browser.mjs';
import { GENERATIONS, openReact } from './pages.mjs';

/** @param {import('playwright-core').Page} page */
const shown = (page) => page.locator('#shown').textContent();

for (const react of GENERATIONS) {
  const it = `React ${react}`;

  test(`${it}: an app is shown, with other props, and taken away`, async (t) => {
    const { page, show, unmount } = await openReact(t, {
      react,
      app: 'plain',
      strict: true,
      props: (evenkeel) => ({
        name: evenkeel.formatError.name ? 'Ada' : '',
        onMount: () => void (window.mounts = (window.mounts ?? 0) + 1),
      }),
    });
    assert.equal(await shown(page), `React ${react}, Ada, 0`);
    await until(() => run(page, () => window.mounts >= 2));
    assert.equal(await run(page, () => window.mounts), 2, 'StrictMode of a development build');
    await page.getByRole('button').click();
    await show({ name: 'Ben' });
    await until(async () => (await shown(page)) === `React ${react}, Ben, 1`);
    await unmount();
    assert.equal(await page.locator('#root').innerHTML(), '');
  });

  test(`${it}: a server renders with a request's own props, and the page hydrates`, async (t) => {
    const { page, url } = await openReact(t, {
      react,
      app: 'plain',
      ssr: (request) => ({ name: request.queryValue('name') ?? '<Ada>' }),
    });
    const first = async (/** @type {string} */ query) => (await fetch(url + query)).text();
    assert.match(await first(''), /<output id="shown">React \d+, &lt;Ada&gt;, 0/);
    assert.match(await first('?name=Ben'), /Ben, 0/);
    await page.getByRole('button').click();
    await until(async () => (await shown(page)) === `React ${react}, <Ada>, 1`);
  });

  test(`${it}: what does not hydrate, or throws, is a problem of the page`, async (t) => {
    for (const how of [{ component: 'Differs', ssr: true }, { component: 'Broken' }]) {
      const { page } = await openReact(t, { react, app: 'plain', ...how });
      await until(() => page.problems.length > 0);
      await page.close(); // which says nothing more
      page.problems.length = 0;
    }
  });
}
