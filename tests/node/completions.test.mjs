// Completions: stop strings, log-probabilities, streams, usage; and the official client against a
// loopback server.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import OpenAI from 'openai';
import { chatModel } from '../support/tiny-llama.mjs';
import { collect, freshLogits, withModel } from '../support/support.mjs';
import { logSoftmax } from '../support/measures.mjs';

const built = (use) => withModel('storybook', {}, use);
const TEMPLATE = `{{ bos_token }}{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:`;
const PROMPT = 'Once upon a time there was';

/** A small random model with a chat template. Its answers are random text. */
const chatty = (use) => {
  const bytes = chatModel(TEMPLATE, { n_embd: 64, n_layer: 2 });
  return withModel(bytes, { worker: false, n_ctx: 256 }, use);
};

test('stop strings end an answer wherever tokens are cut, and never show', () =>
  built(async (model) => {
    const asked = { prompt: PROMPT, max_tokens: 60, seed: 4 };
    const { text } = (await model.createCompletion(asked)).choices[0];
    assert.ok(text.length > 80, text);
    for (let from = 5; from < text.length - 8; from += 7) {
      for (const length of [1, 3, 6]) {
        const stop = text.slice(from, from + length);
        const expected = text.slice(0, text.indexOf(stop));
        const { choices } = await model.createCompletion({ ...asked, stop: ['never there', stop] });
        assert.equal(choices[0].text, expected, `stop ${JSON.stringify(stop)}`);
        assert.equal(choices[0].finish_reason, 'stop');
        let streamed = '';
        for await (const chunk of await model.createCompletion({ ...asked, stop, stream: true })) {
          streamed += chunk.choices[0].text;
          assert.ok(expected.startsWith(streamed), 'nothing of a stop string shows on the way');
        }
        assert.equal(streamed, expected);
      }
    }
    // text that only starts like a stop string is still returned at the end
    const { choices } = await model.createCompletion({ ...asked, stop: `${text.slice(-3)}x` });
    assert.equal(choices[0].text, text);
    assert.equal(choices[0].finish_reason, 'length');
    for (const stop of ['', [''], Array(17).fill('a'), [5]]) {
      await assert.rejects(model.createCompletion({ ...asked, stop }), {
        code: 'INVALID_ARGUMENT',
      });
    }
  }));

test('log-probabilities are those of the raw distribution, whole and streamed', () =>
  built(async (model) => {
    const asked = { prompt: PROMPT, max_tokens: 12, seed: 3, logprobs: 3, temperature: 1.3 };
    const whole = await model.createCompletion(asked);
    const { logprobs, text } = whole.choices[0];
    assert.equal(logprobs.tokens.length, 12);
    assert.equal(logprobs.tokens.join(''), text);
    const ids = await model.tokenize(PROMPT);
    for (let i = 0; i < 12; i++) {
      const truth = logSoftmax(await freshLogits(model, ids));
      const order = [...truth.keys()].sort((a, b) => truth[b] - truth[a] || a - b);
      const id = order.find((token) => Math.abs(truth[token] - logprobs.token_logprobs[i]) < 1e-6);
      assert.equal(await model.tokenText(id), logprobs.tokens[i]);
      const listed = Object.entries(logprobs.top_logprobs[i]);
      assert.deepEqual(
        listed.map(([token]) => token),
        await Promise.all(order.slice(0, 3).map((token) => model.tokenText(token))),
      );
      for (const [k, [, logprob]] of listed.entries())
        assert.ok(Math.abs(logprob - truth[order[k]]) < 1e-6);
      assert.equal(text.slice(logprobs.text_offset[i]).startsWith(logprobs.tokens[i]), true);
      ids.push(id);
    }
    const chunks = await collect(
      await model.createCompletion({
        ...asked,
        stream: true,
        stream_options: { include_usage: true },
      }),
    );
    assert.deepEqual(
      chunks.flatMap(({ choices }) => choices[0]?.logprobs?.tokens ?? []),
      logprobs.tokens,
    );
    const last = chunks.at(-1);
    assert.deepEqual(last.choices, []);
    const usage = (cached_tokens) => ({
      prompt_tokens: ids.length - 12,
      completion_tokens: 12,
      total_tokens: ids.length,
      prompt_tokens_details: { cached_tokens },
    });
    assert.deepEqual(whole.usage, usage(0));
    assert.deepEqual(last.usage, usage(ids.length - 13)); // the last token runs for its logits
    assert.ok(last.timings.prompt_ms > 0 && last.timings.predicted_per_second > 0);
    assert.ok(chunks.slice(0, -1).every(({ usage }) => usage === null));
    assert.equal(chunks.at(-2).choices[0].finish_reason, 'length');
  }));

