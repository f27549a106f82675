// Completions reuse what earlier ones have run: the answers and log-probabilities are those of a
// fresh run, usage tells what was cached, and nothing that fails or is left early spoils the rest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { tinyModel } from '../support/architectures.mjs';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { all, collect, withModel } from '../support/support.mjs';
import { chatModel } from '../support/tiny-llama.mjs';

const TEMPLATE = `{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:`;
const chatty = (options, use) => {
  const bytes = chatModel(TEMPLATE, { n_embd: 64, n_layer: 2 });
  return withModel(bytes, { worker: false, n_ctx: 512, ...options }, use);
};
const user = (content) => ({ role: 'user', content });

/** What must not depend on the cache. */
const result = ({ choices, usage }) => ({ choices, n: usage.completion_tokens });
const cachedTokens = ({ usage }) => usage.prompt_tokens_details.cached_tokens;

test('each turn of a conversation runs only what is new', () =>
  chatty({}, async (model) => {
    const messages = [{ role: 'system', content: 'ab '.repeat(40) }, user('the an')];
    const asked = { seed: 3, max_tokens: 12, logprobs: true, top_logprobs: 4 };
    let before = 0;
    for (let turn = 0; turn < 5; turn++) {
      const given = { messages, ...asked };
      const made = await model.createChatCompletion(given);
      const fresh = await model.createChatCompletion({ ...given, cache_prompt: false });
      assert.deepEqual(result(made), result(fresh));
      const { usage, timings } = made;
      const { cached_tokens } = usage.prompt_tokens_details;
      assert.equal(cachedTokens(fresh), 0);
      assert.equal(fresh.timings.cache_n, 0);
      assert.equal(timings.cache_n, cached_tokens);
      assert.equal(timings.prompt_n + timings.cache_n, usage.prompt_tokens);
      assert.ok(turn === 0 ? cached_tokens === 0 : cached_tokens >= before, `turn ${turn}`);
      assert.ok(cached_tokens < usage.prompt_tokens);
      before = usage.prompt_tokens - 1;
      messages.push(made.choices[0].message, user('and ab'));
    }
    // the last question again: all but its last token are there
    const given = { messages: messages.slice(0, -2), ...asked };
    const again = await model.createChatCompletion(given);
    assert.equal(cachedTokens(again), again.usage.prompt_tokens - 1);
    const chunks = await collect(
      await model.createChatCompletion({
        ...given,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    assert.equal(cachedTokens(chunks.at(-1)), again.usage.prompt_tokens - 1);
    assert.equal(chunks.at(-1).timings.cache_n, again.usage.prompt_tokens - 1);
  }));

/** Runs random completions, each with and without the cache, and compares them. */
async function randomCompletions(model, n, length) {
  const random = generator(5);
  const upTo = (n) => Math.floor(random() * n);
  const { n_vocab, n_ctx } = model.info;
  const prompts = [Array.from({ length }, () => 3 + upTo(n_vocab - 3))];
  let n_cached = 0;
  for (let i = 0; i < n; i++) {
    const from = prompts[upTo(prompts.length)];
    const kept = from.slice(0, from.length - upTo(from.length / 2));
    const prompt = [...kept, ...Array.from({ length: upTo(30) }, () => 3 + upTo(n_vocab - 3))];
    const params = {
      prompt: prompt.slice(0, n_ctx - 24),
      seed: upTo(5),
      max_tokens: upTo(8),
      n: 1 + upTo(3),
      logprobs: 3,
      ignore_eos: true,
      ...(upTo(4) === 0 && { mirostat: 2, mirostat_tau: 2 }),
      ...(upTo(4) === 0 && { penalty_repeat: 1.4, temperature: 1.5 }),
      ...(upTo(4) === 0 && { overflow: 'shift', max_tokens: 30 }),
    };
    const how = upTo(6);
    if (how === 0) {
      const stream = await model.createCompletion({ ...params, stream: true });
      for (let chunks = upTo(4); chunks > 0; chunks--) await stream.next();
      await stream.return();
    } else if (how === 1) {
      const abort = new AbortController();
      const made = model.createCompletion({ ...params, signal: abort.signal });
      setTimeout(() => abort.abort(), upTo(10));
      await made.catch(({ name }) => assert.equal(name, 'AbortError'));
    } else if (how === 2) {
      const broken = { begin: () => ({ allowed: () => Promise.reject(new Error('broken')) }) };
      await model.createCompletion({ ...params, grammar: broken }).catch(() => undefined);
    } else {
      const [fresh, ...made] = await Promise.all([
        model.createCompletion({ ...params, cache_prompt: false }),
        ...Array.from({ length: how - 2 }, () => model.createCompletion(params)),
      ]);
      for (const one of made) {
        assert.deepEqual(result(one), result(fresh), JSON.stringify(params));
        n_cached += cachedTokens(one);
      }
      prompts.push(prompt);
    }
  }
  assert.ok(n_cached > length, `${n_cached} tokens were cached`);
}

for (const [what, source, options, length] of [
  ['the built-in model', () => 'storybook', { n_ctx: 96, n_kv: 1024 }, 40],
  ['little cache', () => 'storybook', { n_ctx: 96, n_kv: 96 }, 40],
  ['a worker', () => 'storybook', { n_ctx: 96, worker: true }, 40],
  ['recurrent layers', () => writeGguf(tinyModel('qwen35')), { n_ctx: 256 }, 200],
  ['windows', () => writeGguf(tinyModel('gemma3')), { n_ctx: 96, n_kv: 1024 }, 40],
]) {
  test(`random completions are those without the cache: ${what}`, () =>
    withModel(source(), { worker: false, ...options }, (model) =>
      randomCompletions(model, all ? 60 : 8, length),
    ));
}

test("what a text leaves behind beside its tokens stays there: mirostat's state, a slid window", () =>
  withModel('storybook', { worker: false, n_ctx: 64 }, async (model) => {
    const prompt = await model.tokenize('Once upon a time there was');
    for (const given of [
      { mirostat: 2, mirostat_tau: 2, mirostat_eta: 0.9, max_tokens: 20 },
      { overflow: 'shift', max_tokens: 90, temperature: 2 },
    ]) {
      const asked = { seed: 4, ignore_eos: true, ...given };
      const session = model.createSession();
      await collect(session.generate(prompt, asked));
      await model.createCompletion({ prompt, ...asked }); // leaves the same text
      const next = { prompt: session.tokens.slice(0, 40), ...asked, max_tokens: 20, logprobs: 0 };
      await model.createCompletion({ prompt: next.prompt, max_tokens: 0 });
      const made = await model.createCompletion(next);
      const fresh = await model.createCompletion({ ...next, cache_prompt: false });
      assert.deepEqual(result(made), result(fresh), JSON.stringify(given));
    }
  }));

test('calls at the same time share the cache, and the oldest text goes', () =>
  chatty({ n_kv: 2048 }, async (model) => {
    const ask = (text, more) =>
      model.createChatCompletion({ messages: [user(text)], seed: 1, max_tokens: 4, ...more });
    const texts = Array.from({ length: 5 }, (_, i) => String.fromCharCode(97 + i).repeat(60));
    const together = await Promise.all([ask(texts[0]), ask(texts[0]), ask(texts[0])]);
    for (const made of together) assert.deepEqual(result(made), result(together[0]));
    assert.ok(cachedTokens(await ask(texts[0])) > 50);
    for (const text of texts.slice(1)) await ask(text);
    assert.ok(cachedTokens(await ask(texts[4])) > 50);
    assert.ok(cachedTokens(await ask(texts[0])) < 20, 'four texts came after this one');
    await ask('q'.repeat(60), { cache_prompt: false });
    assert.ok(cachedTokens(await ask('q'.repeat(60))) < 20, 'nothing was kept');
  }));

test('the pool keeps the sessions of a program, and ends with the model', async () => {
  const bytes = chatModel(TEMPLATE, { n_embd: 64, n_layer: 2 });
  const model = await loadModel(bytes, { worker: false, n_ctx: 256, n_kv: 256 });
  const own = model.createSession();
  const ids = Array.from({ length: 200 }, (_, i) => 10 + (i % 50));
  await own.sync(ids);
  const logits = await own.logits();
  for (let i = 0; i < 6; i++)
    await model.createChatCompletion({ messages: [user(`${i}`.repeat(90))], max_tokens: 8 });
  await own.rewind(199);
  await own.sync(ids);
  assert.deepEqual(await own.logits(), logits);
  const messages = [user('ab')];
  const running = model.createChatCompletion({ messages, max_tokens: 100, ignore_eos: true, n: 4 });
  running.catch(() => undefined);
  const stream = await model.createChatCompletion({ messages, stream: true, ignore_eos: true });
  await stream.next();
  await model.dispose();
  await assert.rejects(running, { code: 'DISPOSED' });
  await assert.rejects(collect(stream), { code: 'DISPOSED' });
  await assert.rejects(model.createChatCompletion({ messages }), { code: 'DISPOSED' });
});

test('cache_prompt is true or false', () =>
  chatty({}, async (model) => {
    for (const cache_prompt of [null, 1, 'no'])
      await assert.rejects(
        model.createChatCompletion({ messages: [user('a')], cache_prompt, max_tokens: 1 }),
        { code: 'INVALID_ARGUMENT', message: /cache_prompt/ },
      );
  }));
