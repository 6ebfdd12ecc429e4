/**
 * The people that a page has met. They go by numbers: the Rust side hears no name.
 */
import type { Person } from './session-request.js';

/** Who is signed in where the server does not say who it is. */
const SOMEBODY = 0;

/** So many are told apart on one page. */
const PEOPLE_MAX = 100;

/** What another tab says of somebody is no longer. */
const KEY_MAX = 1_024;
const USER_MAX = 2 ** 20;

/** Nobody yet. */
export function createPeople() {
  const people = new Map<number, Person>();
  let last = SOMEBODY;

  return {
    /** The person of a number. */
    at: (number: number): Person | undefined => people.get(number),
    /**
     * The number of a person, whose user stays the identical object while it says the same.
     *
     * @param kept is not forgotten, whoever comes.
     * @param isNews false: it may be older than what is known.
     */
    meet(person: Person, kept: number, isNews = true): number {
      let number = person.key === null ? SOMEBODY : undefined;
      for (const [one, { key }] of people) if (key === person.key) number = one;
      number ??= ++last;
      const known = people.get(number);
      if (known && !isNews) return number;
      people.set(number, known && isSame(known.user, person.user) ? { ...person, user: known.user } : person);
      if (people.size > PEOPLE_MAX)
        for (const one of people.keys()) if (one !== number && one !== kept) people.delete(one);
      return number;
    },
  };
}

/** Undefined: it could not be sent along. */
function isSame(known: unknown, user: unknown): boolean {
  try {
    return user === undefined || JSON.stringify(known) === JSON.stringify(user);
  } catch {
    return false;
  }
}

/** What another tab says of a person. Undefined: no tab of this version says that. */
export function readPerson(load: unknown): Person | undefined {
  const { key, user, expires } = (load ?? {}) as Partial<Person>;
  try {
    const fits =
      (key === null || (typeof key === 'string' && key.length <= KEY_MAX)) &&
      (expires === null || Number.isFinite(expires)) &&
      (JSON.stringify(user)?.length ?? 0) <= USER_MAX;
    if (fits) return { key, user, expires: expires as number | null };
  } catch {} // it is no data
  return undefined;
}
