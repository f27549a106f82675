// The README's promises: its example runs as it is printed, and its list of errors is the package's.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorCodes } from '../../dist/node.js';
import { inTree } from '../support/support.mjs';

const readme = readFileSync(inTree('README.md'), 'utf8');

const examples = [...readme.matchAll(/```js\n([^`]*)```/g)].map(([, example]) => example);

/** Runs an example in a project that has installed the package; what it printed. */
function run(example) {
  const project = inTree('build/readme');
  rmSync(project, { recursive: true, force: true });
  mkdirSync(`${project}/node_modules`, { recursive: true });
  symlinkSync(inTree(''), `${project}/node_modules/tokenglass`);
  writeFileSync(`${project}/example.mjs`, example);
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // an example with a test reports to whoever runs it
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
    ...{ cwd: project, env },
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

test('the ten-line example runs as printed', () => {
  assert.ok(examples[0].trim().split('\n').length <= 10);
  const stdout = run(examples[0]);
  assert.equal(stdout.trim().split('\n').length, 13, stdout);
  assert.match(stdout, /most probable: "[^"]+" 0\.\d{3}/);
  assert.match(stdout, /Once upon a time/);
});

test('the examples run as printed, and use every call', () => {
  const shown = examples.slice(1);
  assert.equal(shown.length, 5);
  const [choice, branches, file, completions, pinned] = shown.map(run);
  assert.match(choice, /stage: 'top_k'/);
  assert.match(choice, /top_k 40 3032 top_k: kept the 40 greatest of 3072/);
  assert.match(branches, /The old man opened the door and/);
  assert.match(branches, /^192$/m);
  assert.ok(file.trim().length > 5, file);
  assert.match(completions, /"kind":"(cat|dog|fish)"/);
  assert.match(completions, /finish_reason: 'stop'/);
  assert.match(completions, /TEMPLATE_MISSING/);
  assert.match(pinned, /^(ok 1 - |✔ )the model chooses as it did/m);
  const text = shown.join('');
  const calls = [
    'generate',
    'explain',
    'candidates',
    'sync',
    'fork',
    'append',
    'rewind',
    'save',
    'loadSession',
    'score',
    'embed',
  ];
  const others = [
    'exportTrace',
    'importTrace',
    'createCompletion',
    'createChatCompletion',
    'createGrammar',
    'recordTrace',
    'compareTrace',
  ];
  for (const call of [...calls, ...others]) assert.ok(text.includes(`${call}(`), call);
});

test('the README lists every error code with its meaning', () => {
  const listed = [...readme.matchAll(/^\| `([A-Z_0-9]+)` \| (.*) \|$/gm)].map(
    ([, name, meaning]) => ({ name, meaning }),
  );
  assert.deepEqual(
    listed,
    errorCodes.filter(({ name }) => name !== 'OK').map(({ name, meaning }) => ({ name, meaning })),
  );
});

test('the commands of the README run as printed', () => {
  const [, commands] = readme.match(/## On the command line\n[^`]*```sh\n([^`]*)```/);
  const folder = inTree('build/readme');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/story.txt`, 'The cat sat on the mat.');
  const run = commands
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, ''))
    .filter((line) => !line.includes('--chat'));
  assert.ok(run.length >= 4);
  for (const command of run) {
    assert.match(command, /^npx tokenglass /);
    const line = command
      .replace('npx tokenglass', `${process.execPath} ${inTree('dist/cli.js')}`)
      .replace('FILE.gguf', inTree('dist/storybook-q8_0.gguf'));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(status, 0, `${command}: ${stderr}`);
    assert.ok(stdout.length > 20, command);
  }
});
