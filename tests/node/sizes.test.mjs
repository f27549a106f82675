// Each wasm variant, the library's main entry and the page's first view in dist/ must keep their
// size limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync, readdirSync } from 'node:fs';
import { sizes, withImports } from '../../wasm/toolchain/sizes.mjs';
import { inTree } from '../support/support.mjs';

const measured = sizes();

test('the wasm variants, loadModel, the entry and the page were measured', () => {
  const names = measured.map(({ name }) => name);
  for (const name of [
    'tokenglass.simd128.wasm',
    'tokenglass.relaxed.wasm',
    'loadModel in a bundle',
    'index.js',
    'demo/main.js',
  ])
    assert.ok(names.includes(name), name);
});

for (const { name, gzipped, limit } of measured) {
  test(`${name} has at most ${limit} bytes gzipped`, () => {
    assert.ok(gzipped > 0 && gzipped <= limit, `${gzipped} bytes`);
  });
}

test('a program that only loads a model loads nothing of the engine, chat, grammars or the command line', () => {
  const { gzipped } = measured.find(({ name }) => name === 'index.js');
  const core = withImports(new URL('../../dist/index.js', import.meta.url))
    .map(String)
    .join('');
  const later = readdirSync(inTree('dist')).filter((name) =>
    /^browser-(chat|completions|grammar|local-backend)-\w+\.js$/.test(name),
  );
  assert.equal(later.length, 4, later.join());
  const [chat, completions, grammar, engine] = later
    .sort()
    .map((name) => readFileSync(inTree(`dist/${name}`), 'utf8'));
  // words that are in each of these files, and in no file that is loaded at the start
  for (const [text, word] of [
    [chat, 'raise_exception'],
    [completions, 'chat.completion'],
    [grammar, 'type of the grammar is'],
    [engine, 'model_feed'],
  ]) {
    assert.ok(text.includes(word), word);
    assert.ok(!core.includes(word), `${word} is in the core entry of ${gzipped} bytes`);
  }
  assert.ok(
    readFileSync(inTree('dist/cli.js'), 'utf8').includes('max-tokens') &&
      !core.includes('max-tokens'),
  );
});
