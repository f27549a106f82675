// Measures how far tokenglass and llama.cpp are from the float64 forward pass over the same
// weights, for each weight type and cache type: random models from 8 seeds, RMS over the logits of
// all positions. Our error may be at most 1.02 times llama.cpp's, in every kernel variant that can
// run on this machine.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { encodeTensor, writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { compareRuns } from '../support/measures.mjs';
import { loadReference, referenceLogits } from '../support/reference-forward.mjs';
import { logitRows } from '../support/rows.mjs';
import { TYPES } from '../support/types.mjs';
import { compareDequantizers, quantize } from './blocks.mjs';
import { openPeer, preparePeer } from './llamacpp.mjs';

const SEEDS = 8;
const POSITIONS = 48;
const LIMIT = 1.02;
const CACHES = ['F32', 'F16', 'Q8_0'];
const SHAPE = { n_embd: 256, n_head: 4, n_head_kv: 2, n_ff: 512, n_layer: 3, n_vocab: 320 };
/**
 * Weight types that are measured with every cache type; the others are measured with the default
 * cache.
 */
const MAIN = ['F32', 'F16', 'Q8_0', 'Q4_0'];
/** The tensors that llama.cpp's common K-quant mixtures (Q4_K_M) store in other types. */
const MIXED = {
  token_embd: 'Q6_K',
  attn_v: 'Q6_K',
  ffn_down: 'Q5_K',
  attn_q: 'Q4_K',
  attn_k: 'Q3_K',
  attn_output: 'IQ4_XS',
  ffn_gate: 'IQ4_NL',
  ffn_up: 'Q2_K',
};

const reason = preparePeer();
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-errors-'));
after(() => rmSync(folder, { recursive: true }));

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Types whose quantizer takes a minute or more. Their models have random blocks instead. */
const SLOW = ['IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ1_S', 'IQ1_M'];

/** A random model whose matrices are quantized by ggml's own quantizer. */
function modelOf(type, seed) {
  const { metadata, tensors } = tinyLlama({ ...SHAPE, type: 'F32', seed });
  const typeOf = (name) => (type === 'mixed' ? MIXED[name.split('.').at(-2)] : type);
  return writeGguf({
    metadata,
    tensors: tensors.map((tensor) => {
      if (tensor.dims.length === 1 || type === 'F32') return tensor;
      const to = typeOf(tensor.name);
      const values = new Float32Array(Uint8Array.from(tensor.bytes).buffer);
      return {
        ...tensor,
        type: to,
        bytes: (SLOW.includes(to) ? encodeTensor : quantize)(to, values),
      };
    }),
  });
}

test(
  "blocks of every type dequantize to the bits that ggml's own functions give",
  { skip: reason || false },
  (t) => {
    const results = compareDequantizers();
    const coded = Object.keys(TYPES).filter((type) => TYPES[type].elements > 1);
    assert.deepEqual(results.map(({ type }) => type).sort(), coded.sort());
    for (const { type, blocks, different } of results) {
      t.diagnostic(`${type}: ${blocks} blocks, ${different} weights differ`);
      assert.equal(different, 0, type);
    }
  },
);

/** The types to measure. TOKENGLASS_TYPES names others, separated by commas, or "all". */
const wanted = process.env.TOKENGLASS_TYPES ?? [...MAIN, 'Q4_K', 'Q6_K', 'mixed'].join();
const types = wanted === 'all' ? [...Object.keys(TYPES), 'mixed'] : wanted.split(',');

for (const type of types) {
  test(
    `${type}: our error to the truth beside llama.cpp's, ${SEEDS} seeds`,
    { skip: reason || false, timeout: 300_000 },
    async (t) => {
      const caches = MAIN.includes(type) ? CACHES : ['F32'];
      const errors = Object.fromEntries(caches.map((cache) => [cache, { ours: [], theirs: [] }]));
      const ids = Array.from({ length: POSITIONS }, (_, i) => (i * 37 + 5) % SHAPE.n_vocab);
      for (let seed = 1; seed <= SEEDS; seed++) {
        const path = join(folder, `${type}-${seed}.gguf`);
        const bytes = modelOf(type, seed);
        writeFileSync(path, bytes);
        const truth = referenceLogits(loadReference(Buffer.from(bytes)), ids);
        const peer = await openPeer(path);
        try {
          for (const cache of caches) {
            const theirs = (await peer.logits(ids, false, cache)).map(({ logits }) => logits);
            errors[cache].theirs.push(compareRuns(truth, theirs).rms);
            const cacheType = cache.toLowerCase();
            const model = await loadModel(path, {
              worker: false,
              cache_type_k: cacheType,
              cache_type_v: cacheType,
            });
            errors[cache].ours.push(compareRuns(truth, await logitRows(model, ids)).rms);
            await model.dispose();
          }
        } finally {
          await peer.close();
        }
      }
      for (const cache of caches) {
        const ours = mean(errors[cache].ours);
        const theirs = mean(errors[cache].theirs);
        t.diagnostic(
          `${type}, cache ${cache}: RMS to float64 ${ours.toExponential(2)}, llama.cpp ${theirs.toExponential(2)}: ${(ours / theirs).toFixed(3)}`,
        );
        assert.ok(
          Number.isFinite(theirs) && ours <= LIMIT * theirs,
          `${type}, cache ${cache}: ${ours} against ${theirs}`,
        );
      }
    },
  );
}

const newer = process.env.TOKENGLASS_NODE24;
if (newer && newer !== process.execPath) {
  test(
    'the same with relaxed kernels, in a newer Node',
    { skip: reason || false, timeout: 1_800_000 },
    (t) => {
      const env = { ...process.env, TOKENGLASS_NODE24: newer };
      delete env.NODE_TEST_CONTEXT; // the child reports to this test, not to the test runner
      delete env.TOKENGLASS_NODE24; // the child must not start a Node 24 run of its own
      const { status, stdout, stderr } = spawnSync(
        newer,
        ['--test-reporter=tap', fileURLToPath(import.meta.url)],
        {
          env,
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stdout + stderr);
      for (const [, line] of stdout.matchAll(/^# (.*RMS to float64.*)$/gm)) t.diagnostic(line);
    },
  );
}
