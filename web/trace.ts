/** Traces as files: the package's entry `tokenglass/trace`. */
export type { Trace, TraceFile } from './types/trace.js';
export { exportTrace, importTrace } from './api/trace.js';
