import { useStability } from 'evenkeel/react';
import { useEffect } from 'react';
import { Card } from '../parts/card.jsx';
import { timesCarried, useCarried } from '../parts/carry.js';
import { Figures } from '../parts/figures.jsx';
import { useStore } from '../parts/store.js';
import { numberOf } from '../settings.js';
import { standing } from '../weather/standing.js';
import { useWaits } from './waits.js';
import './version.css';

const STATUS = {
  current: ['Current', 'good'],
  updateAvailable: ['Update there', 'wait'],
  reloading: ['Reloading…', 'wait'],
  blocked: ['Waits', 'wait'],
};

/** Which version the page is, which one is deployed, and what holds a reload back. */
export function Version() {
  const { client, version, applyUpdate } = useStability();
  const [isHeld, setHeld] = useCarried('hold', false);
  const [note, setNote] = useCarried('note', '');
  const { number = '–', rollingForMs = 0 } = useStore(standing) ?? {};
  const why = useWaits();
  const { status, latest, current } = version;
  const [words, tone] = STATUS[status];

  useEffect(() => (isHeld ? client.version.hold() : undefined), [client, isHeld]);

  return (
    <Card
      id="version-card"
      title="Version"
      status={words}
      tone={tone}
      why={latest && status !== 'current' ? `Version ${numberOf(latest)} is there. ${why}` : why}
      controls={
        <>
          <button type="button" onClick={() => client.version.check()}>
            Check now
          </button>
          <button type="button" disabled={status === 'current'} onClick={applyUpdate}>
            Reload
          </button>
        </>
      }
    >
      <div className="busy">
        {/* A button, and no checkbox: one that was just changed and has the focus would hold the reload back as well. */}
        <button type="button" className="toggle" aria-pressed={isHeld} onClick={() => setHeld(!isHeld)}>
          <i />I am in the middle of something
        </button>
        <label>
          A note, half typed
          <input
            autoComplete="off"
            placeholder="Type, and it waits"
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        </label>
      </div>
      <Figures
        of={[
          ['page', 'this page', numberOf(current)],
          ['server', 'the server', rollingForMs ? `${number - 1} or ${number}` : number],
          ['carried', 'carried over', `${timesCarried}×`],
        ]}
      />
    </Card>
  );
}
