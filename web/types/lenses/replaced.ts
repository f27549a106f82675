/** Tokens that look replaced. */

/** One token of a text, as a detector of replacements sees it. */
export interface ReplacedToken {
  /** The token's id: after a replacement, the new one. */
  token: number;
  /** The token for display. */
  text: string;
  /** Log-probability in nats. */
  logprob: number;
  /** How many tokens are more probable. */
  rank: number;
  /** Whether the probability is below max_p and the rank at least min_rank. */
  flagged: boolean;
  /** The id of the token that the lens replaced here; undefined where it replaced nothing. */
  original?: number;
}

/**
 * How well a figure tells replaced tokens from the others: the probability that a replaced token
 * has the higher figure than another one, 0.5 for chance.
 */
export interface ReplacedAuc {
  /** By the negative log-probability. */
  logprob: number;
  /** By the rank. */
  rank: number;
  /** By the negative log-probability minus the entropy of the distribution. */
  surprise: number;
}

/** What the lens replaced gives. */
export interface ReplacedResult {
  /** The tokens of the text but the first one. */
  tokens: ReplacedToken[];
  /** How many are flagged. */
  n_flagged: number;
  /** With share above 0: how well figures find the replacements of the lens. */
  auc?: ReplacedAuc;
  /** With share above 0: the share of flagged tokens that were replaced; NaN without any. */
  precision?: number;
  /** With share above 0: the share of replaced tokens that are flagged. */
  recall?: number;
}
