// Checks of the papers about what a model knows or does, by their number in the list.
import assert from 'node:assert/strict';
import { loadModel } from '../../dist/node.js';
import { maskWeights } from '../../dist/node-lenses.js';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { freshLogits } from '../support/support.mjs';

const TEXT = 'Once upon a time there was a little girl who had a red ball. She ran to the river.';

/** The probabilities of the next token after ids. */
async function probabilities(model, ids) {
  const logits = await freshLogits(model, ids);
  const max = Math.max(...logits);
  const weights = Array.from(logits, (x) => Math.exp(x - max));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((x) => x / sum);
}

const largest = (list) => list.reduce((a, b) => Math.max(a, b));

/** 46: the five features from the model's logits. */
async function detector(story) {
  const ids = await story.tokenize(TEXT);
  const { tokens, summary } = await story.lens.pawn(TEXT);
  let error = 0;
  for (const [i, { token, logprob, entropy, max_logprob, rank_share, top_p }] of tokens.entries()) {
    const p = await probabilities(story, ids.slice(0, i + 1));
    const own = p[token];
    const sumOf = (list, value) => list.reduce((sum, x) => sum + value(x), 0);
    const expected = [
      [logprob, Math.log(own)],
      [entropy, -sumOf(p, (x) => (x > 0 ? x * Math.log(x) : 0))],
      [max_logprob, Math.log(largest(p))],
      [rank_share * p.length, 1 + p.filter((x) => x > own).length],
      [top_p, sumOf(p, (x) => (x >= own ? x : 0))],
    ];
    error = Math.max(error, ...expected.map(([a, b]) => Math.abs(a - b)));
  }
  assert.ok(error < 1e-4, `a feature differs by ${error}`);
  return `5 features of ${tokens.length} tokens within ${error.toExponential(0)}; mean log-probability ${summary.mean_logprob.toFixed(2)}`;
}

/** 53: the subnetwork without any weight knows the last token only. */
async function subnetworks(story) {
  const file = writeGguf(tinyModel('gpt2', { type: 'F16' }));
  const options = { worker: false, n_ctx: 64 };
  const model = await loadModel(file, options);
  const subnetwork = await loadModel(maskWeights(file, 'empty'), options);
  const ids = Array.from({ length: 12 }, (_, i) => 5 + ((i * 37) % 250));
  const found = await model.lens.bigramMask(ids, { subnetwork, shuffles: 6 });
  assert.equal(found.subnetwork.context_effect, 0);
  assert.equal(found.subnetwork.same_top, 1);
  assert.ok(found.full.context_effect > 0);
  const top = (await probabilities(subnetwork, ids)).map((p, token) => ({ p, token }));
  top.sort((a, b) => b.p - a.p);
  for (const [i, { token }] of found.subnetwork.top.entries()) assert.equal(token, top[i].token);
  await model.dispose();
  await subnetwork.dispose();
  const { layers } = (await story.lens.bigramMask(TEXT, { layers: true, shuffles: 1 })).full;
  const steps = layers.slice(1).map(({ output }, i) => output - layers[i].output);
  assert.equal(steps.indexOf(largest(steps)), 0);
  const of = (layer) => layers[layer].output.toFixed(2);
  return (
    `a random GPT-2 shuffled: ${found.full.context_effect.toExponential(1)} nats whole, ` +
    `${found.subnetwork.context_effect} empty; cosine with the next token's row ${of(0)} before ` +
    `the first layer of the built-in model, ${of(1)} after it`
  );
}

/** The checks by the paper's number. */
export const checks = {
  46: detector,
  53: subnetworks,
};
