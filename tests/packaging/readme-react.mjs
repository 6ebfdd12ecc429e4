import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { until } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';
import { askAgain, bundle } from './readme-page.mjs';

const ADA = { user: { id: 'ada', name: 'Ada' } };
const MEALS = [{ name: 'Soup' }, { name: 'Salad' }];
/** Quick for a test; everything else as by default. */
const QUICK = '{ session: {}, api: { backoff: { baseMs: 20 } }, drafts: { debounceMs: 50 } }';

/** The script of an app that shows what the example exports. @param {string} shown JSX @param {string} [config] @param {string} [mode] */
const main = (shown, config = QUICK, mode = 'StrictMode') => `
import { StabilityProvider } from 'evenkeel/react';
import { Fragment, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import * as example from './example';

createRoot(document.querySelector('#root')).render(
  <${mode}>
    <StabilityProvider config={${config}}>${shown}</StabilityProvider>
  </${mode}>,
);`;

/** @param {import('../server/fault-server.mjs').FaultServer} server */
function serveDrafts(server) {
  server.session = ADA;
  server.drafts = openDrafts();
}

/** Meals, once the server has been unavailable once. @param {import('../server/fault-server.mjs').FaultServer} server */
function serveMeals(server) {
  server.on('/api/meals', [503, { body: MEALS }]);
}

/** @param {import('./readme-page.mjs').Shown} shown */
async function showsMeals({ page, server }) {
  await page.getByText('Soup, Salad').waitFor();
  assert.equal(server.requestsTo('/api/meals').length, 2, 'one library retries');
}

