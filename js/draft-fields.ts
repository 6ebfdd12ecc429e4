/**
 * Fields that are stored nowhere: passwords and the like.
 */

export interface Excluder {
  /** JSON without them. Undefined, or throws, as JSON.stringify does. */
  textOf(data: unknown): string | undefined;
  /** JSON data without them. */
  strip(data: unknown): unknown;
}

/** Compared without case, `_` and `-`. */
const DEFAULTS = /^(password|passwd|pwd|secret|cvv|cvc|ssn|cardnumber)$/;

/** Names that were looked at are remembered: a list has the same ones in each item. */
const KNOWN_MAX = 1_000;

/**
 * @param exclude names at any depth, or dotted paths from the root, `*` for the items of an array. An item that is excluded itself leaves a null.
 * @param defaults whether names that passwords and the like go by are excluded too.
 * @param onDefault hears of the first such name.
 */
export function createExcluder(
  exclude: readonly string[],
  defaults: boolean,
  onDefault?: (name: string) => void,
): Excluder {
  const names = exclude.filter((name) => !name.includes('.'));
  const paths = exclude.filter((path) => path.includes('.')).map((path) => path.split('.'));
  const known = new Map<string, boolean>();

  function isExcluded(name: string): boolean {
    const before = known.get(name);
    if (before !== undefined) return before;
    const isNamed = names.includes(name);
    const isDefault = !isNamed && defaults && DEFAULTS.test(name.replace(/[_-]/g, '').toLowerCase());
    const is = isDefault || isNamed;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(name, is);
    if (isDefault) {
      const tell = onDefault;
      onDefault = undefined;
      tell?.(name);
    }
    return is;
  }

  function textOf(data: unknown): string | undefined {
    // What is left of the paths within an object that is being written.
    const trails = new Map<unknown, string[][]>();
    let isRoot = true;
    return JSON.stringify(data, function (this: unknown, name: string, value: unknown) {
      let trail: string[][] | undefined = paths;
      if (isRoot) isRoot = false;
      else {
        const isItem = Array.isArray(this);
        if (!isItem && isExcluded(name)) return undefined;
        trail = trails
          .get(this)
          ?.filter(([step]) => step === name || (isItem && step === '*'))
          .map(([, ...rest]) => rest);
        if (trail?.some((rest) => !rest.length)) return undefined;
      }
      // The same object may stand in two places.
      if (paths.length && typeof value === 'object') trails.set(value, trail ?? []);
      return value;
    });
  }

  return {
    textOf,
    strip(data) {
      const text = textOf(data);
      return text === undefined ? text : JSON.parse(text);
    },
  };
}
