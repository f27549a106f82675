/* Matmul with float and Q8_0 weights, with WebAssembly SIMD: the same bits as the scalar
 * reference. */
#ifdef __wasm_simd128__

#define MADD(a, b, c) wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
#define NAME(type)    tgi_matmul_##type##__simd128
#include "matmul_float.inc"

/* The sums of four rows from their halves: low holds two sums of row 0 and two of row 1, high those
 * of rows 2 and 3. */
static inline v128_t fold_rows(v128_t low, v128_t high)
{
    return wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6),
                          wasm_i32x4_shuffle(low, high, 1, 3, 5, 7));
}

/* Adds the products of four activations, twice in v, and four codes of each row. codes: of rows 0
 * and 1, and of rows 2 and 3. */
TG_ALWAYS_INLINE void add_products(v128_t *low, v128_t *high, const v128_t codes[2], v128_t v)
{
    *low = wasm_i32x4_add(*low, wasm_i32x4_dot_i16x8(codes[0], v));
    *high = wasm_i32x4_add(*high, wasm_i32x4_dot_i16x8(codes[1], v));
}

/* Sixteen codes as 16-bit numbers. */
TG_ALWAYS_INLINE void widen_codes(const int8_t codes[4][4], v128_t wide[2])
{
    const v128_t bytes = wasm_v128_load(codes);
    wide[0] = wasm_i16x8_extend_low_i8x16(bytes);
    wide[1] = wasm_i16x8_extend_high_i8x16(bytes);
}

/* Adds a block's dot products, times its scale, to the rows' sums. */
TG_ALWAYS_INLINE v128_t add_block(v128_t sum, v128_t low, v128_t high, v128_t scale)
{
    return wasm_f32x4_add(sum,
                          wasm_f32x4_mul(wasm_f32x4_convert_i32x4(fold_rows(low, high)), scale));
}

/* Four signed bytes as 16-bit numbers, twice: for two rows. */
static inline v128_t widen_splat(const int8_t *four)
{
    return wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(four));
}

