/* The matrix products with relaxed SIMD: fused multiply-add, and the four-byte dot product. In: tiles and activations. Out: y,
 * into the caller's memory. */
#ifdef __wasm_relaxed_simd__

#define MADD(a, b, c) wasm_f32x4_relaxed_madd(a, b, c)
#define NAME(type)    tg_matmul_##type##__relaxed
#include "matmul_float.inc"

#define DOT(a, b, c) wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, c)

/* Adds a block's integer sums, kept in two chains, to the running sums, times the scales of weights and activations. */
#define ADD_SCALED(one, other)                                                                                                   \
    TG_UNROLL for (int s = 0; s < strips; s++)                                                                                   \
    {                                                                                                                            \
        const v128_t d = tg_half4(tile[(size_t)s * n_blocks].d);                                                                 \
        TG_UNROLL for (int t = 0; t < tokens; t++)                                                                               \
        {                                                                                                                        \
            const v128_t scale = wasm_f32x4_mul(d, wasm_v128_load32_splat(&tg_act_at(x, x_stride, t, b)->d));                    \
            sum[s][t] = MADD(wasm_f32x4_convert_i32x4(wasm_i32x4_add(one[s][t], other[s][t])), scale, sum[s][t]);                \
        }                                                                                                                        \
    }

/* Codes of 0 to 15 fit the second operand as every processor takes it. */
static inline __attribute__((always_inline)) void walk_q4_0(const tg_tile_q4_0 *tile, size_t n_blocks, const uint8_t *x,
                                                            size_t x_stride, const int strips, const int tokens, float *y,
                                                            size_t y_stride)
{
    v128_t sum[2][4];
    TG_UNROLL for (int s = 0; s < strips; s++) TG_UNROLL for (int t = 0; t < tokens; t++) sum[s][t] = wasm_f32x4_const_splat(0);
    for (size_t b = 0; b < n_blocks; b++, tile++) {
        v128_t low[2][4],
            high[2][4]; /* two chains of dots for each sum; codes are stored with 8 added: start from -8 times their sum */
        TG_UNROLL for (int s = 0; s < strips; s++) TG_UNROLL for (int t = 0; t < tokens; t++)
        {
            low[s][t] = wasm_i32x4_shl(wasm_v128_load32_splat(&tg_act_at(x, x_stride, t, b)->minus_sum), 3);
            high[s][t] = wasm_i32x4_const_splat(0);
        }
        TG_UNROLL for (int j = 0; j < 4; j++) TG_UNROLL for (int s = 0; s < strips; s++)
        {
            const v128_t pairs = wasm_v128_load(tile[(size_t)s * n_blocks].qs[j]);
            const v128_t w_low = wasm_v128_and(pairs, wasm_i8x16_const_splat(15)),
                         w_high = wasm_v128_and(wasm_u16x8_shr(pairs, 4), wasm_i8x16_const_splat(15));
            TG_UNROLL for (int t = 0; t < tokens; t++)
            {
                const tg_act_q8 *block = tg_act_at(x, x_stride, t, b);
                low[s][t] = DOT(wasm_v128_load32_splat(block->q + 4 * j), w_low, low[s][t]);
                high[s][t] = DOT(wasm_v128_load32_splat(block->q + 16 + 4 * j), w_high, high[s][t]);
            }
        }
        ADD_SCALED(low, high)
    }
    TG_UNROLL for (int s = 0; s < strips; s++) TG_UNROLL for (int t = 0; t < tokens; t++)
        wasm_v128_store(y + (size_t)t * y_stride + s * TG_TILE_ROWS, sum[s][t]);
}

void tg_matmul_q4_0__relaxed(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last, const void *x, size_t x_stride,
                             size_t n_tokens, float *y, size_t y_stride)
{
    TG_WALK(walk_q4_0, tg_tile_q4_0)
}

/* What this processor and compiler make of a second operand above 127. */
typedef enum second_operand {
    UNSIGNED, /* 0 to 255, exactly, as x86's vpdpbusd has it */
    SIGNED,   /* -128 to 127, as Arm's sdot has it */
    OTHER     /* sums of pairs that saturate, as x86's pmaddubsw gives them, or anything else */
} second_operand;

