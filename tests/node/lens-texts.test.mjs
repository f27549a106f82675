// Lenses that need only scores: their sums and counts by hand or by brute force, and runs on the
// built-in model against plain calls.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logprobs, model, near, sum } from '../support/lenses.mjs';
import { moduleOf } from '../support/module.mjs';

const figures = await moduleOf('lenses/figures.ts');
const { permutations, setOrderResult } = await moduleOf('lenses/set-order.ts');
const { choiceOf } = await moduleOf('lenses/multiple-choice.ts');
const { captionTokens } = await moduleOf('lenses/caption-weights.ts');
const { replacedOf } = await moduleOf('lenses/replaced.ts');
const { classesOf, kindsByFrequency, kindsByList } = await moduleOf('lenses/function-tokens.ts');
const { spansOf, tokensIn } = await moduleOf('lenses/words.ts');
const { deltasOf } = await moduleOf('lenses/prefix-delta.ts');

test('figures of short lists', () => {
  const { correlation, largest, logSum, mean, median, rocArea, softmax } = figures;
  const mixed = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
  const sorted = mixed.map((_, i) => i).sort((a, b) => mixed[b] - mixed[a] || a - b);
  for (const n of [1, 3, 5, 11, 20]) assert.deepEqual(largest(mixed, n), sorted.slice(0, n));
  near(logSum([Math.log(0.25), Math.log(0.5)]), Math.log(0.75));
  assert.equal(logSum([-Infinity, -Infinity]), -Infinity);
  near(logSum([1000, 1000]), 1000 + Math.LN2);
  near(softmax([Math.log(1), Math.log(3)])[1], 0.75);
  assert.deepEqual([median([5, 1, 3]), median([4, 1, 3, 2])], [3, 2.5]);
  assert.ok(Number.isNaN(mean([])) && Number.isNaN(median([])));
  near(correlation([1, 2, 3], [2, 4, 6]), 1);
  near(correlation([1, 2, 3, 4], [1, -1, -1, 1]), 0);
  // every pair of a positive and a negative, counted
  const values = [3, 1, 2, 2, 5, 2, 0, 3];
  const positive = [1, 0, 1, 0, 1, 0, 0, 0].map(Boolean);
  let [wins, pairs] = [0, 0];
  for (const [i, a] of values.entries())
    for (const [k, b] of values.entries())
      if (positive[i] && !positive[k]) {
        pairs++;
        wins += a > b ? 1 : a === b ? 0.5 : 0;
      }
  near(rocArea(values, positive), wins / pairs);
  near(
    rocArea(
      [0, 1, 2],
      [true, false, true].map((x) => !x),
    ),
    0.5,
  );
  assert.ok(Number.isNaN(rocArea([1, 2], [true, true])));
});

test('words are found by bytes, and tokens that cover them', () => {
  const text = "Ö, don't go";
  assert.deepEqual(spansOf(text), [
    { text: 'Ö', start: 0, end: 2 },
    { text: "don't", start: 4, end: 9 },
    { text: 'go', start: 10, end: 12 },
  ]);
  const ends = [0, 2, 5, 9, 9, 10, 12]; // "Ö" | ", d" | "on't" | nothing | " " | "go"
  const tokens = ends.map((end, i) => ({ token: i, start: ends[i - 1] ?? 0, end }));
  assert.deepEqual(tokensIn(spansOf(text), tokens), [[1], [2, 3], [6]]);
});

test('prefixDelta: the sums of the tokens are the differences of whole texts', async () => {
  const score = (logprob) => ({ token: 1, text: 'a', logprob });
  const byHand = deltasOf([score(-2), score(-3)], [score(-1.5), score(-4)]);
  assert.deepEqual(
    [byHand.delta, byHand.logprob_alone, byHand.logprob_after, byHand.tokens[1].delta],
    [-0.5, -5, -5.5, -1],
  );
  const text = 'The lion roared and ran away.';
  const prefix = 'A story about a lion.';
  const result = await model.lens.prefixDelta(text, { prefix });
  const alone = await logprobs(text);
  const joined = [...(await model.tokenize(prefix)), ...(await model.tokenize(text)).slice(1)];
  const both = (await model.score(joined)).slice(-alone.length).map(({ logprob }) => logprob);
  assert.deepEqual(
    result.tokens.map(({ logprob_alone, logprob_after }) => [logprob_alone, logprob_after]),
    alone.map((x, i) => [x, both[i]]),
  );
  near(result.delta, sum(both) - sum(alone), 1e-9);
  near(result.delta, result.logprob_after - result.logprob_alone, 1e-9);
  assert.ok(result.tokens.find((token) => token.text.includes('lion')).delta > 0);
  const empty = await model.lens.prefixDelta(text, { prefix: '' });
  assert.equal(empty.delta, 0);
  await assert.rejects(() => model.lens.prefixDelta(text), /prefix is undefined/);
});

