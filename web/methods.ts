/**
 * The list of decoding methods, and how good votes are on average: the package's entry
 * `tokenglass/methods`.
 */
export type * from './types/methods.js';
export type { MethodName } from './methods/list.js';
export { methods } from './methods/list.js';
export { bestOfCurve, solutionEquivalents, voteCurve } from './methods/vote-count.js';
export type * from './types/vote.js';
export { embedPrepended, prependSettings } from './methods/prepend.js';
export { tokensOfVector } from './methods/text2token.js';
export type * from './types/prepend.js';
export { searchActHeads } from './methods/act-heads.js';
export type * from './types/attention-edits.js';
export type { SpattenSchedule } from './types/spatten-schedule.js';
export { spattenSchedule } from './types/spatten-schedule.js';
