// Checks of the papers that look inside a model, by their number in the list.
import assert from 'node:assert/strict';
import { loadModel } from '../../dist/node.js';
import { writeGguf } from '../support/gguf-writer.mjs';
import { loadReference, referenceLogits } from '../support/reference-forward.mjs';
import { freshLogits } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const TEXT = 'Once upon a time there was a little girl. She had a red ball and a big dog.';

const largest = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);

/** 8: which positions see which under the lens's masks, and what its shares mean. */
async function sums(story) {
  const { n_layer } = story.info;
  const ids = await story.tokenize('7 + 5 =');
  const later = Array.from({ length: n_layer - 2 }, (_, i) => i + 2);
  const edits = [
    { type: 'visible', layers: [1], sees: 'last_sees_all' },
    { type: 'visible', layers: later, sees: 'self_and_first' },
  ];
  const seen = await story.observe(ids, { attention: {}, edits });
  const { values, shape, queries } = seen.attention;
  const [, n_head, n, n_keys] = shape;
  let seenKeys = 0;
  for (const layer of [1, ...later])
    for (let head = 0; head < n_head; head++)
      for (const query of queries) {
        const start = ((layer * n_head + head) * n + query) * n_keys;
        const row = values.subarray(start, start + n_keys);
        assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-5);
        const all = layer === 1 && query === n - 1;
        for (const [key, weight] of row.entries()) {
          const sees = key <= query && (all || key === query || key === 0);
          assert.equal(weight > 0, sees);
          seenKeys += Number(sees);
        }
      }
  const options = { n: 6, samples: 6, max_number: 9, task: 'a + b', keep: 0.5 };
  const found = await story.lens.camaAbp(options);
  const { waiting, wait, transferring, transfer } = found;
  assert.equal(waiting.length, n_layer + 1);
  assert.equal(waiting[0], 1); // the mean over the same token at the same place is its embedding
  assert.ok(waiting.slice(0, wait + 1).every((share) => share >= 0.5));
  if (!Number.isNaN(transfer)) assert.ok(transferring[transfer] >= 0.5);
  return `${seenKeys} weights above 0, all others 0; the built-in model's next token stays with ${wait} layers that wait and ${transfer} that transfer`;
}

const cosine = (a, b) => {
  const dot = (x, y) => x.reduce((total, value, i) => total + value * y[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/** 31: the cosines of the embeddings are those of the tokens' rows; others from the residuals. */
async function neighbours(story) {
  const ids = await story.tokenize(TEXT);
  const { n_embd, n_layer, tied_output } = story.info;
  assert.ok(tied_output);
  const { layers } = await story.lens.adjacentCosine(ids);
  const rows = await story.outputRows(ids);
  const { residuals } = await story.observe(ids, { residuals: { layers: [n_layer] } });
  for (const [values, { cosines }] of [
    [rows, layers[0]],
    [residuals.values, layers[n_layer]],
  ]) {
    const vector = (i) => values.subarray(i * n_embd, (i + 1) * n_embd);
    for (const [i, value] of cosines.entries())
      assert.ok(Math.abs(value - cosine(vector(i), vector(i + 1))) < 1e-4);
  }
  const of = (layer) => layers[layer].roughness.toFixed(2);
  return `mean step between neighbouring cosines ${of(0)} after the embeddings, ${of(n_layer)} at the end`;
}

/** 14: residuals that are read from one text and set in another give the first one's logits. */
async function residuals(story) {
  const ids = await story.tokenize(TEXT);
  const other = [ids[0], ...ids.slice(1).reverse()];
  const { n_layer, n_embd } = story.info;
  const layers = [1, Math.floor(n_layer / 2), n_layer];
  const seen = await story.observe(ids, { logits: [ids.length - 1], residuals: { layers } });
  const { values } = seen.residuals;
  let moved = 0;
  for (const [l, layer] of layers.entries()) {
    const edits = ids.map((_, position) => ({
      ...{ type: 'residual', layer, position },
      values: values.slice(
        (l * ids.length + position) * n_embd,
        (l * ids.length + position + 1) * n_embd,
      ),
    }));
    const logits = [ids.length - 1];
    const patched = await story.observe(other, { logits, edits });
    assert.equal(largest(patched.logits.values, seen.logits.values), 0);
    const plain = await story.observe(other, { logits });
    moved = Math.max(moved, largest(plain.logits.values, seen.logits.values));
  }
  assert.ok(moved > 0.1);
  return `logits of another text differ by ${moved.toFixed(1)}, with the residuals of layer ${layers.join(', ')} by 0`;
}

/** 55: attention in one pass over the keys, beside a softmax over whole rows in float64. */
async function streaming() {
  const file = writeGguf(tinyLlama({ n_embd: 64, n_layer: 3 }));
  const ids = Array.from({ length: 60 }, (_, i) => 3 + ((i * 37) % 250));
  const options = { worker: false, cache_type_k: 'f32', cache_type_v: 'f32' };
  const expected = referenceLogits(loadReference(file), ids).at(-1);
  const model = await loadModel(file, options);
  const difference = largest(await freshLogits(model, ids), expected);
  await model.dispose();
  assert.ok(difference < 1e-4, String(difference));
  return `logits after ${ids.length} tokens within ${difference.toExponential(0)}`;
}

/** The checks by the paper's number. */
export const checks = {
  8: sums,
  14: residuals,
  31: neighbours,
  55: streaming,
};
