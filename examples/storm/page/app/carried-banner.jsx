import { useEffect, useState } from 'react';
import { carried } from '../parts/carry.js';
import { numberOf, VERSION } from '../settings.js';

const SHOWN_MS = 20_000;

/** What became of the page that was here before. */
export function CarriedBanner() {
  const [isOpen, setOpen] = useState(carried !== null);
  useEffect(() => {
    const closing = setTimeout(setOpen, SHOWN_MS, false);
    return () => clearTimeout(closing);
  }, []);

  if (!isOpen) return null;
  const [from, to] = [carried.from, VERSION].map(numberOf);
  return (
    <div className="banner" id="carried" data-tone="good">
      <output>
        <b>
          {from === to ? `Reloaded, and still version ${to}.` : `Carried over from version ${from} to ${to}.`}
        </b>{' '}
        What you did, saw and chose is where it was.
      </output>
      <button type="button" aria-label="Close" onClick={() => setOpen(false)}>
        ×
      </button>
    </div>
  );
}
