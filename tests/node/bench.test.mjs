// What npm run bench says of the processor and of the limits. The measurements themselves are not
// tested.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { peerSections } from '../bench/chart-data.mjs';
import { kernelTables, limitsOf, merged, withShares } from '../bench/kernel-tables.mjs';
import { peerTables } from '../bench/peer-tables.mjs';
import { processorAs } from '../bench/processor.mjs';
import { processorClass, withSection } from '../support/measurements.mjs';
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
  ...{ limit: '8-bit dot', from_memory: false, chosen_by: ['relaxed'], ...more },
});

test('shares of limits: the larger one counts, the lowest comes first', () => {
  const limits = limitsOf(LIMITS);
  assert.equal(limits.get('8-bit dot'), 40);
  const rows = [
    matmul('64 tokens', 30, 99), // from the cache: 99 GB/s are no share of memory's
    matmul('reads', 10, 6, { from_memory: true }), // 0.25 and 0.6
    matmul('computes', 20, 1, { from_memory: true, chosen_by: [] }), // 0.5 and 0.1
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
    ['', 'relaxed', 'relaxed'],
  );
  assert.deepEqual(
    others[2].map((row) => row[2]),
    ['scalar'],
  );
});

test('a kernel that two builds have is one row, with the builds that choose it', () => {
  const rows = merged({
    relaxed: [
      matmul('64 tokens', 30, 1, { chosen: false }),
      matmul('reads', 3, 1, { chosen: true }),
    ],
    simd128: [
      matmul('64 tokens', 20, 1, { chosen: true }),
      matmul('1 token', 5, 1, { chosen: false }),
      matmul('reads', 4, 1, { chosen: true }),
    ],
  });
  assert.deepEqual(
    rows.map(({ shape, rate, chosen_by }) => [shape, rate, chosen_by]),
    [
      ['64 tokens', 30, ['simd128']],
      ['reads', 3, ['relaxed', 'simd128']],
      ['1 token', 5, []],
    ],
  );
});

test('a section is replaced, or comes after those beside which it belongs, or at the end', () => {
  const one = withSection('# Head\n', 'a (x)', '1');
  assert.equal(one, '# Head\n\n## a (x)\n\n<!-- begin: a (x) -->\n\n1\n\n<!-- end: a (x) -->\n');
  const two = withSection(one, 'b', '2');
  assert.equal(two, `${one}\n## b\n\n<!-- begin: b -->\n\n2\n\n<!-- end: b -->\n`);
  const three = withSection(two, 'a (x, y)', '3', ['a (x)', 'a (x, y)']);
  assert.deepEqual(three.match(/## .*/g), ['## a (x)', '## a (x, y)', '## b']);
  assert.equal(withSection(three, 'b', '2'), three);
  assert.equal(withSection(three, 'b', '4'), three.replace('\n2\n', '\n4\n'));
});

/** A section of peers as --write writes it. */
function peerSection(file, name, rate) {
  const peers = ['tokenglass relaxed, Chromium', 'wllama 1.2.3, Chromium', 'other'].map(
    (engine, i) => ({
      ...{
        name: engine,
        type: 'Q4_0',
        threads: 2,
        prefill: rate + i,
        decode: 0.5 + i,
        steps: null,
      },
    }),
  );
  const [[title, columns, rows]] = peerTables(peers, [], ['Q4_0'], { prompt: 256, generate: 64 });
  const row = (cells) => `| ${cells.join(' | ')} |\n`;
  const table = `${title}; V8\n\n${row(columns)}|---|---:|\n${rows.map(row).join('')}`;
  const head = '`npm run bench` on 2026-01-02: some processor, 2 processors, Node 20.1.0.';
  return withSection(file, `bench: peers (${name})`, `${head}\n\n${table.trim()}`);
}

test('the chart shows the sections of the classes, or else that of the processor as it is', () => {
  const plain = peerSection('', '135m', 100);
  const [section] = peerSections(plain, '135m');
  assert.equal(section.class, undefined);
  assert.equal(section.processor, 'some processor, 2 processors');
  assert.equal(section.date, '2026-01-02');
  const common = { type: 'Q4_0', threads: 2 };
  assert.deepEqual(section.bars, [
    { ...common, engine: 'tokenglass (browser)', what: 'prefill', rate: 100 },
    { ...common, engine: 'tokenglass (browser)', what: 'decode', rate: 0.5 },
    { ...common, engine: 'wllama 1.2.3 (browser)', what: 'prefill', rate: 101 },
    { ...common, engine: 'wllama 1.2.3 (browser)', what: 'decode', rate: 1.5 },
  ]);
  const both = peerSection(peerSection(plain, '135m, vnni', 200), '135m, avx2', 300);
  assert.deepEqual(
    peerSections(both, '135m').map((one) => [one.class, one.bars[0].rate]),
    [
      ['vnni', 200],
      ['avx2', 300],
    ],
  );
  assert.throws(() => peerSections(both, '115m'), /no rates of peers \(115m\)/);
});
