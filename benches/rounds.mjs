// How contenders are timed, in Node and in pages alike.

/**
 * What `run` gives for each name, a list of `count` each. The order rotates, so that nobody always follows the same
 * one; the first round warms up and is dropped.
 */
export async function rounds(names, count, run) {
  const took = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round <= count; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      const result = await run(name);
      if (round > 0) took[name].push(result);
    }
  }
  return took;
}

/** The middle value, or between the middle two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