test('setOrder: every order once, and each sum in two ways', async () => {
  assert.deepEqual(permutations(3), [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ]);
  assert.equal(new Set(permutations(6).map(String)).size, 720);
  const byHand = setOrderResult([-3, -1].map((logprob) => ({ logprob, target_logprob: -logprob })));
  assert.deepEqual(
    byHand.orders.map(({ logprob }) => logprob),
    [-1, -3],
  );
  assert.deepEqual([byHand.spread, byHand.target_spread], [2, 2]);
  near(byHand.logprob_any, Math.log(Math.exp(-3) + Math.exp(-1)));

  const items = ['a cat', 'a dog', 'a bear'];
  const target = ' They sang.';
  const result = await model.lens.setOrder(items, { before: 'I saw ', after: '.', target });
  assert.equal(result.orders.length, 6);
  for (const { order, text, logprob, item_logprobs, target_logprob } of result.orders) {
    assert.equal(text, `I saw ${order.map((i) => items[i]).join(', ')}.`);
    const all = await logprobs(text + target);
    const n_before = (await logprobs('I saw')).length;
    near(logprob + target_logprob, sum(all.slice(n_before)), 1e-6);
    near(logprob, sum((await logprobs(text)).slice(n_before)), 1e-6);
    // the items, and the full stop
    const dot = (await logprobs(text)).at(-1);
    near(sum(item_logprobs) + dot, logprob, 1e-6);
  }
  near(result.spread, result.orders[0].logprob - result.orders[5].logprob);
  await assert.rejects(() => model.lens.setOrder(['a']), /there are 1 items/);
});

test('multipleChoice: choices by hand, and the loss of a text', async () => {
  const measured = [
    { logprob: -4, n_tokens: 2, n_bytes: 10 },
    { logprob: -3, n_tokens: 1, n_bytes: 3 },
  ];
  assert.deepEqual(
    ['none', 'tokens', 'bytes'].map((normalize) => choiceOf(measured, normalize, 0).choice),
    [1, 0, 0],
  );
  near(choiceOf(measured, 'none', 1).options[1].p, Math.E / (1 + Math.E));
  assert.equal(choiceOf([measured[0], measured[0]], 'none', 0).choice, 0);

  const prompt = 'Once upon a';
  const questions = [
    { prompt, options: [' time', ' spoon'], answer: 0 },
    { prompt, options: [' river bank', ' time', ' egg', ' dog'], answer: 0 },
  ];
  const text = 'The cat sat on the mat.';
  const result = await model.lens.multipleChoice(questions, { text });
  assert.deepEqual(
    result.questions.map(({ choice, correct }) => [choice, correct]),
    [
      [0, true],
      [1, false],
    ],
  );
  assert.deepEqual([result.accuracy, result.chance], [0.5, (1 / 2 + 1 / 4) / 2]);
  const n = (await logprobs(prompt)).length;
  for (const [i, { options }] of questions.entries())
    for (const [k, option] of options.entries()) {
      const own = (await logprobs(prompt + option)).slice(n);
      const { logprob, n_tokens, n_bytes } = result.questions[i].options[k];
      near(logprob, sum(own), 1e-6);
      assert.deepEqual([n_tokens, n_bytes], [own.length, option.length]);
    }
  const loss = -sum(await logprobs(text));
  near(result.pair.nats_per_token, loss / (await logprobs(text)).length, 1e-9);
  near(result.pair.bits_per_byte, loss / Math.LN2 / text.length, 1e-9);
  assert.equal(result.pair.error, 0.5);
  await assert.rejects(() => model.lens.multipleChoice([]), /there are no questions/);
  const wrong = [{ prompt, options: [' a'], answer: 0 }];
  await assert.rejects(() => model.lens.multipleChoice(wrong), /a question has 1 options/);
});

test('captionWeights: (1 - p)^exponent with a mean of 1', async () => {
  const scores = [0.5, 0.9, 0.1].map((p) => ({ token: 1, text: 'a', logprob: Math.log(p) }));
  const weights = captionTokens(scores, 1).map(({ weight }) => weight);
  [1, 0.2, 1.8].forEach((weight, i) => near(weights[i], weight));
  near(captionTokens(scores, 2)[1].weight, 0.01 / ((0.25 + 0.01 + 0.81) / 3));
  assert.ok(captionTokens(scores, 0).every(({ weight }) => weight === 1));
  const caption = 'A red bird sits on a tree.';
  const { tokens } = await model.lens.captionWeights(caption);
  const p = (await logprobs(caption)).map(Math.exp);
  tokens.forEach((token, i) => near(token.p, p[i], 1e-9));
  near(sum(tokens.map(({ weight }) => weight)) / tokens.length, 1);
  const after = await model.lens.captionWeights(' sits on a tree.', { before: 'A red bird' });
  after.tokens.forEach((token, i) => near(token.p, p.slice(-after.tokens.length)[i], 1e-6));
});

