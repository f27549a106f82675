// Checks of the papers about decoding, by their number in the list.
import assert from 'node:assert/strict';
import Ajv from 'ajv/dist/2020.js';
import { bestOfCurve, solutionEquivalents } from '../../dist/node-methods.js';
import { kMeans } from '../../dist/node-lenses.js';
import { FEW, fewTokens } from '../support/few-tokens.mjs';
import { collect, tokensOf } from '../support/support.mjs';
import { ngramLens } from './tasks.mjs';

const PROMPT = 'Once upon a time there was a little dog. The little dog';

const generated = (story, options, prompt = PROMPT) =>
  collect(story.createSession({ seed: 3 }).generate(prompt, { max_tokens: 40, ...options }));

/** 4: the number of trials, the winner, and the reduction to a plain generation. */
async function cautious(story) {
  const sampler = { temperature: 1, samplers: ['temperature'] };
  const steps = await generated(story, { ...sampler, method: { name: 'cntp' } });
  const prompt = await story.tokenize(PROMPT);
  let [segments, trials, certain] = [0, 0, 0];
  for (const [i, { method }] of steps.entries()) {
    const { entropy, n_trials, winner } = method;
    const share = Math.min(Math.max((entropy - 0.01) / (1.5 - 0.01), 0), 1);
    assert.equal(n_trials, Math.floor(1 + 9 * share));
    if (method.index > 0 || n_trials === 1) {
      if (n_trials === 1) certain++;
      continue;
    }
    segments++;
    trials += n_trials;
    const before = [...prompt, ...tokensOf(steps.slice(0, i))];
    const scored = [];
    for (const { tokens, perplexity } of method.trials) {
      const session = story.createSession();
      await session.sync(before);
      const scores = await session.score(tokens);
      await session.dispose();
      const again = Math.exp(
        -scores.reduce((sum, { logprob }) => sum + logprob, 0) / tokens.length,
      );
      assert.ok(Math.abs(again / perplexity - 1) < 1e-4, `${again} is not ${perplexity}`);
      scored.push(perplexity);
    }
    assert.equal(winner, scored.indexOf(Math.min(...scored)));
  }
  assert.ok(segments > 0);
  const plain = tokensOf(await generated(story, sampler));
  const one = await generated(story, { ...sampler, method: { name: 'cntp', n_max: 1 } });
  assert.deepEqual(tokensOf(one), plain);
  return `${trials} trials in ${segments} segments scored again, ${certain} certain tokens`;
}

