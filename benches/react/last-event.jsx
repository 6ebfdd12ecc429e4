// A page that shows the last event of a stream, by the hook and as apps do it by hand.
import { fetchEventSource } from '@microsoft/fetch-event-source';
import { createStability } from 'evenkeel';
import { StabilityProvider, useResilientSSE } from 'evenkeel/react';
import { useEffect, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const URL_OF_EVENTS = '/api/events';
const PAINTED_MS_MAX = 20_000;

const client = createStability({ session: false, version: false });
/** What the page did since it was mounted. `painted` is called once what came last is on the screen. */
let seen = { renders: 0, heard: 0, lastHeardAt: 0, painted: () => {} };

function heard() {
  seen.heard++;
  seen.lastHeardAt = performance.now();
}

function ByHook() {
  const { lastMessage } = useResilientSSE(URL_OF_EVENTS, { onMessage: heard });
  seen.renders++;
  return <Shown order={lastMessage} />;
}

function ByHand() {
  const [last, setLast] = useState(null);
  useEffect(() => {
    const ending = new AbortController();
    fetchEventSource(URL_OF_EVENTS, {
      signal: ending.signal,
      onmessage({ data }) {
        heard();
        setLast(JSON.parse(data));
      },
    });
    return () => ending.abort();
  }, []);
  seen.renders++;
  return <Shown order={last} />;
}

function Shown({ order }) {
  useLayoutEffect(() => {
    if (!order?.isLast) return;
    requestAnimationFrame(() => {
      // The frame is on its way once a task after it runs.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => seen.painted(performance.now());
      port2.postMessage(0);
    });
  }, [order]);
  return (
    <p>
      Order {order?.id}: {order?.state}
    </p>
  );
}

const ways = { useResilientSSE: <ByHook />, 'fetch-event-source': <ByHand /> };

/** Mounts it, and unmounts it once the last event is on the screen. */
window.show = async (way) => {
  const painted = new Promise((resolve, reject) => {
    seen = { renders: 0, heard: 0, lastHeardAt: 0, painted: resolve };
    setTimeout(() => reject(new Error(`not painted: ${JSON.stringify(seen)}`)), PAINTED_MS_MAX);
  });
  const root = createRoot(document.body.appendChild(document.createElement('main')));
  root.render(<StabilityProvider client={client}>{ways[way]}</StabilityProvider>);
  const paintedAt = await painted;
  const { renders, heard, lastHeardAt } = seen;
  root.unmount();
  return { renders, heard, lateMs: paintedAt - lastHeardAt };
};

window.ready = client.ready;
