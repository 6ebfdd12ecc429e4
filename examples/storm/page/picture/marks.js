import { numberOf } from '../settings.js';

const ENDED = { expired: 'session expired', signOut: 'signed out', otherTab: 'signed out elsewhere' };
const BLOCKED = {
  drafts: 'waits: drafts',
  requests: 'waits: requests',
  hold: 'waits: hold',
  loopGuard: 'not again',
  storage: 'no storage',
};
const DRAFTS = {
  offline: 'on this device',
  error: 'not saved',
  conflict: 'two texts',
  frozen: 'waits for you',
};

/**
 * What happens to session, version and draft, for the time line.
 *
 * @param {import('./calls.js').Calls} calls @param {() => string} nameOf whoever is signed in
 * @returns {(event: any) => void} what `client.on` tells
 */
export function createMarks(calls, nameOf) {
  let session = 'loading';
  let person = '';
  let version = '';
  let isTroubled = false;

  return (event) => {
    const { type, status } = event;
    if (type === 'session' && status !== session) {
      if (status === 'unknown') calls.mark('session not known', 'bad');
      if (status === 'authenticated') {
        if (session === 'unknown') calls.mark('session lives', 'good');
        else if (nameOf() === person) calls.mark(`${person} signed in`, 'good'); // another one is told below
        person = nameOf();
      }
      session = status;
    }
    if (type === 'signedOut') calls.mark(ENDED[event.reason], event.reason === 'expired' ? 'bad' : 'plain');
    if (type === 'accountChanged') calls.mark(`now ${(person = nameOf())}`, 'bad');
    if (type === 'version') {
      const there = status === 'updateAvailable' ? `version ${numberOf(event.latest ?? '?')} is there` : '';
      const words = status === 'blocked' ? BLOCKED[event.blockedBy] : there;
      if (words && words !== version) calls.mark(words, status === 'blocked' ? 'bad' : 'plain');
      version = words;
    }
    if (type === 'draft') {
      if (DRAFTS[status]) calls.mark(`draft: ${DRAFTS[status]}`, 'bad');
      if (status === 'saved' && isTroubled) calls.mark('draft: saved', 'good');
      if (status === 'saved' || DRAFTS[status]) isTroubled = status !== 'saved';
    }
  };
}
