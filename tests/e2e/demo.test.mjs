import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launchBrowser, until, watch } from '../harness/browser.mjs';

const script = fileURLToPath(new URL('../../examples/storm/server.mjs', import.meta.url));

const browser = await launchBrowser({ after });
const demo = await startDemo();
after(() => demo.stop());

/** @param {number} [port] where it looks for a free one */
async function startDemo(port = 4600) {
  const child = spawn(process.execPath, [script, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  const [, url = ''] = /^storm: (http:\/\/127\.0\.0\.1:\d+\/)$/.exec(line) ?? [];
  assert.ok(url, line);
  return {
    url,
    /** As Ctrl-C does. */
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      child.kill('SIGINT');
      return (await once(child, 'exit'))[0];
    },
  };
}

/** The page, loaded, without background requests. @param {import('node:test').TestContext} t @param {object} [options] @param {{ url: string }} [from] */
async function open(t, options, from = demo) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  t.after(() => context.close());
  return openTab(context, from);
}

/** The page in one more tab. @param {import('playwright-core').BrowserContext} context @param {{ url: string }} from */
async function openTab(context, from) {
  const page = watch(await context.newPage());
  await page.goto(from.url);
  await page.getByText('Lentil soup').first().waitFor();
  await page.getByRole('checkbox', { name: 'Background' }).uncheck();
  return Object.assign(page, {
    load: () => page.getByRole('button', { name: 'Load again' }).click(),
    breakIt: (/** @type {string} */ name) => page.getByRole('checkbox', { name, exact: true }).check(),
    allWell: () => page.getByRole('button', { name: 'All well' }).click(),
    meals: () => page.locator('#meals li').count(),
    toasts: () => page.locator('.toast').allTextContents(),
    /** Every call's row in the time line: its words, in the order in which they stand. */
    rows: () =>
      page
        .locator('#timeline [data-call]')
        .evaluateAll((rows) =>
          rows.map((row) => [...row.querySelectorAll('text')].map((t) => t.textContent).join(' | ')),
        ),
    /** What is said of the calls to people who do not see them. */
    said: (/** @type {RegExp} */ words) =>
      page.locator('#calls li', { hasText: words }).waitFor({ state: 'attached', timeout: 2_000 }),
    /** A number beside the live list. */
    figure: (/** @type {string} */ name) => page.locator(`.figure[data-name=${name}] dd`).textContent(),
    status: () => page.locator('#orders-status').textContent(),
    /** The ids of the orders in the list, the newest first. */
    tickets: () =>
      page
        .locator('#tickets li')
        .evaluateAll((tickets) => tickets.map((/** @type {any} */ ticket) => Number(ticket.dataset.id))),
    counter: async (/** @type {string} */ name) =>
      Number(
        (
          await page.locator('.counter', { has: page.getByText(name, { exact: true }) }).textContent()
        )?.replace(/\D/g, ''),
      ),
  });
}

test('it takes the next free port, and ends on Ctrl-C', async () => {
  const other = await startDemo();
  assert.notEqual(other.url, demo.url);
  assert.equal(await other.stop(), 0);
});

for (const [width, colorScheme] of /** @type {const} */ ([
  [390, 'light'],
  [1280, 'dark'],
])) {
  test(`at ${width} pixels nothing overflows, and every control has a name`, async (t) => {
    const page = await open(t, { viewport: { width, height: 844 }, colorScheme });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width);
    const nameless = await page.locator('button, input, select').evaluateAll((controls) =>
      controls
        .filter((/** @type {any} */ control) => {
          const by = document.getElementById(control.getAttribute('aria-labelledby') ?? '');
          const named = [by ?? control, ...(control.labels ?? [])].map((node) => node.textContent).join('');
          return !(control.getAttribute('aria-label') ?? named).trim();
        })
        .map((control) => control.outerHTML),
    );
    assert.deepEqual(nameless, []);
    const ids = await page.locator('[id]').evaluateAll((nodes) => nodes.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);

    await page.getByRole('checkbox', { name: 'Server down' }).focus();
    await page.keyboard.press('Space');
    await page.locator('.fault.on', { hasText: 'Server down' }).waitFor();
    await page.allWell();
    assert.equal(await page.locator('.fault.on').count(), 0);
    assert.deepEqual(page.problems, []);
  });
}

