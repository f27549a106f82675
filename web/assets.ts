/** The files that lie beside the package's modules, each named in the form that bundlers recognize and carry along. */
import type { KernelVariant } from './types.js';

export const builds: Record<KernelVariant, string> = {
  simd128: new URL('./tokenglass.simd128.wasm', import.meta.url).href,
  relaxed: new URL('./tokenglass.relaxed.wasm', import.meta.url).href,
};

/** The built-in model. */
export const storybook = new URL('./storybook-q8_0.gguf', import.meta.url).href;
