/* The products with weights of TG_PACKED rows, with WebAssembly SIMD: the same bits as the scalar
 * reference. In: tiles and activations. Out: y, into the caller's memory. */
#ifdef __wasm_simd128__

#include <wasm_simd128.h>

/* Sums of 16-bit products: low holds rows 0 and 1 twice, high rows 2 and 3. */
typedef struct chain {
    v128_t low, high;
} chain;

static inline chain begin(void)
{
    return (chain){wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
}

static inline chain add(chain c, v128_t w, const int8_t *x)
{
    const v128_t v = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(x));
    c.low = wasm_i32x4_add(c.low, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(w), v));
    c.high = wasm_i32x4_add(c.high, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(w), v));
    return c;
}

static inline v128_t total(chain a, chain b)
{
    const v128_t low = wasm_i32x4_add(a.low, b.low), high = wasm_i32x4_add(a.high, b.high);
    return wasm_f32x4_convert_i32x4(wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6),
                                                   wasm_i32x4_shuffle(low, high, 1, 3, 5, 7)));
}

#define MADD(a, b, c)         wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
#define look_up(table, codes) wasm_i8x16_swizzle(table, codes)
#include "matmul_packed.inc"

/* a book's entries as they are; plain codes with their offset */
#define TG_QUANT(...)
#define TG_PACKED(NAME, suffix, ggml, elements, bytes, bits, scales, mins, book, offset, divisor,  \
                  d, dot)                                                                          \
    CODED_MATMUL(suffix, simd128, TG_##book ? 0 : (offset))
#include "../quant/quant.def"
#undef TG_QUANT
#undef TG_PACKED

#endif