/** As `open`, with a server of its own, for what runs beside others. @param {import('node:test').TestContext} t @param {object} [options] */
async function openOwn(t, options) {
  const own = await startDemo(4700 + 20 * ++owns);
  t.after(() => own.stop());
  return Object.assign(await open(t, options, own), { own });
}
let owns = 0;

describe('what takes its time', { concurrency: true }, () => {
  test('a restart is waited out as the server asked, and the meals stay', async (t) => {
    const page = await openOwn(t);
    await page.breakIt('Restart: 503');
    await page.load();
    await until(async () => (await page.rows()).some((row) => /5 s \+ /.test(row)));
    assert.equal(await page.meals(), 4);
    await until(async () => (await page.rows()).some((row) => /5 s \+ .* \| ok after 2$/.test(row)));
    await page.said(/GET \/api\/meals: 503, waits [\d.]+ s \(Retry-After: 5 s\), 200, ok/);
    assert.equal(await page.counter('retries'), 1);
    assert.equal(await page.locator('.fault.on').count(), 0, 'the restart is over');
    assert.deepEqual(page.problems, []);
  });

  test('a dead server opens the breaker, is told once, and comes back', async (t) => {
    const page = await openOwn(t);
    await page.breakIt('Server down');
    const origin = page.locator('#breakers li').first();
    await until(async () => {
      if ((await page.locator('#freshness').textContent()) !== 'Loading…') await page.load();
      return /open/.test((await origin.textContent()) ?? '') && (await page.toasts()).length > 0;
    });
    await page.load();
    await until(async () => (await page.rows()).some((row) => /circuitOpen/.test(row)));
    await until(async () => /^127\.0\.0\.1:\d+open\d+ s left$/.test((await origin.textContent()) ?? ''));
    const told = await page.toasts();
    assert.equal(new Set(told).size, told.length, 'nothing is said twice');
    assert.equal(told.filter((text) => /cannot be reached/.test(text)).length, 1);
    assert.equal(await page.meals(), 4);
    assert.match((await page.locator('#connection').textContent()) ?? '', /^Degraded since/);

    await page.allWell();
    await page.getByText('You are back online').first().waitFor();
    assert.match((await page.locator('#connection').textContent()) ?? '', /^Online since/);
    await until(async () => {
      await page.load();
      await page.waitForTimeout(300);
      return /closed/.test((await origin.textContent()) ?? '');
    });
    assert.deepEqual(page.problems, []);
  });

  test('a burst shares, queues and comes through', async (t) => {
    const page = await openOwn(t);
    await page.getByRole('button', { name: 'Burst' }).click();
    await until(async () => Number(await page.locator('[data-name=queued] dd').textContent()) > 10);
    await until(async () => (await page.counter('ok')) >= 61);
    assert.ok((await page.counter('requests')) <= 33, 'thirty equal calls are one request');
    assert.equal(await page.locator('[data-name=pending] dd').textContent(), '0');
    assert.ok((await page.locator('#timeline .shared').count()) >= 20);
    assert.deepEqual(await page.toasts(), []);
  });
});

/** A stream that is open moves the time line all the time: many pages at once draw it less often. */
const CALM = { reducedMotion: 'reduce' };

/** @typedef {Awaited<ReturnType<typeof open>>} Demo */

/** So many more orders than now have come in, over a stream, and none was missed or came twice. @param {Demo} page @param {number} [more] */
async function goesOn(page, more = 2) {
  const before = Number(await page.figure('received'));
  await until(
    async () => (await page.status()) === 'Open' && Number(await page.figure('received')) >= before + more,
    20_000,
  );
  assert.equal(await page.figure('missed'), '0');
  assert.equal(await page.figure('repeated'), '0');
}

