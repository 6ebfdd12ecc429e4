import { useActivity } from 'evenkeel/react';

const FULL = 40;

export function Activity() {
  const { pending, queued } = useActivity();
  return (
    <section className="card fact" aria-labelledby="activity-title">
      <h2 id="activity-title">In flight and waiting</h2>
      <dl className="meters">
        <Meter name="pending" label="not settled" value={pending} />
        <Meter name="queued" label="of them queued" value={queued} />
      </dl>
    </section>
  );
}

function Meter({ name, label, value }) {
  return (
    <div className="meter" data-name={name} style={{ '--share': Math.min(1, value / FULL) }}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
