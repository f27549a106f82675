/* The kernels on vectors with relaxed SIMD: fused multiply-add. In: float vectors or pages of the
 * cache. Out: results into the caller's memory. */
#ifdef __wasm_relaxed_simd__

#define MADD(a, b, c)  wasm_f32x4_relaxed_madd(a, b, c)
#define NMADD(a, b, c) wasm_f32x4_relaxed_nmadd(a, b, c)
#define NAME(kernel)   tgi_##kernel##__relaxed
#include "vector_float.inc"

#endif
