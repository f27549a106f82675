// Beam search against all texts of models with six tokens, its reductions to plain beam search and
// to greedy generation, and each condition.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../support/gguf-writer.mjs';
import { FEW, countSessions, fewTokens } from '../support/few-tokens.mjs';
import { moduleOf } from '../support/module.mjs';
import { greedy, withModel } from '../support/support.mjs';

const { SuffixAutomaton } = await moduleOf('methods/suffix-automaton.ts');

const END = 2;
const PROMPT = [1, 3, 4, 3];
const TOKENS = FEW.map((_, i) => i).filter((i) => i !== END);
const near = (a, b) => Math.abs(a - b) < 1e-5;

function logSoftmax(logits) {
  const max = Math.max(...logits);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - max), 0);
  return Array.from(logits, (logit) => logit - max - Math.log(sum));
}

/** All texts of up to `most` tokens, each with its end token: [{ tokens, logprob }], best first. */
async function everyText(model, most, withEnd = true) {
  const session = model.createSession();
  await session.sync(PROMPT);
  const all = [];
  const visit = async (tokens, logprob) => {
    if (!withEnd && tokens.length === most) {
      all.push({ tokens, logprob });
      return;
    }
    const next = logSoftmax(await session.logits());
    if (withEnd) all.push({ tokens: [...tokens, END], logprob: logprob + next[END] });
    if (tokens.length === most) return;
    for (const token of TOKENS) {
      await session.append(token);
      await visit([...tokens, token], logprob + next[token]);
      await session.rewind(PROMPT.length + tokens.length);
    }
  };
  await visit([], 0);
  await session.dispose();
  return all.sort((a, b) => b.logprob - a.logprob);
}

function same(found, expected, what) {
  assert.deepEqual(
    found.map(({ tokens }) => tokens),
    expected.map(({ tokens }) => tokens),
    what,
  );
  for (const [i, { logprob }] of found.entries())
    assert.ok(near(logprob, expected[i].logprob), what);
}

async function withFew(seed, use) {
  const model = await fewTokens(seed);
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
}

const textOf = (tokens) => tokens.map((token) => (token < 3 ? '' : FEW[token])).join('');
const before = (tokens) => tokens.filter((token) => token !== END);
const repeats = (tokens, n) => {
  const grams = tokens.slice(n - 1).map((_, i) => tokens.slice(i, i + n).join());
  return new Set(grams).size < grams.length;
};
const copies = (tokens, m) => {
  const inPrompt = PROMPT.slice(m - 1).map((_, i) => PROMPT.slice(i, i + m).join());
  return tokens.slice(m - 1).some((_, i) => inPrompt.includes(tokens.slice(i, i + m).join()));
};

/** Conditions with what they say about a text's tokens, without the end token. */
const CONDITIONS = [
  [{ type: 'non_empty' }, (tokens) => tokens.length > 0],
  [{ type: 'length', n: 0 }, (tokens) => tokens.length === 0],
  [{ type: 'length', n: 3 }, (tokens) => tokens.length === 3],
  [{ type: 'no_repeat', n: 1 }, (tokens) => !repeats(tokens, 1)],
  [{ type: 'no_copy', m: 2 }, (tokens) => !copies(tokens, 2)],
  [{ type: 'contains', text: 'ab' }, (tokens) => textOf(tokens).includes('ab')],
  [
    { type: 'grammar', grammar: { type: 'ebnf', grammar: 'root ::= ("a" | "c") "b"*' } },
    (tokens) => /^[ac]b*$/.test(textOf(tokens)) && textOf(tokens).length === tokens.length,
  ],
  [
    { prefix: () => -0.25, complete: (tokens, text) => tokens.length === 2 && !text.includes('b') },
    (tokens) => tokens.length === 2 && !tokens.includes(4),
  ],
  [
    [
      { type: 'length', n: 4 },
      { type: 'no_repeat', n: 2 },
      { type: 'contains', text: 'c' },
    ],
    (tokens) => tokens.length === 4 && !repeats(tokens, 2) && tokens.includes(5),
  ],
];