test('replaced: flags, precision, recall by hand; replacements of a text are found', async () => {
  const score = (p, rank, entropy) => ({
    token: 1,
    text: 'a',
    logprob: Math.log(p),
    rank,
    entropy,
  });
  const scores = [score(1e-5, 900, 1), score(1e-4, 20, 2), score(0.5, 0, 1), score(1e-6, 950, 3)];
  const originals = new Map([
    [0, 7],
    [1, 8],
  ]);
  const result = replacedOf(scores, 0.001, 100, originals);
  assert.deepEqual(
    result.tokens.map(({ flagged, original }) => [flagged, original]),
    [
      [true, 7],
      [false, 8],
      [false, undefined],
      [true, undefined],
    ],
  );
  assert.deepEqual([result.n_flagged, result.precision, result.recall], [2, 0.5, 0.5]);
  assert.deepEqual(result.auc, { logprob: 0.5, rank: 0.5, surprise: 0.5 });
  assert.equal(replacedOf(scores, 0.001, 100).auc, undefined);

  const text =
    'Once upon a time there was a little girl who lived in a small house near the forest. ' +
    'One day her mother said, "Go to the river and bring me some water."';
  const ids = await model.tokenize(text);
  const areas = [];
  for (let seed = 0; seed < 6; seed++) {
    const { tokens, auc, recall } = await model.lens.replaced(text, { share: 0.15, seed });
    const changed = tokens.filter(({ original }) => original !== undefined);
    assert.equal(changed.length, Math.round(0.15 * (ids.length - 2)));
    tokens.forEach(({ token, original }, i) => {
      assert.equal(original ?? token, ids[i + 1]);
      assert.notEqual(original, token);
    });
    areas.push(auc.logprob);
    assert.ok(recall >= 0 && recall <= 1);
  }
  // chance is 0.5
  assert.ok(sum(areas) / areas.length > 0.75, areas.join());
  const plain = await model.lens.replaced(text);
  assert.ok(plain.tokens.every(({ original }) => original === undefined));
  const by = { share: 0.3, by: 'vocabulary', max_p: 1, min_rank: 0 };
  assert.equal((await model.lens.replaced(text, by)).recall, 1);
  await assert.rejects(() => model.lens.replaced('a', { share: 1 }), /two different tokens/);
});

test('functionTokens: kinds and classes by hand; the shares add up', async () => {
  const text = 'The cat, sat on THE mat';
  const parts = ['The', ' cat', ',', ' s', 'at', ' on', ' THE', ' mat'];
  let end = 0;
  const tokens = parts.map((part, token) => ({ token, start: end, end: (end += part.length) }));
  const kinds = kindsByList(text, tokens, new Set(['the', 'on']));
  assert.deepEqual(
    kinds.map((kind) => kind[0]),
    ['f', 'c', 'f', 'c', 'c', 'f', 'f', 'c'],
  );
  // 5, 5, 5 are half of the list; 7 and 8 are equally frequent, 7 came first
  assert.deepEqual(
    kindsByFrequency([7, 5, 8, 5, 5, 9], 0.6).map((kind) => kind[0]),
    ['f', 'f', 'c', 'f', 'f', 'c'],
  );
  const losses = [9, 1, 2, 3, 4, 5, 6, 7];
  const classes = classesOf(kinds.map((kind, i) => ({ kind, loss: losses[i] })));
  assert.deepEqual(
    classes.map(({ previous, current, n, mean_loss }) => [previous[0] + current[0], n, mean_loss]),
    [
      ['ff', 1, 6],
      ['fc', 3, (1 + 3 + 7) / 3],
      ['cf', 2, 3.5],
      ['cc', 1, 4],
    ],
  );
  near(classes[1].loss_share, 11 / 28);
  near(classes[1].token_share, 3 / 7);

  const story = 'The old man went to the forest, and the fox sat under a tree with a big bird.';
  const result = await model.lens.functionTokens(story);
  assert.deepEqual(
    result.tokens.map(({ loss }) => -loss),
    await logprobs(story),
  );
  near(sum(result.classes.map(({ loss_share }) => loss_share)), 1);
  near(sum(result.classes.map(({ token_share }) => token_share)), 1);
  const [, content, func] = result.classes;
  assert.ok(content.mean_loss > func.mean_loss); // content words are harder than function words
  const all = await model.lens.functionTokens(story, { words: story.match(/\w+/g) });
  assert.equal(all.classes[0].token_share, 1);
});
