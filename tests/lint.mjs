// Checks the project's files: format, types, generated files, sizes, which folder uses which
// (lint/layers.mjs has the table), how comments and documents are worded (lint/prose.mjs), and
// where the project's addresses are (lint/addresses.mjs).
// Prints "ok" or "not ok" for each check, with what it found, and at the end "N passed, N failed";
// the exit code is 1 when a check failed.
//   node tests/lint.mjs              all checks
//   node tests/lint.mjs --write      rewrites what a formatter can, then all checks
//   node tests/lint.mjs --only WORDS the checks whose name contains WORDS, with all that they find
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { outdatedFiles } from '../wasm/toolchain/generate.mjs';
import { addressChecks } from './lint/addresses.mjs';
import { layerChecks } from './lint/layers.mjs';
import { proseChecks } from './lint/prose.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: { write: { type: 'boolean' }, only: { type: 'string', default: '' } },
});
const MAX_LINES = 600;

/** The project's files, relative to the root. */
const files = ['src', 'wasm', 'web', 'demo', 'tests', '.ci']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
      .filter((file) => !file.includes('node_modules/')),
  )
  .concat(
    ['README.md', 'CONTRIBUTING.md', 'build.sh'].filter((file) => existsSync(join(root, file))),
  );
const ending = (pattern) => files.filter((file) => pattern.test(file));

/** Runs a tool of node_modules with this Node. Gives the lines it prints when it fails. */
const tool = (path, args) =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules', path), ...args],
      { cwd: root, encoding: 'utf8', maxBuffer: 1e9 },
      (error, stdout, stderr) =>
        resolve(
          error
            ? `${stdout}${stderr}${stdout || stderr ? '' : error.message}`.trim().split('\n')
            : [],
        ),
    );
  });

/** Each check gives what it found, a line each; none: it passes. */
const checks = {
  prettier: () =>
    tool('prettier/bin/prettier.cjs', [
      values.write ? '--write' : '--check',
      '--log-level=warn',
      '.',
    ]),
  'clang-format': async () => {
    const mode = values.write ? ['-i'] : ['--dry-run', '--Werror'];
    const lines = await tool('clang-format/index.js', [...mode, ...ending(/\.[ch]$/)]);
    const places = lines.map((line) => /^\S+?:\d+/.exec(line)?.[0]).filter(Boolean);
    return places.length ? [...new Set(places)] : lines;
  },
  'generated files': async () =>
    (await outdatedFiles()).map(({ path }) => `${path}: run node wasm/toolchain/generate.mjs`),
  types: () => tool('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']),
  [`files of at most ${MAX_LINES} lines`]: () =>
    ending(/\.(c|h|def|inc|ts|tsx|mjs|css|sh)$/)
      .filter((file) => !/generated|tables/.test(file))
      .map((file) => [file, readFileSync(join(root, file), 'utf8').split('\n').length - 1])
      .filter(([, lines]) => lines > MAX_LINES)
      .map(([file, lines]) => `${file}: ${lines} lines`),
  ...layerChecks(root, files),
  ...proseChecks(root, files),
  ...addressChecks(root, files),
};

const wanted = Object.entries(checks).filter(([name]) => name.includes(values.only));
// Formatters change files that other checks read: they come first when they write.
const results = [];
if (values.write) for (const [, check] of wanted) results.push(await check());
else results.push(...(await Promise.all(wanted.map(([, check]) => check()))));

let failed = 0;
for (const [i, [name]] of wanted.entries()) {
  const found = results[i];
  const details = found.map((line) => `\n  ${line}`).join('');
  if (found.length === 0) console.log(`ok ${name}`);
  else {
    failed++;
    console.log(`not ok ${name}${details}`);
  }
}
console.log(`${wanted.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
