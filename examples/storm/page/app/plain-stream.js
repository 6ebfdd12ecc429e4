import { useEffect, useRef, useState } from 'react';

const CLOSED = { status: 'closed', role: 'single', nextRetryAt: null, error: null, reconnects: 0 };
const STATUS = ['connecting', 'open', 'closed'];

/**
 * The browser's own EventSource, which tells little of how it stands.
 *
 * @param {string | null} url null: none is open @param {string} type of the events
 * @param {(message: any, event: MessageEvent) => void} onMessage
 */
export function usePlainStream(url, type, onMessage) {
  const [state, setState] = useState(CLOSED);
  const [tries, setTries] = useState(0);
  const latest = useRef(onMessage);
  useEffect(() => {
    latest.current = onMessage;
  });

  useEffect(() => {
    if (url === null) return setState(CLOSED);
    const source = new EventSource(url);
    let opened = 0;
    const show = () => {
      const reconnects = tries + Math.max(0, opened - 1);
      setState({ ...CLOSED, status: STATUS[source.readyState], reconnects });
    };
    source.addEventListener(type, (event) => latest.current(JSON.parse(event.data), event));
    source.onopen = () => {
      opened++;
      show();
    };
    source.onerror = show;
    show();
    return () => source.close();
  }, [url, type, tries]);

  return { ...state, reconnect: () => setTries((n) => n + 1) };
}
