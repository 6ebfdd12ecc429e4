import { clock } from '../parts/now.js';
import { useStore } from '../parts/store.js';
import { told } from '../picture/watch.js';

/** The last notices: toasts go. */
export function Told() {
  const lines = useStore(told);
  return (
    <section className="card" id="told" aria-labelledby="told-title">
      <h2 id="told-title">What the person was told</h2>
      {lines.length === 0 && <p className="why">Nothing yet. All is well.</p>}
      <ol className="log" id="log">
        {lines.map(({ key, at, level, message }) => (
          <li key={key} data-level={level}>
            <time>{clock(at)}</time> {message}
          </li>
        ))}
      </ol>
    </section>
  );
}