test('several answers have separate random draws; the first has those of a single answer', () =>
  built(async (model) => {
    const asked = { prompt: PROMPT, max_tokens: 20, seed: 8 };
    const [one] = (await model.createCompletion(asked)).choices;
    const three = (await model.createCompletion({ ...asked, n: 3 })).choices;
    assert.deepEqual(
      three.map(({ index }) => index),
      [0, 1, 2],
    );
    assert.equal(three[0].text, one.text);
    assert.equal(new Set(three.map(({ text }) => text)).size, 3);
    const again = (await model.createCompletion({ ...asked, n: 3 })).choices;
    assert.deepEqual(again, three);
    const { decoded_tokens } = await model.stats();
    await model.createCompletion({ ...asked, n: 3 });
    const ran = (await model.stats()).decoded_tokens - decoded_tokens;
    assert.ok(
      ran <= (await model.tokenize(PROMPT)).length + 3 * 20,
      `${ran} tokens: the prompt ran once`,
    );
  }));

test('options of the API and of the sampler mean what they say, and no others are taken', () =>
  built(async (model) => {
    const asked = { prompt: PROMPT, max_tokens: 8, seed: 1 };
    const text = async (more) =>
      (await model.createCompletion({ ...asked, ...more })).choices[0].text;
    assert.equal(
      await text({ presence_penalty: 1, frequency_penalty: 0.5 }),
      await text({ penalty_present: 1, penalty_freq: 0.5 }),
    );
    assert.equal(await text({ temperature: 0 }), await text({ top_k: 1, seed: 99 }));
    assert.ok((await text({ echo: true })).startsWith(PROMPT));
    assert.equal(await text({ logit_bias: { 300: 100 } }), ' in'.repeat(8));
    assert.equal(await text({ max_tokens: 0 }), '');
    const ids = await model.tokenize(PROMPT);
    assert.equal(await text({ prompt: ids }), await text({}));
    for (const name of ['temperature', 'top_p', 'logit_bias', 'n', 'stop', 'stream', 'suffix'])
      assert.equal(await text({ [name]: null }), await text({}), name); // null is the default
    for (const prompt of [null, ['a'], ['a', 'b'], [[1], [2, 3]]]) {
      await assert.rejects(model.createCompletion({ ...asked, prompt }), {
        code: 'OPTION_UNSUPPORTED',
        message: /prompt/,
      });
    }
    for (const schema of [{}, { name: 'a' }]) {
      const response_format = { type: 'json_schema', json_schema: schema };
      await assert.rejects(model.createCompletion({ ...asked, response_format }), {
        code: 'INVALID_ARGUMENT',
        message: /json_schema has no schema/,
      });
    }
    const stream_options = { include_obfuscation: true };
    await assert.rejects(model.createCompletion({ ...asked, stream: true, stream_options }), {
      code: 'OPTION_UNSUPPORTED',
      message: /include_obfuscation/,
    });
    for (const name of ['tools', 'functions', 'suffix', 'best_of', 'store', 'verbosity']) {
      await assert.rejects(model.createCompletion({ ...asked, [name]: [1] }), {
        code: 'OPTION_UNSUPPORTED',
        message: new RegExp(name),
      });
    }
    await assert.rejects(model.createCompletion({ ...asked, temprature: 1 }), {
      code: 'INVALID_ARGUMENT',
      message: /temprature/,
    });
    const { n_vocab } = model.info;
    await assert.rejects(model.createCompletion({ ...asked, logprobs: n_vocab + 1 }), {
      code: 'INVALID_ARGUMENT',
      message: new RegExp(`whole number of 0 to ${n_vocab}$`),
    });
    await assert.rejects(model.createCompletion({ ...asked, n: 0 }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(model.createCompletion({ ...asked, prompt: undefined }), {
      code: 'INVALID_ARGUMENT',
    });
    await assert.rejects(
      model.createChatCompletion({ messages: [{ role: 'user', content: 'a' }] }),
      {
        code: 'TEMPLATE_MISSING',
      },
    );
  }));

test('an answer ends with the context, and an abort ends it at once', () =>
  withModel('storybook', { n_ctx: 40 }, async (model) => {
    const asked = { prompt: PROMPT, max_tokens: 500, seed: 1, ignore_eos: true };
    const { choices, usage } = await model.createCompletion(asked);
    assert.equal(choices[0].finish_reason, 'length');
    assert.equal(usage.total_tokens, 40);
    const slid = await model.createCompletion({ ...asked, max_tokens: 80, overflow: 'shift' });
    assert.equal(slid.usage.completion_tokens, 80);
    const abort = new AbortController();
    const stream = await model.createCompletion({
      ...asked,
      stream: true,
      overflow: 'shift',
      signal: abort.signal,
    });
    await assert.rejects(
      async () => {
        for await (const chunk of stream) if (chunk.choices[0].text) abort.abort();
      },
      { name: 'AbortError' },
    );
    for await (const chunk of await model.createCompletion({ ...asked, stream: true }))
      if (chunk.choices[0].text) break; // leaves the loop early; nothing may hang
    assert.equal(
      (await model.createCompletion({ ...asked, max_tokens: 2 })).usage.completion_tokens,
      2,
    );
  }));

test('text comes in whole characters', () =>
  built(async (model) => {
    const smile = (await model.tokenize('😀')).slice(-4);
    const grammar = await model.createGrammar({
      type: 'ebnf',
      grammar: 'root ::= "😀é漢"',
    });
    const chunks = await collect(
      await model.createCompletion({
        prompt: 'A smile:',
        grammar,
        stream: true,
        max_tokens: 30,
        logprobs: 0,
      }),
    );
    assert.equal(chunks.map(({ choices }) => choices[0].text).join(''), '😀é漢');
    assert.ok(chunks.every(({ choices }) => !choices[0].text.includes('\ufffd')));
    assert.ok(smile.length === 4);
  }));

/** The API's two endpoints over a model, as a program would serve them. */
async function loopback(model, use) {
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const params = JSON.parse(Buffer.concat(parts).toString());
    try {
      const made = request.url.endsWith('/chat/completions')
        ? await model.createChatCompletion(params)
        : await model.createCompletion(params);
      if (!params.stream)
        return response.setHeader('Content-Type', 'application/json').end(JSON.stringify(made));
      response.setHeader('Content-Type', 'text/event-stream');
      for await (const chunk of made) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      response.end('data: [DONE]\n\n');
    } catch ({ code, message }) {
      response.statusCode = 400;
      response
        .setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({ error: { code, message, type: 'invalid_request_error' } }));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const baseURL = `http://127.0.0.1:${server.address().port}/v1`;
    await use(new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 }));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('the official client reads whole and streamed answers', () =>
  chatty((model) =>
    loopback(model, async (client) => {
      const messages = [
        { role: 'system', content: 'ab' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'the ' },
            { type: 'text', text: 'an' },
          ],
        },
      ];
      const asked = {
        model: 'tiny',
        messages,
        max_tokens: 10,
        seed: 5,
        logprobs: true,
        top_logprobs: 2,
        n: 2,
        cache_prompt: false,
      };
      const { text } = await model.applyChatTemplate(messages);
      assert.equal(text, '<s>system: ab\nuser: the an\nassistant:');
      const whole = await client.chat.completions.create(asked);
      assert.equal(whole.object, 'chat.completion');
      assert.equal(whole.model, 'tiny');
      assert.equal(whole.choices.length, 2);
      const [{ message, logprobs, finish_reason }] = whole.choices;
      assert.equal(message.role, 'assistant');
      assert.ok(['stop', 'length'].includes(finish_reason));
      assert.ok(
        logprobs.content.every((token) => token.top_logprobs.length === 2 && token.logprob <= 0),
      );
      assert.deepEqual(
        Buffer.from(logprobs.content.flatMap(({ bytes }) => bytes))
          .toString()
          .trimStart(),
        message.content.trimStart(),
      );
      assert.equal(
        whole.usage.total_tokens,
        whole.usage.prompt_tokens + whole.usage.completion_tokens,
      );

      const texts = ['', ''];
      const ends = [];
      for await (const { choices, usage } of await client.chat.completions.create({
        ...asked,
        ...{ stream: true, stream_options: { include_usage: true } },
      })) {
        for (const { index, delta, finish_reason } of choices) {
          texts[index] += delta.content ?? '';
          if (finish_reason) ends[index] = finish_reason;
        }
        if (choices.length === 0) assert.deepEqual(usage, whole.usage);
      }
      assert.deepEqual(
        texts,
        whole.choices.map((choice) => choice.message.content),
      );
      assert.deepEqual(
        ends,
        whole.choices.map((choice) => choice.finish_reason),
      );

      const runner = client.chat.completions.stream({ ...asked, n: 1 });
      assert.equal(
        (await runner.finalChatCompletion()).choices[0].message.content,
        message.content,
        'its own gatherer agrees',
      );
      const plain = await client.completions.create({
        model: 'tiny',
        prompt: 'the',
        max_tokens: 5,
        seed: 1,
        logprobs: 1,
      });
      assert.equal(plain.choices[0].logprobs.tokens.length, plain.usage.completion_tokens);

      const schema = {
        type: 'object',
        properties: { a: { type: 'integer', minimum: 0, maximum: 9 } },
        required: ['a'],
        additionalProperties: false,
      };
      const parsed = await client.chat.completions.parse({
        ...{ model: 'tiny', messages, seed: 2, max_tokens: 60 },
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema, strict: true } },
      });
      assert.ok(
        Number.isInteger(parsed.choices[0].message.parsed.a),
        parsed.choices[0].message.content,
      );

      await assert.rejects(
        client.chat.completions.create({
          ...asked,
          tools: [{ type: 'function', function: { name: 'f' } }],
        }),
        {
          status: 400,
          code: 'OPTION_UNSUPPORTED',
        },
      );
      await assert.rejects(client.chat.completions.create({ ...asked, messages: [] }), {
        code: 'INVALID_ARGUMENT',
      });
      const image = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }];
      await assert.rejects(client.chat.completions.create({ ...asked, messages: image }), {
        code: 'OPTION_UNSUPPORTED',
      });
    }),
  ));
