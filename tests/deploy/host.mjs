import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { startFaultServer } from '../server/fault-server.mjs';

/** @type {Record<string, string>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};
const FOR_EVER = 'public, max-age=31536000, immutable';

/**
 * Serves one build of an app at a time, and its API, which says the version of that build.
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {Record<string, string>} builds the folder of each version; the first one is deployed
 */
export async function startHost(owner, builds) {
  const server = await startFaultServer();
  owner.after(() => server.close());
  return new Host(server, builds);
}

export class Host {
  /**
   * What a script that is gone is answered with: 404, or the page itself, as hosts of single-page apps do for every address that they do not know.
   * @type {'notFound' | 'page'}
   */
  missing = 'notFound';

  /** @type {string[]} the versions that take turns in answering */ #running;
  #turn = 0;
  /** @type {Map<string, string>} */ #kept = new Map();
  /** @type {RegExp | undefined} */ #lost;

  /** @param {import('../server/fault-server.mjs').FaultServer} server @param {Record<string, string>} builds */
  constructor(server, builds) {
    this.server = server;
    this.builds = builds;
    this.#running = [Object.keys(builds)[0]];
    server.on(
      ({ path }) => path.startsWith('/api/'),
      () => ({ pass: true, headers: { 'X-App-Version': this.#next() } }),
    );
    server.on('/api/version', () => {
      const version = this.#next();
      return { headers: { 'X-App-Version': version }, body: { version } };
    });
    server.on('/api/items', () => ({ headers: { 'X-App-Version': this.#next() }, body: [] }));
    server.on(
      ({ path }) => !path.startsWith('/api/'),
      ({ path }) => this.#file(path),
    );
  }

  get origin() {
    return this.server.origin;
  }

  /** From now on this version answers; what only an earlier build had is gone. @param {string} version */
  deploy(version) {
    this.#running = [version];
  }

  /** Old and new servers take turns, request by request, until a version is deployed. Scripts of both are there. @param {string[]} versions */
  roll(versions) {
    this.#running = versions;
  }

  /** This file stays what it is in that version, as in a cache that nobody clears. @param {string} path @param {string} version */
  keep(path, version) {
    this.#kept.set(path, version);
  }

  /** Files that are gone although nothing was deployed. @param {RegExp} paths */
  lose(paths) {
    this.#lost = paths;
  }

  #next() {
    return this.#running[this.#turn++ % this.#running.length];
  }

  /** @param {string} path @returns {Promise<import('../server/types.mjs').Step>} */
  async #file(path) {
    const isAsset = extname(path) !== '';
    const from = this.#kept.get(path) ?? this.#next();
    for (const version of isAsset ? [from, ...this.#running] : [from]) {
      const body = isAsset ? await this.#read(version, path) : await this.#page(version);
      if (!body || this.#lost?.test(path)) continue;
      const hashed = /^\/(assets|_next\/static)\/|[-/][0-9a-f]{16,}\.js$/.test(path);
      return {
        headers: {
          'Content-Type': TYPES[extname(path) || '.html'] ?? 'application/octet-stream',
          'Cache-Control': hashed ? FOR_EVER : 'no-cache',
        },
        body,
      };
    }
    const body = this.missing === 'page' && (await this.#page(from));
    if (body) return { headers: { 'Content-Type': TYPES['.html'], 'Cache-Control': 'no-cache' }, body };
    return {
      status: 404,
      headers: { 'Content-Type': TYPES['.txt'], 'Cache-Control': 'no-cache' },
      body: 'Not found',
    };
  }

  /** @param {string} version */
  #page(version) {
    return this.#read(version, '/index.html');
  }

  /** @param {string} version @param {string} path */
  #read(version, path) {
    return readFile(join(this.builds[version], path)).catch(() => null);
  }
}
