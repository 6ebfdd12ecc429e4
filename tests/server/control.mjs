import { Rule } from './rules.mjs';

/**
 * The server steered over HTTP, so that a page can make its own bad weather:
 *
 *     POST /__fault/script     one or a list of { match, steps, chance? }; `match` is '/api/x', 'POST /api/x' or '/api/*', or
 *                              { pattern, flags? } for a RegExp
 *     POST /__fault/state      { version?, session?, keepAlive?, refuseForMs? }
 *     GET  /__fault/requests   ?match=/api/x &since=<epoch ms>
 *     GET  /__fault/drafts     what stands, of everybody
 *     POST /__fault/drafts     { owner, key, data, schemaVersion?, saveId? }: another device saves; without data it clears
 *     POST /__fault/reset      no scripts, no records, and the state that the server started with
 *
 * @param {import('./fault-server.mjs').FaultServer} server
 * @param {import('./recorder.mjs').RecordedRequest} request
 * @returns {import('./types.mjs').Step}
 */
export function control(server, request) {
  try {
    return { headers: { 'Cache-Control': 'no-store' }, body: route(server, request) };
  } catch (error) {
    return { status: 400, body: { error: String(error) } };
  }
}

/** @param {import('./fault-server.mjs').FaultServer} server @param {import('./recorder.mjs').RecordedRequest} request */
function route(server, request) {
  switch (`${request.method} ${request.path}`) {
    case 'POST /__fault/script': {
      const rules = [request.json()].flat().map(toRule);
      for (const { matcher, steps, options } of rules) server.on(matcher, steps, options);
      return { scripts: rules.length };
    }
    case 'POST /__fault/state': {
      const { refuseForMs, ...state } = request.json();
      for (const [key, value] of Object.entries(state)) {
        if (!['version', 'session', 'keepAlive'].includes(key)) throw new TypeError(`no state '${key}'`);
        Object.assign(server, { [key]: value });
      }
      if (refuseForMs)
        setTimeout(() => server.refuse().then(() => setTimeout(() => server.accept(), refuseForMs)), 50); // after this answer
      return { version: server.version };
    }
    case 'GET /__fault/requests': {
      const since = Number(request.queryValue('since') ?? 0);
      const match = request.queryValue('match');
      return (match ? server.requestsTo(match) : server.requests).filter(({ at }) => at >= since);
    }
    case 'GET /__fault/drafts':
      return draftsOf(server).rows();
    case 'POST /__fault/drafts': {
      const { owner, key, ...draft } = request.json();
      const drafts = draftsOf(server);
      return { rev: draft.data === undefined ? drafts.clear(owner, key) : drafts.put(owner, key, draft) };
    }
    case 'POST /__fault/reset':
      server.reset();
      return { scripts: 0 };
    default:
      throw new TypeError(`no ${request.method} ${request.path}`);
  }
}

/** @param {import('./fault-server.mjs').FaultServer} server */
function draftsOf({ drafts }) {
  if (drafts) return drafts;
  throw new TypeError('this server keeps no drafts');
}

/** @param {{ match: string | { pattern: string, flags?: string }, steps: any, chance?: number }} given */
function toRule({ match, steps, chance }) {
  const matcher = typeof match === 'object' ? new RegExp(match.pattern, match.flags) : match;
  const options = { chance };
  new Rule(matcher, steps, options); // refused as a whole, before any of them is in force
  return { matcher, steps, options };
}
