/* Matmul with weights of packed types, with relaxed SIMD and the dot product of two bytes: on x86
 * without VNNI, that of four bytes is this one with four more instructions. */
#ifdef __wasm_relaxed_simd__

#include <wasm_simd128.h>

#include "simd.h"

/* Each row has two sums of 16 bits in `pairs`, and one of 32 bits. */
typedef struct dots {
    v128_t pairs, sum;
} dots;

static inline dots dots_zero(void)
{
    return (dots){wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
}

static inline dots dots_add(dots dot, v128_t w, const int8_t *x)
{
    dot.pairs =
        wasm_i16x8_add(dot.pairs, wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load32_splat(x), w));
    return dot;
}

static inline dots dots_fold(dots dot)
{
    const v128_t ones = TG_OPAQUE_I32(0x00010001);
    return (dots){wasm_i32x4_const_splat(0),
                  wasm_i32x4_add(dot.sum, wasm_i32x4_dot_i16x8(dot.pairs, ones))};
}

static inline v128_t dots_total(dots a, dots b)
{
    return wasm_f32x4_convert_i32x4(wasm_i32x4_add(a.sum, b.sum));
}

/* A step adds at most 2 * 127 * largest to a sum of 16 bits. */
#define FOLD_STEPS(largest)   ((largest) <= 32 ? 4 : (largest) <= 64 ? 2 : 1)
#define MADD(a, b, c)         wasm_f32x4_relaxed_madd(a, b, c)
#define LOOK_UP(table, codes) wasm_i8x16_relaxed_swizzle(table, codes)
#include "matmul_packed.inc"

#define MATMUL_SMALL(suffix)              MATMUL_PACKED(suffix, relaxed_pairs, tg_packed_##suffix.offset)
#define MATMUL_WIDE(suffix)               /* such codes overflow */
#define TG_PACKED(NAME, suffix, dot, ...) MATMUL_##dot(suffix)
#include "../quant/packed.def"
#undef TG_PACKED

#endif
