/** How alike neighbouring positions are. */

/** One boundary. */
export interface AdjacentCosineLayer {
  /** The boundary: 0 after the embeddings, n_layer before the last norm. */
  layer: number;
  /** The cosine of each position with the one before it; the first is that of the second token. */
  cosines: number[];
  /** Their mean without the first, since the vector of a text's first token is often far off. */
  mean: number;
  /** The mean absolute difference of neighbouring cosines: how abruptly the vectors vary. */
  roughness: number;
}

/** What the lens adjacentCosine gives. */
export interface AdjacentCosineResult {
  /** The tokens of the text for display. */
  tokens: string[];
  /** The boundaries in ascending order. */
  layers: AdjacentCosineLayer[];
}
