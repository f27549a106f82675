/** What each layer would predict. */

/** A token that a layer finds probable. */
export interface LensCandidate {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** Log-probability in nats. */
  logprob: number;
}

/** The prediction at one boundary and position. */
export interface LogitLensCell {
  /** Entropy in nats. */
  entropy: number;
  /** The most probable tokens. */
  top: LensCandidate[];
  /** Log-probability in nats of the token that follows in the text; NaN after the last one. */
  next_logprob: number;
  /** How many tokens are more probable than that; NaN after the last one. */
  next_rank: number;
}

/** One position of the text. */
export interface LogitLensPosition {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** The predictions of the next token, in the order of `layers`. */
  cells: LogitLensCell[];
  /** The first boundary from which on the most probable token is that of the last boundary. */
  settled: number;
}

/** One boundary, over all positions that have a next token. */
export interface LogitLensLayer {
  /** The boundary: 0 after the embeddings, n_layer before the last norm. */
  layer: number;
  /** Mean negative log-probability of the next token in nats. */
  loss: number;
  /** Share of positions whose most probable token is that of the last boundary. */
  agreement: number;
  /** Mean entropy in nats. */
  mean_entropy: number;
}

/** What the lens logitLens gives. */
export interface LogitLensResult {
  /** The positions. */
  positions: LogitLensPosition[];
  /** The boundaries in ascending order. */
  layers: LogitLensLayer[];
}
