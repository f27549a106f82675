/** The text as the page shows it: token by token, each with the text that it adds and a level of
 *  how surprising it was. */
import type { TokenScore } from 'tokenglass';
import type { Origin, TreeNode } from './tree.js';

/** A token of the text as the page shows it. */
export interface DisplayToken {
  /** Index in the whole text, prompt included. */
  readonly index: number;
  readonly token: number;
  readonly bytes: Uint8Array;
  /** The characters that this token completes; a control token's piece. */
  readonly text: string;
  /** Nats; NaN for the first token, which nothing comes before. */
  readonly logprob: number;
  readonly rank: number;
  /** Nats. */
  readonly entropy: number;
  readonly how: Origin | 'prompt';
  /** undefined for tokens of the prompt. */
  readonly node: TreeNode | undefined;
}

/** The tokens of the prompt (none until they are scored) and of the path. */
export function displayTokens(
  prompt: string,
  n_prompt: number,
  scores: readonly TokenScore[] | undefined,
  path: readonly TreeNode[],
): { prompt: DisplayToken[]; generated: DisplayToken[] } {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  // the token that completes a character shows it when the character's bytes are in several tokens
  const textOf = (bytes: Uint8Array, piece: string) =>
    bytes.length === 0 ? piece : decoder.decode(bytes, { stream: true });
  // some tokenizers put a space before a text; the page does not show it
  let dropSpace = prompt !== '' && !prompt.startsWith(' ');
  const shownScores = (scores ?? []).map((score, index): DisplayToken => {
    const { token, bytes, logprob, rank, entropy } = score;
    let text = textOf(bytes, score.text);
    if (dropSpace && bytes.length > 0) {
      if (text.startsWith(' ')) text = text.slice(1);
      dropSpace = false;
    }
    return { index, token, bytes, text, logprob, rank, entropy, how: 'prompt', node: undefined };
  });
  const generated = path.map((node, i): DisplayToken => {
    const { token, bytes, logprob, rank, entropy, how } = node;
    const text = textOf(bytes, node.text);
    return { index: n_prompt + i, token, bytes, text, logprob, rank, entropy, how, node };
  });
  return { prompt: shownScores, generated };
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
    label: 'surprisal',
    ends: [1, 3, 6, 10],
    names: ['under 1 bit', '1 to 3', '3 to 6', '6 to 10', 'over 10'],
    value: ({ logprob }) => -logprob / Math.LN2,
  },
  rank: {
    label: 'rank',
    ends: [1, 10, 100, 1000],
    names: ['the most probable', 'top 10', 'top 100', 'top 1000', 'below'],
    value: ({ rank }) => rank + 1,
  },
  entropy: {
    label: 'entropy',
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
