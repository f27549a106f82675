/** Short-term memory for lists of nouns. */

/** What the second list is: the first one again, its nouns in another order, or other nouns. */
export type VerbatimCondition = 'repeat' | 'permute' | 'novel';

/** A text with two lists. */
export interface VerbatimStimulus {
  /** What its second list is. */
  condition: VerbatimCondition;
  /** The nouns of both lists. */
  lists: string[][];
  /** Surprisal of each noun of the first and of the second list, in nats. */
  surprisals: number[][];
  /** 100 * (mean surprisal in the second list) / (in the first), without the first nouns. */
  repeat_surprisal: number;
  /** (second - first) / (second + first): -1 to 1, below 0 when the second list is easier. */
  index: number;
}

/** All texts of one condition. */
export interface VerbatimSummary {
  /** What the second lists are. */
  condition: VerbatimCondition;
  /** How many texts there are. */
  n: number;
  /** Median of repeat_surprisal, in percent. */
  median: number;
  /** Lower end of its 95 % interval, from resampled texts. */
  low: number;
  /** Upper end of the same interval. */
  high: number;
  /** Mean of index. */
  mean_index: number;
  /** Mean surprisal in nats at each place of the first list and of the second list. */
  places: number[][];
}

/** What the lens verbatim gives. */
export interface VerbatimResult {
  /** One row for each condition. */
  conditions: VerbatimSummary[];
  /** Every text. */
  stimuli: VerbatimStimulus[];
}
