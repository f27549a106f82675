/** The package's entry in Node, Deno and Bun: as index.ts, and a string may be a path. */
import { load } from './api/model.js';
import { node } from './platform/node.js';
import type { LoadOptions, Model, ModelSource } from './types/types.js';

export type * from './types/types.js';
export { TokenglassError } from './types/errors.js';
export { errorCodes, stages } from './types/generated.js';
export { fetchModel } from './platform/sources.js';
export { exportTrace, importTrace } from './api/trace.js';
export type { Trace, TraceFile, TraceModel } from './api/trace.js';

/** Loads a model; it runs in a worker thread of its own unless `worker: false`. Rejects with a TokenglassError, or AbortError after options.signal. */
export const loadModel = (source: ModelSource, options?: LoadOptions): Promise<Model> =>
  load(node, source, options);
