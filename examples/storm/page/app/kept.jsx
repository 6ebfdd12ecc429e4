import { Figures } from '../parts/figures.jsx';
import { useStore } from '../parts/store.js';
import { useCounters } from '../picture/use-counters.js';
import { standing } from '../weather/standing.js';

/** Where the draft is kept, and what the server has of it. @param {{ savedTo: string }} props */
export function Kept({ savedTo }) {
  const { draftSaves = 0, draftConflicts = 0, draftRestores = 0 } = useCounters();
  const held = useStore(standing)?.held;
  return (
    <div className="kept">
      <Figures
        of={[
          ['savedTo', 'has the last save', savedTo],
          ['draftSaves', 'saves', draftSaves],
          ['draftConflicts', 'conflicts', draftConflicts],
          ['draftRestores', 'brought back', draftRestores],
        ]}
      />
      <details>
        <summary>What the server holds of it</summary>
        <pre id="plan-held">{held ? JSON.stringify(held, null, 2) : 'Nothing.'}</pre>
      </details>
    </div>
  );
}
