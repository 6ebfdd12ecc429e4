import { createRequire, register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {import('../server/types.mjs').RecordedRequest} RecordedRequest
 * @typedef {import('../server/types.mjs').Step} Step
 */

// Next exports no paths: bundlers find `next/server` all the same, Node needs its file.
const HOOK =
  'export const resolve = (name, at, next) => next(/^next\\/\\w+$/.test(name) ? name + ".js" : name, at)';

register(`data:text/javascript,${encodeURIComponent(HOOK)}`);

/**
 * next-auth 5 behind /api/auth/, called as a route handler of a Next app calls it.
 * @param {string} folder where it is installed
 * @param {() => any} config asked for at each request
 * @returns {Promise<(request: RecordedRequest) => Promise<Step>>}
 */
export async function nextAuth5(folder, config) {
  const { NextRequest } = createRequire(join(folder, 'package.json'))('next/server');
  const { default: NextAuth } = await import(
    pathToFileURL(join(folder, 'node_modules/next-auth-v5/index.js')).href
  );
  const { handlers } = NextAuth(config);
  return async ({ method, url, headers, body }) => {
    const answer = await handlers[/** @type {'GET' | 'POST'} */ (method)](
      new NextRequest(`http://${headers.host}${url}`, { method, headers, body: body || undefined }),
    );
    return {
      status: answer.status,
      headers: { ...Object.fromEntries(answer.headers), 'set-cookie': answer.headers.getSetCookie() },
      body: await answer.text(),
    };
  };
}
