/** The tokens of the text as boxes of whole characters, and these boxes in chunks. The page draws a
 *  chunk again only when its tokens change, so that a new token costs the same in a long text. */
import type { DisplayToken } from '../../state/display-tokens.js';
import { isControl } from '../../format.js';

const CHUNK = 64; // tokens

/** Tokens that share a character, or a token with whole characters. */
export type Cell = readonly DisplayToken[];

// Accents, parts of an emoji and other characters that are drawn together with the one before are
// above this code. It saves the question for most tokens.
const LAST_SIMPLE = 0x2ff;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Whether two texts share what a reader calls a character at the place where they meet. */
function shareCharacter(before: string, after: string): boolean {
  if (before === '' || after === '' || after.charCodeAt(0) <= LAST_SIMPLE) return false;
  const { index } = segmenter.segment(before + after).containing(before.length)!;
  return index < before.length;
}

/** Whether a token ends inside a character that the next one goes on with. */
export const isPart = (token: DisplayToken): boolean => token.text === '' && !isControl(token);

/** What the token at an index completes, alone or with the tokens after it. */
function textFrom(tokens: readonly DisplayToken[], index: number): string {
  let end = index;
  while (end < tokens.length && isPart(tokens[end]!)) end++;
  const last = tokens[end];
  return last && !isControl(last) ? last.text : '';
}

/** Whether the token at an index goes on with the cell before it, whose text is `text`. */
function joins(text: string, tokens: readonly DisplayToken[], index: number): boolean {
  const [before, token] = [tokens[index - 1]!, tokens[index]!];
  if (isControl(before) || isControl(token)) return false;
  return isPart(before) || shareCharacter(text, textFrom(tokens, index));
}

export function cellsOf(tokens: readonly DisplayToken[]): Cell[] {
  const cells: DisplayToken[][] = [];
  let text = ''; // of the last cell
  for (const [i, token] of tokens.entries()) {
    if (i > 0 && joins(text, tokens, i)) cells.at(-1)!.push(token);
    else {
      cells.push([token]);
      text = '';
    }
    text += token.text;
  }
  return cells;
}

/** The tokens in chunks of whole cells. A chunk ends at the same token however the text goes on. */
export function chunksOf(tokens: readonly DisplayToken[]): DisplayToken[][] {
  const chunks: DisplayToken[][] = [];
  for (let start = 0; start < tokens.length;) {
    let end = start + CHUNK;
    while (end < tokens.length && joins(tokens[end - 1]!.text, tokens, end)) end++;
    chunks.push(tokens.slice(start, end));
    start = end;
  }
  return chunks;
}

/** The token that contains the character at an offset of the text; undefined behind the last. */
export function tokenAt(tokens: readonly DisplayToken[], offset: number): DisplayToken | undefined {
  let low = 0;
  let high = tokens.length; // the first token that ends behind the offset
  while (low < high) {
    const middle = (low + high) >> 1;
    const { start, text } = tokens[middle]!;
    if (start + text.length > offset) high = middle;
    else low = middle + 1;
  }
  return tokens[low];
}
