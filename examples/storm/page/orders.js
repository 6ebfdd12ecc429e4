import { formatError } from '/pkg/index.js';

const SHOWN_MAX = 24;
const LATE_MS = 1_500;
const TICK_MS = 200;
const SERVER_EVERY_MS = 1_000;
const WORDS = {
  connecting: 'Connecting…',
  open: 'Open',
  waiting: 'Waits',
  polling: 'Polling',
  paused: 'Paused',
  closed: 'Closed',
};

const $ = (id) => document.getElementById(id);
const time = (at) => new Date(at).toLocaleTimeString('en-GB');

/**
 * The orders as they come in, and how their stream stands. `open` opens the one in use, and is asked again after it was closed.
 *
 * @param {() => import('./client.js').OrderStream} open @param {(source: import('./client.js').OrderStream) => void} log hears of each new state of a stream
 */
export function showOrders(open, log) {
  const figures = createFigures();
  const tally = createTally();
  let source;
  let joinedAt;

  function begin() {
    source?.close();
    const mine = open();
    source = mine;
    joinedAt = Date.now();
    tally.clear();
    figures.set('last', '–');
    $('tickets').replaceChildren();
    mine.addEventListener('order', (event) => {
      tally.add(Number(event.lastEventId));
      const ticket = ticketOf(event.lastEventId, JSON.parse(event.data), joinedAt);
      $('tickets').prepend(ticket);
      if ($('tickets').childElementCount > SHOWN_MAX) $('tickets').lastElementChild.remove();
      count();
    });
    const hear = () => {
      if (mine !== source) return;
      log(mine);
      show();
    };
    mine.state.subscribe(hear);
    hear();
    count();
  }

  function count() {
    for (const name of ['missed', 'repeated', 'received']) figures.set(name, tally[name]);
    if (tally.last) figures.set('last', `#${tally.last}`);
  }

  function show() {
    const { status, error, role, reconnects } = source.state.getSnapshot();
    const isClosed = status === 'closed';
    $('orders').dataset.status = status;
    $('orders-why').textContent = reason(status, error);
    figures.set('role', isClosed ? 'none' : role);
    figures.set('reconnects', reconnects);
    // The same button, so that the focus stays where it is.
    $('orders-close').textContent = isClosed ? 'Open' : 'Close';
    $('orders-again').disabled = isClosed;
    tick();
  }

  /** What goes on while it waits. */
  function tick() {
    const { status, nextRetryAt } = source.state.getSnapshot();
    const left = Math.max(0, Math.ceil(((nextRetryAt ?? 0) - Date.now()) / 1_000));
    const words = status === 'waiting' && nextRetryAt !== null ? `Next try in ${left} s` : WORDS[status];
    if ($('orders-status').textContent !== words) $('orders-status').textContent = words;
  }

  $('orders-again').addEventListener('click', () => source.reconnect());
  $('orders-close').addEventListener('click', () => {
    if (source.state.getSnapshot().status === 'closed') begin();
    else source.close();
  });
  $('plain').addEventListener('change', begin);
  begin();
  setInterval(tick, TICK_MS);
  countTabs(figures);
}

function reason(status, error) {
  if (status === 'open') return 'Each order as it is made.';
  if (status === 'polling')
    return 'No stream gets through: the server is asked again and again, and streams are tried.';
  if (error) return `${formatError(error)} (${error.kind})`;
  return status === 'closed' ? 'Nothing is asked.' : '';
}

/** What the server counted while nobody looked is counted here too: ids are consecutive, from the first that came. */
function createTally() {
  return {
    missed: 0,
    repeated: 0,
    received: 0,
    last: 0,
    clear() {
      this.missed = this.repeated = this.received = this.last = 0;
    },
    add(id) {
      this.received++;
      if (this.last && id > this.last) this.missed += id - this.last - 1;
      if (id <= this.last) this.repeated++;
      this.last = Math.max(this.last, id);
    },
  };
}

function ticketOf(id, { meal, count, from, at }, joinedAt) {
  const ticket = document.createElement('li');
  ticket.dataset.id = id;
  const lateMs = Date.now() - Math.max(at, joinedAt);
  for (const [tag, text] of [
    ['small', `#${id}`],
    ['b', `${count} × ${meal}`],
    ['span', from],
    ['time', lateMs < LATE_MS ? time(at) : `${Math.round(lateMs / 1_000)} s late`],
  ]) {
    const part = document.createElement(tag);
    part.textContent = text;
    ticket.append(part);
  }
  if (lateMs >= LATE_MS) ticket.className = 'late';
  if (!from.startsWith('Table')) ticket.classList.add('own');
  return ticket;
}

/** The numbers beside the list. */
function createFigures() {
  const shown = new Map();
  for (const [name, label] of [
    ['missed', 'missed'],
    ['repeated', 'repeated'],
    ['received', 'received'],
    ['last', 'last id'],
    ['reconnects', 'reconnects'],
    ['role', 'role'],
    ['tabs', 'tabs'],
    ['connections', 'streams at the server'],
  ]) {
    const cell = document.createElement('div');
    cell.className = 'figure';
    cell.dataset.name = name;
    cell.innerHTML = '<dd></dd><dt></dt>';
    cell.querySelector('dt').textContent = label;
    $('figures').append(cell);
    shown.set(name, cell);
  }
  return {
    set(name, value) {
      const cell = shown.get(name);
      cell.querySelector('dd').textContent = value;
      if (name === 'missed' || name === 'repeated') cell.dataset.tone = value ? 'bad' : 'good';
    },
  };
}

/** How many tabs have this page open: each holds a lock that all may hold. And how many streams the server counts. */
function countTabs(figures) {
  const NAME = 'a tab with the storm';
  const hold = () =>
    navigator.locks.request(NAME, { mode: 'shared' }, () => {
      return new Promise((resolve) => addEventListener('pagehide', resolve, { once: true }));
    });
  addEventListener('pageshow', ({ persisted }) => persisted && hold());
  hold();

  async function ask() {
    const { held } = await navigator.locks.query();
    figures.set('tabs', held.filter(({ name }) => name === NAME).length);
    const { connections } = await fetch('/streams').then((answer) => answer.json());
    figures.set('connections', connections);
  }
  const look = () => ask().catch(() => figures.set('connections', '–')); // the demo itself was stopped
  setInterval(look, SERVER_EVERY_MS);
  look();
}
