// Compares the logits of each kernel variant with the float64 forward pass: on trained models, and
// on small random ones in every weight type and shape that the layers treat differently. If this
// Node has no relaxed SIMD, a newer Node (TOKENGLASS_NODE24) runs the relaxed variant (in the long
// form both) on all models, and this Node runs only the trained models and a sample of the weight
// types.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { argmax, compareRuns, comparisonTable, maxAbsDiff } from '../support/measures.mjs';
import {
  loadReference,
  referenceLogits,
  referenceSequence,
} from '../support/reference-forward.mjs';
import { logitRows } from '../support/rows.mjs';
import { all, inTree } from '../support/support.mjs';
import { STORY } from '../support/story.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { encodeTensor, writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { TYPES, dequantize } from '../support/types.mjs';

const STORIES = inTree('../shared/models/stories260K.gguf');
const STORIES_NOTES = inTree('../shared/models/stories260K.md');
const STORYBOOK = inTree('demo/model/storybook-q8_0.gguf');
const noStories = !existsSync(STORIES) && `${STORIES} is absent`;

/** Set in the child process in the newer Node, where both variants must work. */
const IS_CHILD = process.env.TOKENGLASS_TEST_CHILD === '1';

/** The bytes of a small random model. rope_dim 0: RoPE rotates whole heads. */
function randomLlama({ rope_dim = 0, ...shape }) {
  const { metadata, tensors } = tinyLlama({
    n_embd: 128,
    n_head: 4,
    n_head_kv: 2,
    n_ff: 96,
    n_layer: 2,
    n_vocab: 301,
    ...shape,
  });
  const rope = rope_dim ? [['llama.rope.dimension_count', 'u32', rope_dim]] : [];
  return writeGguf({ metadata: [...metadata, ...rope], tensors });
}

/** Whether this Node can run a variant. */
async function runs(kernels) {
  try {
    await (await loadModel(randomLlama({ type: 'F32' }), { worker: false, kernels })).dispose();
    return true;
  } catch (error) {
    if (IS_CHILD || error.code !== 'ENGINE_UNSUPPORTED') throw error;
    return false;
  }
}

const wanted = IS_CHILD && !all ? ['relaxed'] : ['simd128', 'relaxed'];
const variants = [];
for (const kernels of wanted) if (await runs(kernels)) variants.push(kernels);

/** A newer Node that runs all tests instead; undefined if this Node can run them. */
const newer = variants.includes('relaxed') ? undefined : process.env.TOKENGLASS_NODE24;
const types = newer ? ['F32', 'F16', 'Q8_0', 'Q4_0', 'Q4_K', 'IQ3_S'] : Object.keys(TYPES);

/**
 * The float64 forward pass of one model. The logits of each position are computed once for all
 * variants.
 */
function referenceOf() {
  const models = new Map();
  const runs = new Map();
  return (bytes, ids, options = {}) => {
    const key = JSON.stringify(options);
    if (!models.has(key)) models.set(key, loadReference(bytes, options));
    const run = `${key} ${ids.join()}`;
    if (!runs.has(run)) runs.set(run, referenceLogits(models.get(key), ids));
    return runs.get(run);
  };
}

/**
 * Defines a test for each variant of one model. `work` gets a function that opens the model, which
 * is disposed of at the end, and a function that returns its reference logits.
 */
function forEachVariant(name, work, skip = false) {
  const reference = referenceOf();
  for (const kernels of variants) {
    test(`${kernels}: ${name}`, { skip }, async (t) => {
      const open = async (source) => {
        const model = await loadModel(source, {
          worker: false,
          kernels,
          cache_type_k: 'f32',
          cache_type_v: 'f32',
        });
        t.after(() => model.dispose());
        assert.equal(model.info.kernel_variant, kernels);
        return model;
      };
      await work(t, open, reference);
    });
  }
}

/** Token ids spread over the vocabulary. */
const someIds = (n, n_vocab) => Array.from({ length: n }, (_, i) => (i * 37 + 5) % n_vocab);