const late = (/** @type {Demo} */ page) =>
  page.locator('#tickets .late').first().waitFor({ timeout: 10_000 });
const streamSaid = (/** @type {Demo} */ page, /** @type {RegExp} */ words) =>
  page.locator('#calls li', { hasText: words }).waitFor({ state: 'attached', timeout: 15_000 });

describe('orders that come in live', { concurrency: 4 }, () => {
  test('they come by themselves, and what is ordered here comes too', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page, 3);
    await page.getByRole('button', { name: 'Order' }).click();
    await page.locator('#tickets .own', { hasText: '1 × Lentil soup' }).waitFor();
    const ids = await page.tickets();
    assert.deepEqual(
      ids,
      ids.map((_, i) => ids[0] - i),
    );
    assert.equal(await page.figure('last'), `#${ids[0]}`);
    assert.deepEqual(page.problems, []);
  });

  test('streams that are cut come back with what was ordered meanwhile', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page);
    await page.breakIt('Streams cut');
    await streamSaid(page, /open, network, waits/);
    await goesOn(page);
    assert.equal(await page.figure('reconnects'), '1');
    assert.deepEqual(page.problems, []);
  });

  test('streams that fall silent are noticed, and what was lost comes late', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page);
    await page.breakIt('Streams fall silent');
    await streamSaid(page, /open, silence, waits/);
    await late(page);
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });

  test('behind a proxy that buffers the server is polled, until a stream gets through', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page);
    await page.breakIt('A proxy buffers');
    await until(async () => (await page.status()) === 'Polling', 20_000);
    const before = Number(await page.figure('received'));
    await until(async () => Number(await page.figure('received')) > before + 2);
    assert.equal(await page.figure('missed'), '0');
    assert.equal(await page.figure('connections'), '0');
    await page.allWell();
    await goesOn(page);
    await streamSaid(page, /silence, .*polling, open/);
    assert.deepEqual(page.problems, []);
  });

  test('streams that are refused wait as they were asked', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page);
    await page.breakIt('Streams refused: 503');
    await streamSaid(page, /503, waits [\d.]+ s \(Retry-After: 2 s\)/);
    assert.match((await page.status()) ?? '', /^Next try in \d s$/);
    await late(page);
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });

  test('a server that restarts is waited for', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page);
    await page.breakIt('Server restarts');
    await until(async () => (await page.figure('connections')) === '0');
    await page.locator('#orders-why', { hasText: 'cannot be reached' }).waitFor();
    await goesOn(page);
    assert.equal(await page.locator('.fault.on').count(), 0, 'the restart is over');
    assert.deepEqual(page.problems, []);
  });

  test('three tabs have one connection and the same list, and go on when the one that holds it is closed', async (t) => {
    const first = await openOwn(t, CALM);
    const tabs = [
      first,
      await openTab(first.context(), first.own),
      await openTab(first.context(), first.own),
    ];
    const roles = () => Promise.all(tabs.map((tab) => tab.figure('role')));
    const stand = (/** @type {string} */ name, /** @type {string} */ value) =>
      until(async () => (await Promise.all(tabs.map((tab) => tab.figure(name)))).every((is) => is === value));
    /** All have what the last one had when it was asked. */
    async function areSame() {
      const [newest, oldest] = await tabs[tabs.length - 1].tickets().then((ids) => [ids[0], ids.at(-1) ?? 0]);
      const same = Array.from({ length: newest - oldest + 1 }, (_, i) => newest - i);
      for (const tab of tabs) {
        await until(async () => (await tab.tickets())[0] >= newest);
        const ids = await tab.tickets();
        assert.deepEqual(
          ids.filter((id) => id <= newest && id >= oldest),
          same.filter((id) => id >= (ids.at(-1) ?? 0)),
        );
      }
    }

    await Promise.all(tabs.map((tab) => goesOn(tab, 3)));
    await stand('tabs', '3');
    await stand('connections', '1');
    assert.deepEqual(await roles(), ['leader', 'follower', 'follower']);
    await areSame();

    await first.breakIt('Streams cut');
    await Promise.all(tabs.map((tab) => streamSaid(tab, /open, network, waits/)));
    await Promise.all(tabs.map((tab) => goesOn(tab)));
    await areSame();

    await tabs.shift()?.close();
    await Promise.all(tabs.map((tab) => goesOn(tab, 3)));
    await stand('tabs', '2');
    await stand('connections', '1');
    assert.deepEqual((await roles()).sort(), ['follower', 'leader']);
    await areSame();
    for (const tab of tabs) assert.deepEqual(tab.problems, []);
  });

  test('by keyboard it is closed, opened and connected anew', async (t) => {
    const page = await openOwn(t, CALM);
    await goesOn(page);
    await page.getByRole('button', { name: 'Reconnect' }).focus();
    await page.keyboard.press('Enter');
    await until(async () => (await page.figure('reconnects')) === '1');
    await goesOn(page);

    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await until(async () => (await page.status()) === 'Closed' && (await page.figure('connections')) === '0');
    const received = await page.figure('received');
    await page.waitForTimeout(1_500);
    assert.equal(await page.figure('received'), received);

    await page.keyboard.press('Enter');
    await goesOn(page);
    assert.deepEqual(page.problems, []);
  });

  test('the browser’s own stream is gone at the first 503', async (t) => {
    const page = await openOwn(t, CALM);
    await page.getByRole('checkbox', { name: 'Without evenkeel' }).check();
    await goesOn(page);
    await page.breakIt('Streams refused: 503');
    await until(async () => (await page.status()) === 'Closed', 15_000);
    assert.deepEqual(page.problems, []);
  });
});

