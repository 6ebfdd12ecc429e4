import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hide, run, show, until } from '../harness/browser.mjs';
import { dice } from './dice.mjs';
import { KEY, openDrafts, pass, row, SAVE, saves } from './drafts.mjs';

const STEPS = 50;
const FAULTS = ['cut', 500, { pass: true, cut: 'beforeHeaders' }, { pass: true, delayMs: 200 }, 401];

for (const seed of [1, 2, 3]) {
  test(`two tabs that write the same draft overwrite nothing that was not seen (${seed})`, async (t) => {
    const random = dice(seed);
    const { server, tabs } = await openDrafts(t, { count: 2, drafts: { debounceMs: 40, maxWaitMs: 150 } });
    const fault = server.on(SAVE, () => FAULTS[Math.floor(random() * FAULTS.length)], { chance: 0.3 });
    /** What each tab's person has had before them. */
    const seen = tabs.map(() => new Set());
    const paths = tabs.map(({ page }) => page.url());
    /** @param {number} i */
    const begin = async (i) => {
      const restored = await tabs[i].restore();
      if (restored) seen[i].add(restored.data.text);
      await run(tabs[i].page, watch, KEY);
    };
    for (const [i, { page }] of tabs.entries()) {
      await page.exposeFunction('see', (/** @type {string} */ text) => void seen[i].add(text));
      await begin(i);
    }
    for (let step = 1; step <= STEPS; step++) {
      const i = Math.floor(random() * 2);
      const tab = tabs[i];
      const roll = random();
      if (roll < 0.6) {
        const text = `${'ab'[i]} ${step}`;
        seen[i].add(text);
        await tab.type({ text });
      } else if (roll < 0.68) await tab.flush();
      else if (roll < 0.74) await hide(tab.page).then(() => show(tab.page));
      else if (roll < 0.84) await tab.resolve(random() < 0.5 ? 'mine' : 'theirs');
      else if (roll < 0.92) {
        await tab.reload();
        await begin(i);
      } else await pass(300);
      await pass(random() * 120);
    }
    fault.off();
    for (const [i, tab] of tabs.entries()) {
      await until(async () => {
        const { status } = await tab.flush();
        if (status === 'conflict') await tab.resolve(i ? 'theirs' : 'mine');
        return /^(saved|idle)$/.test(status);
      }, 20_000);
    }
    let last = null;
    for (const save of saves(server)) {
      const { data, saveId } = save.json();
      const isWritten = save.step?.body?.rev && save.step.status !== 412; // whether or not its answer arrived
      if (!isWritten || (last && last.saveId === saveId)) continue;
      // Whoever sends it may have found it on the device: what its author had seen counts, too, and their own words.
      const [sender, author] = [paths.indexOf(save.headers.referer), 'ab'.indexOf(data.text[0])];
      const known =
        !last || last.text[0] === data.text[0] || [sender, author].some((i) => seen[i].has(last.text));
      assert.ok(known, `'${last?.text}' was overwritten with '${data.text}' unseen`);
      last = { text: data.text, saveId };
    }
    assert.equal(row(server)?.data.text, last?.text);
  });
}

/* Runs in the page. Tells of each text of theirs that is shown. */
/** @param {string} key */
function watch(key) {
  const draft = window.draft(key);
  draft.subscribe(() => {
    const { conflict } = draft.getSnapshot();
    if (conflict?.theirs) window.see(conflict.theirs.text);
  });
  const { conflict } = draft.getSnapshot();
  if (conflict?.theirs) window.see(conflict.theirs.text);
}
