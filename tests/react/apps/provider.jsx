// What a provider is asked for: one client, of its own or the app's, and errors that say what is wrong.

import {
  RequireSession,
  StabilityProvider,
  useActivity,
  useApi,
  useAutoSave,
  useConnection,
  useFormAutoSave,
  useResilientSSE,
  useSession,
  useStability,
  useVersion,
} from 'evenkeel/react';
import * as React from 'react';
import { Component, Suspense, useEffect } from 'react';

/** `window.clients`: each that was mounted with, and how often it was disposed of. */
function Watched() {
  const { client } = useStability();
  useEffect(() => {
    window.clients ??= [];
    if (window.clients.some((known) => known.client === client)) return;
    const { dispose } = client;
    const known = { client, disposals: 0 };
    window.clients.push(known);
    client.dispose = () => {
      known.disposals++;
      dispose();
    };
  }, [client]);
}

function Person({ id = 'person' }) {
  const { status, user } = useSession();
  return <output id={id}>{`${status} ${user?.name ?? ''}`.trim()}</output>;
}

function Same() {
  const { client, api } = useStability();
  return <output id="same">{String(useApi() === api && client.api === api)}</output>;
}

/** The app of most tests: whoever is below a provider has its client. */
export function App({ shown = true, name, ...props }) {
  if (!shown) return <output id="person">gone</output>;
  return (
    <StabilityProvider key={name} {...props}>
      <Watched />
      <Person />
      <Person id="again" />
      <Same />
    </StabilityProvider>
  );
}

/** `{ retries }` stands in place: a new object in each render. */
export function InPlace({ retries = 3, callbacks = 1 }) {
  const config = { session: {}, api: { retries }, onNotice: () => callbacks };
  return (
    <StabilityProvider config={config}>
      <Watched />
      <Person />
    </StabilityProvider>
  );
}

const never = new Promise(() => {});
function Waits() {
  useSession();
  useStability();
  throw never;
}

/** The provider is rendered again and again, and never mounted. */
export function NeverMounted({ config, turn = 0, without = false }) {
  const Provider = without ? React.Fragment : StabilityProvider;
  return (
    <Suspense fallback={<output id="person">waiting {turn}</output>}>
      <Provider {...(without ? {} : { config })}>{without ? <WaitsAlone /> : <Waits />}</Provider>
    </Suspense>
  );
}

function WaitsAlone() {
  throw never;
}

function Pauses({ waits }) {
  if (waits) throw never;
}

/** The app waits for something after it was mounted. */
export function Pausing({ waits, config }) {
  return (
    <Suspense fallback={<output id="waiting">one moment</output>}>
      <App config={config} />
      <Pauses waits={waits} />
    </Suspense>
  );
}

/** With React 19. */
export function Hideable({ mode = 'visible', ...props }) {
  return (
    <React.Activity mode={mode}>
      <App {...props} />
    </React.Activity>
  );
}

export function Nested({ outer, inner }) {
  return (
    <StabilityProvider config={outer}>
      <Person />
      <StabilityProvider config={inner}>
        <Person id="again" />
      </StabilityProvider>
      <Watched />
    </StabilityProvider>
  );
}

class Boundary extends Component {
  state = { error: null };

  static getDerivedStateFromError(error) {
    return { error };
  }

  render() {
    const { error } = this.state;
    return error ? <output id="error">{`${error.name}: ${error.message}`}</output> : this.props.children;
  }
}

export function Caught({ turn, ...props }) {
  return (
    <Boundary key={turn}>
      <App {...props} />
    </Boundary>
  );
}

const users = {
  useStability,
  useApi,
  useActivity,
  useSession,
  useVersion,
  useConnection,
  useAutoSave: () => useAutoSave('key', {}),
  useFormAutoSave: () => useFormAutoSave('key', { current: null }),
  useResilientSSE: () => useResilientSSE('/api/events'),
};

function Calls({ hook }) {
  users[hook]();
}

/** Without a provider. */
export function Bare({ hook }) {
  return (
    <Boundary key={hook}>
      {hook === 'RequireSession' ? <RequireSession>secret</RequireSession> : <Calls hook={hook} />}
    </Boundary>
  );
}
