/* Matmul with weights of packed types, with relaxed SIMD and the dot product of two bytes: on x86
 * without VNNI, that of four bytes is this one with four more instructions. */
#ifdef __wasm_relaxed_simd__

#include <wasm_simd128.h>

#include "simd.h"

/* Each row has two sums of 16 bits in `pairs`, and one of 32 bits in `sum`. Codes above 127 would
 * overflow: they are multiplied as two digits of 4 bits, which have pairs of their own. */
typedef struct dots {
    v128_t pairs[2], waiting[2], sum;
    int steps[2]; /* constants, once the loops are unrolled */
} dots;

static inline dots dots_zero(void)
{
    const v128_t zero = wasm_i32x4_const_splat(0);
    return (dots){{zero, zero}, {zero, zero}, zero, {0, 0}};
}

/* A saturating addition saturates nothing here. The compiler changes the order of plain additions:
 * it would compute all products first, and V8 has no registers for them. Every second addition is
 * a plain one, because it is the faster one. */
static inline dots dots_add(dots dot, int digit, v128_t w, const int8_t *x)
{
    const v128_t two = wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load32_splat(x), w);
    if (dot.steps[digit]++ % 2 == 0)
        dot.waiting[digit] = two;
    else
        dot.pairs[digit] =
            wasm_i16x8_add_sat(dot.pairs[digit], wasm_i16x8_add(dot.waiting[digit], two));
    return dot;
}

/* The pairs as sums of 32 bits, times 1 or 16. */
static inline v128_t fold_pairs(dots dot, int digit, v128_t factor)
{
    return wasm_i32x4_dot_i16x8(dot.steps[digit] == 1 ? dot.waiting[digit] : dot.pairs[digit],
                                factor);
}

static inline dots dots_fold(dots dot)
{
    dots folded = dots_zero();
    folded.sum = wasm_i32x4_add(dot.sum, fold_pairs(dot, 0, TG_OPAQUE_I32(0x00010001)));
    if (dot.steps[1])
        folded.sum = wasm_i32x4_add(folded.sum, fold_pairs(dot, 1, TG_OPAQUE_I32(0x00100010)));
    return folded;
}

static inline v128_t dots_total(dots a, dots b)
{
    return wasm_f32x4_convert_i32x4(wasm_i32x4_add(a.sum, b.sum));
}

/* A step adds at most 2 * 127 * largest to a sum of 16 bits. */
#define FOLD_STEPS(largest)                                                                        \
    ((largest) <= 16 || (largest) > 127 ? 8 : (largest) <= 32 ? 4 : (largest) <= 64 ? 2 : 1)
#define DIGITS(largest)       ((largest) > 127 ? 2 : 1)
#define CHAINS                1
#define STRIPS_AT_ONCE        1
#define MADD(a, b, c)         wasm_f32x4_relaxed_madd(a, b, c)
#define LOOK_UP(table, codes) wasm_i8x16_relaxed_swizzle(table, codes)
#include "matmul_packed.inc"

#define TG_PACKED(NAME, suffix, dot, ...)                                                          \
    MATMUL_PACKED(suffix, relaxed_pairs, tg_packed_##suffix.offset)
#include "../quant/packed.def"
#undef TG_PACKED

#endif
