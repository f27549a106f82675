// A sample of `npm run parity`: F32 files of every architecture against the float64 truth;
// llama.cpp against the same truth for the architectures that differ most, to check the truth
// itself; and 8-bit files of two architectures, tokenglass and llama.cpp against the truth.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { caseNames, tinyModel } from '../support/architectures.mjs';
import { preparePeer } from './llamacpp.mjs';
import { FLOAT_LIMIT, RATIO_LIMIT, measure } from './parity.mjs';

const POSITIONS = 64; // longer than a sliding window and than two pages of the cache
const TINY = {
  N_EMBD: 32,
  N_HEAD: 1,
  N_HEAD_KV: 1,
  HEAD_DIM: 32,
  N_FF: 32,
  N_VOCAB: 301,
  EXPERTS: 2,
};
/** llama.cpp computes GELU from a table of binary16 values. */
const PEER_LIMIT = 5e-3;

const reason = preparePeer();
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-parity-'));
after(() => rmSync(folder, { recursive: true }));

test('every architecture of arch.def has a case', () => {
  const rows = [
    ...readFileSync(new URL('../../src/model/arch.def', import.meta.url), 'utf8').matchAll(
      /^TG_ARCH\((\w+)\)/gm,
    ),
  ];
  const covered = new Set(caseNames.map((name) => tinyModel(name, { shape: TINY }).metadata[0][2]));
  assert.deepEqual(
    rows.map(([, name]) => name).filter((name) => !covered.has(name)),
    [],
  );
});

for (const name of caseNames)
  test(`${name}, F32: as the float64 pass`, async (t) => {
    const { ours } = await measure(name, 'F32', {
      seeds: 1,
      folder,
      positions: POSITIONS,
      peer: false,
    });
    t.diagnostic(`max difference ${ours.max.toExponential(1)} of the logits' spread`);
    assert.ok(ours.max <= FLOAT_LIMIT, `${ours.max}`);
  });

for (const name of [
  'llama, YaRN',
  'gemma2',
  'gemma3',
  'phi3',
  'gpt2',
  'olmo2, windows',
  'lfm2',
  'qwen35',
  'granitemoe, shared',
])
  test(
    `${name}, F32: llama.cpp agrees with the float64 pass`,
    { skip: reason || false, timeout: 120_000 },
    async (t) => {
      const { theirs, why } = await measure(name, 'F32', {
        seeds: 1,
        folder,
        positions: POSITIONS,
      });
      assert.ok(theirs, why);
      t.diagnostic(`max difference ${theirs.max.toExponential(1)} of the logits' spread`);
      assert.ok(theirs.max <= PEER_LIMIT, `${theirs.max}`);
    },
  );

for (const name of ['gemma2', 'lfm2'])
  test(
    `${name}, Q8_0: our error beside llama.cpp's`,
    { skip: reason || false, timeout: 300_000 },
    async (t) => {
      const { ours, theirs, why } = await measure(name, 'Q8_0', { seeds: 8, folder });
      assert.ok(theirs, why);
      t.diagnostic(`RMS ${ours.rms.toExponential(2)}, llama.cpp ${theirs.rms.toExponential(2)}`);
      assert.ok(ours.rms <= RATIO_LIMIT * theirs.rms, `${ours.rms} against ${theirs.rms}`);
    },
  );
