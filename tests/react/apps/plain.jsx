// Without the library: what the pages themselves do.
import { useEffect, useState, version } from 'react';

export function App({ name = 'nobody', onMount }) {
  const [count, setCount] = useState(0);
  useEffect(() => onMount?.(), [onMount]);
  return (
    <p>
      <output id="shown">{`React ${version.split('.')[0]}, ${name}, ${count}`}</output>
      <button type="button" onClick={() => setCount(count + 1)}>
        More
      </button>
    </p>
  );
}

export function Differs() {
  return <output>{typeof window}</output>;
}

export function Broken() {
  throw new Error('broken');
}
