// Installs what the build and the tests need besides a C compiler, if it is missing: npm packages,
// a Node with relaxed SIMD, browsers. Run as a program, it installs the project's own npm packages.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NODE_WITH_RELAXED_SIMD = '24.21.0';

function run(command, args, cwd = root) {
  execFileSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
}

/**
 * Installs the packages of the folder's package-lock.json by an npm command, unless they are
 * installed.
 */
export function installPackages(folder, command = ['ci']) {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  const stamp = join(folder, 'node_modules', '.installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error(`setup: npm ${command.join(' ')} in ${folder}`);
  // No package needs its install script: esbuild and the others find their programs without it.
  run(
    'npm',
    [...command, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    folder,
  );
  writeFileSync(stamp, lock);
}

/**
 * The path of a Node with relaxed SIMD that npm fetches into a folder of build/. `name` is its
 * package, for one system and one processor. `force`: the package is for another processor than
 * this machine's.
 */
export function fetchNode(name, folder, force = false) {
  const prefix = join(root, 'build', folder);
  const path = join(prefix, 'node_modules', name, 'bin', 'node');
  const stamp = join(prefix, 'version');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === NODE_WITH_RELAXED_SIMD) return path;
  console.error(`setup: fetching ${name} ${NODE_WITH_RELAXED_SIMD}`);
  run('npm', [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...(force ? ['--force'] : []),
    '--prefix',
    prefix,
    `${name}@${NODE_WITH_RELAXED_SIMD}`,
  ]);
  writeFileSync(stamp, NODE_WITH_RELAXED_SIMD);
  return path;
}

/**
 * The path of a Node that computes relaxed SIMD correctly without a flag (22 or later): this one,
 * or one that npm fetches into build/.
 */
export function nodeWithRelaxedSimd() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  const system = process.platform === 'win32' ? 'win' : process.platform;
  return fetchNode(`node-${system}-${process.arch}`, 'node');
}

/** Installs Debian packages that are missing; throws if that is not possible. */
export function installDebianPackages(...packages) {
  run('wasm/toolchain/apt.sh', packages);
}

/** The path of a program: the first of the names that is in a folder of PATH; else undefined. */
export const findProgram = (names) =>
  names
    .flatMap((name) => process.env.PATH.split(delimiter).map((folder) => join(folder, name)))
    .find((path) => existsSync(path));

/**
 * The path of a browser: $variable, or the first of the names on PATH, or else the Debian package,
 * which is installed; undefined if that fails.
 */
export function findBrowser(variable, names, debianPackage) {
  if (process.env[variable]) return process.env[variable];
  if (!findProgram(names)) {
    try {
      installDebianPackages(debianPackage);
    } catch {
      console.error(`setup: ${debianPackage} cannot be installed; set ${variable} to its path`);
    }
  }
  return findProgram(names);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installPackages(root);
