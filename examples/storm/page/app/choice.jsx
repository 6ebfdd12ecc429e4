import { useState } from 'react';
import { clock } from '../parts/now.js';
import { FIELDS, merge } from './plan-fields.js';

/**
 * Two texts of one draft beside each other, and what to make of them.
 *
 * @param {{ mine: any, theirs: any, theirsUpdatedAt: Date | null, onChoose: (choice: 'mine' | 'theirs' | { merged: any }) => Promise<void> }} props
 */
export function Choice({ mine, theirs, theirsUpdatedAt, onChoose }) {
  const [isBusy, setBusy] = useState(false);
  async function choose(choice) {
    setBusy(true);
    await onChoose(choice);
    setBusy(false);
  }
  const theirsAt = theirsUpdatedAt ? `saved at ${clock(theirsUpdatedAt)}` : 'saved at another time';
  return (
    <fieldset className="choice" id="choice" disabled={isBusy}>
      <legend className="unseen">Two texts of one draft</legend>
      <section aria-labelledby="mine-title">
        <h3 id="mine-title">
          Yours <small>not sent</small>
        </h3>
        <Fields id="mine" data={mine} other={theirs} />
      </section>
      <section aria-labelledby="theirs-title">
        <h3 id="theirs-title">
          Theirs <small id="theirs-at">{theirs ? theirsAt : 'published, or thrown away'}</small>
        </h3>
        <Fields id="theirs" data={theirs} other={mine} />
      </section>
      <div className="controls">
        <button type="button" onClick={() => choose('mine')}>
          Keep mine
        </button>
        <button type="button" onClick={() => choose('theirs')}>
          {theirs ? 'Take theirs' : 'Let it go'}
        </button>
        {theirs && (
          <button type="button" onClick={() => choose({ merged: merge(mine, theirs) })}>
            Merge both
          </button>
        )}
      </div>
    </fieldset>
  );
}

function Fields({ id, data, other }) {
  return (
    <dl id={id}>
      {data &&
        FIELDS.map(([name, label]) => (
          <div key={name} data-differs={(other && data[name] !== other[name]) || undefined}>
            <dt>{label}</dt>
            <dd>{data[name] || '–'}</dd>
          </div>
        ))}
    </dl>
  );
}
