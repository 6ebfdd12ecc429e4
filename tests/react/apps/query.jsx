// An app with TanStack Query: what fails is tried again by evenkeel, and by nobody else.
import { QueryClient, QueryClientProvider, useMutation, useQuery } from '@tanstack/react-query';
import { unwrap } from 'evenkeel';
import { StabilityProvider, useApi } from 'evenkeel/react';
import { useState } from 'react';

/** @param {{ config: object, view: keyof VIEWS | null }} props */
export function App({ config, view }) {
  const [queryClient] = useState(
    // Retries that were on would come at once, and be counted.
    () => new QueryClient({ defaultOptions: { queries: { retry: false, retryDelay: 1 } } }),
  );
  const View = view && VIEWS[view];
  return (
    <StabilityProvider config={config}>
      <QueryClientProvider client={queryClient}>{View && <View />}</QueryClientProvider>
    </StabilityProvider>
  );
}

/** Of results: what fails is a StabilityError. */
function Unwrapped() {
  const api = useApi();
  const meals = useQuery({
    queryKey: ['meals'],
    queryFn: ({ signal }) => unwrap(api.get('/api/meals', { signal })),
  });
  return <Meals {...meals} />;
}

/** Of responses, as with any fetch. */
function Fetched() {
  const api = useApi();
  const meals = useQuery({
    queryKey: ['meals'],
    queryFn: async ({ signal }) => {
      const response = await api.fetch('/api/meals', { signal });
      if (!response.ok) throw new Error(`status ${response.status}`);
      return response.json();
    },
  });
  return <Meals {...meals} />;
}

/** @param {{ data?: string[], error: (Error & { kind?: string }) | null, failureCount: number }} query */
function Meals({ data, error, failureCount }) {
  return (
    <>
      <p id="meals">{data?.join()}</p>
      <p id="error">{error && (error.kind ?? error.message)}</p>
      <p id="failures">{failureCount}</p>
    </>
  );
}

function Order() {
  const api = useApi();
  const order = useMutation({
    mutationFn: (meal) => unwrap(api.post('/api/orders', { meal }, { idempotencyKey: true })),
  });
  return (
    <button type="button" onClick={() => order.mutate('soup')}>
      {order.data?.id ?? order.error?.kind ?? order.status}
    </button>
  );
}

const VIEWS = { Unwrapped, Fetched, Order };
