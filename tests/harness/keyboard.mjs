/**
 * What an input method does in the field that has the focus: a text that is still being composed, and is underlined until it is settled.
 * @typedef {import('playwright-core').Page} Page
 */

/**
 * Composes one text after another, as somebody does who looks for a word: `compose(page, 'に', 'にほ', 'にほん')`.
 * The page sees `compositionstart`, and with each text `compositionupdate` and `input` with `isComposing`.
 * @param {Page} page
 * @param {...string} texts
 * @returns {Promise<{ commit(text: string): Promise<void>, cancel(): Promise<void> }>} `commit` settles it with a text and fires `compositionend`;
 *   `cancel` takes it away
 */
export async function compose(page, ...texts) {
  const devtools = await page.context().newCDPSession(page);
  const set = (/** @type {string} */ text) =>
    devtools.send('Input.imeSetComposition', {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    });
  for (const text of texts) await set(text);
  return {
    async commit(text) {
      await devtools.send('Input.insertText', { text });
      await devtools.detach();
    },
    async cancel() {
      await set('');
      await devtools.detach();
    },
  };
}