/** 20: the cost, the winner, and the curve. */
async function votes(story) {
  assert.deepEqual([solutionEquivalents(8, 8, 1), solutionEquivalents(16, 16, 2)], [72, 528]);
  const list = [0.9, 0.7, 0.4, 0.2].map((score, i) => ({
    ...{ answer: String(i), score, correct: i % 2 === 1 },
  }));
  const curve = bestOfCurve(list, 1);
  for (let k = 1; k <= 4; k++) {
    const subsets = Array.from({ length: 16 }, (_, bits) => list.filter((_, i) => (bits >> i) & 1));
    const ofK = subsets.filter(({ length }) => length === k);
    const right = ofK.filter(([best]) => best.correct).length; // the list is in order of scores
    assert.ok(Math.abs(curve[k - 1] - right / ofK.length) < 1e-12);
  }
  const options = { n: 16, max_tokens: 2, extract: 'text', seed: 3 };
  const { winner, answers, histogram } = await story.vote('The colour of the ball was', options);
  const counts = new Map();
  for (const { answer } of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  counts.delete(undefined);
  assert.equal(counts.get(winner), Math.max(...counts.values()));
  assert.deepEqual(new Map(histogram.map(({ answer, count }) => [answer, count])), counts);
  return `cost 72 and 528; ${counts.size} answers of 16 texts, the winner ${counts.get(winner)} times`;
}

const SCENE = {
  type: 'object',
  properties: {
    room: { enum: ['bedroom', 'kitchen', 'study'] },
    objects: {
      type: 'array',
      minItems: 1,
      maxItems: 3,
      items: {
        type: 'object',
        properties: {
          name: { enum: ['bed', 'chair', 'desk', 'lamp', 'shelf'] },
          position: {
            type: 'array',
            items: { type: 'integer', minimum: -500, maximum: 500 },
            minItems: 3,
            maxItems: 3,
          },
        },
        required: ['name', 'position'],
        additionalProperties: false,
      },
    },
  },
  required: ['room', 'objects'],
  additionalProperties: false,
};

/** 21: scenes that another program finds valid. */
async function scenes(story) {
  const grammar = await story.createGrammar({ type: 'json_schema', schema: SCENE });
  const valid = new Ajv().compile(SCENE);
  let objects = 0;
  for (let sample_index = 0; sample_index < 8; sample_index++) {
    const options = { grammar, sample_index, max_tokens: 300, temperature: 1 };
    const steps = await generated(story, options, 'The room: ');
    const scene = JSON.parse(steps.map(({ text }) => text).join(''));
    assert.ok(valid(scene), JSON.stringify(valid.errors));
    objects += scene.objects.length;
  }
  return `8 of 8 scenes valid, ${objects} objects`;
}

/** The tokens of a generation with a source of drafts equal those without; its figures. */
async function speculated(story, speculate, options, prompt) {
  const plain = await generated(story, { ...options, speculate: false }, prompt);
  const steps = await generated(story, { ...options, speculate }, prompt);
  assert.deepEqual(tokensOf(steps), tokensOf(plain));
  assert.deepEqual(
    steps.map(({ logprob }) => logprob),
    plain.map(({ logprob }) => logprob),
  );
  const accepted = steps.reduce((n, { draft }) => n + (draft?.accepted ?? 0), 0);
  const batches = steps.length - accepted;
  return { n: steps.length, batches };
}

/** 36: the tokens of Token Recycling. */
async function recycling(story) {
  const figures = [];
  for (const tree of ['cpu', 'paper'])
    for (const temperature of [0, 0.8]) {
      const options = { temperature, max_tokens: 60 };
      const { n, batches } = await speculated(story, { recycling: tree }, options);
      figures.push(`${tree} at ${temperature}: ${(n / batches).toFixed(2)}`);
    }
  return `tokens a batch: ${figures.join(', ')}`;
}

/** 45: the n-gram predictor of the prompt. */
async function ngrams(story) {
  const prompt = 'Tom had a red ball. Tom had a red ball. Tom had';
  const options = { temperature: 0, ignore_eos: true };
  const { n, batches } = await speculated(story, 'ngram', options, prompt);
  assert.ok(batches < n, `${batches} batches for ${n} tokens`);
  return `${batches} batches for ${n} tokens; ${await ngramLens(story)}`;
}

const ANIMALS = 'dog cat bird lion mouse rabbit fish frog horse goat cow monkey snake bear'.split(
  ' ',
);

/** 39: each token is in the cluster with the nearest centre; the figures of the lens. */
async function clusters(story) {
  const { n_vocab, n_embd } = story.info;
  const rows = await story.outputRows(Array.from({ length: n_vocab }, (_, id) => id));
  const k = 16;
  const options = { k, distance: 'l2', seed: 1, max_iterations: 300 };
  const { labels, sizes, converged } = kMeans(rows, n_embd, options);
  assert.ok(converged);
  const means = Array.from({ length: k }, () => new Float64Array(n_embd));
  rows.forEach((x, i) => {
    const label = labels[Math.floor(i / n_embd)];
    means[label][i % n_embd] += x / sizes[label];
  });
  for (let id = 0; id < n_vocab; id++) {
    const row = rows.subarray(id * n_embd, (id + 1) * n_embd);
    const to = means.map((mean) => mean.reduce((sum, x, i) => sum + (x - row[i]) ** 2, 0));
    assert.ok(to[labels[id]] <= Math.min(...to) + 1e-4);
  }
  const prompt = 'The children saw an animal. It was a';
  const found = await story.lens.clusters(prompt, { labels, answers: ANIMALS });
  const share = ({ n, n_right }) => `${n_right} of ${n}`;
  return `right inside ${share(found.inside)}, outside ${share(found.outside)}`;
}

/** 39: the first tokens of answers that are in the prompt get smaller logits. */
async function explored(story) {
  const prompt = 'Tom saw many animals in the forest.\nAnswers:\n';
  const { answers } = await story.navigate(prompt.split('\n')[0], {
    ...{ n_run: 1, n_tol: 10, max_tokens: 6 },
  });
  const rows = await story.outputRows(answers.map(({ token }) => token));
  const productAfter = async (text) => {
    const hidden = await story.embed(text, { pooling: 'last', normalize: false });
    return rows.reduce((sum, x, i) => sum + x * hidden[i % hidden.length], 0) / answers.length;
  };
  const list = answers.map(({ text }, i) => `${i + 1}. "${text}"\n`).join('');
  const before = await productAfter(`${prompt}1. "`);
  const after = await productAfter(`${prompt}${list}${answers.length + 1}. "`);
  assert.ok(after < before);
  return `mean product of 10 explored rows ${before.toFixed(2)} before, ${after.toFixed(2)} after`;
}

/** 39: navigation, and the rows of the output matrix. */
async function navigation(story) {
  const opening = 'Names of animals.\nAnswers:\n1. "';
  const short = { n_run: 1, n_tol: 1, max_tokens: 6 };
  const { answers } = await story.navigate('Names of animals.', short);
  const greedy = await generated(story, { temperature: 0, max_tokens: 6 }, opening);
  const tokens = answers[0].tokens;
  assert.deepEqual(tokens, tokensOf(greedy).slice(0, tokens.length));
  const found = await story.navigate('Names of animals.', { n_run: 4, n_tol: 5, max_tokens: 6 });
  const firsts = new Set(found.answers.map(({ first }) => first));
  assert.equal(firsts.size, found.answers.length);

  const session = story.createSession();
  await session.sync(opening);
  const logits = await session.logits();
  const hidden = await story.embed(opening, { pooling: 'last', normalize: false });
  const ids = found.answers.map(({ token }) => token);
  const rows = await story.outputRows(ids);
  let error = 0;
  for (const [i, id] of ids.entries()) {
    const row = rows.subarray(i * hidden.length, (i + 1) * hidden.length);
    const product = row.reduce((sum, x, k) => sum + x * hidden[k], 0);
    error = Math.max(error, Math.abs(product - logits[id]));
  }
  assert.ok(error < 0.2, `the product differs from the logit by ${error}`);
  return `${firsts.size} different first tokens, ${found.n_distinct} answers; products within ${error.toFixed(3)} of the logits; ${await explored(story)}; ${await clusters(story)}`;
}

const END = 2;

/** All texts of up to `most` tokens with their end token, best first. */
async function everyText(model, prompt, most) {
  const all = [];
  const session = model.createSession();
  const visit = async (tokens, logprob) => {
    await session.sync([...prompt, ...tokens]);
    const logits = await session.logits();
    const max = Math.max(...logits);
    const log_sum = max + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - max), 0));
    all.push({ tokens: [...tokens, END], logprob: logprob + logits[END] - log_sum });
    if (tokens.length < most)
      for (let token = 0; token < FEW.length; token++)
        if (token !== END) await visit([...tokens, token], logprob + logits[token] - log_sum);
  };
  await visit([], 0);
  return all.sort((a, b) => b.logprob - a.logprob);
}

