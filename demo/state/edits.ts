/** The tokens of a text that the user has edited. The tokens before the edit stay as they are, even
 *  when the tokenizer would cut their text otherwise; the rest is tokenized. */
import type { TokenOffset } from 'tokenglass';
import type { DisplayToken } from './display-tokens.js';
import { textOf } from './display-tokens.js';

/** The length of the common beginning of two texts, which does not end inside a surrogate pair. */
export function commonLength(a: string, b: string): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n > 0 && /[\ud800-\udbff]/.test(a[n - 1]!) ? n - 1 : n;
}

/** The offsets of tokens in UTF-16 code units instead of bytes. An offset inside a character is the
 *  beginning of that character. */
export function charOffsets(text: string, offsets: readonly TokenOffset[]): TokenOffset[] {
  const bytes = new TextEncoder().encode(text);
  let at = 0; // bytes
  let chars = 0; // code units before the character at `at`
  const charsAt = (end: number) => {
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if ((byte & 0xc0) !== 0x80 && at + lengthOf(byte) <= end) chars += byte >= 0xf0 ? 2 : 1;
      else if ((byte & 0xc0) !== 0x80) return chars; // the character ends behind `end`
    }
    return chars;
  };
  return offsets.map(({ token, start, end }) => ({
    token,
    start: charsAt(start),
    end: charsAt(end),
  }));
}

const lengthOf = (first: number) => (first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);

/** The tokens of `text`. shown: the tokens of the text before the edit. own: the tokens that the
 *  tokenizer gives for `text`, with offsets in code units. */
export function editedIds(
  shown: readonly DisplayToken[],
  text: string,
  own: readonly TokenOffset[],
): number[] {
  const before = textOf(shown);
  const edit = commonLength(before, text);
  // where a token of the text before begins, and no character is unfinished
  const kept = new Map<number, number>(); // code units -> number of tokens before
  let isClean = true;
  for (const [i, { start, text: chars, bytes }] of shown.entries()) {
    if (isClean && start <= edit) kept.set(start, i);
    isClean = chars !== '' || bytes.length === 0;
  }
  if (isClean && before.length <= edit) kept.set(before.length, shown.length);
  // the last such place at which a token of the tokenizer begins, too
  for (let i = own.length; i >= 0; i--) {
    const at = own[i]?.start ?? text.length;
    const isPlace = i === own.length || own[i]!.end > at;
    const n = at > 0 && isPlace ? kept.get(at) : undefined;
    if (n === undefined) continue;
    return [...shown.slice(0, n), ...own.slice(i)].map(({ token }) => token);
  }
  return own.map(({ token }) => token);
}
