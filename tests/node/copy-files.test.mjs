// tokenglass --copy-files: which files are copied, what the command says, and what it refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { inTree } from '../support/support.mjs';

const temporary = mkdtempSync(join(tmpdir(), 'tokenglass-copy-'));
after(() => rmSync(temporary, { recursive: true }));
const folderOf = (name) => join(temporary, name);

const run = (...args) =>
  spawnSync(process.execPath, [inTree('dist/cli.js'), ...args], { encoding: 'utf8' });

function copies(...args) {
  const { status, stdout, stderr } = run('--copy-files', ...args);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

function fails(args, message, code) {
  const { status, stdout, stderr } = run(...args);
  assert.match(stderr, message);
  assert.equal(stdout, '');
  assert.equal(status, code);
}

const dist = readdirSync(inTree('dist'));
const workers = dist.filter((name) => /^worker(-node)?\.m?js$/.test(name));
const wasm = dist.filter((name) => name.endsWith('.wasm'));
const NOTICES = ['tokenglass.LICENSE.txt', 'tokenglass.THIRD-PARTY.txt'];
const MODEL = ['storybook-q8_0.CREDITS.tsv', 'storybook-q8_0.README.md', 'storybook-q8_0.gguf'];

test('all files are copied as they are, into a folder that need not exist', () => {
  assert.equal(workers.length, 2);
  assert.equal(wasm.length, 4);
  const folder = folderOf('public/files/tokenglass');
  for (let i = 0; i < 2; i++) {
    // the second time over the first copies
    const said = copies(folder);
    const names = [...workers, ...wasm, ...NOTICES, ...MODEL];
    assert.deepEqual(readdirSync(folder).sort(), names.sort());
    for (const name of names) assert.ok(said.includes(`  ${name} `), name);
    assert.ok(said.startsWith(`Copied to ${folder}:\n`));
    // the address on the site is what follows the folder that servers show
    assert.ok(said.includes("loadModel(source, { base_url: '/files/tokenglass/' })"), said);
    assert.ok(said.includes(`base_url: '${pathToFileURL(folder).href}/'`));
    assert.ok(said.includes("from 'tokenglass';"));
  }
  const same = (name, original) =>
    assert.ok(readFileSync(join(folder, name)).equals(readFileSync(inTree(original))), name);
  for (const name of [...workers, ...wasm, 'storybook-q8_0.gguf']) same(name, `dist/${name}`);
  same('tokenglass.LICENSE.txt', 'LICENSE');
  same('tokenglass.THIRD-PARTY.txt', 'dist/THIRD-PARTY.txt');
  same('storybook-q8_0.CREDITS.tsv', 'demo/model/CREDITS.tsv');
  same('storybook-q8_0.README.md', 'demo/model/README.md');
});

test('--builds and --no-model choose', () => {
  const two = folderOf('two');
  const said = copies(two, '--builds', 'simd128,relaxed.threads', '--no-model');
  const chosen = ['tokenglass.simd128.wasm', 'tokenglass.relaxed.threads.wasm'];
  assert.deepEqual(readdirSync(two).sort(), [...workers, ...chosen, ...NOTICES].sort());
  assert.match(said, /import \{ loadModel, build as build1 \} from 'tokenglass\/simd128';/);
  assert.match(said, /import \{ build as build2 \} from 'tokenglass\/relaxed\.threads';/);
  assert.match(said, /base_url: '\/two\/', builds: \[build1, build2\] \}/);

  const one = folderOf('one');
  assert.match(
    copies(one, '--builds', 'relaxed'),
    /import \{ loadModel \} from 'tokenglass\/relaxed';/,
  );
  assert.deepEqual(
    readdirSync(one).sort(),
    [...workers, 'tokenglass.relaxed.wasm', ...NOTICES, ...MODEL].sort(),
  );
});

test('a model runs from the copies alone, at the address that the command prints', async () => {
  const folder = folderOf('run');
  const said = copies(folder, '--builds', 'simd128');
  const [, base_url] = /Node: base_url: '(.*)'/.exec(said);
  const load = (options) => loadModel('storybook', { base_url, n_threads: 1, ...options });
  for (const worker of [true, false]) {
    const options = { worker, kernels: 'simd128' };
    const model = await load(options);
    assert.equal(model.info.n_vocab, 3072);
    await model.dispose();
    // and from nowhere else: without the copies nothing is found
    for (const [name, code] of [
      ['storybook-q8_0.gguf', 'SOURCE_NOT_FOUND'],
      ['tokenglass.simd128.wasm', 'ENGINE_LOAD_FAILED'],
    ]) {
      renameSync(join(folder, name), join(folder, 'away'));
      await assert.rejects(load(options), { code });
      renameSync(join(folder, 'away'), join(folder, name));
    }
  }
});

test('mistakes are refused before anything is written', () => {
  const folder = folderOf('nothing');
  const args = ['--copy-files', folder];
  fails(
    [...args, '--builds', 'simd'],
    /--builds: there is no build "simd"; known: .*; see --help/,
    2,
  );
  fails([...args, '--builds', 'relaxd'], /no build "relaxd"; did you mean relaxed\?/, 2);
  fails([...args, '--builds', ''], /there is no build ""; known: /, 2);
  fails([...args, 'a prompt'], /--copy-files takes no prompt/, 2);
  fails(['--no-model', 'Once'], /--builds and --no-model need --copy-files/, 2);
  fails(['--builds', 'relaxed', 'Once'], /--builds and --no-model need --copy-files/, 2);
  fails(['--copy-files='], /--copy-files needs a folder/, 2);
  fails(['--copy-files', inTree('dist')], /is the folder of the package's own files/, 2);
  assert.ok(!readdirSync(temporary).includes('nothing'));
});

test('a folder that cannot be written is named, with the reason', () => {
  const file = folderOf('file');
  writeFileSync(file, '');
  fails(
    ['--copy-files', file],
    /^tokenglass: the folder .*file cannot be made: file already exists \(EEXIST\)\n$/,
    1,
  );
  fails(
    ['--copy-files', join(file, 'inside')],
    /^tokenglass: the folder .*inside cannot be made: not a directory \(ENOTDIR\)\n$/,
    1,
  );
});

test('a file that cannot be written is named, with the reason', () => {
  const folder = folderOf('taken');
  mkdirSync(join(folder, workers[0]), { recursive: true });
  const reason = `^tokenglass: ${workers[0]} cannot be written to ${folder}: .+ \\(E[A-Z]+\\)\n$`;
  fails(['--copy-files', folder], new RegExp(reason), 1);
});

const isRoot = process.getuid?.() === 0; // may write everywhere
test('a folder without permission to write is named', { skip: isRoot && 'runs as root' }, () => {
  const closed = folderOf('closed');
  copies(closed, '--no-model');
  rmSync(join(closed, 'worker.js'));
  chmodSync(closed, 0o500);
  try {
    fails(
      ['--copy-files', closed],
      /worker.*cannot be written to .*permission denied \(EACCES\)/,
      1,
    );
  } finally {
    chmodSync(closed, 0o700);
  }
});
