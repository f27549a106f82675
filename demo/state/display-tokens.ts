/** The text as the page shows it: token by token, each with the characters that it completes and a
 *  level of how surprising it was. */
import type { Origin, TreeNode } from './tree.js';

/** A token of the text as the page shows it. */
export interface DisplayToken {
  /** Index in the whole text. */
  readonly index: number;
  readonly token: number;
  readonly bytes: Uint8Array;
  /** The characters that this token completes; '' for a token that ends inside a character, and for
   *  a control token. */
  readonly text: string;
  /** The vocabulary's piece. */
  readonly piece: string;
  /** Where `text` begins in the whole text, in UTF-16 code units. */
  readonly start: number;
  /** Nats; NaN for the first token, which nothing comes before. */
  readonly logprob: number;
  readonly rank: number;
  /** Nats. */
  readonly entropy: number;
  readonly how: Origin;
  readonly node: TreeNode;
}

/** A display token and the bytes at its end that are no whole character yet. */
interface Shown {
  readonly display: DisplayToken;
  readonly unfinished: Uint8Array;
  /** Whether a token up to this one has a text. */
  readonly begun: boolean;
}

const NO_BYTES = new Uint8Array();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** How many bytes the character of this first byte has; 0 for a byte that is no first byte. */
function charLength(byte: number): number {
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}

/** Whether a second byte can follow a first byte (no overlong form, no surrogate, no number above
 *  U+10FFFF). */
function isSecond(first: number, second: number): boolean {
  if (first === 0xe0) return second >= 0xa0 && second <= 0xbf;
  if (first === 0xed) return second >= 0x80 && second <= 0x9f;
  if (first === 0xf0) return second >= 0x90 && second <= 0xbf;
  if (first === 0xf4) return second >= 0x80 && second <= 0x8f;
  return second >= 0x80 && second <= 0xbf;
}

/** Where the unfinished character at the end of the bytes begins; their length when there is
 *  none. */
function unfinishedAt(bytes: Uint8Array): number {
  for (let start = bytes.length - 1; start >= 0 && start >= bytes.length - 3; start--) {
    const first = bytes[start]!;
    if (first >= 0x80 && first <= 0xbf) continue; // not the first byte of a character
    const rest = bytes.subarray(start + 1);
    const unfinished =
      charLength(first) > bytes.length - start &&
      rest.every((byte, i) => (i === 0 ? isSecond(first, byte) : byte >= 0x80 && byte <= 0xbf));
    return unfinished ? start : bytes.length;
  }
  return bytes.length;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

const shownTokens = new WeakMap<TreeNode, Shown>();

/** A node as a display token. A node always has the same text before it, so each is made once. */
function shownNode(node: TreeNode, before: Shown | undefined, dropSpace: boolean): Shown {
  const known = shownTokens.get(node);
  if (known) return known;
  const { token, bytes, text: piece, logprob, rank, entropy, how } = node;
  const all = join(before?.unfinished ?? NO_BYTES, bytes);
  const end = unfinishedAt(all);
  let text = decoder.decode(all.subarray(0, end));
  const begun = before?.begun === true || bytes.length > 0;
  if (dropSpace && before?.begun !== true && text.startsWith(' ')) text = text.slice(1);
  const start = before ? before.display.start + before.display.text.length : 0;
  const index = node.depth - 1;
  const display = { index, token, bytes, text, piece, start, logprob, rank, entropy, how, node };
  const shown = { display, unfinished: all.slice(end), begun };
  shownTokens.set(node, shown);
  return shown;
}

/** The tokens of a path. dropSpace: the tokenizer puts a space before a text, which the page does
 *  not show. */
export function displayTokens(path: readonly TreeNode[], dropSpace: boolean): DisplayToken[] {
  let before: Shown | undefined;
  return path.map((node) => (before = shownNode(node, before, dropSpace)).display);
}

const drawnTokens = new WeakMap<DisplayToken, DisplayToken>();

/** A token after the typed ones. Its node can have been typed in another text. */
export function asOutput(token: DisplayToken): DisplayToken {
  if (token.how !== 'typed') return token;
  let drawn = drawnTokens.get(token);
  if (!drawn) drawnTokens.set(token, (drawn = { ...token, how: 'drawn' }));
  return drawn;
}

/** The characters of the tokens. */
export const textOf = (tokens: readonly DisplayToken[]): string =>
  tokens.map(({ text }) => text).join('');

/** The tokens without end tokens at the end: a text that goes on has not ended. */
export function withoutEnd(tokens: readonly DisplayToken[]): readonly DisplayToken[] {
  const last = tokens.findLastIndex(({ node }) => !node.eog);
  return last === tokens.length - 1 ? tokens : tokens.slice(0, last + 1);
}

export type Measure = 'surprisal' | 'rank' | 'entropy';

interface Scale {
  label: string;
  /** The upper ends of all levels except the last. */
  ends: readonly number[];
  names: readonly string[];
  value: (token: Pick<DisplayToken, 'logprob' | 'rank' | 'entropy'>) => number;
}

/** Surprisal and entropy are in bits. Ranks start at 1. */
export const scales: Readonly<Record<Measure, Scale>> = {
  surprisal: {
    label: 'surprise',
    ends: [1, 3, 6, 10],
    names: ['expected (over 50 %)', 'likely', 'unusual', 'rare', 'very surprising (under 0.1 %)'],
    value: ({ logprob }) => -logprob / Math.LN2,
  },
  rank: {
    label: 'rank',
    ends: [1, 10, 100, 1000],
    names: ['the most probable', 'top 10', 'top 100', 'top 1000', 'beyond 1000'],
    value: ({ rank }) => rank + 1,
  },
  entropy: {
    label: 'uncertainty',
    ends: [1, 2, 4, 6],
    names: ['under 1 bit', '1 to 2', '2 to 4', '4 to 6', 'over 6'],
    value: ({ entropy }) => entropy / Math.LN2,
  },
};

/** A token's level, 0 to 4; undefined for the first token of the text. */
export function levelOf(
  measure: Measure,
  token: Pick<DisplayToken, 'logprob' | 'rank' | 'entropy'>,
): number | undefined {
  if (Number.isNaN(token.logprob)) return undefined;
  const { ends, value } = scales[measure];
  const x = value(token);
  const level = ends.findIndex((end) => x <= end);
  return level < 0 ? ends.length : level;
}
