/* Matmul with weights of packed types, with WebAssembly SIMD: the same bits as the scalar
 * reference. */
#if defined(__wasm_simd128__) && !defined(__wasm_relaxed_simd__)

#include <wasm_simd128.h>

/* Sums of 16-bit products: two sums for each row, those of rows 0 and 1 in low, 2 and 3 in high. */
typedef struct dots {
    v128_t low, high;
} dots;

static inline dots dots_zero(void)
{
    return (dots){wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
}

static inline dots dots_add(dots sum, int digit, v128_t w, const int8_t *x)
{
    (void)digit;
    const v128_t v = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(x));
    sum.low = wasm_i32x4_add(sum.low, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(w), v));
    sum.high = wasm_i32x4_add(sum.high, wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(w), v));
    return sum;
}

static inline dots dots_fold(dots sum)
{
    return sum; /* 32-bit sums have room */
}

static inline v128_t dots_total(dots a, dots b)
{
    const v128_t low = wasm_i32x4_add(a.low, b.low), high = wasm_i32x4_add(a.high, b.high);
    return wasm_f32x4_convert_i32x4(wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6),
                                                   wasm_i32x4_shuffle(low, high, 1, 3, 5, 7)));
}

#define FOLD_STEPS(largest)   ((largest) ? 8 : 0)
#define DIGITS(largest)       ((largest) ? 1 : 0)
#define CHAINS                2
#define STRIPS_AT_ONCE        2
#define MADD(a, b, c)         wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
#define LOOK_UP(table, codes) wasm_i8x16_swizzle(table, codes)
#include "matmul_packed.inc"

/* values of a codebook are taken without an offset, plain codes with theirs */
#define TG_PACKED(NAME, suffix, dot, ...)                                                          \
    MATMUL_PACKED(suffix, simd128, tg_packed_##suffix.codebook ? 0 : tg_packed_##suffix.offset)
#include "../quant/packed.def"
#undef TG_PACKED

#endif