test('the exact search and a search with very many beams find the best of all texts', async () => {
  const n_texts = { 3: 156, 4: 781 };
  for (const [seed, most] of [
    [1, 4],
    [2, 3],
  ])
    await withFew(seed, async (model) => {
      const all = await everyText(model, most);
      assert.equal(all.length, n_texts[most]);
      const plain = { max_tokens: most + 1, top_k: FEW.length };
      for (const exact of most === 4 ? [true] : [true, false]) {
        const { hypotheses } = await model.beamSearch(PROMPT, { ...plain, exact, beams: 800 });
        const finished = hypotheses.filter((each) => each.finished);
        same(finished, all, `seed ${seed}, exact ${exact}`);
      }
      for (const [condition, fits] of CONDITIONS) {
        if (condition[0]?.n > most) continue;
        const expected = all.filter(({ tokens }) => fits(before(tokens)));
        assert.ok(expected.length > 0 && expected.length < all.length);
        const what = `seed ${seed}: ${JSON.stringify(condition)}`;
        const options = { ...plain, condition };
        for (const beams of [1, 5]) {
          const { hypotheses } = await model.beamSearch(PROMPT, { ...options, exact: true, beams });
          same(hypotheses, expected.slice(0, beams), what);
        }
        if (most === 4) continue;
        const { hypotheses } = await model.beamSearch(PROMPT, { ...options, beams: 800 });
        const finished = hypotheses.filter((each) => each.finished);
        same(finished, expected, `${what}, beams`);
        for (const { condition_logprob, logprob, score } of finished) {
          assert.equal(condition_logprob, 0);
          assert.equal(score, logprob);
        }
      }
    });
});

test('the most probable text of six tokens', () =>
  withFew(4, async (model) => {
    const all = await everyText(model, 6, false);
    assert.equal(all.length, 5 ** 6);
    const condition = { type: 'length', n: 6, end: false };
    const { hypotheses, n_distributions } = await model.beamSearch(PROMPT, {
      condition,
      exact: true,
    });
    same(hypotheses, all.slice(0, 5), 'exact');
    assert.ok(n_distributions < 3906, 'the search leaves beginnings that are not probable enough');
    const beams = await model.beamSearch(PROMPT, { condition, beams: 100 });
    same(beams.hypotheses.slice(0, 1), all.slice(0, 1), 'beams');
    for (const { finished, text } of hypotheses) assert.ok(finished && text.length <= 6);
    await assert.rejects(
      model.beamSearch(PROMPT, { condition, exact: true, max_nodes: n_distributions - 1 }),
      { code: 'INVALID_ARGUMENT', message: /max_nodes is \d+, and the exact search needs more/ },
    );
  }));

test('weight 0 is plain beam search, and contrast gives both', async () => {
  for (const seed of [1, 5])
    await withFew(seed, async (model) => {
      const options = { beams: 3, max_tokens: 5 };
      const plain = await model.beamSearch(PROMPT, options);
      for (const [condition, fits] of CONDITIONS) {
        const zero = await model.beamSearch(PROMPT, { ...options, condition, weight: 0 });
        const both = await model.beamSearch(PROMPT, { ...options, condition, contrast: true });
        const alone = await model.beamSearch(PROMPT, { ...options, condition });
        assert.deepEqual(both.unconditional, zero.hypotheses);
        assert.deepEqual(both.hypotheses, alone.hypotheses);
        assert.equal(alone.unconditional, undefined);
        for (const [i, hypothesis] of zero.hypotheses.entries()) {
          const { condition_logprob, ...rest } = hypothesis;
          const { condition_logprob: none, ...expected } = plain.hypotheses[i];
          assert.equal(none, 0);
          assert.deepEqual(rest, expected);
          assert.equal(hypothesis.score, hypothesis.logprob);
          if (hypothesis.finished)
            assert.equal(condition_logprob, fits(before(hypothesis.tokens)) ? 0 : -Infinity);
        }
      }
    });
});

test('an unfinished text that breaks the condition is reported as impossible', () =>
  withFew(1, async (model) => {
    const condition = { type: 'no_repeat', n: 1 };
    const options = { condition, weight: 0, beams: 40, max_tokens: 4 };
    const { hypotheses } = await model.beamSearch(PROMPT, options);
    const open = hypotheses.filter(({ finished }) => !finished);
    assert.ok(open.length > 3);
    for (const { tokens, condition_logprob } of open)
      assert.equal(condition_logprob, repeats(tokens, 1) ? -Infinity : 0);
  }));

test('one beam is greedy generation', async () => {
  const built = async (model) => {
    for (const prompt of ['Once upon a time', 'The sun', 'Zebra 17 said:']) {
      const { hypotheses } = await model.beamSearch(prompt, { beams: 1, max_tokens: 12 });
      assert.equal(hypotheses.length, 1);
      assert.deepEqual(hypotheses[0].tokens, await greedy(model, prompt));
    }
  };
  await withModel('storybook', {}, built);
  for (const seed of [1, 2, 3, 4, 5, 6])
    await withFew(seed, async (model) => {
      const { hypotheses } = await model.beamSearch(PROMPT, { beams: 1, max_tokens: 12 });
      assert.deepEqual(hypotheses[0].tokens, await greedy(model, PROMPT));
    });
});

