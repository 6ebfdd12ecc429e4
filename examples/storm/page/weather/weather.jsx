import { useStability } from 'evenkeel/react';
import { useEffect, useRef } from 'react';
import { useCarried } from '../parts/carry.js';
import { Doing } from './doing.jsx';
import { Fault } from './fault.jsx';
import { GROUPS, SESSION } from './faults.js';
import { steer } from './standing.js';
import './weather.css';

const CALM = {};
const DOES = {
  blip: ({ session }) => session.verify(),
  forget: async ({ session }) => {
    await steer('/forget');
    await session.verify();
  },
  switch: ({ session }) => {
    window.open(`/as/${otherThan(session.getSnapshot().userKey).toLowerCase()}`, '_blank', 'noopener');
  },
  deploy: () => steer('/deploy'),
  roll: (_, lastsMs) => steer('/deploy', { rollingMs: lastsMs }),
};

/** The other one of the two. */
const otherThan = (userKey) => (userKey === 'ben' ? 'Ada' : 'Ben');

/** The switches and buttons that break the server. */
export function Weather() {
  const { client, session } = useStability();
  const { on, turn, clear } = useWeather();

  async function flip(name, isOn) {
    await turn(name, isOn);
    if (isOn) DOES[name]?.(client);
  }

  return (
    <section className="weather" aria-labelledby="weather-title">
      <header>
        <div>
          <h2 id="weather-title">Weather</h2>
          <p>
            Each switch breaks the API’s server. Several may be on at once. What has a button is done once.
          </p>
        </div>
        <button type="button" className={Object.keys(on).length ? 'well primary' : 'well'} onClick={clear}>
          All well
        </button>
      </header>
      {GROUPS.map(({ title, faults }) => (
        <section key={title} aria-label={title}>
          <h3>{title}</h3>
          <div className="faults">
            {faults.map((fault) =>
              fault.action ? (
                <Doing
                  key={fault.name}
                  fault={fault}
                  label={fault.name === 'switch' ? `Let ${otherThan(session.userKey)} sign in` : fault.action}
                  onPress={() => DOES[fault.name](client, fault.lastsMs)}
                />
              ) : (
                <Fault key={fault.name} fault={fault} until={on[fault.name]} onTurn={flip} />
              ),
            )}
          </div>
        </section>
      ))}
    </section>
  );
}

/** Which faults are on, and until when; null: until they are turned off. Of the session's one is on at a time. */
function useWeather() {
  const [on, setOn] = useCarried('weather', CALM);
  // A page that was left in a storm starts in calm weather, unless it was carried over.
  const first = useRef(on);
  useEffect(() => {
    tell(first.current);
  }, []);

  function change(turned) {
    let next = CALM;
    setOn((now) => (next = turned(now)));
    return tell(next);
  }
  return {
    on,
    clear: () => change(() => CALM),
    turn: (name, isOn) => change((now) => turned(now, name, isOn)),
  };
}

let told = Promise.resolve();

/** Tells the server, one after another. Settles when it is so. */
function tell(faults) {
  const send = () => steer('/weather', { faults: Object.keys(faults) });
  told = told.then(send, send);
  return told;
}

function turned(on, name, isOn) {
  const { [name]: _, ...others } = on;
  if (!isOn) return others;
  const isOfSession = SESSION.has(name);
  const kept = Object.entries(others).filter(([other]) => !(isOfSession && SESSION.has(other)));
  const { lastsMs } = GROUPS.flatMap(({ faults }) => faults).find((fault) => fault.name === name);
  return { ...Object.fromEntries(kept), [name]: lastsMs ? Date.now() + lastsMs : null };
}
