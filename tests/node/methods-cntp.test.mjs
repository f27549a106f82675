// Cautious Next Token Prediction: the published numbers of trials, and the method on the built-in
// model against plain generations.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { moduleOf } from '../support/module.mjs';
import { collect, freshLogits, tokensOf } from '../support/support.mjs';

const { perplexityOf, trialCount, trialSample } = await moduleOf('methods/cntp.ts');
const DEFAULTS = { h_min: 0.01, h_max: 1.5, n_min: 1, n_max: 10 };
const MARKS = ['.', ',', '\n', '?', '!', ':', ';', ')', ']', '}'];
const PROMPT = 'Once upon a time';
const cntp = { name: 'cntp', n_max: 4 };

const model = await loadModel('storybook', { worker: false, n_ctx: 512, n_kv: 2048 });
after(() => model.dispose());

const plain = ({ method: _, ...step }) => step;

/** The steps of a generation in a new session, and the session. */
async function generated(options, prompt = PROMPT) {
  const session = model.createSession({ seed: 3 });
  return { session, steps: await collect(session.generate(prompt, options)) };
}

// 16 trials of 400 tokens, which take seconds: no token ends them
const texts = await model.tokenTexts();
const LONG = {
  method: { name: 'cntp', n_min: 16, n_max: 16, trial_tokens: 400 },
  banned_tokens: texts.flatMap((text, id) => (/[.,\n⏎?!:;)\]}]/.test(text) ? [id] : [])),
  ignore_eos: true,
  max_tokens: 400,
};

/** Resolves while the trials of a first step run. */
async function busy(own) {
  const { decoded_tokens } = await own.stats();
  while ((await own.stats()).decoded_tokens < decoded_tokens + 10)
    await new Promise((resolve) => setImmediate(resolve));
}

/** The first step of each segment that trials made, with the tokens before it. */
function segmentsOf(steps, prompt) {
  return steps.flatMap((step, i) =>
    step.method.n_trials > 1 && step.method.index === 0
      ? [{ step, before: [...prompt, ...tokensOf(steps.slice(0, i))], at: i }]
      : [],
  );
}

test('the number of trials is that of the paper and of its code', () => {
  // entropy in nats, trials by the paper's listing, trials by its code
  for (const [entropy, paper, code] of [
    [0, 1, 1],
    [0.15, 1, 1],
    [0.175, 1, 1],
    [0.176, 1, 2],
    [0.3, 1, 2],
    [0.307, 1, 2],
    [0.309, 2, 2],
    [0.5, 3, 3],
    [0.75, 4, 5],
    [1, 6, 6],
    [1.25, 8, 8],
    [1.4, 9, 9],
    [1.5, 10, 10],
    [7, 10, 10],
  ]) {
    assert.equal(trialCount(entropy, { ...DEFAULTS, formula: 'paper' }), paper, `paper ${entropy}`);
    assert.equal(trialCount(entropy, { ...DEFAULTS, formula: 'code' }), code, `code ${entropy}`);
  }
  for (const formula of ['code', 'paper']) {
    assert.equal(trialCount(0, { ...DEFAULTS, formula, n_min: 3 }), 3);
    assert.equal(trialCount(9, { ...DEFAULTS, formula, n_max: 1 }), 1);
    assert.equal(trialCount(9, { ...DEFAULTS, formula, h_max: 1e6 }), 1);
  }
});

test('perplexity, and the sample of a trial', () => {
  assert.ok(Math.abs(perplexityOf([Math.log(0.5), Math.log(0.125)]) - 4) < 1e-12);
  const samples = [0, 1, 2, 2 ** 32 - 1].flatMap((sample_index) =>
    Array.from({ length: 64 }, (_, trial) => trialSample(sample_index, trial)),
  );
  assert.equal(new Set(samples).size, samples.length);
  assert.ok(samples.every((sample) => Number.isInteger(sample) && sample < 2 ** 32));
  assert.equal(trialSample(7, 0), 7);
  assert.equal(trialSample(7, 1), (7 + 2654435761) % 2 ** 32);
});

