// Voting: counts and curves on lists made by hand, and votes on the built-in model against plain
// generations.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countSessions } from '../support/few-tokens.mjs';
import { moduleOf } from '../support/module.mjs';
import { collect, tokensOf, withModel } from '../support/support.mjs';
import { chatModel } from '../support/tiny-llama.mjs';

const { bestOfCurve, countVotes, solutionEquivalents, voteCurve, winnerOf } =
  await moduleOf('methods/vote-count.ts');
const { answerFinder } = await moduleOf('methods/answers.ts');
const { continuationsInCache } = await moduleOf('types/capacity.ts');
const { meanScore, verdictIn } = await moduleOf('methods/vote-verifier.ts');

const votes = (...pairs) =>
  pairs.map(([answer, score = 1, correct]) => ({ answer, score, correct }));
const near = (a, b, limit = 1e-12) => assert.ok(Math.abs(a - b) < limit, `${a} is not ${b}`);
const built = (use) => withModel('storybook', { worker: false }, use);

test('majority, weighted and best of hand-made lists', () => {
  const list = votes(['7', 0.9], ['5', 0.5], [undefined, 1], ['5', 0.3], ['', 1], ['9', 0.85]);
  const of = (mode) =>
    countVotes(list, mode).map(({ answer, count, weight }) => [answer, count, weight]);
  assert.deepEqual(of('majority'), [
    ['5', 2, 2],
    ['7', 1, 1],
    ['9', 1, 1],
  ]);
  assert.deepEqual(of('weighted'), [
    ['7', 1, 0.9],
    ['9', 1, 0.85],
    ['5', 2, 0.8],
  ]);
  assert.deepEqual(of('best'), [
    ['7', 1, 0.9],
    ['9', 1, 0.85],
    ['5', 2, 0.5],
  ]);
  assert.deepEqual([winnerOf(list, 'majority'), winnerOf(list, 'best')], [1, 0]);
  // of equal weights the first; all scores 1 is the majority; best is the text with the best score
  assert.equal(winnerOf(votes(['a'], ['b'], ['b'], ['a']), 'majority'), 0);
  assert.equal(winnerOf(votes(['a', 0], ['b', 0], ['b', 0]), 'weighted'), 0);
  assert.equal(winnerOf(votes(['a', 0.1], ['b', 0.2], ['a', 0.7]), 'best'), 2);
  assert.deepEqual(
    countVotes(votes(['x'], ['y'], ['x']), 'weighted'),
    countVotes(votes(['x'], ['y'], ['x']), 'majority'),
  );
  assert.equal(winnerOf(votes([undefined], ['']), 'majority'), -1);
  assert.equal(winnerOf([], 'best'), -1);
  assert.deepEqual([solutionEquivalents(8, 8, 1), solutionEquivalents(16, 16, 2)], [72, 528]);
  assert.equal(solutionEquivalents(8, 0, 1), 8);
});

test('the curve of best-of-k is the mean over all subsets', () => {
  const list = votes(
    ['a', 0.9, false],
    ['b', 0.8, true],
    ['c', 0.5, true],
    ['d', 0.2, false],
    ['e', 0.1, true],
  );
  const curve = bestOfCurve(list, 1);
  for (let k = 1; k <= 5; k++) {
    let [right, subsets] = [0, 0];
    for (let bits = 0; bits < 32; bits++) {
      const subset = list.filter((_, i) => (bits >> i) & 1);
      if (subset.length !== k) continue;
      subsets++;
      if (subset.reduce((a, b) => (b.score > a.score ? b : a)).correct) right++;
    }
    near(curve[k - 1], right / subsets);
  }
  // equal scores come in random order: one right vote of four is found in 1 of 4 orders
  const ties = votes(['a', 1, true], ['b', 1, false], ['c', 1, false], ['d', 1, false]);
  for (const value of bestOfCurve(ties, 7)) near(value, 0.25, 0.15);
  assert.deepEqual(bestOfCurve(ties, 7), bestOfCurve(ties, 7));
  assert.notDeepEqual(bestOfCurve(ties, 7), bestOfCurve(ties, 8));
  assert.deepEqual(bestOfCurve([], 1), []);
});

