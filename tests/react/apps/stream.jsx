// Streams, each in a component that shows what it reads of its own, and notes how often it was rendered.
import { StabilityProvider, useResilientSSE, useStability } from 'evenkeel/react';
import * as React from 'react';

const ALL = ['status', 'isConnected', 'attempts', 'role', 'error', 'reconnects', 'lastMessage'];

/** By name, what a component did: `window.seen` in a page. */
globalThis.seen = {};

/** Some streams of one client: `streams` is a list of what each component is given. `window.turn`: whose effects have run. */
export function App({ config, client, streams, turn = 0 }) {
  React.useEffect(() => {
    window.turn = turn;
  }, [turn]);
  return (
    <StabilityProvider {...(client ? { client } : { config })}>
      <Client />
      {streams.map(({ name = 'a', isHidden, ...given }) => (
        <Place key={name} isHidden={isHidden}>
          <Stream name={name} {...given} />
        </Place>
      ))}
    </StabilityProvider>
  );
}

function Client() {
  const { client } = useStability();
  React.useEffect(() => {
    window.app = client;
  }, [client]);
  return null;
}

/** Within an Activity where `isHidden` says something. */
function Place({ isHidden, children }) {
  if (isHidden === undefined) return children;
  return <React.Activity mode={isHidden ? 'hidden' : 'visible'}>{children}</React.Activity>;
}

/**
 * `says`: what `onMessage` notes beside each message. `token`: sent by a function for headers. `throws`: so does `onMessage`. Functions and options
 * are new ones in each render.
 */
function Stream({ name, url = '/api/events', options, says, token, throws, reads = ALL }) {
  seen[name] ??= { renders: 0, statuses: [], heard: [] };
  const mine = seen[name];
  const given = { ...options };
  if (says)
    given.onMessage = (message, { type }) => {
      mine.heard.push([says, message, type]);
      if (throws) throw new Error(throws);
    };
  if (token) given.headers = () => ({ 'X-Token': token });
  const stream = useResilientSSE(url, given);
  mine.renders++;
  mine.stream = stream;
  const shown = Object.fromEntries(reads.map((field) => [field, stream[field]]));
  mine.statuses.push(shown.status);
  const asText = (_, value) => (value instanceof Error ? value.kind : value);
  return <output data-name={name}>{JSON.stringify(shown, asText)}</output>;
}
