// The WebAssembly builds on arm64, whose relaxed dot product is signed: all tests of the suite
// wasm, and models beside the same models on this machine's processor.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { compareRuns, maxAbsDiff } from '../support/measures.mjs';
import { inTree } from '../support/support.mjs';
import { nodeOn, unavailable } from './emulator.mjs';

const MINUTES = 20; // an emulated processor is 10 to 50 times slower

/** Processors as QEMU names them: one with the dot product of four bytes (sdot), one without. */
const NEW = 'max';
const OLD = 'cortex-a72';

const run = (node, args) =>
  spawnSync(node, args, {
    encoding: 'utf8',
    timeout: MINUTES * 60_000,
    maxBuffer: 1e9,
  });

/** Runs a test program of a build in a Node; returns its lines. */
function runProgram(node, path) {
  const { status, stdout, stderr } = run(node, [inTree('tests/wasm/run.mjs'), path]);
  const lines = stdout.split('\n');
  assert.equal(status, 0, lines.filter((line) => !line.startsWith('ok')).join('\n') + stderr);
  assert.match(stdout, /^[1-9]\d* passed, 0 failed, /m);
  return lines;
}

/** What tests/arm64/compute.mjs prints, with the rows as floats. */
function compute(node, builds) {
  const output = execFileSync(node, [inTree('tests/arm64/compute.mjs'), ...builds], {
    encoding: 'utf8',
    maxBuffer: 1e9,
  });
  const decode = (rows) =>
    rows.map((text) => new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer));
  return JSON.parse(output, (key, value) =>
    key === 'story' || /^[A-Z]/.test(key) ? decode(value) : value,
  );
}

/** The largest differences of two lists of rows, row by row, from the smallest. */
const differences = (rows, others) =>
  rows.map((row, i) => maxAbsDiff(row, others[i])).sort((a, b) => a - b);

/** The signed kernels ran, and nothing but the unsigned ones was skipped. */
function checkKernels(lines) {
  const names = (word) =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.match(/ (\S+):/)[1]] : []));
  const signed = names('ok').filter((name) => name.endsWith('__relaxed_signed'));
  assert.ok(signed.includes('matmul_q8_0__relaxed_signed') && signed.length >= 3, signed.join());
  assert.ok(names('ok').includes('matmul_q4_0__relaxed'));
  const skipped = names('skip').filter((name) => !name.endsWith('__relaxed_unsigned'));
  assert.deepEqual(skipped, []);
}

if (unavailable) {
  test('the builds on arm64', { skip: unavailable }, () => undefined);
  console.log(`note: no arm64 here: ${unavailable}`);
} else {
  const emulated = nodeOn(NEW);

  test('the emulated Node is one for arm64', () => {
    const { stdout } = run(emulated, ['-p', 'process.arch']);
    assert.equal(stdout.trim(), 'arm64');
  });

  for (const build of ['simd128', 'relaxed']) {
    const programs = `build/wasm/${build}/tests/native`;
    const names = readdirSync(inTree(programs)).filter((name) => name.endsWith('.wasm'));
    for (const name of names)
      test(`${build}: ${name}`, () => {
        const lines = runProgram(emulated, inTree(`${programs}/${name}`));
        if (build === 'relaxed' && name === 'test_kernels.wasm') checkKernels(lines);
      });
  }

  test('relaxed: test_kernels.wasm on a processor without sdot', () =>
    checkKernels(
      runProgram(nodeOn(OLD), inTree('build/wasm/relaxed/tests/native/test_kernels.wasm')),
    ));

  test("models: simd128 has this machine's bits, relaxed its tokens and nearly its logits", () => {
    const here = compute(process.execPath, ['simd128']);
    const there = compute(emulated, ['simd128', 'relaxed']);
    assert.deepEqual(
      there.map((result) => [result.kernel_variant, result.kernel_dot, result.n_threads]),
      [
        ['simd128', 'none', 1],
        ['simd128', 'none', 2],
        ['relaxed', 'signed', 1],
        ['relaxed', 'signed', 2],
      ],
    );
    console.log(`note: kernel_dot of the relaxed build is "${there[2].kernel_dot}"`);
    // assert.deepEqual would take minutes
    for (const [i, { story, types }] of here.entries()) {
      assert.equal(differences(story, there[i].story).at(-1), 0);
      for (const type in types)
        assert.equal(differences(types[type], there[i].types[type]).at(-1), 0, type);
    }
    for (const { stories } of there) assert.deepEqual(stories, here[0].stories);

    const [, , one, two] = there;
    assert.equal(differences(one.story, two.story).at(-1), 0, 'threads give the same bits');
    // the limits of tests/node/forward.test.mjs
    const { rms, meanKl, topEqual } = compareRuns(here[0].story, one.story);
    assert.ok(rms <= 0.06 && meanKl <= 4e-4 && topEqual >= 0.97, `${rms} ${meanKl} ${topEqual}`);
    const types = Object.keys(here[0].types);
    assert.ok(types.length >= 26);
    for (const type of types) {
      const rows = here[0].types[type];
      assert.ok(Math.max(...rows[0]) - Math.min(...rows[0]) > 0.1, `${type} has logits`);
      const sorted = differences(rows, one.types[type]);
      const median = sorted[sorted.length >> 1];
      assert.ok(median <= 2e-5, `${type}: ${median}`);
    }
  });
}
