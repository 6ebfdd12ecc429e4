import { until } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';

const ADA = { user: { id: 'ada', name: 'Ada' } };

/** What the examples in the package's own README do. @type {Record<string, import('./readme-page.mjs').Expectation>} */
export const expected = {
  'With React': {
    serve(server) {
      server.session = ADA;
      server.drafts = openDrafts();
    },
    async check({ page }) {
      await page.getByLabel('Note').fill('Soup');
      await page.getByText('ada: saved').waitFor();
      await page.reload();
      await page.getByText('Soup').waitFor();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByText('Please sign in').waitFor();
    },
  },

  'Without React': {
    serve: (server) => void server.on('/api/users/1', { body: { name: 'Ada' } }),
    check: ({ said }) => until(() => said().includes('Ada')),
  },
};
