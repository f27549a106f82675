// Lenses that look inside the model: their figures by hand or by brute force, and runs on the
// built-in model against scores and observations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mean, model, near, sum } from '../support/lenses.mjs';
import { moduleOf } from '../support/module.mjs';
import { freshLogits } from '../support/support.mjs';

const { logitLensOf, settledAt } = await moduleOf('lenses/logit-lens.ts');
const { adjacentLayers } = await moduleOf('lenses/adjacent-cosine.ts');
const { partsOf } = await moduleOf('lenses/attribute.ts');
const { camaAbpEdits, meanVectors, sumMaker } = await moduleOf('lenses/cama-abp.ts');
const { matchSets, ngramHeadScores } = await moduleOf('lenses/ngram-heads.ts');
const { attentionReceived } = await moduleOf('lenses/function-tokens.ts');
const { randomNumbers } = await moduleOf('types/random.ts');

const range = (n) => Array.from({ length: n }, (_, i) => i);
const floats = (...values) => Float32Array.from(values);

test('logitLens: cells, agreement and settled layers by hand', () => {
  assert.equal(settledAt([0, 2, 5], [7, 8, 8]), 2);
  assert.equal(settledAt([0, 2, 5], [8, 7, 8]), 5);
  assert.equal(settledAt([3], [1]), 3);
  // two boundaries, two positions, one listed token, targets 4 and 9
  const lens = {
    ...{ layers: [0, 1], positions: [0, 1], targets: [4, 9] },
    entropy: { values: floats(1, 2, 3, 4), shape: [2, 2] },
    top: {
      tokens: Int32Array.of(9, 6, 9, 5),
      logprobs: floats(-0.5, -1, -0.25, -2),
      shape: [2, 2, 1],
    },
    target: {
      logprobs: floats(-8, -0.5, -7, -6, -5, -0.25, -4, -3),
      ranks: Int32Array.of(30, 0, 20, 10, 9, 0, 8, 7),
      shape: [2, 2, 2],
    },
  };
  const { positions, layers } = logitLensOf([4, 9], lens, String);
  assert.deepEqual(
    positions.map(({ text, settled }) => [text, settled]),
    [
      ['4', 0],
      ['9', 1],
    ],
  );
  assert.deepEqual(positions[0].cells[1], {
    ...{ entropy: 3, next_logprob: -0.25, next_rank: 0 },
    top: [{ token: 9, text: '9', logprob: -0.25 }],
  });
  assert.ok(Number.isNaN(positions[1].cells[0].next_logprob));
  assert.deepEqual(layers, [
    { layer: 0, loss: 0.5, agreement: 1, mean_entropy: 1 },
    { layer: 1, loss: 0.25, agreement: 1, mean_entropy: 3 },
  ]);
});

test('logitLens: the last boundary is the model itself', async () => {
  const text = 'Once upon a time there was a little girl.';
  const scores = await model.score(text, { top_n: 2 });
  const { positions, layers } = await model.lens.logitLens(text, { top_n: 2, layers: [2, 6] });
  assert.equal(positions.length, scores.length);
  for (const [i, { token, cells }] of positions.entries()) {
    assert.equal(token, scores[i].token);
    const next = scores[i + 1];
    if (!next) continue;
    const last = cells.at(-1);
    near(last.next_logprob, next.logprob, 1e-4);
    assert.equal(last.next_rank, next.rank);
    near(last.entropy, next.entropy, 1e-4);
    assert.deepEqual(
      last.top.map((each) => [each.token, each.text]),
      next.top.map((each) => [each.token, each.text]),
    );
  }
  near(layers[1].loss, -mean(scores.slice(1).map(({ logprob }) => logprob)), 1e-4);
  assert.deepEqual([layers[1].agreement, layers[0].layer], [1, 2]);
  assert.ok(layers[0].loss > layers[1].loss);
});

test('adjacentCosine: by hand, and equal tokens have equal embeddings', async () => {
  const values = floats(1, 0, 1, 1, 0, 2, 0, 1, 3, 0, -1, 0, -1, 0, 0, 5);
  const residuals = { values, shape: [2, 4, 2], layers: [0, 3], positions: [0, 1, 2, 3] };
  const [first, second] = adjacentLayers(residuals);
  const root = Math.SQRT1_2;
  [root, root, 1].forEach((cosine, i) => near(first.cosines[i], cosine));
  [-1, 1, 0].forEach((cosine, i) => near(second.cosines[i], cosine));
  near(first.mean, (root + 1) / 2);
  near(first.roughness, 1 - root);
  assert.equal(second.layer, 3);

  const cat = (await model.tokenize('cat')).at(-1);
  const { tokens, layers } = await model.lens.adjacentCosine([model.info.bos, cat, cat, cat]);
  assert.equal(tokens.length, 4);
  near(layers[0].cosines[1], 1, 1e-6);
  assert.equal(layers.length, model.info.n_layer + 1);
  const seen = await model.observe([model.info.bos, cat, cat, cat], { residuals: {} });
  assert.deepEqual(adjacentLayers(seen.residuals), layers);
});

