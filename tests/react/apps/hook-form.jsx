// A form of react-hook-form whose values are saved.
import { StabilityProvider, useAutoSave, useStability } from 'evenkeel/react';
import { useEffect } from 'react';
import { useForm } from 'react-hook-form';

/** @param {{ config: object }} props */
export function App({ config }) {
  return (
    <StabilityProvider config={config}>
      <Letter />
    </StabilityProvider>
  );
}

function Letter() {
  const { client, api } = useStability();
  const { register, watch, reset, handleSubmit, formState } = useForm({
    defaultValues: { to: '', text: '', urgent: false },
  });
  const { dirtyFields, errors } = formState;
  const note = noteOf();
  const draft = useAutoSave('letter', watch(), {
    onRestore(data) {
      note.restored.push(data);
      reset(data, { keepDefaultValues: true, keepDirtyValues: true });
    },
  });
  note.draft = draft;
  note.renders++;
  useEffect(() => void (window.app = client), [client]);

  const send = handleSubmit(async (values) => {
    const { ok } = await api.post('/api/letters', values);
    if (!ok) return;
    await draft.clearDraft();
    reset();
  });

  return (
    <form aria-label="letter" onSubmit={send}>
      <input aria-label="to" {...register('to', { required: true })} />
      <textarea aria-label="text" {...register('text')} />
      <input aria-label="urgent" type="checkbox" {...register('urgent')} />
      <output>{[draft.status, ...Object.keys(dirtyFields), errors.to?.type].join(' ')}</output>
      <button type="submit">Send</button>
    </form>
  );
}

function noteOf() {
  window.letters ??= { letter: { restored: [], renders: 0 } };
  return window.letters.letter;
}
