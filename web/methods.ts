/** The list of decoding methods: the package's entry `tokenglass/methods`. */
export type * from './types/methods.js';
export type { MethodName } from './methods/list.js';
export { methods } from './methods/list.js';
