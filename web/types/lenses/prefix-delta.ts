/** What a prefix changes. */

/** One token of the text, alone and after the prefix. */
export interface PrefixDeltaToken {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** Log-probability in nats without the prefix. */
  logprob_alone: number;
  /** Log-probability in nats after the prefix. */
  logprob_after: number;
  /** logprob_after - logprob_alone: above 0 where the prefix helps. */
  delta: number;
}

/** What the lens prefixDelta gives. */
export interface PrefixDeltaResult {
  /** The tokens of the text. */
  tokens: PrefixDeltaToken[];
  /** Log-probability of the text in nats without the prefix. */
  logprob_alone: number;
  /** Log-probability of the text in nats after the prefix. */
  logprob_after: number;
  /** The sum of the tokens' deltas. */
  delta: number;
}
