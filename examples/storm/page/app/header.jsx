import { useConnection, useStability, useVersion } from 'evenkeel/react';
import { clock } from '../parts/now.js';
import { numberOf } from '../settings.js';

const CONNECTION = {
  online: ['Online', 'good'],
  degraded: ['Degraded', 'wait'],
  offline: ['Offline', 'bad'],
};

export function Header() {
  const { runtime } = useStability();
  const { status, since } = useConnection();
  const [words, tone] = CONNECTION[status];
  const number = numberOf(useVersion().current);
  return (
    <header className="top" style={{ '--number': number }}>
      <img className="mark" src="icon.svg" alt="" width="36" height="36" />
      <div className="title">
        <h1>
          Storm <small id="version">version {number}</small>
        </h1>
        <p>
          A canteen’s page on <strong>evenkeel</strong>. Break its server below, and watch what the page makes
          of it.
        </p>
      </div>
      {runtime === 'failed' && (
        <p className="pill" data-tone="bad">
          WebAssembly does not run: plain fetch
        </p>
      )}
      <p className="pill" id="connection" data-tone={tone}>
        {words} since {clock(since)}
      </p>
    </header>
  );
}