test('the reference tells the published greedy story', { skip: noStories }, () => {
  const bytes = readFileSync(STORIES);
  const { metadata } = readGguf(bytes);
  const sequence = referenceSequence(loadReference(bytes));
  let text = '';
  for (let id = metadata['tokenizer.ggml.bos_token_id'], i = 0; i < 200; i++) {
    id = argmax(sequence.next(id));
    const piece = metadata['tokenizer.ggml.tokens'][id];
    const byte = /^<0x(..)>$/.exec(piece);
    text += byte ? String.fromCharCode(parseInt(byte[1], 16)) : piece.replaceAll('\u2581', ' ');
  }
  const notes = readFileSync(STORIES_NOTES, 'utf8');
  const story = notes.slice(notes.indexOf('Once upon a time')).split('\n```')[0];
  assert.ok(text.length > 400 && story.startsWith(text.trimStart()), text);
});

forEachVariant(
  'stories260K, F32: within 1e-4 on 64 positions',
  async (t, open, reference) => {
    const model = await open(STORIES);
    const ids = [model.info.bos, ...someIds(63, model.info.n_vocab)];
    const comparison = compareRuns(
      reference(readFileSync(STORIES), ids),
      await logitRows(model, ids),
    );
    for (const line of comparisonTable({ 'float64 -> tokenglass': comparison })) t.diagnostic(line);
    assert.ok(comparison.maxDiff <= 1e-4, `${comparison.maxDiff}`);
  },
  noStories,
);

forEachVariant('storybook, Q8_0: near the truth on 256 positions', async (t, open, reference) => {
  const model = await open(STORYBOOK);
  const ids = (await model.tokenize(STORY)).slice(0, 256);
  assert.equal(ids.length, 256);
  const comparison = compareRuns(
    reference(readFileSync(STORYBOOK), ids),
    await logitRows(model, ids),
  );
  for (const line of comparisonTable({ 'float64 -> tokenglass': comparison })) t.diagnostic(line);
  // In a float64 forward pass, too, 8-bit activations cost an RMS of 0.03 and a KL of 1.6e-4. The
  // limits are about twice that.
  assert.ok(comparison.rms <= 0.06, `RMS ${comparison.rms}`);
  assert.ok(comparison.meanKl <= 4e-4, `mean KL ${comparison.meanKl}`);
  assert.ok(comparison.topEqual >= 0.97, `the top token is equal on ${comparison.topEqual}`);
});

/**
 * The strict test of quantized matmuls. As long as all 8-bit codes of activations are those of the
 * definition, only float rounding differs. A single code that rounds the other way changes all
 * later values by as much as the quantization step. So the runs are short, and the median of their
 * differences counts.
 */
async function medianToCodedPass(model, reference, bytes, n_runs) {
  const diffs = [];
  for (let run = 0; run < n_runs; run++) {
    const ids = someIds(n_runs + 2, model.info.n_vocab).slice(run, run + 2);
    const expected = reference(bytes, ids, { codedActivations: true }).at(-1);
    diffs.push(maxAbsDiff(expected, (await logitRows(model, ids)).at(-1)));
  }
  return diffs.sort((a, b) => a - b)[n_runs >> 1];
}

forEachVariant(
  "storybook, Q8_0: the activations' codes are the definition's",
  async (t, open, reference) => {
    const median = await medianToCodedPass(
      await open(STORYBOOK),
      reference,
      readFileSync(STORYBOOK),
      32,
    );
    t.diagnostic(`median of max |diff| over 32 runs of 2 tokens: ${median.toExponential(1)}`);
    assert.ok(median <= 2e-5, `${median}`);
  },
);

const SHAPES = {
  'tied output, 301 tokens': {},
  'separate output': { tied: false },
  'as many key as query heads': { n_head_kv: 4 },
  'one key head, heads of 64': { n_head: 2, n_head_kv: 1 },
  'half of each head rotated': { rope_dim: 16 },
  '302 tokens, separate output': { n_vocab: 302, tied: false },
  '303 tokens, one layer, wide feed-forward': { n_vocab: 303, n_layer: 1, n_ff: 416 },
};

