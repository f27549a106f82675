/**
 * Written by wasm/toolchain/generate.mjs from the lists of src/ and wasm/ (*.def). Change the
 * lists, not this file.
 */

/**
 * The types in which keys and values can be cached (kv_types.def). The index is the number in C.
 */
export type CacheTypeName = 'f32' | 'f16' | 'q8_0';

/** All values of CacheTypeName, in the order of the list. */
export const cacheTypes: readonly CacheTypeName[] = ['f32', 'f16', 'q8_0'];

/** The kernel variants (kernels.def). The first, scalar, is the reference. */
export type KernelVariantName = 'scalar' | 'simd128' | 'relaxed';

/** All values of KernelVariantName, in the order of the list. */
export const kernelVariants: readonly KernelVariantName[] = ['scalar', 'simd128', 'relaxed'];

/** TG_MAX_THREADS in C. */
export const MAX_THREADS = 64;