test('attribute: parts of a text, by token and by word', () => {
  const text = 'Ö dog, sat';
  const ends = [0, 2, 3, 7, 9, 11]; // start | "Ö" | " " | "dog," | " s" | "at"
  const tokens = ends.map((end, i) => ({ token: i, start: ends[i - 1] ?? 0, end }));
  const facts = (by) => partsOf(text, tokens, by).map((part) => [part.text, part.positions]);
  assert.deepEqual(facts('token'), [
    ['Ö', [1]],
    [' ', [2]],
    ['dog,', [3]],
    [' s', [4]],
    ['at', [5]],
  ]);
  assert.deepEqual(facts('word'), [
    ['Ö', [1]],
    ['dog,', [3]],
    ['sat', [4, 5]],
  ]);
  const joined = [0, 2, 8, 11].map((end, i, all) => ({ token: i, start: all[i - 1] ?? 0, end }));
  assert.deepEqual(
    partsOf(text, joined, 'word').map(({ positions }) => positions),
    [[1], [2], [3]],
  );
});

test('attribute: hidden and removed words equal runs that are made by hand', async () => {
  const text = 'The cat and the dog sat by the fire. The dog and the';
  const target = ' cat';
  const { target_tokens, target_logprob, parts } = await model.attribute(text, { target });
  const ids = await model.tokenize(text + target);
  const from = ids.length - target_tokens.length;
  const logprobOf = async (tokens, start, edits) => {
    const seen = await model.observe(tokens, { logits: 'all', edits });
    const rows = range(tokens.length - start).map((i) => {
      const { values, shape } = seen.logits;
      const row = values.subarray((start + i - 1) * shape[1], (start + i) * shape[1]);
      const max = Math.max(...row);
      const total = max + Math.log(sum(Array.from(row, (x) => Math.exp(x - max))));
      return row[tokens[start + i]] - total;
    });
    return sum(rows);
  };
  near(target_logprob, await logprobOf(ids, from, []), 1e-4);
  assert.equal(parts.length, text.split(' ').length);
  assert.deepEqual(
    parts.flatMap(({ positions }) => positions),
    range(from).slice(1),
  );
  for (const { positions, hidden_logprob, removed_logprob, hidden_effect } of parts.slice(0, 5)) {
    near(hidden_logprob, await logprobOf(ids, from, [{ type: 'hide', positions }]), 1e-4);
    near(hidden_effect, target_logprob - hidden_logprob);
    const without = ids.filter((_, i) => !positions.includes(i));
    near(removed_logprob, await logprobOf(without, from - positions.length, []), 1e-4);
  }
  const greedy = await model.lens.attribute('Once upon a', { by: 'token' });
  const logits = await freshLogits(model, await model.tokenize('Once upon a'));
  assert.deepEqual(greedy.target_tokens, [logits.indexOf(Math.max(...logits))]);
  await assert.rejects(() => model.attribute('The', { target: '' }), /the target has no token/);
});

test('camaAbp: edits, means and sums by hand', () => {
  const means = [undefined, floats(1), floats(2)];
  const residual = (layer) =>
    [1, 2].map((position) => ({ type: 'residual', layer, position, values: means[position] }));
  const visible = (layers, sees) => ({ type: 'visible', layers, sees });
  assert.deepEqual(camaAbpEdits(means, 1, 2, 5, false), [
    ...residual(1),
    visible([1, 2], 'last_sees_all'),
    visible([3, 4], 'self_and_first'),
  ]);
  assert.deepEqual(camaAbpEdits(means, 2, 0, 5, true), residual(2));
  assert.deepEqual(camaAbpEdits(means, 0, 5, 5, false), [
    ...residual(0),
    visible([0, 1, 2, 3, 4], 'last_sees_all'),
  ]);
  assert.deepEqual(
    meanVectors([
      [floats(1, 3), floats(0, 0)],
      [floats(3, 5), floats(2, 4)],
    ]),
    [floats(2, 4), floats(1, 2)],
  );
  for (const task of ['a + b', 'a + b - c']) {
    const next = sumMaker(task, 9, 'Q: {sum} =', 3);
    for (let i = 0; i < 20; i++) {
      const { prompt, result } = next();
      const [, a, b, , c = 0] = prompt.match(/^Q: (\d) \+ (\d)( - (\d))? =$/);
      assert.equal(result, Number(a) + Number(b) - Number(c));
    }
  }
});

