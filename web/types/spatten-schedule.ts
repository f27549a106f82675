/** The shares of tokens and of heads that SpAtten leaves in each layer. */

/** Where the shares of the published workload change: GPT-2 medium, 24 layers. */
const TOKENS = [
  [2, 1],
  [3, 0.9],
  [5, 0.8],
  [11, 0.6],
  [24, 0.3],
] as const;
const HEADS = [
  [16, 1],
  [22, 13 / 16],
  [24, 10 / 16],
] as const;
const LAYERS = 24;

/** The shares of each layer. */
export interface SpattenSchedule {
  /** Of tokens. */
  tokens: number[];
  /** Of heads. */
  heads: number[];
}

/**
 * The published shares, stretched to a model of n_layer layers.
 * @example
 * const { tokens, heads } = spattenSchedule(model.info.n_layer);
 */
export function spattenSchedule(n_layer: number): SpattenSchedule {
  const shares = (table: readonly (readonly [end: number, share: number])[]) =>
    Array.from({ length: n_layer }, (_, i) => {
      const layer = Math.floor((i * LAYERS) / n_layer);
      return table.find(([end]) => layer < end)![1];
    });
  return { tokens: shares(TOKENS), heads: shares(HEADS) };
}
