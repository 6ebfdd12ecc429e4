import { useStability } from 'evenkeel/react';
import { useState } from 'react';
import { useSteadyCall } from './call.js';

/** Signs in by name, as NextAuth's credentials are posted. */
export function useSignIn() {
  const { client } = useStability();
  const call = useSteadyCall();
  const [said, say] = useState('');

  async function signIn(name) {
    say('Signing in…');
    const { ok, text } = await call.post('/api/auth/callback/credentials', new URLSearchParams({ name }));
    if (ok) await client.session.verify();
    say(text);
  }

  return { said, signIn };
}