for (const sampler of [{}, { temperature: 0 }, { temperature: 1.2, mirostat: 2 }]) {
  test(`with one trial it is the plain generation: ${JSON.stringify(sampler)}`, async () => {
    const options = { ...sampler, max_tokens: 20 };
    const expected = await generated(options);
    for (const method of [
      { name: 'cntp', n_max: 1 },
      { name: 'cntp', h_max: 1e6 },
      { name: 'cntp', h_max: 1e6, formula: 'paper' },
    ]) {
      const { session, steps } = await generated({ ...options, method });
      assert.deepEqual(steps.map(plain), expected.steps);
      assert.deepEqual(session.tokens, expected.session.tokens);
      assert.ok(
        steps.every(({ method: { n_trials, trials } }) => n_trials === 1 && !trials.length),
      );
      assert.equal(steps.at(-1).method.spent_tokens, 20);
    }
  });
}

for (const [name, options] of Object.entries({
  sampled: {},
  'temperature 1.2 and top_k 20, sample 5': { temperature: 1.2, top_k: 20, sample_index: 5 },
  greedy: { temperature: 0 },
  mirostat: { mirostat: 2 },
})) {
  test(`every trial is a plain generation of its sample, and the best wins: ${name}`, async () => {
    const { steps } = await generated({ ...options, max_tokens: 30, method: cntp });
    const prompt = await model.tokenize(PROMPT);
    const segments = segmentsOf(steps, prompt);
    assert.ok(segments.length > 1);
    const drawing = {
      ...options,
      temperature: options.temperature || (name === 'greedy' ? 1 : 0.8),
    };
    let spent = 0;
    for (const { step, before, at } of segments) {
      const { entropy, n_trials, trials, winner } = step.method;
      // mirostat's state comes with the tokens: only a fork of a generation has it
      const base = model.createSession({ seed: 3 });
      if (name !== 'mirostat') {
        await base.sync(before);
        const { entropy_final } = await base.stageTable(drawing);
        assert.ok(Math.abs(entropy_final - entropy) < 1e-12);
        assert.equal(n_trials, trialCount(entropy, { ...DEFAULTS, formula: 'code', n_max: 4 }));
      }
      assert.equal(trials.length, n_trials);
      spent += trials.reduce((n, { tokens }) => n + tokens.length, 0);
      for (const [i, { sample_index, tokens, text, perplexity, ended }] of trials.entries()) {
        assert.equal(sample_index, trialSample(options.sample_index ?? 0, i));
        assert.equal(
          text,
          (await model.detokenize([...before, ...tokens])).slice(
            (await model.detokenize(before)).length,
          ),
        );
        const texts = await Promise.all(tokens.map((token) => model.tokenText(token)));
        const marks = texts.map((each) => MARKS.includes(each.replaceAll(' ', '')));
        assert.equal(marks.indexOf(true), ended === 'punctuation' ? tokens.length - 1 : -1);
        if (name === 'mirostat') continue;
        const fork = await base.fork();
        const own = { ...drawing, sample_index, max_tokens: tokens.length };
        const alone = await collect(fork.generate(undefined, own));
        assert.deepEqual(tokensOf(alone), tokens);
        const finals = alone.map(
          ({ token, trace }) => trace.candidates.find((one) => one.token === token).p_final,
        );
        const log = finals.reduce((sum, p) => sum + Math.log(p), 0);
        assert.ok(Math.abs(perplexity - Math.exp(-log / tokens.length)) < 1e-9);
        if (i === winner) assert.deepEqual(steps.slice(at, at + tokens.length).map(plain), alone);
        await fork.dispose();
      }
      const best = Math.min(...trials.map(({ perplexity }) => perplexity));
      assert.equal(
        trials.findIndex(({ perplexity }) => perplexity === best),
        winner,
      );
      const segment = steps.slice(at, at + trials[winner].tokens.length);
      assert.deepEqual(tokensOf(segment), trials[winner].tokens);
      for (const [index, { method }] of segment.entries())
        assert.deepEqual(method, { ...step.method, index });
      await base.dispose();
    }
    const alone = steps.filter(({ method }) => method.n_trials === 1).length;
    assert.equal(steps.at(-1).method.spent_tokens, spent + alone);
    assert.equal(steps.length, 30);
  });
}

