import { RequireSession, useStability } from 'evenkeel/react';
import { useEffect } from 'react';
import { Activity } from '../picture/activity.jsx';
import { hear } from '../picture/breaker-states.js';
import { Breakers } from '../picture/breakers.jsx';
import { Counters } from '../picture/counters.jsx';
import { createMarks } from '../picture/marks.js';
import { TimeLine } from '../picture/time-line.jsx';
import { calls } from '../picture/watch.js';
import { Troubles } from '../weather/troubles.jsx';
import { Weather } from '../weather/weather.jsx';
import { CarriedBanner } from './carried-banner.jsx';
import { DeployBanner } from './deploy-banner.jsx';
import { Header } from './header.jsx';
import { Meals } from './meals.jsx';
import { Orders } from './orders.jsx';
import { Plan } from './plan.jsx';
import { Session } from './session.jsx';
import { SignIn } from './sign-in.jsx';
import { Told } from './told.jsx';
import { Version } from './version.jsx';

export function App() {
  useTimeLine();
  return (
    <>
      <Header />
      <main>
        <CarriedBanner />
        <DeployBanner />
        <div className="row today">
          <Meals />
          <div className="live">
            <div className="row facts">
              <Activity />
              <Breakers />
              <Counters />
            </div>
            <TimeLine />
          </div>
        </div>
        <Orders />
        <div className="row planning">
          <RequireSession signedOut={<SignIn />} fallback={<SignIn isAsking />}>
            <Plan />
          </RequireSession>
          <div className="beside">
            <Troubles />
            <Told />
          </div>
        </div>
        <div className="row standing">
          <Session />
          <Version />
        </div>
        <Weather />
      </main>
    </>
  );
}

/** What happens is heard of here, for the pictures. */
function useTimeLine() {
  const { client } = useStability();
  useEffect(() => {
    const mark = createMarks(calls, () => client.session.getSnapshot().user?.name ?? 'nobody');
    return client.on((event) => {
      calls.hear(event);
      hear(event);
      mark(event);
    });
  }, [client]);
}
