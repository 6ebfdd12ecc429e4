/**
 * Versions by number: the engine compares them, and needs no names for it.
 */

/** The page's own version. */
export const OWN = 0;
/** What the server would take instead of this version, and does not name. */
export const UNNAMED = 1;

const NAMES_MAX = 256;

/** What a server says may be anything. */
export const isVersion = (version: unknown): version is string =>
  typeof version === 'string' && version.length > 0 && version.length <= 128;

/**
 * Gives each version a number, for good: the engine remembers which of them this tab was reloaded for. Once there are too many, new ones have no
 * name, and are all the same.
 */
export function createNames(current: string) {
  const names = [current, '']; // by number
  return {
    /** UNNAMED for what is none. */
    numberOf(version: string | null): number {
      if (!isVersion(version)) return UNNAMED;
      const number = names.indexOf(version);
      if (number >= 0) return number;
      return names.length < NAMES_MAX ? names.push(version) - 1 : UNNAMED;
    },
    /** '' for one without a name. */
    nameOf: (number: number): string => names[number] ?? '',
  };
}