test("score 'raw' is the perplexity of the model's own probabilities", async () => {
  const { steps } = await generated({ max_tokens: 16, method: { ...cntp, score: 'raw' } });
  const prompt = await model.tokenize(PROMPT);
  const segments = segmentsOf(steps, prompt);
  assert.ok(segments.length > 0);
  for (const { step, before } of segments) {
    for (const { tokens, perplexity } of step.method.trials) {
      const scores = await model.score([...before, ...tokens]);
      const own = scores.slice(-tokens.length).map(({ logprob }) => logprob);
      const expected = Math.exp(-own.reduce((sum, x) => sum + x, 0) / own.length);
      assert.ok(Math.abs(perplexity - expected) < 1e-6 * expected, `${perplexity} ${expected}`);
    }
  }
});

test("match 'id' ends a trial at the first token of a mark", async () => {
  const ids = await Promise.all(MARKS.map((mark) => model.tokenize(mark, { add_special: false })));
  const first = new Set(ids.map(([id]) => id));
  // in this vocabulary the first token of most marks is a space, which is rarely drawn
  const logit_bias = Object.fromEntries([...first].map((id) => [id, 6]));
  const method = { ...cntp, match: 'id' };
  const { steps } = await generated({ max_tokens: 30, logit_bias, method });
  const trials = steps.flatMap(({ method }) => method.trials);
  assert.ok(trials.some(({ ended }) => ended === 'punctuation'));
  for (const { tokens, ended } of trials) {
    const index = tokens.findIndex((token) => first.has(token));
    assert.equal(index, ended === 'punctuation' ? tokens.length - 1 : -1);
  }
});

test('a trial ends at its limit, at max_tokens and where the context is full', async () => {
  const short = await generated({ max_tokens: 12, method: { ...cntp, trial_tokens: 2 } });
  const trials = short.steps.flatMap(({ method }) => method.trials);
  assert.ok(trials.every(({ tokens }) => tokens.length <= 2));
  assert.ok(trials.some(({ ended }) => ended === 'trial_tokens'));
  assert.equal(short.steps.length, 12);
  const one = await generated({ max_tokens: 1, method: cntp });
  assert.equal(one.steps.length, 1);
  assert.ok(one.steps[0].method.trials.every(({ ended }) => ended !== 'context'));
  assert.ok(one.steps[0].method.trials.some(({ ended }) => ended === 'max_tokens'));
  const small = await loadModel('storybook', { worker: false, n_ctx: 24, n_kv: 512 });
  const session = small.createSession({ seed: 1 });
  const steps = await collect(session.generate(PROMPT, { method: cntp, trace: false }));
  assert.equal(session.tokens.length, 24);
  assert.ok(steps.flatMap(({ method }) => method.trials).some(({ ended }) => ended === 'context'));
  await small.dispose();
});

test('after each step the session is as after a plain step; nothing runs twice', async () => {
  const prompt = await model.tokenize(PROMPT);
  const session = model.createSession({ seed: 3 });
  const { decoded_tokens: before } = await model.stats();
  const steps = [];
  for await (const step of session.generate(prompt, { max_tokens: 30, method: cntp })) {
    steps.push(step);
    assert.deepEqual(session.tokens, [...prompt, ...tokensOf(steps)]);
  }
  // each segment runs the token before it (the first one the prompt), and all but the last token
  // of each trial
  const expected = steps
    .filter(({ method }) => method.index === 0)
    .reduce(
      (n, { method }) => n + 1 + method.trials.reduce((m, t) => m + t.tokens.length - 1, 0),
      0,
    );
  const { decoded_tokens } = await model.stats();
  assert.equal(decoded_tokens - before, expected + prompt.length - 1);
});

