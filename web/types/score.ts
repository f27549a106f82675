/** Measures of a text: the score of each token, and embeddings. */
import type { CallOptions } from './common.js';

/** Options of Model.score. */
export interface ScoreOptions extends CallOptions {
  /**
   * How many of the most probable tokens to list for each token of the text. Default: 0. More than
   * 2^19 listed tokens in one call are refused (INVALID_ARGUMENT).
   */
  top_n?: number;
  /**
   * For a text longer than the context: how many tokens each window after the first scores. The
   * rest of a window is the text before these tokens. Default: half of the context.
   */
  stride?: number;
}

/** Options of Session.score. */
export interface SessionScoreOptions extends CallOptions {
  /**
   * How many of the most probable tokens to list for each token. Default: 0. More than 2^19 listed
   * tokens in one call are refused (INVALID_ARGUMENT).
   */
  top_n?: number;
}

/** A token that could have been in the place of another. */
export interface Alternative {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** The bytes that the token adds to a text. */
  bytes: Uint8Array;
  /** Log-probability in nats. */
  logprob: number;
}

/** The score of one token of a text. All numbers are of the raw distribution. */
export interface TokenScore {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** The bytes that the token adds to the text. */
  bytes: Uint8Array;
  /** Log-probability in nats; NaN for the first token, which has nothing before it. */
  logprob: number;
  /** How many tokens are more probable. */
  rank: number;
  /** Entropy of the distribution in nats. */
  entropy: number;
  /** Probability of all more probable tokens together. */
  top_mass: number;
  /** How many other tokens are exactly as probable. */
  tied: number;
  /** The top_n most probable tokens, most probable first; empty for the first token. */
  top: Alternative[];
}

/** How the hidden states of a text become one vector. */
export type Pooling = 'mean' | 'last';

/** Options of Model.embed. */
export interface EmbedOptions extends CallOptions {
  /** The mean of the tokens' hidden states, or the last token's. Default: 'mean'. */
  pooling?: Pooling;
  /** Scale the vector to length 1. Default: true. */
  normalize?: boolean;
}
