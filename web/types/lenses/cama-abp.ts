/** Where a model computes sums. */

/** A sum. */
export interface CamaSum {
  /** The prompt. */
  prompt: string;
  /** The right result. */
  result: number;
  /** The model's own next token, without any edit; a space before the result is given. */
  token: number;
  /** Whether the right result begins with this token. */
  solved: boolean;
}

/** What the lens camaAbp gives. */
export interface CamaAbpResult {
  /** The sums that were asked. */
  sums: CamaSum[];
  /** Share of solved sums. */
  accuracy: number;
  /** How many sums are compared: all of them, or those that are solved. */
  n_compared: number;
  /**
   * Share of next tokens that stay when the first w layers know nothing of the other tokens, by w
   * from 0 to n_layer; empty when no sum is compared.
   */
  waiting: number[];
  /** The largest w whose share is at least `keep`, with all smaller ones; NaN without sums. */
  wait: number;
  /**
   * Share of next tokens that stay with `wait` layers that wait and k layers that transfer, by k
   * from 0 to the first one that is enough, at most n_layer - wait.
   */
  transferring: number[];
  /** The smallest k whose share is at least `keep`; NaN when there is none. */
  transfer: number;
}
