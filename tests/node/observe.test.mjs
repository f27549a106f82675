// model.observe and edits: what happens inside the model, and every way to change it, compared with
// a float64 forward pass on small random models of unlike architectures; and that observing, empty
// edits, batches and company change no bit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { referenceRun } from '../peers/reference.mjs';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const N_EMBD = 64;
const SHAPE = {
  N_EMBD,
  N_HEAD: 4,
  N_HEAD_KV: 2,
  HEAD_DIM: 16,
  N_FF: 64,
  N_VOCAB: 301,
  EXPERTS: 4,
  PER_LAYER: 32,
};
const OPTIONS = { worker: false, n_ctx: 256, cache_type_k: 'f32', cache_type_v: 'f32' };
const N = 14;
const ids = Array.from({ length: N }, (_, i) => 3 + ((i * 37) % 290));
const long = Array.from({ length: 200 }, (_, i) => 3 + ((i * 41) % 290));
const range = (n) => Array.from({ length: n }, (_, i) => i);

const bytesOf = (name) => writeGguf(tinyModel(name, { type: 'F32', shape: SHAPE }));

/** The numbers of a tensor at these indexes of its first dimensions. */
function at({ values, shape }, ...indexes) {
  const size = shape.slice(indexes.length).reduce((a, b) => a * b, 1);
  const index = indexes.reduce((sum, i, d) => sum * shape[d] + i, 0);
  return values.subarray(index * size, (index + 1) * size);
}

/** Whether our numbers are within `tolerance` of the true ones, relative to the largest. */
function near(ours, truth, what, tolerance = 2e-4) {
  assert.equal(ours.length, truth.length, what);
  let size = 1;
  for (const x of truth) size = Math.max(size, Math.abs(x));
  for (let i = 0; i < ours.length; i++)
    if (!(Math.abs(ours[i] - truth[i]) <= tolerance * size))
      assert.fail(`${what} [${i}]: ${ours[i]}, not ${truth[i]}`);
}

function logSumExp(x) {
  const max = Math.max(...x);
  return max + Math.log(x.reduce((sum, value) => sum + Math.exp(value - max), 0));
}

/** A row that keeps its `keep` largest weights, the first and the last positions, and itself. */
function keepTop(row, query, { keep, first = 0, recent = 0 }) {
  const order = range(query + 1).sort((a, b) => row[b] - row[a] || a - b);
  const kept = new Set(order.slice(0, keep));
  for (const key of range(query + 1))
    if (key < first || key > query - recent || key === query) kept.add(key);
  const cut = row.map((weight, key) => (kept.has(key) ? weight : 0));
  const total = cut.reduce((a, b) => a + b, 0);
  return cut.map((weight) => weight / total);
}

const vector = (seed) => Float32Array.from({ length: N_EMBD }, (_, i) => Math.sin(seed + i * 1.7));
const mask = Uint8Array.from({ length: 100 }, (_, i) => ((i * 7) % 5 < 2 ? 1 : 0));

/** Each edit, in layers that have attention, and the same change of the reference. */
const edits = (layers) => {
  const [layer] = layers;
  const inLayers = (i) => layers.includes(i);
  const sees = (which, rule) => ({
    sees: (i, head, query, key) => !which(i) || query === key || rule(query, key),
  });
  return {
    residual: [
      [
        { type: 'residual', layer: 1, position: 4, values: vector(1) },
        { type: 'residual', layer: 2, position: 13, values: vector(2), add: true },
        { type: 'residual', layer: 3, position: 13, values: vector(3), add: true },
      ],
      {
        residuals(boundary, xs) {
          if (boundary === 1) xs[4] = Float64Array.from(vector(1));
          if (boundary === 2) xs[13] = xs[13].map((x, i) => x + vector(2)[i]);
          if (boundary === 3) xs[13] = xs[13].map((x, i) => x + vector(3)[i]);
        },
      },
    ],
    'copy_residual forward': [
      [{ type: 'copy_residual', layers: [0, 2], from: 3, to: 9 }],
      {
        residuals(boundary, xs) {
          if (boundary === 0 || boundary === 2) xs[9] = xs[3].slice();
        },
      },
    ],
    'copy_residual backward': [
      [{ type: 'copy_residual', layers: 'all', from: 12, to: 1 }],
      { residuals: (boundary, xs) => void (xs[1] = xs[12].slice()) },
    ],
    head: [
      [
        { type: 'head', layer, heads: [1, 3], scale: 0 },
        { type: 'head', layer, heads: [0], scale: -1.5 },
      ],
      { headScale: (i, head) => (i !== layer ? 1 : head === 0 ? -1.5 : head === 2 ? 1 : 0) },
    ],
    feed_forward: [
      [{ type: 'feed_forward', layer: 1, scale: 0.25 }],
      { ffnScale: (i) => (i === 1 ? 0.25 : 1) },
    ],
    'visible self': [[{ type: 'visible', layers, sees: 'self' }], sees(inLayers, () => false)],
    'visible self_and_first': [
      [{ type: 'visible', layers: [layer], sees: 'self_and_first' }],
      sees(
        (i) => i === layer,
        (query, key) => key === 0,
      ),
    ],
    'visible last_sees_all': [
      [{ type: 'visible', layers, sees: 'last_sees_all' }],
      sees(inLayers, (query, key) => key === 0 || query === N - 1),
    ],
    'visible mask': [
      [{ type: 'visible', layers, sees: mask }],
      sees(inLayers, (query, key) => query >= 10 || mask[query * 10 + key] === 1),
    ],
    hide: [
      [{ type: 'hide', layers, positions: [0, 5] }],
      sees(inLayers, (q, key) => key % 5 > 0 || key > 5),
    ],
    keep_top: [
      [{ type: 'keep_top', layers, heads: [0, 2], keep: 2, first: 1, recent: 2 }],
      {
        row: (i, head, query, row) =>
          inLayers(i) && head % 2 === 0
            ? keepTop(row, query, { keep: 2, first: 1, recent: 2 })
            : row,
      },
    ],
  };
};

