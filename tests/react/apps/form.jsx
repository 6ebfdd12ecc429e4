// A plain form, which React holds nothing of.
import { StabilityProvider, useFormAutoSave, useStability } from 'evenkeel/react';
import { useEffect, useRef } from 'react';

/** @param {{ config: object, id?: string, options?: object, appears?: boolean, more?: boolean, fresh?: string | number }} props as `Form` takes them */
export function App({ config, ...props }) {
  return (
    <StabilityProvider config={config}>
      <Form {...props} />
    </StabilityProvider>
  );
}

/**
 * `appears`: the form is there; `more`: a field that was added; `fresh`: another one is another form.
 */
function Form({ id = 'letter', options, appears = true, more = false, fresh = 0 }) {
  const { client } = useStability();
  const form = useRef(null);
  const note = noteOf();
  const draft = useFormAutoSave(id, form, {
    onRestore(data) {
      note.restored.push(data);
      const { text, csrf } = Object.fromEntries(new FormData(form.current));
      note.filled.push({ text, csrf });
    },
    ...options,
  });
  note.draft = draft;
  note.renders++;
  useEffect(() => void (window.app = client), [client]);
  return (
    <>
      <output>{draft.status}</output>
      {appears && (
        <form ref={form} key={fresh} aria-label="letter" onSubmit={(event) => event.preventDefault()}>
          <Fields />
          {more && <Field label="more" />}
          <button type="submit" name="go" value="now">
            Send
          </button>
          <button type="reset">Empty</button>
        </form>
      )}
    </>
  );
}

function Fields() {
  return (
    <>
      <Field label="to" />
      <textarea aria-label="text" name="text" />
      <Field label="pages" type="number" />
      <Field label="on" type="date" />
      <Field label="mail" type="email" defaultValue="ada@example.com" />
      <Field label="urgent" type="checkbox" />
      {['news', 'work', 'love'].map((topic) => (
        <Field key={topic} label={topic} name="topics" type="checkbox" value={topic} />
      ))}
      {['white', 'blue'].map((paper) => (
        <Field key={paper} label={paper} name="paper" type="radio" value={paper} />
      ))}
      <select aria-label="stamp" name="stamp" defaultValue="none">
        <option>none</option>
        <option>red</option>
        <option>green</option>
      </select>
      <select aria-label="copies" name="copies" multiple>
        <option>ben</option>
        <option>cy</option>
        <option>dee</option>
      </select>
      <Field label="line 1" name="lines" />
      <Field label="line 2" name="lines" />
      <Field label="sum" disabled defaultValue="0" />
      <Field label="pin" type="password" />
      <Field label="photo" type="file" />
      <input aria-label="unnamed" />
      <input type="hidden" name="csrf" defaultValue="SECRET-TOKEN" />
    </>
  );
}

/** @param {any} props of the input, which has the label for a name if it has no other */
const Field = ({ label, name = label, ...props }) => <input aria-label={label} name={name} {...props} />;

function noteOf() {
  if (typeof window === 'undefined') return { restored: [], filled: [], renders: 0 };
  window.letters ??= { letter: { restored: [], filled: [], renders: 0 } };
  return window.letters.letter;
}
