/** The package's main entry: the API with all builds of the engine. */
import { load } from './api/load.js';
import { builds } from './builds/all.js';
import { host } from './platform/host.js';
import type { LoadOptions, Model, ModelSource } from './types/types.js';

export * from './api/entry.js';

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
  return load(host, builds, source, options);
}
