import { useCounters } from './use-counters.js';

const ALWAYS = ['requests', 'retries', 'ok', 'shared'];
const ELSEWHERE = /^(stream|session|version|draft)/; // in panels of their own

export function Counters() {
  const counters = useCounters();
  const failures = Object.keys(counters).filter((name) => !ALWAYS.includes(name) && !ELSEWHERE.test(name));
  return (
    <section className="card fact" aria-labelledby="counters-title">
      <h2 id="counters-title">Counters</h2>
      <dl className="counters">
        {[...ALWAYS, ...failures].map((name) => (
          <div className="counter" key={name} data-failure={failures.includes(name) || undefined}>
            <dt>{name}</dt>
            <dd>{counters[name] ?? 0}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
