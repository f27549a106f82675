/** The package's entry in browsers: in, a model's source; out, a model. */
import { load } from './api/model.js';
import { browser } from './platform/platform.js';
import type { LoadOptions, Model, ModelSource } from './types/types.js';

export type * from './types/types.js';
export { TokenglassError } from './types/errors.js';
export { errorCodes, stages } from './types/generated.js';
export { fetchModel } from './platform/sources.js';
export { exportTrace, importTrace } from './api/trace.js';
export type { Trace, TraceFile, TraceModel } from './api/trace.js';

/** Loads a model; it runs in a worker of its own unless `worker: false`. Rejects with a TokenglassError, or AbortError after options.signal. */
export const loadModel = (source: ModelSource, options?: LoadOptions): Promise<Model> =>
  load(browser, source, options);