test('the curve of a vote over random subsets', () => {
  const right = (answer) => [answer, 1, answer === '4'];
  const list = votes(...['4', '4', '5', '4', '6', undefined, '4'].map(right));
  const curve = voteCurve(list, 'majority', 3);
  assert.equal(curve.length, 7);
  near(curve[0], 4 / 7, 0.3);
  assert.equal(curve[6], 1);
  assert.deepEqual(curve, voteCurve(list, 'majority', 3));
  assert.deepEqual(voteCurve(votes(['1', 1, false], ['1', 1, false]), 'majority', 1), [0, 0]);
  const weighted = votes(['1', 0.2, false], ['1', 0.2, false], ['2', 0.9, true]);
  assert.equal(voteCurve(weighted, 'weighted', 1)[2], 1);
  assert.equal(voteCurve(weighted, 'majority', 1)[2], 0);
});

test('answers in texts', async () => {
  for (const [extract, text, answer] of [
    ['number', 'It costs $1,234.50, so 7 and -8.00', '-8'],
    ['number', 'in all 1,234.50', '1234.5'],
    ['number', '007', '7'],
    ['number', '-0.0', '0'],
    ['number', '.5', '0.5'],
    ['number', '3.14.', '3.14'],
    ['number', '12345678901234567890', '12345678901234567890'],
    ['number', 'none', undefined],
    ['letter', 'A cat. The answer is (C).', 'C'],
    ['letter', 'CAB', undefined],
    ['line', 'one\n two  words \n\n', 'two words'],
    ['text', '  a \n b ', 'a b'],
    ['text', ' ', undefined],
    [/answer is (\w+)/, 'answer is x. The answer is y.', 'y'],
    [/\d/y, 'a 1 b 2', '2'],
    [/\d/, 'none', undefined],
    [(text) => text.at(0), 'xyz', 'x'],
    [async () => undefined, 'xyz', undefined],
  ])
    assert.equal(await answerFinder(extract, undefined)(text), answer, `${extract}: ${text}`);
  assert.equal(await answerFinder('text', (text) => text.toUpperCase())('abc'), 'ABC');
});

test('verdicts and their mean', () => {
  const words = { yes: 'yes', no: 'no' };
  assert.deepEqual(verdictIn('No, wait: YES.', words), { index: 10, isYes: true });
  assert.deepEqual(verdictIn('yes at first, but no', words), { index: 18, isYes: false });
  assert.equal(verdictIn('nothing, eyes, yesterday', words), undefined);
  assert.deepEqual(verdictIn('ok (c++)', { yes: 'c++', no: 'ok' }), { index: 4, isYes: true });
  assert.equal(meanScore([{ score: 1 }, { score: undefined }, { score: 0.5 }]), 0.75);
  assert.equal(meanScore([{ score: undefined }]), 0);
});

test('one answer is a plain generation, and answer i the one with sample_index i', () =>
  built(async (model) => {
    const options = { max_tokens: 9, seed: 4 };
    const one = await model.vote('The fox said', { ...options, n: 1 });
    const many = await model.vote('The fox said', { ...options, n: 5 });
    assert.deepEqual(one.answers[0], many.answers[0]);
    assert.equal(one.winner, one.text.trim());
    for (const { sample_index, tokens, text } of many.answers) {
      const session = model.createSession({ seed: 4 });
      const steps = await collect(
        session.generate('The fox said', { max_tokens: 9, temperature: 0.7, sample_index }),
      );
      assert.deepEqual(tokens, tokensOf(steps));
      assert.equal(text, steps.map((step) => step.text).join(''));
      await session.dispose();
    }
    assert.ok(new Set(many.answers.map(({ text }) => text)).size > 1);
    const cold = await model.vote('The fox said', { n: 3, temperature: 0, max_tokens: 6 });
    assert.deepEqual(cold.histogram, [{ answer: cold.winner, count: 3, weight: 3 }]);
    const { cost } = many;
    assert.equal(cost.prompt_tokens, (await model.tokenize('The fox said')).length);
    assert.equal(
      cost.answer_tokens,
      many.answers.reduce((n, { tokens }) => n + tokens.length, 0),
    );
    assert.deepEqual([cost.lambda, cost.solution_equivalents], [0, 5]);
    // more answers than the cache holds at the same time
    const long = await model.vote('Once', { n: 6, max_tokens: 120, seed: 1, top_k: 5 });
    const again = await model.vote('Once', { n: 6, max_tokens: 120, seed: 1, top_k: 5 });
    assert.deepEqual(long, again);
  }));

