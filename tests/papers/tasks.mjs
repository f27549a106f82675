// Checks of the papers whose lenses give a model tasks, by their number in the list.
import assert from 'node:assert/strict';
import { moduleOf } from '../support/module.mjs';
import { freshLogits } from '../support/support.mjs';

const { stimulusText } = await moduleOf('lenses/verbatim.ts');
const { ngramHeadScores } = await moduleOf('lenses/ngram-heads.ts');
const { gapText } = await moduleOf('lenses/verbatim-texts.ts');

const sum = (list) => list.reduce((a, b) => a + b, 0);
const mean = (list) => sum(list) / list.length;
const near = (a, b, limit = 1e-4) => assert.ok(Math.abs(a - b) <= limit, `${a} is not ${b}`);

/** Probabilities of logits that are divided by a temperature. */
function softmax(logits, temperature) {
  const max = Math.max(...logits);
  const weights = Array.from(logits, (x) => Math.exp((x - max) / temperature));
  const total = sum(weights);
  return weights.map((x) => x / total);
}

/** Log-probabilities of the tokens of a text but the first. */
const logprobs = async (story, text) =>
  (await story.score(text)).slice(1).map(({ logprob }) => logprob);

/** 3: the greedy path and the probabilities at each temperature. */
async function minds(story) {
  const before = 'Anna put her ball in the box. Then Anna went out.';
  const after = ' Tom took the ball and put it under the bed. Then Anna came back.';
  const cloze = 'Anna looks for her ball in the';
  const question = { order: 'first', cloze, answer: ' box', distractor: ' bed' };
  const temperatures = [0.01, 0.5, 1, 1.5, 2];
  const found = await story.lens.theoryOfMind({
    ...{ stories: [{ before, after, questions: [question] }], infills: [0], temperatures },
    ...{ steps: 3, top_n: 5 },
  });
  const [{ steps, answer_logprob }] = found.prompts;
  const ids = await story.tokenize(`${before}${after} ${cloze}`);
  for (const { tokens, p } of steps) {
    const logits = await freshLogits(story, ids);
    const order = Array.from(logits, (_, id) => id).sort((a, b) => logits[b] - logits[a]);
    assert.deepEqual(tokens, order.slice(0, 5));
    for (const [t, temperature] of temperatures.entries()) {
      const expected = softmax(logits, temperature);
      for (const [rank, id] of tokens.entries()) near(p[t][rank], expected[id], 1e-9);
    }
    ids.push(tokens[0]);
  }
  const top = temperatures.map((_, t) => mean(steps.map(({ p }) => p[t][0])));
  assert.ok(top.every((p, t) => t === 0 || p < top[t - 1]));
  const whole = sum(await logprobs(story, `${before}${after} ${cloze} box`));
  near(answer_logprob, whole - sum(await logprobs(story, `${before}${after} ${cloze}`)), 1e-3);
  return `3 steps, 5 tokens, 5 temperatures; mean p of the first ${top[0].toFixed(2)} at 0.01, ${top[4].toFixed(2)} at 2`;
}

/** 38: the surprisal of each noun in its text, and the figures that follow. */
async function memory(story) {
  const { conditions, stimuli } = await story.lens.verbatim({
    length: 4,
    lists: 3,
    resamples: 200,
  });
  const gap = gapText('intact', 'short', 0);
  for (const { lists, surprisals, repeat_surprisal } of stimuli.slice(0, 8)) {
    const { text } = stimulusText(lists, gap);
    const tokens = await story.tokenOffsets(text);
    const scores = await story.score(text);
    const bytes = Buffer.from(text);
    let from = 0;
    for (const [l, list] of lists.entries())
      for (const [i, noun] of list.entries()) {
        const start = bytes.indexOf(noun, Math.max(from, l === 0 ? bytes.indexOf(':') : from));
        from = start + noun.length;
        const own = scores.filter((_, k) => tokens[k].end > start && tokens[k].start < from);
        near(surprisals[l][i], -sum(own.map(({ logprob }) => logprob)), 1e-3);
        if (l === 0 && i === list.length - 1) from = bytes.indexOf(':', from);
      }
    const [first, second] = surprisals.map((list) => mean(list.slice(1)));
    near(repeat_surprisal, (100 * second) / first, 1e-6);
  }
  for (const { condition, n, median } of conditions) {
    const own = stimuli.filter((each) => each.condition === condition);
    const sorted = own.map((each) => each.repeat_surprisal).sort((a, b) => a - b);
    assert.equal(n, 12);
    near(median, (sorted[5] + sorted[6]) / 2, 1e-9);
  }
  const figures = conditions.map(({ condition, median }) => `${condition} ${Math.round(median)} %`);
  return `surprisal the second time: ${figures.join(', ')}`;
}

