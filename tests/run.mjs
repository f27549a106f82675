// In: the names of suites (none: all of them). Out: builds what they test, runs them one after the other, prints each one's sum and time and the output
// of what failed; the last line is the sum over all, "N passed, N failed", with ", N skipped" when there are any. Exit code 1 when anything failed.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBrowser, nodeWithRelaxedSimd } from '../wasm/toolchain/setup.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const MINUTES = 20; // a program that takes longer hangs
const env = { ...process.env, NODE_NO_WARNINGS: '1' };

/** The files below a folder whose path in it fits the pattern, in order. */
function find(folder, pattern) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name));
}

/** Runs a program to its end; its exit code (null when it was killed) and all it printed. */
function run(command, args) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, {
      cwd: root,
      env,
      timeout: MINUTES * 60_000,
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

/** A program whose last line is its sum, as tests/native/test.h and tests/lint.mjs print it. */
async function program(name, command, args) {
  const { code, output } = await run(command, args);
  const sum = output.match(/(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/);
  const failures = output
    .split(/^(?=(?:ok|not ok|skip) )/m)
    .filter((part) => /^not ok|^\s+\S+:\d+:/.test(part));
  return judge(name, code, sum?.slice(1), sum ? failures.join('') || output : output);
}

/** Files for node --test; its report says what passed and what failed, line by line, and ends with counts. */
async function nodeTests(name, files) {
  if (files.length === 0) return judge(name, 0, undefined, 'there are no test files\n');
  const { code, output } = await run(process.execPath, [
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=1',
    ...files,
  ]);
  const count = (word) => Number(output.match(new RegExp(`^ℹ ${word} (\\d+)$`, 'm'))?.[1] ?? 0);
  const sum = [count('pass'), count('fail') + count('cancelled'), count('skipped') + count('todo')];
  const passes = /^\s*(?:✔|ℹ|﹣) .*\n/gm;
  return judge(name, code, sum, output.replace(passes, ''));
}

/** A program that ran no test, or ended badly though it reports no failure, has failed: that counts as one. */
function judge(name, code, counts, output) {
  const [passed, failed, skipped] = (counts ?? [0, 0, 0]).map((word) => Number(word ?? 0));
  const reason =
    passed + failed + skipped === 0
      ? 'it ran no test'
      : code !== 0 && failed === 0
        ? `it ended with ${code ?? 'a signal'}`
        : '';
  const result = { passed, failed: reason ? failed + 1 : failed, skipped };
  if (result.failed) console.log(`--- ${name}${reason && `: ${reason}`}\n${output.trimEnd()}\n---`);
  return result;
}

async function all(runs) {
  const results = [];
  for (const start of runs) results.push(await start());
  return results;
}

/** Each suite: what build.sh must build for it, and a function that gives the results of its parts. */
const suites = {
  lint: {
    needs: 'dist',
    run: async () => [await program('lint', process.execPath, ['tests/lint.mjs'])],
  },
  native: {
    needs: 'native',
    run: () =>
      all(
        find('build/native', /^test_\w+$/).map((path) => () => program(basename(path), path, [])),
      ),
  },
  wasm: {
    needs: 'wasm-tests',
    async run() {
      const newer = nodeWithRelaxedSimd();
      const nodes = [...new Set([process.execPath, newer])];
      const runs = find('build/wasm', /^\w+\/tests\/(native|wasm)\/.*\.wasm$/).flatMap((path) =>
        nodes
          .filter((node) => node === newer || !path.includes('relaxed'))
          .map((node) => () => program(`${path} in ${node}`, node, ['tests/wasm/run.mjs', path])),
      );
      return all(runs);
    },
  },
  node: {
    needs: 'dist',
    run: async () => [await nodeTests('node', find('tests/node', /\.test\.mjs$/))],
  },
  golden: {
    needs: 'dist',
    run: async () => [await nodeTests('golden', find('tests/golden', /\.test\.mjs$/))],
  },
  browser: {
    needs: 'dist',
    async run() {
      const browsers = [
        ['CHROMIUM', ['chromium', 'chromium-browser', 'google-chrome'], 'chromium'],
        ['FIREFOX', ['firefox-esr', 'firefox'], 'firefox-esr'],
      ];
      for (const [variable, names, debianPackage] of browsers) {
        const path = findBrowser(variable, names, debianPackage);
        if (path) env[variable] = path;
      }
      return [await nodeTests('browser', find('tests/browser', /\.test\.mjs$/))];
    },
  },
  tokenizers: {
    needs: 'dist',
    run: async () => [
      await nodeTests('tokenizers', find('tests/tokenizers', /^[^/]*\.test\.mjs$/)),
    ], // they install the vocabularies themselves
  },
  peers: {
    needs: 'dist',
    run: async () => [await nodeTests('peers', find('tests/peers', /^[^/]*\.test\.mjs$/))], // they install their peer themselves
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites[name]);
const names = wanted.length ? wanted : Object.keys(suites);
const total = { passed: 0, failed: 0, skipped: 0 };
const sum = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;

/** Runs one suite and adds what it counted; one that throws has failed. */
async function timed(name, part) {
  const start = Date.now();
  let results;
  try {
    results = await part();
    if (results.length === 0) throw new Error('it has no tests');
  } catch (error) {
    console.log(`--- ${name}: ${error.message}`);
    results = [{ passed: 0, failed: 1, skipped: 0 }];
  }
  const own = { passed: 0, failed: 0, skipped: 0 };
  for (const result of results) for (const key in own) own[key] += result[key];
  for (const key in own) total[key] += own[key];
  console.log(`${name}: ${sum(own)} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

/** Builds what the wanted suites need. */
async function build() {
  const needs = wanted.length ? [...new Set(wanted.map((name) => suites[name].needs))] : [];
  env.TOKENGLASS_BUILT = needs.join(' ');
  const child = spawn('./build.sh', needs, { cwd: root, stdio: ['ignore', 1, 2] });
  const code = await new Promise((resolve) =>
    child.on('close', resolve).on('error', () => resolve(1)),
  );
  if (code !== 0) throw new Error('the build failed');
}

if (unknown.length) {
  console.log(`no suite ${unknown.join(', ')}; there are ${Object.keys(suites).join(', ')}`);
  total.failed++;
} else {
  try {
    await build();
    env.TOKENGLASS_NODE24 = nodeWithRelaxedSimd();
    for (const name of names) await timed(name, suites[name].run);
  } catch (error) {
    console.log(`--- ${error.message}`);
    total.failed++;
  }
}
console.log(sum(total));
process.exitCode = total.failed ? 1 : 0;
