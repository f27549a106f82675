// The residuals that observe reports are those that were published for a small GPT that sorts
// letters: https://github.com/bbycroft/llm-viz has its weights (minGPT, by A. Karpathy) and what
// PyTorch computed for three texts, the residual before each block and after the last. The test
// fetches both files, and is skipped where they cannot be reached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { referenceRun } from '../peers/reference.mjs';
import { tinyModel } from '../support/architectures.mjs';
import { encodeTensor, writeGguf } from '../support/gguf-writer.mjs';

const COMMIT = '9da93742382f1bf36c020c38a1ace454e82c4490';
const FILES = `https://raw.githubusercontent.com/bbycroft/llm-viz/${COMMIT}/public/gpt-nano-sort`;
const SIZES = { N_EMBD: 48, N_HEAD: 3, N_HEAD_KV: 3, HEAD_DIM: 16, N_FF: 192, N_VOCAB: 301 };
const OPTIONS = { worker: false, n_ctx: 16, cache_type_k: 'f32', cache_type_v: 'f32' };

/** A tensor of the files as floats. */
const floatsOf = ({ data }) => new Float32Array(new Uint8Array(Buffer.from(data, 'base64')).buffer);

/** The name in minGPT of each of our tensors. */
function nameOf(name) {
  const [, layer, part, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(\w+)$/.exec(name);
  const parts = {
    token_embd: 'wte',
    position_embd: 'wpe',
    output_norm: 'ln_f',
    attn_norm: 'ln_1',
    attn_qkv: 'attn.c_attn',
    attn_output: 'attn.c_proj',
    ffn_norm: 'ln_2',
    ffn_up: 'mlp.c_fc',
    ffn_down: 'mlp.c_proj',
  };
  return `transformer.${layer === undefined ? '' : `h.${layer}.`}${parts[part]}.${kind}`;
}

/**
 * A GGUF file with the weights. Our vocabulary and context are larger: the other rows of the
 * embeddings are never read.
 */
function converted(weights) {
  const { metadata, tensors } = tinyModel('gpt2', { type: 'F32', shape: SIZES });
  return writeGguf({
    metadata,
    tensors: tensors.map((tensor) => {
      const values = new Float32Array(tensor.dims.reduce((a, b) => a * b));
      const given = floatsOf(weights[nameOf(tensor.name)]);
      if (!/_embd/.test(tensor.name)) assert.equal(given.length, values.length, tensor.name);
      values.set(given);
      return { ...tensor, bytes: encodeTensor('F32', values) };
    }),
  });
}

/** Runs each text and compares the residuals at boundary i with published[i], [text][11][48]. */
async function compare(file, texts, published) {
  const model = await loadModel(file, OPTIONS);
  for (const [t, ids] of texts.entries()) {
    const { residuals } = await model.observe(ids, { residuals: {} });
    assert.deepEqual(residuals.shape, [published.length, ids.length, 48]);
    const size = ids.length * 48;
    for (const [i, expected] of published.entries())
      for (let k = 0; k < size; k++) {
        const [ours, theirs] = [residuals.values[i * size + k], expected[t * size + k]];
        if (!(Math.abs(ours - theirs) < 2e-5))
          assert.fail(`text ${t}, boundary ${i}, number ${k}: ${ours}, not ${theirs}`);
      }
  }
  await model.dispose();
}

const texts = [0, 1, 2].map((t) => Array.from({ length: 11 }, (_, i) => (i * (t + 2) + t) % 3));

test('random weights in the form of the files give the residuals of the float64 pass', async () => {
  const shapes = Object.fromEntries(
    tinyModel('gpt2', { type: 'F32', shape: SIZES }).tensors.map(({ name, dims }) => [
      nameOf(name),
      /_embd/.test(name) ? [name.startsWith('token') ? 3 : 11, 48] : dims,
    ]),
  );
  const weights = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], seed) => {
      const values = Float32Array.from(
        { length: shape.reduce((a, b) => a * b) },
        (_, i) => Math.sin(i * 1.3 + seed) / 5,
      );
      return [name, { shape, data: Buffer.from(values.buffer).toString('base64') }];
    }),
  );
  const file = converted(weights);
  const runs = texts.map((ids) => referenceRun(file, ids, 16).residuals);
  const published = [0, 1, 2, 3].map((i) => runs.flatMap((run) => run[i].flatMap((x) => [...x])));
  await compare(file, texts, published);
  published[3][5] += 1e-3;
  await assert.rejects(compare(file, texts, published), /text 0, boundary 3, number 5/);
});

async function fetched(name) {
  const response = await fetch(`${FILES}-${name}.json`, { signal: AbortSignal.timeout(15_000) });
  if (!response.ok) throw new Error(`${response.status}`);
  return response.json();
}

test('the sorting model has the published residuals', async (t) => {
  let files;
  try {
    files = await Promise.all(['model', 't0-partials'].map(fetched));
  } catch (error) {
    return t.skip(`the files cannot be fetched: ${error.cause?.message ?? error.message}`);
  }
  const [weights, partials] = files;
  const ids = Array.from(floatsOf(partials.idx));
  await compare(
    converted(weights),
    [0, 1, 2].map((i) => ids.slice(i * 11, (i + 1) * 11)),
    ['x', 'block0', 'block1', 'block2'].map((name) => floatsOf(partials[name])),
  );
});