/** Rows of 256, for types with blocks of 256. */
const LONG = { n_embd: 256, n_ff: 512 };

for (const type of types) {
  const long = TYPES[type].elements > 32;
  const shapes = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'].includes(type)
    ? SHAPES
    : { 'separate output': { tied: false }, '303 tokens, one layer': { n_vocab: 303, n_layer: 1 } };
  for (const [name, shape] of Object.entries(shapes)) {
    forEachVariant(`random llama, ${type}: ${name}`, async (t, open, reference) => {
      const bytes = randomLlama({ ...(long && LONG), ...shape, type });
      const model = await open(bytes.slice());
      const ids = someIds(48, model.info.n_vocab);
      const { maxDiff, rms } = compareRuns(reference(bytes, ids), await logitRows(model, ids));
      if (TYPES[type].elements === 1) return assert.ok(maxDiff <= 2e-5, `max |diff| ${maxDiff}`);
      const median = await medianToCodedPass(model, reference, bytes, 16);
      // The RMS of the logits themselves is about 1; 8-bit activations cost 0.02 of that.
      assert.ok(rms <= 0.05, `RMS ${rms} to the truth`);
      assert.ok(median <= 2e-5, `median ${median} to the coded forward pass`);
    });
  }
}

forEachVariant(
  'random llama, a type for each use of weights, as quantizers mix them',
  async (t, open, reference) => {
    const { metadata, tensors } = tinyLlama({
      ...LONG,
      n_head: 4,
      n_head_kv: 2,
      n_layer: 2,
      n_vocab: 301,
      type: 'Q4_K',
      tied: false,
    });
    const typeOf = {
      token_embd: 'Q2_K',
      output: 'Q6_K',
      attn_v: 'Q5_K',
      attn_output: 'Q3_K',
      attn_q: 'IQ4_XS',
      ffn_up: 'BF16',
      ffn_down: 'Q5_1',
    };
    const mixed = tensors.map((tensor) => {
      const type = typeOf[tensor.name.split('.').at(-2)];
      if (!type) return tensor;
      const values = dequantize(
        tensor.type,
        new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset),
        tensor.dims[0] * tensor.dims[1],
      );
      return { ...tensor, type, bytes: encodeTensor(type, values) };
    });
    const bytes = writeGguf({ metadata, tensors: mixed });
    const model = await open(bytes.slice());
    assert.ok(
      Object.values(typeOf).every((type) =>
        model.info.quant_types.some(({ name }) => name === type),
      ),
      JSON.stringify(model.info),
    );
    const ids = someIds(48, model.info.n_vocab);
    const { rms } = compareRuns(reference(bytes, ids), await logitRows(model, ids));
    const median = await medianToCodedPass(model, reference, bytes, 16);
    assert.ok(rms <= 0.05, `RMS ${rms} to the truth`);
    assert.ok(median <= 2e-5, `median ${median} to the coded forward pass`);
  },
);

if (!variants.includes('relaxed')) {
  const skip =
    !newer && `node ${process.version} lacks relaxed SIMD, and TOKENGLASS_NODE24 names no other`;
  test('the relaxed variant, every type, in a newer Node', { skip, timeout: 600_000 }, (t) => {
    const env = { ...process.env, TOKENGLASS_TEST_CHILD: '1' };
    delete env.NODE_TEST_CONTEXT; // the child reports to this test, not to the test runner
    const { status, stdout, stderr } = spawnSync(
      newer,
      ['--test-reporter=tap', fileURLToPath(import.meta.url)],
      { env, encoding: 'utf8', maxBuffer: 1e9 },
    );
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /^ok \d+ - relaxed: storybook/m);
    for (const [, line] of stdout.matchAll(/^# (.*(?:diff|float64|pass \d).*)$/gm))
      t.diagnostic(line);
  });
}
