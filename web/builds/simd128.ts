/** The package with one build of the engine: a bundle contains no other wasm file. */
import { load } from '../api/load.js';
import { fileAt, host } from '../platform/host.js';
import type { EngineBuild, LoadOptions, Model, ModelSource } from '../types/types.js';

export * from '../api/entry.js';

const file = () => new URL('./tokenglass.simd128.wasm', import.meta.url);

/** The build `simd128`: for every runtime with WebAssembly SIMD. */
export const build: EngineBuild = {
  name: 'simd128',
  url: fileAt('tokenglass.simd128.wasm', file),
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
