// Checks of the papers that look inside a model, by their number in the list.
import assert from 'node:assert/strict';
import { loadModel } from '../../dist/node.js';
import { writeGguf } from '../support/gguf-writer.mjs';
import { loadReference, referenceLogits } from '../support/reference-forward.mjs';
import { freshLogits } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const TEXT = 'Once upon a time there was a little girl. She had a red ball and a big dog.';

const largest = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);

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
  14: residuals,
  55: streaming,
};
