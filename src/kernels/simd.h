/* Shared by the vector kernels: constants, binary16 to float, and the loop of matmul over strips
 * and tokens. Only for builds with WebAssembly SIMD. */
#ifndef TG_SIMD_H
#define TG_SIMD_H

#include <stdint.h>
#include <wasm_simd128.h>

#include "kernels.h"

#define TG_ALWAYS_INLINE static inline __attribute__((always_inline))
#define TG_UNROLL        _Pragma("clang loop unroll(full)")
#define TG_NO_UNROLL     _Pragma("clang loop unroll(disable)")

/* A constant vector of four times x that V8 must load from memory at each use. When V8 knows the
 * value of a constant vector, V8 makes the vector again at each use. That takes three
 * instructions, and two of the three need the execution port of the shuffles. So the constants of
 * loops come from volatile memory (measured: matmul of small codes with one token is 1.4 to 2
 * times as fast from a near cache, swiglu and softmax 1.5 times). */
#define TG_OPAQUE_F32(x)                                                                           \
    __extension__({                                                                                \
        static const volatile __attribute__((vector_size(16))) float opaque = {x, x, x, x};        \
        (v128_t) opaque;                                                                           \
    })
#define TG_OPAQUE_I32(x)                                                                           \
    __extension__({                                                                                \
        static const volatile v128_t opaque = {x, x, x, x};                                        \
        opaque;                                                                                    \
    })

/* Loads through this pointer stay after this line and do not share their results with loads before
 * it. The compiler would keep such results for a later loop, V8 would have no registers for them,
 * and its spill slots on the stack may straddle cache lines, which is slow (measured: matmul of
 * Q4_0 with one token is 1.15 times as fast when each strip loads the activations again). */
#define TG_LOAD_AGAIN(pointer) __asm__ volatile("" : "+r"(pointer)::"memory")

/* A number whose value no compiler knows: to make a constant vector of, before a loop. */
static inline int tgi_opaque(int x)
{
    const volatile int opaque = x;
    return opaque;
}

/* Four binary16 -> four floats. Exact except for infinities and NaN, which weights do not have
 * (tgi_weights_feed refuses them). A CPU needs a hundred times as long for a subnormal
 * number, so this conversion is for elements of weights: few elements are subnormal. */
static inline v128_t tgi_half4(const void *halves)
{
    const v128_t bits = wasm_v128_and(wasm_i32x4_shl(wasm_i32x4_load16x4(halves), 13),
                                      TG_OPAQUE_I32((int)0x8fffe000));
    return wasm_f32x4_mul(bits, TG_OPAQUE_F32(0x1p112f));
}

/* The same conversion for scales of blocks. All scales of a tensor may be subnormal (the scales
 * of Q6_K and IQ4_XS usually are), so no instruction has a subnormal operand. The bits of a
 * binary16, shifted to where a float has them, become its value when 112 is added to the
 * exponent; if the binary16 is subnormal, when 113 is added and 2^-14 is subtracted from the
 * float. Of these two results, the wrong one is never the smaller one. */
typedef struct tg_scale_constants {
    v128_t magnitude, normal, subnormal, min_normal, sign;
} tg_scale_constants;

static inline tg_scale_constants tgi_scale_constants(void)
{
    return (tg_scale_constants){TG_OPAQUE_I32(0x0fffe000), TG_OPAQUE_I32(112 << 23),
                                TG_OPAQUE_I32(113 << 23), TG_OPAQUE_F32(0x1p-14f),
                                TG_OPAQUE_I32((int)0x80000000)};
}

static inline v128_t tgi_scale4(const tg_scale_constants *c, const void *halves)
{
    const v128_t half = wasm_i32x4_load16x4(halves),
                 bits = wasm_v128_and(wasm_i32x4_shl(half, 13), c->magnitude);
    const v128_t subnormal = wasm_f32x4_sub(wasm_i32x4_add(bits, c->subnormal), c->min_normal);
    return wasm_v128_or(wasm_f32x4_pmin(wasm_i32x4_add(bits, c->normal), subnormal),
                        wasm_v128_and(half, c->sign));
}

/* Activation block b of token t; tokens are x_stride bytes apart. */
static inline const tg_act_q8 *tgi_act_at(const uint8_t *x, size_t x_stride, int t, size_t b)
{
    return (const tg_act_q8 *)(x + (size_t)t * x_stride) + b;
}

/* Bytes of weights that are multiplied with all tokens before the next: with the activations of
 * four tokens they stay in the L1 cache. */
#define TG_PANEL_BYTES 20480

/* Multiplies `strips` strips of tiles with `tokens` tokens. The first strip begins at tile. An
 * always-inline function: its callers pass constants for strips and tokens, and its loops over them
 * unroll. It does the same additions for a row and a token whatever these constants are. */
typedef void tg_tiles_fn(const uint8_t *tile, size_t n_blocks, const uint8_t *x, size_t x_stride,
                         int strips, int tokens, float *y, size_t y_stride);

/* A matmul (tg_matmul_fn) made of calls of multiply: panel by panel of strips, with 4 tokens at a
 * time and then the tokens that are left. A single token takes two strips at a time, so that enough
 * sums are in progress at once, while the next two strips are read from memory; or one strip after
 * the other, where the processor reads ahead by itself. */
TG_ALWAYS_INLINE void tgi_matmul_panels(tg_tiles_fn *multiply, const size_t tile_bytes,
                                        const uint8_t *tiles, size_t n_blocks, size_t first,
                                        size_t last, const void *x, size_t x_stride,
                                        size_t n_tokens, float *y, size_t y_stride)
{
    const size_t strip_bytes = n_blocks * tile_bytes, fit = TG_PANEL_BYTES / strip_bytes;
    const size_t panel = n_tokens == 1 ? last - first : fit > 2 ? fit : 2;
    for (size_t begin = first; begin < last; begin += panel) {
        const size_t end = last - begin < panel ? last : begin + panel;
        const uint8_t *xt = x;
        float *yt = y;
        size_t t = 0;
        for (; t + 4 <= n_tokens; t += 4, xt += 4 * x_stride, yt += 4 * y_stride)
            for (size_t strip = begin; strip < end; strip++)
                multiply(tiles + strip * strip_bytes, n_blocks, xt, x_stride, 1, 4,
                         yt + strip * TG_TILE_ROWS, y_stride);
        if (t + 2 <= n_tokens) {
            const size_t left = n_tokens - t;
            for (size_t strip = begin; strip < end; strip++)
                if (left == 3)
                    multiply(tiles + strip * strip_bytes, n_blocks, xt, x_stride, 1, 3,
                             yt + strip * TG_TILE_ROWS, y_stride);
                else
                    multiply(tiles + strip * strip_bytes, n_blocks, xt, x_stride, 1, 2,
                             yt + strip * TG_TILE_ROWS, y_stride);
            t = n_tokens;
        }
        if (t < n_tokens) {
            size_t strip = begin;
            for (; strip + 2 <= end && tgi_must_prefetch; strip += 2) {
                const uint8_t *tile = tiles + strip * strip_bytes;
                if (n_tokens == 1 && strip + 4 <= end)
                    tgi_prefetch(tile + 2 * strip_bytes, 2 * strip_bytes);
                multiply(tile, n_blocks, xt, x_stride, 2, 1, yt + strip * TG_TILE_ROWS, y_stride);
            }
            for (; strip < end; strip++)
                multiply(tiles + strip * strip_bytes, n_blocks, xt, x_stride, 1, 1,
                         yt + strip * TG_TILE_ROWS, y_stride);
        }
    }
}

#endif
