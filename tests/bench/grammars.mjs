// Measures grammars in this process: `node grammars.mjs`. Prints JSON for each vocabulary and
// grammar: { n_vocab, grammar, compile, first, longest, again }. Times in milliseconds, each the
// best of some rounds: compiling; the median and the longest mask along a text when the grammar is
// new; the median when the text comes again. Each text is taken a token at a time, as in a
// generation, so that a mask includes the accepted token and the copy for the caller.
import { loadModel } from '../../dist/node.js';
import { prepare } from '../tokenizers/compare.mjs';
import { vocabularies } from '../tokenizers/vocabularies.mjs';
import { readGguf } from '../support/gguf-reader.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const CONTROL = 3;
const UNUSED = 5;
const ROUNDS = 7;

const SCHEMA = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    age: { type: 'integer', minimum: 0, maximum: 150 },
    tags: { type: 'array', items: { type: 'string' }, maxItems: 5 },
    kind: { enum: ['cat', 'dog', 'café'] },
  },
  required: ['name', 'age'],
  additionalProperties: false,
};
const ANSWER = { name: 'Zoë the second, of Ångström', age: 42, tags: ['a b', 'x'], kind: 'café' };
const TEXTS = [
  ['json', { type: 'json' }, JSON.stringify({ list: [1, -2.5, true, null], ...ANSWER })],
  ['json_schema', { type: 'json_schema', schema: SCHEMA }, JSON.stringify(ANSWER)],
  ['enum', { type: 'ebnf', grammar: 'root ::= "a cat" | "a dog"' }, 'a dog'],
  [
    'words, at most 200 characters',
    { type: 'ebnf', grammar: 'root ::= ([a-zA-Z ,]{1,200} ".")+' },
    'The quick brown fox jumps over the lazy dog, and so on, and so forth. The end is near.',
  ],
];

/** The first n tokens of Qwen 3's vocabulary without merges; more are unused ones. */
async function vocabularyOf(n) {
  const { gguf } = await vocabularies['Qwen 3']();
  const { metadata } = readGguf(gguf);
  const tokens = metadata['tokenizer.ggml.tokens'].slice(0, n - 1);
  const types = Array.from(metadata['tokenizer.ggml.token_type']).slice(0, n - 1);
  while (tokens.length < n - 1) (types.push(UNUSED), tokens.push(`[PAD${tokens.length}]`));
  return writeGguf({
    metadata: [
      ['general.architecture', 'string', 'llama'],
      ['tokenizer.ggml.model', 'string', 'gpt2'],
      ['tokenizer.ggml.pre', 'string', 'qwen2'],
      ['tokenizer.ggml.tokens', 'array<string>', [...tokens, '<end>']],
      ['tokenizer.ggml.token_type', 'array<i32>', [...types, CONTROL]],
      ['tokenizer.ggml.merges', 'array<string>', []],
      ['tokenizer.ggml.bos_token_id', 'u32', n - 1],
      ['tokenizer.ggml.eos_token_id', 'u32', n - 1],
    ],
  });
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

/** The times of the masks along a text, whose tokens are single bytes. */
async function masksAlong(grammar, ids) {
  const times = [];
  const state = await grammar.begin();
  for (const id of ids) {
    const start = performance.now();
    await state.allowed();
    times.push(performance.now() - start);
    await state.accept(id);
  }
  state.dispose?.();
  return times;
}

async function measure(model, n_vocab, [name, spec, text]) {
  const ids = await model.tokenize(text, { add_special: false });
  const compile = [];
  const first = [];
  const again = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const grammar = await model.createGrammar(spec);
    compile.push(performance.now() - start);
    first.push(await masksAlong(grammar, ids));
    again.push(await masksAlong(grammar, ids));
    grammar.dispose?.();
  }
  const best = (rounds) => ids.map((_, i) => Math.min(...rounds.map((times) => times[i])));
  console.log(
    JSON.stringify({
      n_vocab,
      grammar: name,
      compile: Math.min(...compile),
      first: median(best(first)),
      longest: Math.max(...best(first)),
      again: median(best(again)),
    }),
  );
}

prepare();
for (const n_vocab of [49152, 151936]) {
  const file = await vocabularyOf(n_vocab);
  const model = await loadModel(file, { worker: false, vocab_only: true });
  const start = performance.now();
  await model.createGrammar({ type: 'ebnf', grammar: 'root ::= "a"' });
  const compile = performance.now() - start;
  console.log(JSON.stringify({ n_vocab, grammar: 'the first of a model', compile }));
  for (let warm = 0; warm < 3; warm++)
    await masksAlong(
      await model.createGrammar({ type: 'ebnf', grammar: 'root ::= [a-z ]{0,99}' }),
      await model.tokenize('warm up', { add_special: false }),
    );
  for (const text of TEXTS) await measure(model, n_vocab, text);
  await model.dispose();
}