/** What the examples of the hooks do, and of the libraries beside them. @type {Record<string, import('./readme-page.mjs').Expectation>} */
export const expected = {
  Start: {
    serve: (server) => void (server.session = ADA),
    check: ({ page }) => page.getByText('authenticated, online, 0 on their way').waitFor(),
  },

  'Who is signed in': {
    main: main('<example.Members><p>For members</p></example.Members>'),
    serve(server) {
      server.session = ADA;
      server.on('/api/auth/session', [{ pass: true, delayMs: 300 }, 'pass']);
    },
    async check({ page, server }) {
      await page.getByText('One moment…').waitFor();
      await page.getByText('Hello Ada').waitFor();
      await page.getByText('For members').waitFor();

      const refuses = server.on('/api/auth/csrf', 403);
      const asked = page.waitForEvent('dialog');
      page.once('dialog', (dialog) => dialog.accept());
      const out = page.getByRole('button', { name: 'Sign out' });
      await out.click();
      assert.match((await asked).message(), /You do not have access to this/);
      refuses.off();
      await out.click();
      await page.getByRole('link', { name: 'Sign in' }).waitFor();
      assert.equal(await page.getByText('For members').count(), 0);
    },
  },

  Calls: {
    main: main('<example.OrderButton meal={7} />'),
    serve: (server) => void server.on('POST /api/orders', [503, { body: { id: 'o-1' } }, 422]),
    async check({ page, server }) {
      const order = page.getByRole('button', { name: 'Order' });
      await order.click();
      await page.getByText('Ordered: o-1').waitFor();
      const [first, second] = server.requestsTo('/api/orders');
      assert.deepEqual(second.json(), { meal: 7 });
      assert.ok(first.headers['idempotency-key']);
      assert.equal(first.headers['idempotency-key'], second.headers['idempotency-key']);
      await order.click();
      await page.getByText('This could not be accepted. Please check what you entered').waitFor();
    },
  },

  'Forms that are kept': {
    main: main('<example.PlanForm />'),
    serve(server) {
      serveDrafts(server);
      server.on('POST /api/plans', [422, {}]);
    },
    async check({ page, server }) {
      const [title, notes] = [page.getByLabel('Title'), page.getByLabel('Notes')];
      const holds = (/** @type {string} */ text) => until(async () => (await title.inputValue()) === text);
      await title.fill('Soup');
      await page.getByText(/^Saved at \d/).waitFor();
      await page.reload();
      await holds('Soup');

      server.drafts?.put('ada', 'meal-plan', { data: { title: 'Salad', notes: '' } });
      await notes.fill('With bread');
      await page.getByText('This was changed elsewhere.').waitFor();
      await page.getByRole('button', { name: 'Take theirs' }).click();
      await holds('Salad');
      server.drafts?.put('ada', 'meal-plan', { data: { title: 'Stew', notes: '' } });
      await notes.fill('With rice');
      await page.getByRole('button', { name: 'Keep mine' }).click();
      await page.getByText(/^Saved at \d/).waitFor();
      assert.deepEqual(server.drafts?.rows()[0].data, {
        title: 'Salad',
        notes: 'With rice',
      });

      const send = page.getByRole('button', { name: 'Send' });
      await send.click();
      await server.waitFor('POST /api/plans');
      await holds('Salad');
      await send.click();
      await holds('');
      await page.reload();
      await until(() => server.requestsTo('GET /api/drafts').length >= 3);
      assert.equal(server.drafts?.rows()[0].data, null);
      await holds('');
    },
  },

  'Plain forms': {
    main: main('<example.Feedback />'),
    serve: serveDrafts,
    async check({ page }) {
      const [text, answer] = [page.getByLabel('What is on your mind?'), page.getByLabel('Please answer')];
      await text.fill('Soup');
      await answer.check();
      await page.getByText('saved').waitFor();
      await page.reload();
      await until(async () => (await text.inputValue()) === 'Soup');
      assert.equal(await answer.isChecked(), true);
      await page.getByRole('button', { name: 'Discard' }).click();
      await page.getByText('idle').waitFor();
      await page.reload();
      await page.getByText('idle').waitFor();
      assert.equal(await text.inputValue(), '');
    },
  },

  'Live data': {
    main: main('<example.LiveOrders />'),
    serve: (server) => void Object.assign(server, { orders: server.feed('/api/orders/events') }),
    async check({ page, server }) {
      const { orders } = /** @type {{ orders: import('../server/fault-server.mjs').EventFeed }} */ (
        /** @type {unknown} */ (server)
      );
      const other = await page.context().newPage();
      await other.goto(server.origin);
      for (const tab of [page, other])
        await tab.locator('section[data-status=open]').waitFor({ state: 'attached' });
      for (const [i, { name }] of MEALS.entries()) orders.send(JSON.stringify({ id: i, meal: name }));
      for (const tab of [page, other])
        await until(async () => (await tab.locator('section p').allTextContents()).join() === 'Salad,Soup');
      assert.equal(orders.connections, 1, 'one connection for all tabs');
    },
  },

  'A new version': {
    main: main('<example.UpdateBanner />', `{ version: { current: 'v1', onMismatch: 'prompt' } }`),
    serve: (server) => void (server.version = 'v2'),
    async check({ page }) {
      const banner = page.getByText('There is a new version.');
      await askAgain(page, () => banner.isVisible());
      const loaded = page.waitForEvent('load');
      await page.getByRole('button', { name: 'Reload' }).click();
      await loaded;
      await askAgain(page, () => banner.isVisible());
      await page.getByRole('button', { name: 'Later' }).click();
      await banner.waitFor({ state: 'detached' });
    },
  },

  Toasts: {
    main: `
import { useApi } from 'evenkeel/react';
import { createRoot } from 'react-dom/client';
import { Providers } from './example';

function Fails() {
  const api = useApi();
  return <button onClick={() => api.get('/api/nothing')}>Ask</button>;
}

createRoot(document.querySelector('#root')).render(<Providers><Fails /></Providers>);`,
    async check({ page, server }) {
      const ask = page.getByRole('button', { name: 'Ask' });
      const toasts = page.locator('[data-sonner-toast]');
      await ask.click();
      await page.getByText('This could not be found. Please check whether it still exists').waitFor();
      await toasts.hover(); // it stays for as long
      await wait(5_100);
      await ask.dispatchEvent('click');
      await server.waitFor('/api/nothing', { count: 2 });
      await wait(300);
      assert.equal(await toasts.count(), 1, 'the second one takes the place of the first');
    },
  },

  'Next and NextAuth': {
    files: {
      'auth.ts': `export const auth = async () => ({ user: { name: 'Ada' }, expires: '2100-01-01T00:00:00.000Z' });`,
      'page.jsx': `
import { useSession } from 'evenkeel/react';
import Layout from './app/layout';

function Greeting() {
  const { status, user } = useSession();
  return <p>{user ? \`Hello \${user.name}\` : status}</p>;
}

export const page = () => Layout({ children: <Greeting /> });`,
      'server.jsx': `
import { renderToReadableStream } from 'react-dom/server.edge';
import { page } from './page';

export const html = async () =>
  new Response(await renderToReadableStream(await page(), { bootstrapModules: ['/pkg/app.js'] })).text();`,
    },
    main: `
import { hydrateRoot } from 'react-dom/client';
import { page } from './page';

hydrateRoot(document, await page());
window.hydrated = true;`,
    async html(folder) {
      const file = join(folder, 'server.mjs');
      await writeFile(file, await bundle(join(folder, 'server.jsx'), 'node'));
      return (await import(pathToFileURL(file).href)).html();
    },
    async check({ page, server }) {
      const first = await (await fetch(server.origin)).text();
      assert.match(first, /<p>Hello Ada<\/p>/, 'the first paint has the user');
      await page.waitForFunction('window.hydrated');
      await page.waitForLoadState('networkidle');
      await page.getByText('Hello Ada').waitFor();
      assert.equal(server.requestsTo('/api/auth/session').length, 0, 'nothing is asked for first');
    },
  },

  // It cancels what it asked, and asks again, where StrictMode mounts twice.
  'TanStack Query': {
    main: main('<example.App />', QUICK, 'Fragment'),
    serve: serveMeals,
    check: showsMeals,
  },
  SWR: { main: main('<example.Meals />'), serve: serveMeals, check: showsMeals },

  'openapi-fetch': {
    serve: (server) => void server.on('/api/meals/7', { body: { name: 'Soup' } }),
    check: ({ said }) => until(() => said().includes('Soup')),
  },

  'react-hook-form': {
    main: main('<example.PlanForm />'),
    serve(server) {
      serveDrafts(server);
      server.on('POST /api/plans', {});
    },
    async check({ page, server }) {
      const title = page.getByLabel('Title');
      await title.fill('Soup');
      await page.getByText('saved').waitFor();
      await page.reload();
      await until(async () => (await title.inputValue()) === 'Soup');
      await page.getByRole('button', { name: 'Send' }).click();
      await until(async () => (await title.inputValue()) === '');
      assert.equal(server.requestsTo('/api/plans')[0].json().title, 'Soup');
      await until(() => server.drafts?.rows()[0].data === null);
    },
  },
};
