// The README's promises: its example runs as it is printed, and its list of errors is the package's.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorCodes } from '../../dist/node.js';
import { inTree } from './support.mjs';

const readme = readFileSync(inTree('README.md'), 'utf8');

test('the ten-line example runs as printed', () => {
  const [, example] = readme.match(/```js\n([^`]*)```/);
  assert.ok(example.trim().split('\n').length <= 10);
  // a project that has installed the package
  const project = inTree('build/readme');
  rmSync(project, { recursive: true, force: true });
  mkdirSync(`${project}/node_modules`, { recursive: true });
  symlinkSync(inTree(''), `${project}/node_modules/tokenglass`);
  writeFileSync(`${project}/example.mjs`, example);
  const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
    cwd: project,
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(status, 0, stderr);
  assert.equal(stdout.trim().split('\n').length, 13, stdout);
  assert.match(stdout, /most probable: "[^"]+" 0\.\d{3}/);
  assert.match(stdout, /Once upon a time/);
});

test('the README lists every error code with its meaning', () => {
  const listed = [...readme.matchAll(/^\| `([A-Z_0-9]+)` \| (.*) \|$/gm)].map(([, name, meaning]) => ({ name, meaning }));
  assert.deepEqual(
    listed,
    errorCodes.filter(({ name }) => name !== 'OK').map(({ name, meaning }) => ({ name, meaning })),
  );
});
