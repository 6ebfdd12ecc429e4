import assert from 'node:assert/strict';
import { hide, until } from '../harness/browser.mjs';
import { openDrafts } from '../server/drafts.mjs';
import { askAgain } from './readme-page.mjs';

const ADA = { user: { id: 'ada', name: 'Ada' } };
const TYPE = { 'Content-Type': 'text/event-stream' };

/** What the examples without React do. @type {Record<string, import('./readme-page.mjs').Expectation>} */
export const expected = {
  'Without React': {
    serve: (server) => void server.on('/api/meals', { body: [{ name: 'Soup' }, { name: 'Salad' }] }),
    check: ({ said }) => until(() => said().includes('2 meals')),
  },

  'The API client': {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        // biome-ignore lint/suspicious/noDocumentCookie: as a server sets it
        document.cookie = 'csrf-token=c-1';
      }),
    serve(server) {
      const orders = Array.from({ length: 51 }, (_, id) => ({ id }));
      server.on('POST /api/v1/orders', [503, { body: { id: 'o-1' } }]);
      server.on('/api/v1/search', { body: ['soup'] });
      server.on('/api/v1/names', { body: ['Ada'] });
      server.on('/api/v1/meals', { body: [] });
      server.on('GET /api/v1/orders', [
        { headers: { Link: '</api/v1/orders?from=50>; rel="next"' }, body: orders.slice(0, 50) },
        { body: orders.slice(50) },
      ]);
    },
    async check({ server, said }) {
      await until(() => said().includes('true 1 [Ada] 200'));
      assert.deepEqual(
        said().filter((text) => /^\d+$/.test(text)),
        ['50', '1'],
      );
      const [first, second] = server.requestsTo('POST /api/v1/orders');
      assert.ok(first.headers['idempotency-key']);
      assert.equal(second.headers['idempotency-key'], first.headers['idempotency-key']);
      assert.equal(first.headers['x-csrf-token'], 'c-1');
      const [search] = server.requestsTo('/api/v1/search');
      assert.equal(search.headers['accept-language'], 'en');
      assert.match(search.url, /\?q=soup&tag=vegan&tag=quick$/);
      assert.equal(server.requestsTo('/api/v1/meals')[0].headers.accept, 'application/json');
    },
  },

  'Event streams': {
    serve(server) {
      const orders = server.feed('/api/orders/events');
      const send = setInterval(() => {
        if (!orders.connections) return;
        clearInterval(send);
        orders.send('{"meal":"Soup"}');
        orders.send({ event: 'cancelled', data: 'o-1' });
      }, 20);
      const words = ['Soup', '[DONE]', 'never read'].map((data) => `data: ${data}\n\n`).join('');
      server.on('POST /api/chat', { headers: TYPE, pieces: [{ data: words }], stallAfterBytes: Infinity });
    },
    async check({ page, server, said }) {
      await until(() => said().includes('Soup') && said().includes('cancelled o-1'));
      assert.ok(said().includes('1 {meal: Soup}'));
      assert.ok(said().includes('open'));
      assert.ok(!said().includes('never read'));
      const [asked] = server.requestsTo('/api/chat');
      assert.deepEqual(asked.json(), { question: 'What is for dinner?' });
      await until(() => asked.closedEarlyAt !== null);
      assert.ok(await page.evaluate(`'state' in EventSource.prototype`), 'the global one is ours');
    },
  },

  'The session': {
    serve: (server) => void (server.session = ADA),
    async check({ said }) {
      await until(() => said().includes('signed out: signOut'));
      assert.ok(said().includes('authenticated Ada'));
      await until(() => said().includes('signedOut undefined'));
    },
  },

  'New versions': {
    beforeLoad: (page) =>
      page.addInitScript(() => {
        if (!sessionStorage.getItem('visits')) sessionStorage.setItem('cache', 'old');
        sessionStorage.setItem('visits', `${sessionStorage.getItem('visits') ?? ''}I`);
        Object.assign(window, { loadReports: async () => ({ default: () => console.log('reports') }) });
      }),
    serve: (server) => void (server.version = '2026.11.22'),
    async check({ page, server, said }) {
      const stored = (/** @type {string} */ name) => page.evaluate(`sessionStorage.getItem('${name}')`);
      /** @type {string[]} */
      const asked = [];
      page.on('dialog', (dialog) => {
        asked.push(dialog.message());
        server.version = '2026.11.21';
        dialog.accept();
      });
      await until(() => said().includes('reports'));
      await askAgain(page, () => server.requestsTo('/api/version').length > 0);
      await Promise.all([page.waitForEvent('load', { timeout: 20_000 }), hide(page)]);
      assert.equal(await stored('cache'), null, 'it reloads by itself, and tidies up first');
      assert.deepEqual(asked, []);
      await askAgain(page, () => asked.length > 0);
      assert.match(asked[0], /A new version is available/, 'it came back old');
      await until(async () => (await stored('visits').catch(() => '')) === 'III');
    },
  },

  Drafts: {
    serve(server) {
      server.session = ADA;
      server.drafts = openDrafts();
      server.drafts.put('ada', 'meal-plan', { data: { title: 'Stew', notes: 'For two' } });
    },
    async check({ server, said }) {
      await until(() => said().some((text) => /^saved at \d/.test(text)));
      const [save] = server.requestsTo('POST /api/drafts');
      assert.deepEqual(
        save.json().data,
        { title: 'Soup', notes: 'For two' },
        'what was there before, changed',
      );
      await until(() => server.drafts?.rows()[0].data === null);
    },
  },

  'Connection and diagnostics': {
    serve: (server) => void server.on('/api/meals', ['cut', 'cut', { body: [] }]),
    async check({ page, said }) {
      await until(() => said().some((text) => /^\d+ events \{/.test(text)));
      for (const type of ['request', 'retry', 'connection', 'call'])
        assert.ok(
          said().some((text) => text.startsWith(`${type} {`)),
          type,
        );
      assert.equal(await page.evaluate('document.body.dataset.connection'), 'online');
    },
  },
};
