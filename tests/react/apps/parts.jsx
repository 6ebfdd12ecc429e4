// Data that a page is given, and kept as a draft.
import { StabilityProvider, useAutoSave, useStability } from 'evenkeel/react';
import { useEffect } from 'react';

/** @param {{ config: object, make?: () => any, data?: any, options?: object }} props make: makes the data anew in each render */
export function App({ config, ...props }) {
  return (
    <StabilityProvider config={config}>
      <Part {...props} />
    </StabilityProvider>
  );
}

function Part({ make, data = make?.() ?? null, options }) {
  const { client } = useStability();
  const draft = useAutoSave('letter', data, { ...options, enabled: data !== null });
  window.letters = { letter: { draft } };
  useEffect(() => void (window.app = client), [client]);
  return <output>{draft.status}</output>;
}
