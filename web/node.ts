/** The package's entry in Node, Deno and Bun: like index.ts, and a string may be a path. */
import { load } from './api/model.js';
import { node } from './platform/node.js';
import type { LoadOptions, Model, ModelSource } from './types/types.js';

export type * from './types/types.js';
export type { TokenglassErrorOptions } from './types/errors.js';
export { TokenglassError } from './types/errors.js';
export { errorCodes, stages } from './types/generated.js';
export { fetchModel } from './api/fetch-model.js';
export { exportTrace, importTrace } from './api/trace.js';

/**
 * Loads a model. The model runs in a worker of its own unless you pass `worker: false`. Rejects
 * with INVALID_ARGUMENT for a bad option, with the SOURCE_, GGUF_, MODEL_ and TOKENIZER_ codes for
 * a file that cannot be read, with OUT_OF_MEMORY, and with the ENGINE_ codes and WORKER_FAILED.
 * @example
 * const story = await loadModel('storybook', {
 *   n_ctx: 512,
 *   on_progress: ({ loaded, total }) => console.log(loaded, total),
 * });
 */
export function loadModel(source: ModelSource, options?: LoadOptions): Promise<Model> {
  return load(node, source, options);
}
