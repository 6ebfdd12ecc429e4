import { GROUPS } from './faults.js';

/** The switches that break the server. Of the session's faults one is on at a time. */
export function showWeather() {
  const root = document.getElementById('faults');
  const switches = new Map();
  const ends = new Map();
  let told = Promise.resolve();

  /** Tells the server, one after another. Returns when it is so. */
  function tell() {
    const faults = [...switches].filter(([, { input }]) => input.checked).map(([name]) => name);
    document.body.classList.toggle('stormy', faults.length > 0);
    const send = () => fetch('/weather', { method: 'POST', body: JSON.stringify({ faults }) });
    told = told.then(send, send);
    return told;
  }

  function turn(fault, isOn) {
    const { input, left, card } = switches.get(fault.name);
    input.checked = isOn;
    card.classList.toggle('on', isOn);
    clearInterval(ends.get(fault.name));
    left.textContent = '';
    if (!isOn || !fault.lastsMs) return;
    const until = performance.now() + fault.lastsMs;
    const tick = () => {
      const seconds = Math.ceil((until - performance.now()) / 1_000);
      if (seconds > 0) left.textContent = `${seconds} s`;
      else {
        turn(fault, false);
        tell();
      }
    };
    ends.set(fault.name, setInterval(tick, 250));
    tick();
  }

  for (const { title, faults } of GROUPS) {
    const group = document.createElement('section');
    const heading = document.createElement('h3');
    heading.textContent = title;
    const cards = document.createElement('div');
    cards.className = 'faults';
    group.append(heading, cards);
    root.append(group);
    for (const fault of faults) {
      const card = cardOf(fault);
      const input = card.querySelector('input');
      switches.set(fault.name, { input, card, left: card.querySelector('.left') });
      input.addEventListener('change', () => {
        turn(fault, input.checked);
        if (input.checked && title === 'Session')
          for (const other of faults) if (other !== fault) turn(other, false);
        tell();
      });
      cards.append(card);
    }
  }

  document.getElementById('well').addEventListener('click', () => {
    for (const { faults } of GROUPS) for (const fault of faults) turn(fault, false);
    tell();
  });
  return tell(); // a page that was left in a storm starts in calm weather
}

function cardOf(fault) {
  const card = document.getElementById('fault').content.cloneNode(true).firstElementChild;
  const part = (name) => card.querySelector(`.${name}`);
  const input = card.querySelector('input');
  input.name = fault.name;
  part('name').textContent = fault.title;
  part('does').textContent = fault.does;
  part('without').textContent = fault.without;
  part('with').textContent = fault.with;
  part('name').id = `name-${fault.name}`;
  part('does').id = `does-${fault.name}`;
  input.setAttribute('aria-labelledby', part('name').id);
  input.setAttribute('aria-describedby', part('does').id);
  return card;
}
