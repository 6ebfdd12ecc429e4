const BURST_SAME = 30;
const BURST_OTHERS = 30;
const TRICKLE_MS = 2_000;
const STOCKS = 6;

const $ = (id) => document.getElementById(id);
const time = (at) => new Date(at).toLocaleTimeString('en-GB');

/** The app itself: a list that loads, a form that posts, and what goes on in the background. `client` gives the one in use. */
export function openKitchen(client) {
  let loadedAt = null;
  let loading = 0;

  async function loadMeals() {
    loading++;
    say('Loading…', 'busy');
    const { ok, data, text } = await client().get('/api/meals');
    loading--;
    if (ok) {
      loadedAt = Date.now();
      showMeals(data.meals);
    } else if ($('plain').checked) {
      $('meals').replaceChildren();
      loadedAt = null;
    }
    $('as-of').textContent = loadedAt ? `As of ${time(loadedAt)}.` : '';
    if (!loading) say(text, ok ? 'fresh' : 'failed');
  }

  function say(text, state) {
    $('freshness').textContent = text;
    $('freshness').dataset.state = state;
  }

  function showMeals(meals) {
    $('meals').replaceChildren(
      ...meals.map((meal) => {
        const item = document.createElement('li');
        for (const [tag, text] of [
          ['b', meal.name],
          ['span', meal.with],
          ['data', `${meal.price.toFixed(2)} €`],
        ]) {
          const part = document.createElement(tag);
          part.textContent = text;
          item.append(part);
        }
        return item;
      }),
    );
    const chosen = $('order-meal').value;
    $('order-meal').replaceChildren(...meals.map(({ name }) => new Option(name)));
    if (chosen) $('order-meal').value = chosen;
  }

  async function order(event) {
    event.preventDefault();
    const form = new FormData($('order'));
    const receipt = $('receipt');
    receipt.dataset.state = 'busy';
    receipt.textContent = 'Ordering…';
    const { ok, data, text } = await client().post('/api/orders', {
      meal: form.get('meal'),
      count: Number(form.get('count')),
    });
    receipt.dataset.state = ok ? 'fresh' : 'failed';
    receipt.textContent = ok
      ? `Order ${data.order.number}: ${data.order.count} × ${data.order.meal}. The kitchen has ${data.portions} in all.`
      : `Not ordered. ${text}`;
  }

  function burst() {
    for (let i = 0; i < BURST_SAME; i++) client().get('/api/meals');
    for (let i = 0; i < BURST_OTHERS; i++) client().get(`/api/stock/${i + 1}`);
  }

  let turn = 0;
  let trickling;
  function trickle() {
    clearInterval(trickling);
    if (!$('trickle').checked) return;
    const ask = () =>
      client().get(`/api/stock/${(turn++ % STOCKS) + 1}`, { priority: 'background', notify: false });
    trickling = setInterval(ask, TRICKLE_MS);
  }

  $('load').addEventListener('click', loadMeals);
  $('order').addEventListener('submit', order);
  $('burst').addEventListener('click', burst);
  $('trickle').addEventListener('change', trickle);
  trickle();
  loadMeals();
}
