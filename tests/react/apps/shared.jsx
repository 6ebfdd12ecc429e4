// A client in a module: on a server all people share it.
import { createStability } from 'evenkeel';
import { StabilityProvider, useSession, useStability } from 'evenkeel/react';
import { lazy, Suspense } from 'react';

const client = createStability({ session: { confirmAfterMs: 40 } });
globalThis.shared = client;

function Person({ id = 'person' }) {
  const { status, user } = useSession();
  return <output id={id}>{`${status} ${user?.name ?? ''}`.trim()}</output>;
}

function Whole() {
  const { session, runtime } = useStability();
  return <output id="whole">{`${session.user?.name} ${runtime}`}</output>;
}

function Late() {
  return (
    <>
      <Person id="late" />
      <Whole />
    </>
  );
}

/** Comes a moment later, when others are rendered; in a page that says so, when that wants it. Each request has one of its own. */
const late = new Map();
function lateFor(turn) {
  const load = async () => {
    await (globalThis.whenLate ?? new Promise((resolve) => setTimeout(resolve, 100)));
    return { default: Late };
  };
  if (!late.has(turn)) late.set(turn, lazy(load));
  return late.get(turn);
}

export function App({ initialSession, turn }) {
  const Awaited = lateFor(turn);
  return (
    <StabilityProvider client={client} initialSession={initialSession}>
      <Person />
      <Suspense fallback={<i>later</i>}>
        <Awaited />
      </Suspense>
    </StabilityProvider>
  );
}
