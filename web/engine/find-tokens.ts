/** A search in the vocabulary: by id, or by a part of the text. */
import { firstOf } from './stage-table.js';

/** How a space, a line end, a tab and a carriage return are often shown. */
const MARKS: Readonly<Record<string, string>> = { '␣': ' ', '⏎': '\n', '⇥': '\t', '␍': '\r' };

/**
 * At most `limit` of the tokens whose text contains the query, those with the highest logits; among
 * them the token whose id the query is. lowerTexts: the texts of all tokens in lower case.
 */
export function findTokens(
  lowerTexts: readonly string[],
  query: string,
  limit: number,
  logits: Float32Array,
): number[] {
  const wanted = query.toLowerCase();
  const unmarked = wanted.replace(/[␣⏎⇥␍]/g, (mark) => MARKS[mark]!);
  const found: number[] = [];
  for (let id = 0; id < lowerTexts.length; id++) {
    const text = lowerTexts[id]!;
    if (text.includes(wanted) || (unmarked !== wanted && text.includes(unmarked))) found.push(id);
  }
  const compare = (a: number, b: number) => logits[b]! - logits[a]! || a - b;
  const first = firstOf(found, limit, compare);
  const named = /^(0|[1-9]\d*)$/.test(query) ? Number(query) : Infinity;
  if (limit > 0 && named < lowerTexts.length && !first.includes(named)) {
    if (first.length === limit) first.pop();
    first.push(named);
  }
  return first.sort(compare);
}
