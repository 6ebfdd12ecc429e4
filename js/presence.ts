/**
 * The person in front of the page: whether they do something, and whether they are in the middle of it.
 */

const ACTS = ['pointerdown', 'pointermove', 'keydown', 'touchstart', 'wheel', 'compositionupdate', 'input'];

function listen(types: string[], heard: () => void, signal: AbortSignal): void {
  for (const type of types)
    globalThis.addEventListener?.(type, heard, { capture: true, passive: true, signal });
}

/** Tells of a pointer, key, touch or composition, and of a scroll, which a page may do by itself, each at most once in `paceMs`. */
export function watchPerson(
  signal: AbortSignal,
  paceMs: () => number,
  onActive: (byScroll: boolean) => void,
): void {
  const watch = (types: string[], byScroll: boolean): void => {
    let last = -Infinity;
    const heard = (): void => {
      const now = Date.now();
      // The distance: a clock that was set back must not make a person look idle for long.
      if (Math.abs(now - last) < paceMs()) return;
      last = now;
      onActive(byScroll);
    };
    listen(types, heard, signal);
  };
  watch(ACTS, false);
  watch(['scroll'], true);
}

/** What an element may have that can be changed. A custom element may be one too. */
type Field = Element &
  Partial<
    Pick<
      HTMLInputElement,
      'type' | 'value' | 'checked' | 'defaultValue' | 'defaultChecked' | 'isContentEditable'
    >
  >;

/** What has the focus, within open shadow roots too. */
function focused(): Field | null | undefined {
  let at = globalThis.document?.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at;
}

/** What is in a field, or what it came with. The browser gives sliders and colours a value of their own, and a select has no other. */
function contentOf(field: Field, asItCame = false): unknown {
  const { type, checked, value, defaultChecked, defaultValue } = field;
  if (/^(checkbox|radio)$/.test(type!)) return asItCame ? defaultChecked : checked;
  if (field.isContentEditable) return field.textContent;
  return asItCame && !/^(range|color)$/.test(type!) ? (defaultValue ?? value) : value;
}

/**
 * Watches what is edited. Returns whether somebody is in the middle of it: composing, or in a field that changed since it got the focus.
 *
 * @param onReleased that may be over now.
 */
export function watchFields(signal: AbortSignal, onReleased: () => void): () => boolean {
  // What has the focus already may have been changed before anybody listened.
  let field = focused();
  let before = field && contentOf(field, true);
  let composing: Field | null | undefined;

  /** The same field again is no new one: a window that gets the focus back gives it to the field. */
  function look(): void {
    const now = focused();
    if (now === field) return;
    field = now;
    before = now && contentOf(now);
  }

  // No focus that moves within a shadow root is heard of outside. What changes a field there is, before it does.
  listen(['focusin', 'beforeinput'], look, signal);
  listen(['compositionstart'], () => (composing = focused()), signal);
  listen(['compositionend'], () => (composing = null), signal);
  listen(['compositionend', 'focusout'], onReleased, signal);

  return () => {
    const now = focused();
    if (!now) return false;
    // A field that was taken away while somebody composed in it never says that it is over. What is in a frame cannot be known.
    return (
      now === composing ||
      /^(I?FRAME|OBJECT|EMBED)$/.test(now.tagName) ||
      contentOf(now) !== (now === field ? before : contentOf(now, true))
    );
  };
}