test('log-probabilities are those of the model, or those after the stages of a sampler', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const prompt = await model.tokenize('The old man opened the door and');
    const scored = async (tokens) =>
      (await model.score([...prompt, ...tokens]))
        .slice(prompt.length)
        .reduce((sum, { logprob }) => sum + logprob, 0);
    const { hypotheses } = await model.beamSearch(prompt, { beams: 3, max_tokens: 6 });
    assert.equal(hypotheses.length, 3);
    for (const { tokens, logprob, text } of hypotheses) {
      assert.ok(Math.abs(logprob - (await scored(tokens))) < 1e-4);
      assert.equal(
        text,
        await model
          .detokenize([...prompt, ...tokens])
          .then((whole) => whole.slice('The old man opened the door and'.length)),
      );
    }
    for (let i = 1; i < 3; i++) assert.ok(hypotheses[i - 1].logprob >= hypotheses[i].logprob);

    const sampler = { temperature: 0.7, top_k: 4, samplers: ['top_k', 'temperature'] };
    for (const condition of [undefined, { type: 'length', n: 3, end: false }]) {
      const options = { sampler, beams: 3, max_tokens: 3, ...(condition && { condition }) };
      const sampled = await model.beamSearch(prompt, options);
      assert.equal(sampled.hypotheses.length, 3);
      for (const { tokens, logprob } of sampled.hypotheses) {
        const session = model.createSession();
        let sum = 0;
        for (const [i, token] of tokens.entries()) {
          await session.sync([...prompt, ...tokens.slice(0, i)]);
          const { candidates } = await session.candidates({ ...sampler, top_n: 4 });
          sum += Math.log(candidates.find((each) => each.token === token).p_final);
        }
        assert.ok(near(sum, logprob));
      }
    }
  }));

test('conditions hold on the built-in model', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const prompt = 'Lily had a red ball. She liked to play with the ball.';
    const search = async (condition, options) =>
      (await model.beamSearch(prompt, { beams: 3, max_tokens: 16, condition, ...options }))
        .hypotheses;
    const length = await search({ type: 'length', n: 7 });
    for (const { tokens, finished, condition_logprob } of length) {
      assert.ok(finished && tokens.length === 8 && tokens.at(-1) === model.info.eos);
      assert.equal(condition_logprob, 0);
    }
    for (const { tokens } of await search({ type: 'no_repeat', n: 1 }))
      assert.equal(new Set(tokens).size, tokens.length);
    const ids = (await model.tokenize(prompt)).join();
    for (const { tokens } of await search({ type: 'no_copy', m: 2 }))
      assert.ok(
        !tokens.slice(1).some((_, i) => `,${ids},`.includes(`,${tokens[i]},${tokens[i + 1]},`)),
      );
    const contains = await search({ type: 'contains', text: 'mom', probability: 0.001 });
    assert.match(contains[0].text, /mom/);
    assert.doesNotMatch((await search(undefined))[0].text, /mom/);
    const grammar = await model.createGrammar({
      type: 'ebnf',
      grammar: 'root ::= " " ("yes" | "no")',
    });
    const answers = await search({ type: 'grammar', grammar }, { beams: 6 });
    assert.equal(answers.length, 6);
    for (const { text, finished } of answers) assert.ok(finished && /^ (yes|no)$/.test(text), text);
    const { n_vocab } = model.info;
    // a grammar of the caller's: the token 300 three times
    const own = {
      begin: () => {
        let left = 3;
        const bits = new Int32Array((n_vocab + 31) >> 5);
        return {
          allowed: () => {
            bits[300 >> 5] = left > 0 ? 1 << (300 & 31) : 0;
            return bits;
          },
          accept: () => void left--,
          get ended() {
            return left === 0;
          },
        };
      },
    };
    const three = await search({ type: 'grammar', grammar: own });
    assert.deepEqual(
      three.map(({ tokens, finished }) => [tokens, finished]),
      [[[300, 300, 300], true]],
    );
    // all beams of a step are forks; every session is freed, after an error and an abort, too
    const stop = new AbortController();
    for (const condition of [undefined, { prefix: () => 1, complete: () => true }, 'abort']) {
      const { made, disposed } = await countSessions(model, async () => {
        const abort = {
          prefix: (tokens) => {
            if (tokens.length === 3) stop.abort();
            return 0;
          },
          complete: () => true,
        };
        const options = condition === 'abort' ? { signal: stop.signal } : {};
        const run = search(condition === 'abort' ? abort : condition, options);
        if (condition) await assert.rejects(run);
        else await run;
      });
      assert.ok(made >= 2 && made === disposed, `${made} made, ${disposed} disposed`);
    }
  }));

