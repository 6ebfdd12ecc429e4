'use client';
/**
 * evenkeel/react: a provider, and hooks that render again only for what a component reads.
 */
import './stability.js'; // entries that reach the same files share one

export { useAutoSave } from './react-drafts.js';
export { useFormAutoSave } from './react-form.js';
export { useActivity, useApi, useConnection, useSession, useStability, useVersion } from './react-hooks.js';
export { StabilityProvider } from './react-provider.js';
export { RequireSession } from './react-require.js';
export { useResilientSSE } from './react-stream.js';
export type * from './types-react.js';
