import { useEffect, useRef } from 'react';
import { useCarried } from '../parts/carry.js';
import { Switch } from '../parts/switch.jsx';
import { useCall, usePlain } from './call.js';

const BURST_SAME = 30;
const BURST_OTHERS = 30;
const TRICKLE_MS = 2_000;
const STOCKS = 6;

/** Requests that nobody waits for, few and many. */
export function Traffic() {
  const call = useCall();
  const [isPlain, setPlain] = usePlain();
  const [isTrickling, setTrickling] = useCarried('trickle', true);
  const turn = useRef(0);

  useEffect(() => {
    if (!isTrickling) return;
    const ask = () =>
      call.get(`/api/stock/${(turn.current++ % STOCKS) + 1}`, { priority: 'background', notify: false });
    const trickling = setInterval(ask, TRICKLE_MS);
    return () => clearInterval(trickling);
  }, [call, isTrickling]);

  function burst() {
    for (let i = 0; i < BURST_SAME; i++) call.get('/api/meals');
    for (let i = 0; i < BURST_OTHERS; i++) call.get(`/api/stock/${i + 1}`);
  }

  return (
    <div className="traffic">
      <h3>Traffic</h3>
      <Switch isOn={isTrickling} onTurn={setTrickling}>
        Background: one request every 2 s
      </Switch>
      <Switch isOn={isPlain} onTurn={setPlain}>
        Without evenkeel (plain fetch)
      </Switch>
      <button type="button" onClick={burst}>
        Burst: 60 requests
      </button>
    </div>
  );
}
