// Who is signed in, and what only they see.
import { RequireSession, StabilityProvider, useSession } from 'evenkeel/react';
import { Activity, useEffect, useState } from 'react';
import { createPortal } from 'react-dom';

function Person({ id = 'person' }) {
  const { status, user } = useSession();
  return <output id={id}>{`${status} ${user?.name ?? ''}`.trim()}</output>;
}

/** A letter that nobody holds on to but the browser. `window.mounts` counts how often one was begun. */
function Letter() {
  const { user } = useSession();
  const [name] = useState(user?.name);
  useEffect(() => void (window.mounts = (window.mounts ?? 0) + 1), []);
  return (
    <p id="letter">
      Letter of {name} <input id="text" aria-label="Text" />
    </p>
  );
}

function Protected() {
  return (
    <RequireSession
      fallback={<b id="fallback">One moment</b>}
      signedOut={<b id="signedOut">Please sign in</b>}
    >
      <Letter />
    </RequireSession>
  );
}

export function App({ shown = true, ...props }) {
  return (
    <StabilityProvider {...props}>
      <Person />
      {shown && <Protected />}
    </StabilityProvider>
  );
}

/** With React 19. */
export function Hideable({ mode = 'visible', ...props }) {
  return (
    <Activity mode={mode}>
      <App {...props} />
    </Activity>
  );
}

/** Put elsewhere on the page, as dialogs are. */
function Dialog() {
  const { user } = useSession();
  return createPortal(
    <div id="dialog" style={{ display: 'flex' }}>
      Salary of {user?.name}
    </div>,
    document.body,
  );
}

export function WithDialog({ requires = true, ...props }) {
  return (
    <StabilityProvider {...props}>
      <Person />
      {requires ? <Protected /> : <Letter />}
      <RequiredDialog requires={requires} />
    </StabilityProvider>
  );
}

function RequiredDialog({ requires }) {
  return requires ? (
    <RequireSession>
      <Dialog />
    </RequireSession>
  ) : (
    <Dialog />
  );
}

/** Without anything to show to others. */
export function Plain(props) {
  return (
    <StabilityProvider {...props}>
      <Person />
      <RequireSession>
        <Letter />
      </RequireSession>
    </StabilityProvider>
  );
}
