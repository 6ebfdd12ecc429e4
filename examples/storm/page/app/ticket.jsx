import { clock } from '../parts/now.js';

const LATE_MS = 1_500;

/** @param {{ id: string, order: { meal: string, count: number, from: string, at: number }, lateMs: number }} props */
export function Ticket({ id, order: { meal, count, from, at }, lateMs }) {
  const isLate = lateMs >= LATE_MS;
  const isOwn = !from.startsWith('Table');
  return (
    <li className={`ticket${isLate ? ' late' : ''}${isOwn ? ' own' : ''}`} data-id={id}>
      <small>#{id}</small>
      <b>
        {count} × {meal}
      </b>
      <span>{from}</span>
      <time>{isLate ? `${Math.round(lateMs / 1_000)} s late` : clock(at)}</time>
    </li>
  );
}
