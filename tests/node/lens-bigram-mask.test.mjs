// Masked files against files that were written with the masked weights, and the lens bigramMask on
// random GPT-2 models: an empty subnetwork knows the last token only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { maskWeights } from '../../dist/node-lenses.js';
import { tinyModel } from '../support/architectures.mjs';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { moduleOf } from '../support/module.mjs';
import { freshLogits } from '../support/support.mjs';

const { followersIn, shuffledBefore } = await moduleOf('lenses/bigram-mask.ts');
const SHAPE = {
  ...{ N_EMBD: 64, N_HEAD: 2, N_HEAD_KV: 2, HEAD_DIM: 32, N_FF: 96, N_VOCAB: 301, EXPERTS: 3 },
  PER_LAYER: 32,
};
const tiny = (type, name = 'gpt2') => writeGguf(tinyModel(name, { type, shape: SHAPE }));
const PUBLISHED = {
  attn_qkv: 'attn.c_attn',
  attn_output: 'attn.c_proj',
  ffn_up: 'mlp.c_fc',
  ffn_down: 'mlp.c_proj',
};
const IDS = [5, 40, 41, 42, 43, 44, 45, 46, 47];
const OPTIONS = { worker: false, n_ctx: 64 };

/** A random mask for each matrix of the layers, by the file's names: rows are outputs. */
function randomMasks(file, seed) {
  const random = generator(seed);
  const names = file.names.filter((name) => /^blk\.\d+\.(attn_|ffn_)\w+\.weight$/.test(name));
  return Object.fromEntries(
    names
      .filter((name) => file.dims(name).length === 2)
      .map((name) => {
        const [columns, rows] = file.dims(name);
        const kept = Uint8Array.from({ length: rows * columns }, () => Number(random() < 0.4));
        return [name, { shape: [rows, columns], kept }];
      }),
  );
}

/** The same mask as the published files have it: rows are inputs. */
function published([name, { shape, kept }]) {
  const [rows, columns] = shape;
  const [, layer, matrix] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name);
  const turned = new Uint8Array(kept.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = kept[row * columns + column];
  return [
    `transformer.h.${layer}.${PUBLISHED[matrix]}.weight`,
    { shape: [columns, rows], kept: turned },
  ];
}

for (const type of ['F32', 'F16', 'BF16', 'Q8_0'])
  test(`masked weights are the weights times the mask, all others stay: ${type}`, () => {
    const bytes = tiny(type);
    const before = bytes.slice();
    const file = readGguf(bytes);
    const masks = randomMasks(file, 3);
    assert.equal(Object.keys(masks).length, 3 * 4);
    const masked = maskWeights(bytes, masks);
    assert.deepEqual(bytes, before);
    const after = readGguf(masked);
    for (const name of file.names) {
      const weights = file.tensor(name);
      const kept = masks[name]?.kept;
      const expected = Array.from(weights, (x, i) => (kept && !kept[i] ? 0 : x));
      assert.deepEqual(Array.from(after.tensor(name)), expected, name);
    }
    const turned = Object.fromEntries(Object.entries(masks).map(published));
    assert.deepEqual(maskWeights(bytes, turned), masked);
    assert.deepEqual(
      maskWeights(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), masks),
      masked,
    );
    assert.deepEqual(maskWeights(bytes, {}), new Uint8Array(bytes));
  });

test('what is no mask for the file is refused by name', () => {
  const bytes = tiny('F16');
  const name = 'blk.0.ffn_up.weight';
  const mask = { shape: [96, 64], kept: new Uint8Array(96 * 64).fill(1) };
  const refused = (file, masks, code, message) =>
    assert.throws(() => maskWeights(file, masks), { code, message });
  maskWeights(bytes, { [name]: mask });
  for (const [masks, message] of [
    [{ [name]: { ...mask, shape: [64, 96] } }, /the matrix is 96 by 64/],
    [{ 'transformer.h.0.mlp.c_fc.weight': mask }, /the matrix is 64 by 96/],
    [{ [name]: { ...mask, kept: new Uint8Array(5) } }, /kept must be a Uint8Array of 6144/],
    [{ [name]: { ...mask, kept: mask.kept.map(() => 2) } }, /neither 0 nor 1/],
    [{ [name]: 5 }, /must be a mask/],
    [{ 'blk.9.ffn_up.weight': mask }, /no matrix for the mask "blk\.9\.ffn_up\.weight"/],
    [{ 'token_embd.weight': mask }, /no matrix for the mask "token_embd\.weight"/],
    ['full', /masks is "full"/],
  ])
    refused(bytes, masks, 'INVALID_ARGUMENT', message);
  refused(tiny('F16', 'llama'), 'empty', 'OPTION_UNSUPPORTED', /this is llama/);
  refused(tiny('Q4_0'), 'empty', 'OPTION_UNSUPPORTED', /exact only for F32, F16, BF16, Q8_0/);
  for (const end of [0, 3, 20, 500, bytes.length >> 1])
    refused(bytes.slice(0, end), 'empty', 'INVALID_ARGUMENT', /./);
  refused('x', 'empty', 'INVALID_ARGUMENT', /the file is "x"/);
});

