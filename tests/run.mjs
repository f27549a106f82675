// Builds what the tests need and runs them, as many at once as the machine has processors. The last
// line is the sum over all, "N passed, N failed", with ", N skipped" when there are any; the exit
// code is 1 when anything failed. The suites are described in tests/README.md.
//   node tests/run.mjs                        every suite but arm64
//   node tests/run.mjs native golden          these suites
//   node tests/run.mjs --all                  every suite, and its long tests
//   node tests/run.mjs --repeat 20 browser    20 times, until the first failure
//   node tests/run.mjs --busy browser         while every processor has something else to do, too
//   node tests/run.mjs --times                prints the slowest programs and tests
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBrowser, nodeWithRelaxedSimd } from '../wasm/toolchain/setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const MAX_MINUTES = 30; // a program that takes longer hangs
const SLOWEST = 30; // how many --times prints
// files of tests/node that wait for servers and clocks most of the time
const WAITING = ['downloads', 'progress', 'resume'];
const DURATIONS = join(root, 'build/tests/durations.json'); // of the last run, in seconds

const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean' },
    busy: { type: 'boolean' },
    repeat: { type: 'string', default: '1' },
    times: { type: 'boolean' },
  },
});
const env = { ...process.env, NODE_NO_WARNINGS: '1', ...(flags.all && { TOKENGLASS_ALL: '1' }) };

/** The files below a folder whose path in it fits the pattern, in order. */
function find(folder, pattern) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Runs a program to its end; gives its exit code (null when it was killed) and all it printed. */
function run(command, args, extraEnv = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      cwd: root,
      env: { ...env, ...extraEnv },
      timeout: MAX_MINUTES * 60_000,
      killSignal: 'SIGKILL',
    });
    const collect = (chunk) => (output += chunk);
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => resolve({ code: null, output: `${output}${error.message}\n` }));
    child.on('close', (code, signal) =>
      resolve({ code, output: signal ? `${output}ended by ${signal}\n` : output }),
    );
  });
}

// A job is one program: its name, and a function that runs it and gives { passed, failed, skipped,
// failures: text to print, notes: lines to print in any case, tests: [[seconds, name]] }.

