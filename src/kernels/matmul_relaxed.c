/* The matrix products with relaxed SIMD: fused multiply-add, and the four-byte dot product where its second operand fits seven
 * bits. In: tiles and activations. Out: y, into the caller's memory. */
#ifdef __wasm_relaxed_simd__

#define MADD(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#define NAME(type)    tg_matmul_##type##__relaxed
#include "matmul_float.inc"

static inline __attribute__((always_inline)) void walk_q4_0(const tg_tile_q4_0 *tile, size_t n_blocks, const uint8_t *x,
                                                            size_t x_stride, const int tokens, float *y, size_t y_stride)
{
    v128_t sum[4];
    TG_UNROLL for (int t = 0; t < tokens; t++) sum[t] = wasm_f32x4_const_splat(0);
    for (size_t b = 0; b < n_blocks; b++, tile++, x += sizeof(tg_act_q8)) {
        v128_t low[4],
            high[4]; /* two chains of dots for each token; codes are stored with 8 added: start from -8 times their sum */
        TG_UNROLL for (int t = 0; t < tokens; t++)
        {
            const tg_act_q8 *block = (const tg_act_q8 *)(x + (size_t)t * x_stride);
            low[t] = wasm_i32x4_neg(wasm_i32x4_shl(wasm_v128_load32_splat(&block->sum), 3));
            high[t] = wasm_i32x4_const_splat(0);
        }
        TG_UNROLL for (int j = 0; j < 4; j++)
        {
            const v128_t pairs = wasm_v128_load(tile->qs[j]);
            const v128_t w_low = wasm_v128_and(pairs, wasm_i8x16_const_splat(15)), w_high = wasm_u8x16_shr(pairs, 4);
            TG_UNROLL for (int t = 0; t < tokens; t++)
            {
                const tg_act_q8 *block = (const tg_act_q8 *)(x + (size_t)t * x_stride);
                low[t] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load32_splat(block->q + 4 * j), w_low, low[t]);
                high[t] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load32_splat(block->q + 16 + 4 * j), w_high, high[t]);
            }
        }
        const v128_t d = tg_half4(tile->d);
        TG_UNROLL for (int t = 0; t < tokens; t++)
        {
            const v128_t scale = wasm_f32x4_mul(d, wasm_v128_load32_splat(&((const tg_act_q8 *)(x + (size_t)t * x_stride))->d));
            sum[t] = wasm_f32x4_relaxed_madd(wasm_f32x4_convert_i32x4(wasm_i32x4_add(low[t], high[t])), scale, sum[t]);
        }
    }
    TG_UNROLL for (int t = 0; t < tokens; t++) wasm_v128_store(y + (size_t)t * y_stride, sum[t]);
}

void tg_matmul_q4_0__relaxed(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last, const void *x, size_t x_stride,
                             size_t n_tokens, float *y, size_t y_stride)
{
    TG_WALK(walk_q4_0, tg_tile_q4_0)
}

#endif