TG_ALWAYS_INLINE void multiply_q8_0(const uint8_t *tiles, size_t n_blocks, const uint8_t *x,
                                    size_t x_stride, int strips, int tokens, float *y,
                                    size_t y_stride)
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
        v128_t low[2][4], high[2][4];
        TG_UNROLL
        for (int s = 0; s < strips; s++) {
            TG_UNROLL
            for (int t = 0; t < tokens; t++)
                low[s][t] = high[s][t] = wasm_i32x4_const_splat(0);
        }
        /* Unrolled, the compiler would move the products together, and V8's registers would not do:
         * with many tokens, this loop is 1.4 times as fast. */
        TG_NO_UNROLL
        for (int j = 0; j < 8; j += 2) {
            TG_UNROLL
            for (int k = j; k < j + 2; k++) {
                TG_UNROLL
                for (int s = 0; s < strips; s++) {
                    v128_t codes[2];
                    widen_codes(tile[(size_t)s * n_blocks].qs[k], codes);
                    TG_UNROLL
                    for (int t = 0; t < tokens; t++)
                        add_products(&low[s][t], &high[s][t], codes,
                                     widen_splat(tgi_act_at(x, x_stride, t, b)->q + 4 * k));
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
                sum[s][t] = add_block(sum[s][t], low[s][t], high[s][t], scale);
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

/* ---- many tokens: weights and activations are widened once for several products ---- */

#define TOKENS     4
#define MIN_WIDE   16 /* tokens; fewer are faster with codes as they are (measured) */
#define STRIPS     4
#define MAX_BLOCKS 12 /* of each strip: with 4 tokens, 20 KB in all stay in the L1 cache */

/* 32 weights of 4 rows: [k][half], as widened from codes 4k to 4k + 3 of rows 0 and 1, 2 and 3. */
typedef struct wide_weights {
    v128_t codes[8][2], d;
} wide_weights;

/* 32 activations of 4 tokens: [k][token], four of them twice. */
typedef struct wide_activations {
    v128_t codes[8][TOKENS], d[TOKENS];
} wide_activations;

static void widen_weights(const tg_tile_q8_0 *tile, size_t n_blocks, wide_weights *out)
{
    const tg_scale_constants scales = tgi_scale_constants();
    for (size_t b = 0; b < n_blocks; b++, tile++, out++) {
        TG_UNROLL
        for (int k = 0; k < 8; k++)
            widen_codes(tile->qs[k], out->codes[k]);
        out->d = tgi_scale4(&scales, tile->d);
    }
}

static void widen_activations(const tg_act_q8 *const x[TOKENS], size_t n_blocks,
                              wide_activations *out)
{
    for (size_t b = 0; b < n_blocks; b++, out++) {
        TG_UNROLL
        for (int t = 0; t < TOKENS; t++) {
            TG_UNROLL
            for (int k = 0; k < 8; k++)
                out->codes[k][t] = widen_splat(x[t][b].q + 4 * k);
            out->d[t] = wasm_v128_load32_splat(&x[t][b].d);
        }
    }
}

/* One strip with 4 tokens. The sums continue from y, or from 0 if `start`. */
static __attribute__((noinline)) void multiply_wide(const wide_weights *w,
                                                    const wide_activations *x, size_t n_blocks,
                                                    float *const y[TOKENS], int start)
{
    v128_t sum[TOKENS];
    TG_UNROLL
    for (int t = 0; t < TOKENS; t++)
        sum[t] = start ? wasm_f32x4_const_splat(0) : wasm_v128_load(y[t]);
    for (; n_blocks > 0; n_blocks--, w++, x++) {
        v128_t low[TOKENS], high[TOKENS];
        TG_UNROLL
        for (int t = 0; t < TOKENS; t++)
            low[t] = high[t] = wasm_i32x4_const_splat(0);
        /* Unrolled, the compiler would move the products together, and V8's registers would not
         * do. */
        TG_NO_UNROLL
        for (int j = 0; j < 8; j += 2) {
            TG_UNROLL
            for (int k = j; k < j + 2; k++) {
                TG_UNROLL
                for (int t = 0; t < TOKENS; t++)
                    add_products(&low[t], &high[t], w->codes[k], x->codes[k][t]);
            }
        }
        TG_UNROLL
        for (int t = 0; t < TOKENS; t++)
            sum[t] = add_block(sum[t], low[t], high[t], wasm_f32x4_mul(w->d, x->d[t]));
    }
    TG_UNROLL
    for (int t = 0; t < TOKENS; t++)
        wasm_v128_store(y[t], sum[t]);
}

static void matmul_wide(const tg_tile_q8_0 *tiles, size_t n_blocks, size_t first, size_t last,
                        const uint8_t *x, size_t x_stride, size_t n_tokens, float *y,
                        size_t y_stride)
{
    wide_weights w[STRIPS][MAX_BLOCKS];
    wide_activations wide[MAX_BLOCKS];
    for (size_t begin = first; begin < last; begin += STRIPS) {
        const size_t strips = last - begin < STRIPS ? last - begin : STRIPS;
        for (size_t b = 0; b < n_blocks; b += MAX_BLOCKS) {
            const size_t blocks = n_blocks - b < MAX_BLOCKS ? n_blocks - b : MAX_BLOCKS;
            for (size_t s = 0; s < strips; s++)
                widen_weights(tiles + (begin + s) * n_blocks + b, blocks, w[s]);
            for (size_t t = 0; t < n_tokens; t += TOKENS) {
                const tg_act_q8 *xt[TOKENS];
                float *yt[TOKENS];
                for (size_t i = 0; i < TOKENS; i++) { /* the last token may repeat */
                    const size_t token = t + i < n_tokens ? t + i : n_tokens - 1;
                    xt[i] = tgi_act_at(x, x_stride, (int)token, b);
                    yt[i] = y + token * y_stride + begin * TG_TILE_ROWS;
                }
                widen_activations(xt, blocks, wide);
                for (size_t s = 0; s < strips; s++) {
                    multiply_wide(w[s], wide, blocks, yt, b == 0);
                    for (size_t i = 0; i < TOKENS; i++)
                        yt[i] += TG_TILE_ROWS;
                }
            }
        }
    }
}

/* ---- one token, one strip after the other: its activations are widened once ---- */

#define MAX_WIDE_ROW 128 /* blocks: 16 KB, which stay in the L1 cache */

static void matmul_one_token(const tg_tile_q8_0 *tiles, size_t n_blocks, size_t first, size_t last,
                             const tg_act_q8 *x, float *y)
{
    v128_t wide[MAX_WIDE_ROW][8];
    const tg_scale_constants scales = tgi_scale_constants();
    for (size_t b = 0; b < n_blocks; b++) {
        TG_UNROLL
        for (int k = 0; k < 8; k++)
            wide[b][k] = widen_splat(x[b].q + 4 * k);
    }
    const tg_tile_q8_0 *tile = tiles + first * n_blocks;
    for (size_t strip = first; strip < last; strip++) {
        v128_t sum = wasm_f32x4_const_splat(0);
        for (size_t b = 0; b < n_blocks; b++, tile++) {
            v128_t low = wasm_i32x4_const_splat(0), high = low;
            TG_NO_UNROLL /* see multiply_wide */
            for (int j = 0; j < 8; j += 2) {
                TG_UNROLL
                for (int k = j; k < j + 2; k++) {
                    v128_t codes[2];
                    widen_codes(tile->qs[k], codes);
                    add_products(&low, &high, codes, wide[b][k]);
                }
            }
            const v128_t scale =
                wasm_f32x4_mul(tgi_scale4(&scales, tile->d), wasm_v128_load32_splat(&x[b].d));
            sum = add_block(sum, low, high, scale);
        }
        wasm_v128_store(y + strip * TG_TILE_ROWS, sum);
    }
}

void tgi_matmul_q8_0__simd128(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last,
                              const void *x, size_t x_stride, size_t n_tokens, float *y,
                              size_t y_stride)
{
    if (n_tokens >= MIN_WIDE) {
        matmul_wide((const tg_tile_q8_0 *)tiles, n_blocks, first, last, x, x_stride, n_tokens, y,
                    y_stride);
        return;
    }
    if (n_tokens == 1 && !tgi_must_prefetch && n_blocks <= MAX_WIDE_ROW) {
        matmul_one_token((const tg_tile_q8_0 *)tiles, n_blocks, first, last, x, y);
        return;
    }
    tgi_matmul_panels(multiply_q8_0, sizeof(tg_tile_q8_0), tiles, n_blocks, first, last, x,
                      x_stride, n_tokens, y, y_stride);
}

#endif
