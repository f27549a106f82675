/* Matmul with float and Q8_0 weights, with relaxed SIMD: fused multiply-add and the dot product of
 * four bytes. */
#ifdef __wasm_relaxed_simd__

#define MADD(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#define NAME(type)    tgi_matmul_##type##__relaxed
#include "matmul_float.inc"

#define DOT(a, b, c) wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, c)

/* Signed codes times activations. If the second operand is unsigned, the activations have 128
 * added, and the sums start from -128 times the sum of the row's codes. */
TG_ALWAYS_INLINE void multiply_q8_0(const int is_unsigned, const uint8_t *tiles, size_t n_blocks,
                                    const uint8_t *x, size_t x_stride, const int strips,
                                    const int tokens, float *y, size_t y_stride)
{
    const tg_tile_q8_0 *tile = (const tg_tile_q8_0 *)tiles;
    const tg_scale_constants scales = tgi_scale_constants();
    v128_t sum[2][4];
    TG_UNROLL
    for (int s = 0; s < strips; s++) {
        TG_UNROLL
        for (int t = 0; t < tokens; t++)
            sum[s][t] = wasm_f32x4_const_splat(0);
    }
    for (size_t b = 0; b < n_blocks; b++, tile++) {
        v128_t even[2][4], odd[2][4]; /* two chains of dot products for each sum */
        TG_UNROLL
        for (int s = 0; s < strips; s++) {
            const v128_t start = is_unsigned
                                     ? wasm_i32x4_neg(wasm_i32x4_shl(
                                           wasm_i32x4_load16x4(tile[(size_t)s * n_blocks].sum), 7))
                                     : wasm_i32x4_const_splat(0);
            TG_UNROLL
            for (int t = 0; t < tokens; t++) {
                even[s][t] = start;
                odd[s][t] = wasm_i32x4_const_splat(0);
            }
        }
        TG_UNROLL
        for (int j = 0; j < 8; j += 2) {
            TG_UNROLL
            for (int s = 0; s < strips; s++) {
                const v128_t w0 = wasm_v128_load(tile[(size_t)s * n_blocks].qs[j]),
                             w1 = wasm_v128_load(tile[(size_t)s * n_blocks].qs[j + 1]);
                TG_UNROLL
                for (int t = 0; t < tokens; t++) {
                    const tg_act_q8 *block = tgi_act_at(x, x_stride, t, b);
                    const void *codes = is_unsigned ? (const void *)(block->u + 4 * j)
                                                    : (const void *)(block->q + 4 * j);
                    even[s][t] = DOT(w0, wasm_v128_load32_splat(codes), even[s][t]);
                    odd[s][t] =
                        DOT(w1, wasm_v128_load32_splat((const uint8_t *)codes + 4), odd[s][t]);
                }
            }
        }
        TG_UNROLL
        for (int s = 0; s < strips; s++) {
            const v128_t d = tgi_scale4(&scales, tile[(size_t)s * n_blocks].d);
            TG_UNROLL
            for (int t = 0; t < tokens; t++) {
                const v128_t scale =
                    wasm_f32x4_mul(d, wasm_v128_load32_splat(&tgi_act_at(x, x_stride, t, b)->d));
                sum[s][t] = MADD(wasm_f32x4_convert_i32x4(wasm_i32x4_add(even[s][t], odd[s][t])),
                                 scale, sum[s][t]);
            }
        }
    }
    TG_UNROLL
    for (int s = 0; s < strips; s++) {
        TG_UNROLL
        for (int t = 0; t < tokens; t++)
            wasm_v128_store(y + (size_t)t * y_stride + s * TG_TILE_ROWS, sum[s][t]);
    }
}

TG_ALWAYS_INLINE void multiply_unsigned(const uint8_t *tile, size_t n_blocks, const uint8_t *x,
                                        size_t x_stride, int strips, int tokens, float *y,
                                        size_t y_stride)
{
    multiply_q8_0(1, tile, n_blocks, x, x_stride, strips, tokens, y, y_stride);
}

TG_ALWAYS_INLINE void multiply_signed(const uint8_t *tile, size_t n_blocks, const uint8_t *x,
                                      size_t x_stride, int strips, int tokens, float *y,
                                      size_t y_stride)
{
    multiply_q8_0(0, tile, n_blocks, x, x_stride, strips, tokens, y, y_stride);
}

void tgi_matmul_q8_0__relaxed_unsigned(const uint8_t *tiles, size_t n_blocks, size_t first,
                                       size_t last, const void *x, size_t x_stride, size_t n_tokens,
                                       float *y, size_t y_stride)
{
    tgi_matmul_panels(multiply_unsigned, sizeof(tg_tile_q8_0), tiles, n_blocks, first, last, x,
                      x_stride, n_tokens, y, y_stride);
}

void tgi_matmul_q8_0__relaxed_signed(const uint8_t *tiles, size_t n_blocks, size_t first,
                                     size_t last, const void *x, size_t x_stride, size_t n_tokens,
                                     float *y, size_t y_stride)
{
    tgi_matmul_panels(multiply_signed, sizeof(tg_tile_q8_0), tiles, n_blocks, first, last, x,
                      x_stride, n_tokens, y, y_stride);
}

#endif
