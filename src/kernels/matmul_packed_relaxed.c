/* The products with weights of TG_PACKED rows, with relaxed SIMD: fused multiply-add, and the
 * four-byte dot product. In: tiles and activations. Out: y, into the caller's memory. */
#ifdef __wasm_relaxed_simd__

#include <wasm_simd128.h>

#define MADD(a, b, c)         wasm_f32x4_relaxed_madd(a, b, c)
#define begin()               wasm_i32x4_const_splat(0)
#define add(chain, w, x)      wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load32_splat(x), w, chain)
#define total(a, b)           wasm_f32x4_convert_i32x4(wasm_i32x4_add(a, b))
#define look_up(table, codes) wasm_i8x16_relaxed_swizzle(table, codes)
typedef v128_t chain;
#include "matmul_packed.inc"

/* Codes of more than 127 with their offset are for a dot product whose second operand is unsigned;
 * where it is signed, they are taken as they are. */
#define MATMUL_SMALL(suffix, offset) CODED_MATMUL(suffix, relaxed, offset)
#define MATMUL_WIDE(suffix, offset)                                                                \
    CODED_MATMUL(suffix, relaxed_unsigned, offset)                                                 \
    CODED_MATMUL(suffix, relaxed_signed, 0)
#define TG_QUANT(...)
#define TG_PACKED(NAME, suffix, ggml, elements, bytes, bits, scales, mins, book, offset, divisor,  \
                  d, dot)                                                                          \
    MATMUL_##dot(suffix, offset)
#include "../quant/quant.def"
#undef TG_QUANT
#undef TG_PACKED

#endif
