// Runs the named test steps in the order given, stops at the first that fails, and ends with the line
// `N passed, N failed`, the sum over all runners.
//
//   node .ci/test.mjs core package unit wasm e2e react auth packaging deploy
//
// WASM_TESTS names the browser tests for cargo, `--test name …`.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleTests } from './unit.mjs';

const root = resolve(fileURLToPath(import.meta.url), '../..');
process.chdir(root);

/** What a runner prints at its end, and how many of which kind it counts there. */
const SUMMARIES = [
  { runner: 'nextest', line: /Summary \[.*\] +\d+ tests? run: (.*)$/, count: countNextest },
  {
    runner: 'cargo test and wasm-bindgen-test',
    line: /^test result: \w+\. (\d+) passed; (\d+) failed;/,
    count: (_, passed, failed) => ({ passed: Number(passed), failed: Number(failed) }),
  },
  {
    runner: 'node, passed',
    line: /^(?:ℹ|#) pass (\d+)$/,
    count: (_, n) => ({ passed: Number(n), failed: 0 }),
  },
  {
    runner: 'node, failed',
    line: /^(?:ℹ|#) (?:fail|cancelled) (\d+)$/,
    count: (_, n) => ({ passed: 0, failed: Number(n) }),
  },
];

const steps = {
  async core() {
    if (spawnSync('cargo', ['nextest', '--version']).status === 0) {
      await run('cargo', [
        'nextest',
        'run',
        '--no-tests=pass',
        '--status-level=fail',
        '--final-status-level=slow',
      ]);
      await run('cargo', ['test', '--quiet', '--doc']);
    } else {
      await run('cargo', ['test', '--quiet']);
    }
  },

  async package() {
    await run('make', ['package']);
  },

  async unit() {
    const sources = testFiles('tests/unit', '.test.ts', '.test.tsx');
    const bundled = sources.length ? await bundleTests(sources) : [];
    await nodeTest([...testFiles('tests/server'), ...testFiles('tests/unit'), ...bundled], 120_000);
  },

  async wasm() {
    const names = (process.env.WASM_TESTS ?? '').split(' ').filter(Boolean);
    if (names.length === 0) return none('wasm_bindgen_tests');
    for (const [browser, driver] of [
      ['chrome', 'chromedriver'],
      ['firefox', 'geckodriver'],
    ]) {
      const drive = [`--${browser}`, `--${driver}`, which(driver)];
      await run('wasm-pack', ['test', '--headless', '--mode', 'no-install', ...drive, '--', ...names], {
        WASM_BINDGEN_TEST_TIMEOUT: '300',
      });
    }
  },

  async e2e() {
    await nodeTest([...testFiles('tests/harness'), ...testFiles('tests/e2e')], 600_000);
  },

  async react() {
    await nodeTest(testFiles('tests/react'), 300_000);
  },

  async auth() {
    await nodeTest(testFiles('tests/auth'), 300_000);
  },

  async packaging() {
    await nodeTest(testFiles('tests/packaging'), 900_000);
  },

  async deploy() {
    await nodeTest(testFiles('tests/deploy'), 600_000);
  },
};

let passed = 0;
let failed = 0;

async function main(names) {
  for (const name of names) {
    console.log(`\n=== ${name}`);
    const begun = Date.now();
    const ok = await steps[name]().then(
      () => true,
      (error) => console.error(error instanceof Failed ? error.message : error),
    );
    console.log(`=== ${name}: ${ok ? 'ok' : 'FAILED'}, ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    if (!ok) {
      process.exitCode = 1;
      break;
    }
  }
  // A step can fail without a failed test: a build that breaks, a browser that does not start.
  if (process.exitCode && failed === 0) failed = 1;
  console.log(`\n${passed} passed, ${failed} failed`);
}

class Failed extends Error {}

/** Runs a command, lets its output through, adds up its summaries; throws when it fails. */
async function run(command, args, env = {}) {
  console.log(`$ ${command} ${args.map((arg) => relativeTo(arg)).join(' ')}`);
  const child = spawn(command, args, {
    env: { ...process.env, CARGO_TERM_COLOR: 'never', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ]) {
    let rest = '';
    from.setEncoding('utf8');
    from.on('data', (text) => {
      to.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      lines.forEach(addUp);
    });
    from.on('end', () => addUp(rest));
  }
  const code = await new Promise((done, fail) => child.on('error', fail).on('close', done));
  if (code !== 0) throw new Failed(`${command} ended with ${code}`);
}

function addUp(line) {
  for (const summary of SUMMARIES) {
    const found = summary.line.exec(line);
    if (!found) continue;
    const counted = summary.count(...found);
    passed += counted.passed;
    failed += counted.failed;
  }
}

/** `12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped` */
function countNextest(_, text) {
  const counts = Object.fromEntries(
    [...text.matchAll(/(\d+) ([a-z ]*[a-z])/g)].map(([, n, what]) => [what, Number(n)]),
  );
  const { passed = 0, failed = 0 } = counts;
  return { passed, failed: failed + (counts['timed out'] ?? 0) + (counts['exec failed'] ?? 0) };
}

async function nodeTest(files, timeoutMs) {
  if (files.length === 0) return none('test files');
  await run(process.execPath, [
    '--enable-source-maps',
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=1',
    `--test-timeout=${timeoutMs}`,
    ...files,
  ]);
}

/** Named one by one: what `node --test` makes of a folder differs between its versions. */
function testFiles(folder, ...endings) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .filter((name) => (endings.length ? endings : ['.test.mjs']).some((ending) => name.endsWith(ending)))
    .filter((name) => !name.includes('node_modules'))
    .sort()
    .map((name) => join(folder, name));
}

function none(what) {
  console.log(`nothing to run: there are no ${what}`);
}

function which(command) {
  const found = (process.env.PATH ?? '').split(':').map((folder) => join(folder, command));
  const path = found.find((candidate) => existsSync(candidate));
  if (!path) throw new Failed(`${command} is not on PATH: .ci/setup installs it`);
  return path;
}

const relativeTo = (arg) => (arg.startsWith(root) ? relative(root, arg) : arg);

await main(process.argv.slice(2));
