/** The package's entry in Node, Deno and Bun: as index.ts, and a string may be a path. */
import { load } from './model.js';
import { node } from './platform-node.js';
import type { LoadOptions, Model, ModelSource } from './types.js';

export type * from './types.js';
export { TokenglassError } from './errors.js';
export { errorCodes, stages } from './generated.js';
export { exportTrace, importTrace } from './trace.js';
export type { Trace, TraceFile, TraceModel } from './trace.js';

/** Loads a model; it runs in a worker thread of its own unless `worker: false`. Rejects with a TokenglassError, or AbortError after options.signal. */
export const loadModel = (source: ModelSource, options?: LoadOptions): Promise<Model> => load(node, source, options);
