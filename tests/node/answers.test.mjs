// Several answers of one completion run at the same time: each is the answer that runs alone. An
// early end ends all of them, a slow reader holds them, and the caches decide how many run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSoftmax } from '../support/measures.mjs';
import { collect, freshLogits, withModel } from '../support/support.mjs';
import { chatModel } from '../support/tiny-llama.mjs';

const built = (use, options = {}) => withModel('storybook', { worker: false, ...options }, use);
const PROMPT = 'Once upon a time there was';
const MAX_TOKENS = 24;
const SCHEMA = {
  type: 'object',
  properties: { kind: { enum: ['cat', 'dog'] }, old: { type: 'boolean' } },
  required: ['kind', 'old'],
};

/** The answer that a session gives by itself, in the words of a completion. */
async function alone(model, { grammar, stop, ...options }, sample_index) {
  const { max_tokens = MAX_TOKENS, ...sampler } = options;
  const session = model.createSession();
  const answer = { index: sample_index, text: '', tokens: [], finish_reason: 'length' };
  const steps = session.generate(PROMPT, {
    ...sampler,
    ...(grammar && { grammar }),
    max_tokens,
    sample_index,
    trace: { top_n: 3 },
  });
  for await (const step of steps) {
    if (step.eog) answer.finish_reason = 'stop';
    if (step.eog) break;
    answer.text += step.text;
    answer.tokens.push(step);
    if (stop && answer.text.includes(stop)) {
      answer.text = answer.text.slice(0, answer.text.indexOf(stop));
      answer.finish_reason = 'stop';
      break;
    }
  }
  await session.dispose();
  return answer;
}

/** The choices of a stream, put together. */
async function gathered(chunks) {
  const choices = [];
  for await (const { choices: parts } of chunks) {
    for (const { index, text, logprobs, finish_reason } of parts) {
      choices[index] ??= { index, text: '', logprobs: [], finish_reason: null };
      assert.equal(choices[index].finish_reason, null, 'nothing follows the end');
      choices[index].text += text;
      choices[index].logprobs.push(...logprobs.token_logprobs);
      choices[index].finish_reason = finish_reason;
    }
  }
  return choices;
}

const CASES = {
  plain: {},
  'a grammar': { grammar: 'root ::= " a " ("big" | "little" | "red")+ " dog"' },
  'a schema': { schema: SCHEMA, max_tokens: 60 },
  'a stop text': { stop: 'e' },
  bias: { logit_bias: { 300: 2, 301: -Infinity }, temperature: 1.5 },
  'one token': { max_tokens: 1 },
  mirostat: { mirostat: 2, mirostat_tau: 3 },
  'penalties and DRY': { penalty_repeat: 1.3, dry_multiplier: 0.8, xtc_probability: 0.5 },
};

for (const [what, { schema, ...given }] of Object.entries(CASES)) {
  test(`several answers are those of single runs: ${what}`, () =>
    built(async (model) => {
      const n = 3;
      const options = { seed: 7, ...given };
      const expected = [];
      const spec = given.grammar ? { type: 'ebnf', grammar: given.grammar } : undefined;
      const json = schema && { type: 'json_schema', schema };
      const grammar = spec || json ? await model.createGrammar(json ?? spec) : undefined;
      for (let i = 0; i < n; i++) expected.push(await alone(model, { ...options, grammar }, i));
      const asked = { prompt: PROMPT, n, max_tokens: MAX_TOKENS, logprobs: 3, ...options };
      if (schema)
        asked.response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
      for (const cache_prompt of [false, true]) {
        const { choices, usage } = await model.createCompletion({ ...asked, cache_prompt });
        const streamed = await gathered(
          await model.createCompletion({ ...asked, cache_prompt, stream: true }),
        );
        for (const [i, { text, tokens, finish_reason }] of expected.entries()) {
          assert.deepEqual(
            [choices[i].index, choices[i].text, choices[i].finish_reason],
            [i, text, finish_reason],
          );
          const logprobs = tokens.map(({ logprob }) => logprob);
          assert.deepEqual(choices[i].logprobs.token_logprobs, logprobs);
          assert.deepEqual(streamed[i], { index: i, text, logprobs, finish_reason });
        }
        const ends = schema || given.grammar ? 0 : usage.completion_tokens;
        const counted = expected.reduce((sum, { tokens }) => sum + tokens.length, 0);
        if (ends) assert.ok(ends >= counted && ends <= counted + n);
      }
    }));
}

