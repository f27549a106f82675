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