/** 40: log-probabilities from the scores of the same texts. */
async function embers(story) {
  const { items, groups, correlation } = await story.lens.embers();
  for (const item of items.slice(0, 6)) {
    near(item.output_logprob, mean(await logprobs(story, item.output)));
    const head = await logprobs(story, item.instruction + item.input + item.cue);
    const whole = await logprobs(story, item.instruction + item.input + item.cue + item.output);
    near(item.answer_logprob, mean(whole.slice(head.length)), 1e-3);
  }
  for (const { task, likely, output_logprob } of groups) {
    const other = groups.find((group) => group.task === task && group.likely !== likely);
    if (likely && other) assert.ok(output_logprob > other.output_logprob, task);
  }
  assert.ok(correlation > 0);
  return `${items.length} tasks; correlation of the answer's log-probability as a text and as an answer ${correlation.toFixed(2)}`;
}

/** 50: right answers by counting, choices by scores. */
async function letters(story) {
  const { questions, tasks } = await story.lens.charBench({ words: ['banana', 'kitten', 'river'] });
  for (const { task, word, letter, answer, choice, correct, p } of questions) {
    const at = [...word].flatMap((each, i) => (each === letter ? [i + 1] : []));
    assert.equal(answer, { count: at.length, first: at[0], last: at.at(-1) }[task]);
    assert.equal(correct, choice === answer);
    assert.ok(p > 0 && p < 1);
  }
  for (const { task, accuracy, mean_p } of tasks) {
    const own = questions.filter((question) => question.task === task);
    near(accuracy, mean(own.map(({ correct }) => Number(correct))), 1e-9);
    near(mean_p, mean(own.map(({ p }) => p)), 1e-9);
  }
  const row = ({ task, accuracy, chance }) =>
    `${task} ${Math.round(100 * accuracy)} % (chance ${Math.round(100 * chance)} %)`;
  return `${questions.length} questions: ${tasks.map(row).join(', ')}`;
}

/** The checks by the paper's number. */
export const checks = {
  3: minds,
  38: memory,
  40: embers,
  50: letters,
};

/** 45: the n-gram predictor against a search through the whole text. */
export async function ngramLens(story) {
  const text = 'The cat sat. The dog ran. The cat ran. The dog sat. The cat sat. The dog ran.';
  const { tokens, orders } = await story.lens.ngramHeads(text, { max_order: 3 });
  const ids = tokens.map(({ token }) => token);
  for (const [i, { order, n_matches, predicted, ngram_p, token }] of tokens.entries()) {
    let counts = new Map();
    let longest = 0;
    for (let n = Math.min(3, i); n > 0 && longest === 0; n--) {
      for (let end = n; end < i; end++)
        if (ids.slice(end - n, end).join() === ids.slice(i - n, i).join())
          counts.set(ids[end], (counts.get(ids[end]) ?? 0) + 1);
      if (counts.size > 0) longest = n;
    }
    assert.equal(order, longest);
    assert.equal(n_matches, sum([...counts.values()]));
    near(ngram_p, n_matches ? (counts.get(token) ?? 0) / n_matches : 0, 1e-12);
    if (n_matches) assert.equal(counts.get(predicted), Math.max(...counts.values()));
  }
  const last = orders.at(-1);
  const heads = await ngramMass(story);
  return `${tokens.length} predictions equal the counts; after 3 known tokens ${Math.round(100 * last.accuracy)} % right; ${heads}`;
}

/** The weight that heads give to what followed the same token, on tokens that come twice. */
async function ngramMass(story) {
  const random = Array.from({ length: 40 }, (_, i) => 300 + ((i * 977) % 2500));
  const ids = [story.info.bos, ...random, ...random];
  const { attention } = await story.observe(ids, { attention: {} });
  const n = ids.length;
  const [best, ...others] = ngramHeadScores(ids, attention, 1);
  for (const { layer, head, mass } of [best, others.at(-1)]) {
    const start = (layer * story.info.n_head + head) * n * n;
    const weights = [];
    for (let query = 1; query < n; query++) {
      const keys = ids.flatMap((id, i) => (i < query && id === ids[query] ? [i + 1] : []));
      if (keys.length > 0)
        weights.push(sum(keys.map((key) => attention.values[start + query * n + key])));
    }
    near(mass[0], mean(weights), 1e-6);
  }
  return `the best head gives ${Math.round(100 * best.mass[0])} % to what followed the same token`;
}
