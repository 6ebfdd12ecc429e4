import { useStability } from 'evenkeel/react';

const BLOCKED = {
  drafts: 'for what is not saved yet.',
  requests: 'for what is still being sent.',
  hold: 'as long as you are in the middle of something.',
  loopGuard: 'for you: this tab was reloaded for it once, and it did not stay.',
  storage: 'for you: this browser keeps nothing for a tab, so that a loop of reloads could not be noticed.',
};

/** What a new version waits for. */
export function useWaits() {
  const { version, runtime } = useStability();
  const { status, blockedBy } = version;
  if (status === 'current') return 'Nothing newer is known.';
  if (runtime === 'failed') return 'Without WebAssembly nothing is reloaded by itself.';
  if (status === 'blocked') return `It waits ${BLOCKED[blockedBy]}`;
  return status === 'reloading' ? 'It comes now.' : 'It comes when you pause.';
}
