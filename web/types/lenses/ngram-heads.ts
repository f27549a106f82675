/** The in-context n-gram predictor beside the model. */

/** The prediction of one token of the text, from the tokens before it. */
export interface NgramToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /**
   * How many of the last tokens the longest match has; 0: even the last token is new, so that there
   * is no prediction.
   */
  order: number;
  /** How often these tokens occurred before, with a token behind them. */
  n_matches: number;
  /** The token that followed most often, the earliest of equals; undefined without a match. */
  predicted?: number;
  /** Probability of this token in the n-gram prediction; 0 without a match. */
  ngram_p: number;
  /** Log-probability of this token for the model in nats. */
  logprob: number;
  /**
   * The Kullback-Leibler divergence in nats from the model to the n-gram prediction: 0 when the
   * model predicts the same; NaN without a match.
   */
  divergence: number;
}

/** The tokens whose longest match has one length. */
export interface NgramOrder {
  /** The length. */
  order: number;
  /** How many tokens there are. */
  n: number;
  /** The share of them that the n-gram prediction gets right; NaN without any. */
  accuracy: number;
  /** Mean log-probability for the model in nats. */
  mean_logprob: number;
  /** Mean divergence in nats. */
  mean_divergence: number;
}

/** An attention head as an n-gram head. */
export interface NgramHead {
  /** The layer. */
  layer: number;
  /** The query head. */
  head: number;
  /**
   * The weights that the head gives to the tokens behind earlier places of the last tokens, by how
   * many of the last tokens match (1 first): the mean over all positions with such a place.
   */
  mass: number[];
}

/** What the lens ngramHeads gives. */
export interface NgramHeadsResult {
  /** The tokens of the text. */
  tokens: NgramToken[];
  /** The same by order, from 0 to max_order. */
  orders: NgramOrder[];
  /** With repeated: every attention head, the largest mass for one token first. */
  heads?: NgramHead[];
}
