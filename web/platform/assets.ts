/** The files that lie beside the package's modules, each named in the form that bundlers recognize and carry along. */
import type { KernelVariant } from '../types/types.js';

/** A kernel variant, without and with threads. */
export type Build = KernelVariant | `${KernelVariant}.threads`;

export const builds: Record<Build, string> = {
  simd128: new URL('./tokenglass.simd128.wasm', import.meta.url).href,
  relaxed: new URL('./tokenglass.relaxed.wasm', import.meta.url).href,
  'simd128.threads': new URL('./tokenglass.simd128.threads.wasm', import.meta.url).href,
  'relaxed.threads': new URL('./tokenglass.relaxed.threads.wasm', import.meta.url).href,
};

/** The built-in model. */
export const storybook = new URL('./storybook-q8_0.gguf', import.meta.url).href;
