import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * @typedef {import('../server/types.mjs').RecordedRequest} RecordedRequest
 * @typedef {import('../server/types.mjs').Step} Step
 */

/**
 * next-auth 4 behind /api/auth/, called as a page under pages/api of a Next app calls it.
 * @param {string} folder where it is installed
 * @param {() => any} config asked for at each request
 * @returns {Promise<(request: RecordedRequest) => Promise<Step>>}
 */
export async function nextAuth4(folder, config) {
  process.env.AUTH_TRUST_HOST = '1'; // it takes this from nowhere else
  const { default: NextAuth } = createRequire(join(folder, 'package.json'))('next-auth-v4');
  return async (request) => {
    const { host } = request.headers;
    const response = new ApiResponse();
    await NextAuth(
      {
        method: request.method,
        headers: { ...request.headers, 'x-forwarded-host': host, 'x-forwarded-proto': 'http' },
        cookies: cookies(request),
        query: { ...Object.fromEntries(request.query), nextauth: request.path.split('/').slice(3) },
        body: body(request),
      },
      response,
      config(),
    );
    return response.step;
  };
}

/** @param {RecordedRequest} request */
function cookies({ headers: { cookie } }) {
  const pairs = cookie ? cookie.split('; ').map((pair) => pair.split(/=(.*)/s)) : [];
  return Object.fromEntries(pairs.map(([name, value]) => [name, decodeURIComponent(value)]));
}

/** @param {RecordedRequest} request */
function body(request) {
  if (!request.body) return {};
  return request.headers['content-type']?.startsWith('application/json')
    ? request.json()
    : Object.fromEntries(new URLSearchParams(request.body));
}

/** What it uses of Next's response. */
class ApiResponse {
  /** @type {Step & { headers: Record<string, any> }} */
  step = { headers: {} };

  /** @param {string} name */
  getHeader(name) {
    return this.step.headers[name];
  }

  /** @param {string} name @param {any} value */
  setHeader(name, value) {
    this.step.headers[name] = value;
    return this;
  }

  /** @param {number} status */
  status(status) {
    this.step.status = status;
    return this;
  }

  /** @param {unknown} body */
  json(body) {
    this.setHeader('Content-Type', 'application/json');
    this.step.body = JSON.stringify(body);
  }

  /** Next sends null as nothing, and objects as JSON. @param {unknown} body */
  send(body) {
    if (typeof body === 'object' && body !== null) this.json(body);
    else this.step.body = /** @type {string} */ (body ?? '');
  }

  end() {}
}
