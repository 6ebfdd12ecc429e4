/**
 * A plain form as data, and back: what is in its fields, and what could not be put into them yet.
 */

type Field = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
/** Fields of one name. */
type Group = Field[];

/** A value that is not shown yet, and what the fields hold instead; undefined: there are none. */
interface Waiting {
  value: unknown;
  shown: unknown;
}

/** Secrets, and what nobody types: a hidden field may hold a token. */
const NEVER = /^(file|password|hidden|submit|button|reset|image)$/;
const SECRET = /\b((current|new)-password|one-time-code|cc-)/;

const isOf = (group: Group, type: string): boolean => group.every((field) => field.type === type);
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function contentOf(field: Field): unknown {
  if (field.type === 'select-multiple')
    return Array.from((field as HTMLSelectElement).selectedOptions, ({ value }) => value);
  return field.type === 'checkbox' ? (field as HTMLInputElement).checked : field.value;
}

function read(group: Group): unknown {
  const chosen = (group as HTMLInputElement[]).filter(({ checked }) => checked).map(({ value }) => value);
  if (isOf(group, 'radio')) return chosen[0] ?? null;
  if (group.length === 1) return contentOf(group[0]!);
  return isOf(group, 'checkbox') ? chosen : group.map(contentOf);
}

/** Fields as they came, as the browser reads them then. What a script chose in a list looks as what a person did: that stands. */
function asTheyCame(group: Group): Group {
  const form = document.createElement('form');
  const copies = group.map((field) => {
    if ('options' in field) return field;
    const copy = field.cloneNode(true) as Field;
    copy.removeAttribute('form');
    form.append(copy);
    return copy;
  });
  form.reset();
  return copies;
}

/** What it was found to hold comes from a store: it may be anything. False: a choice is not there. */
function putInto(field: Field, value: unknown): boolean {
  if (field.type === 'checkbox') {
    (field as HTMLInputElement).checked = value === true;
    return true;
  }
  const wanted = field.type === 'select-multiple' ? listOf(value) : [value];
  if ('options' in field) {
    const options = [...field.options];
    if (!wanted.every((one) => options.some((option) => option.value === one))) return false;
    for (const option of options) option.selected = wanted.includes(option.value);
  } else if (typeof value === 'string') field.value = value;
  return true;
}

function put(group: Group, value: unknown): boolean {
  const isRadio = isOf(group, 'radio');
  if (isRadio || (group.length > 1 && isOf(group, 'checkbox'))) {
    const wanted = isRadio ? (value === null ? [] : [value]) : listOf(value);
    if (!wanted.every((one) => group.some((field) => field.value === one))) return false;
    for (const field of group as HTMLInputElement[]) field.checked = wanted.includes(field.value);
    return true;
  }
  if (group.length === 1) return putInto(group[0]!, value);
  const values = listOf(value);
  return group.map((field, at) => at >= values.length || putInto(field, values[at])).every(Boolean);
}

const readGroups = (groups: Iterable<[name: string, group: Group]>): Record<string, unknown> =>
  Object.fromEntries(Array.from(groups, ([name, group]) => [name, read(group)]));

