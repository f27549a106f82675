// THIRD-PARTY.txt names every npm package whose code is in the files of the build, with its
// license. The source maps say which packages these are, independently of the program that writes
// the file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inTree } from '../support/support.mjs';

const read = (path) => readFileSync(inTree(path), 'utf8');

/** The folders in node_modules from which the source maps of a folder have sources. */
function bundledIn(folder) {
  const sources = readdirSync(inTree(folder))
    .filter((name) => name.endsWith('.map'))
    .flatMap((name) => JSON.parse(read(join(folder, name))).sources);
  const packages = sources.map((path) => /node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(packages.filter(Boolean))].sort();
}

for (const folder of ['dist', 'dist/demo']) {
  test(`${folder}/THIRD-PARTY.txt has the license of every package in ${folder}`, (t) => {
    const notices = read(`${folder}/THIRD-PARTY.txt`);
    const packages = bundledIn(folder);
    if (folder === 'dist/demo') assert.ok(packages.length > 0); // the page has Preact at least
    for (const path of packages) {
      const { name, version } = JSON.parse(read(join(path, 'package.json')));
      assert.ok(notices.includes(`\n${name} ${version} (`), `${name} ${version}`);
      const license = readdirSync(inTree(path)).find((file) => /^licen[sc]e/i.test(file));
      if (license)
        assert.ok(notices.includes(read(join(path, license)).trim()), `${name}: ${license}`);
    }
    t.diagnostic(
      `${packages.length} packages: ${packages.map((path) => path.slice(13)).join(', ')}`,
    );
  });

  test(`${folder}/THIRD-PARTY.txt has the notices of what is linked into the wasm files`, () => {
    const notices = read(`${folder}/THIRD-PARTY.txt`);
    for (const words of [
      'Copyright (c) 2010-2014 Emscripten authors',
      'Copyright © 2005-2020 Rich Felker, et al.',
      'LLVM Exceptions to the Apache 2.0 License',
      'Version 2.0, January 2004',
      'UNICODE LICENSE V3',
    ])
      assert.ok(notices.includes(words), words);
    // each title is followed by a text
    for (const section of notices.split('='.repeat(80)).slice(1))
      if (/^\n\S/.test(section))
        assert.ok(section.trim().split('\n').length > 8, section.slice(0, 80));
  });
}

test('every file of JavaScript has a source map that the tests above have seen, or is named', () => {
  const without = ['dist', 'dist/demo'].flatMap((folder) =>
    readdirSync(inTree(folder))
      .filter((name) => name.endsWith('.js') && !existsSync(inTree(`${folder}/${name}.map`)))
      .map((name) => `${folder}/${name}`),
  );
  assert.deepEqual(without, ['dist/demo/worker.js']); // a copy of dist/worker.js
});

test('npm packs the notices of the package', () => {
  const args = ['pack', '--dry-run', '--ignore-scripts', '--json'];
  const [{ files }] = JSON.parse(execFileSync('npm', args, { cwd: inTree('.'), encoding: 'utf8' }));
  const paths = files.map(({ path }) => path);
  assert.ok(paths.includes('dist/THIRD-PARTY.txt') && paths.includes('LICENSE'));
});
