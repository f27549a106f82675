// What npm run bench says of the processor and of the limits. The measurements themselves are not
// tested.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { kernelTables, limitsOf, merged, withShares } from '../bench/kernel-tables.mjs';
import { processorAs } from '../bench/processor.mjs';
import { processorClass } from '../support/measurements.mjs';
import { nodeWithRelaxedSimd } from '../../wasm/toolchain/setup.mjs';

const newer = nodeWithRelaxedSimd();
const x64 = { skip: process.arch === 'x64' ? false : 'the classes are those of x86-64' };
/** What V8 prints of the processor with these flags. */
const v8Says = (flags) =>
  execFileSync(newer, [...flags, '--v8-options'], { encoding: 'utf8' }).split('\n')[0];

test('class avx2: V8 has AVX2 and no VNNI, and what has VNNI is refused', x64, (t) => {
  if (!v8Says([]).includes('AVX2=1')) return t.skip('this processor has no AVX2');
  const avx2 = processorAs('avx2', newer);
  const flags = avx2.nodeFlags(newer);
  assert.ok(flags.includes('--no-enable-avx-vnni'), flags.join());
  assert.match(v8Says(flags), /AVX2=1.* AVX_VNNI=0/);
  assert.equal(avx2.usedBy(newer), 'V8 with AVX2');
  assert.match(avx2.text, /run as AVX2/);
  avx2.check({ kernel_dot: '7-bit' });
  avx2.check({ native: 'haswell' });
  assert.throws(() => avx2.check({ kernel_dot: 'unsigned' }), /class avx2, but .* is unsigned/);
  assert.throws(() => avx2.check({ native: 'alderlake' }), /class avx2, but .* for alderlake/);
});

test('class vnni: refused where V8 finds no AVX-VNNI', x64, () => {
  if (!v8Says([]).includes('AVX_VNNI=1')) {
    assert.throws(() => processorAs('vnni', newer), /--class vnni: V8 finds no VNNI/);
    return;
  }
  const vnni = processorAs('vnni', newer);
  assert.deepEqual(vnni.nodeFlags(newer), []);
  assert.throws(() => vnni.check({ kernel_dot: '7-bit' }), /class vnni, but .* is 7-bit/);
});

test('without a class: no flags, and any result', () => {
  const as = processorAs(undefined, newer);
  assert.deepEqual([as.nodeFlags(newer), as.chromiumFlags], [[], []]);
  assert.equal(as.text, processorClass());
  as.check({ kernel_dot: '7-bit', native: 'zen4' });
});

test('the command refuses an unknown class by name', () => {
  const command = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));
  assert.throws(
    () => execFileSync(process.execPath, [command, '--class', 'sse'], { stdio: 'pipe' }),
    ({ status, stderr }) => status === 2 && /there is no "sse", only vnni, avx2/.test(stderr),
  );
});

const LIMITS = [
  { kind: 'limit', shape: 'memory read', rate: 10, unit: 'GB/s' },
  { kind: 'limit', shape: '8-bit dot', rate: 30, unit: 'GMAC/s' },
  { kind: 'limit', shape: '8-bit dot', rate: 40, unit: 'GMAC/s' },
];
const matmul = (shape, rate, gbs, more) => ({
  ...{ kind: 'matmul', type: 'q4_0', variant: 'relaxed', shape, rate, unit: 'GMAC/s', gbs },
  ...{ limit: '8-bit dot', from_memory: false, chosen: true, ...more },
});

test('shares of limits: the larger one counts, the lowest comes first', () => {
  const limits = limitsOf(LIMITS);
  assert.equal(limits.get('8-bit dot'), 40);
  const rows = [
    matmul('64 tokens', 30, 99), // from the cache: 99 GB/s are no share of memory's
    matmul('reads', 10, 6, { from_memory: true }), // 0.25 and 0.6
    matmul('computes', 20, 1, { from_memory: true, chosen: false }), // 0.5 and 0.1
    matmul('scalar', 1, 1, { limit: '' }),
  ];
  const shares = withShares(rows, limits);
  assert.deepEqual(
    shares.map(({ shape, nearer, share }) => [shape, nearer, share]),
    [
      ['computes', '8-bit dot', 0.5],
      ['reads', 'memory read', 0.6],
      ['64 tokens', '8-bit dot', 0.75],
    ],
  );
  const [lowest, all, others] = kernelTables(rows, limits);
  assert.deepEqual(
    lowest[2].map((row) => row[2]),
    ['reads', '64 tokens'],
  );
  assert.deepEqual(
    all[2].map((row) => row.at(-1)),
    ['no', 'yes', 'yes'],
  );
  assert.deepEqual(
    others[2].map((row) => row[2]),
    ['scalar'],
  );
});

test('a kernel that two builds have is one row, chosen if a build chooses it', () => {
  const rows = merged(
    [matmul('64 tokens', 30, 1, { chosen: false })],
    [matmul('64 tokens', 20, 1), matmul('1 token', 5, 1)],
  );
  assert.deepEqual(
    rows.map(({ shape, rate, chosen }) => [shape, rate, chosen]),
    [
      ['64 tokens', 30, true],
      ['1 token', 5, true],
    ],
  );
});
