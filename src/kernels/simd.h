/* What the vector kernels share: scales of a tile as floats, and the walk over strips and tokens.
 * Only for builds with WebAssembly SIMD. */
#ifndef TG_SIMD_H
#define TG_SIMD_H

#include <stdint.h>
#include <wasm_simd128.h>

#include "kernels.h"

/* V8 makes a constant vector that it knows anew at every use, by three operations, two of them for
 * the one port that shuffles have. So constants of loops come from memory, where it does not look
 * (measured: products of small codes with one token are 1.4 to 2 times as fast from a near cache,
 * swiglu and softmax 1.5 times).
 *
 * Four times the same, read at each use: */
#define TG_KEPT_F32(x)                                                                             \
    __extension__({                                                                                \
        static const volatile __attribute__((vector_size(16))) float kept = {x, x, x, x};          \
        (v128_t) kept;                                                                             \
    })
#define TG_KEPT_I32(x)                                                                             \
    __extension__({                                                                                \
        static const volatile v128_t kept = {x, x, x, x};                                          \
        kept;                                                                                      \
    })

/* A number to make a vector of before a loop. */
static inline int tgi_kept(int x)
{
    const volatile int kept = x;
    return kept;
}

/* Four binary16 -> four floats, exactly, but for infinities and NaN, which weights do not have
 * (tgi_weights_feed sees to it). Subnormal ones take a processor a hundred times as long: for
 * elements of weights, of which few are. */
static inline v128_t tgi_half4(const void *halves)
{
    const v128_t bits = wasm_v128_and(wasm_i32x4_shl(wasm_i32x4_load16x4(halves), 13),
                                      TG_KEPT_I32((int)0x8fffe000));
    return wasm_f32x4_mul(bits, TG_KEPT_F32(0x1p112f));
}

/* The same for scales of blocks, of which all may be subnormal (those of Q6_K or IQ4_XS usually
 * are): no operation meets a subnormal number. As the bits of a float, a half is right when 112 is
 * added to its exponent, or, if it is subnormal, when 113 is and 2^-14 is then taken off; of the
 * two the wrong one is always greater, or the same. */
typedef struct tg_scaling {
    v128_t magnitude, normal, subnormal, least, sign;
} tg_scaling;

static inline tg_scaling tgi_scaling_begin(void)
{
    return (tg_scaling){TG_KEPT_I32(0x0fffe000), TG_KEPT_I32(112 << 23), TG_KEPT_I32(113 << 23),
                        TG_KEPT_F32(0x1p-14f), TG_KEPT_I32((int)0x80000000)};
}

static inline v128_t tgi_scale4(const tg_scaling *c, const void *halves)
{
    const v128_t half = wasm_i32x4_load16x4(halves),
                 bits = wasm_v128_and(wasm_i32x4_shl(half, 13), c->magnitude);
    const v128_t subnormal = wasm_f32x4_sub(wasm_i32x4_add(bits, c->subnormal), c->least);
    return wasm_v128_or(wasm_f32x4_pmin(wasm_i32x4_add(bits, c->normal), subnormal),
                        wasm_v128_and(half, c->sign));
}

/* block `b` of token `t`, whose activations are rows of x_stride bytes */
static inline const tg_act_q8 *tgi_act_at(const uint8_t *x, size_t x_stride, int t, size_t b)
{
    return (const tg_act_q8 *)(x + (size_t)t * x_stride) + b;
}

/* Bytes of weights that are taken against all tokens before the next: with the activations of four
 * tokens they stay in the nearest cache. */
#define TG_PANEL_BYTES 20480

/* Calls walk(tile, n_blocks, x, x_stride, strips, tokens, y, y_stride) for all strips and tokens:
 * panel by panel of strips with 4 tokens at a time while there are 4 and then with those that are
 * left; a single token takes two strips at a time, so that enough sums are under way at once, while
 * the next two come from memory. walk is an inline function whose loops over `strips` and `tokens`
 * unroll, and it does the same additions for a row and a token in every case. */
#define TG_WALK(walk, tile_type)                                                                   \
    const size_t strip_bytes = n_blocks * sizeof(tile_type), fit = TG_PANEL_BYTES / strip_bytes;   \
    const size_t panel = n_tokens == 1 ? last - first : fit > 2 ? fit : 2;                         \
    for (size_t begin = first; begin < last; begin += panel) {                                     \
        const size_t end = last - begin < panel ? last : begin + panel;                            \
        const uint8_t *xt = x;                                                                     \
        float *yt = y;                                                                             \
        size_t t = 0;                                                                              \
        for (; t + 4 <= n_tokens; t += 4, xt += 4 * x_stride, yt += 4 * y_stride)                  \
            for (size_t strip = begin; strip < end; strip++)                                       \
                walk((const tile_type *)tiles + strip * n_blocks, n_blocks, xt, x_stride, 1, 4,    \
                     yt + strip * TG_TILE_ROWS, y_stride);                                         \
        if (t + 2 <= n_tokens) {                                                                   \
            const size_t rest = n_tokens - t;                                                      \
            for (size_t strip = begin; strip < end; strip++)                                       \
                if (rest == 3)                                                                     \
                    walk((const tile_type *)tiles + strip * n_blocks, n_blocks, xt, x_stride, 1,   \
                         3, yt + strip * TG_TILE_ROWS, y_stride);                                  \
                else                                                                               \
                    walk((const tile_type *)tiles + strip * n_blocks, n_blocks, xt, x_stride, 1,   \
                         2, yt + strip * TG_TILE_ROWS, y_stride);                                  \
            t = n_tokens;                                                                          \
        }                                                                                          \
        if (t < n_tokens) {                                                                        \
            size_t strip = begin;                                                                  \
            for (; strip + 2 <= end; strip += 2) {                                                 \
                const tile_type *tile = (const tile_type *)tiles + strip * n_blocks;               \
                if (n_tokens == 1 && strip + 4 <= end)                                             \
                    tgi_touch(tile + 2 * n_blocks, 2 * strip_bytes);                               \
                walk(tile, n_blocks, xt, x_stride, 2, 1, yt + strip * TG_TILE_ROWS, y_stride);     \
            }                                                                                      \
            if (strip < end)                                                                       \
                walk((const tile_type *)tiles + strip * n_blocks, n_blocks, xt, x_stride, 1, 1,    \
                     yt + strip * TG_TILE_ROWS, y_stride);                                         \
        }                                                                                          \
    }

#define TG_UNROLL _Pragma("clang loop unroll(full)")

#endif