test('a function scores the solutions, and each answer is reported', () =>
  built(async (model) => {
    const events = [];
    const seen = [];
    const options = { n: 6, max_tokens: 4, seed: 2, extract: /[a-z]+/i };
    const result = await model.vote('Lily saw a big', {
      ...options,
      on_answer: ({ answer, done, n }) => events.push([answer.sample_index, done, n]),
      verifier: (solution) => {
        seen.push(solution);
        return solution.answer.length / 100;
      },
    });
    assert.deepEqual(events.map(([index]) => index).sort(), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(
      events.map(([, done, n]) => `${done} of ${n}`),
      [1, 2, 3, 4, 5, 6].map((i) => `${i} of 6`),
    );
    assert.ok(seen.every(({ question }) => question === 'Lily saw a big'));
    for (const { answer, score } of result.answers) assert.equal(score, answer.length / 100);
    const sums = new Map();
    for (const { answer, score } of result.answers)
      sums.set(answer, (sums.get(answer) ?? 0) + score);
    near(result.histogram[0].weight, Math.max(...sums.values()));
    const best = await model.vote('Lily saw a big', {
      ...options,
      mode: 'best',
      verifier: ({ text }) => text.length / 1000,
    });
    assert.equal(best.text.length, Math.max(...best.answers.map(({ text }) => text.length)));
    const invalid = await model.vote('Lily saw a big', { ...options, extract: () => undefined });
    assert.deepEqual([invalid.winner, invalid.text, invalid.histogram], [undefined, undefined, []]);
  }));

test('the model verifies by a word or by its probability', () =>
  built(async (model) => {
    // words that the stories have
    const words = { yes: 'the', no: 'a' };
    const asked = [];
    const prompt = ({ text }) => {
      asked.push(text);
      return `Tom went to the park and saw${text}. He`;
    };
    const options = { n: 3, max_tokens: 3, seed: 5 };
    const verifier = { ...words, n: 3, max_tokens: 12, prompt };
    const run = (score) => model.vote('a', { ...options, verifier: { ...verifier, score } });
    const [verdict, probability, hybrid] = [
      await run('verdict'),
      await run('probability'),
      await run('hybrid'),
    ];
    assert.equal(asked.length, 9);
    let [n_words, n_probabilities] = [0, 0];
    for (const [i, answer] of verdict.answers.entries()) {
      assert.equal(answer.score, meanScore(answer.verifications));
      for (const [chain, { text, n_tokens, score }] of answer.verifications.entries()) {
        // the same text by a plain generation
        const session = model.createSession({ seed: 5 });
        const sample_index = 3 * i + chain;
        const first = prompt(answer);
        const steps = await collect(
          session.generate(first, { temperature: 0.7, max_tokens: 12, sample_index }),
        );
        assert.equal(text, steps.map((step) => step.text).join(''));
        assert.equal(n_tokens, steps.length);
        const last = text
          .match(/\b(the|a)\b/gi)
          ?.at(-1)
          .toLowerCase();
        assert.equal(score, { the: 1, a: 0 }[last]);
        if (last) n_words++;
        const exact = probability.answers[i].verifications[chain];
        assert.equal(exact.text, text);
        assert.equal(hybrid.answers[i].verifications[chain].score, exact.score ?? score);
        if (exact.score === undefined) continue;
        n_probabilities++;
        const place = steps.findLastIndex((step) => /^\W*(the|a)\W*$/i.test(step.text));
        await session.rewind(session.tokens.length - steps.length + place);
        const { candidates } = await session.candidates({ top_n: model.info.n_vocab });
        const yes = candidates.filter((each) => each.text.trim().toLowerCase() === 'the');
        near(
          exact.score,
          yes.reduce((sum, { p }) => sum + p, 0),
          1e-9,
        );
        await session.dispose();
      }
    }
    assert.ok(n_words > 3 && n_probabilities > 3, `${n_words} ${n_probabilities}`);
    const { cost } = verdict;
    const verifications = verdict.answers.flatMap((answer) => answer.verifications);
    assert.equal(
      cost.verification_tokens,
      verifications.reduce((n, { n_tokens }) => n + n_tokens, 0),
    );
    near(cost.lambda, cost.verification_tokens / 9 / (cost.answer_tokens / 3));
    near(cost.solution_equivalents, 3 * (1 + cost.lambda * 3));
    assert.ok(cost.verifier_prompt_tokens > 3 * 8);
    // the prompt of the package shows question and solution
    const texts = [];
    const original = model.tokenize;
    model.tokenize = (text, ...rest) => {
      texts.push(text);
      return original.call(model, text, ...rest);
    };
    await model.vote('What is red?', { n: 1, max_tokens: 3, verifier: { max_tokens: 2 } });
    delete model.tokenize;
    assert.match(
      texts.at(-1),
      /Question:\nWhat is red\?\n\nSolution:\n[^]+step by step[^]+yes or no/,
    );
  }));

test('a conversation is a prompt for a model with a chat template', () => {
  const template = "{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}\n{% endfor %}";
  return withModel(chatModel(template), { worker: false, n_ctx: 64 }, async (model) => {
    const messages = [{ role: 'user', content: 'the an' }];
    const { ids } = await model.applyChatTemplate(messages);
    const options = { n: 2, max_tokens: 5, seed: 1 };
    const chat = await model.vote(messages, options);
    assert.deepEqual(chat, await model.vote(ids, options));
    const questions = [];
    const verifier = ({ question }) => questions.push(question) && 1;
    await model.vote(messages, { ...options, verifier });
    await model.vote([{ role: 'user', content: [{ type: 'text', text: 'an' }] }], {
      ...options,
      verifier,
    });
    assert.deepEqual([...new Set(questions)], ['the an', 'an']);
  });
});

test('wrong options are refused by name, and sessions are freed', () =>
  built(async (model) => {
    const refused = (options, message, code = 'INVALID_ARGUMENT') =>
      assert.rejects(model.vote('The', { max_tokens: 2, n: 2, ...options }), { code, message });
    await refused({ count: 2 }, /vote has no option "count"/);
    await refused({ n: 0 }, /n is 0/);
    await refused({ max_tokens: 0 }, /max_tokens is 0/);
    await refused({ extract: 'numbers' }, /extract is "numbers"; did you mean number/);
    await refused({ extract: () => 5 }, /extract gives 5/);
    await refused({ canonical: 'x' }, /canonical is "x"/);
    await refused({ canonical: () => 5 }, /canonical gives 5/);
    await refused({ mode: 'all' }, /mode is "all"/);
    await refused({ mode: 'best' }, /mode 'best' needs a verifier/);
    await refused({ on_answer: 5 }, /on_answer is 5/);
    await refused({ verifier: () => 2 }, /verifier gives 2/);
    await refused({ verifier: { V: 2 } }, /vote \(verifier\) has no option "V"/);
    await refused({ verifier: { n: 0 } }, /verifier.n is 0/);
    await refused({ verifier: { yes: 'ok', no: 'OK' } }, /two different words/);
    await refused({ verifier: { score: 'p' } }, /verifier.score is "p"/);
    await refused({ verifier: { temperature: -1 } }, /verifier.temperature is -1/);
    await refused({ verifier: { prompt: 'x' } }, /verifier.prompt is "x"/);
    await refused({ temperature: -1 }, /temperature is -1/);
    await refused({ top_p: 2 }, /top_p is 2/, 'SAMPLER_BAD_OPTION');
    const stop = new AbortController();
    const failing = [
      { verifier: () => Promise.reject(new Error('no verdict')) },
      // the listener aborts and never answers
      { on_answer: () => (stop.abort(), new Promise(() => undefined)), signal: stop.signal },
      { verifier: { max_tokens: 3, prompt: () => 'The' }, temperature: 1 },
    ];
    for (const [i, options] of failing.entries()) {
      const { made, disposed } = await countSessions(model, async () => {
        const run = model.vote('The', { max_tokens: 3, n: 4, ...options });
        if (i === 0) await assert.rejects(run, /no verdict/);
        else if (i === 1) await assert.rejects(run, { name: 'AbortError' });
        else await run;
      });
      assert.ok(made > 2 && made === disposed, `${made} made, ${disposed} disposed`);
    }
  }));

test('as many continuations run at the same time as the cache and its states allow', () => {
  for (const [n_kv, n_ctx, n_states, n_prompt, max_tokens, n] of [
    [512, 256, 0, 8, 64, 5], // 16 pages, 1 for the prompt, 3 for each
    [512, 256, 0, 8, 8, 15],
    [512, 256, 0, 64, 32, 13], // 2 full pages are shared
    [512, 256, 0, 250, 1000, 8], // the context ends them
    [256, 256, 0, 200, 56, 1],
    [256, 256, 0, 256, 1, 1],
    [512, 256, 9, 8, 8, 4], // 1 state for the prompt, 2 for each
    [512, 256, 9, 8, 128, 3], // the pages allow fewer than the states
    [512, 256, 2, 8, 8, 1],
  ])
    assert.equal(continuationsInCache({ n_kv, n_ctx, n_states }, n_prompt, max_tokens), n);
});
