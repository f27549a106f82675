// GPT-2's byte alphabet: byte-level BPE writes each byte of a token as one visible character.

const isPrintable = (byte) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);

let next = 256;
/** The characters of the 256 bytes. */
export const BYTE_ALPHABET = Array.from({ length: 256 }, (_, byte) =>
  String.fromCodePoint(isPrintable(byte) ? byte : next++),
);

/** A token, bytes or text, as the vocabulary writes it. */
export const inByteAlphabet = (token) =>
  Array.from(Buffer.from(token), (byte) => BYTE_ALPHABET[byte]).join('');
