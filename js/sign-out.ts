/**
 * Signing out at the server: the app's own way, or Auth.js' two requests.
 */
import type { Settings } from './config.js';
import { exchange } from './endpoint.js';
import { kindOfStatus, StabilityError } from './errors.js';
import { orAbort, type Requests, Unsendable } from './request.js';
import { beside, type SessionSettings } from './session-request.js';
import type { ErrorKind } from './types.js';

/** Where Auth.js' endpoints are: beside the session's, where that is one of them. */
const folderOf = (endpoint: URL): URL =>
  /auth\/session\/?$/.test(endpoint.pathname) ? endpoint : new URL('/api/auth/session', endpoint);

/** No refusals: the server was asked at a bad moment, or is broken. */
const PASSES = /^(408|425|429|5..)$/;

/** Where version 4 and 5 send who came without a good token, and version 5 whom it cannot help. */
const REFUSED = /[?&](csrf=true|error=)/;

/** Settles when the server has decided: with why it did not sign the person out, or nothing. */
export async function signOutAtServer(
  session: SessionSettings,
  api: Settings['api'],
  requests: Requests,
  life: AbortSignal,
): Promise<StabilityError | undefined> {
  const within = (ms: number) => AbortSignal.any([life, AbortSignal.timeout(ms)]);
  const signal = within(api.deadlineMs);
  try {
    await (session.signOut
      ? orAbort(signal, session.signOut())
      : askAuthJs(requests, folderOf(requests.resolve(session.endpoint)), () =>
          within(session.verifyTimeoutMs),
        ));
  } catch (cause) {
    return cause instanceof StabilityError
      ? cause
      : new StabilityError(signal.aborted ? 'timeout' : 'invalid', { cause });
  }
  return undefined;
}

async function askAuthJs(requests: Requests, endpoint: URL, bound: () => AbortSignal): Promise<void> {
  const callbackUrl = globalThis.location?.href ?? endpoint.origin;

  /** What the answer says in one field. */
  async function ask(
    field: string,
    method: string,
    name: string,
    headers?: Record<string, string>,
    body?: BodyInit,
  ): Promise<string> {
    const url = beside(endpoint, name);
    const signal = bound();
    let status = 0;
    let kind: ErrorKind = 'network';
    let cause: unknown;
    try {
      const [response, answer] = await exchange(requests, signal, url, method, headers, body);
      status = response.status;
      kind = status < 400 ? 'parse' : PASSES.test(`${status}`) ? kindOfStatus(status) : 'forbidden';
      const said = status < 400 && answer?.[field];
      if (typeof said === 'string') {
        // Accepted, it is where we asked to go on: this page, whatever its own query says.
        if (said === callbackUrl || !REFUSED.test(said)) return said;
        kind = 'forbidden';
      }
    } catch (error) {
      const unsent = error instanceof Unsendable;
      cause = unsent ? error.cause : error;
      if (unsent) kind = 'invalid';
      else if (signal.aborted) kind = 'timeout';
      else if (!status && globalThis.navigator?.onLine === false) kind = 'offline';
    }
    throw new StabilityError(kind, { method, url: url.href, status, attempts: 1, cause });
  }

  const csrfToken = await ask('csrfToken', 'GET', 'csrf');
  const form = new URLSearchParams({ csrfToken, callbackUrl, json: 'true' });
  await ask('url', 'POST', 'signout', { 'X-Auth-Return-Redirect': '1' }, form);
}
