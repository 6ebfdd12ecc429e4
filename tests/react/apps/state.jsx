// Components that each read something of a client, and count how often they were rendered: `window.renders`.

import {
  StabilityProvider,
  useActivity,
  useApi,
  useConnection,
  useSession,
  useStability,
  useVersion,
} from 'evenkeel/react';
import { memo, startTransition, useEffect, useLayoutEffect, useState } from 'react';

function count(name) {
  window.renders ??= {};
  window.renders[name] = (window.renders[name] ?? 0) + 1;
}

/** What each of them reads. */
const read = {
  status: () => useSession().status,
  expires: () => useSession().expires,
  user: () => useSession().user?.name,
  spread: () => ({ ...useSession() }).status,
  pending: () => useActivity().pending,
  queued: () => useActivity().queued,
  latest: () => useVersion().latest,
  versionStatus: () => useVersion().status,
  connection: () => useConnection().status,
  api: () => typeof useApi().get,
  anyConnection: () => useStability().connection.status,
  anyPending: () => useStability().pending,
  anyStatus: () => useStability().session.status,
  anyExpires: () => useStability().session.expires,
  anyRuntime: () => useStability().runtime,
  anyVersion: () => useStability().version.status,
  anyLatest: () => useStability().version.latest,
  nothing: () => typeof useStability().client,
  unread: () => typeof useSession(),
};

const Reader = memo(function Reader({ name }) {
  count(name);
  return <output id={name}>{String(read[name]())}</output>;
});

export function App({ shown = true, ...props }) {
  return (
    <StabilityProvider {...props}>
      {shown && Object.keys(read).map((name) => <Reader key={name} name={name} />)}
    </StabilityProvider>
  );
}

/** Reads nothing as it is rendered; what it does later is `window.later`. */
const Later = memo(function Later({ reads }) {
  count('later');
  const session = useSession();
  const stability = useStability();
  window.later = { session, stability };
  useEffect(() => {
    if (reads === 'session') window.inEffect = session.status;
    if (reads === 'stability') window.inEffect = stability.session.status;
  }, [reads, session, stability]);
  return (
    <output id="later">
      {reads} {window.inEffect}
    </output>
  );
});

export function ReadsLater({ reads, ...props }) {
  return (
    <StabilityProvider {...props}>
      <Later reads={reads} />
    </StabilityProvider>
  );
}

/** All that `useStability` gives, and its functions as they are at each render. */
function Whole() {
  const stability = useStability();
  const { runtime, pending, session, version, connection, api, client, signOut, applyUpdate } = stability;
  globalThis.stability = stability;
  globalThis.functions ??= new Set();
  for (const one of [api, client, signOut, applyUpdate]) globalThis.functions.add(one);
  const names = Object.keys({ ...stability })
    .sort()
    .join();
  const person = `${session.status} ${session.user?.name ?? ''}`;
  const whole = `${runtime} ${pending} ${person} ${version.status} ${version.latest ?? ''} ${connection.status}`;
  globalThis.wholes ??= [];
  globalThis.wholes.push(whole);
  return (
    <>
      <output id="names">{names}</output>
      <output id="whole">{whole}</output>
    </>
  );
}

export function All(props) {
  return (
    <StabilityProvider {...props}>
      <Whole />
    </StabilityProvider>
  );
}

/** Take their time, so that a transition is rendered in pieces. */
const slow = {
  useActivity: () => useActivity().pending,
  useStability: () => useStability().pending,
};

function Slow({ by }) {
  const pending = slow[by]();
  const until = performance.now() + 4;
  while (performance.now() < until);
  return (
    <output className="slow">
      {by}: {pending}
    </output>
  );
}

const ROWS = Array.from({ length: 30 }, (_, i) => i);

/** `window.transitionTo` a hook renders rows that each call it; each commit notes what they show. */
function Rows() {
  const [by, setBy] = useState();
  window.transitionTo = (hook) => startTransition(() => setBy(hook));
  useLayoutEffect(() => {
    window.commits ??= [];
    const texts = [...document.querySelectorAll('.slow')].map(({ textContent }) => textContent);
    window.commits.push([...new Set(texts)]);
  });
  return by && ROWS.map((row) => <Slow key={`${by} ${row}`} by={by} />);
}

export function Transitions(props) {
  return (
    <StabilityProvider {...props}>
      <Rows />
    </StabilityProvider>
  );
}