/* One instruction tells. Its arguments come from memory, so that no compiler works them out by rules of its own. */
static second_operand probe(void)
{
    static const volatile int8_t first[16] = {127, 127, 127, 127, -128, -128, -128, -128, 127, -128, 127, -128, 1, 2, 3, 4};
    static const volatile uint8_t second[16] = {200, 200, 200, 200, 255, 255, 255, 255, 255, 255, 128, 128, 129, 130, 131, 132};
    int8_t a[16], b[16];
    int32_t got[4], as_unsigned[4] = {0}, as_signed[4] = {0};
    int is_unsigned = 1, is_signed = 1;
    for (int i = 0; i < 16; i++) {
        a[i] = first[i];
        b[i] = (int8_t)second[i];
        as_unsigned[i / 4] += a[i] * (uint8_t)b[i];
        as_signed[i / 4] += a[i] * b[i];
    }
    wasm_v128_store(got, DOT(wasm_v128_load(a), wasm_v128_load(b), wasm_i32x4_const_splat(0)));
    for (int i = 0; i < 4; i++) {
        is_unsigned &= got[i] == as_unsigned[i];
        is_signed &= got[i] == as_signed[i];
    }
    return is_unsigned ? UNSIGNED : is_signed ? SIGNED : OTHER;
}

/* Signed codes by activations: with 128 added where the second operand is unsigned (the sums start from -128 times the row's
 * codes), as they are where it is signed. */
static inline __attribute__((always_inline)) void walk_q8_0(const tg_tile_q8_0 *tile, size_t n_blocks, const uint8_t *x,
                                                            size_t x_stride, const int strips, const int tokens, const int offset,
                                                            float *y, size_t y_stride)
{
    v128_t sum[2][4];
    TG_UNROLL for (int s = 0; s < strips; s++) TG_UNROLL for (int t = 0; t < tokens; t++) sum[s][t] = wasm_f32x4_const_splat(0);
    for (size_t b = 0; b < n_blocks; b++, tile++) {
        v128_t even[2][4], odd[2][4]; /* two chains of dots for each sum */
        TG_UNROLL for (int s = 0; s < strips; s++)
        {
            const v128_t start = offset ? wasm_i32x4_neg(wasm_i32x4_shl(wasm_i32x4_load16x4(tile[(size_t)s * n_blocks].sum), 7))
                                        : wasm_i32x4_const_splat(0);
            TG_UNROLL for (int t = 0; t < tokens; t++)
            {
                even[s][t] = start;
                odd[s][t] = wasm_i32x4_const_splat(0);
            }
        }
        TG_UNROLL for (int j = 0; j < 8; j += 2) TG_UNROLL for (int s = 0; s < strips; s++)
        {
            const v128_t w0 = wasm_v128_load(tile[(size_t)s * n_blocks].qs[j]),
                         w1 = wasm_v128_load(tile[(size_t)s * n_blocks].qs[j + 1]);
            TG_UNROLL for (int t = 0; t < tokens; t++)
            {
                const tg_act_q8 *block = tg_act_at(x, x_stride, t, b);
                const void *at = offset ? (const void *)(block->u + 4 * j) : (const void *)(block->q + 4 * j);
                even[s][t] = DOT(w0, wasm_v128_load32_splat(at), even[s][t]);
                odd[s][t] = DOT(w1, wasm_v128_load32_splat((const uint8_t *)at + 4), odd[s][t]);
            }
        }
        ADD_SCALED(even, odd)
    }
    TG_UNROLL for (int s = 0; s < strips; s++) TG_UNROLL for (int t = 0; t < tokens; t++)
        wasm_v128_store(y + (size_t)t * y_stride + s * TG_TILE_ROWS, sum[s][t]);
}

#define WALK_UNSIGNED(tile, n_blocks, x, x_stride, strips, tokens, y, y_stride)                                                  \
    walk_q8_0(tile, n_blocks, x, x_stride, strips, tokens, 1, y, y_stride)
#define WALK_SIGNED(tile, n_blocks, x, x_stride, strips, tokens, y, y_stride)                                                    \
    walk_q8_0(tile, n_blocks, x, x_stride, strips, tokens, 0, y, y_stride)

void tg_matmul_q8_0__relaxed(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last, const void *x, size_t x_stride,
                             size_t n_tokens, float *y, size_t y_stride)
{
    const second_operand kind = probe();
    if (kind == UNSIGNED) {
        TG_WALK(WALK_UNSIGNED, tg_tile_q8_0)
    } else if (kind == SIGNED) {
        TG_WALK(WALK_SIGNED, tg_tile_q8_0)
    } else {
        tg_matmul_q8_0__simd128(tiles, n_blocks, first, last, x, x_stride, n_tokens, y, y_stride); /* never a bit lost silently */
    }
}

#endif
