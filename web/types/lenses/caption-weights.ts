/** Weights for the tokens of a caption. */

/** One token of a caption. */
export interface CaptionToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** Probability of the token for a model that does not see the image. */
  p: number;
  /** (1 - p)^exponent, divided by the mean over the caption, so that the mean weight is 1. */
  weight: number;
}

/** What the lens captionWeights gives. */
export interface CaptionWeightsResult {
  /** The tokens of the caption. */
  tokens: CaptionToken[];
}
