/** The files beside the package's modules, named in the form that bundlers recognize and copy. */
import type { KernelVariant } from '../types/types.js';

/** A wasm file: a kernel variant without or with threads. */
export type Build = KernelVariant | `${KernelVariant}.threads`;

/** The URL of each wasm file. */
export const builds: Record<Build, string> = {
  simd128: new URL('./tokenglass.simd128.wasm', import.meta.url).href,
  relaxed: new URL('./tokenglass.relaxed.wasm', import.meta.url).href,
  'simd128.threads': new URL('./tokenglass.simd128.threads.wasm', import.meta.url).href,
  'relaxed.threads': new URL('./tokenglass.relaxed.threads.wasm', import.meta.url).href,
};

/** The URL of the built-in model. */
export const storybook = new URL('./storybook-q8_0.gguf', import.meta.url).href;
