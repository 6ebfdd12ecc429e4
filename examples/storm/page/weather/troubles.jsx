import { useState } from 'react';
import { fillStorage, freeStorage, isFull } from './ballast.js';
import { steer } from './standing.js';

const DEAD_MS = 6_000;
const BEYOND = 2 ** 28; // more than an array of V8's can have

/** Buttons that take the page, its server or its storage away. */
export function Troubles() {
  const [isDead, setDead] = useState(false);
  const [crashed, sayCrashed] = useState('');
  const [storage, setStorage] = useState(() => ({ isFull: isFull(), isBusy: false, said: '' }));

  async function kill() {
    setDead(true);
    await steer('/kill', { forMs: DEAD_MS });
    setTimeout(() => setDead(false), DEAD_MS);
  }

  /** Chromium ends the process of a page that makes an array this long: no event, no last word. Other browsers throw. */
  function crash() {
    try {
      'x'.repeat(BEYOND).split('');
    } catch (error) {
      sayCrashed(`This browser did not crash: ${error.message}.`);
    }
  }

  async function fill() {
    setStorage({ ...storage, isBusy: true, said: storage.isFull ? 'Freeing…' : 'Filling…' });
    const said = await (storage.isFull ? freeStorage() : fillStorage());
    setStorage({ isFull: isFull(), isBusy: false, said });
  }

  return (
    <section className="card" id="troubles" aria-labelledby="troubles-title">
      <h2 id="troubles-title">Type, and then</h2>
      <ul className="troubles">
        <Trouble name="Reload now" onPress={() => location.reload()}>
          In the middle of a word: not a letter is missing, but the password.
        </Trouble>
        <Trouble
          name="Second window"
          onPress={() => window.open('/#plan', '_blank', 'noopener,popup,width=560,height=900')}
        >
          Wait there for “Saved”, then change a word in each: one of them is asked.
        </Trouble>
        <Trouble name="Kill the server" isBusy={isDead} onPress={kill}>
          Refuses connections for 6 s, then starts again on the same database file.
        </Trouble>
        <Trouble name="Crash the tab" onPress={crash} said={crashed}>
          Makes an array that is too long for Chromium, which ends the page without a word to it. Reload: at
          most the last 2 s are missing.
        </Trouble>
        <Trouble
          name={storage.isFull ? 'Free the storage' : 'Fill the storage'}
          isBusy={storage.isBusy}
          onPress={fill}
          said={storage.said || (storage.isFull ? 'Still full, from before the reload.' : '')}
        >
          The server still has it. Kill that too, and it says so: nothing is called saved.
        </Trouble>
      </ul>
    </section>
  );
}

function Trouble({ name, isBusy = false, onPress, said, children }) {
  return (
    <li>
      <button type="button" disabled={isBusy} onClick={onPress}>
        {name}
      </button>
      <p>
        {children} {said !== undefined && <output>{said}</output>}
      </p>
    </li>
  );
}
