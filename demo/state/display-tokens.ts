/** A text as its tokens: in, the prompt's scores and the path; out, what each token shows and how surprising it was, in levels. */
import type { TokenScore } from 'tokenglass';
import type { Node, Origin } from './tree.js';

/** A token as the page shows it. */
export interface DisplayToken {
  /** From the beginning of the text. */
  readonly index: number;
  readonly token: number;
  readonly bytes: Uint8Array;
  /** Whole characters that end with this token; a control token's spelling. */
  readonly text: string;
  /** Nats; NaN where nothing stands before. */
  readonly logprob: number;
  readonly rank: number;
  readonly entropy: number;
  readonly how: Origin | 'prompt';
  /** undefined for the prompt's. */
  readonly node: Node | undefined;
}

/** The tokens of the prompt, once they are scored, and of the path. */
export function displayTokens(
  text: string,
  n_prompt: number,
  scores: readonly TokenScore[] | undefined,
  path: readonly Node[],
): { prompt: DisplayToken[]; made: DisplayToken[] } {
  const whole = new TextDecoder('utf-8', { ignoreBOM: true });
  // a character that is split over tokens is shown by the one that completes it
  const textOf = (bytes: Uint8Array, spelled: string) =>
    bytes.length === 0 ? spelled : whole.decode(bytes, { stream: true });
  let space = text !== '' && !text.startsWith(' '); // some tokenizers put one before a text
  const prompt = (scores ?? []).map((score, index): DisplayToken => {
    let shown = textOf(score.bytes, score.text);
    if (space && score.bytes.length > 0) {
      if (shown.startsWith(' ')) shown = shown.slice(1);
      space = false;
    }
    const { token, bytes, logprob, rank, entropy } = score;
    return {
      index,
      token,
      bytes,
      text: shown,
      logprob,
      rank,
      entropy,
      how: 'prompt',
      node: undefined,
    };
  });
  const made = path.map((node, i): DisplayToken => {
    const { token, bytes, logprob, rank, entropy, how } = node;
    return {
      index: n_prompt + i,
      token,
      bytes,
      text: textOf(bytes, node.text),
      logprob,
      rank,
      entropy,
      how,
      node,
    };
  });
  return { prompt, made };
}

export type Measure = 'surprisal' | 'rank' | 'entropy';

interface Scale {
  label: string;
  /** The upper ends of all levels but the last. */
  ends: readonly number[];
  names: readonly string[];
  value: (token: Pick<DisplayToken, 'logprob' | 'rank' | 'entropy'>) => number;
}

/** Bits, but for the rank, which begins with 1. */
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

/** 0 to 4; undefined for a token that nothing stands before. */
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
