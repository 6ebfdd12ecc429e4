/** The dice of a storm: the same numbers below 1 for the same seed. @param {number} seed */
export function dice(seed) {
  return () => {
    seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
}
