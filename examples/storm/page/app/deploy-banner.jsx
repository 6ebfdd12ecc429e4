import { useStability, useVersion } from 'evenkeel/react';
import { numberOf } from '../settings.js';
import { useWaits } from './waits.js';

/** A new version is there: it comes by itself, unless something holds it back. */
export function DeployBanner() {
  const { client, applyUpdate } = useStability();
  const { status, latest, dismissed } = useVersion();
  const why = useWaits();
  if (status === 'current' || dismissed) return null;
  return (
    <div className="banner" id="deployed" data-tone="wait">
      <output>
        <b>Version {numberOf(latest ?? '?')} is there.</b> {why}
      </output>
      <button type="button" onClick={() => client.version.dismiss()}>
        Later
      </button>
      <button type="button" className="primary" onClick={applyUpdate}>
        Reload now
      </button>
    </div>
  );
}
