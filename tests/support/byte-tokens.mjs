// How vocabularies write bytes: byte-level BPE in GPT-2's alphabet, with a character for each byte;
// SentencePiece as tokens of one byte.

const isPrintable = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);

let next = 256;
/** GPT-2's characters of the 256 bytes. */
export const BYTE_ALPHABET = Array.from({ length: 256 }, (_, byte) =>
  String.fromCodePoint(isPrintable(byte) ? byte : next++),
);

/** A token, bytes or text, in GPT-2's byte alphabet. */
export const inByteAlphabet = (token) =>
  Array.from(Buffer.from(token), (byte) => BYTE_ALPHABET[byte]).join('');

/** SentencePiece's tokens of the 256 bytes: <0x00> to <0xFF>. */
export const BYTE_TOKENS = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);

/**
 * The keys of a SentencePiece vocabulary: <unk>, <s>, </s>, the 256 bytes, then texts, the most
 * probable ones first.
 */
export function spmKeys(tokens) {
  // token types: unknown, control, byte, normal
  const kind = (i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
  return [
    ['tokenizer.ggml.model', 'string', 'llama'],
    ['tokenizer.ggml.tokens', 'array<string>', tokens],
    ['tokenizer.ggml.scores', 'array<f32>', tokens.map((_, i) => -i)],
    ['tokenizer.ggml.token_type', 'array<i32>', tokens.map((_, i) => kind(i))],
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
  ];
}
