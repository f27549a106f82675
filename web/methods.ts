/**
 * The list of decoding methods, and how good votes are on average: the package's entry
 * `tokenglass/methods`.
 */
export type * from './types/methods.js';
export type { MethodName } from './methods/list.js';
export { methods } from './methods/list.js';
export { bestOfCurve, solutionEquivalents, voteCurve } from './methods/vote-count.js';
export type * from './types/vote.js';
