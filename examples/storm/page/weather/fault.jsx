import { useEffect } from 'react';
import { Switch } from '../parts/switch.jsx';
import { Seen } from './seen.jsx';
import { TimeLeft } from './time-left.jsx';

/**
 * A fault that is switched on and off.
 *
 * @param {{ fault: import('./faults.js').FaultCard, until: number | null | undefined, onTurn: (name: string, isOn: boolean) => void }} props
 *   `until` undefined: it is off; null: on, until it is turned off
 */
export function Fault({ fault, until, onTurn }) {
  const { name, title } = fault;
  const isOn = until !== undefined;
  useEffect(() => {
    if (!until) return;
    const ending = setTimeout(() => onTurn(name, false), until - Date.now());
    return () => clearTimeout(ending);
  }, [name, until, onTurn]);

  return (
    <div className="card fault" data-on={isOn || undefined}>
      <Switch
        name={name}
        aria-labelledby={`name-${name}`}
        aria-describedby={`does-${name}`}
        isOn={isOn}
        onTurn={(isOn) => onTurn(name, isOn)}
      >
        <span className="name" id={`name-${name}`}>
          {title}
        </span>
        {until && <TimeLeft until={until} />}
      </Switch>
      <Seen fault={fault} />
    </div>
  );
}