/** 63: beam search against all texts. */
async function beams() {
  const model = await fewTokens(1);
  const prompt = [1, 3, 4, 3];
  const all = await everyText(model, prompt, 3);
  const plain = { max_tokens: 4, top_k: FEW.length, beams: 200 };
  const conditions = [
    [undefined, () => true],
    [{ type: 'length', n: 3 }, (tokens) => tokens.length === 4],
    [{ type: 'no_repeat', n: 1 }, (tokens) => new Set(tokens).size === tokens.length],
  ];
  for (const [condition, fits] of conditions)
    for (const exact of [true, false]) {
      const options = { ...plain, exact, ...(condition && { condition }) };
      const { hypotheses } = await model.beamSearch(prompt, options);
      const best = all.find(({ tokens }) => fits(tokens));
      const [found] = hypotheses.filter(({ finished }) => finished);
      assert.deepEqual(found.tokens, best.tokens);
      assert.ok(Math.abs(found.logprob - best.logprob) < 1e-5);
    }
  await model.dispose();
  return `best of ${all.length} texts, with ${conditions.length - 1} conditions and without`;
}

/** The checks by the paper's number. */
export const checks = {
  4: cautious,
  20: votes,
  21: scenes,
  36: recycling,
  39: navigation,
  45: ngrams,
  63: beams,
};
