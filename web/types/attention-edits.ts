/**
 * Methods on attention as edits of a session: which keys a step reads, and what weights rows have.
 * They last over the steps of the session. Results do not depend on batches, forks or evictions.
 */
import type { NumberList } from './common.js';

/** What edits share that tell the prompt from the steps after it. */
export interface EditWithPrompt {
  /**
   * How many positions are the prompt. Steps begin after them. Default: those that the session has
   * when it first runs.
   */
  prompt?: number;
}

/**
 * Recycled Attention (Xu et al. 2024): the prompt runs as it is. After it most steps read only the
 * k keys of each key-value head to which an earlier step attended most; full steps read all keys
 * and choose again. Memory does not shrink. Details are reconstructed.
 */
export interface RecycledEdit extends EditWithPrompt {
  /** The method. */
  type: 'recycled';
  /** Default: 'all' that have attention. */
  layers?: NumberList;
  /** Keys that a recycling step reads besides its own. Default: an eighth of n_ctx, at least 64. */
  k?: number;
  /**
   * One step in `every` reads all keys, 1 to 2147483647; not beside `dynamic`. Default: 16.
   */
  every?: number;
  /** The queries decide, layer by layer, which step is a full one. */
  dynamic?: RecycledDynamic;
  /**
   * How query heads that share keys choose: by the sum of their weights, or by the largest one.
   * Default: 'sum'.
   */
  group?: 'sum' | 'max';
}

/** When a query is far from that of the latest full step, the step becomes a full one. */
export interface RecycledDynamic {
  /** One step in `check` compares its query. Default: 5. */
  check?: number;
  /** The cosine, -2 to 2, below which a step is full. Default: 0.8. */
  threshold?: number;
}

/**
 * SpAtten (Wang et al. 2020): the prompt runs as it is. Every step after it begins with all tokens
 * and heads; from layer to layer only the most important ones are left, by the attention that they
 * had so far. The first step keeps all tokens.
 */
export interface SpattenEdit extends EditWithPrompt {
  /** The method. */
  type: 'spatten';
  /**
   * For each layer the share of tokens that it reads, 0 to 1. Default: the published shares of
   * GPT-2 medium, stretched to the model's layers: 1, then 0.9, 0.8, 0.6 and 0.3.
   */
  tokens?: readonly number[];
  /**
   * For each layer the share of heads that run, 0 to 1. Heads that share keys are pruned together.
   * Default: the published shares: 1, then 13/16 and 10/16.
   */
  heads?: readonly number[];
  /** The share of a row's weights that are used, 0 to 1; the others count as 0. Default: 0.3. */
  values?: number;
  /** How many of the first positions are never pruned, 0 to 2147483647. Default: 1. */
  first?: number;
  /**
   * How many of the last positions, the step's own included, are never pruned, 1 to 2147483647.
   * Recent tokens have had little attention yet. Default: 1.
   */
  recent?: number;
  /** Scores from few bits of the keys. Default: all bits. */
  key_bits?: SpattenKeyBits;
}

/** Progressive quantization of keys. */
export interface SpattenKeyBits {
  /** Bits of a key that every row reads, sign included, 2 to 16. */
  high: number;
  /** Further bits for rows without a clear maximum. Default: all bits of the cache. */
  low?: number;
  /** The largest weight from which a row is content with the high bits, 0 to 1. Default: 0.05. */
  tau?: number;
}

/**
 * Attention calibration (ACT, Yu et al. 2024): takes weight from attention sinks, columns whose
 * mean weight is above theta, except the first one, and gives it to the other keys of the row.
 */
export interface ActEdit extends EditWithPrompt {
  /** The method. */
  type: 'act';
  /** Default: all except the first two and the last one, as published. */
  layers?: NumberList;
  /** Query heads. Default: 'all'; searchActHeads finds those that help. */
  heads?: NumberList;
  /** What the weights of sinks are multiplied by, 0 to 1. Default: 0.4. */
  beta?: number;
  /** Columns with a mean above it are sinks, 0 to 1. Default: 0.1. */
  theta?: number;
  /**
   * 'prompt': sinks are found in the rows of the whole prompt, as published; the prompt runs two or
   * more times. 'running': in the rows so far, for each row again. Default: 'prompt'.
   */
  sinks?: 'prompt' | 'running';
}

/** What the edit `recycled` has done, summed over layers and key-value heads. */
export interface RecycledCounts {
  /** The method. */
  type: 'recycled';
  /** Keys that the steps read. */
  keys: number;
  /** Keys that full attention would have read in these steps. */
  all_keys: number;
  /** Steps that read all keys. */
  full_steps: number;
  /** All steps. */
  steps: number;
  /** The share of the true largest keys that full steps found in the set; NaN before any. */
  overlap: number;
}

/** What the edit `spatten` has done, summed over layers and key-value heads. */
export interface SpattenCounts {
  /** The method. */
  type: 'spatten';
  /** Keys that the steps read. */
  keys: number;
  /** Keys that full attention would have read in these steps. */
  all_keys: number;
  /** Values that the steps read. */
  values: number;
  /** Query heads that ran. */
  heads: number;
  /** Query heads that would have run without pruning. */
  all_heads: number;
  /** Rows of query heads whose scores needed the low bits of the keys. */
  low_bit_rows: number;
  /** Rows of query heads that ran with key_bits. */
  key_bit_rows: number;
}

/** What the edit `act` has done, summed over layers and query heads. */
export interface ActCounts {
  /** The method. */
  type: 'act';
  /** Rows that were calibrated. */
  rows: number;
  /** All rows. */
  all_rows: number;
  /** How often the prompt has run. */
  passes: number;
}

/** What an edit with counts has done since the session's first token. */
export type EditCounts = RecycledCounts | SpattenCounts | ActCounts;

/** An example for searchActHeads. */
export interface ActExample {
  /** What comes before the label. */
  prompt: string | readonly number[];
  /** The labels: token ids, or texts. The last token of a text counts. */
  labels: readonly (string | number)[];
  /** The index of the right one. */
  correct: number;
}

/** How many examples an edit gets right. */
export interface ActAccuracy {
  /** How many labels were right. */
  correct: number;
  /** correct / the number of examples. */
  accuracy: number;
  /** The mean probability of the right label among the labels. */
  p_correct: number;
}

/** A head alone under the edit. */
export interface ActHeadScore extends ActAccuracy {
  /** The layer. */
  layer: number;
  /** The query head. */
  head: number;
  /** Whether it gets more examples right than the plain model. */
  kept: boolean;
}

/** What searchActHeads found. */
export interface ActHeadSearch {
  /** The plain model. */
  plain: ActAccuracy;
  /** Each head alone, by layer and head. */
  heads: ActHeadScore[];
  /** The edits with the heads that are kept, one for each layer; empty: no head helps. */
  edits: ActEdit[];
  /** With all of these edits together. */
  together: ActAccuracy;
}
