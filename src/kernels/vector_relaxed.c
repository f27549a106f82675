/* The vector kernels with relaxed SIMD: fused multiply-add. */
#ifdef __wasm_relaxed_simd__

#define MADD(a, b, c)  wasm_f32x4_relaxed_madd(a, b, c)
#define NMADD(a, b, c) wasm_f32x4_relaxed_nmadd(a, b, c)
#define NAME(kernel)   tgi_##kernel##__relaxed
#include "vector_float.inc"

#endif
