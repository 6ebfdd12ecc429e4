import { formatError } from 'evenkeel';
import { useResilientSSE, useSession } from 'evenkeel/react';
import { useEffect } from 'react';
import { Card } from '../parts/card.jsx';
import { useCarried } from '../parts/carry.js';
import { Figures } from '../parts/figures.jsx';
import { useNow } from '../parts/now.js';
import { useStore } from '../parts/store.js';
import { calls } from '../picture/watch.js';
import { API } from '../settings.js';
import { standing } from '../weather/standing.js';
import { usePlain } from './call.js';
import { EMPTY, listOf, withTicket } from './order-list.js';
import { usePlainStream } from './plain-stream.js';
import { Ticket } from './ticket.jsx';
import { useTabs } from './use-tabs.js';
import './orders.css';

const LIVE = '/api/orders/live';
const TICK_MS = 200;
const STATUS = {
  connecting: ['Connecting…', 'wait'],
  open: ['Open', 'good'],
  waiting: ['Waits', 'wait'],
  polling: ['Polling', 'wait'],
  paused: ['Paused', 'bad'],
  closed: ['Closed', 'bad'],
};
const OPENED = { isOpen: true, at: Date.now() };

/** The orders as they come in. A page that was carried over goes on after the last id that the one before it had. */
export function Orders() {
  const [isPlain] = usePlain();
  const [{ isOpen, at }, setOpened] = useCarried('opened', OPENED);
  const [all, setAll] = useCarried('orders', EMPTY);
  const { status, userKey } = useSession();
  const name = `${isPlain ? 'plain' : 'steady'} ${at}`;
  const list = listOf(all, name);
  const person = status === 'signedOut' ? '' : userKey;

  function hear(order, { lastEventId: id }) {
    const lateMs = Date.now() - Math.max(order.at, at);
    setAll((before) => withTicket(listOf(before, name), { id, order, lateMs }, person));
  }
  const steady = useResilientSSE(isOpen && !isPlain ? LIVE : null, {
    event: 'order',
    shared: true,
    lastEventId: list.last ? String(list.last) : '',
    poll: { url: '/api/orders/since', intervalMs: 1_000 },
    onMessage: hear,
  });
  const plain = usePlainStream(isOpen && isPlain ? API + LIVE : null, 'order', hear);
  const stream = isPlain ? plain : steady;
  const isClosed = stream.status === 'closed';
  useRow(name, stream);

  function open() {
    if (isOpen) stream.reconnect(); // the server closed it
    setOpened({ isOpen: true, at: Date.now() });
  }

  return (
    <Card
      id="orders"
      title="Orders, live"
      status={useWords(stream)}
      tone={STATUS[stream.status][1]}
      why={reason(stream)}
      controls={
        <>
          <button type="button" disabled={isClosed} onClick={stream.reconnect}>
            Reconnect
          </button>
          {/* One button, so that the focus stays where it is. */}
          <button type="button" onClick={isClosed ? open : () => setOpened({ isOpen: false, at })}>
            {isClosed ? 'Open' : 'Close'}
          </button>
        </>
      }
    >
      <ol className="tickets" id="tickets" aria-label="The newest orders">
        {list.tickets.map((ticket) => (
          <Ticket {...ticket} key={ticket.key} />
        ))}
      </ol>
      <Figures
        of={[
          ['missed', 'missed', list.missed, list.missed ? 'bad' : 'good'],
          ['repeated', 'repeated', list.repeated, list.repeated ? 'bad' : 'good'],
          ['received', 'received', list.received],
          ['last', 'last id', list.last ? `#${list.last}` : '–'],
          ['reconnects', 'reconnects', stream.reconnects],
          ['role', 'role', isClosed ? 'none' : stream.role],
          ['tabs', 'tabs', useTabs()],
          ['connections', 'streams at the server', useStore(standing)?.connections ?? '–'],
        ]}
      />
    </Card>
  );
}

/** How it stands, and what goes on while it waits. */
function useWords({ status, nextRetryAt }) {
  const isWaiting = status === 'waiting' && nextRetryAt !== null;
  const now = useNow(isWaiting ? TICK_MS : null);
  if (!isWaiting) return STATUS[status][0];
  return `Next try in ${Math.max(0, Math.ceil((nextRetryAt - now) / 1_000))} s`;
}

function reason({ status, error }) {
  if (status === 'open') return 'Each order as it is made.';
  if (status === 'polling')
    return 'No stream gets through: the server is asked again and again, and streams are tried.';
  if (error) return `${formatError(error)} (${error.kind})`;
  return status === 'closed' ? 'Nothing is asked.' : '';
}

/** Its row in the time line. */
function useRow(name, { status, error, nextRetryAt }) {
  useEffect(() => {
    calls.stream(name, API + LIVE, { status, error, nextRetryAt });
  }, [name, status, error, nextRetryAt]);
}
