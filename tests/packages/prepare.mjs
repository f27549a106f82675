// Packs the package and prepares an app in a folder of the machine's folder for temporary
// files: a copy of apps/APP with program.mjs and what its package.json names, installed by npm, and
// the packed package.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inTree } from '../support/support.mjs';

// Outside the project: bundlers also read a package.json, a tsconfig.json and node_modules above an
// app.
const ID = createHash('sha256').update(inTree('.')).digest('hex').slice(0, 8);
const BUILD = join(tmpdir(), `tokenglass-packages-${ID}`);
const TARBALL = join(BUILD, 'tokenglass.tgz');
const INSTALL = ['install', '--no-package-lock', '--no-audit', '--no-fund', '--no-progress'];
const execute = promisify(execFile);

/** Packs what `npm publish` would upload; gives the file's path. */
export function packPackage() {
  mkdirSync(BUILD, { recursive: true });
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', BUILD];
  const output = execFileSync('npm', args, { cwd: inTree('.'), encoding: 'utf8' });
  // an object of objects or a list of them, as npm's version has it
  const [{ filename }] = Object.values(JSON.parse(output));
  renameSync(join(BUILD, filename), TARBALL);
  return TARBALL;
}

/** Unpacks the packed package as node_modules/tokenglass of a folder. */
function unpack(folder, tarball) {
  const target = join(folder, 'node_modules/tokenglass');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  const programs = join(folder, 'node_modules/.bin');
  mkdirSync(programs, { recursive: true });
  rmSync(join(programs, 'tokenglass'), { force: true });
  symlinkSync('../tokenglass/dist/cli.js', join(programs, 'tokenglass'));
}

/**
 * Installs what the app's package.json names, in the row's versions, unless the same was installed
 * last.
 */
async function install(folder, versions) {
  const path = join(folder, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  Object.assign(manifest.devDependencies ?? {}, versions);
  const wanted = `${JSON.stringify(manifest, null, 2)}\n`;
  writeFileSync(path, wanted);
  const mark = join(folder, 'node_modules/.installed.json');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === wanted) return;
  rmSync(join(folder, 'node_modules'), { recursive: true, force: true });
  try {
    await execute('npm', INSTALL, { cwd: folder, maxBuffer: 1e8 });
  } catch (error) {
    throw new Error(`npm install failed\n${error.stdout}${error.stderr}`);
  }
  writeFileSync(mark, wanted);
}

/** Where the app of a row is prepared. */
export const folderOf = ({ name, folder = name }) => join(BUILD, folder);

/** Prepares the app of a row; gives its folder. */
export async function prepareApp(row, tarball) {
  const { app, versions, install: wanted = true } = row;
  const folder = folderOf(row);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder))
    if (entry !== 'node_modules') rmSync(join(folder, entry), { recursive: true, force: true });
  if (app) cpSync(inTree(`tests/packages/apps/${app}`), folder, { recursive: true });
  cpSync(inTree('tests/packages/program.mjs'), join(folder, 'program.mjs'));
  if (wanted && existsSync(join(folder, 'package.json'))) await install(folder, versions);
  unpack(folder, tarball);
  // bundlers keep what they made of the last package
  rmSync(join(folder, 'node_modules/.vite'), { recursive: true, force: true });
  rmSync(join(folder, 'node_modules/.cache'), { recursive: true, force: true });
  return folder;
}
