import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { dice } from './dice.mjs';
import { KEY, openDrafts, pass, row, SAVE, saves } from './drafts.mjs';

/** @typedef {import('./drafts.mjs').DraftTab} DraftTab */

const STEPS = 45;

/** What a server may do to a save. @type {Array<import('../server/types.mjs').StepLike>} */
const FAULTS = [
  'cut',
  500,
  { pass: true, cut: 'beforeHeaders' },
  { pass: true, delayMs: 150 },
  { pass: true, cutAfterBytes: 3 },
  { status: 503, retryAfter: { form: 'ms', value: 200 } },
  { pass: true, status: 502, body: 'no gateway' },
  401,
];

for (const seed of [1, 2, 3]) {
  test(`whatever happens on the way, the last word arrives, and saved is never said too early (${seed})`, async (t) => {
    const random = dice(seed);
    const { server, context, tab } = await openDrafts(t, {
      drafts: { debounceMs: 40, maxWaitMs: 150 },
      config: { api: { timeoutMs: 1_000 } },
    });
    const fault = server.on(SAVE, () => FAULTS[Math.floor(random() * FAULTS.length)], { chance: 0.5 });
    /** @type {Array<{ at: number, text: string }>} */
    const claims = [];
    await tab.page.exposeFunction('claim', (/** @type {any} */ claim) => void claims.push(claim));
    let text = '';
    /** Begins a page where the one before it ended. @param {boolean} isFirst */
    const begin = async (isFirst) => {
      if (!isFirst) assert.equal((await tab.restore())?.data.text, text || undefined);
      await run(tab.page, watch, { key: KEY, text });
    };
    await begin(true);
    for (let step = 1; step <= STEPS; step++) {
      const roll = random();
      if (roll < 0.55) {
        text = `${seed}: word ${step}`;
        await tab.type({ text });
      } else if (roll < 0.62) await tab.flush();
      else if (roll < 0.7) await hide(tab.page).then(() => show(tab.page));
      else if (roll < 0.78) await context.setOffline(random() < 0.5);
      else if (roll < 0.86) {
        await tab.dispose();
        await begin(false);
      } else if (roll < 0.94) {
        await context.setOffline(false);
        await tab.reload();
        await begin(false);
      } else await pass(400);
      await pass(random() * 120);
    }
    fault.off();
    await context.setOffline(false);
    await until(() => row(server)?.data.text === text, 30_000);
    await tab.is('saved', 'server');
    assert.equal(tab.said.filter((kind) => kind === 'draftConflict').length, 0);
    assert.equal(saves(server).filter(({ status }) => status === 428).length, 0);
    assert.ok(claims.length > 0);
    for (const { at, text } of claims) {
      const arrived = saves(server).some((save) => save.at <= at && save.json().data.text === text);
      assert.ok(arrived, `'${text}' was said to be saved`);
    }
  });
}

/* Runs in the page. Tells of each text that is said to be at the server. */
/** @param {{ key: string, text: string }} from */
function watch({ key, text }) {
  const draft = window.draft(key);
  const { update } = draft;
  draft.update = (/** @type {any} */ data) => {
    text = data.text;
    update.call(draft, data);
  };
  draft.subscribe(() => {
    const { status, savedTo } = draft.getSnapshot();
    if (status === 'saved' && savedTo === 'server') window.claim({ at: Date.now(), text });
  });
}
