// An app with SWR: what fails is tried again by evenkeel, and by nobody else.
import { unwrap } from 'evenkeel';
import { StabilityProvider, useApi } from 'evenkeel/react';
import useSWR, { SWRConfig } from 'swr';

/** @param {{ config: object, fetcher: 'unwrapped' | 'fetched' }} props */
export function App({ config, ...shown }) {
  return (
    <StabilityProvider config={config}>
      <Pages {...shown} />
    </StabilityProvider>
  );
}

function Pages({ fetcher }) {
  const api = useApi();
  const fetchers = {
    unwrapped: (url) => unwrap(api.get(url)),
    fetched: async (url) => {
      const response = await api.fetch(url);
      if (!response.ok) throw new Error(`status ${response.status}`);
      return response.json();
    },
  };
  // Retries that were on would come at once, and be counted.
  const value = { fetcher: fetchers[fetcher], shouldRetryOnError: false, errorRetryInterval: 1 };
  return (
    <SWRConfig value={value}>
      <Meals />
      <Meals />
    </SWRConfig>
  );
}

function Meals() {
  const { data, error } = useSWR('/api/meals');
  return <p className="meals">{error ? (error.kind ?? error.message) : data?.join()}</p>;
}
