/* Matmul with weights of packed types, with relaxed SIMD: fused multiply-add and the dot product of
 * four bytes. */
#ifdef __wasm_relaxed_simd__

#include <wasm_simd128.h>

typedef v128_t dots;

static inline dots dots_zero(void)
{
    return wasm_i32x4_const_splat(0);
}

static inline dots dots_add(dots sum, int digit, v128_t w, const int8_t *x)
{
    (void)digit;
    return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load32_splat(x), w, sum);
}

static inline dots dots_fold(dots sum)
{
    return sum; /* 32-bit sums have room */
}

static inline v128_t dots_total(dots a, dots b)
{
    return wasm_f32x4_convert_i32x4(wasm_i32x4_add(a, b));
}

#define FOLD_STEPS(largest)   ((largest) ? 8 : 0)
#define DIGITS(largest)       ((largest) ? 1 : 0)
#define CHAINS                2
#define STRIPS_AT_ONCE        2
#define MADD(a, b, c)         wasm_f32x4_relaxed_madd(a, b, c)
#define LOOK_UP(table, codes) wasm_i8x16_relaxed_swizzle(table, codes)
#include "matmul_packed.inc"

/* SMALL codes, with their offset added, suit every relaxed dot product. WIDE codes with their
 * offset suit a dot product whose second operand is unsigned; if it is signed, the codes are taken
 * without an offset. */
#define MATMUL_SMALL(suffix) MATMUL_PACKED(suffix, relaxed, tg_packed_##suffix.offset)
#define MATMUL_WIDE(suffix)                                                                        \
    MATMUL_PACKED(suffix, relaxed_unsigned, tg_packed_##suffix.offset)                             \
    MATMUL_PACKED(suffix, relaxed_signed, 0)
#define TG_PACKED(NAME, suffix, dot, ...) MATMUL_##dot(suffix)
#include "../quant/packed.def"
#undef TG_PACKED

#endif
