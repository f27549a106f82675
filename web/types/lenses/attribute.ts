/** Which words of a text moved the probability of a target. */

/** A part of the text: a token or a word. */
export interface AttributedPart {
  /** Its text. */
  text: string;
  /** Index of its first byte in the UTF-8 text. */
  start: number;
  /** Index after its last byte. */
  end: number;
  /** The positions of its tokens. */
  positions: number[];
  /** Log-probability of the target in nats when no later position sees these positions. */
  hidden_logprob: number;
  /** target_logprob - hidden_logprob: above 0 when the part raised the probability. */
  hidden_effect: number;
  /** Log-probability of the target in nats when these tokens are not in the text at all. */
  removed_logprob: number;
  /** target_logprob - removed_logprob. */
  removed_effect: number;
}

/** What attribute gives. */
export interface AttributeResult {
  /** The target. */
  target: string;
  /** The ids of its tokens. */
  target_tokens: number[];
  /** Log-probability of the target after the whole text, in nats. */
  target_logprob: number;
  /** The parts of the text in their order. */
  parts: AttributedPart[];
}
