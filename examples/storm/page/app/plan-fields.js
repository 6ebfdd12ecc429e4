/** What a plan is made of, as both texts of a draft are shown. @type {Array<[name: string, label: string]>} */
export const FIELDS = [
  ['title', 'Title'],
  ['guests', 'Guests a day'],
  ['diet', 'Diet'],
  ['text', 'What is cooked'],
];

export const EMPTY = { title: '', guests: '', diet: 'Everything', text: '', password: '' };

/** Both long texts, one after the other; of the short fields mine, where there is something in it. */
export function merge(mine, theirs) {
  const filled = Object.fromEntries(Object.entries(mine).filter(([, value]) => value !== ''));
  return { ...theirs, ...filled, text: join(theirs.text, mine.text) };
}

/** @param {string} theirs @param {string} mine */
function join(theirs, mine) {
  if (theirs.includes(mine)) return theirs;
  if (mine.includes(theirs)) return mine;
  return `${theirs}\n${mine}`;
}