test('chunks of several answers come interleaved', () =>
  built(async (model) => {
    const asked = { prompt: PROMPT, n: 3, max_tokens: 12, seed: 1, ignore_eos: true, stream: true };
    const chunks = await collect(await model.createCompletion(asked));
    const order = chunks.map(({ choices }) => choices[0].index);
    assert.deepEqual(new Set(order.slice(0, 6)), new Set([0, 1, 2]), order.join());
    for (const index of [0, 1, 2]) {
      const own = chunks.filter(({ choices }) => choices[0].index === index);
      assert.equal(own.at(-1).choices[0].finish_reason, 'length');
      assert.equal(own.filter(({ choices }) => choices[0].finish_reason).length, 1);
    }
  }));

/** A constraint that allows every token and throws at the given step. */
const failing = (model, at) => ({
  begin() {
    let n = 0;
    const bits = new Int32Array(Math.ceil(model.info.n_vocab / 32)).fill(-1);
    return {
      allowed() {
        if (n++ === at) throw new Error('broken');
        return bits;
      },
      accept: () => undefined,
    };
  },
});

for (const worker of [false, true]) {
  const where = worker ? 'in a worker' : "in the caller's thread";
  test(`an early end of several answers ends all of them ${where}`, () =>
    built(
      async (model) => {
        const asked = {
          prompt: PROMPT,
          n: 4,
          max_tokens: 200,
          seed: 3,
          ignore_eos: true,
          stream: true,
        };
        const decoded = async () => (await model.stats()).decoded_tokens;
        const before = await decoded();
        for await (const chunk of await model.createCompletion(asked))
          if (chunk.choices[0].index === 2) break;
        const abort = new AbortController();
        const aborted = await model.createCompletion({ ...asked, signal: abort.signal });
        await aborted.next();
        abort.abort(new Error('enough'));
        await assert.rejects(aborted.next(), { message: 'enough' });
        assert.equal((await aborted.next()).done, true);
        const late = new AbortController();
        setTimeout(() => late.abort(new Error('late')), 20);
        await assert.rejects(
          model.createCompletion({ ...asked, stream: false, signal: late.signal }),
          { message: 'late' },
        );
        const broken = { ...asked, grammar: failing(model, 3) };
        await assert.rejects(collect(await model.createCompletion(broken)), { message: /broken/ });
        await assert.rejects(model.createCompletion({ ...broken, stream: false }), {
          message: /broken/,
        });
        const after = await decoded();
        assert.ok(after - before < 5 * 200, `${after - before} tokens`);
        await new Promise((resolve) => setTimeout(resolve, 50));
        assert.equal(await decoded(), after, 'nothing runs any more');
      },
      { worker, n_ctx: 512 },
    ));
}

