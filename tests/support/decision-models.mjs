// Small models with random weights whose vocabulary has letters, pairs of capitals, digits and the
// words for yes and no as single tokens, for the tests of decisions.
import { BYTE_TOKENS } from './byte-tokens.mjs';
import { writeGguf } from './gguf-writer.mjs';
import { tinyLlama } from './tiny-llama.mjs';

const LETTERS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const PIECES = [
  '\u2581',
  ...LETTERS,
  ...LETTERS.slice(0, 26).map((letter) => `A${letter}`), // AA to AZ
  ...'0123456789',
  ...['ye', 'yes', 'Ye', 'Yes', 'YE', 'YES', 'no', 'No', 'NO'],
  ...['\u2581A', '\u2581B', '\u2581C'],
];
const TOKENS = ['<unk>', '<s>', '</s>', ...BYTE_TOKENS, ...PIECES];
const CONTROL = 3;
const BYTE = 6;
const typeOf = (i) => (i === 0 ? 2 : i < 3 ? CONTROL : i < 259 ? BYTE : 1);

/** The id of a piece of the vocabulary. */
export const pieceId = (piece) => TOKENS.indexOf(piece.replace(' ', '\u2581'));

/** The file of a model; keys: further metadata. */
export function decisionModel(keys = [], { n_ctx = 2048, seed = 1 } = {}) {
  const { metadata, tensors } = tinyLlama({ n_vocab: TOKENS.length, seed });
  const own = metadata
    .filter(([key]) => !key.startsWith('tokenizer.'))
    .map((entry) => (entry[0] === 'llama.context_length' ? [entry[0], 'u32', n_ctx] : entry));
  const vocabulary = [
    ['tokenizer.ggml.model', 'string', 'llama'],
    ['tokenizer.ggml.tokens', 'array<string>', TOKENS],
    ['tokenizer.ggml.scores', 'array<f32>', TOKENS.map((_, i) => -i)],
    ['tokenizer.ggml.token_type', 'array<i32>', TOKENS.map((_, i) => typeOf(i))],
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
    ['tokenizer.ggml.add_space_prefix', 'bool', false],
  ];
  return writeGguf({ metadata: [...own, ...vocabulary, ...keys], tensors });
}

/** A chat template that shows whether thinking is off. */
export const CHAT = `{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[reply{% if enable_thinking is false %} now{% endif %}]`;

/** The file of a model that chats. */
export const chatFile = (options) =>
  decisionModel([['tokenizer.chat_template', 'string', CHAT]], options);

/** The file of a decision model of llama.cpp. temperatures: by the end of the key. */
export const decisionFile = (type, template, temperatures = {}) =>
  decisionModel([
    ['llama.decision.type', 'string', type],
    ...Object.entries(temperatures).map(([name, value]) => [
      `llama.decision.temperature.${name}`,
      'f32',
      value,
    ]),
    ...(template === undefined ? [] : [['tokenizer.chat_template.systemone', 'string', template]]),
  ]);
