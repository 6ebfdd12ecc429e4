// The three hooks that hold something, in a component that is mounted and unmounted again and again.
import { StabilityProvider, useAutoSave, useResilientSSE, useStability } from 'evenkeel/react';
import { useLayoutEffect, useState } from 'react';
import { flushSync } from 'react-dom';

const CONFIG = { session: false, version: false, drafts: { userKey: () => 'ada' } };
const KEYS = 10;

/** `window.churn(count)` mounts and unmounts it so often. */
export function App() {
  const [form, setForm] = useState(null);
  useLayoutEffect(() => {
    window.churn = (count) => churn((next) => flushSync(() => setForm(next)), count);
  }, []);
  return (
    <StabilityProvider config={CONFIG}>
      <Runtime />
      {form && <Form key={form.n} {...form} />}
    </StabilityProvider>
  );
}

function Runtime() {
  const { client, runtime } = useStability();
  window.app = client;
  return <output>{runtime}</output>;
}

function Form({ n, text, onMessage }) {
  const { connection, pending } = useStability();
  const draft = useAutoSave(`form ${n % KEYS}`, { text });
  const { status, lastMessage } = useResilientSSE('/api/events', { onMessage });
  return <p>{[connection.status, pending, draft.status, status, lastMessage].join(' ')}</p>;
}

let mounted = 0;

/** Of ten, one is typed in, and one stays until its stream has said something; the others are gone when their effects have run. */
async function churn(show, count) {
  for (let i = 0; i < count; i++) {
    const n = mounted++;
    const turn = n % 10;
    const said = new Promise((onMessage) => show({ n, text: '', onMessage }));
    if (turn === 3) show({ n, text: `text ${n}` });
    if (turn === 7) await said;
    else await nextTask();
    show(null);
    await nextTask();
  }
}

/** As a timer, but that browsers make nested timers wait. */
function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}
