/**
 * The list of lenses, and what of them works on scores and observations that a program has already:
 * the package's entry `tokenglass/lenses`.
 */
export type * from './types/generated-lenses.js';
export type * from './types/lenses.js';
export type { LensName } from './lenses/list.js';
export { lenses } from './lenses/list.js';
export { adjacentLayers } from './lenses/adjacent-cosine.js';
export { logitLensOf } from './lenses/logit-lens.js';
export { ngramPredictions } from './lenses/ngram-heads.js';
export type { NgramPrediction } from './lenses/ngram-heads.js';
export { pawnSummary, pawnToken } from './lenses/pawn.js';
export { kMeans } from './lenses/k-means.js';
export type { KMeansOptions, KMeansResult } from './lenses/k-means.js';
export { maskWeights } from './lenses/weight-masks.js';
