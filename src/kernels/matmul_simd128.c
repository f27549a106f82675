/* The matrix products with WebAssembly SIMD: the same bits as the scalar reference. In: tiles and activations. Out: y, into the
 * caller's memory. */
#ifdef __wasm_simd128__

#define MADD(a, b, c) wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
#define NAME(type)    tg_matmul_##type##__simd128
#include "matmul_float.inc"

/* The four rows' sums of 16-bit products, from the two halves of a tile vector: low holds rows 0 and 1 twice, high rows 2 and 3.
 */
static inline v128_t fold_rows(v128_t low, v128_t high)
{
    return wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), wasm_i32x4_shuffle(low, high, 1, 3, 5, 7));
}

/* four signed bytes, widened, for rows 0 and 1 (or 2 and 3) */
static inline v128_t widen_splat(const int8_t *four)
{
    return wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(four));
}

static inline __attribute__((always_inline)) void walk_q8_0(const tg_tile_q8_0 *tile, size_t n_blocks, const uint8_t *x,
                                                            size_t x_stride, const int tokens, float *y, size_t y_stride)
{
    v128_t sum[4];
    TG_UNROLL for (int t = 0; t < tokens; t++) sum[t] = wasm_f32x4_const_splat(0);
    for (size_t b = 0; b < n_blocks; b++, tile++, x += sizeof(tg_act_q8)) {
        v128_t low[4], high[4];
        TG_UNROLL for (int t = 0; t < tokens; t++) low[t] = high[t] = wasm_i32x4_const_splat(0);
        TG_UNROLL for (int j = 0; j < 8; j++)
        {
            const v128_t w = wasm_v128_load(tile->qs[j]);
            const v128_t w_low = wasm_i16x8_extend_low_i8x16(w), w_high = wasm_i16x8_extend_high_i8x16(w);
            TG_UNROLL for (int t = 0; t < tokens; t++)
            {
                const v128_t v = widen_splat(((const tg_act_q8 *)(x + (size_t)t * x_stride))->q + 4 * j);
                low[t] = wasm_i32x4_add(low[t], wasm_i32x4_dot_i16x8(w_low, v));
                high[t] = wasm_i32x4_add(high[t], wasm_i32x4_dot_i16x8(w_high, v));
            }
        }
        const v128_t d = tg_half4(tile->d);
        TG_UNROLL for (int t = 0; t < tokens; t++)
        {
            const v128_t scale = wasm_f32x4_mul(d, wasm_v128_load32_splat(&((const tg_act_q8 *)(x + (size_t)t * x_stride))->d));
            sum[t] = wasm_f32x4_add(sum[t], wasm_f32x4_mul(wasm_f32x4_convert_i32x4(fold_rows(low[t], high[t])), scale));
        }
    }
    TG_UNROLL for (int t = 0; t < tokens; t++) wasm_v128_store(y + (size_t)t * y_stride, sum[t]);
}

void tg_matmul_q8_0__simd128(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last, const void *x, size_t x_stride,
                             size_t n_tokens, float *y, size_t y_stride)
{
    TG_WALK(walk_q8_0, tg_tile_q8_0)
}

static inline __attribute__((always_inline)) void walk_q4_0(const tg_tile_q4_0 *tile, size_t n_blocks, const uint8_t *x,
                                                            size_t x_stride, const int tokens, float *y, size_t y_stride)
{
    v128_t sum[4];
    TG_UNROLL for (int t = 0; t < tokens; t++) sum[t] = wasm_f32x4_const_splat(0);
    for (size_t b = 0; b < n_blocks; b++, tile++, x += sizeof(tg_act_q8)) {
        v128_t low[4], high[4];
        TG_UNROLL for (int t = 0; t < tokens; t++) low[t] = high[t] = wasm_i32x4_const_splat(0);
        TG_UNROLL for (int j = 0; j < 4; j++)
        {
            const v128_t pairs = wasm_v128_load(tile->qs[j]);
            TG_UNROLL for (int half = 0; half < 2; half++)
            {
                const v128_t w = half ? wasm_u8x16_shr(pairs, 4) : wasm_v128_and(pairs, wasm_i8x16_const_splat(15));
                const v128_t w_low = wasm_u16x8_extend_low_u8x16(w), w_high = wasm_u16x8_extend_high_u8x16(w);
                TG_UNROLL for (int t = 0; t < tokens; t++)
                {
                    const v128_t v = widen_splat(((const tg_act_q8 *)(x + (size_t)t * x_stride))->q + 16 * half + 4 * j);
                    low[t] = wasm_i32x4_add(low[t], wasm_i32x4_dot_i16x8(w_low, v));
                    high[t] = wasm_i32x4_add(high[t], wasm_i32x4_dot_i16x8(w_high, v));
                }
            }
        }
        const v128_t d = tg_half4(tile->d);
        TG_UNROLL for (int t = 0; t < tokens; t++)
        {
            const tg_act_q8 *block = (const tg_act_q8 *)(x + (size_t)t * x_stride);
            const v128_t offset = wasm_i32x4_shl(wasm_v128_load32_splat(&block->sum), 3); /* codes are stored with 8 added */
            const v128_t dot = wasm_i32x4_sub(fold_rows(low[t], high[t]), offset);
            const v128_t scale = wasm_f32x4_mul(d, wasm_v128_load32_splat(&block->d));
            sum[t] = wasm_f32x4_add(sum[t], wasm_f32x4_mul(wasm_f32x4_convert_i32x4(dot), scale));
        }
    }
    TG_UNROLL for (int t = 0; t < tokens; t++) wasm_v128_store(y + (size_t)t * y_stride, sum[t]);
}

void tg_matmul_q4_0__simd128(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last, const void *x, size_t x_stride,
                             size_t n_tokens, float *y, size_t y_stride)
{
    TG_WALK(walk_q4_0, tg_tile_q4_0)
}

#endif
