// Runs the programs of demo/examples as their own comments say.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { collect, compiler, inTree } from '../support/support.mjs';

const MODEL = inTree('demo/model/storybook-q8_0.gguf');
const PROMPT = 'Once upon a time';

test('generate.c compiles without warnings, and chooses what the package chooses', async () => {
  const program = inTree('build/tests/generate');
  mkdirSync(inTree('build/tests'), { recursive: true });
  const sources = readdirSync(inTree('src'), { recursive: true }).filter((name) =>
    name.endsWith('.c'),
  );
  execFileSync(
    compiler(),
    [
      ...['-std=c17', '-O1', '-Wall', '-Wextra', '-Werror', '-o', program],
      inTree('demo/examples/generate.c'),
      ...sources.map((name) => inTree(`src/${name}`)),
      '-lm',
    ],
    { stdio: 'pipe' },
  );
  const lines = execFileSync(program, [MODEL, PROMPT, '12'], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
  const chosen = lines.map((line) => {
    const [, p, kept, text] = line.match(/^ *(\d+\.\d) % +(\d+) kept {2}"(.*)"$/);
    return { p: Number(p) / 100, kept: Number(kept), text };
  });
  assert.equal(chosen.length, 12);
  const model = await loadModel(MODEL, { worker: false });
  const session = model.createSession({ seed: 5 });
  const steps = await collect(session.generate(PROMPT, { max_tokens: 12, temperature: 0.7 }));
  await model.dispose();
  for (const [i, { text, trace }] of steps.entries()) {
    assert.equal(chosen[i].text, text);
    // the two builds keep the cache in the same type; their float additions differ in the last bits
    assert.ok(Math.abs(chosen[i].p - (trace.draw.high - trace.draw.low)) < 0.002, text);
    assert.equal(chosen[i].kept, trace.stages.at(-1).kept);
  }
  assert.throws(
    () => execFileSync(program, [inTree('package.json'), PROMPT, '1'], { stdio: 'pipe' }),
    {
      status: 1,
      message: /GGUF_BAD_MAGIC: /,
    },
  );
});

test('node.mjs prints 20 choices and the text', () => {
  const output = execFileSync(process.execPath, [inTree('demo/examples/node.mjs')], {
    encoding: 'utf8',
  });
  const lines = output.trimEnd().split('\n');
  assert.equal(lines.length, 22, output);
  for (const line of lines.slice(1, 21)) assert.match(line, /^".*" +\d+\.\d %   others: /);
  assert.match(lines[21], /^Once upon a time,/);
});
