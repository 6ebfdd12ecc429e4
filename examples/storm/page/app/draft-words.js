import { formatError } from 'evenkeel';

/** '14:03' */
export const time = (at) => at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

const WORDS = {
  idle: ['Nothing typed', 'quiet'],
  dirty: ['Not saved yet', 'wait'],
  saving: ['Saving…', 'quiet'],
  saved: ['Saved', 'good'],
  offline: ['On this device', 'wait'],
  error: ['Not saved', 'bad'],
  conflict: ['Two texts', 'bad'],
  frozen: ['Waits for you', 'wait'],
};
const WHY = {
  offline: 'Sent as soon as the server can be asked.',
  error: 'Go on: what you type is still here.',
  conflict: 'It was changed elsewhere too. Nothing is sent until you choose.',
  frozen: 'Kept on this device until you are signed in again.',
};

/**
 * How a draft stands, in words.
 *
 * @param {{ status: string, lastSaved: Date | null, savedTo: string, error: any }} draft
 * @param {boolean} isPlain whether the form is one without a draft
 * @param {string} note what else there is to say
 */
export function draftWords({ status, lastSaved, savedTo, error }, isPlain, note) {
  if (isPlain) return { words: 'Kept nowhere', why: 'A plain form: reload, and it is empty.', tone: 'bad' };
  const [word, tone] = WORDS[status];
  const words = status === 'saved' && lastSaved ? `Saved at ${time(lastSaved)}` : word;
  const why = [WHY[status], error && WHY[status] && formatError(error)].filter(Boolean).join(' ');
  const here = status === 'saved' && savedTo === 'device' ? 'This device has it, and nobody else.' : '';
  return { words, why: why || note || here, tone };
}
