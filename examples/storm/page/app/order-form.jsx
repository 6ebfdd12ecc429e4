import { useStability } from 'evenkeel/react';
import { useEffect, useState } from 'react';
import { useCarried } from '../parts/carry.js';
import { useCall } from './call.js';

const FIRST = { meal: '', count: '1' };
const NONE = { text: 'No order yet.', state: '' };
const BUSY = { text: 'Ordering…', state: 'busy' };
const UNHEARD = { text: 'Not known: you reloaded the page before the kitchen answered.', state: 'failed' };

/** @param {{ meals: Array<{ id: number, name: string }> }} props */
export function OrderForm({ meals }) {
  const call = useCall();
  const { client } = useStability();
  const [chosen, choose] = useCarried('order', FIRST);
  const [receipt, setReceipt] = useCarried('receipt', NONE);
  const [orders, setOrders] = useState(0);
  const meal = chosen.meal || meals[0]?.name || '';

  // What one person ordered is not the other's to read.
  useEffect(() => client.session.onAccountChanged(() => setReceipt(NONE)), [client, setReceipt]);

  async function order(event) {
    event.preventDefault();
    setOrders(orders + 1);
    setReceipt(BUSY);
    const { ok, data, text } = await call.post('/api/orders', { meal, count: Number(chosen.count) });
    if (!ok) return setReceipt({ text: `Not ordered. ${text}`, state: 'failed' });
    const { number, count, meal: name } = data.order;
    const words = `Order ${number}: ${count} × ${name}. The kitchen has ${data.portions} in all.`;
    setReceipt({ text: words, state: 'fresh' });
  }

  const { text, state } = receipt.state === 'busy' && orders === 0 ? UNHEARD : receipt;
  return (
    <form className="order" onSubmit={order}>
      <label>
        Meal
        <select
          id="order-meal"
          required
          value={meal}
          onChange={(event) => choose({ ...chosen, meal: event.target.value })}
        >
          {meals.map(({ id, name }) => (
            <option key={id}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Portions
        <input
          type="number"
          min="1"
          max="20"
          required
          inputMode="numeric"
          value={chosen.count}
          onChange={(event) => choose({ ...chosen, count: event.target.value })}
        />
      </label>
      <button type="submit" className="primary">
        Order
      </button>
      <output className="said" id="receipt" data-state={state}>
        {text}
      </output>
    </form>
  );
}
