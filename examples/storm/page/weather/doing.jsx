import { useEffect, useState } from 'react';
import { Seen } from './seen.jsx';
import { TimeLeft } from './time-left.jsx';

/**
 * What is done once.
 *
 * @param {{ fault: import('./faults.js').FaultCard, label: string, onPress: () => void }} props
 */
export function Doing({ fault, label, onPress }) {
  const { name, title, lastsMs } = fault;
  const [until, setUntil] = useState(null);
  useEffect(() => {
    if (!until) return;
    const ending = setTimeout(() => setUntil(null), until - Date.now());
    return () => clearTimeout(ending);
  }, [until]);

  function press() {
    if (lastsMs) setUntil(Date.now() + lastsMs);
    onPress();
  }
  return (
    <div className="card fault" data-on={until ? true : undefined}>
      <p className="doing-head">
        <span className="name">{title}</span>
        {until && <TimeLeft until={until} />}
      </p>
      <Seen fault={fault} />
      <button type="button" aria-describedby={`does-${name}`} onClick={press}>
        {label}
      </button>
    </div>
  );
}
