// k-means against every partition of a few rows and against its own definition; the rows of the
// output matrix; the lens clusters on the built-in model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { kMeans } from '../../dist/node-lenses.js';
import { tinyModel } from '../support/architectures.mjs';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { moduleOf } from '../support/module.mjs';
import { withModel } from '../support/support.mjs';

const { answerIn, clusterFigures } = await moduleOf('lenses/clusters.ts');
const near = (a, b, limit = 1e-5) => assert.ok(Math.abs(a - b) <= limit, `${a} is not ${b}`);
const options = { k: 2, distance: 'l2', seed: 0, max_iterations: 50 };

/** Rows of 3 floats around k places. */
function places(k, n, seed) {
  const random = generator(seed);
  const rows = Array.from({ length: n }, (_, i) => {
    const angle = (2 * Math.PI * (i % k)) / k;
    return [Math.cos(angle) * 5, Math.sin(angle) * 5, 2].map((x) => x + random() - 0.5);
  });
  return Float32Array.from(rows.flat());
}

/** The sum of the distances to the centres of the groups, by definition. */
function inertiaOf(rows, width, labels, k, distance) {
  const n = rows.length / width;
  const row = (i) => {
    const values = Array.from(rows.subarray(i * width, (i + 1) * width));
    const length = distance === 'cosine' ? Math.hypot(...values) : 1;
    return values.map((x) => x / length);
  };
  let total = 0;
  for (let group = 0; group < k; group++) {
    const members = Array.from({ length: n }, (_, i) => i).filter((i) => labels[i] === group);
    if (members.length === 0) continue;
    const sums = row(members[0]).map((_, c) => members.reduce((sum, i) => sum + row(i)[c], 0));
    const divisor = distance === 'cosine' ? Math.hypot(...sums) : members.length;
    for (const i of members) {
      const values = row(i);
      total += values.reduce(
        (sum, x, c) => {
          const centre = sums[c] / divisor;
          return sum + (distance === 'cosine' ? -x * centre : (x - centre) ** 2);
        },
        Number(distance === 'cosine'),
      );
    }
  }
  return total;
}

test('k-means finds the best of all partitions of rows that lie in groups', () => {
  for (const distance of ['l2', 'cosine'])
    for (const k of [2, 3]) {
      const rows = places(k, 7, k);
      let best = Infinity;
      for (let code = 0; code < k ** 7; code++) {
        const labels = Array.from({ length: 7 }, (_, i) => Math.floor(code / k ** i) % k);
        best = Math.min(best, inertiaOf(rows, 3, labels, k, distance));
      }
      for (let seed = 0; seed < 10; seed++) {
        const found = kMeans(rows, 3, { ...options, k, distance, seed });
        assert.ok(found.converged);
        near(found.inertia, best, 1e-3);
        near(found.inertia, inertiaOf(rows, 3, found.labels, k, distance));
      }
    }
});

test('after k-means each row is in the group with the nearest centre, and no group is empty', () => {
  const random = generator(5);
  const rows = Float32Array.from({ length: 400 * 8 }, () => random() - 0.5);
  for (const distance of ['l2', 'cosine']) {
    const given = { k: 20, distance, seed: 3, max_iterations: 200 };
    const found = kMeans(rows, 8, given);
    assert.ok(found.converged);
    assert.deepEqual(kMeans(rows, 8, given), found);
    assert.notDeepEqual(kMeans(rows, 8, { ...given, seed: 4 }).labels, found.labels);
    assert.equal(
      found.sizes.reduce((a, b) => a + b),
      400,
    );
    assert.ok(found.sizes.every((size) => size > 0));
    near(found.inertia, inertiaOf(rows, 8, found.labels, 20, distance), 1e-3);
    for (let i = 0; i < 400; i++) {
      const row = Array.from(rows.subarray(i * 8, i * 8 + 8));
      const length = distance === 'cosine' ? Math.hypot(...row) : 1;
      const to = Array.from({ length: 20 }, (_, c) =>
        Math.hypot(...row.map((x, k) => x / length - found.centres[c * 8 + k])),
      );
      assert.ok(to[found.labels[i]] <= Math.min(...to) + 1e-5);
    }
    const [few, more] = [2, 30].map((max_iterations) =>
      kMeans(rows, 8, { ...given, max_iterations }),
    );
    assert.ok(more.inertia <= few.inertia && !few.converged);
  }
  // only directions count
  const scaled = rows.map((x, i) => x * (1 + (Math.floor(i / 8) % 7)));
  const cosine = { ...options, k: 5, distance: 'cosine' };
  assert.deepEqual(kMeans(scaled, 8, cosine).labels, kMeans(rows, 8, cosine).labels);
  // equal rows
  const equal = kMeans(new Float32Array(12).fill(1), 3, { ...options, k: 3 });
  assert.equal(equal.inertia, 0);
});