test('bigrams of a corpus, and shuffles that keep the first and the last token', () => {
  assert.deepEqual(followersIn(Int32Array.of(1, 2, 1, 3, 1, 2, 1), 1), [
    [2, 2],
    [3, 1],
  ]);
  assert.deepEqual(followersIn(Int32Array.of(1), 1), []);
  const random = generator(1);
  const orders = new Set();
  for (let i = 0; i < 200; i++) {
    const ids = shuffledBefore(Int32Array.of(9, 1, 2, 3, 8), 1, (n) => Math.floor(random() * n));
    assert.deepEqual([ids[0], ids[4]], [9, 8]);
    assert.deepEqual(Array.from(ids.subarray(1, 4)).sort(), [1, 2, 3]);
    orders.add(ids.join());
  }
  assert.equal(orders.size, 6);
  for (const n of [0, 1, 2])
    assert.equal(
      shuffledBefore(new Int32Array(n).fill(4), 0, () => 0).join(),
      Array(n).fill(4).join(),
    );
});

test('the lens: an empty subnetwork knows only the last token, the whole model does not', async () => {
  const bytes = tiny('Q8_0');
  const model = await loadModel(bytes, OPTIONS);
  const subnetwork = await loadModel(maskWeights(bytes, 'empty'), OPTIONS);
  const options = { top_n: 7, shuffles: 3, seed: 2, corpus: [1, 47, 9, 47, 10, 47, 9] };
  const found = await model.lens.bigramMask(IDS, { ...options, subnetwork });
  assert.equal(found.last, 47);
  assert.ok(found.full.context_effect > 0);
  assert.equal(found.subnetwork.context_effect, 0);
  assert.equal(found.subnetwork.same_top, 1);
  assert.ok(found.divergence > 0);
  assert.equal(found.n_bigrams, 3);
  assert.deepEqual(
    found.corpus.map(({ token, p }) => [token, p]),
    [
      [9, 2 / 3],
      [10, 1 / 3],
    ],
  );
  for (const [view, from] of [
    [found.full, model],
    [found.subnetwork, subnetwork],
  ]) {
    const logits = Array.from(await freshLogits(from, IDS));
    const max = Math.max(...logits);
    const sum = logits.reduce((total, x) => total + Math.exp(x - max), 0);
    assert.equal(view.top.length, 7);
    for (const { token, p } of view.top)
      assert.ok(Math.abs(p - Math.exp(logits[token] - max) / sum) < 1e-9);
    const best = [...logits].sort((a, b) => b - a).slice(0, 7);
    assert.deepEqual(
      view.top.map(({ token }) => logits[token]),
      best,
    );
  }
  // other tokens before the last one: the empty subnetwork has the same bits
  const others = IDS.map((id, i) => (i < IDS.length - 1 ? id + 100 : id));
  assert.deepEqual(await freshLogits(subnetwork, others), await freshLogits(subnetwork, IDS));
  assert.notDeepEqual(await freshLogits(model, others), await freshLogits(model, IDS));

  // the layers of the empty subnetwork only add their biases: little leaves the embeddings
  const layered = await model.lens.bigramMask(IDS, { shuffles: 1, subnetwork, layers: true });
  const rows = await model.outputRows(IDS.slice(1));
  const { residuals } = await model.observe(IDS.slice(0, -1), { residuals: {} });
  const vector = (values, i) => values.subarray(i * 64, (i + 1) * 64);
  const cosine = (a, b) => {
    const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
    return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  };
  const n = IDS.length - 1;
  for (const { layer, input, output } of layered.full.layers) {
    let [to_input, to_output] = [0, 0];
    for (let i = 0; i < n; i++) {
      const own = vector(residuals.values, layer * n + i);
      to_input += cosine(own, vector(residuals.values, i)) / n;
      to_output += cosine(own, vector(rows, i)) / n;
    }
    assert.ok(Math.abs(input - to_input) < 1e-4 && Math.abs(output - to_output) < 1e-4);
  }
  assert.equal(layered.full.layers.length, model.info.n_layer + 1);
  assert.ok(layered.subnetwork.layers.at(-1).input > layered.full.layers.at(-1).input);
  await assert.rejects(() => model.lens.bigramMask([5], { layers: true }), {
    code: 'INVALID_ARGUMENT',
  });

  const whole = await model.lens.bigramMask(IDS, { ...options, corpus: undefined });
  assert.deepEqual(whole.full, found.full);
  assert.deepEqual([whole.subnetwork, whole.corpus, whole.n_bigrams], [undefined, undefined, 0]);
  const itself = await model.lens.bigramMask(IDS, { ...options, subnetwork: model });
  assert.equal(itself.divergence, 0);
  assert.deepEqual(itself.subnetwork, itself.full);
  await assert.rejects(() => model.lens.bigramMask([], options), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(() => model.lens.bigramMask(IDS, { subnetwork: {} }), {
    code: 'INVALID_ARGUMENT',
  });
  await model.dispose();
  await subnetwork.dispose();
});
