/**
 * What only those see who are signed in.
 */
import { type ReactElement, useSyncExternalStore } from 'react';
import { isConfirmed, PROTECTED } from './react-gate.js';
import { useShared } from './react-provider.js';
import { useView } from './react-tracking.js';
import type { RequireSessionProps } from './types-react.js';

/**
 * Shows its children once the server has confirmed the session, and again only after it did when the page comes back from the back/forward
 * cache. Once confirmed they stay mounted while the session cannot be verified, so that nothing typed is lost.
 *
 * They are wrapped in an element that has no box (`display: contents`), since what is hidden for a moment must not lose what was typed.
 */
export function RequireSession({
  fallback = null,
  signedOut = null,
  children,
}: RequireSessionProps): ReactElement {
  const { session, gate } = useShared('RequireSession');
  const state = useView(session);
  const isShut = useSyncExternalStore(gate.subscribe, gate.getSnapshot, gate.getServerSnapshot);
  if (state.status === 'signedOut') return <>{signedOut}</>;
  if (!isConfirmed(state)) return <>{fallback}</>;
  return (
    <>
      {isShut && fallback}
      <div key={state.userKey} {...{ [PROTECTED]: true }} style={{ display: isShut ? 'none' : 'contents' }}>
        {children}
      </div>
    </>
  );
}
