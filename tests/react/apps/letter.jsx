// Letters that are saved as they are typed.
import { RequireSession, StabilityProvider, useAutoSave, useStability } from 'evenkeel/react';
import * as React from 'react';

const { useEffect, useState } = React;

const EMPTY = { to: '', text: '' };
const ALL = ['status', 'savedTo', 'isSaving', 'error', 'conflict', 'lastSaved'];

/**
 * Letters side by side, each as `Letter` takes it. What is given beside them is for all of them.
 * @param {{ config?: object, client?: any, letters?: object[], guarded?: boolean, mode?: 'visible' | 'hidden' }} props
 *   guarded: for who is signed in; mode: within an Activity, which React 18 has not
 */
export function App({ config, client, letters = [{}], guarded = false, mode, ...all }) {
  const each = letters.map((letter) => <Letter key={letter.name ?? ''} {...all} {...letter} />);
  const shown = mode ? <React.Activity mode={mode}>{each}</React.Activity> : each;
  const given = client ? { client } : { config };
  return (
    <StabilityProvider {...given}>
      <Client />
      {guarded ? <RequireSession>{shown}</RequireSession> : shown}
    </StabilityProvider>
  );
}

function Client() {
  const { client } = useStability();
  useEffect(() => void (window.app = client), [client]);
  return null;
}

/**
 * One letter. It is found in `window.letters` by its name: what the hook returned last, how often it was rendered, what was restored, and each
 * status that was shown.
 * @param {object} props
 * @param {string} [props.name]
 * @param {string} [props.id] the draft's key; a letter of another one begins empty
 * @param {object} [props.first]
 * @param {object} [props.options]
 * @param {string[]} [props.reads] the fields that it looks at
 * @param {boolean} [props.applies] false: what is restored is only noted
 */
function Letter({ name = 'letter', id = 'letter', first = EMPTY, options, reads = ALL, applies = true }) {
  const [texts, setTexts] = useState({});
  const data = texts[id] ?? first;
  const note = noteOf(name);
  const set = (changed) => setTexts((all) => ({ ...all, [id]: changed }));

  const draft = useAutoSave(
    id,
    { ...data },
    {
      onRestore(restored) {
        note.restored.push(restored);
        if (applies) set({ ...first, ...restored });
      },
      ...options,
    },
  );
  note.draft = draft;
  note.data = data;
  note.renders++;
  const shown = reads.map((field) => textOf(draft[field]));
  if (note.shown.at(-1) !== shown[0]) note.shown.push(shown[0]);

  return (
    <form
      aria-label={name}
      onReset={(event) => {
        event.preventDefault();
        set(first);
      }}
    >
      {Object.keys(first).map((field) => (
        <textarea
          key={field}
          aria-label={field}
          value={data[field]}
          onChange={({ target }) =>
            setTexts((all) => ({ ...all, [id]: { ...(all[id] ?? first), [field]: target.value } }))
          }
        />
      ))}
      <output>{shown.join(' ')}</output>
      <button type="reset">Empty</button>
    </form>
  );
}

/** @param {string} name */
function noteOf(name) {
  if (typeof window === 'undefined') return { restored: [], shown: [], renders: 0 };
  window.letters ??= {};
  return (window.letters[name] ??= { restored: [], shown: [], renders: 0 });
}

/** @param {any} value */
const textOf = (value) => (value && typeof value === 'object' ? JSON.stringify(value) : String(value));
