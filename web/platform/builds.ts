/** The builds of the engine: a wasm file for each. */
import type { BuildName, EngineBuild } from '../types/types.js';

export const buildNames = [
  'simd128',
  'relaxed',
  'simd128.threads',
  'relaxed.threads',
] as const satisfies readonly BuildName[];

/** The name of a build's wasm file. */
export const fileOf = (name: BuildName) => `tokenglass.${name}.wasm` as const;

/** The addresses of some builds. */
export type BuildUrls = Partial<Record<BuildName, string>>;

export const urlsOf = (builds: readonly EngineBuild[]): BuildUrls =>
  Object.fromEntries(builds.map(({ name, url }) => [name, url]));
