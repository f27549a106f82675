// Measures a conversation in Node: the time to the first token of each turn, where the turns before
// have run, against the same prompt in a model that has run nothing. Prints JSON for each turn.
//   node tests/bench/chat.mjs [SHAPE] [TYPE]
import { loadModel } from '../../dist/node.js';
import { modelFile } from './model.mjs';

const letters = (n, seed) =>
  Array.from({ length: n }, (_, i) => String.fromCharCode(97 + ((i * 7 + seed * 11) % 26))).join(
    '',
  );
const message = (role, n, seed) => ({ role, content: letters(n, seed) });

/** A history of about n tokens: each letter of a model of the bench is a token. */
const historyOf = (n) =>
  Array.from({ length: 10 }, (_, i) =>
    message(i % 2 ? 'assistant' : 'user', Math.max(Math.floor(n / 10) - 9, 1), i),
  );

/** One turn: milliseconds to the first token, the answer, and the numbers of tokens. */
async function turn(model, grammar, messages, answer, cache_prompt) {
  const start = performance.now();
  let first_ms;
  let content = '';
  let usage;
  for await (const chunk of await model.createChatCompletion({
    ...{ messages, grammar, cache_prompt, max_tokens: answer, temperature: 0, ignore_eos: true },
    ...{ stream: true, stream_options: { include_usage: true } },
  })) {
    first_ms ??= performance.now() - start;
    content += chunk.choices[0]?.delta.content ?? '';
    usage = chunk.usage;
  }
  const { prompt_tokens, prompt_tokens_details } = usage;
  return { first_ms, content, prompt_tokens, cached_tokens: prompt_tokens_details.cached_tokens };
}

/**
 * The turns of a conversation: `history` tokens before the first one, then `turns` questions of
 * `question` tokens and answers of `answer` tokens. Each turn has the time to its first token with
 * (first_ms) and without (full_ms) what the turns before have run.
 */
async function chat(model, { history = 1000, turns = 6, question = 30, answer = 16 } = {}) {
  const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= [a-z]*' });
  const messages = historyOf(history);
  await turn(model, grammar, [message('user', 50, 99)], 2, false); // warms up the compiler
  const result = [];
  for (let i = 0; i < turns; i++) {
    messages.push(message('user', question, 20 + i));
    const full = await turn(model, grammar, messages, 1, false);
    const { content, ...made } = await turn(model, grammar, messages, answer, true);
    result.push({ turn: i + 1, ...made, full_ms: full.first_ms });
    messages.push({ role: 'assistant', content });
  }
  await grammar.dispose?.();
  return result;
}

const [shape = '135m', type = 'Q4_0'] = process.argv.slice(2);
const model = await loadModel(modelFile(shape, type), { n_threads: 1 });
for (const { turn, prompt_tokens, cached_tokens, first_ms, full_ms } of await chat(model))
  console.log(
    JSON.stringify({
      turn,
      'prompt, tokens': prompt_tokens,
      'of these cached': cached_tokens,
      'first token, ms': Math.round(first_ms),
      'full run, ms': Math.round(full_ms),
      share: `${((100 * first_ms) / full_ms).toFixed(1)} %`,
    }),
  );
await model.dispose();
