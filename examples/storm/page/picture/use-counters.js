import { useStability } from 'evenkeel/react';
import { useEffect, useState } from 'react';

/** What the client counted, looked at once in a frame in which something happened. @returns {Record<string, number>} */
export function useCounters() {
  const { client } = useStability();
  const [counters, setCounters] = useState({});
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      setCounters(client.diagnostics().counters);
    };
    const end = client.on(() => {
      frame ||= requestAnimationFrame(look);
    });
    return () => {
      end();
      cancelAnimationFrame(frame);
    };
  }, [client]);
  return counters;
}
