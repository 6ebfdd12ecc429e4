// An app with openapi-fetch on `api.fetch`. What the server can do is typed by what openapi-typescript makes of its description.
import { StabilityProvider, useApi } from 'evenkeel/react';
import createClient from 'openapi-fetch';
import { useMemo, useRef, useState } from 'react';

/** @param {{ config: object }} props */
export function App({ config }) {
  return (
    <StabilityProvider config={config}>
      <Calls />
    </StabilityProvider>
  );
}

function Calls() {
  const api = useApi();
  const client = useMemo(() => createClient({ baseUrl: '/api', fetch: api.fetch }), [api]);
  const [answer, setAnswer] = useState('');
  const show = ({ data, error, response }) =>
    setAnswer(JSON.stringify({ data, error, status: response.status }));

  const read = () =>
    client.GET('/meals/{id}', { params: { path: { id: 7 }, query: { with: ['soup', 'rice'] } } }).then(show);
  const order = () =>
    client
      .POST('/orders', { body: { meal: 7 }, headers: { 'Idempotency-Key': crypto.randomUUID() } })
      .then(show);
  const leaving = useRef(new AbortController());
  const ask = () => {
    client
      .GET('/meals/{id}', { params: { path: { id: 7 } }, signal: leaving.current.signal })
      .catch((error) => setAnswer(error.name));
  };
  return (
    <>
      <button type="button" onClick={read}>
        Read
      </button>
      <button type="button" onClick={order}>
        Order
      </button>
      <button type="button" onClick={ask}>
        Ask
      </button>
      <button type="button" onClick={() => leaving.current.abort()}>
        Cancel
      </button>
      <output>{answer}</output>
    </>
  );
}