test('a reader that waits holds all answers', () =>
  built(
    async (model) => {
      const asked = {
        prompt: PROMPT,
        n: 4,
        max_tokens: 100,
        seed: 3,
        ignore_eos: true,
        stream: true,
      };
      const stream = await model.createCompletion(asked);
      await stream.next();
      await new Promise((resolve) => setTimeout(resolve, 200));
      const { decoded_tokens } = await model.stats();
      assert.ok(decoded_tokens < 40, `${decoded_tokens} tokens`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal((await model.stats()).decoded_tokens, decoded_tokens);
      assert.equal(
        (await collect(stream)).filter(({ choices }) => choices[0].finish_reason).length,
        4,
      );
    },
    { worker: true },
  ));

test('more answers than the cache holds run after each other, not against each other', () =>
  built(
    async (model) => {
      const asked = { prompt: PROMPT, n: 8, max_tokens: 60, seed: 3, ignore_eos: true };
      const { usage, choices } = await model.createCompletion({ ...asked, cache_prompt: false });
      const { decoded_tokens } = await model.stats();
      assert.equal(usage.completion_tokens, 480);
      assert.ok(decoded_tokens < 2 * 480, `${decoded_tokens} tokens ran for 480`);
      const expected = await alone(model, { max_tokens: 60, seed: 3, ignore_eos: true }, 7);
      assert.equal(choices[7].text, expected.text);
    },
    { n_ctx: 128, n_kv: 160 },
  ));

test('a stream that nobody reads does not hold other completions where the cache is small', () =>
  built(
    async (model) => {
      const asked = { prompt: PROMPT, n: 6, max_tokens: 40, seed: 3, ignore_eos: true };
      const stream = await model.createCompletion({ ...asked, max_tokens: 90, stream: true });
      await stream.next();
      const made = await model.createCompletion({ ...asked, cache_prompt: false });
      const expected = await alone(model, { max_tokens: 40, seed: 3, ignore_eos: true }, 5);
      assert.equal(made.choices[5].text, expected.text);
      const rest = await collect(stream);
      assert.equal(rest.filter(({ choices }) => choices[0].finish_reason === 'length').length, 6);
    },
    { n_ctx: 128, n_kv: 128 },
  ));

test('top_logprobs of a chat list up to the whole vocabulary', () =>
  withModel(chatModel('{{ messages[0].content }}'), { worker: false }, async (model) => {
    const { n_vocab } = model.info;
    const chat = (more) =>
      model.createChatCompletion({
        ...{ messages: [{ role: 'user', content: 'the an' }], max_tokens: 3, seed: 1 },
        ...{ logprobs: true, ignore_eos: true, ...more },
      });
    const { content } = (await chat({ top_logprobs: n_vocab })).choices[0].logprobs;
    assert.equal(content.length, 3);
    for (const { token, logprob, top_logprobs } of content) {
      assert.equal(top_logprobs.length, n_vocab);
      const sum = top_logprobs.reduce((mass, top) => mass + Math.exp(top.logprob), 0);
      assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`);
      assert.ok(top_logprobs.every(({ logprob }, i) => !(logprob > top_logprobs[i - 1]?.logprob)));
      const same = top_logprobs.filter((top) => top.token === token);
      assert.ok(same.some((top) => Math.abs(top.logprob - logprob) < 1e-9));
    }
    await assert.rejects(chat({ top_logprobs: n_vocab + 1 }), {
      code: 'INVALID_ARGUMENT',
      message: new RegExp(`top_logprobs is ${n_vocab + 1}.*0 to ${n_vocab}$`),
    });
    await assert.rejects(chat({ top_logprobs: n_vocab, n: 128, max_tokens: 60 }), {
      code: 'INVALID_ARGUMENT',
      message:
        /^INVALID_ARGUMENT: top_logprobs is .* at most 524288 .*read the answer as a stream$/,
    });
  }));

test('log-probabilities of the whole vocabulary, and what does not fit', () =>
  built(async (model) => {
    const { n_vocab } = model.info;
    const asked = { prompt: PROMPT, max_tokens: 2, seed: 1, temperature: 3, logprobs: n_vocab };
    const { logprobs } = (await model.createCompletion(asked)).choices[0];
    const truth = logSoftmax(await freshLogits(model, await model.tokenize(PROMPT)));
    const texts = await model.tokenTexts();
    const best = new Map(); // of tokens with the same text the most probable one
    for (const [id, logprob] of truth.entries())
      best.set(texts[id], Math.max(best.get(texts[id]) ?? -Infinity, logprob));
    assert.equal(Object.keys(logprobs.top_logprobs[0]).length, best.size);
    for (const [text, logprob] of best)
      assert.ok(Math.abs(logprobs.top_logprobs[0][text] - logprob) < 1e-6, text);
    const max = Math.floor(2 ** 19 / n_vocab);
    for (const more of [{ max_tokens: max + 1 }, { n: Math.ceil(max / 2), max_tokens: 3 }]) {
      await assert.rejects(model.createCompletion({ ...asked, ...more }), {
        code: 'INVALID_ARGUMENT',
        message: new RegExp(`^INVALID_ARGUMENT: logprobs is ${n_vocab}.*at most ${2 ** 19}`),
      });
    }
    let n = 0; // a stream keeps few of the lists in memory
    for await (const { choices } of await model.createCompletion({
      ...asked,
      max_tokens: max + 1,
      stream: true,
    })) {
      assert.equal(Object.keys(choices[0].logprobs.top_logprobs[0]).length, best.size);
      if (++n === 3) break;
    }
    assert.equal(n, 3);
  }));
