/** The list of lenses: the package's entry `tokenglass/lenses`. */
export type * from './types/generated-lenses.js';
export type * from './types/lenses.js';
export type { LensName } from './lenses/list.js';
export { lenses } from './lenses/list.js';
export { kMeans } from './lenses/k-means.js';
export type { KMeansOptions, KMeansResult } from './lenses/k-means.js';
export { maskWeights } from './lenses/weight-masks.js';