test('an order whose answer was cut off is ordered once', async (t) => {
  const page = await open(t);
  const portions = async () => {
    await page.getByRole('button', { name: 'Order' }).click();
    return Number(/has (\d+) in all/.exec((await page.getByText(/has \d+ in all/).textContent()) ?? '')?.[1]);
  };
  const before = await portions();
  await page.breakIt('Answers cut off');
  await page.getByRole('button', { name: 'Order' }).click();
  await until(async () => (await page.rows()).some((row) => /ok after 2$/.test(row)));
  assert.match((await page.locator('#receipt').textContent()) ?? '', new RegExp(`has ${before + 1} in all`));
  await page.said(/POST \/api\/orders: broken off, waits [^,]+, 201, ok/);
});

test('a 401 signs nobody out while the session lives or cannot be asked', async (t) => {
  const page = await open(t);
  await page.breakIt('Token just expired');
  await page.load();
  await until(async () => (await page.rows()).some((row) => /ok after 2$/.test(row)));
  assert.deepEqual(await page.toasts(), []);

  await page.breakIt('Session endpoint down');
  await page.load();
  await page.locator('.toast', { hasText: 'Your sign-in could not be confirmed' }).waitFor();
  assert.equal(await page.meals(), 4);

  await page.breakIt('Signed out');
  assert.equal(await page.locator('.fault.on').count(), 1, 'one state of the session at a time');
  await page.load();
  await page.locator('.toast', { hasText: 'You are signed out' }).waitFor();
  assert.deepEqual(page.problems, []);
});

test('the same app on plain fetch shows what it is spared', async (t) => {
  const page = await open(t);
  await page.getByRole('checkbox', { name: 'Without evenkeel' }).check();
  await page.breakIt('Restart: 503');
  await page.load();
  await page.locator('#freshness', { hasText: 'Error 503' }).waitFor();
  assert.equal(await page.meals(), 0);
  assert.deepEqual(page.problems, []);
});