test('camaAbp: no waiting changes nothing, and nothing is left when all layers wait', async () => {
  const settings = { n: 5, samples: 3, max_number: 9, seed: 2, keep: 0.6 };
  const result = await model.lens.camaAbp(settings);
  const { waiting, wait, transferring, transfer, sums, n_compared } = result;
  const { n_layer } = model.info;
  assert.equal(waiting.length, n_layer + 1);
  assert.deepEqual([waiting[0], n_compared], [1, 5]);
  for (const { prompt, result: right, token, solved } of sums) {
    const ids = await model.tokenize(`${prompt} ${right}`);
    const texts = await Promise.all(ids.map((id) => model.tokenText(id)));
    const end = texts.findLastIndex((text) => text.includes('=')) + 1;
    const at = texts.findIndex((text, i) => i >= end && /[-\d]/.test(text));
    const logits = await freshLogits(model, ids.slice(0, at));
    assert.equal(token, logits.indexOf(Math.max(...logits)));
    assert.equal(solved, token === ids[at]);
  }
  // with all layers waiting, the last position has the same mean in every sum
  const counts = sums.map(({ token }) => sums.filter((other) => other.token === token).length);
  assert.ok(
    [0, ...counts].some((count) => waiting.at(-1) === count / 5),
    waiting.join(),
  );
  const first = waiting.findIndex((share) => share < 0.6);
  assert.equal(wait, (first < 0 ? n_layer + 1 : first) - 1);
  if (Number.isNaN(transfer)) assert.equal(transferring.length, n_layer - wait + 1);
  else assert.ok(transferring[transfer] >= 0.6 && transferring.length === transfer + 1);
  assert.deepEqual(await model.lens.camaAbp(settings), result);
  const none = await model.lens.camaAbp({
    ...settings,
    against: 'solved',
    prompt: 'cat {sum} dog',
  });
  if (none.n_compared === 0) assert.deepEqual([none.waiting, none.wait], [[], NaN]);
  await assert.rejects(() => model.lens.camaAbp({ prompt: '=' }), /must have '\{sum\}' once/);
});

test('ngramHeads: matches by search, and heads that look at them', async () => {
  const random = randomNumbers(7);
  const ids = Array.from({ length: 60 }, () => random(4));
  for (const order of [1, 2, 3]) {
    const sets = matchSets(ids, order);
    for (const i of ids.keys()) {
      const last = ids.slice(i + 1 - order, i + 1).join();
      const expected = range(i).flatMap((p) =>
        p + 1 >= order && i + 1 >= order && ids.slice(p + 1 - order, p + 1).join() === last
          ? [p + 1]
          : [],
      );
      assert.deepEqual(sets[i], expected);
    }
  }
  // one head looks at the token behind the earlier place, the other one at itself
  const tokens = [5, 6, 7, 5, 6, 7];
  const values = new Float32Array(2 * 36);
  for (const i of tokens.keys()) {
    values[6 * i + (i >= 3 ? i - 2 : 0)] = 1;
    values[36 + 7 * i] = 1;
  }
  const attention = { values, shape: [1, 2, 6, 6], layers: [4], heads: [0, 3] };
  assert.deepEqual(ngramHeadScores(tokens, attention, 2), [
    { layer: 4, head: 0, mass: [1, 1] },
    { layer: 4, head: 3, mass: [0, 0] },
  ]);
  const { heads } = await model.lens.ngramHeads('The cat', { repeated: 20 });
  const { n_layer, n_head } = model.info;
  assert.equal(heads.length, n_layer * n_head);
  assert.ok(heads.every(({ mass }) => mass[0] >= 0 && mass[0] <= 1));
  assert.ok(heads.every(({ mass }, i) => i === 0 || mass[0] <= heads[i - 1].mass[0]));
});

test('functionTokens: attention received, by hand and from an observation', async () => {
  // one layer, two heads, three positions
  const rows = [1, 0, 0, 0.5, 0.5, 0, 0.2, 0.3, 0.5, 1, 0, 0, 0.9, 0.1, 0, 0.6, 0.4, 0];
  const received = attentionReceived({ values: floats(...rows), shape: [1, 2, 3, 3] });
  near(received[0], (0.5 + 0.2 + 0.9 + 0.6) / 4, 1e-7);
  near(received[1], (0.3 + 0.4) / 2, 1e-7);
  assert.ok(Number.isNaN(received[2]));
  const text = 'The cat sat on the mat.';
  const { tokens, mean_attention } = await model.lens.functionTokens(text, { attention: true });
  const { attention } = await model.observe(text, { attention: {} });
  const [n_layer, n_head, n] = attention.shape;
  const place = 3;
  const weights = range(n_layer * n_head).flatMap((head) =>
    range(n)
      .filter((query) => query > place)
      .map((query) => attention.values[(head * n + query) * n + place]),
  );
  near(tokens[place - 1].attention, mean(weights), 1e-6);
  const own = tokens.slice(0, -1).filter(({ kind }) => kind === 'content');
  near(mean_attention.content, mean(own.map((token) => token.attention)));
});

test('verbatim: without any head a list is as surprising the second time', async () => {
  const edits = range(model.info.n_layer).map((layer) => ({
    ...{ type: 'head', layer, heads: 'all', scale: 0 },
  }));
  const settings = { length: 3, resamples: 10, edits };
  const { stimuli } = await model.lens.verbatim(settings);
  const repeated = stimuli.filter(({ condition }) => condition === 'repeat');
  assert.equal(repeated.length, 6);
  for (const { repeat_surprisal } of repeated) near(repeat_surprisal, 100, 1e-3);
  const whole = await model.lens.verbatim({ ...settings, edits: [] });
  assert.ok(whole.stimuli.some(({ repeat_surprisal: ratio }) => Math.abs(ratio - 100) > 1));
});