/** The fields of whichever form is watched. */
export function createFields() {
  const waiting = new Map<string, Waiting>();
  /** What was a password once is one, though it be shown. */
  const secrets = new Set<string>();
  let form: HTMLFormElement | null = null;
  let begun: HTMLFormElement | null = null;
  let seen: Record<string, unknown> = {};
  let held: Record<string, unknown> = {};
  /** What is done with. */
  let done: Record<string, unknown> = {};

  function isKept(element: Element): element is Field {
    const { name, type, autocomplete } = element as Field;
    if (!/^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName) || !name) return false;
    if (type === 'password' || SECRET.test(autocomplete)) secrets.add(name);
    return !NEVER.test(type) && !secrets.has(name) && !element.matches(':disabled');
  }

  function groupsOf(of = form): Map<string, Group> {
    const groups = new Map<string, Group>();
    // A field may go by the name of `elements`.
    const elements: HTMLFormControlsCollection | [] = of
      ? Reflect.get(HTMLFormElement.prototype, 'elements', of)
      : [];
    for (const element of elements) {
      if (!isKept(element)) continue;
      const group = groups.get(element.name);
      if (group) group.push(element);
      else groups.set(element.name, [element]);
    }
    return groups;
  }

  /** What the person holds: of what waits, what it is to become, unless they changed what is shown instead. */
  function readAll(): Record<string, unknown> {
    if (!form) return held; // the page has gone on, and what was typed stands
    seen = readGroups(groupsOf());
    const all = new Map(Object.entries(seen));
    for (const [name, { value, shown }] of waiting) {
      if (shown !== undefined && all.has(name) && !same(seen[name], shown)) waiting.delete(name);
      else all.set(name, value);
    }
    return (held = Object.fromEntries(all));
  }

  /** The field that the person is in is theirs until they leave it. */
  function show(group: Group | undefined, name: string, value: unknown): void {
    const shown = group && read(group);
    const isIn = group?.some((field) => (field.getRootNode() as Document).activeElement === field);
    if (group && (same(shown, value) || (!isIn && put(group, value)))) waiting.delete(name);
    else waiting.set(name, { value, shown });
  }

  function showWaiting(): void {
    if (!form || !waiting.size) return;
    readAll();
    const groups = groupsOf();
    for (const [name, { value }] of [...waiting]) show(groups.get(name), name, value);
  }

  return {
    /** What the fields came with: what was typed before anybody listened is not that. Of another draft in the same form, also what they hold. */
    initial(of: HTMLFormElement | null): Array<Record<string, unknown>> {
      const isFirst = begun !== of;
      begun = of;
      const came = readGroups(Array.from(groupsOf(of), ([name, group]) => [name, asTheyCame(group)]));
      return isFirst ? [came] : [readAll(), came];
    },
    read: readAll,
    /** Shows that data, each field as soon as it can be. */
    fill(data: unknown): void {
      const groups = groupsOf();
      if (typeof data !== 'object' || Array.isArray(data)) return;
      for (const [name, value] of Object.entries(data ?? {})) show(groups.get(name), name, value);
    },
    /** What does not show is not wanted any more. */
    forget(): void {
      waiting.clear();
      done = { ...seen };
    },
    /** Returns what ends it. @param onEdit somebody may have changed something. */
    watch(watched: HTMLFormElement, onEdit: () => void): () => void {
      const control = new AbortController();
      const { signal } = control;
      form = watched;
      waiting.clear();
      done = {};
      readAll();
      const hear = (type: string, heard: (field: Field) => void): void =>
        watched.getRootNode().addEventListener(
          type,
          ({ target }) => {
            if (target === watched || (target as Field | null)?.form === watched) heard(target as Field);
          },
          { capture: true, signal },
        );
      const edited = ({ name }: Field): void => {
        waiting.delete(name); // theirs now
        delete done[name];
        onEdit();
      };
      hear('input', edited);
      hear('change', edited);
      // Both are told before it is done.
      hear('reset', () => setTimeout(() => signal.aborted || onEdit()));
      hear('focusout', () => setTimeout(showWaiting));
      // A step of a form that is not shown any more keeps what was typed, and shows it when it comes again.
      const observer = new MutationObserver(() => {
        const before = seen;
        readAll();
        for (const [name, value] of Object.entries(before))
          if (!Object.hasOwn(seen, name) && !waiting.has(name) && !same(done[name], value))
            waiting.set(name, { value, shown: undefined });
        showWaiting();
      });
      const attributeFilter = ['disabled', 'name', 'type'];
      observer.observe(watched, { childList: true, subtree: true, attributeFilter });
      return () => {
        control.abort();
        observer.disconnect();
        form = null;
      };
    },
  };
}
