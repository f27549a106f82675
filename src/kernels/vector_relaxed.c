/* The kernels on vectors with relaxed SIMD: fused multiply-add. In: pages of the cache. Out: results into the caller's memory. */
#ifdef __wasm_relaxed_simd__

#include "simd.h"

#define MADD(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#define NAME(type)    tg_values_##type##__relaxed
#include "values.inc"

#endif