test('figures of lists made by hand, and what counts as an answer', () => {
  const { mean_precision, ...counts } = clusterFigures([true, false, true, true]);
  assert.deepEqual(counts, { n: 4, n_right: 3, accuracy: 0.75 });
  near(mean_precision, (1 + 1 / 2 + 2 / 3 + 3 / 4) / 4, 1e-12);
  assert.ok(Number.isNaN(clusterFigures([]).accuracy));
  assert.equal(answerIn(' Cat", "dog"'), 'cat');
  assert.equal(answerIn('polar bear\n2.'), 'polar bear');
  assert.equal(answerIn(''), '');
});

for (const [name, type] of [
  ['llama', 'Q8_0'],
  ['llama', 'Q4_K'],
  ['gpt2', 'F16'],
])
  test(`the rows of the output matrix are those of the file: ${name}, ${type}`, async () => {
    const file = writeGguf(tinyModel(name, { type }));
    const parsed = readGguf(file);
    const matrix = parsed.tensor(
      parsed.has('output.weight') ? 'output.weight' : 'token_embd.weight',
    );
    await withModel(file, { worker: false }, async (model) => {
      const { n_embd, n_vocab } = model.info;
      const ids = [3, 0, n_vocab - 1, 7, 7];
      const rows = await model.outputRows(ids);
      const expected = ids.flatMap((id) =>
        Array.from(matrix.slice(id * n_embd, (id + 1) * n_embd)),
      );
      assert.deepEqual(Array.from(rows), Array.from(Float32Array.from(expected)));
      assert.equal((await model.outputRows([])).length, 0);
      await assert.rejects(() => model.outputRows([n_vocab]), { code: 'TOKEN_OUT_OF_RANGE' });
      await assert.rejects(() => model.outputRows('x'), { code: 'INVALID_ARGUMENT' });
    });
  });

test('a model without weights has no rows', async () => {
  const model = await loadModel('storybook', { vocab_only: true, worker: false });
  await assert.rejects(() => model.outputRows([1]), { code: 'MODEL_NOT_READY' });
  await model.dispose();
});

test('the lens clusters: ranks, clusters and figures hang together', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const prompt = 'The children saw an animal. It was a';
    const answers = ['dog', 'cat', 'big dog', 'bird', 'lion', 'little dog'];
    const given = { ranks: 40, head: 5, n_clusters: 24, max_iterations: 4, answers };
    const found = await model.lens.clusters(prompt, given);
    const { tokens, labels, clusters, inside, inside_rest, outside } = found;
    assert.equal(labels.length, model.info.n_vocab);
    assert.equal(found.n_clusters, 24);
    assert.equal(tokens.length, 40);
    assert.ok(tokens.every(({ rank, p }, i) => rank === i && p <= (tokens[i - 1]?.p ?? 1)));
    const first = new Set(tokens.slice(0, 5).map(({ cluster }) => cluster));
    assert.deepEqual(new Set(clusters.map(({ cluster }) => cluster)), first);
    for (const { cluster, size, examples } of clusters) {
      assert.equal(size, labels.filter((label) => label === cluster).length);
      assert.equal(examples.length, Math.min(size, 10));
    }
    for (const { token, cluster, inside: within, continuation, right } of tokens) {
      assert.equal(cluster, labels[token]);
      assert.equal(within, first.has(cluster));
      assert.equal(right, answers.includes(continuation));
    }
    const rightOf = (list) => clusterFigures(list.map(({ right }) => right));
    assert.deepEqual(inside, rightOf(tokens.filter((token) => token.inside)));
    assert.deepEqual(inside_rest, rightOf(tokens.filter((token, i) => token.inside && i >= 5)));
    assert.deepEqual(outside, rightOf(tokens.filter((token) => !token.inside)));
    assert.ok(inside.n_right + outside.n_right > 0);

    const again = await model.lens.clusters(prompt, { ...given, labels, answers: undefined });
    assert.deepEqual(
      again.tokens.map(({ token, cluster }) => [token, cluster]),
      tokens.map(({ token, cluster }) => [token, cluster]),
    );
    assert.equal(again.inertia, undefined);
    assert.equal(again.inside, undefined);
    const judged = await model.lens.clusters(prompt, {
      ...given,
      labels,
      answers: (text) => text.endsWith('dog'),
    });
    assert.ok(
      judged.tokens.every(({ continuation, right }) => right === continuation.endsWith('dog')),
    );
    for (const wrong of [{ answers: 5 }, { answers: [5] }, { labels: new Int32Array(3) }])
      await assert.rejects(() => model.lens.clusters(prompt, wrong), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(
      () => model.lens.clusters(prompt, { ...given, labels, answers: () => 1 }),
      {
        code: 'INVALID_ARGUMENT',
      },
    );
  }));
