// Checks of the papers whose methods change attention or vectors, by their number in the list.
import assert from 'node:assert/strict';
import { embedPrepended, tokensOfVector } from '../../dist/node-methods.js';
import { moduleOf } from '../support/module.mjs';

const { normalVector } = await moduleOf('methods/prepend.ts');

const TEXT = 'Once upon a time there was a little girl. She had a red ball and a big dog. ';

const sum = (list) => list.reduce((a, b) => a + b, 0);
const range = (n) => Array.from({ length: n }, (_, i) => i);

/** Log-probabilities of the second half of a text under edits, token by token, and the counts. */
async function scored(story, ids, edits) {
  const half = ids.length >> 1;
  const session = story.createSession({ seed: 0, edits });
  await session.sync(ids.slice(0, half));
  await session.logits();
  const logprobs = [];
  for (const id of ids.slice(half)) {
    const [{ logprob }] = await session.score([id]);
    logprobs.push(logprob);
  }
  const counts = edits ? await session.editCounts() : [];
  await session.dispose();
  return { logprobs, loss: -sum(logprobs) / logprobs.length, counts };
}

const share = (part, whole) => `${Math.round((100 * part) / whole)} %`;

/** Settings that change nothing give the bits of a plain run; others read fewer keys. */
async function reduction(story, plain_edit, edit) {
  const ids = await story.tokenize(TEXT.repeat(6));
  const plain = await scored(story, ids);
  const same = await scored(story, ids, [plain_edit]);
  assert.deepEqual(same.logprobs, plain.logprobs);
  const changed = await scored(story, ids, [edit]);
  const [{ keys, all_keys }] = changed.counts;
  assert.ok(keys < all_keys);
  const losses = `loss ${changed.loss.toFixed(3)} beside ${plain.loss.toFixed(3)}`;
  return {
    figures: `${share(keys, all_keys)} of the keys read, ${losses}`,
    counts: changed.counts[0],
  };
}

/** 59: one full step in one is a plain run; the overlap of the kept keys with the true ones. */
async function recycled(story) {
  const { figures, counts } = await reduction(
    story,
    { type: 'recycled', k: 4096, every: 16 },
    { type: 'recycled', k: 24, every: 8 },
  );
  assert.ok(counts.overlap > 0 && counts.overlap <= 1);
  return `${figures}; ${Math.round(100 * counts.overlap)} % of the true largest keys kept`;
}

/** 60: shares of 1 are a plain run. */
async function spatten(story) {
  const ones = Array(story.info.n_layer).fill(1);
  const { figures, counts } = await reduction(
    story,
    { type: 'spatten', tokens: ones, heads: ones, values: 1 },
    { type: 'spatten' },
  );
  const { values, heads, all_keys, all_heads } = counts;
  return `${figures}; ${share(values, all_keys)} of the values, ${share(heads, all_heads)} of the heads`;
}

/** 57: the rows of one layer by the paper's formula. */
async function calibration(story) {
  const ids = await story.tokenize(TEXT.repeat(2));
  const layer = 2;
  const [beta, theta] = [0.4, 0.1];
  const rowsOf = async (edits) => {
    const seen = await story.observe(ids, { attention: { layers: [layer] }, edits });
    return seen.attention;
  };
  const plain = await rowsOf([]);
  const edit = { type: 'act', layers: [layer], beta, theta };
  const changed = await rowsOf([edit]);
  const same = await rowsOf([{ ...edit, beta: 1 }]);
  assert.deepEqual(same.values, plain.values);
  const n = ids.length;
  let [sinks, error] = [0, 0];
  for (const [h] of plain.heads.entries()) {
    const row = (values, i) => values.subarray((h * n + i) * n, (h * n + i + 1) * n);
    const means = range(n).map((j) => sum(range(n).map((i) => row(plain.values, i)[j])) / (n - j));
    const set = range(n)
      .filter((j) => means[j] > theta)
      .slice(1);
    sinks += set.length;
    for (let i = 0; i < n; i++) {
      const before = Array.from(row(plain.values, i));
      const inSinks = sum(set.map((j) => before[j]));
      const others = sum(before) - inSinks;
      const expected = before.map((weight, j) =>
        i === 0 || others < 1e-9
          ? weight
          : set.includes(j)
            ? beta * weight
            : weight + ((1 - beta) * inSinks * weight) / others,
      );
      const ours = row(changed.values, i);
      error = Math.max(error, ...expected.map((weight, j) => Math.abs(weight - ours[j])));
    }
  }
  assert.ok(error < 1e-5, String(error));
  return `${sinks} sinks in layer ${layer}; weights within ${error.toExponential(0)} of the formula`;
}

/** 41: the placeholder gets the vector of the last token; the embedding by hand. */
async function prepended(story) {
  const text = 'The dog ran into the forest.';
  const settings = { start: 1, exit: 4, output: 5, seed: 7 };
  const { vector, tokens, placeholder } = await embedPrepended(story, text, settings);
  const last = tokens.length - 1;
  const values = normalVector(story.info.n_embd, 7);
  const random = { type: 'residual', layer: 0, position: placeholder, values };
  const copies = { type: 'copy_residual', layers: [1, 2, 3], from: last, to: placeholder };
  const residuals = { layers: [1, 2, 3, 4, 5], positions: [placeholder, last] };
  const byHand = async (edits) => {
    const seen = await story.observe(tokens, { residuals, edits });
    const n = story.info.n_embd;
    return range(10).map((i) => seen.residuals.values.subarray(i * n, (i + 1) * n));
  };
  const vectors = await byHand([random, copies]);
  for (const layer of [1, 2, 3]) assert.deepEqual(vectors[2 * layer - 2], vectors[2 * layer - 1]);
  assert.notDeepEqual(vectors[6], vectors[7]);
  const cosine = (a, b) => {
    const dot = (x, y) => sum(Array.from(x, (value, i) => value * y[i]));
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  assert.ok(cosine(vector, vectors[9]) > 1 - 1e-6);
  const plain = await embedPrepended(story, text, { ...settings, exit: 1 });
  assert.ok(cosine(plain.vector, (await byHand([random]))[9]) > 1 - 1e-6);
  return `equal vectors at 3 boundaries; cosine with the prompt without copies ${cosine(vector, plain.vector).toFixed(3)}`;
}

/** 37: the key tokens of a pooled vector by products with all rows. */
async function keyTokens(story) {
  const text = 'The old lion slept under the big tree';
  const found = await tokensOfVector(story, text, { top_n: 5 });
  const session = story.createSession();
  await session.sync(text);
  const logits = await session.logits();
  await session.dispose();
  const order = Array.from(logits, (_, id) => id).sort((a, b) => logits[b] - logits[a]);
  assert.deepEqual(
    found.map(({ token }) => token),
    order.slice(0, 5),
  );
  const pooled = await tokensOfVector(story, text, { top_n: 5, pooling: 'mean' });
  const texts = (list) => list.map((each) => JSON.stringify(each.text)).join(' ');
  return `last position ${texts(found)}, mean ${texts(pooled)}`;
}

/** The checks by the paper's number. */
export const checks = {
  37: keyTokens,
  41: prepended,
  57: calibration,
  59: recycled,
  60: spatten,
};
