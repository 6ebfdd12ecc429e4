import { formatError } from 'evenkeel';
import { useStability } from 'evenkeel/react';
import { useEffect, useState } from 'react';
import { Card } from '../parts/card.jsx';
import { Figures } from '../parts/figures.jsx';
import { span, useNow } from '../parts/now.js';
import { useCounters } from '../picture/use-counters.js';
import { useSignIn } from './use-sign-in.js';
import './session.css';

const TICK_MS = 500;
const WORDS = {
  loading: ['Asking…', 'wait', 'Is somebody signed in?'],
  authenticated: ['Signed in', 'good', ''],
  signedOut: ['Signed out', 'bad', 'Nobody is signed in: orders are refused.'],
  unknown: ['Not known', 'wait', 'It cannot be asked now. Nobody is logged out.'],
};
const ENDED = {
  expired: 'The server said so, three times.',
  signOut: 'You signed out.',
  otherTab: 'You signed out in another tab.',
};
const PEOPLE = ['Ada', 'Ben'];

/** Who is signed in, for how long, and which tab asks. */
export function Session() {
  const { client, session, signOut } = useStability();
  const { status, user, userKey, role, expires } = session;
  const { said, signIn } = useSignIn();
  const [leaving, sayLeaving] = useState('');
  const { ended, nextPingAt } = useHeard(client);
  const { sessionRequests = 0 } = useCounters();
  const now = useNow(TICK_MS);
  const { lastVerifiedAt } = client.session;
  const [words, tone, usual] = WORDS[status];

  async function leave() {
    sayLeaving('Signing out…');
    await signOut().then(
      () => sayLeaving(''),
      (error) => sayLeaving(`Not signed out. ${formatError(error)}`),
    );
  }

  return (
    <Card
      id="session"
      title="Session"
      status={words}
      tone={tone}
      controls={
        <>
          <button type="button" onClick={() => client.session.verify()}>
            Ask now
          </button>
          <button type="button" disabled={status === 'signedOut'} onClick={leave}>
            Sign out
          </button>
        </>
      }
    >
      <div className="who">
        <span className="face" data-user={userKey} aria-hidden="true">
          {user?.name[0]}
        </span>
        <p>
          <b id="person">{user?.name ?? 'Nobody'}</b>
          <output className="why" id="session-why">
            {said || leaving || (status === 'signedOut' && ENDED[ended]) || usual}
          </output>
        </p>
        <fieldset className="people">
          <legend>Sign in as</legend>
          {PEOPLE.map((name) => {
            const key = name.toLowerCase();
            return (
              <button type="button" key={key} aria-pressed={key === userKey} onClick={() => signIn(key)}>
                {name}
              </button>
            );
          })}
        </fieldset>
      </div>
      <Figures
        of={[
          ['expires', 'left', expires === null ? '–' : span(expires - now)],
          ['nextPing', 'to next ping', nextPingAt === null ? '–' : span(nextPingAt - now)],
          ['verified', 'since answer', lastVerifiedAt === null ? '–' : span(now - lastVerifiedAt)],
          ['asked', 'asked here', `${sessionRequests}×`],
          ['leads', 'role', role],
        ]}
      />
    </Card>
  );
}

/** Why the last session ended, and when the next ping is due. */
function useHeard(client) {
  const [ended, setEnded] = useState('');
  const [nextPingAt, setNextPingAt] = useState(null);
  useEffect(
    () =>
      client.on(({ type, reason, dueAt }) => {
        if (type === 'signedOut') setEnded(reason);
        if (type === 'nextPing') setNextPingAt(dueAt);
      }),
    [client],
  );
  return { ended, nextPingAt };
}
