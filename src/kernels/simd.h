/* What the vector kernels share: scales of a tile as floats, and the walk over strips and tokens. Only for builds with
 * WebAssembly SIMD. */
#ifndef TG_SIMD_H
#define TG_SIMD_H

#include <stdint.h>
#include <wasm_simd128.h>

#include "kernels.h"

/* four binary16 -> four floats, exactly as tg_half_to_float */
static inline v128_t tg_half4(const void *halves)
{
    const v128_t bits = wasm_u32x4_load16x4(halves);
    const v128_t magnitude = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_const_splat(0x7fff)), 13);
    const v128_t sign = wasm_i32x4_shl(wasm_v128_and(bits, wasm_i32x4_const_splat(0x8000)), 16);
    const v128_t special = wasm_i32x4_ge(magnitude, wasm_i32x4_const_splat(0x0f800000));
    const v128_t value = wasm_f32x4_mul(magnitude, wasm_f32x4_const_splat(0x1p112f));
    return wasm_v128_or(wasm_v128_or(value, sign), wasm_v128_and(special, wasm_i32x4_const_splat(0x7f800000)));
}

/* block `b` of token `t`, whose activations are rows of x_stride bytes */
static inline const tg_act_q8 *tg_act_at(const uint8_t *x, size_t x_stride, int t, size_t b)
{
    return (const tg_act_q8 *)(x + (size_t)t * x_stride) + b;
}

/* Calls walk(tile, n_blocks, x, x_stride, strips, tokens, y, y_stride): strip by strip with 4 tokens at a time while there are 4
 * and then with 1; a single token takes two strips at a time, so that enough sums are under way at once. walk is an inline
 * function whose loops over `strips` and `tokens` unroll, and it does the same additions for a row and a token in every case. */
#define TG_WALK(walk, tile_type)                                                                                                 \
    size_t strip = first;                                                                                                        \
    for (; n_tokens == 1 && strip + 2 <= last; strip += 2)                                                                       \
        walk((const tile_type *)tiles + strip * n_blocks, n_blocks, x, x_stride, 2, 1, y + strip * TG_TILE_ROWS, y_stride);      \
    for (; strip < last; strip++) {                                                                                              \
        const tile_type *tile = (const tile_type *)tiles + strip * n_blocks;                                                     \
        const uint8_t *xt = x;                                                                                                   \
        float *yt = y + strip * TG_TILE_ROWS;                                                                                    \
        size_t t = 0;                                                                                                            \
        for (; t + 4 <= n_tokens; t += 4, xt += 4 * x_stride, yt += 4 * y_stride)                                                \
            walk(tile, n_blocks, xt, x_stride, 1, 4, yt, y_stride);                                                              \
        for (; t < n_tokens; t++, xt += x_stride, yt += y_stride)                                                                \
            walk(tile, n_blocks, xt, x_stride, 1, 1, yt, y_stride);                                                              \
    }

#define TG_UNROLL _Pragma("clang loop unroll(full)")

#endif
