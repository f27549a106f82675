/** The features of the PAWN detector. */

/** The features of one token, under the distribution before it. */
export interface PawnToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** Log-probability in nats. */
  logprob: number;
  /** Entropy of the distribution in nats; positive. */
  entropy: number;
  /** Log-probability in nats of the most probable token. */
  max_logprob: number;
  /** 1 plus the number of tokens that are more probable, divided by the size of the vocabulary. */
  rank_share: number;
  /**
   * Probability of all tokens that are at least as probable: the smallest top_p that keeps this
   * token and those exactly as probable.
   */
  top_p: number;
}

/** Figures of a whole text that need no trained weights. */
export interface PawnSummary {
  /** Mean log-probability in nats. */
  mean_logprob: number;
  /** Mean natural logarithm of the rank; the most probable token has rank 1. */
  mean_log_rank: number;
  /** -mean_logprob / mean_log_rank; Infinity when every token was the most probable. */
  ratio: number;
  /** Mean entropy in nats. */
  mean_entropy: number;
  /** Mean of log-probability plus entropy in nats: above 0 for words likelier than usual. */
  mean_surplus: number;
}

/** What the lens pawn gives. */
export interface PawnResult {
  /** The tokens of the text but the first, which has nothing before it. */
  tokens: PawnToken[];
  /** Means over these tokens; NaN without any. */
  summary: PawnSummary;
}