/** A program whose last line is its sum, as tests/native/test.h and tests/lint.mjs print it. */
const program = (name, command, args) => ({
  name,
  async run() {
    const { code, output } = await run(command, args);
    const sum = output.match(/(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/);
    const failures = output
      .split(/^(?=(?:ok|not ok|skip) )/m)
      .filter((part) => /^not ok|^\s+\S+:\d+:/.test(part));
    return judge(code, sum?.slice(1), sum ? failures.join('') || output : output);
  },
});

/** A file of node:test; its report has a line for each test and ends with counts. */
const nodeTest = (file, { name = file, node = process.execPath, env: extraEnv } = {}) => ({
  name,
  async run() {
    const { code, output } = await run(node, ['--test-reporter=spec', file], extraEnv);
    const count = (word) => Number(output.match(new RegExp(`^ℹ ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
    const sum = [
      count('pass'),
      count('fail') + count('cancelled'),
      count('skipped') + count('todo'),
    ];
    const passes = /^\s*(?:✔|ℹ|﹣) .*\n/gm;
    const tests = [...output.matchAll(/^\s*✔ (.*) \(([\d.]+)ms\)$/gm)];
    return {
      ...judge(code, sum, output.replace(passes, '')),
      notes: [...output.matchAll(/^note: (.*)$/gm)].map(([, note]) => note),
      tests: tests.map(([, test, ms]) => [ms / 1000, `${name}: ${test}`]),
    };
  },
});

/** A program that ran no test, or failed without reporting a failure, counts as one failure. */
function judge(code, counts, output) {
  const [passed, failed, skipped] = (counts ?? [0, 0, 0]).map((word) => Number(word ?? 0));
  let reason = '';
  if (passed + failed + skipped === 0) reason = ': it ran no test';
  else if (code !== 0 && failed === 0) reason = `: it ended with ${code ?? 'a signal'}`;
  return {
    passed,
    failed: reason ? failed + 1 : failed,
    skipped,
    failures: `${reason}\n${output.trimEnd()}`,
    notes: [],
    tests: [],
  };
}

/** One job for each test file of a folder, without its subfolders. */
const testsOf = (folder) => find(folder, /^[^/]*\.test\.mjs$/).map((file) => nodeTest(file));

/** Names both browsers to the tests; on Debian, a browser that is absent is installed. */
function findBrowsers() {
  const debian = { CHROMIUM: 'chromium', FIREFOX: 'firefox-esr' };
  const names = {
    CHROMIUM: ['chromium', 'chromium-browser', 'google-chrome'],
    FIREFOX: ['firefox-esr', 'firefox'],
  };
  for (const variable in names) {
    const path = findBrowser(variable, names[variable], debian[variable]);
    if (path) env[variable] = path;
  }
}

/**
 * Each suite: what build.sh must build for it, what must be installed first, its jobs, and whether
 * only --all runs the suite when none is named.
 */
const suites = {
  lint: {
    needs: 'dist',
    jobs: () => [program('lint', process.execPath, ['tests/lint.mjs'])],
  },
  native: {
    needs: 'native',
    jobs: () => find('build/native', /^test_\w+$/).map((path) => program(basename(path), path, [])),
  },
  wasm: {
    needs: 'wasm-tests',
    jobs: () => {
      const newer = nodeWithRelaxedSimd();
      const nodes = [...new Set([process.execPath, newer])];
      return find('build/wasm', /^\w+\/tests\/(native|wasm)\/.*\.wasm$/).flatMap((path) =>
        nodes
          .filter((node) => node === newer || !path.includes('relaxed'))
          .map((node) => program(`${path} in ${node}`, node, ['tests/wasm/run.mjs', path])),
      );
    },
  },
  arm64: {
    needs: 'dist wasm-tests',
    long: true,
    jobs: () => testsOf('tests/arm64'),
  },
  node: {
    needs: 'dist',
    jobs: () => testsOf('tests/node'),
  },
  golden: {
    needs: 'dist',
    jobs: () => testsOf('tests/golden'),
  },
  browser: {
    needs: 'dist',
    async jobs() {
      findBrowsers();
      const { otherTests } = await import('./browser/files.mjs');
      return [
        ...['firefox', 'chromium'].map((name) =>
          nodeTest('tests/browser/all.mjs', {
            name: `tests/browser in ${name}`,
            env: { TOKENGLASS_BROWSER: name },
          }),
        ),
        ...otherTests.map((file) => nodeTest(`tests/browser/${basename(file)}`)),
      ];
    },
  },
  tokenizers: {
    needs: 'dist',
    install: 'const { prepare } = await import("./tests/tokenizers/compare.mjs"); prepare();',
    jobs: () => testsOf('tests/tokenizers'),
  },
  packages: {
    needs: 'dist',
    jobs: () => {
      findBrowsers();
      const quick = flags.all ? [] : ['--quick'];
      return [program('packages', process.execPath, ['tests/packages/run.mjs', ...quick])];
    },
  },
  peers: {
    needs: 'dist',
    install:
      'const { preparePeer } = await import("./tests/peers/llamacpp.mjs"); console.log(preparePeer());',
    jobs: () => testsOf('tests/peers'),
  },
};

const sum = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
const nothing = () => ({ passed: 0, failed: 0, skipped: 0 });
function add(total, result) {
  for (const key in total) total[key] += result[key];
}

/** Builds what the suites need. */
async function build(names) {
  const needsOf = (list) => [...new Set(list.flatMap((name) => suites[name].needs.split(' ')))];
  const all = needsOf(Object.keys(suites)).length;
  const needs = needsOf(names).length === all ? [] : needsOf(names);
  env.TOKENGLASS_BUILT = needs.join(' ');
  const child = spawn('./build.sh', needs, { cwd: root, stdio: ['ignore', 1, 2] });
  const code = await new Promise((resolve) =>
    child.on('close', resolve).on('error', () => resolve(1)),
  );
  if (code !== 0) throw new Error('the build failed');
}

/** How long each job took the last time, by its name. */
function lastDurations() {
  try {
    return JSON.parse(readFileSync(DURATIONS, 'utf8'));
  } catch {
    return {};
  }
}

/**
 * Runs the jobs of all suites, those first that took the longest the last time, and prints what
 * fails at once and each suite's sum when it is complete: with the seconds that its programs took
 * together.
 */
async function runJobs(names) {
  const seconds = lastDurations();
  const queue = [];
  const open = new Map(); // suite -> its sums so far, and how many of its jobs are left
  for (const name of names) {
    const jobs = await suites[name].jobs();
    queue.push(...jobs.map((job) => ({ ...job, suite: name })));
    open.set(name, { sum: nothing(), left: jobs.length, seconds: 0 });
    if (jobs.length === 0) throw new Error(`${name} has no tests`);
  }
  // Jobs of a suite wait until what they need is installed; a failure is theirs to report.
  const installed = new Map();
  const install = (name) => {
    const { install } = suites[name];
    if (install && !installed.has(name))
      installed.set(name, run(process.execPath, ['--input-type=module', '-e', install]));
    return installed.get(name);
  };
  queue.sort((a, b) => (seconds[b.name] ?? Infinity) - (seconds[a.name] ?? Infinity) || 0);
  const total = nothing();
  const tests = [];
  const work = async (jobs) => {
    for (let job; (job = jobs.shift());) {
      await install(job.suite);
      const start = Date.now();
      const result = await job.run();
      seconds[job.name] = (Date.now() - start) / 1000;
      if (result.failed) console.log(`--- ${job.name}${result.failures}\n---`);
      for (const note of result.notes) console.log(`${job.suite}: ${note}`);
      tests.push(...result.tests);
      const suite = open.get(job.suite);
      add(suite.sum, result);
      suite.seconds += seconds[job.name];
      if (--suite.left > 0) continue;
      console.log(`${job.suite}: ${sum(suite.sum)} (${suite.seconds.toFixed(1)} s)`);
      add(total, suite.sum);
    }
  };
  // a job that waits takes no processor from the others
  const waits = ({ name }) => WAITING.some((file) => name === `tests/node/${file}.test.mjs`);
  const waiting = queue.filter(waits);
  const working = queue.filter((job) => !waits(job));
  const lanes = Array.from({ length: Math.max(2, availableParallelism()) }, () => work(working));
  await Promise.all([...lanes, work(waiting)]);
  mkdirSync(join(root, 'build/tests'), { recursive: true });
  writeFileSync(DURATIONS, JSON.stringify(seconds));
  if (flags.times) {
    const slowest = (list) => list.sort(([a], [b]) => b - a).slice(0, SLOWEST);
    const line = ([s, name]) => console.log(`${s.toFixed(1).padStart(7)} s  ${name}`);
    slowest(Object.entries(seconds).map(([name, s]) => [s, name])).forEach(line);
    console.log();
    slowest(tests).forEach(line);
  }
  return total;
}

/**
 * Keeps every processor busy with programs that do nothing useful. Returns a function that ends
 * them.
 */
function keepBusy() {
  const children = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  return () => children.forEach((child) => child.kill('SIGKILL'));
}

const total = nothing();
const unknown = wanted.filter((name) => !suites[name]);
if (unknown.length) {
  console.log(`no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`);
  total.failed++;
} else {
  const names = wanted.length
    ? [...new Set(wanted)]
    : Object.keys(suites).filter((name) => flags.all || !suites[name].long);
  let stop = () => undefined;
  try {
    await build(names);
    env.TOKENGLASS_NODE24 = nodeWithRelaxedSimd();
    if (flags.busy) stop = keepBusy();
    for (let i = 1; i <= Number(flags.repeat) && !total.failed; i++) {
      const start = Date.now();
      add(total, await runJobs(names));
      if (flags.repeat !== '1')
        console.log(
          `run ${i} of ${flags.repeat} took ${((Date.now() - start) / 1000).toFixed(0)} s`,
        );
    }
  } catch (error) {
    console.log(`--- ${error.message}`);
    total.failed++;
  } finally {
    stop();
  }
}
console.log(`in ${(performance.now() / 1000).toFixed(0)} s`);
console.log(sum(total));
process.exitCode = total.failed ? 1 : 0;
