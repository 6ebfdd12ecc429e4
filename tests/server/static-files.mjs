import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** @typedef {import('./types.mjs').Step} Step */

/** @type {Record<string, string>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.woff2': 'font/woff2',
};

/** Folders and single pages, under the paths they are served at. */
export class StaticFiles {
  /** @type {Array<{ prefix: string, folder: string, headers: Record<string, string> }>} */ #folders = [];
  /** @type {Map<string, Step>} */ #pages = new Map();

  /** @param {string} prefix ends in a slash @param {string} folder @param {Record<string, string>} [headers] */
  serve(prefix, folder, headers = {}) {
    if (!/^\/(.*\/)?$/.test(prefix))
      throw new TypeError(`'${prefix}' is no folder's path: it starts and ends with a slash`);
    this.#folders.unshift({ prefix, folder: path.resolve(folder), headers });
  }

  /** @param {string} at @param {string} html @param {Record<string, string>} [headers] */
  page(at, html, headers = {}) {
    this.#pages.set(at, {
      headers: { 'Content-Type': TYPES['.html'], 'Cache-Control': 'no-cache', ...headers },
      body: html,
    });
  }

  /** @param {import('./recorder.mjs').RecordedRequest} request @returns {Promise<Step | null>} */
  async answer({ method, path: asked }) {
    if (method !== 'GET' && method !== 'HEAD') return null;
    const page = this.#pages.get(asked);
    if (page) return page;
    for (const { prefix, folder, headers } of this.#folders) {
      if (!asked.startsWith(prefix)) continue;
      const bytes = await read(folder, asked.slice(prefix.length));
      if (!bytes) continue;
      const type = TYPES[path.extname(asked) || '.html'] ?? 'application/octet-stream';
      return { headers: { 'Content-Type': type, 'Cache-Control': 'no-cache', ...headers }, body: bytes };
    }
    return null;
  }
}

/**
 * A file of the folder, or its index.html; nothing that is outside of it.
 * @param {string} folder
 * @param {string} asked percent-encoded
 */
async function read(folder, asked) {
  try {
    const file = path.resolve(folder, decodeURIComponent(asked) || '.');
    if (file !== folder && !file.startsWith(folder + path.sep)) return null;
    return await readFile(asked === '' || asked.endsWith('/') ? path.join(file, 'index.html') : file);
  } catch {
    return null; // missing, a folder, or not decodable
  }
}
