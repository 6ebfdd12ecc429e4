// Runs in the pages: what an app with next-auth has besides evenkeel. `next-auth/react` is the generation that is bundled.
import { getSession, SessionProvider, signIn, signOut, useSession } from 'next-auth/react';
import { createRoot } from 'react-dom/client';

function Person() {
  const { status, data } = useSession();
  return (
    <output id="provider" data-status={status}>
      {data?.user?.email}
    </output>
  );
}

/** @param {object} props of the SessionProvider */
function mount(props) {
  createRoot(/** @type {Element} */ (document.querySelector('#root'))).render(
    <SessionProvider {...props}>
      <Person />
    </SessionProvider>,
  );
}

Object.assign(window, { nextAuth: { getSession, mount, signIn, signOut } });
