import { span, useNow } from '../parts/now.js';

const TICK_MS = 250;

/** @param {{ until: number }} props */
export function TimeLeft({ until }) {
  return <span className="left">{span(until - useNow(TICK_MS))}</span>;
}
