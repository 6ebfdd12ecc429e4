import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { launchOptions } from './launch.mjs';
import { closeTab } from './lifecycle.mjs';
import { until } from './until.mjs';

/** @typedef {import('playwright-core').BrowserContext} BrowserContext */

/**
 * A person's browser, with a profile on the disk that outlives it:
 *
 *     const profile = createProfile(t);
 *     const page = await openPage(t, { context: await profile.start(), server });
 *     await profile.kill();                      // and what the disk has by then is all there is
 *     const again = await openPage(t, { context: await profile.start(), server });
 *
 * @param {{ after: (close: () => Promise<void>) => void }} owner
 * @param {Parameters<typeof launchOptions>[0]} [options]
 */
export function createProfile(owner, options) {
  const profile = new Profile(options);
  owner.after(() => profile.end());
  return profile;
}

class Profile {
  /** @type {BrowserContext | null} */ #context = null;
  #options;

  /** @param {Parameters<typeof launchOptions>[0]} [options] */
  constructor(options) {
    this.folder = mkdtempSync(join(tmpdir(), 'profile-'));
    this.#options = options;
  }

  /** @returns {Promise<BrowserContext>} all that the profile has, in a browser of its own */
  async start() {
    this.#context = await chromium.launchPersistentContext(this.folder, launchOptions(this.#options));
    return this.#context;
  }

  /** As the person closes the window: pages hear that they are left, storage is written. */
  async close() {
    for (const page of this.#context?.pages() ?? []) await closeTab(page); // a browser that ends tells them nothing
    await this.#context?.close();
    this.#context = null;
  }

  /** As the system does when memory runs out: SIGKILL, to all of its processes at once. Nothing more is said or written. */
  async kill() {
    const context = this.#context;
    if (!context) throw new Error('no browser to kill: start it first');
    const closed = new Promise((resolve) => context.once('close', resolve));
    const pid = this.#pid();
    process.kill(-pid, 'SIGKILL'); // it leads a process group
    await closed;
    await until(() => !isAlive(pid));
    this.#context = null;
  }

  async end() {
    await this.#context?.close();
    rmSync(this.folder, { recursive: true, maxRetries: 5 });
  }

  /** Chromium's own lock on the profile is a link that names host and process. */
  #pid() {
    return Number(readlinkSync(join(this.folder, 'SingletonLock')).split('-').pop());
  }
}

/** Whether a process of the group is left. @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}
