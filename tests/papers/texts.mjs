// Checks of the papers whose lenses read scores of texts, by their number in the list.
import assert from 'node:assert/strict';

const TEXT =
  'Once upon a time there was a little girl. She had a red ball and a big dog. One day the dog ' +
  'ran into the forest. The girl was sad, and she went to look for the dog under every tree.';

const sum = (list) => list.reduce((a, b) => a + b, 0);
const near = (a, b, limit = 1e-4) => assert.ok(Math.abs(a - b) <= limit, `${a} is not ${b}`);

/** Log-probabilities of the tokens of a text but the first. */
const logprobs = async (story, text) =>
  (await story.score(text)).slice(1).map(({ logprob }) => logprob);

/** Questions that a story model can answer: a beginning, the right end, a wrong one. */
const QUESTIONS = [
  ['The bird flew up into the', ' sky', ' spoon'],
  ['The boy was hungry. He ate some', ' food', ' chairs'],
  ['At night she went to', ' bed', ' eggs'],
  ['The fish swam in the', ' water', ' bread'],
  ['The old man opened the', ' door', ' rain'],
  ['The children played in the', ' garden', ' tooth'],
  ['Once upon a', ' time', ' spoon'],
  ['The cat ran after the', ' mouse', ' night'],
];

/** 7: a choice by the tokens' scores, and the loss. */
async function choices(story) {
  const questions = QUESTIONS.map(([prompt, right, wrong], i) => ({
    ...{ prompt, options: i % 2 ? [wrong, right] : [right, wrong], answer: i % 2 },
  }));
  const {
    accuracy,
    chance,
    pair,
    questions: answers,
  } = await story.lens.multipleChoice(questions, {
    text: TEXT,
  });
  for (const [i, { prompt, options }] of questions.entries())
    for (const [k, option] of options.entries()) {
      const whole = sum(await logprobs(story, prompt + option));
      near(answers[i].options[k].logprob, whole - sum(await logprobs(story, prompt)));
    }
  const loss = await logprobs(story, TEXT);
  near(pair.nats_per_token, -sum(loss) / loss.length);
  assert.ok(accuracy > chance);
  return `${accuracy * 100} % right, chance ${chance * 100} %; ${pair.bits_per_byte.toFixed(2)} bits a byte`;
}

/** 18: the sum of the deltas. */
async function prefixes(story) {
  const text = 'The lion was very hungry and wanted to eat the goat.';
  const delta = {};
  for (const prefix of ['A story about a lion and a goat.', 'A letter about the new house.']) {
    const found = await story.lens.prefixDelta(text, { prefix });
    near(found.logprob_alone, sum(await logprobs(story, text)));
    near(sum(found.tokens.map((token) => token.delta)), found.logprob_after - found.logprob_alone);
    const whole = sum(await logprobs(story, `${prefix} ${text}`));
    const head = sum(await logprobs(story, prefix));
    near(found.logprob_after, whole - head, 1e-3);
    delta[prefix] = found.delta;
  }
  const [fitting, other] = Object.values(delta);
  assert.ok(fitting > other);
  return `fitting prefix ${fitting.toFixed(1)} nats, other prefix ${other.toFixed(1)}`;
}

/** 34: the classes of tokens. */
async function functions(story) {
  const found = await story.lens.functionTokens(TEXT, { attention: true });
  const { tokens, classes, mean_attention } = found;
  near(sum(classes.map(({ token_share }) => token_share)), 1, 1e-9);
  near(sum(classes.map(({ loss_share }) => loss_share)), 1, 1e-9);
  const losses = (await logprobs(story, TEXT)).map((x) => -x);
  near(sum(tokens.map(({ loss }) => loss)), sum(losses));
  near(sum(classes.map(({ n, mean_loss }) => (n ? n * mean_loss : 0))), sum(losses.slice(1)));
  const share = (kind, of) => sum(classes.filter(({ current }) => current === kind).map(of));
  const [of_tokens, of_loss] = ['token_share', 'loss_share'].map((key) =>
    share('content', (each) => each[key]),
  );
  assert.ok(of_loss > of_tokens);
  const { attention } = await story.observe(TEXT, { attention: {} });
  const n = attention.shape.at(-1);
  const rows = attention.values.length / n;
  for (const [i, token] of tokens.slice(0, -1).entries()) {
    const weights = Array.from({ length: rows }, (_, row) =>
      row % n > i + 1 ? attention.values[row * n + i + 1] : 0,
    );
    near(token.attention, sum(weights) / ((rows / n) * (n - 2 - i)), 1e-6);
  }
  const percent = (x) => `${Math.round(100 * x)} %`;
  const to = (kind) => mean_attention[kind].toFixed(3);
  return `content tokens: ${percent(of_tokens)} of the tokens, ${percent(of_loss)} of the loss; attention to a function token ${to('function')}, to a content token ${to('content')}`;
}

/** 42: every order scored alone. */
async function orders(story) {
  const before = 'In the box there were';
  const items = [' a cat', ' a big dog', ' the old bear'];
  const found = await story.lens.setOrder(items, { before, separator: ',', after: '.' });
  assert.equal(found.orders.length, 6);
  const head = sum(await logprobs(story, before));
  const alone = [];
  for (const { text, logprob } of found.orders) {
    alone.push(sum(await logprobs(story, text)) - head);
    near(logprob, alone.at(-1));
  }
  near(found.spread, Math.max(...alone) - Math.min(...alone));
  near(found.logprob_any, Math.log(sum(alone.map(Math.exp))));
  return `6 orders, ${found.spread.toFixed(2)} nats apart`;
}

/** 62: the area under the curve, pair by pair. */
async function replacements(story) {
  const { tokens, auc } = await story.lens.replaced(TEXT, { share: 0.2, seed: 3 });
  const scores = (await story.score([story.info.bos, ...tokens.map(({ token }) => token)])).slice(
    1,
  );
  let [pairs, right] = [0, 0];
  for (const [i, a] of tokens.entries())
    for (const [k, b] of tokens.entries()) {
      if (a.original === undefined || b.original !== undefined) continue;
      const difference = scores[k].logprob - scores[i].logprob;
      right += difference > 0 ? 1 : difference === 0 ? 0.5 : 0;
      pairs++;
    }
  near(auc.logprob, right / pairs, 1e-9);
  assert.ok(auc.logprob > 0.6);
  const n = tokens.filter(({ original }) => original !== undefined).length;
  return `${n} of ${tokens.length} tokens replaced; area under the curve ${auc.logprob.toFixed(2)}`;
}

/** 66: the weights by the formula. */
async function captions(story) {
  const caption = 'A little girl and a big dog sit under a tree.';
  const { tokens } = await story.lens.captionWeights(caption, { exponent: 2 });
  const p = (await logprobs(story, caption)).map(Math.exp);
  const raw = p.map((x) => (1 - x) ** 2);
  const mean = sum(raw) / raw.length;
  for (const [i, token] of tokens.entries()) {
    near(token.p, p[i]);
    near(token.weight, raw[i] / mean);
  }
  near(sum(tokens.map(({ weight }) => weight)) / tokens.length, 1, 1e-9);
  const light = tokens.reduce((a, b) => (b.weight < a.weight ? b : a));
  return `weights of ${tokens.length} tokens; the lightest is ${JSON.stringify(light.text)} at ${light.weight.toFixed(2)}`;
}

/** The checks by the paper's number. */
export const checks = {
  7: choices,
  18: prefixes,
  34: functions,
  42: orders,
  62: replacements,
  66: captions,
};
