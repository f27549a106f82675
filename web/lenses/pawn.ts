/** The features of the PAWN detector, from scores. */
import type { PawnResult, PawnSummary, PawnToken, TokenScore } from '../types/types.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { mean } from './figures.js';

/**
 * The features of a token from its score, which must list the most probable token (top_n: 1).
 * n_vocab: the size of the vocabulary.
 * @example
 * const scores = await model.score('The cat sat.', { top_n: 1 });
 * const tokens = scores.slice(1).map((score) => pawnToken(score, model.info.n_vocab));
 * console.log(tokens[0]?.top_p);
 */
export function pawnToken(score: TokenScore, n_vocab: number): PawnToken {
  const { token, text, logprob, entropy, rank, top_mass, tied, top } = score;
  return {
    token,
    text,
    logprob,
    entropy,
    max_logprob: top[0]!.logprob,
    rank_share: (rank + 1) / n_vocab,
    top_p: Math.min(1, top_mass + (tied + 1) * Math.exp(logprob)),
  };
}

/**
 * The figures of a text from the features of its tokens.
 * @example
 * const scored = await model.score('The cat sat.', { top_n: 1 });
 * const { n_vocab } = model.info;
 * const features = scored.slice(1).map((score) => pawnToken(score, n_vocab));
 * console.log(pawnSummary(features, n_vocab).mean_surplus);
 */
export function pawnSummary(tokens: readonly PawnToken[], n_vocab: number): PawnSummary {
  const meanOf = (value: (token: PawnToken) => number) => mean(tokens.map(value));
  const mean_logprob = meanOf(({ logprob }) => logprob);
  const mean_log_rank = meanOf(({ rank_share }) => Math.log(Math.round(rank_share * n_vocab)));
  return {
    mean_logprob,
    mean_log_rank,
    ratio: -mean_logprob / mean_log_rank,
    mean_entropy: meanOf(({ entropy }) => entropy),
    mean_surplus: meanOf(({ logprob, entropy }) => logprob + entropy),
  };
}

/** Scores the text and gives the features of each token but the first. */
export const pawn: LensCall<'pawn'> = (model, text, options) =>
  withOptions('pawn', options, async (_, signal): Promise<PawnResult> => {
    const { n_vocab } = model.info;
    const scores = await model.score(text, { top_n: 1, signal });
    const tokens = scores.slice(1).map((score) => pawnToken(score, n_vocab));
    return { tokens, summary: pawnSummary(tokens, n_vocab) };
  });
