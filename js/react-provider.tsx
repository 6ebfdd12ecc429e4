/**
 * The client that an app's components share.
 */
import {
  createContext,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useInsertionEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from 'react';
import { createStability } from './index.js';
import { provided, whileInert } from './provided.js';
import { createGate } from './react-gate.js';
import { isDevelopment } from './request.js';
import type { SessionState, Stability, StabilityConfig, Store } from './types.js';
import type { StabilityProviderProps } from './types-react.js';

/** What hooks find. @internal */
export interface Shared {
  client: Stability;
  /** The client's, or what the server rendered with while the client knows nothing. */
  session: Store<SessionState>;
  /** true: what is protected must not be seen. */
  gate: ReturnType<typeof createGate>;
}

const Context = createContext<Shared | undefined>(undefined);

/** What the provider above gives. @internal */
export function useShared(hook: string): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error(`evenkeel: ${hook} needs a StabilityProvider above it`);
  return shared;
}

/** Gives the components below a client: one of the app's own, or one that it makes. */
export function StabilityProvider(props: StabilityProviderProps): ReactElement {
  const { client, config } = props;
  if (!client === !config)
    throw new TypeError('evenkeel: StabilityProvider needs a client or a config, and not both');
  return client ? <Given {...props} client={client} /> : <Made {...props} config={config!} />;
}

interface GivenProps {
  client: Stability;
  initialSession?: unknown;
  children?: ReactNode;
}

function Given({ client, initialSession, children }: GivenProps): ReactElement {
  // biome-ignore lint/correctness/useExhaustiveDependencies: a client begins with one session
  const shared = useMemo((): Shared => {
    const { session } = client;
    const hidden = provided(client);
    // On a server the client may be everybody's.
    if (globalThis.document) hidden?.welcome(initialSession);
    const rendered = hidden?.rendered(initialSession);
    const shown = rendered ? before(session, rendered) : session;
    return { client, session: shown, gate: createGate(shown, () => client.session.verify()) };
  }, [client]);
  useRendered(client, initialSession);
  useInsertionEffect(() => shared.gate.watch(), [shared]);
  return <Context.Provider value={shared}>{children}</Context.Provider>;
}

/** The server renders again, and says something else than this page knows: it is asked. */
function useRendered(client: Stability, initialSession: unknown): void {
  const seen = useRef(initialSession);
  useEffect(() => {
    if (seen.current === initialSession) return;
    seen.current = initialSession;
    const rendered = provided(client)?.rendered(initialSession);
    const { status, userKey } = client.session.getSnapshot();
    if (rendered && (rendered.status !== status || rendered.userKey !== userKey)) client.session.verify();
  }, [client, initialSession]);
}

/** A session that is shown as it was rendered until more is known. */
const before = (session: Store<SessionState>, rendered: SessionState): Store<SessionState> => ({
  subscribe: session.subscribe,
  getSnapshot() {
    const now = session.getSnapshot();
    return now.status === 'loading' ? rendered : now;
  },
  getServerSnapshot: () => rendered,
});

/** A layout effect. Servers run none, and React 18 says so there. */
const useShownEffect = globalThis.document ? useLayoutEffect : useEffect;

interface MadeProps {
  config: StabilityConfig;
  initialSession?: unknown;
  children?: ReactNode;
}

function Made({ config, initialSession, children }: MadeProps): ReactElement {
  // A render may be thrown away: its client does nothing before the effect.
  const [client] = useState(() => whileInert(() => createStability(withSession(config, initialSession))));
  const ends = useRef<ReturnType<typeof setTimeout>>(undefined);
  // It ends with the component: neither StrictMode nor an Activity that hides is that.
  useInsertionEffect(() => {
    clearTimeout(ends.current);
    return () => {
      ends.current = setTimeout(client.dispose);
    };
  }, [client]);
  // Before the effects of the components below.
  useShownEffect(() => provided(client)?.begin(), [client]);
  useWarning(config);
  return (
    <Given client={client} initialSession={initialSession}>
      {children}
    </Given>
  );
}

/** A session that is off stays off. */
function withSession(config: StabilityConfig, initialSession: unknown): StabilityConfig {
  const { session } = config;
  if (!session || initialSession === undefined) return config;
  return { ...config, session: { ...session, initialSession } };
}

/** Says once that a later configuration changes nothing. */
function useWarning(config: StabilityConfig): void {
  const first = useRef<StabilityConfig | undefined>(config);
  useEffect(() => {
    if (!isDevelopment() || !first.current || isSame(config, first.current)) return;
    first.current = undefined;
    console.warn('evenkeel: StabilityProvider keeps its first config; give it another key to begin anew');
  }, [config]);
}

/** An object in place is a new one in each render. */
function isSame(one: StabilityConfig, other: StabilityConfig): boolean {
  try {
    return one === other || JSON.stringify(one) === JSON.stringify(other);
  } catch {
    return true; // it cannot be told
  }
}
