// Completions in a page, as functions of loadModel. They throw when something is wrong.

function check(holds, message) {
  if (!holds) throw new Error(message);
}

export async function completions(loadModel) {
  const model = await loadModel('storybook');
  try {
    const asked = { prompt: 'Once upon a time', max_tokens: 30, seed: 6, logprobs: 2 };
    const whole = await model.createCompletion(asked);
    const { text, logprobs } = whole.choices[0];
    check(text.length > 20 && logprobs.tokens.join('') === text, text);
    let streamed = '';
    for await (const { choices } of await model.createCompletion({ ...asked, stream: true }))
      streamed += choices[0].text;
    check(streamed === text, `${streamed}, not ${text}`);
    const n = 4;
    const fresh = await model.createCompletion({ ...asked, n, cache_prompt: false });
    const several = await model.createCompletion({ ...asked, n });
    const json = ({ choices }) => JSON.stringify(choices);
    check(json(several) === json(fresh), 'the cache changes no answer');
    check(several.choices[0].text === text, 'the first answer is the single one');
    const { cached_tokens } = several.usage.prompt_tokens_details;
    check(cached_tokens === several.usage.prompt_tokens - 1, `${cached_tokens} cached tokens`);
    const texts = Array(n).fill('');
    let changes = 0; // of the answer from chunk to chunk
    let last = 0;
    for await (const { choices } of await model.createCompletion({ ...asked, n, stream: true })) {
      const [{ index, text: part }] = choices;
      texts[index] += part;
      if (index !== last) changes++;
      last = index;
    }
    check(
      texts.every((part, i) => part === fresh.choices[i].text),
      texts.join(' | '),
    );
    check(changes > 2 * n, `the answers changed ${changes} times`);
    for await (const { choices } of await model.createCompletion({ ...asked, n, stream: true }))
      if (choices[0].index === n - 1) break;
    const { n_vocab } = model.info;
    const { choices: listed } = await model.createCompletion({
      ...{ ...asked, max_tokens: 1 },
      logprobs: n_vocab,
    });
    check(
      Object.keys(listed[0].logprobs.top_logprobs[0]).length > n_vocab / 2,
      'the whole vocabulary',
    );
    const stop = text.slice(9, 12);
    const ended = (await model.createCompletion({ ...asked, stop })).choices[0];
    check(
      ended.text === text.slice(0, text.indexOf(stop)) && ended.finish_reason === 'stop',
      ended.text,
    );
    const schema = {
      type: 'object',
      properties: { a: { enum: [1, 'two'] }, b: { type: 'boolean' } },
      required: ['a', 'b'],
      additionalProperties: false,
    };
    const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } };
    const { a, b } = JSON.parse(
      (await model.createCompletion({ ...asked, max_tokens: 60, response_format })).choices[0].text,
    );
    check([1, 'two'].includes(a) && typeof b === 'boolean', 'an answer by its schema');
    const refusal = async (promise) =>
      (
        await promise.then(
          () => ({ code: 'nothing' }),
          (error) => error,
        )
      ).code;
    check(
      (await refusal(model.createCompletion({ ...asked, tools: [] }))) === 'OPTION_UNSUPPORTED',
      'tools',
    );
    check(
      (await refusal(
        model.createChatCompletion({ messages: [{ role: 'user', content: 'a' }] }),
      )) === 'TEMPLATE_MISSING',
      'no template',
    );
    check(
      (await refusal(model.createGrammar({ type: 'ebnf', grammar: 'root ::= ' }))) ===
        'GRAMMAR_INVALID',
      'no grammar',
    );
    return text;
  } finally {
    await model.dispose();
  }
}

/** A conversation with the model at an address. */
export async function chat(loadModel, address) {
  const model = await loadModel(address, { n_ctx: 256 });
  try {
    const messages = [{ role: 'user', content: 'the an' }];
    const asked = { messages, max_tokens: 8, seed: 2 };
    const { message } = (await model.createChatCompletion(asked)).choices[0];
    let streamed = '';
    for await (const { choices } of await model.createChatCompletion({ ...asked, stream: true }))
      streamed += choices[0].delta.content ?? '';
    check(streamed === message.content, streamed);
    const next = { ...asked, messages: [...messages, message, { role: 'user', content: 'ab' }] };
    const turn = await model.createChatCompletion(next);
    const fresh = await model.createChatCompletion({ ...next, cache_prompt: false });
    check(turn.choices[0].message.content === fresh.choices[0].message.content, 'the next turn');
    check(
      turn.timings.cache_n > 8 && fresh.timings.cache_n === 0,
      `${turn.timings.cache_n} cached`,
    );
    return (await model.applyChatTemplate(messages)).text;
  } finally {
    await model.dispose();
  }
}
