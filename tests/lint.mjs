// In: the project's files; --write mends what a formatter can mend. Out: a line for each check, "ok" or "not ok" with what was found, and at the end
// the sum "N passed, N failed"; exit code 1 when any failed.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { outdatedFiles } from '../wasm/toolchain/generate.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const write = process.argv.includes('--write');
const MAX_LINES = 670;

const files = ['src', 'wasm', 'web', 'demo', 'tests'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) =>
        entry.isFile() && !join(entry.parentPath ?? entry.path, '/').includes('/node_modules/'),
    )
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
);
const ending = (pattern) => files.filter((file) => pattern.test(file));

/** Runs a tool of node_modules with this Node; what it found, '' when nothing. */
function tool(path, args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', path), ...args],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return status === 0 ? '' : `${stdout}${stderr}` || `${path} ended with ${status}`;
}

const unique = (lines) => [...new Set(lines)].map((line) => `${line}\n`).join('');

const checks = {
  prettier: () =>
    tool('prettier/bin/prettier.cjs', [write ? '--write' : '--check', '--log-level=warn', '.']),
  'clang-format': () =>
    unique(
      tool('clang-format/index.js', [
        ...(write ? ['-i'] : ['--dry-run', '--Werror']),
        ...ending(/\.[ch]$/),
      ]).match(/^\S+?:\d+/gm),
    ),
  'generated files': async () =>
    (await outdatedFiles())
      .map(({ path }) => `${path}: run node wasm/toolchain/generate.mjs\n`)
      .join(''),
  types: () => tool('typescript/bin/tsc', ['--noEmit', '-p', 'tsconfig.json']),
  [`files of at most ${MAX_LINES} lines`]: () =>
    ending(/\.(c|h|def|inc|ts|tsx|mjs|css|sh)$/)
      .filter((file) => !/generated|tables/.test(file))
      .map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1])
      .filter(([, lines]) => lines > MAX_LINES)
      .map(([file, lines]) => `${file}: ${lines} lines\n`)
      .join(''),
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  const found = await check();
  if (found) failed++;
  console.log(`${found ? 'not ok' : 'ok'} ${name}${found ? `\n${found}` : ''}`);
}
console.log(`${Object.keys(checks).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