test('a loop that ends inside a segment leaves the tokens that it had', async () => {
  const prompt = await model.tokenize(PROMPT);
  for (const index of [0, 2]) {
    const session = model.createSession({ seed: 3 });
    const tokens = [...prompt];
    for await (const step of session.generate(prompt, { max_tokens: 60, method: cntp })) {
      tokens.push(step.token);
      const { n_trials, trials, winner } = step.method;
      if (n_trials > 1 && step.method.index === index && trials[winner].tokens.length > index + 2) {
        const { fate, position } = await session.explain(step.token);
        assert.deepEqual([fate.type, position], ['drawn', tokens.length - 1]);
        assert.deepEqual(
          (await session.candidates()).candidates.map(({ logit }) => logit).slice(0, 5),
          [...(await freshLogits(model, tokens))].sort((a, b) => b - a).slice(0, 5),
        );
        break;
      }
    }
    assert.ok(tokens.length < prompt.length + 60);
    assert.deepEqual(session.tokens, tokens);
    assert.deepEqual(await session.logits(), await freshLogits(model, tokens));
    await session.append(tokens[3]);
    await session.rewind(2);
    await session.dispose();
  }
});

test('all trials are freed: after a break, an abort, a return in a step, and an end', async () => {
  const own = await loadModel('storybook', { worker: false, n_ctx: 512, n_kv: 2048 });
  const method = { name: 'cntp', n_min: 16, n_max: 16 };
  const rounds = async () => {
    const session = own.createSession({ seed: 1 });
    const options = { max_tokens: 6, method, trace: false };
    await collect(session.generate(PROMPT, options));
    for await (const _ of session.generate(PROMPT, options)) break;
    const controller = new AbortController();
    const aborted = session.generate(PROMPT, { ...LONG, signal: controller.signal });
    const first = aborted.next();
    await busy(own);
    controller.abort();
    await assert.rejects(first, { name: 'AbortError' });
    const returned = session.generate(PROMPT, LONG);
    const step = returned.next();
    await busy(own);
    await returned.return();
    assert.equal((await step).done, true);
    await session.sync(PROMPT); // idle again
    await session.dispose();
  };
  await rounds();
  const { memory } = await own.stats();
  for (let i = 0; i < 6; i++) await rounds();
  assert.equal((await own.stats()).memory.total, memory.total);
  await own.dispose();
});

test('dispose() of the session ends the trials', async () => {
  const session = model.createSession();
  const steps = session.generate(PROMPT, LONG);
  const step = steps.next();
  await busy(model);
  void session.dispose();
  await assert.rejects(step, { code: 'DISPOSED' });
});

test('what the method cannot do exactly is refused by name, and so are wrong options', async () => {
  const session = model.createSession();
  const refused = async (options, code, message) => {
    await assert.rejects(collect(session.generate(PROMPT, { max_tokens: 2, ...options })), {
      code,
      message,
    });
    assert.deepEqual(session.tokens, []);
  };
  const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= [a-z ]+' });
  await refused({ method: cntp, grammar }, 'OPTION_UNSUPPORTED', /method cntp .*grammar/);
  await refused({ method: cntp, overflow: 'shift' }, 'OPTION_UNSUPPORTED', /overflow/);
  const bad = (method, message) => refused({ method }, 'INVALID_ARGUMENT', message);
  for (const method of [5, null, false, '', []]) await bad(method, /method/);
  await bad({}, /method\.name is undefined.*cntp/);
  await bad({ name: 'cntq' }, /did you mean cntp/);
  await bad({ name: 'cntp', nmax: 3 }, /did you mean n_max/);
  await bad({ name: 'cntp', n_max: 65 }, /method\.n_max is 65; .*1 to 64/);
  await bad({ name: 'cntp', n_min: 5, n_max: 4 }, /method\.n_min is 5/);
  await bad({ name: 'cntp', h_max: 0.01 }, /method\.h_max is 0\.01/);
  // a list of allowed tokens is the same in every trial
  const bits = new Int32Array(Math.ceil(model.info.n_vocab / 32)).fill(-1);
  const all = await collect(
    session.generate(PROMPT, { max_tokens: 8, method: cntp, grammar: bits }),
  );
  assert.equal(all.length, 8);
});

test('a worker gives the same', async () => {
  const remote = await loadModel('storybook', { n_ctx: 512, n_kv: 2048 });
  const session = remote.createSession({ seed: 3 });
  const options = { max_tokens: 20, method: cntp };
  const steps = await collect(session.generate(PROMPT, options));
  assert.deepEqual(steps, (await generated(options)).steps);
  await remote.dispose();
});
