/** The package with one build of the engine: a bundle contains no other wasm file. */
import { load } from '../api/load.js';
import { fileAt, host } from '../platform/host.js';
import type { EngineBuild, LoadOptions, Model, ModelSource } from '../types/types.js';

export * from '../api/entry.js';

const file = () => new URL('./tokenglass.relaxed.threads.wasm', import.meta.url);

/** The build `relaxed.threads`: with threads, relaxed SIMD and shared memory. */
export const build: EngineBuild = {
  name: 'relaxed.threads',
  url: fileAt('tokenglass.relaxed.threads.wasm', file),
};

/**
 * loadModel of the package's main entry with this build, or with the builds that the option
 * `builds` names. Rejects with the same codes.
 * @example
 * const story = await loadModel('storybook', { n_ctx: 512 });
 */
export function loadModel(source: ModelSource, options?: LoadOptions): Promise<Model> {
  return load(host, [build], source, options);
}
