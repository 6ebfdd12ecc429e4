/**
 * An answer that waits on the server until the test lets it go, and how many of its requests were there at a time.
 * @param {import('../server/types.mjs').StepLike} [answer]
 */
export function held(answer = {}) {
  /** @type {Array<() => void>} */
  const waiting = [];
  let isOpen = false;
  const here = {
    now: 0,
    most: 0,
    async step() {
      here.most = Math.max(here.most, ++here.now);
      if (!isOpen) await new Promise((resolve) => waiting.push(() => resolve(undefined)));
      here.now--;
      return answer;
    },
    /** Those that wait, and all that come. */
    release() {
      isOpen = true;
      for (const go of waiting.splice(0)) go();
    },
    /** The one that came first. */
    releaseOne() {
      waiting.shift()?.();
    },
  };
  return here;
}
