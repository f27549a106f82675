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
import { encodeTensor, writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { compareRuns } from '../support/measures.mjs';
import { loadReference, referenceLogits } from '../support/reference-forward.mjs';
import { logitRows } from '../support/rows.mjs';
import { all, withModel } from '../support/support.mjs';
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

// A Node with relaxed SIMD runs both variants and shares the models and llama.cpp's logits between
// them. Where this Node lacks it, a newer one does all of it.
const newer = process.env.TOKENGLASS_NODE24;
const { kernel_variant } = await withModel('storybook', { worker: false }, ({ info }) => info);
const variants = kernel_variant === 'relaxed' ? ['simd128', 'relaxed'] : ['simd128'];

const reason = preparePeer();
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-errors-'));
after(() => rmSync(folder, { recursive: true }));

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Types whose quantizer takes a minute or more. Their models have random blocks instead. */
const SLOW = ['IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ1_S', 'IQ1_M'];

/** Quantizes tensors of floats, by ggml's own quantizer in one call for each type. */
function quantizeAll(tensors, typeOf) {
  const result = new Map();
  for (const type of new Set(tensors.map(typeOf))) {
    const chosen = tensors.filter((tensor) => typeOf(tensor) === type);
    const bytes = (SLOW.includes(type) ? encodeTensor : quantize)(
      type,
      Float32Array.from(chosen.flatMap(({ values }) => Array.from(values))),
    );
    let start = 0;
    for (const { name, values } of chosen) {
      const size = (values.length / TYPES[type].elements) * TYPES[type].bytes;
      result.set(name, { type, bytes: bytes.subarray(start, start + size) });
      start += size;
    }
  }
  return result;
}

/** A random model whose matrices are quantized by ggml's own quantizer. */
function modelOf(type, seed) {
  const { metadata, tensors } = tinyLlama({ ...SHAPE, type: 'F32', seed });
  if (type === 'F32') return writeGguf({ metadata, tensors });
  const matrices = tensors
    .filter(({ dims }) => dims.length > 1)
    .map(({ name, bytes }) => ({
      name,
      values: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    }));
  const quantized = quantizeAll(matrices, ({ name }) =>
    type === 'mixed' ? MIXED[name.split('.').at(-2)] : type,
  );
  return writeGguf({
    metadata,
    tensors: tensors.map((tensor) => ({ ...tensor, ...quantized.get(tensor.name) })),
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

/**
 * The types to measure. TOKENGLASS_TYPES names others, separated by commas, or "all"; npm run
 * test:all adds two types that the mixture has, too.
 */
const wanted =
  process.env.TOKENGLASS_TYPES ?? [...MAIN, 'mixed', ...(all ? ['Q4_K', 'Q6_K'] : [])].join();
const types = wanted === 'all' ? [...Object.keys(TYPES), 'mixed'] : wanted.split(',');

/** Measures one weight type in all cache types and the kernel variants that this Node can run. */
async function measure(t, type) {
  const caches = MAIN.includes(type) ? CACHES : ['F32'];
  const ids = Array.from({ length: POSITIONS }, (_, i) => (i * 37 + 5) % SHAPE.n_vocab);
  const errors = new Map(); // 'cache, engine' -> RMS errors, one for each seed
  const note = (cache, engine, error) => {
    const key = `${cache}, ${engine}`;
    errors.set(key, [...(errors.get(key) ?? []), error]);
  };
  for (let seed = 1; seed <= SEEDS; seed++) {
    const path = join(folder, `${type}-${seed}.gguf`);
    const bytes = modelOf(type, seed);
    writeFileSync(path, bytes);
    const truth = referenceLogits(loadReference(Buffer.from(bytes)), ids);
    const peer = await openPeer(path);
    try {
      for (const cache of caches) {
        const theirs = (await peer.logits(ids, false, cache)).map(({ logits }) => logits);
        note(cache, 'llama.cpp', compareRuns(truth, theirs).rms);
        for (const kernels of variants) {
          const cacheType = cache.toLowerCase();
          const options = { kernels, cache_type_k: cacheType, cache_type_v: cacheType };
          const ours = await withModel(path, { worker: false, ...options }, (model) =>
            logitRows(model, ids),
          );
          note(cache, kernels, compareRuns(truth, ours).rms);
        }
      }
    } finally {
      await peer.close();
      rmSync(path);
    }
  }
  for (const cache of caches) {
    const theirs = mean(errors.get(`${cache}, llama.cpp`));
    for (const kernels of variants) {
      const ours = mean(errors.get(`${cache}, ${kernels}`));
      t.diagnostic(
        `${type}, cache ${cache}, ${kernels}: RMS to float64 ${ours.toExponential(2)}, llama.cpp ${theirs.toExponential(2)}: ${(ours / theirs).toFixed(3)}`,
      );
      assert.ok(
        Number.isFinite(theirs) && ours <= LIMIT * theirs,
        `${type}, cache ${cache}, ${kernels}: ${ours} against ${theirs}`,
      );
    }
  }
}

if (variants.length === 1 && newer)
  test(
    'our error to the truth beside llama.cpp’s, in a newer Node',
    { skip: reason || false, timeout: 1_800_000 },
    (t) => {
      const env = { ...process.env };
      delete env.NODE_TEST_CONTEXT; // the child reports to this test, not to the test runner
      const { status, stdout, stderr } = spawnSync(
        newer,
        ['--test-reporter=tap', fileURLToPath(import.meta.url)],
        { env, encoding: 'utf8', maxBuffer: 1e9 },
      );
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /relaxed: RMS to float64/);
      for (const [, line] of stdout.matchAll(/^# (.*RMS to float64.*)$/gm)) t.diagnostic(line);
    },
  );
else
  for (const type of types)
    test(
      `${type}: our error to the truth beside llama.cpp's, ${SEEDS} seeds`,
      { skip: reason || false, timeout: 600_000 },
      (t) => measure(t, type),
    );
