import { formatError } from 'evenkeel';
import { useApi } from 'evenkeel/react';
import { useMemo } from 'react';
import { useCarried } from '../parts/carry.js';
import { calls } from '../picture/watch.js';
import { API } from '../settings.js';

/** Whether the page does without evenkeel, to compare. */
export const usePlain = () => useCarried('plain', false);

/** The page's calls. Each gives `{ ok, data, text }`, the text being what a person is shown. */
export function useCall() {
  const [isPlain] = usePlain();
  const steady = useSteadyCall();
  return isPlain ? plain : steady;
}

/** Through evenkeel, whatever else the page does. */
export function useSteadyCall() {
  const api = useApi();
  return useMemo(() => {
    async function call(method, path, body, options) {
      const row = calls.begin(method, API + path);
      const result = await api.request(method, path, body, options);
      calls.settle(row, result);
      return { ok: result.ok, data: result.data, text: result.ok ? '' : formatError(result.error) };
    }
    return {
      get: (path, options) => call('GET', path, undefined, options),
      post: (path, body) => call('POST', path, body, { idempotencyKey: true }),
    };
  }, [api]);
}

/** The same calls as they are often written. */
async function fetched(method, path, body) {
  const row = calls.beginPlain(method, API + path);
  try {
    const response = await fetch(API + path, {
      method,
      headers: body && { 'Content-Type': 'application/json' },
      body: body && JSON.stringify(body),
      credentials: 'include',
    });
    calls.answered(row, response.status);
    if (response.status === 401) throw new Error('Please sign in');
    if (!response.ok) throw new Error(`Error ${response.status}`);
    const data = await response.json();
    calls.endPlain(row, null);
    return { ok: true, data, text: '' };
  } catch (error) {
    calls.endPlain(row, error.message);
    return { ok: false, data: null, text: error.message };
  }
}

const plain = {
  get: (path) => fetched('GET', path),
  post: (path, body) => fetched('POST', path, body),
};
