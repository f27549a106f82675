/** Words of a text, and which tokens cover them. */
import type { TokenOffset } from '../types/types.js';
import { byteLength } from './texts.js';

/** A part of a text. */
export interface Span {
  text: string;
  /** Index of its first byte in the UTF-8 text. */
  start: number;
  /** Index after its last byte. */
  end: number;
}

/** The words of a text: letters, digits, apostrophes and hyphens between them. */
export const WORD = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

/** The parts of a text that a pattern finds. */
export function spansOf(text: string, pattern: RegExp = WORD): Span[] {
  let chars = 0;
  let bytes = 0;
  return [...text.matchAll(pattern)].map((match) => {
    bytes += byteLength(text.slice(chars, match.index));
    chars = match.index + match[0].length;
    const start = bytes;
    bytes += byteLength(match[0]);
    return { text: match[0], start, end: bytes };
  });
}

/** For each span the indices of the tokens that cover a byte of it. Both lists are in order. */
export function tokensIn(spans: readonly Span[], tokens: readonly TokenOffset[]): number[][] {
  let first = 0;
  return spans.map((span) => {
    while (first < tokens.length && tokens[first]!.end <= span.start) first++;
    const indices: number[] = [];
    for (let i = first; i < tokens.length && tokens[i]!.start < span.end; i++)
      if (tokens[i]!.end > tokens[i]!.start) indices.push(i);
    return indices;
  });
}
