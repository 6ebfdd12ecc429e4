import { useCallback, useEffect, useRef, useState } from 'react';
import { useCarried } from '../parts/carry.js';
import { clock } from '../parts/now.js';
import { useCall, usePlain } from './call.js';
import { OrderForm } from './order-form.jsx';
import { Traffic } from './traffic.jsx';
import './meals.css';

const NONE = { meals: [], loadedAt: null };

/** A list that is loaded, and what can be ordered of it. */
export function Meals() {
  const call = useCall();
  const [isPlain] = usePlain();
  const [{ meals, loadedAt }, setList] = useCarried('meals', NONE);
  const [said, say] = useState({ text: 'Loading…', state: 'busy' });
  const newest = useRef(0);

  const load = useCallback(async () => {
    const mine = ++newest.current;
    say({ text: 'Loading…', state: 'busy' });
    const { ok, data, text } = await call.get('/api/meals');
    if (mine !== newest.current) return;
    if (ok) setList({ meals: data.meals, loadedAt: Date.now() });
    else if (isPlain) setList(NONE);
    say({ text, state: ok ? 'fresh' : 'failed' });
  }, [call, isPlain, setList]);

  useEffect(() => {
    load();
  }, [load]);

  return (
    <section className="card meals-card" aria-labelledby="meals-title">
      <header className="card-head">
        <h2 id="meals-title">Today’s meals</h2>
        <button type="button" onClick={load}>
          Load again
        </button>
      </header>
      <output className="said">
        {loadedAt && `As of ${clock(loadedAt)}. `}
        <span id="freshness" data-state={said.state}>
          {said.text}
        </span>
      </output>
      <ul className="meals" id="meals">
        {meals.map(({ id, name, with: extras, price }) => (
          <li key={id}>
            <b>{name}</b> <span>{extras}</span> <data value={price}>{price.toFixed(2)} €</data>
          </li>
        ))}
      </ul>
      <OrderForm meals={meals} />
      <Traffic />
    </section>
  );
}
