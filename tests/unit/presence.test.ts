import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { watchFields, watchPerson } from '../../js/presence.js';

/** An element, as far as anybody looks at it. */
interface Element {
  tagName?: string;
  type?: string;
  value?: string;
  defaultValue?: string;
  checked?: boolean;
  defaultChecked?: boolean;
  isContentEditable?: boolean;
  textContent?: string;
  shadowRoot?: { activeElement: Element | null };
}

/** A page with one person, who moves the focus from field to field. */
function pageOf(t: TestContext, focused: Element = {}) {
  const events = new EventTarget();
  const document = { activeElement: focused };
  const life = new AbortController();
  const before = {
    document: globalThis.document,
    addEventListener: globalThis.addEventListener,
  };
  Object.assign(globalThis, { document, addEventListener: events.addEventListener.bind(events) });
  t.after(() => {
    life.abort();
    Object.assign(globalThis, before);
  });
  const fire = (type: string): boolean => events.dispatchEvent(new Event(type));
  return {
    life,
    fire,
    focus(element: Element): void {
      fire('focusout');
      document.activeElement = element;
      fire('focusin');
    },
  };
}

const input = (value = ''): Element => ({ type: 'text', value, defaultValue: value });

test('a pointer, key, touch, scroll or composition tells that somebody is there', (t) => {
  const { fire, life } = pageOf(t);
  const active: boolean[] = [];
  watchPerson(
    life.signal,
    () => 0,
    (byScroll) => active.push(byScroll),
  );
  const acts = ['pointerdown', 'pointermove', 'keydown', 'touchstart', 'wheel', 'input', 'compositionupdate'];
  for (const type of [...acts, 'visibilitychange', 'load']) fire(type);
  assert.deepEqual(
    active,
    acts.map(() => false),
  );

  life.abort();
  fire('keydown');
  assert.equal(active.length, acts.length);
});

test('a scroll, which a page may do by itself, is told as one, and hides no key', (t) => {
  const { fire, life } = pageOf(t);
  const active: boolean[] = [];
  watchPerson(
    life.signal,
    () => 1_000,
    (byScroll) => active.push(byScroll),
  );
  for (const type of ['scroll', 'scroll', 'keydown', 'scroll']) fire(type);
  assert.deepEqual(active, [true, false]);
});

test('what somebody does in a frame cannot be known, so it is not lost', (t) => {
  const { life, focus } = pageOf(t);
  const isHeld = watchFields(life.signal, () => {});
  focus({ tagName: 'IFRAME' });
  assert.equal(isHeld(), true);
  focus({ tagName: 'BODY' });
  assert.equal(isHeld(), false);
});

test('a storm of events is told at the pace that is wanted, also when the clock is set back', (t) => {
  const { fire, life } = pageOf(t);
  let now = 1_000_000;
  let pace = 1_000;
  let active = 0;
  t.mock.method(Date, 'now', () => now);
  watchPerson(
    life.signal,
    () => pace,
    () => active++,
  );
  for (let i = 0; i < 100; i++, now += 10) fire('pointermove');
  assert.equal(active, 1);
  fire('pointermove');
  assert.equal(active, 2);

  pace = 100;
  now += 100;
  fire('pointermove');
  assert.equal(active, 3);
  now -= 500_000;
  fire('pointermove');
  assert.equal(active, 4);
});

test('whoever only looks, or has the focus in a field as it was, is not in the middle of anything', (t) => {
  const { life, focus } = pageOf(t);
  const isHeld = watchFields(life.signal, () => {});
  assert.equal(isHeld(), false);
  focus({});
  assert.equal(isHeld(), false);
  focus(input('Ada'));
  assert.equal(isHeld(), false);
});

test('a field that changed since it got the focus holds, until it is as it was or another has the focus', (t) => {
  const { life, focus } = pageOf(t);
  let released = 0;
  const isHeld = watchFields(life.signal, () => released++);
  const name = input('Ada');
  focus(name);
  released = 0;
  name.value = 'Ada L';
  assert.equal(isHeld(), true);
  name.value = 'Ada';
  assert.equal(isHeld(), false);
  name.value = 'Ada Lovelace';
  assert.equal(isHeld(), true);

  focus(input());
  assert.equal(released, 1);
  assert.equal(isHeld(), false);

  // It is what it was when it got the focus again.
  focus(name);
  assert.equal(isHeld(), false);
});

test('a window that gives the focus back to a field does not make its changes older', (t) => {
  const { life, focus } = pageOf(t);
  const isHeld = watchFields(life.signal, () => {});
  const name = input();
  focus(name);
  name.value = 'half a sen';
  focus(name);
  assert.equal(isHeld(), true);
});

test('boxes, lists, custom elements and rich text hold as text fields do', (t) => {
  const { life, focus } = pageOf(t);
  const isHeld = watchFields(life.signal, () => {});
  const fields: Array<[Element, Element]> = [
    [{ type: 'checkbox', value: 'on', checked: false }, { checked: true }],
    [{ type: 'radio', value: 'a', checked: false }, { checked: true }],
    [{ type: 'select-one', value: 'a' }, { value: 'b' }],
    [{ value: 'a' }, { value: 'b' }],
    [{ isContentEditable: true, textContent: 'Dear' }, { textContent: 'Dear Ada' }],
  ];
  for (const [field, change] of fields) {
    focus(field);
    assert.equal(isHeld(), false);
    Object.assign(field, change);
    assert.equal(isHeld(), true, JSON.stringify(change));
  }
});

test('what had the focus before anybody listened is compared with what it came with', (t) => {
  const held = (field: Element): boolean => {
    const { life } = pageOf(t, field);
    return watchFields(life.signal, () => {})();
  };
  assert.equal(held(input('Ada')), false);
  assert.equal(held({ ...input('Ada'), value: 'Ada L' }), true);
  assert.equal(held({ type: 'checkbox', value: 'on', checked: true, defaultChecked: false }), true);
  assert.equal(held({ type: 'checkbox', value: 'on', checked: true, defaultChecked: true }), false);
  // These have a value that nobody gave them.
  assert.equal(held({ type: 'range', value: '50', defaultValue: '' }), false);
  assert.equal(held({ type: 'color', value: '#000000', defaultValue: '' }), false);
  assert.equal(held({ type: 'select-one', value: 'a' }), false);
});

test('a field in open shadow roots holds too, though its focus is not heard of', (t) => {
  const { life, focus, fire } = pageOf(t);
  const isHeld = watchFields(life.signal, () => {});
  const first = input();
  const second = input('a');
  const inner = { activeElement: first };
  focus({ shadowRoot: { activeElement: { shadowRoot: inner } } });
  assert.equal(isHeld(), false);
  first.value = 'x';
  assert.equal(isHeld(), true);

  inner.activeElement = second;
  assert.equal(isHeld(), false);
  fire('beforeinput');
  second.value = 'ab';
  fire('beforeinput');
  assert.equal(isHeld(), true);
});

test('whoever composes is in the middle of it, until it ends or the field is taken away', (t) => {
  const { life, focus, fire } = pageOf(t);
  let released = 0;
  const isHeld = watchFields(life.signal, () => released++);
  const name = input();
  focus(name);
  released = 0;
  fire('compositionstart');
  assert.equal(isHeld(), true);
  fire('compositionend');
  assert.equal(isHeld(), false);
  assert.equal(released, 1);

  fire('compositionstart');
  focus({});
  assert.equal(isHeld(), false);
});

test('without a document nobody is in the middle of anything', () => {
  assert.equal(watchFields(new AbortController().signal, () => {})(), false);
});