const ARCHITECTURES = {
  llama: [0, 1, 2],
  gpt2: [0, 1, 2],
  gemma2: [0, 1, 2],
  olmoe: [0, 1, 2],
  phi2: [0, 1, 2],
  lfm2: undefined,
  qwen35: undefined,
  gemma4: undefined,
};

/** Compares everything that an observation holds with the reference. */
function compare(seen, truth, name) {
  for (const [l, boundary] of seen.residuals.layers.entries())
    for (const p of range(N))
      near(
        at(seen.residuals, l, p),
        truth.residuals[boundary][p],
        `${name}: residual ${boundary} ${p}`,
      );
  for (const p of range(N)) near(at(seen.logits, p), truth.logits[p], `${name}: logits ${p}`);
  for (const [l, layer] of seen.attention.layers.entries())
    for (const head of range(4))
      for (const p of range(N)) {
        const row = truth.rows[layer][head][p];
        const padded = [...row, ...Array(N - row.length).fill(0)];
        near(at(seen.attention, l, head, p), padded, `${name}: row ${layer} ${head} ${p}`);
        if (seen.head_outputs)
          near(
            at(seen.head_outputs, l, head, p),
            truth.outputs[layer][head][p],
            `${name}: output ${layer} ${head} ${p}`,
          );
      }
}

for (const arch of Object.keys(ARCHITECTURES)) {
  test(`${arch}: residuals, rows, outputs and lens are those of the float64 pass, with each edit, too`, async (t) => {
    const bytes = bytesOf(arch);
    const model = await loadModel(bytes, OPTIONS);
    t.after(() => model.dispose());
    const targets = [7, 250];
    const all = { logits: 'all', residuals: {}, attention: {} };
    // gemma4: layers with windows have heads of another width
    const widths = arch === 'gemma4' ? { layers: [0] } : {};
    const seen = await model.observe(ids, {
      ...all,
      head_outputs: widths,
      lens: { top_n: 3, targets },
    });
    const truth = referenceRun(bytes, ids, 256);
    compare(arch === 'gemma4' ? { ...seen, head_outputs: undefined } : seen, truth, arch);
    for (const [l, boundary] of seen.lens.layers.entries())
      for (const p of [0, 6, N - 1]) {
        const logits = truth.lens(boundary, p);
        const total = logSumExp(logits);
        const logprobs = logits.map((x) => x - total);
        const size = Math.max(1, ...logits.map(Math.abs));
        const close = (ours, x, what) =>
          assert.ok(
            Math.abs(ours - x) < 2e-4 * size,
            `${arch}: ${what} ${boundary} ${p}: ${ours}, not ${x}`,
          );
        const entropy = -logprobs.reduce((sum, lp) => sum + (lp > -700 ? Math.exp(lp) * lp : 0), 0);
        close(at(seen.lens.entropy, l, p)[0], entropy, 'entropy');
        const top = at({ values: seen.lens.top.tokens, shape: seen.lens.top.shape }, l, p);
        const best = [...logprobs.keys()].sort((a, b) => logprobs[b] - logprobs[a]);
        top.forEach((token, k) => {
          close(logprobs[token], logprobs[best[k]], `top ${k}`);
          close(
            at({ values: seen.lens.top.logprobs, shape: seen.lens.top.shape }, l, p)[k],
            logprobs[token],
            'logprob',
          );
        });
        targets.forEach((token, k) => {
          const index = (l * N + p) * 2 + k;
          close(seen.lens.target.logprobs[index], logprobs[token], 'target');
          const rank = seen.lens.target.ranks[index];
          if (rank > 0) assert.ok(logprobs[best[rank - 1]] > logprobs[token] - 2e-4 * size);
          if (rank < 300) assert.ok(logprobs[best[rank]] < logprobs[token] + 2e-4 * size);
        });
      }
    for (const [name, [list, change]] of Object.entries(edits(seen.attention.layers)))
      compare(
        await model.observe(ids, { ...all, edits: list }),
        referenceRun(bytes, ids, 256, change),
        `${arch}: ${name}`,
      );
  });
}