test('wrong options are refused by name', () =>
  withFew(1, async (model) => {
    const refused = (options, message, code = 'INVALID_ARGUMENT') =>
      assert.rejects(model.beamSearch(PROMPT, options), { code, message });
    await refused({ beam: 3 }, /beamSearch has no option "beam"; did you mean beams/);
    await refused({ beams: 0 }, /beams is 0/);
    await refused({ max_tokens: 0 }, /max_tokens is 0/);
    await refused({ condition: { type: 'size' } }, /condition.type is "size"/);
    await refused({ condition: 5 }, /condition.type is undefined/);
    await refused({ condition: { type: 'length', n: -1 } }, /condition.n is -1/);
    await refused(
      { condition: { type: 'length', n: 1, m: 2 } },
      /condition length has no option "m"/,
    );
    await refused({ condition: { type: 'contains' } }, /condition.text is undefined/);
    const probability = { type: 'contains', text: 'a', probability: 0 };
    await refused({ condition: probability }, /condition.probability is 0/);
    await refused({ condition: { prefix: () => 0 } }, /without complete\(\)/);
    await refused(
      { condition: { prefix: () => NaN, complete: () => true } },
      /prefix\(\) of the condition gives NaN/,
    );
    await refused(
      { condition: { prefix: () => 0, complete: () => 1 } },
      /complete\(\) of the condition gives 1/,
    );
    const failing = {
      prefix: () => {
        throw new Error('no idea');
      },
      complete: () => true,
    };
    await refused({ condition: failing }, /prefix\(\) of the condition failed: Error: no idea/);
    const bits = { prefix: () => 0, complete: () => true, allowed: () => [1] };
    await refused({ condition: bits }, /what allowed\(\) of the condition gives is/);
    const bad = { type: 'grammar', grammar: { type: 'ebnf', grammar: 'root' } };
    await refused({ condition: bad }, /grammar/i, 'GRAMMAR_INVALID');
    await refused(
      { sampler: { grammar: new Int32Array(1) } },
      /sampler.grammar/,
      'OPTION_UNSUPPORTED',
    );
    await refused({ sampler: { mirostat: 2 } }, /sampler.mirostat/, 'OPTION_UNSUPPORTED');
    await refused({ sampler: { temprature: 1 } }, /has no option "temprature"/);
    await assert.rejects(model.beamSearch([], {}), { code: 'SESSION_EMPTY' });
    await assert.rejects(model.beamSearch([{ role: 'user', content: 'Hi' }]), {
      code: 'TEMPLATE_MISSING',
    });
    await assert.rejects(model.beamSearch([99]), { code: 'TOKEN_OUT_OF_RANGE' });
    const impossible = { prefix: () => -Infinity, complete: () => false };
    assert.deepEqual((await model.beamSearch(PROMPT, { condition: impossible })).hypotheses, []);
  }));

test('an abort ends a condition that never answers; many beams make no warning', () =>
  withFew(1, async (model) => {
    const warnings = [];
    const listen = (warning) => warnings.push(String(warning));
    process.on('warning', listen);
    for (const name of ['prefix', 'complete', 'allowed']) {
      const silent = { prefix: () => 0, complete: () => true, [name]: () => new Promise(() => {}) };
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 10);
      const { made, disposed } = await countSessions(model, () =>
        assert.rejects(model.beamSearch(PROMPT, { condition: silent, signal: stop.signal }), {
          name: 'AbortError',
        }),
      );
      assert.ok(made >= 2 && made === disposed, `${made} made, ${disposed} disposed`);
    }
    const { signal } = new AbortController();
    await model.beamSearch(PROMPT, { beams: 40, max_tokens: 5, signal });
    await model.vote(PROMPT, { n: 40, max_tokens: 5, signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off('warning', listen);
    assert.deepEqual(warnings, []);
  }));

test('the suffix automaton knows the parts of a list', () => {
  const random = generator(3);
  for (let round = 0; round < 200; round++) {
    const list = Array.from({ length: Math.floor(random() * 12) }, () => Math.floor(random() * 3));
    const automaton = new SuffixAutomaton(list);
    for (let i = 0; i < 40; i++) {
      const part = Array.from({ length: Math.floor(random() * 6) }, () => Math.floor(random() * 3));
      const occurs = `,${list.join()},`.includes(part.length ? `,${part.join()},` : ',');
      assert.equal(automaton.contains(part), occurs, `${part} in ${list}`);
    }
  }
});
