/** Bytes of tokens as text. */

/** A decoder that keeps a byte order mark: its bytes are a token's text like any others. */
export const utf8Decoder = (): TextDecoder => new TextDecoder('utf-8', { ignoreBOM: true });

/** The text of bytes, with U+FFFD for what is no UTF-8. */
export const textOfBytes = (bytes: Uint8Array): string => utf8Decoder().decode(bytes);

/** The text of bytes in parts, which may split a character. */
export function textOfParts(parts: readonly Uint8Array[]): string {
  const decoder = utf8Decoder();
  return parts.map((bytes) => decoder.decode(bytes, { stream: true })).join('') + decoder.decode();
}
