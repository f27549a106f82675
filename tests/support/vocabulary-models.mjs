// Small models with random weights and a vocabulary of each kind: all bytes, and pieces that cut
// JSON in the middle of its parts.
import { BYTE_ALPHABET, BYTE_TOKENS, inByteAlphabet } from './byte-tokens.mjs';
import { writeGguf } from './gguf-writer.mjs';
import { tinyLlama } from './tiny-llama.mjs';

const PIECES = [
  ...['{"', '":', '","', '"}', '"]', '},{"', '[[', ']]', '":"', '\\"', '\\\\', '\\u00', '\\n'],
  ...['null', 'true', 'false', 'tr', 'fo', 'foo', 'bar', 'ba', '":1', '12', '1.', '.5', 'e+', '00'],
  ...['é', 'c\u00e9', '🐲', '-1', '[1,', ',2', 'a"', '"a', '": ', ' '],
];
const NORMAL = 1;
const CONTROL = 3;
const BYTE = 6;

/** The tokens of a model: { bytes, id } for each text token; the id that ends a text. */
function vocabularyOf(pieces, firstByte, firstPiece) {
  const tokens = pieces.map((piece, i) => ({ bytes: Buffer.from(piece), id: firstPiece + i }));
  for (let byte = 0; byte < 256; byte++)
    tokens.push({ bytes: Buffer.from([byte]), id: firstByte + byte });
  return tokens;
}

function model(keys, n_vocab) {
  const { metadata, tensors } = tinyLlama({ n_vocab });
  const own = metadata.filter(([key]) => !key.startsWith('tokenizer.'));
  return writeGguf({ metadata: [...own, ...keys], tensors });
}

function keysOf(kind, tokens, types, end, more) {
  return [
    ['tokenizer.ggml.model', 'string', kind],
    ['tokenizer.ggml.tokens', 'array<string>', tokens],
    ['tokenizer.ggml.token_type', 'array<i32>', types],
    ['tokenizer.ggml.bos_token_id', 'u32', end],
    ['tokenizer.ggml.eos_token_id', 'u32', end],
    ...more,
  ];
}

/** As GPT-2, Llama 3 and most others: a token is bytes, each written as a character. */
function byteLevel() {
  const pieces = PIECES.filter((piece) => piece !== ' '); // the space is one of the bytes
  const tokens = [...BYTE_ALPHABET, ...pieces.map(inByteAlphabet), '<|end|>'];
  const end = tokens.length - 1;
  const types = tokens.map((_, i) => (i === end ? CONTROL : NORMAL));
  const keys = keysOf('gpt2', tokens, types, end, [
    ['tokenizer.ggml.pre', 'string', 'gpt-2'],
    ['tokenizer.ggml.merges', 'array<string>', []],
  ]);
  return { file: model(keys, tokens.length), end, tokens: vocabularyOf(pieces, 0, 256) };
}

/** As Llama 2: pieces of characters, "\u2581" for a space, and a token for each byte. */
function sentencePiece() {
  const tokens = [
    '<unk>',
    '<s>',
    '</s>',
    ...BYTE_TOKENS,
    ...PIECES.map((p) => p.replaceAll(' ', '\u2581')),
  ];
  const types = tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? CONTROL : i < 259 ? BYTE : NORMAL));
  const keys = keysOf('llama', tokens, types, 2, [
    ['tokenizer.ggml.scores', 'array<f32>', tokens.map((_, i) => -i)],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
    ['tokenizer.ggml.add_space_prefix', 'bool', false],
  ]);
  return { file: model(keys, tokens.length), end: 2, tokens: vocabularyOf(PIECES, 3, 259) };
}

/** The kinds of vocabularies: { file, end, tokens: [{ bytes, id }] }. */
export const vocabularyModels = { 'byte-level': byteLevel(), SentencePiece: sentencePiece() };

/** The ids of a text, cut at random: pieces where they fit, else bytes. */
export function randomTokens({ tokens }, text, random) {
  const bytes = Buffer.from(text);
  const ids = [];
  for (let i = 0; i < bytes.length;) {
    const fitting = tokens.filter((token) =>
      token.bytes.equals(bytes.subarray(i, i + token.bytes.length)),
    );
    const token = fitting[random(fitting.length)];
    ids.push(token.id);
    i += token.bytes.length;
  }
  return ids;
}
