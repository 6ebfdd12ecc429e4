import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { until } from '../harness/until.mjs';

const run = promisify(execFile);
const BUILD_WITHIN_MS = 240_000;
const SERVED_WITHIN_MS = 90_000;
const SAID_CHARACTERS_MAX = 20_000;
const ENV = { NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' };

/** @typedef {Record<string, string>} Env */

/** One of the app's scripts, to its end. @param {string} app @param {string} script @param {string[]} [args] @param {Env} [env] */
export async function build(app, script = 'build', args = [], env = {}) {
  const options = { cwd: app, env: { ...process.env, ...ENV, ...env }, timeout: BUILD_WITHIN_MS };
  const { stdout, stderr } = await run('npm', ['run', script, '--', ...args], options).catch((error) => {
    throw new Error(`${script} failed: ${error.message}\n${error.stdout}`);
  });
  return stdout + stderr;
}

/**
 * One of the app's scripts that serves, on a port of its own, until the test ends.
 * @param {import('node:test').TestContext} t
 * @param {string} app
 * @param {string} script
 * @param {string[]} [args]
 * @param {Env} [env]
 * @returns {Promise<string>} its origin
 */
export async function serve(t, app, script, args = [], env = {}) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = spawn('npm', ['run', script, '--', '--port', String(port), ...args], {
    cwd: app,
    env: { ...process.env, ...ENV, ...env },
    detached: true, // a group of its own, which can be ended as a whole
  });
  serving.add(child);
  const closed = once(child, 'close');
  t.after(async () => {
    end(child);
    await closed;
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => (said = (said + text).slice(-SAID_CHARACTERS_MAX)));
  }
  try {
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return fetch(origin).then(
        (answer) => answer.ok,
        () => false,
      );
    }, SERVED_WITHIN_MS);
  } catch (error) {
    throw new Error(`'${script}' does not serve: ${error}\n${said}`);
  }
  return origin;
}

/** What is served now: its groups outlive this process unless they are ended. @type {Set<import('node:child_process').ChildProcess>} */
const serving = new Set();
const endAll = () => serving.forEach(end);
process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    endAll();
    process.kill(process.pid, signal);
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function end(child) {
  serving.delete(child);
  try {
    process.kill(-(/** @type {number} */ (child.pid)), 'SIGKILL');
  } catch {} // it has ended by itself
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}
