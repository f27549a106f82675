/** One set in all orders. */

/** The set in one order. */
export interface SetOrder {
  /** The index of the item in each place. */
  order: number[];
  /** The items in this order, with what is before, between and after them. */
  text: string;
  /** Log-probability in nats of the text behind `before`. */
  logprob: number;
  /** Log-probability in nats of the item in each place, with the separator before it. */
  item_logprobs: number[];
  /** Log-probability in nats of the target after the text; undefined without a target. */
  target_logprob?: number;
}

/** What the lens setOrder gives. */
export interface SetOrderResult {
  /** All orders, the most probable first. */
  orders: SetOrder[];
  /** The difference in nats between the most and the least probable order. */
  spread: number;
  /** The same for the target; undefined without a target. */
  target_spread?: number;
  /** Log-probability in nats of the set in any order: the probabilities of all orders added up. */
  logprob_any: number;
}
