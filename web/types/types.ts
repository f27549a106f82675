/** The public types, one module for each part of the API. */
export type * from './beam-search.js';
export type * from './common.js';
export type * from './completions.js';
export type * from './decide.js';
export type * from './generated-lenses.js';
export type * from './grammar.js';
export type * from './lenses.js';
export type * from './methods.js';
export type * from './model.js';
export type * from './navigate.js';
export type * from './preview.js';
export type * from './sampling.js';
export type * from './score.js';
export type * from './session.js';
export type * from './speculation.js';
export type * from './trace.js';
export type * from './vote.js';
